"""Random shifts: each training image is moved by whole pixels."""

import numpy as np
import tensorflow as tf

from regatlas.interpolation import grid, pixels
from regatlas.regularizers.base import Random, Regularizer, Setting


class Shifts(Regularizer):
    """Simard et al. 2003: translated copies of the examples, drawn anew each time an image is seen."""

    title = "Random shifts"
    formula = r"\tilde x_{r, c} = x_{r - d, \, c - e}, \quad d, e \sim \mathrm{Uniform}\{-n, \ldots, n\}"
    citation = "Simard, Steinkraus, Platt 2003, ICDAR"
    acts_on = "inputs"

    pixels = Setting(2, low=0, high=32, off=0, doc="n, the largest shift in each direction; what moves in is 0")

    def noise(self, random: Random, first_step: tf.Tensor, steps: int, batch: int) -> tf.Tensor | None:
        """How far down and how far right, int32 [steps, batch, 2]."""
        if not self.pixels:
            return None
        choices = 2 * self.pixels + 1
        return tf.cast(random.uniform([steps, batch, 2]) * choices, tf.int32) - self.pixels

    def examples(self, x: tf.Tensor, y: tf.Tensor, noise: tf.Tensor | None) -> tuple[tf.Tensor, tf.Tensor]:
        if noise is None:
            return x, y
        return moved(x, noise, self.task.image_shape), y


def moved(x: tf.Tensor, by: tf.Tensor, image_shape: tuple[int, int]) -> tf.Tensor:
    """Images [batch, height * width] moved down and right by int32 [batch, 2] pixels."""
    rows, columns = (
        tf.constant(places.astype(np.int32)) - by[:, axis, None, None] for axis, places in enumerate(grid(*image_shape))
    )
    return tf.reshape(pixels(x, rows, columns), x.shape)
