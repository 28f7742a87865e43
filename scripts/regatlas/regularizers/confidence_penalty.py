"""Confidence penalty: the entropy of the predicted probabilities is rewarded."""

import tensorflow as tf

from regatlas.losses import log_softmax
from regatlas.networks import Parameters
from regatlas.regularizers.base import Regularizer, Setting


class ConfidencePenalty(Regularizer):
    """Pereyra et al. 2017, section 3.1."""

    title = "Confidence penalty"
    formula = r"L(W) - s \, H(p), \quad H(p) = -\sum_k p_k \log p_k"
    citation = "Pereyra, Tucker, Chorowski, Kaiser, Hinton 2017, arXiv 1701.06548"
    acts_on = "loss"

    strength = Setting(0.1, low=0.0, off=0.0, doc="s, multiplies the mean entropy of the probabilities, in nats")

    def penalty(self, variables: dict, parameters: Parameters, logits: tf.Tensor) -> tf.Tensor:
        log_p = log_softmax(tf.transpose(logits))
        return self.strength * tf.reduce_sum(tf.exp(log_p) * log_p) * (1 / logits.shape[0])
