"""Files that appear whole or not at all, and whose bytes depend on their content alone."""

import contextlib
import errno
import glob
import hashlib
import io
import mmap
import os
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO

import numpy as np

from regatlas.errors import UserError

# What numpy and zipfile raise on bytes that were cut short or changed, as seen by changing them.
_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    ValueError,
    KeyError,
    RuntimeError,
    TypeError,
    AttributeError,
    OSError,
)
_LONGEST_HEADER = 4096  # bytes, of an array in an .npz; ours take 128
_LOCAL_HEADER, _FIELD = 30, 4  # bytes before an entry's name, and before the content of an extra field
_ALIGNMENT, _PADDING = 64, 0xD935  # the kind of extra field that is there to be skipped (as Android's zipalign has it)
_ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest a zip can hold: no clock in the bytes


@contextlib.contextmanager
def atomic(path: str | Path, mode: str = "wb") -> Iterator[IO]:
    """Open a temporary file beside ``path`` that takes its name only if the block ends without an error.

    A reader sees the old file or the new one, never a part, also after a power cut.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    try:
        text = {} if "b" in mode else {"encoding": "utf-8", "newline": "\n"}
        with os.fdopen(descriptor, mode, **text) as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(temporary, 0o666 & ~umask)  # mkstemp gives 0600: a group could not share the results
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def remove_parts(path: str | Path) -> None:
    """Remove what writers of ``path`` that were killed have left; no other may be at work."""
    path = Path(path)
    for part in path.parent.glob(f".{glob.escape(path.name)}.*.part"):
        part.unlink(missing_ok=True)


def write_text(path: str | Path, text: str) -> None:
    """Write ``text`` as UTF-8, atomically."""
    with atomic(path, "w") as stream:
        stream.write(text)


def sha256(path: str | Path) -> str:
    """The SHA-256 of a file's content, in hex."""
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def write_npz(path: str | Path, arrays: Mapping[str, np.ndarray], compress: bool = False) -> None:
    """Write arrays as an .npz whose bytes depend on the arrays alone (``numpy.savez`` stores the time).

    Uncompressed arrays begin at multiples of 64 bytes: TensorFlow then takes them where they are mapped.
    """
    method = zipfile.ZIP_DEFLATED if compress else zipfile.ZIP_STORED
    with atomic(path) as stream, zipfile.ZipFile(stream, "w", method) as archive:
        for name, array in arrays.items():
            entry = zipfile.ZipInfo(f"{name}.npy", _ZIP_EPOCH)
            entry.compress_type = method
            if not compress:
                gap = -(stream.tell() + _LOCAL_HEADER + len(entry.filename) + _FIELD) % _ALIGNMENT
                entry.extra = struct.pack("<HH", _PADDING, gap) + bytes(gap)
            content = io.BytesIO()
            np.lib.format.write_array(content, np.asarray(array), allow_pickle=False)
            archive.writestr(entry, content.getvalue())


@contextlib.contextmanager
def _refused(path: str | Path) -> Iterator[None]:
    """Turn what goes wrong while an .npz is read into a UserError, unless the disk failed."""
    try:
        yield
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None
    except _DAMAGE as error:
        if isinstance(error, OSError) and error.errno not in (None, errno.EINVAL):
            raise
        reason = "no .npz of plain arrays" if "pickle" in str(error) else error  # numpy would advise to load it
        raise UserError(
            f"{path}: damaged or not a result of this workflow ({reason}); delete it and run again"
        ) from None


def read_npz(path: str | Path, names: Iterable[str] | None = None) -> dict[str, np.ndarray]:
    """Read all arrays of an .npz, or the named ones; every byte read is checked against its CRC.

    Raises:
        UserError: the file is missing, cut short, altered, or lacks an array.
    """
    with _refused(path), open(path, "rb") as stream, np.load(stream, allow_pickle=False) as archive:
        return {name: archive[name] for name in (archive.files if names is None else names)}


def map_npz(path: str | Path) -> dict[str, np.ndarray]:
    """All arrays of an .npz written without compression, as ``read_npz`` gives them, but mapped into memory.

    Processes that map the same file share its pages instead of each holding a copy. Leave them as they are: a change
    would not reach the file, and would be lost when the pages are taken out of memory.

    Raises:
        UserError: the file is missing, cut short or altered.
    """
    with _refused(path), zipfile.ZipFile(path) as archive:
        content = np.memmap(path, np.uint8, "c")
        arrays = {entry.filename.removesuffix(".npy"): _mapped(content, entry) for entry in archive.infolist()}
        content.base.madvise(mmap.MADV_DONTNEED)  # what was read for the checksums alone need not stay in memory
        return arrays


def _mapped(content: np.ndarray, entry: zipfile.ZipInfo) -> np.ndarray:
    """One array of an .npz, given the bytes of the whole file."""
    if entry.compress_type != zipfile.ZIP_STORED:
        raise ValueError(f"{entry.filename} is compressed")
    names = content[entry.header_offset + 26 : entry.header_offset + 30].view("<u2")  # lengths in the local header
    begin = entry.header_offset + _LOCAL_HEADER + int(names.sum())
    member = content[begin : begin + entry.file_size]
    if zlib.crc32(member) != entry.CRC:
        raise ValueError(f"bad CRC-32 for {entry.filename}")
    header = io.BytesIO(member[:_LONGEST_HEADER].tobytes())
    np.lib.format.read_magic(header)
    shape, by_column, dtype = np.lib.format.read_array_header_1_0(header)
    if dtype.hasobject:
        raise ValueError(f"{entry.filename} holds Python objects")
    array = np.asarray(member[header.tell() :]).view(dtype).reshape(shape, order="F" if by_column else "C")
    return array if dtype.itemsize == 1 else array.copy()  # larger numbers would not be aligned
