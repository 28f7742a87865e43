"""Max-norm: after every update, a unit whose weights have become too long is shortened to the limit."""

import tensorflow as tf

from regatlas.regularizers.base import Regularizer, Setting
from regatlas.regularizers.l1 import each_kernel
from regatlas.sums import by_row


class MaxNorm(Regularizer):
    """Srebro & Shraibman 2005; for networks Srivastava et al. 2014, section 5.1: the projection onto a ball, by unit.

    After an update by Adam, the projection does not lead to the constrained minimum: Adam's steps have another metric
    than the ball. ``norm_constraint`` and stochastic gradient descent do.
    """

    title = "Max-norm"
    formula = r"w \leftarrow w \, \min(1, c / \lVert w \rVert)"
    citation = "Srebro, Shraibman 2005, COLT; Srivastava et al. 2014, JMLR 15"
    acts_on = "update"

    limit = Setting(4.0, above=0.0, off=1.0e6, doc="c, the largest norm of a unit's weights")

    def after_update(self, variables: dict, learning_rate: tf.Tensor) -> dict:
        def shortened(kernel: tf.Tensor) -> tf.Tensor:
            # exactly 1 within the limit: a rounding error of every step would add up
            by = tf.minimum(self.limit * tf.math.rsqrt(by_row(kernel * kernel)), 1)
            return kernel * by[:, None]

        return each_kernel(variables, shortened)
