"""A run's file: what is refused, and what is kept of a damaged one."""

import json
import os

import numpy as np
import pytest

from regatlas import files, runs
from regatlas.errors import UserError

ARRAYS = {"kernel_0": np.arange(12, dtype=np.float32).reshape(4, 3), "curve_step": np.array([1, 10])}


@pytest.fixture
def run(tmp_path):
    path = runs.path(tmp_path / "runs", "l2", "0123456789abcdef", 3)
    runs.write(path, {"digest": "0123456789abcdef", "seed": 3}, ARRAYS)
    return path


def test_a_run_comes_back_as_it_was(run, tmp_path):
    assert run == tmp_path / "runs" / "l2" / "0123456789abcdef" / "seed-3.npz"
    read = runs.read(run)
    assert (read.metadata["digest"], read.metadata["seed"]) == ("0123456789abcdef", 3)
    assert {name: array.tobytes() for name, array in read.arrays.items()} == {
        name: array.tobytes() for name, array in ARRAYS.items()
    }
    assert runs.whole(run)


def test_metadata_that_json_has_no_word_for_are_refused(tmp_path):
    with pytest.raises(ValueError, match="JSON"):
        runs.write(tmp_path / "seed-0.npz", {"metrics": {"train_loss": float("nan")}}, {})
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "edit",
    [
        lambda arrays: arrays["kernel_0"].__setitem__((0, 0), 99),
        lambda arrays: arrays.pop("curve_step"),
        lambda arrays: arrays.update(more=np.zeros(1)),
        lambda arrays: arrays.update(kernel_0=arrays["kernel_0"].astype(np.float64)),
        lambda arrays: arrays.update(kernel_0=arrays["kernel_0"].reshape(3, 4)),
    ],
)
def test_altered_arrays_are_refused_although_the_file_is_whole(run, edit):
    arrays = files.read_npz(run)
    edit(arrays)
    files.write_npz(run, arrays, compress=True)
    assert runs.whole(run)
    with pytest.raises(UserError, match="altered: its arrays are not the ones"):
        runs.read(run)


def test_no_metadata(run):
    files.write_npz(run, ARRAYS)
    with pytest.raises(UserError, match="not a run of this workflow"):
        runs.read(run)
    files.write_npz(run, {**ARRAYS, "metadata": np.array(json.dumps({"seed": 3}))})
    with pytest.raises(UserError, match="not a run of this workflow"):
        runs.read(run)


@pytest.mark.parametrize("damage", [lambda c: c[:-1], lambda c: c[: len(c) // 2], lambda c: b"", lambda c: b"PK" * 99])
def test_a_file_that_was_cut_short_is_neither_whole_nor_read(run, damage):
    run.write_bytes(damage(run.read_bytes()))
    assert not runs.whole(run)
    with pytest.raises(UserError):
        runs.read(run)


def test_a_changed_byte_of_an_array_is_noticed(run):
    content = bytearray(run.read_bytes())
    content[60] ^= 0xFF
    run.write_bytes(content)
    assert not runs.whole(run)


def test_a_missing_file_is_not_whole(tmp_path):
    assert not runs.whole(tmp_path / "seed-0.npz")


def test_a_damaged_file_is_kept_under_another_name(run):
    run.write_bytes(b"damaged")
    kept = runs.damaged_path(run)
    runs.set_aside(run)
    assert not run.exists()
    assert kept.read_bytes() == b"damaged"
    os.utime(kept, ns=(0, 0))
    run.write_bytes(b"damaged again")
    runs.set_aside(run)
    assert sorted(path.suffix for path in run.parent.iterdir()) == [
        ".damaged",
        ".damaged",
    ]  # neither replaces the other


def test_a_damaged_file_leaves_the_cache_it_was_linked_from(run, tmp_path):
    """Else Snakemake would link the same damaged file again."""
    cached = tmp_path / "cache" / "entry"
    cached.parent.mkdir()
    run.replace(cached)
    cached.write_bytes(b"damaged")
    run.symlink_to(cached)
    kept = runs.damaged_path(run)
    runs.set_aside(run)
    assert not run.is_symlink() and not cached.exists()
    assert kept.read_bytes() == b"damaged" and not kept.is_symlink()


def test_a_cache_of_others_is_left_alone(run, tmp_path, monkeypatch):
    cached = tmp_path / "cache" / "entry"
    cached.parent.mkdir()
    run.replace(cached)
    run.symlink_to(cached)
    unlink = type(run).unlink

    def refuse(path, *arguments, **keywords):
        if path == cached:
            raise PermissionError
        unlink(path, *arguments, **keywords)

    monkeypatch.setattr(type(run), "unlink", refuse)
    runs.set_aside(run)
    assert not run.is_symlink() and cached.exists()
