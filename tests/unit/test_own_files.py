"""Files the user already has."""

import gzip
import hashlib

import pytest
from serving import CONTENT, complete, download, refusal

from regatlas import datasets
from regatlas.datasets import Source

pytestmark = pytest.mark.usefixtures("no_settings")


@pytest.mark.parametrize("spell", [str, lambda name: name.replace("-idx", ".idx")])
@pytest.mark.parametrize("packed", [True, False])
def test_files_the_user_has(tmp_path, spell, packed):
    own = tmp_path / "own"
    own.mkdir()
    for name, content in CONTENT.items():
        if packed:
            (own / (spell(name) + ".gz")).write_bytes(gzip.compress(content))
        else:
            (own / spell(name)).write_bytes(content)
    download(tmp_path / "raw", Source("folder", str(own)))
    assert complete(tmp_path / "raw")


def test_bad_files_of_the_user_are_reported_and_fetched(server, tmp_path, capsys):
    own = tmp_path / "own"
    own.mkdir()
    names = list(CONTENT)
    (own / names[0]).write_bytes(CONTENT[names[0]][:-1])
    (own / names[1]).write_bytes(CONTENT[names[1]])
    download(tmp_path / "raw", Source("folder", str(own)), server.good)
    assert complete(tmp_path / "raw")
    told = capsys.readouterr().err
    assert f"{names[0]}: 19,999 of 20,000 bytes; {names[2]}: no such file" in told
    assert f"/good/{names[1]}.gz" not in [path for path, _ in server.requests]  # the good one was used


def test_a_good_compressed_file_beside_a_bad_plain_one_is_taken(tmp_path):
    own = tmp_path / "own"
    own.mkdir()
    for name, content in CONTENT.items():
        (own / name).write_bytes(b"bad")
        (own / f"{name}.gz").write_bytes(gzip.compress(content))
    download(tmp_path / "raw", Source("folder", str(own)))
    assert complete(tmp_path / "raw")


@pytest.mark.parametrize("subfolder", ["", "tiny"])
def test_the_folder_in_the_environment(tmp_path, monkeypatch, subfolder):
    own = tmp_path / "own" / subfolder
    own.mkdir(parents=True)
    for name, content in CONTENT.items():
        (own / name).write_bytes(content)
    monkeypatch.setenv(datasets.ENVIRONMENT, str(tmp_path / "own"))
    download(tmp_path / "raw")
    assert complete(tmp_path / "raw")


def test_a_set_of_ones_own_from_paths_and_addresses(server, tmp_path):
    packed_images = gzip.compress(b"a picture")
    server.pages["/my%20set.gz"] = packed_images
    content = [packed_images, b"labels", b"images", b"more labels"]
    settings = {"name": "mine"}
    for role, part in zip(datasets.ROLES, content, strict=True):
        (tmp_path / f"my {role}").write_bytes(part)
        settings[role] = str(tmp_path / f"my {role}")
    settings["train_images"] = {
        "url": f"{server.url}/my%20set.gz",
        "sha256": hashlib.sha256(packed_images).hexdigest(),
    }
    download(tmp_path / "raw", dataset=datasets.resolve(settings))
    assert [(tmp_path / "raw" / role).read_bytes() for role in datasets.ROLES] == content
    settings["train_images"]["sha256"] = "0" * 64
    assert "wrong content" in refusal(tmp_path / "raw", dataset=datasets.resolve(settings))
