import contextlib
import gzip
import hashlib
import io
import json
import struct
import subprocess
import sys
from pathlib import Path

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st

from regatlas import datasets
from regatlas.corruptions import corrupted
from regatlas.errors import UserError
from regatlas.prepare import prepare

SCRIPTS = Path(__file__).parents[2] / "scripts"
RANDOM = np.random.default_rng(0)
ARRAYS = {
    "train_images": RANDOM.integers(0, 256, (20, 3, 4), np.uint8),
    "train_labels": np.arange(20) % 4,
    "test_images": RANDOM.integers(0, 256, (6, 3, 4), np.uint8),
    "test_labels": np.arange(6) % 4,
}


def as_idx(array):
    return struct.pack(f">I{array.ndim}I", 0x800 + array.ndim, *array.shape) + array.astype(np.uint8).tobytes()


def store(folder, changes=None, form="npy"):
    """Write the four files as raw files; return the settings that describe them."""
    settings = {"name": "mine", "validation_size": 5}
    for role, array in (ARRAYS | (changes or {})).items():
        path = folder / role
        with path.open("wb") as stream:
            if form == "npy":
                np.save(stream, array)
            elif form == "npz":
                np.savez(stream, **{role: array, "other": np.zeros(3)})
            else:
                stream.write(gzip.compress(as_idx(array)) if form == "idx.gz" else as_idx(array))
        settings[role] = {"path": str(path), "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
    return settings


def prepared(folder, settings):
    return prepare(datasets.resolve(settings), folder)


@pytest.mark.parametrize("form", ["npy", "npz", "idx", "idx.gz"])
def test_the_front_of_the_training_file_is_the_validation_set(tmp_path, form):
    result = prepared(tmp_path, store(tmp_path, form=form))
    flat = ARRAYS["train_images"].reshape(20, 12)
    np.testing.assert_array_equal(result["validation_images"], flat[:5])
    np.testing.assert_array_equal(result["train_images"], flat[5:])
    np.testing.assert_array_equal(result["test_images"], ARRAYS["test_images"].reshape(6, 12))
    assert result["validation_labels"].tolist() == [0, 1, 2, 3, 0]
    assert result["train_labels"].tolist() == [n % 4 for n in range(5, 20)]
    assert result["test_labels"].tolist() == [0, 1, 2, 3, 0, 1]
    assert result["image_shape"].tolist() == [3, 4]
    assert result["classes"] == 4
    for name in ("train_images", "train_labels", "validation_images", "validation_labels", "test_labels"):
        assert result[name].dtype == np.uint8
    assert result["image_shape"].dtype == result["classes"].dtype == np.int64


def test_the_corrupted_images_are_test_images(tmp_path):
    result = prepared(tmp_path, store(tmp_path))
    worse, labels = corrupted(ARRAYS["test_images"], ARRAYS["test_labels"])
    np.testing.assert_array_equal(result["corrupted_images"], worse.reshape(*worse.shape[:3], 12))
    assert result["corrupted_labels"].tolist() == labels.tolist()


def test_255_classes_and_names_that_no_image_has(tmp_path):
    many = {"train_labels": np.arange(300) % 255, "train_images": np.zeros((300, 3, 4), np.uint8)}
    assert prepared(tmp_path, store(tmp_path, many))["classes"] == 255
    settings = store(tmp_path)
    named = prepared(tmp_path, settings | {"class_names": list("abcdefg")})
    assert (
        named["classes"] == prepared(tmp_path, settings)["classes"] < 7
    )  # names train nothing, so they decide nothing


@pytest.mark.parametrize("kind", [np.int64, np.uint16, np.int16, ">i4"])
def test_pixels_of_any_whole_number_are_the_same_pixels(tmp_path, kind):
    result = prepared(tmp_path, store(tmp_path, {"train_images": ARRAYS["train_images"].astype(kind)}))
    assert result["train_images"].dtype == np.uint8
    np.testing.assert_array_equal(result["train_images"], ARRAYS["train_images"].reshape(20, 12)[5:])


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"train_labels": np.zeros(19, int)}, ["20 train images", "19 train labels"]),
        ({"test_labels": np.zeros(7, int)}, ["6 test images", "7 test labels"]),
        ({"test_images": np.zeros((6, 4, 3), np.uint8)}, ["3 x 4", "4 x 3"]),
        ({"test_labels": np.array([0, 1, 2, 3, 4, 255])}, ["dataset.test_labels", "256 classes", "255"]),
        ({"train_labels": np.arange(20) - 1}, ["dataset.train_labels", "from -1", "start at 0"]),
        ({"train_labels": np.zeros(20, int), "test_labels": np.zeros(6, int)}, ["1 classes"]),
        ({"train_labels": np.linspace(0, 1, 20)}, ["train_labels", "float64", "whole numbers"]),
        ({"train_labels": np.arange(20).astype("m8[s]")}, ["train_labels", "timedelta64", "whole numbers"]),
        ({"train_labels": np.zeros((20, 1), int)}, ["train_labels", "[20, 1]", "[n]"]),
        ({"train_images": np.zeros((20, 12), np.uint8)}, ["train_images", "[20, 12]", "[n, height, width]"]),
        ({"train_images": np.zeros((20, 3, 4))}, ["train_images", "float64", "uint8"]),
        ({"train_images": np.zeros((20, 3, 4), bool)}, ["train_images", "bool", "whole numbers from 0 to 255"]),
        ({"test_images": np.full((6, 3, 4), 256)}, ["test_images", "from 256 to 256", "from 0 to 255"]),
        ({"test_images": np.full((6, 3, 4), -1, np.int8)}, ["test_images", "from -1 to -1", "from 0 to 255"]),
        # classes that cannot be learned
        (
            {"train_labels": np.arange(20) % 4 + 1, "test_labels": np.ones(6, int)},
            ["train_labels: no training image of class 0; labels start at 0"],
        ),
        (
            {"train_labels": np.arange(20) % 3 * 50, "test_labels": np.zeros(6, int)},
            ["dataset.train_labels: no training image of classes 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, ...; labels start"],
        ),
        ({"train_labels": np.arange(20) // 5}, ["no training image of class 0: ", "first 5", "shuffle"]),
        (
            {"test_labels": np.array([0, 1, 2, 3, 4, 5])},
            ["dataset.test_labels: no training image of classes 4, 5", "the test set has"],
        ),
        ({"train_images": np.array([[[None]]])}, ["train_images", "not a file of numbers"]),
    ],
)
def test_files_that_do_not_go_together_are_refused(tmp_path, changes, words):
    with pytest.raises(UserError) as caught:
        prepared(tmp_path, store(tmp_path, changes))
    for word in words:
        assert word in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"validation_size": 19},
            ["no training image of classes 0, 1, 2: ", "first 19", "lower dataset.validation_size"],
        ),
        ({"class_names": ["a", "b", "c"]}, ["0 to 3", "0 to 2", "3 class names"]),
        ({"validation_size": 20}, ["validation_size", "20 training images"]),
    ],
)
def test_settings_that_do_not_fit_the_files_are_refused(tmp_path, changes, words):
    with pytest.raises(UserError) as caught:
        prepared(tmp_path, store(tmp_path) | changes)
    for word in words:
        assert word in str(caught.value)


