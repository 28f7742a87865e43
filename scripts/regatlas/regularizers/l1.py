"""L1 penalty: the sum of absolute weights, by soft-thresholding, so that weights become exactly zero."""

import tensorflow as tf

from regatlas.regularizers.base import Regularizer, Setting, Task


class L1(Regularizer):
    """Tibshirani 1996, by a proximal step after every update (Parikh & Boyd 2014, section 6.5.2); on kernels.

    The threshold is the schedule's learning rate times the strength. With stochastic gradient descent this minimizes
    the loss plus the penalty. Adam divides a gradient by its size and the threshold is not divided: the penalty is then
    decoupled from the loss, as in decoupled weight decay, and the same strength shrinks less than with SGD.
    """

    title = "L1 penalty"
    formula = r"L(W) + s \sum |W|, \quad W \leftarrow \mathrm{sign}(W) \, \max(|W| - \eta s, 0)"
    citation = "Tibshirani 1996, J. R. Stat. Soc. B 58"
    acts_on = "update"

    strength = Setting(0.01, low=0.0, off=0.0, doc="s, multiplies the sum of absolute weights")

    def after_update(self, variables: dict, learning_rate: tf.Tensor) -> dict:
        threshold = step_size(learning_rate, self.task) * self.strength
        return each_kernel(variables, lambda kernel: soft_threshold(kernel, threshold))


def soft_threshold(weights: tf.Tensor, threshold: tf.Tensor) -> tf.Tensor:
    """The proximal map of ``threshold`` times the sum of absolute weights: closer to zero by the threshold, or zero."""
    return weights - tf.clip_by_value(weights, -threshold, threshold)


def step_size(learning_rate: tf.Tensor, task: Task) -> tf.Tensor:
    """How far a gradient that stays the same moves the weights in a step, per unit of it.

    Momentum m adds it up to 1 / (1 - m) times, and a threshold must keep the balance.
    """
    return learning_rate * (1 / (1 - task.momentum))


def each_kernel(variables: dict, change) -> dict:
    """The variables with every kernel changed."""
    return {name: change(value) if name.startswith("kernel_") else value for name, value in variables.items()}
