"""Input noise: normal numbers added to the pixels in training."""

import tensorflow as tf

from regatlas.randomness import unpacked_normal
from regatlas.regularizers.base import Random, Regularizer, Setting


class InputNoise(Regularizer):
    """Bishop 1995: for small noise the same as a penalty on the derivatives by the inputs.

    For a linear model with squared error, without softmax, it is L2 regularization at any size of the noise.
    """

    title = "Input noise"
    formula = r"\tilde x = x + \epsilon, \quad \epsilon_i \sim \mathcal{N}(0, s^2)"
    citation = "Bishop 1995, Neural Computation 7"
    acts_on = "inputs"

    stddev = Setting(0.2, low=0.0, off=0.0, doc="s, the standard deviation of the noise; pixels are 0 to 1")

    def noise(self, random: Random, first_step: tf.Tensor, steps: int, batch: int) -> tf.Tensor | None:
        return random.packed_normal([steps, batch, self.task.features]) if self.stddev else None

    def examples(self, x: tf.Tensor, y: tf.Tensor, noise: tf.Tensor | None) -> tuple[tf.Tensor, tf.Tensor]:
        return x if noise is None else x + unpacked_normal(noise, x.shape[0], self.stddev), y
