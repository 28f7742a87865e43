"""Smoothness penalty: the squared differences of the weights of neighbouring pixels, added to the loss."""

import numpy as np
import tensorflow as tf

from regatlas.networks import Parameters
from regatlas.regularizers.base import Regularizer, Setting


class Smoothness(Regularizer):
    """A Gaussian Markov random field as the prior of the first layer's weights (Besag 1974), on the grid of pixels.

    The control of a comparison: it knows that pixels have neighbours, and must make weights smooth. What other methods
    do without knowing that comes from the data.
    """

    title = "Smoothness penalty"
    formula = r"L(W) + s \sum_{i \sim j} (W_i - W_j)^2"
    citation = "Besag 1974, J. R. Stat. Soc. B 36"
    acts_on = "loss"

    strength = Setting(
        0.001, low=0.0, off=0.0, doc="s, multiplies the sum over pairs of pixels beside or above each other"
    )

    def penalty(self, variables: dict, parameters: Parameters, logits: tf.Tensor) -> tf.Tensor:
        height, width = self.task.image_shape
        column, row = np.tile(np.arange(width), height), np.repeat(np.arange(height), width)
        weights = parameters.kernels[0]

        def differences(distance: int, has_neighbour: np.ndarray) -> tf.Tensor:
            """Along each unit's row of pixels: images [units, height, width] XLA would turn pixel by pixel."""
            of_pairs = has_neighbour[:-distance].astype(np.float32)
            return tf.nn.l2_loss((weights[:, distance:] - weights[:, :-distance]) * of_pairs)

        beside, above = differences(1, column < width - 1), differences(width, row < height - 1)
        return 2 * self.strength * (beside + above)
