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

    def inputs(self, pixels: tf.Tensor, random: Random) -> tf.Tensor:
        kept = tf.bitwise.bitwise_and(pixels, random.keep(tf.shape(pixels), self.keep_probability))
        return tf.cast(kept, tf.float32) * (1 / (255 * self.keep_probability))
