"""Mixup: training on mixtures of two examples, with their targets mixed alike."""

import numpy as np
import tensorflow as tf

from regatlas.regularizers.base import Random, Regularizer, Setting

CELLS = 4096  # of the table of quantiles: the distribution function is off by less than 1 / CELLS


class Mixup(Regularizer):
    """Zhang et al. 2018, as in their figure 1: one lambda a batch, which is mixed with itself in another order.

    The batch is in random order already, so each example's partner is the one before it.
    """

    title = "Mixup"
    formula = (
        r"\tilde x = \lambda x_i + (1 - \lambda) x_j, \quad \tilde y = \lambda y_i + (1 - \lambda) y_j,"
        r" \quad \lambda \sim \mathrm{Beta}(a, a)"
    )
    citation = "Zhang, Cisse, Dauphin, Lopez-Paz 2018, ICLR"
    acts_on = "inputs"

    alpha = Setting(0.2, low=0.0, off=0.0, doc="a, both parameters of the Beta distribution; 0 mixes nothing")

    def noise(self, random: Random, first_step: tf.Tensor, steps: int, batch: int) -> tf.Tensor | None:
        return beta(random.uniform([steps]), self.alpha) if self.alpha else None

    def examples(self, x: tf.Tensor, y: tf.Tensor, noise: tf.Tensor | None) -> tuple[tf.Tensor, tf.Tensor]:
        if noise is None:
            return x, y
        return mixed(x, noise), mixed(y, noise)


def mixed(values: tf.Tensor, share: tf.Tensor) -> tf.Tensor:
    """Each row's share, and the rest from the row before it, the first one's being the last.

    In a loop that may not run at all, as far as XLA knows: else it computes this anew for every use, as slowly again.
    """

    def mix(done: tf.Tensor, _: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return tf.constant(True), share * values + (1 - share) * tf.concat([values[-1:], values[:-1]], 0)

    return tf.while_loop(lambda done, _: ~done, mix, (share < 0, tf.zeros_like(values)))[1]


def beta(uniform: tf.Tensor, alpha: float) -> tf.Tensor:
    """Beta(alpha, alpha) variates of numbers between 0 and 1: the quantile function, interpolated in a table."""
    from scipy.special import betaincinv

    table = tf.constant(betaincinv(alpha, alpha, np.linspace(0, 1, CELLS + 1)).astype(np.float32))
    place = uniform * CELLS
    cell = tf.cast(place, tf.int32)
    low, high = tf.gather(table, cell), tf.gather(table, cell + 1)
    return low + (place - tf.cast(cell, tf.float32)) * (high - low)
