"""Elastic net: an L1 and an L2 penalty together, by one proximal step, with exact zeros."""

import tensorflow as tf

from regatlas.regularizers.base import Regularizer, Setting
from regatlas.regularizers.l1 import each_kernel, soft_threshold, step_size


class ElasticNet(Regularizer):
    """Zou & Hastie 2005, by a proximal step after every update (Parikh & Boyd 2014, section 6.5.3); on kernels.

    As in ``l1``, the proximal step takes the schedule's learning rate, so that with Adam both penalties are decoupled
    from the loss.
    """

    title = "Elastic net"
    formula = r"L(W) + s_1 \sum |W| + \frac{s_2}{2} \sum W^2"
    citation = "Zou, Hastie 2005, J. R. Stat. Soc. B 67"
    acts_on = "update"

    l1 = Setting(0.01, low=0.0, off=0.0, doc="s1, multiplies the sum of absolute weights")
    l2 = Setting(0.01, low=0.0, off=0.0, doc="s2, multiplies half the sum of squared weights")

    def after_update(self, variables: dict, learning_rate: tf.Tensor) -> dict:
        size = step_size(learning_rate, self.task)
        shrink = 1 / (1 + size * self.l2)
        return each_kernel(variables, lambda kernel: soft_threshold(kernel, size * self.l1) * shrink)
