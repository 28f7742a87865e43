"""Dropout on the inputs: each pixel is zeroed with a probability, the others are scaled up."""

import tensorflow as tf

from regatlas.regularizers.base import Random, Regularizer, Setting


class Dropout(Regularizer):
    """Srivastava et al. 2014, section 4, applied to the input layer.

    The post leaves it on while testing, which costs about three points; ``active_at_test`` says which way the
    reported accuracy is measured. A run stores both.
    """

    title = "Dropout"
    formula = r"\tilde x = x \odot m / k, \quad m_i \sim \mathrm{Bernoulli}(k)"
    citation = "Srivastava, Hinton, Krizhevsky, Sutskever, Salakhutdinov 2014, JMLR 15"
    acts_on = "inputs"

    keep_probability = Setting(0.5, above=0.0, high=1.0, doc="probability that a pixel is kept")
    active_at_test = Setting(False, doc="leave it on while evaluating, as the post did")

    @property
    def noise_in_evaluation(self) -> bool:
        return self.active_at_test

    def noise(self, random: Random, first_step: tf.Tensor, steps: int, batch: int) -> tf.Tensor:
        return random.keep([steps, batch, self.task.features], self.keep_probability)

    def examples(self, x: tf.Tensor, y: tf.Tensor, noise: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return tf.where(noise, x * (1 / self.keep_probability), 0.0), y
