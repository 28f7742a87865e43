"""Dropout: each pixel, or each hidden unit, is zeroed with a probability, the others are scaled up."""

import tensorflow as tf

from regatlas.regularizers.base import Random, Regularizer, Setting


class Dropout(Regularizer):
    """Srivastava et al. 2014, section 4, on the input layer and, if asked for, on hidden layers.

    The post leaves it on while testing, which costs about three points; ``active_at_test`` says which way the
    reported accuracy is measured. A run stores both.
    """

    title = "Dropout"
    formula = r"\tilde x = x \odot m / k, \quad m_i \sim \mathrm{Bernoulli}(k)"
    citation = "Srivastava, Hinton, Krizhevsky, Sutskever, Salakhutdinov 2014, JMLR 15"
    acts_on = "inputs"

    keep_probability = Setting(0.5, low=0.01, high=1.0, off=1.0, doc="probability that a pixel is kept")
    hidden_keep_probability = Setting(1.0, low=0.01, high=1.0, off=1.0, doc="probability that a hidden unit is kept")
    active_at_test = Setting(False, doc="leave it on while evaluating, as the post did")

    @property
    def noise_in_evaluation(self) -> bool:
        return self.active_at_test

    def noise(self, random: Random, first_step: tf.Tensor, steps: int, batch: int) -> list[tf.Tensor | None]:
        """What is kept of the inputs and of each hidden layer; None where all is."""
        widths = [inputs for _, inputs in self.task.kernel_shapes]
        chances = [self.keep_probability, *[self.hidden_keep_probability] * (len(widths) - 1)]
        return [
            None if chance == 1 else random.keep([steps, batch, width], chance)
            for width, chance in zip(widths, chances, strict=True)
        ]

    def examples(self, x: tf.Tensor, y: tf.Tensor, noise: list[tf.Tensor | None]) -> tuple[tf.Tensor, tf.Tensor]:
        return dropped(x, noise[0], self.keep_probability), y

    def activations(self, hidden: tf.Tensor, layer: int, noise: list[tf.Tensor | None]) -> tf.Tensor:
        return dropped(hidden, noise[layer + 1], self.hidden_keep_probability)


def dropped(values: tf.Tensor, kept: tf.Tensor | None, probability: float) -> tf.Tensor:
    """Zero where not ``kept``, the rest scaled so that the mean stays."""
    return values if kept is None else tf.where(kept, values * (1 / probability), 0.0)
