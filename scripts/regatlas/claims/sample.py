"""What of a data set the claims look at beside its reference: the test images, and the mean and number of the others.

Kept in a file of its own, so that claims are answered without the prepared data and stay when these are fetched again.
"""

import dataclasses
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from regatlas.files import read_npz, write_npz


@dataclasses.dataclass(frozen=True)
class Sample:
    """Pixels are 0 to 255."""

    test_images: np.ndarray  # uint8, [images, pixels]
    train_mean: np.ndarray  # of the training images, [pixels]
    file_size: np.ndarray  # images of the training file, those for validation included


def make(data: Mapping[str, np.ndarray]) -> Sample:
    """The sample of prepared data (see ``regatlas.prepare``)."""
    return Sample(
        test_images=data["test_images"],
        train_mean=data["train_images"].mean(axis=0, dtype=np.float64),
        file_size=np.array(len(data["train_labels"]) + len(data["validation_labels"])),
    )


def write(path: str | Path, sample: Sample) -> None:
    """Write a sample atomically."""
    arrays = {field.name: getattr(sample, field.name) for field in dataclasses.fields(sample)}
    write_npz(path, arrays, compress=True)


def read(path: str | Path) -> Sample:
    """Read a sample.

    Raises:
        UserError: the file is missing or damaged.
    """
    return Sample(**read_npz(path, [field.name for field in dataclasses.fields(Sample)]))
