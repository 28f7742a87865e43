"""Elastic distortion: each training image is bent by a smooth random field."""

import numpy as np
import tensorflow as tf

from regatlas.interpolation import bilinear, grid
from regatlas.regularizers.base import Random, Regularizer, Setting


class Elastic(Regularizer):
    """Simard et al. 2003, section 2: uniform displacements, smoothed by a Gaussian and scaled by ``alpha``.

    With their 4 and 34 a pixel moves by 1.4 pixels in each direction, as a standard deviation. Pixels are bilinear.
    """

    title = "Elastic distortion"
    formula = r"\tilde x(p) = x(p + \alpha \, (G_\sigma * u)(p)), \quad u \sim \mathrm{Uniform}(-1, 1)"
    citation = "Simard, Steinkraus, Platt 2003, ICDAR"
    acts_on = "inputs"

    sigma = Setting(4.0, above=0.0, high=100.0, doc="standard deviation of the smoothing, in pixels")
    alpha = Setting(34.0, low=0.0, off=0.0, doc="multiplies the smoothed displacements, which are pixels")

    def noise(self, random: Random, first_step: tf.Tensor, steps: int, batch: int) -> list[tf.Tensor] | None:
        """How far down and how far right of its place each pixel is read, each [steps, batch, height, width].

        Two tensors, as XLA does not take a loop in whole vectors that reads one tensor at two places.
        """
        if not self.alpha:
            return None
        height, width = self.task.image_shape
        field = smoothed(2 * random.uniform([height, 2, steps, batch, width]) - 1, self.sigma)
        return tf.unstack(self.alpha * field)

    def examples(self, x: tf.Tensor, y: tf.Tensor, noise: list[tf.Tensor] | None) -> tuple[tf.Tensor, tf.Tensor]:
        if noise is None:
            return x, y
        (rows, columns), (down, right) = grid(*self.task.image_shape), noise
        return bilinear(x, rows + down, columns + right), y


def smoothed(field: tf.Tensor, sigma: float) -> tf.Tensor:
    """Fields [height, ..., width] as [..., height, width], convolved with a Gaussian; beyond the edge they are 0.

    The height comes first so that the product along it has long rows.
    """
    height, *outer, width = field.shape
    field = gaussian(height, sigma) @ tf.reshape(field, [height, -1])
    field = tf.reshape(tf.reshape(field, [-1, width]) @ gaussian(width, sigma), [height, -1, width])
    return tf.reshape(tf.transpose(field, [1, 0, 2]), [*outer, height, width])


def gaussian(size: int, sigma: float) -> np.ndarray:
    """The convolution along an axis as a matrix, float32 [size, size]; the Gaussian ends at four deviations."""
    distance = np.abs(np.subtract.outer(np.arange(size), np.arange(size)))
    reach = int(4 * sigma + 0.5)
    weights = np.exp(-0.5 * (np.arange(reach + 1) / sigma) ** 2)
    weights /= weights[0] + 2 * weights[1:].sum()
    return np.where(distance <= reach, weights[np.minimum(distance, reach)], 0).astype(np.float32)
