import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from regatlas import datasets
from regatlas.errors import UserError

SCRIPTS = Path(__file__).parents[2] / "scripts"
DIGEST = "ab" * 32


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
