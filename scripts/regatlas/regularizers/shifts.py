"""Random shifts: each training image is moved by whole pixels."""

import tensorflow as tf

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
        images = tf.reshape(x, [-1, *self.task.image_shape])
        return tf.reshape(moved(images, noise, self.pixels), x.shape), y


def moved(images: tf.Tensor, by: tf.Tensor, most: int) -> tf.Tensor:
    """Images [batch, height, width] moved down and right by int32 [batch, 2] pixels, from -``most`` to ``most``.

    One image after the other is cut out of its padded self: XLA's gather, a pixel at a time, takes twice as long.
    """
    batch, *size = images.shape
    padded = tf.pad(images, [(0, 0), (most, most), (most, most)])

    def one(image: tf.Tensor, found: tf.Tensor):
        corner = tf.concat([image[None], most - by[image]], 0)
        cut = tf.slice(padded, corner, [1, *size])
        return image + 1, tf.tensor_scatter_nd_update(found, image[None, None], cut)

    return tf.while_loop(lambda image, _: image < batch, one, (tf.constant(0), tf.zeros_like(images)))[1]
