"""Norm constraint: a fixed norm for each layer's weight matrix, or for each unit's weights."""

import numpy as np
import tensorflow as tf

from regatlas.networks import Parameters
from regatlas.regularizers.base import Regularizer, Setting
from regatlas.regularizers.weight_norm import normalized, with_directions
from regatlas.regularizers.weight_normalization import of_length


class NormConstraint(Regularizer):
    """The post's weight normalization (``weight_norm``) with a choice of what has the norm; on kernels.

    By re-parametrization, W = r V / ||V||, so that every optimizer solves the constrained problem: the form of the L2
    penalty that Ivanov gave (Oneto, Ridella & Anguita 2016), on the sphere instead of in the ball.
    """

    title = "Norm constraint"
    formula = r"W = r \, V / \lVert V \rVert"
    citation = "Oneto, Ridella, Anguita 2016, Machine Learning 103"
    acts_on = "weights"
    needs_direction = True

    radius = Setting(10.0, above=0.0, doc="r, the norm")
    per = Setting("matrix", choices=("matrix", "unit"), doc="what has it: each layer's kernel, or each unit's weights")

    def variables(self, network: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        return with_directions(network, None if self.per == "matrix" else 1)

    def parameters(self, parameters: Parameters, variables: dict, noise: None) -> Parameters:
        if self.per == "matrix":
            kernels = [self.radius * normalized(kernel) for kernel in parameters.kernels]
        else:
            lengths = [tf.fill(kernel.shape[:1], tf.cast(self.radius, kernel.dtype)) for kernel in parameters.kernels]
            kernels = [of_length(*pair) for pair in zip(parameters.kernels, lengths, strict=True)]
        return Parameters(kernels, parameters.biases)
