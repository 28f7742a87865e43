"""The folders of results, looked at before anything is made in them."""

import errno
import os
from collections.abc import Iterable
from pathlib import Path

from regatlas.errors import UserError


def check(paths: Iterable[str | Path]) -> None:
    """Refuse anything but a folder, or nothing yet, under names that are folders of results; outer ones come first.

    Raises:
        UserError: what is there, and what helps.
    """
    for path in paths:
        if os.path.isdir(path) or not os.path.lexists(path):
            continue
        if not os.path.islink(path):
            raise UserError(f"{path}: found a file, allowed is a folder; move the file away")
        try:
            os.stat(path)
            where = "which is no folder"
        except OSError as error:
            where = {
                errno.ENOENT: "which is not there",
                errno.ENOTDIR: "which is not there",
                errno.ELOOP: "which leads nowhere",
            }.get(error.errno, f"which cannot be reached ({error.strerror})")
        raise UserError(
            f"{path}: found a link to {os.readlink(path)}, {where}; allowed is a folder, or a link to one: "
            "make the folder, or remove the link"
        )


def check_cache(path: str) -> None:
    """Refuse a folder of Snakemake's cache that Snakemake would stumble over after the training.

    Raises:
        UserError: it is not the whole path of a folder that can be written.
    """
    if not (os.path.isabs(path) and os.path.isdir(path) and os.access(path, os.W_OK | os.X_OK)):
        raise UserError(
            f"SNAKEMAKE_OUTPUT_CACHE: found {path!r}, allowed is the whole path of a folder that is there and can be "
            "written; --cache keeps runs in it"
        )


def check_writable(paths: Iterable[str | Path]) -> None:
    """Refuse folders in which nothing can be made.

    Raises:
        UserError: one that is there and may not be written to.
    """
    for path in paths:
        if os.path.isdir(path) and not os.access(path, os.W_OK | os.X_OK):
            raise UserError(f"{path}: cannot be written; the study needs a folder that can")
