"""Raw files: none takes its name before its SHA-256 was checked."""

import gzip
import hashlib
import io
import shutil
import zlib
from pathlib import Path

from regatlas.datasets import RawFile
from regatlas.files import atomic, sha256


class Unavailable(Exception):
    """A source cannot give what it should: one line says why."""


def verified(file: RawFile, folder: Path) -> bool:
    """Whether the folder holds this very file."""
    path = folder / file.name
    return path.is_file() and sha256(path) == file.sha256


def keep(content: bytes, file: RawFile, folder: Path) -> None:
    """Write ``content`` as the raw file that it must be.

    Raises:
        Unavailable: it is something else.
    """
    if hashlib.sha256(content).hexdigest() != file.sha256:
        raise Unavailable(f"{file.name}: {_complaint(content[:200], len(content), file)}")
    with atomic(folder / file.name) as stream:
        stream.write(content)


def adopt(path: Path, file: RawFile, folder: Path) -> None:
    """Copy ``path``, which is the raw file as it is or compressed by gzip, to its place in ``folder``.

    Raises:
        Unavailable: it is something else.
        OSError: it cannot be read.
    """
    if path.exists() and not path.is_file():  # reading a device or a pipe might never end
        raise Unavailable(f"{file.name}: {path}: not a file")
    if sha256(path) == file.sha256:
        with path.open("rb") as source, atomic(folder / file.name) as stream:
            shutil.copyfileobj(source, stream, 1 << 20)
        return
    with path.open("rb") as source:
        head = source.read(200)
    if head[:2] != b"\x1f\x8b" or file.size is None:
        raise Unavailable(f"{file.name}: {_complaint(head, path.stat().st_size, file)}")
    try:
        content = unpack(path.read_bytes(), file.size)
    except Unavailable as error:
        raise Unavailable(f"{file.name}: {error}") from None
    keep(content, file, folder)


def longest(size: int) -> int:
    """The most bytes a gzip file of ``size`` bytes needs: it makes noise a little longer."""
    return size + size // 100 + 1000


def unpack(content: bytes, limit: int) -> bytes:
    """Gunzip at most ``limit`` bytes and one more: a bomb is recognized, not unpacked.

    Raises:
        Unavailable: the content is cut short or damaged.
    """
    try:
        return gzip.GzipFile(fileobj=io.BytesIO(content)).read(limit + 1)
    except (OSError, EOFError, zlib.error):
        raise Unavailable(f"a truncated or damaged gzip file of {len(content):,} bytes") from None


def _complaint(head: bytes, size: int, file: RawFile) -> str:
    if head.lstrip()[:1] == b"<":
        return "a web page (HTML or XML) came instead of the data"
    if file.size is not None and size != file.size:
        much = "more than" if size > file.size else f"{size:,} of"
        return f"{much} {file.size:,} bytes"
    return f"wrong content: its SHA-256 is not {file.sha256[:12]}..."
