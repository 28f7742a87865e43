"""Files that appear whole or not at all, and arrays that come back as they were or not at all."""

import errno
import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regatlas import files
from regatlas.errors import UserError


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_a_failing_block_leaves_the_old_file_and_nothing_else(tmp_path, error):
    target = tmp_path / "a.txt"
    files.write_text(target, "old")
    with pytest.raises(error), files.atomic(target, "w") as stream:
        stream.write("new")
        raise error
    assert target.read_text() == "old"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_a_new_file_has_the_mode_of_any_other(tmp_path):
    files.write_text(tmp_path / "a", "")
    (tmp_path / "b").write_text("")
    assert (tmp_path / "a").stat().st_mode == (tmp_path / "b").stat().st_mode


def test_the_same_arrays_are_the_same_bytes(tmp_path, monkeypatch):
    arrays = {"a": np.arange(5), "b": np.array("text")}
    files.write_npz(tmp_path / "1.npz", arrays, compress=True)
    monkeypatch.setattr("time.time", lambda: 2e9)
    files.write_npz(tmp_path / "2.npz", arrays, compress=True)
    assert (tmp_path / "1.npz").read_bytes() == (tmp_path / "2.npz").read_bytes()
    assert np.array_equal(files.read_npz(tmp_path / "1.npz")["a"], arrays["a"])


def test_parts_of_a_file_go_and_no_others(tmp_path):
    """What writers that were killed have left, also of a name that looks like a pattern."""
    target = tmp_path / "a[1]*.npz"
    files.write_text(target, "whole")
    others = [".a[1]*.npz.part", ".a1.npz.x.part", ".b.npz.x.part", "a[1]*.npz.x.part", ".a[1]*.npz.x"]
    for name in [*others, ".a[1]*.npz.abc_12.part", ".a[1]*.npz.x.part"]:
        (tmp_path / name).write_text("part")
    files.remove_parts(target)
    assert sorted(os.listdir(tmp_path)) == sorted([target.name, *others])
    files.remove_parts(tmp_path / "no folder" / "a")


def test_missing(tmp_path):
    with pytest.raises(UserError, match="no such file"):
        files.read_npz(tmp_path / "a.npz")


READERS = {True: files.read_npz, False: files.map_npz}  # compressed or not -> how it is read


@pytest.fixture(scope="module")
def contents(tmp_path_factory) -> dict[bool, bytes]:
    path = tmp_path_factory.mktemp("npz") / "a.npz"
    rng = np.random.default_rng(0)
    arrays = {"a": rng.standard_normal(50), "b": np.array('{"k": 1}'), "c": np.arange(9, dtype=np.uint8).reshape(3, 3)}
    found = {}
    for compress in READERS:
        files.write_npz(path, arrays, compress=compress)
        found[compress] = path.read_bytes()
    return found


def test_mapped_arrays_are_the_same_aligned_and_leave_the_file_alone(contents, tmp_path):
    path = tmp_path / "a.npz"
    path.write_bytes(contents[False])
    read, mapped = files.read_npz(path), files.map_npz(path)
    assert list(mapped) == list(read)
    for name, array in read.items():
        assert (mapped[name].dtype, mapped[name].shape) == (array.dtype, array.shape)
        assert np.array_equal(mapped[name], array)
    assert mapped["c"].ctypes.data % 64 == 0
    mapped["c"][0, 0] = 1
    assert path.read_bytes() == contents[False]


def test_a_file_that_cannot_be_mapped_is_named(contents, tmp_path):
    path = tmp_path / "a.npz"
    path.write_bytes(contents[True])
    with pytest.raises(UserError, match=r"a\.npz: damaged .*compressed\); delete it and run again"):
        files.map_npz(path)
    np.savez(path, a=np.array([{}], object))
    for read in READERS.values():
        with pytest.raises(UserError, match=r"a\.npz: .*(objects|plain arrays)\); delete it and run again") as caught:
            read(path)
        assert "pickle" not in str(caught.value)
    path.write_bytes(b"junk")
    with pytest.raises(UserError, match=r"a\.npz: .*no \.npz of plain arrays\); delete it and run again") as caught:
        files.read_npz(path)
    assert "pickle" not in str(caught.value)
    with pytest.raises(UserError, match="no such file"):
        files.map_npz(tmp_path / "b.npz")


@pytest.mark.parametrize("compress", READERS)
def test_a_disk_that_fails_is_not_called_a_damaged_file(contents, tmp_path, monkeypatch, compress):
    def fail(*arguments, **named):
        raise OSError(errno.EIO, "Input/output error")

    (tmp_path / "a.npz").write_bytes(contents[compress])
    monkeypatch.setattr("zipfile.ZipFile.__init__", fail)
    with pytest.raises(OSError, match="Input/output error"):
        READERS[compress](tmp_path / "a.npz")


@pytest.mark.parametrize("compress", READERS)
@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_changed_bytes_are_noticed_or_harmless(contents, tmp_path_factory, compress, data):
    """Cut short: always refused. A byte changed: refused, or the arrays are what they were."""
    path, content, read = tmp_path_factory.getbasetemp() / "changed.npz", contents[compress], READERS[compress]
    place = data.draw(st.integers(0, len(content) - 1))
    if data.draw(st.booleans()):
        path.write_bytes(content[:place])
        with pytest.raises(UserError):
            read(path)
        return
    other = data.draw(st.integers(0, 255))
    path.write_bytes(content[:place] + bytes([other]) + content[place + 1 :])
    whole = path.parent / "whole.npz"
    whole.write_bytes(content)
    expected = read(whole)
    try:
        found = read(path)
    except UserError:
        return
    assert {name: array.tobytes() for name, array in found.items() if name in expected} == {
        name: expected[name].tobytes() for name in found if name in expected
    }
