"""Random shifts: each training image is moved by whole pixels."""

import tensorflow as tf

from regatlas.regularizers.base import Random, Regularizer, Setting


class Shifts(Regularizer):
    """Simard et al. 2003: translated copies of the examples, drawn anew each time an image is seen."""

    title = "Random shifts"
    formula = r"\tilde x_{r, c} = x_{r - d, \, c - e}, \quad d, e \sim \mathrm{Uniform}\{-n, \ldots, n\}"
    citation = "Simard, Steinkraus, Platt 2003, ICDAR"
    acts_on = "inputs"

    pixels = Setting(2, low=0, high=32, doc="n, the largest shift in each direction; what moves in is 0")

    def noise(self, random: Random, first_step: tf.Tensor, steps: int, batch: int) -> tf.Tensor | None:
        """How far down and how far right, int32 [steps, batch, 2]."""
        if not self.pixels:
            return None
        choices = 2 * self.pixels + 1
        return tf.cast(random.uniform([steps, batch, 2]) * choices, tf.int32) - self.pixels

    def examples(self, x: tf.Tensor, y: tf.Tensor, noise: tf.Tensor | None) -> tuple[tf.Tensor, tf.Tensor]:
        if noise is None:
            return x, y
        images = tf.reshape(x, [-1, *self.task.image_shape])
        images = moved(moved(images, noise[:, 0], 1, self.pixels), noise[:, 1], 2, self.pixels)
        return tf.reshape(images, x.shape), y


def moved(images: tf.Tensor, by: tf.Tensor, axis: int, most: int) -> tf.Tensor:
    """Images [batch, height, width] moved along an axis by a number of pixels each, int32 [batch], up to ``most``.

    One choice after the other for all images: XLA gathers a pixel at a time, which takes longer.
    """
    size = images.shape[axis]
    found = tf.zeros_like(images)
    padded = tf.pad(images, [(most, most) if place == axis else (0, 0) for place in range(3)])
    for shift in range(-most, most + 1):
        candidate = padded[:, most - shift :][:, :size] if axis == 1 else padded[:, :, most - shift :][:, :, :size]
        found = tf.where((by == shift)[:, None, None], candidate, found)
    return found
