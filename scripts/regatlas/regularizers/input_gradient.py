"""Input-gradient penalty: the loss may change little where a pixel does."""

import tensorflow as tf

from regatlas.regularizers.base import Regularizer, Setting
from regatlas.sums import total


class InputGradient(Regularizer):
    """Drucker & LeCun 1992, "double backpropagation": the squared gradient of each example's loss by its pixels."""

    title = "Input-gradient penalty"
    formula = r"L(W) + \frac{s}{2 n} \sum_{i=1}^{n} \lVert \nabla_{x_i} L_i(W) \rVert^2"
    citation = "Drucker, LeCun 1992, IEEE Transactions on Neural Networks 3"
    acts_on = "loss"

    strength = Setting(0.1, low=0.0, off=0.0, doc="s, multiplies half the mean of the squared norms")

    def loss(self, compute, x: tf.Tensor, variables: dict, noise: None) -> tf.Tensor:
        if not self.strength:
            return compute(x)
        with tf.GradientTape() as tape:
            tape.watch(x)
            loss = compute(x)
        # of the mean of the losses: each row is an example's own over the batch size
        return loss + 0.5 * self.strength * x.shape[0] * total(tf.square(tape.gradient(loss, x)))
