"""Decoupled weight decay: every step takes a share of the weights away, whatever the gradient."""

import tensorflow as tf

from regatlas.regularizers.base import Regularizer, Setting
from regatlas.regularizers.l1 import each_kernel


class WeightDecay(Regularizer):
    """Loshchilov & Hutter 2019, algorithm 2: AdamW, or with momentum SGDW; on kernels.

    The share is the schedule's learning rate times the decay. It is taken off the updated weights, where the paper
    takes it off the weights before the update: a difference of learning rate times decay times the update itself.
    """

    title = "Decoupled weight decay"
    formula = r"W \leftarrow (1 - \eta \lambda) \, W"
    citation = "Loshchilov, Hutter 2019, ICLR"
    acts_on = "update"

    decay = Setting(0.1, low=0.0, off=0.0, doc="lambda, multiplies the learning rate and the weights")

    def after_update(self, variables: dict, learning_rate: tf.Tensor) -> dict:
        kept = 1 - learning_rate * self.decay
        return each_kernel(variables, lambda kernel: kernel * kept)
