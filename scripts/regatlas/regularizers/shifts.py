"""Random shifts: each training image is moved by whole pixels."""

import tensorflow as tf

from regatlas.interpolation import moved
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

    def images(self, pixels: tf.Tensor, noise: tf.Tensor | None) -> tf.Tensor:
        return pixels if noise is None else moved(pixels, noise, self.pixels, self.task.image_shape)
