"""The IDX format of MNIST's files: a magic number, the dimensions, then the bytes, big-endian.

Source: LeCun, Cortes and Burges, The MNIST database of handwritten digits, section "File formats".
"""

import math

import numpy as np

from regatlas.errors import UserError

_UNSIGNED_BYTE = 0x08
_FORMATS = "; allowed are IDX, .npy and .npz files, plain or gzipped"
_HOLDS = {1: "labels", 3: "images"}


def parse(content: bytes, dimensions: int, name: str) -> np.ndarray:
    """The array of an IDX file of unsigned bytes.

    Args:
        content: the whole file, not compressed.
        dimensions: 3 for images [n, height, width], 1 for labels [n].
        name: the file's, for messages.

    Returns:
        uint8, of as many dimensions; read-only, it shares the memory of ``content``.

    Raises:
        UserError: another kind of file, or not of the length its header states.
    """
    magic = _UNSIGNED_BYTE << 8 | dimensions
    header = 4 + 4 * dimensions
    what = f"an IDX file of {_HOLDS.get(dimensions, f'{dimensions} dimensions')}"
    if len(content) < header:
        hint = "" if content[:2] == b"\0\0" else _FORMATS
        raise UserError(f"{name}: {len(content)} bytes found, {what} has a header of {header}{hint}")
    found = int.from_bytes(content[:4], "big")
    if found != magic:
        other = _HOLDS.get(found & 0xFF) if found >> 8 == _UNSIGNED_BYTE else None
        hint = f" (these are {other})" if other else "" if found >> 16 == 0 else _FORMATS
        raise UserError(f"{name}: magic number 0x{found:08x} found, {what} has 0x{magic:08x}{hint}")
    shape = [int.from_bytes(content[start : start + 4], "big") for start in range(4, header, 4)]
    if 0 in shape:
        raise UserError(f"{name}: empty, its dimensions are {shape}")
    length = header + math.prod(shape)
    if len(content) != length:
        raise UserError(f"{name}: {len(content):,} bytes found, its dimensions {shape} need {length:,}")
    return np.frombuffer(content, np.uint8, offset=header).reshape(shape)
