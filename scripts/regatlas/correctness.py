"""Which test images the compared runs classify correctly: ``correct.npz``, a bit for each run and image.

Arrays, for R runs and N test images: ``methods`` [R] texts, ``seeds`` [R] int64, ``images`` [] the number N, and
``correct`` [R, ceil(N / 8)] uint8, the bits in the images' order, the first one highest. Runs that diverged have none.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np

from regatlas.errors import UserError
from regatlas.files import read_npz, write_npz

Key = tuple[str, int]  # method, seed


class Correct:
    """Of every run of the compared points, which test images it classifies correctly.

    Args:
        images: the number of test images.
        packed: a run's row, uint8 [images / 8 rounded up], the first image in the highest bit.
    """

    def __init__(self, images: int, packed: Mapping[Key, np.ndarray]):
        self.images = images
        self.packed = dict(packed)

    def rows(self, method: str, seeds: Iterable[int]) -> np.ndarray:
        """Whether each image is classified correctly; bool, [seeds, images].

        Raises:
            UserError: a run is not there.
        """
        try:
            packed = [self.packed[method, seed] for seed in seeds]
        except KeyError as error:
            method, seed = error.args[0]
            raise UserError(f"correct.npz: it lacks {method}, seed {seed}; delete it and run again") from None
        empty = np.zeros((0, -(-self.images // 8)), np.uint8)
        return np.unpackbits(np.stack(packed) if packed else empty, axis=1, count=self.images).astype(bool)


def write(path: str | Path, correct: Correct) -> None:
    """Write the file atomically."""
    keys = sorted(correct.packed)
    width = -(-correct.images // 8)
    arrays = {
        "methods": np.array([method for method, _ in keys], dtype=np.str_),
        "seeds": np.array([seed for _, seed in keys], dtype=np.int64),
        "images": np.array(correct.images),
        "correct": np.stack([correct.packed[key] for key in keys]) if keys else np.zeros((0, width), np.uint8),
    }
    write_npz(path, arrays, compress=True)


def read(path: str | Path) -> Correct:
    """Read the file.

    Raises:
        UserError: it is missing, damaged, or no such file.
    """
    arrays = read_npz(path, ["methods", "seeds", "images", "correct"])
    keys = list(zip(arrays["methods"].tolist(), arrays["seeds"].tolist(), strict=True))
    return Correct(int(arrays["images"]), dict(zip(keys, arrays["correct"], strict=True)))
