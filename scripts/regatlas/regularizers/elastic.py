"""Elastic distortion: each training image is bent by a smooth random field."""

import math

import numpy as np
import tensorflow as tf

from regatlas.interpolation import bilinear, grid
from regatlas.regularizers.base import Random, Regularizer, Setting

_LEAST = 0.01  # modes along an axis that are weaker than this share of the strongest are left out


class Elastic(Regularizer):
    """Simard et al. 2003, section 2: random displacements, smoothed by a Gaussian and scaled by ``alpha``.

    Theirs are uniform between -1 and 1; here they are normal with the same variance. With their ``sigma`` of 4 a
    smoothed one is a weighted sum of some 200, so nearly normal anyway. With their ``alpha`` of 34 a pixel moves by 1.4
    pixels in each direction, as a standard deviation. Pixels are bilinear.
    """

    title = "Elastic distortion"
    formula = r"\tilde x(p) = x(p + \alpha \, (G_\sigma * u)(p)), \quad u \sim \mathcal{N}(0, 1/3)"
    citation = "Simard, Steinkraus, Platt 2003, ICDAR"
    acts_on = "inputs"

    sigma = Setting(4.0, above=0.0, high=100.0, doc="standard deviation of the smoothing, in pixels")
    alpha = Setting(34.0, low=0.0, off=0.0, doc="multiplies the smoothed displacements, which are pixels")

    def noise(self, random: Random, first_step: tf.Tensor, steps: int, batch: int) -> tf.Tensor | None:
        """A standard normal number for each mode, [steps, modes down, 2, batch, modes across]; see ``fields``."""
        if not self.alpha:
            return None
        down, across = (modes(size, self.sigma).shape[1] for size in self.task.image_shape)
        return random.normal([steps, down, 2, batch, across])

    def images(self, pixels: tf.Tensor, noise: tf.Tensor | None) -> tf.Tensor:
        if noise is None:
            return pixels
        rows, columns = tf.unstack(grid(*self.task.image_shape)[:, None] + self._displacements(noise))
        return bilinear(pixels, rows, columns, self.task.image_shape)

    def _displacements(self, noise: tf.Tensor) -> tf.Tensor:
        """How far down and how far right of its place each pixel is read, in pixels: float32 [2, batch, pixels]."""
        deviation = self.alpha / math.sqrt(3)  # sqrt(1/3) is that of uniform numbers between -1 and 1
        return deviation * fields(noise, self.sigma, self.task.image_shape)


def fields(numbers: tf.Tensor, sigma: float, image_shape: tuple[int, int]) -> tf.Tensor:
    """Standard normal numbers, convolved with a Gaussian; beyond the edge they are 0. float32 [2, batch, pixels].

    Args:
        numbers: a standard normal number for each mode, [modes down, 2, batch, modes across].
    """
    (height, width), (down, two, batch, across) = image_shape, numbers.shape
    by_row = tf.reshape(modes(height, sigma) @ tf.reshape(numbers, [down, -1]), [height, -1, across])
    by_field = tf.reshape(tf.transpose(by_row, [1, 0, 2]), [-1, across])
    return tf.reshape(by_field @ modes(width, sigma).T, [two, batch, height * width])


def modes(size: int, sigma: float) -> np.ndarray:
    """Vectors, float32 [size, modes]: a sum of them, each times a standard normal number, is smoothed normal noise.

    They are the eigenvectors of the convolution along an axis times their eigenvalues. Noise has the same distribution
    along them as along the pixels, and smooth fields need few: 8 of 28 with a standard deviation of 4 pixels.
    """
    values, vectors = np.linalg.eigh(gaussian(size, sigma))
    vectors *= np.where(vectors[0] < 0, -1, 1)  # their signs are LAPACK's choice
    return (vectors * values)[:, np.abs(values) >= _LEAST * np.abs(values).max()].astype(np.float32)


def gaussian(size: int, sigma: float) -> np.ndarray:
    """The convolution along an axis as a matrix, float64 [size, size]; the Gaussian ends at four deviations."""
    distance = np.abs(np.subtract.outer(np.arange(size), np.arange(size)))
    reach = int(4 * sigma + 0.5)
    weights = np.exp(-0.5 * (np.arange(reach + 1) / sigma) ** 2)
    weights /= weights[0] + 2 * weights[1:].sum()
    return np.where(distance <= reach, weights[np.minimum(distance, reach)], 0)
