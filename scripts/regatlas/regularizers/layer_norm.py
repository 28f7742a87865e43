"""Layer normalization: each example's sums in a hidden layer lose their mean and their spread."""

import numpy as np
import tensorflow as tf

from regatlas.regularizers.base import Regularizer
from regatlas.regularizers.batch_norm import EPSILON, scales_and_shifts
from regatlas.sums import inner_by_row


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
        share = tf.fill(hidden.shape, tf.constant(1 / hidden.shape[1], hidden.dtype))
        centred = hidden - inner_by_row(hidden, share)[:, None]
        by = tf.math.rsqrt(inner_by_row(tf.square(centred), share) + EPSILON)[:, None]
        return centred * by * variables[f"scale_{layer}"] + variables[f"shift_{layer}"]
