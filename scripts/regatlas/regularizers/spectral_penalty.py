"""Spectral norm penalty: half the square of each weight matrix's largest singular value, added to the loss."""

import numpy as np
import tensorflow as tf

from regatlas.networks import Parameters
from regatlas.regularizers.base import Regularizer, Setting
from regatlas.regularizers.spectral_norm import power_iteration, singular_vectors


class SpectralPenalty(Regularizer):
    """Yoshida & Miyato 2017, equation 3 and algorithm 1; on kernels. The singular vectors as in ``spectral_norm``."""

    title = "Spectral norm penalty"
    formula = r"L(W) + \frac{s}{2} \sum_l \sigma_1(W_l)^2"
    citation = "Yoshida, Miyato 2017, arXiv 1705.10941"
    acts_on = "loss"

    strength = Setting(0.001, low=0.0, off=0.0, doc="s, multiplies half the square of the largest singular value")

    def buffers(self, variables: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        return singular_vectors(variables)

    def penalty(self, variables: dict, parameters: Parameters, logits: tf.Tensor) -> tf.Tensor:
        squares = [
            tf.nn.l2_loss(
                tf.linalg.matvec(variables[f"kernel_{layer}"], variables[f"singular_{layer}"], transpose_a=True)
            )
            for layer in range(len(parameters.kernels))
        ]
        return self.strength * tf.add_n(squares)

    def after_step(self, buffers: dict, variables: dict, step: tf.Tensor) -> dict:
        return power_iteration(buffers, variables)
