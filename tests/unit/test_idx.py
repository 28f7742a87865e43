import struct

import numpy as np
import pytest

from regatlas import idx
from regatlas.errors import UserError

PIXELS = bytes(range(12))


def images(magic=0x803, shape=(2, 2, 3), pixels=PIXELS):
    return struct.pack(">IIII", magic, *shape) + pixels


def test_images_are_read_row_by_row():
    array = idx.parse(images(), 3, "file")
    assert array.dtype == np.uint8
    assert array.tolist() == [[[0, 1, 2], [3, 4, 5]], [[6, 7, 8], [9, 10, 11]]]


def test_labels_are_read():
    assert idx.parse(struct.pack(">II", 0x801, 3) + b"\x07\x00\xff", 1, "file").tolist() == [7, 0, 255]


@pytest.mark.parametrize(
    ("content", "dimensions", "words"),
    [
        (b"", 3, ["0 bytes"]),
        (images()[:15], 3, ["15 bytes", "16"]),
        (images(magic=0x801), 3, ["0x00000801", "0x00000803", "these are labels"]),
        (images(), 1, ["0x00000803", "0x00000801", "these are images"]),
        (images(magic=0xD03), 3, ["0x00000d03"]),
        (b"<!DOCTYPE html><html></html>", 3, ["0x3c21444f", "allowed are IDX, .npy and .npz files"]),
        (b"GIF89a", 3, ["6 bytes", "allowed are IDX, .npy and .npz files"]),
        (images()[:-1], 3, ["27 bytes", "28"]),
        (images() + b"\n", 3, ["29 bytes", "28"]),
        (images(shape=(0, 2, 3), pixels=b""), 3, ["empty"]),
        (images(shape=(2**31, 2**31, 4), pixels=b""), 3, ["18,446,744,073,709,551,632"]),
    ],
)
def test_anything_else_is_refused_with_what_was_found(content, dimensions, words):
    with pytest.raises(UserError) as caught:
        idx.parse(content, dimensions, "some/file")
    for word in ["some/file", *words]:
        assert word in str(caught.value)
