"""What of a data set its runs are measured against: test labels, pixels and class means, in one small file.

Made once from the prepared data, so that tables and figures need neither the images nor the time to go through them.
"""

import dataclasses
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from regatlas import geometry
from regatlas.files import read_npz, write_npz


@dataclasses.dataclass(frozen=True)
class Reference:
    """Facts of a data set by pixel and by class, from all its training images, also for runs trained on fewer."""

    test_labels: np.ndarray  # [images]
    image_shape: np.ndarray  # height, width
    never_lit: np.ndarray  # bool, [pixels], 0 in every training image
    live: np.ndarray  # bool, [pixels], lit often enough to be measured
    pixel_stddev: np.ndarray  # [pixels], of pixels from 0 to 1
    pairs: np.ndarray  # neighbouring live pixels, [pairs, 2]
    template: np.ndarray  # class means, [pixels, classes]


def make(data: Mapping[str, np.ndarray]) -> Reference:
    """The reference of prepared data (see ``regatlas.prepare``)."""
    images = data["train_images"]
    live = geometry.live_pixels(images)
    return Reference(
        test_labels=data["test_labels"],
        image_shape=data["image_shape"],
        never_lit=geometry.never_lit(images),
        live=live,
        pixel_stddev=geometry.pixel_stddev(images),
        pairs=geometry.neighbours(live, data["image_shape"]),
        template=geometry.templates(images, data["train_labels"], int(data["classes"])),
    )


def write(path: str | Path, reference: Reference) -> None:
    """Write a reference atomically."""
    write_npz(path, {field.name: getattr(reference, field.name) for field in dataclasses.fields(reference)})


def read(path: str | Path) -> Reference:
    """Read a reference.

    Raises:
        UserError: the file is missing or damaged.
    """
    return Reference(**read_npz(path, [field.name for field in dataclasses.fields(Reference)]))
