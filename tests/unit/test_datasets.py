import gzip
import hashlib
import os
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from regatlas import datasets
from regatlas.errors import UserError

SCRIPTS = Path(__file__).parents[2] / "scripts"
DIGEST = "ab" * 32
LABELS = np.arange(300) % 10
OBJECTS = b"\x93NUMPY\1\0\x60\0{'descr': '|O', 'fortran_order': False, 'shape': (1,)}".ljust(200)
IDX = struct.pack(">II", 0x801, 300) + LABELS.astype(np.uint8).tobytes()


def own(**changes):
    files = {role: {"url": f"https://example.org/{role}", "sha256": DIGEST} for role in datasets.ROLES}
    return {"name": "mine", **files, **changes}


def test_reading_the_registry_needs_the_standard_library_alone():
    code = "import sys; before = set(sys.modules); import regatlas.datasets; print(*set(sys.modules) - before)"
    done = subprocess.run([sys.executable, "-c", code], cwd=SCRIPTS, capture_output=True, text=True, check=True)
    foreign = {name.partition(".")[0] for name in done.stdout.split()} - set(sys.stdlib_module_names)
    assert foreign == {"regatlas"}


@pytest.mark.parametrize("name", ["mnist", "fashion_mnist"])
def test_the_known_sets(name):
    dataset = datasets.resolve({"name": name})
    assert [file.role for file in dataset.files] == list(datasets.ROLES)
    assert [file.size for file in dataset.files] == [60000 * 784 + 16, 60008, 10000 * 784 + 16, 10008]
    assert (dataset.image_shape, len(dataset.class_names), dataset.validation_size) == ((28, 28), 10, 5000)
    assert (dataset.images, dataset.training_images) == (60_000, 55_000)
    assert all(source.name.startswith("https://") for source in dataset.sources if source.kind == "mirror")


def test_the_folder_in_the_config_comes_first():
    sources = datasets.resolve({"name": "mnist", "path": "/some/folder"}).sources
    assert sources[0] == datasets.Source("folder", "/some/folder")
    assert sources[1:] == datasets.resolve({"name": "mnist"}).sources


def test_the_checksum_depends_on_files_and_validation_size_alone(tmp_path):
    def checksum(**settings):
        return datasets.checksum(datasets.resolve(settings))

    mnist = checksum(name="mnist")
    assert mnist == checksum(name="mnist", path="/elsewhere") == checksum(name="mnist", validation_size=5000)
    different = [mnist, checksum(name="mnist", validation_size=4999), checksum(name="fashion_mnist")]
    different.append(checksum(**own()))
    for role in datasets.ROLES:
        changed = {"url": "https://example.org/x", "sha256": "cd" * 32}
        different += [checksum(**own(**{role: changed})), checksum(**own(**{role: changed | {"array": "x"}}))]
    assert len(set(different)) == len(different)
    assert checksum(**own()) == checksum(**own(title="Another", class_names=["a", "b"]))
    assert checksum(**own()) == checksum(**own(name="other"))


def test_a_path_without_a_checksum_is_hashed_and_hashed_again_when_it_changes(tmp_path):
    path = tmp_path / "labels.npy"
    for stamp, content in enumerate((b"one", b"two")):
        path.write_bytes(content)
        os.utime(path, (stamp, stamp))
        file = datasets.resolve(own(test_labels=str(path))).files[3]
        assert file.sha256 == hashlib.sha256(content).hexdigest()
        assert file.path == str(path)


def test_a_checksum_may_be_written_in_capitals():
    file = datasets.resolve(own(test_labels={"url": "https://x.org/y", "sha256": DIGEST.upper()})).files[3]
    assert file.sha256 == DIGEST


