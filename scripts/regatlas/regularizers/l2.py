"""L2 penalty: half the sum of squared weights, added to the loss."""

import tensorflow as tf

from regatlas.networks import Parameters
from regatlas.regularizers.base import Regularizer, Setting


class L2(Regularizer):
    """Krogh & Hertz 1992; on kernels, not on biases."""

    title = "L2 penalty"
    formula = r"L(W) + \frac{s}{2} \sum W^2"
    citation = "Krogh, Hertz 1992, NeurIPS 4"
    acts_on = "loss"

    strength = Setting(0.01, low=0.0, off=0.0, doc="s, multiplies half the sum of squared weights")

    def penalty(self, variables: dict, parameters: Parameters, logits: tf.Tensor) -> tf.Tensor:
        return self.strength * tf.add_n([tf.nn.l2_loss(kernel) for kernel in parameters.kernels])