def test_a_raw_file_that_was_altered_is_refused(tmp_path):
    settings = store(tmp_path)
    content = bytearray((tmp_path / "test_labels").read_bytes())
    content[-8] ^= 1
    (tmp_path / "test_labels").write_bytes(content)
    with pytest.raises(UserError, match=r"test_labels: missing or altered"):
        prepared(tmp_path, settings)


@pytest.mark.parametrize("cut", [lambda c: c[:40], lambda c: gzip.compress(c)[:60], lambda c: b"junk"])
def test_a_damaged_file_that_the_user_vouches_for_is_named(tmp_path, cut):
    settings = store(tmp_path)
    path = tmp_path / "train_images"
    path.write_bytes(cut(path.read_bytes()))
    settings["train_images"]["sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
    with pytest.raises(UserError, match=r"train_images: "):
        prepared(tmp_path, settings)


@pytest.mark.parametrize("form", ["npy", "npz", "idx", "idx.gz"])
@hypothesis.given(data=st.data())
@hypothesis.settings(derandomize=True, max_examples=150, deadline=None)
def test_whatever_bytes_a_raw_file_has_it_is_read_or_refused(tmp_path_factory, form, data):
    folder = tmp_path_factory.getbasetemp() / form
    folder.mkdir(exist_ok=True)
    settings = store(folder, form=form)
    path = folder / "train_images"
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, min(len(content) - 1, 400)))
        content[start : start + data.draw(st.integers(0, 4))] = data.draw(st.binary(max_size=4))
    path.write_bytes(content)
    settings["train_images"]["sha256"] = hashlib.sha256(content).hexdigest()
    with contextlib.suppress(UserError):
        assert prepared(folder, settings)["train_images"].dtype == np.uint8


def test_a_header_that_asks_for_more_memory_than_there_is(tmp_path):
    settings = store(tmp_path)
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "|u1", "fortran_order": False, "shape": (2**50, 3, 4)})
    (tmp_path / "train_images").write_bytes(header.getvalue())
    settings["train_images"]["sha256"] = hashlib.sha256(header.getvalue()).hexdigest()
    with pytest.raises(UserError, match=r"dataset.train_images: .*damaged"):
        prepared(tmp_path, settings)


def test_an_array_that_an_npz_lacks_is_named_with_those_it_has(tmp_path):
    settings = store(tmp_path, form="npz")
    settings["test_labels"]["array"] = "test_label"
    with pytest.raises(UserError, match=r"did you mean 'test_labels'.*other.*dataset\.test_labels\.array"):
        prepared(tmp_path, settings)


def test_the_program_writes_the_same_bytes_twice(tmp_path):
    settings = store(tmp_path)
    outputs = [tmp_path / "a.npz", tmp_path / "b" / "b.npz"]
    for output in outputs:
        command = [sys.executable, SCRIPTS / "prepare.py", "--spec", json.dumps(settings)]
        subprocess.run([*command, "--raw", tmp_path, "--out", output], check=True)
    assert outputs[0].read_bytes() == outputs[1].read_bytes()
    with np.load(outputs[0]) as archive:
        assert archive["train_images"].shape == (15, 12)
        assert str(archive["checksum"]) == datasets.checksum(datasets.resolve(settings))


def test_the_program_ends_with_one_message(tmp_path):
    settings = store(tmp_path) | {"validation_size": 0}
    command = [sys.executable, SCRIPTS / "prepare.py", "--spec", json.dumps(settings)]
    done = subprocess.run([*command, "--raw", tmp_path, "--out", tmp_path / "x.npz"], capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.startswith("error: dataset.validation_size") and done.stderr.count("\n") == 1
    assert not (tmp_path / "x.npz").exists()
