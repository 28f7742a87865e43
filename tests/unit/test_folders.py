"""What may stand where results go."""

import os

import pytest

from regatlas import folders
from regatlas.errors import UserError


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda path: path.write_text(""), "found a file, allowed is a folder"),
        (lambda path: path.symlink_to("gone"), "found a link to gone, which is not there"),
        (lambda path: path.symlink_to("file"), "found a link to file, which is no folder"),
        (lambda path: path.symlink_to("file/inside"), "found a link to file/inside, which is not there"),
        (lambda path: path.symlink_to(path.name), "found a link to results, which leads nowhere"),
    ],
)
def test_anything_but_a_folder_is_named(tmp_path, make, expected):
    (tmp_path / "file").write_text("")
    make(tmp_path / "results")
    with pytest.raises(UserError, match=f"results: {expected}"):
        folders.check([tmp_path / "results", tmp_path / "results" / "runs"])


def test_folders_links_to_them_and_what_is_not_there_yet(tmp_path):
    (tmp_path / "here").mkdir()
    (tmp_path / "link").symlink_to("here")
    paths = [tmp_path / name for name in ("here", "link", "link/later", "later")]
    folders.check(paths)
    folders.check_writable(paths)


def test_a_folder_that_cannot_be_written(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # root may write everywhere
    folders.check_writable([tmp_path / "later"])
    with pytest.raises(UserError, match="cannot be written"):
        folders.check_writable([tmp_path])
