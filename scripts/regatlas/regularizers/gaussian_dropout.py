"""Gaussian dropout: pixels and hidden units are multiplied by normal noise of dropout's mean and variance."""

import tensorflow as tf

from regatlas.randomness import unpacked_normal
from regatlas.regularizers.base import Random, Regularizer, Setting


class GaussianDropout(Regularizer):
    """Srivastava et al. 2014, section 10: multiplying by N(1, p / (1 - p)) instead of dropping with rate p."""

    title = "Gaussian dropout"
    formula = r"\tilde x = x \odot m, \quad m_i \sim \mathcal{N}\left(1, \frac{p}{1 - p}\right)"
    citation = "Srivastava, Hinton, Krizhevsky, Sutskever, Salakhutdinov 2014, JMLR 15"
    acts_on = "inputs"

    rate = Setting(
        0.2, low=0.0, below=1.0, off=0.0, doc="p of the pixels: the rate of the dropout that has as much variance"
    )
    hidden_rate = Setting(0.0, low=0.0, below=1.0, off=0.0, doc="p of the hidden units")

    def noise(self, random: Random, first_step: tf.Tensor, steps: int, batch: int) -> list[tf.Tensor | None]:
        """Packed normal numbers for the inputs and each hidden layer; None where the rate is 0."""
        widths = [inputs for _, inputs in self.task.kernel_shapes]
        rates = [self.rate, *[self.hidden_rate] * (len(widths) - 1)]
        return [
            random.packed_normal([steps, batch, width]) if rate else None
            for width, rate in zip(widths, rates, strict=True)
        ]

    def examples(self, x: tf.Tensor, y: tf.Tensor, noise: list[tf.Tensor | None]) -> tuple[tf.Tensor, tf.Tensor]:
        return multiplied(x, noise[0], self.rate), y

    def activations(self, hidden: tf.Tensor, layer: int, noise: list[tf.Tensor | None]) -> tf.Tensor:
        return multiplied(hidden, noise[layer + 1], self.hidden_rate)


def multiplied(values: tf.Tensor, packed: tf.Tensor | None, rate: float) -> tf.Tensor:
    if packed is None:
        return values
    return values * (1 + unpacked_normal(packed, values.shape[0], (rate / (1 - rate)) ** 0.5))