@pytest.mark.parametrize(
    ("array", "write"),
    [
        (None, lambda stream: np.save(stream, LABELS)),
        (None, lambda stream: np.lib.format.write_array(stream, LABELS, version=(2, 0))),
        (None, lambda stream: np.savez(stream, y=LABELS)),
        (None, lambda stream: np.savez_compressed(stream, train_labels=LABELS, x=LABELS[1:])),
        ("y", lambda stream: np.savez(stream, y=LABELS, train_labels=LABELS[1:])),
        (None, lambda stream: stream.write(IDX)),
        (None, lambda stream: stream.write(gzip.compress(IDX))),
    ],
)
def test_the_images_to_train_on_are_counted_by_the_header_of_the_labels(tmp_path, array, write):
    with (tmp_path / "labels").open("wb") as stream:
        write(stream)
    labels = {"path": str(tmp_path / "labels"), "sha256": DIGEST} | ({"array": array} if array else {})
    dataset = datasets.resolve(own(train_labels=labels, validation_size=20))
    assert (dataset.images, dataset.training_images) == (300, 280)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"junk",
        IDX[:7],
        IDX[:4] + bytes(4),
        b"\x93NUMPY\1\0\x04\0None",
        b"PK\x03\x04",
        b"\x1f\x8bjunk",
        OBJECTS,
        None,
    ],
)
def test_a_file_whose_header_does_not_say_it_is_left_to_the_preparation(tmp_path, content):
    if content is not None:
        (tmp_path / "labels").write_bytes(content)
    labels = {"path": str(tmp_path / "labels"), "sha256": DIGEST}
    assert datasets.resolve(own(train_labels=labels)).training_images is None
    assert datasets.resolve(own()).training_images is None


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (None, ["dataset", "{name: mnist}"]),
        ({}, ["dataset", "{name: mnist}"]),
        ({"name": 3}, ["dataset", "{name: mnist}"]),
        ({"name": "mnits"}, ["dataset.name", "'mnits'", "did you mean 'mnist'", "fashion_mnist"]),
        ({"name": "mnist", "pth": "x"}, ["dataset.pth", "did you mean 'path'"]),
        ({"name": "mnist", "path": 3}, ["dataset.path", "3"]),
        ({"name": "mnist", "validation_size": 0}, ["dataset.validation_size", "0"]),
        ({"name": "mnist", "validation_size": True}, ["dataset.validation_size", "True"]),
        ({"name": "mnist", "validation_size": "5e3"}, ["dataset.validation_size", "'5e3'"]),
        ({"name": "mnist", "train_images": "x"}, ["dataset.train_images", "another name"]),
        ({"name": "mine", "train_images": "x"}, ["dataset.train_labels", "missing"]),
        (own(name="../mine"), ["dataset.name", "'../mine'"]),
        (own(test_image="x"), ["dataset.test_image", "did you mean 'test_images'"]),
        (own(class_names=[0, 1]), ["dataset.class_names"]),
        (own(class_names=["a", " "]), ["dataset.class_names", "' '", "more than spaces"]),
        (own(title=" "), ["dataset.title", "' '", "more than spaces"]),
        (own(test_images={"sha256": DIGEST}), ["dataset.test_images", "`path` or `url`"]),
        (own(test_images={"path": "x", "url": "http://x"}), ["dataset.test_images", "`path` or `url`"]),
        (own(test_images={"url": "http://x/y"}), ["dataset.test_images.sha256", "missing"]),
        (own(test_images="https://x/y"), ["dataset.test_images.sha256", "missing"]),
        (own(test_images={"url": "ftp://x/y", "sha256": DIGEST}), ["dataset.test_images.url", "ftp://x/y"]),
        (own(test_images={"path": "x", "sha256": "abc"}), ["dataset.test_images.sha256", "'abc'"]),
        (own(test_images={"path": "x", "sha": DIGEST}), ["dataset.test_images.sha", "did you mean 'sha256'"]),
        (own(test_images="/no/such/file"), ["dataset.test_images.path", "/no/such/file", "No such file"]),
    ],
)
def test_mistakes_are_named_by_key(settings, words):
    with pytest.raises(UserError) as caught:
        datasets.resolve(settings)
    for word in words:
        assert word in str(caught.value)
