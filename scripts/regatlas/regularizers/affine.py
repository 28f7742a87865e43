"""Random affine maps: each training image is rotated, scaled, sheared and shifted a little."""

import math

import numpy as np
import tensorflow as tf

from regatlas.interpolation import bilinear, grid
from regatlas.regularizers.base import Random, Regularizer, Setting


class Affine(Regularizer):
    """Simard et al. 2003: every amount is uniform up to its largest, for each image anew; pixels are bilinear."""

    title = "Random affine maps"
    formula = r"\tilde x(p) = x(A (p - c) + c + t)"
    citation = "Simard, Steinkraus, Platt 2003, ICDAR"
    acts_on = "inputs"

    rotation = Setting(10.0, low=0.0, high=180.0, off=0.0, doc="largest rotation about the centre, in degrees")
    scale = Setting(0.1, low=0.0, below=1.0, off=0.0, doc="largest change of the size, as a part of it")
    shear = Setting(0.1, low=0.0, off=0.0, doc="largest shear: columns moved for each row")
    shift = Setting(1.0, low=0.0, off=0.0, doc="largest shift in each direction, in pixels; what moves in is 0")

    def noise(self, random: Random, first_step: tf.Tensor, steps: int, batch: int) -> tf.Tensor:
        """Uniform between -1 and 1: rotation, scale, shear, shift down and right."""
        return 2 * random.uniform([steps, batch, 5]) - 1

    def images(self, pixels: tf.Tensor, noise: tf.Tensor) -> tf.Tensor:
        rows, columns = places(
            self.task.image_shape,
            noise[:, 0] * (self.rotation * math.pi / 180), 1 + noise[:, 1] * self.scale,
            noise[:, 2] * self.shear, noise[:, 3:] * self.shift,
        )  # fmt: skip
        return bilinear(pixels, rows, columns, self.task.image_shape)


def places(
    image_shape: tuple[int, int], angle: tf.Tensor, scale: tf.Tensor, shear: tf.Tensor, shift: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """Where each pixel is read: rows and columns, float32 [batch, pixels] each, in pixels.

    The offset from the image's centre is rotated by ``angle`` (radians), sheared along the rows and divided by
    ``scale``, all [batch], then moved by ``shift`` [batch, 2], down and right.
    """
    centre = [(size - 1) / 2 for size in image_shape]
    down, right = grid(*image_shape) - np.float32(centre)[:, None]
    sine, cosine = tf.sin(angle) / scale, tf.cos(angle) / scale
    rows = cosine, -sine, shift[:, 0] + centre[0]
    columns = sine + shear * cosine, cosine - shear * sine, shift[:, 1] + centre[1]
    return tuple(
        by_row[:, None] * down + by_column[:, None] * right + start[:, None]
        for by_row, by_column, start in (rows, columns)
    )
