"""Layer normalization: each example's sums in a hidden layer lose their mean and their spread."""

import numpy as np
import tensorflow as tf

from regatlas.regularizers.base import Regularizer
from regatlas.regularizers.batch_norm import EPSILON, scales_and_shifts
from regatlas.sums import by_row


class LayerNorm(Regularizer):
    """Ba, Kiros & Hinton 2016, equation 3, before the ReLU, with a trained scale and shift for each unit.

    The same in training and in evaluation. A run keeps scale and shift beside its weights, as ``trained_scale_<l>`` and
    ``trained_shift_<l>``.
    """

    title = "Layer normalization"
    formula = r"\hat h = \gamma \, (h - \mu) / \sqrt{\sigma^2 + \epsilon} + \beta"
    citation = "Ba, Kiros, Hinton 2016, arXiv 1607.06450"
    acts_on = "activations"
    needs_hidden = True

    def variables(self, network: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        return network | scales_and_shifts(self.task.kernel_shapes)

    def preactivations(self, hidden: tf.Tensor, layer: int, variables: dict, buffers: dict | None) -> tf.Tensor:
        width = hidden.shape[1]
        centred = hidden - by_row(hidden)[:, None] / width
        by = tf.math.rsqrt(by_row(tf.square(centred)) / width + EPSILON)[:, None]
        return centred * by * variables[f"scale_{layer}"] + variables[f"shift_{layer}"]
