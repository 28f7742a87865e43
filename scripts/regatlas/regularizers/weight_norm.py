"""Weights divided by the norm of their whole matrix: the post's "weight normalization"."""

import tensorflow as tf

from regatlas.networks import Parameters
from regatlas.regularizers.base import Regularizer, Setting


class WeightNorm(Regularizer):
    """A fixed Frobenius norm for each layer's kernel, by re-parametrization (``tf.nn.l2_normalize(W, [0, 1])``).

    Not the weight normalization of Salimans & Kingma 2016, which works a unit at a time and learns the length.
    """

    title = "Weight normalization"
    formula = r"W = r \, V / \lVert V \rVert_F"
    citation = "Greydanus 2016, The Art of Regularization"
    acts_on = "weights"

    radius = Setting(1.0, above=0.0, doc="r, the Frobenius norm of every kernel")

    def parameters(self, parameters: Parameters, variables: dict, noise: None) -> Parameters:
        kernels = [self.radius * tf.nn.l2_normalize(kernel, [0, 1]) for kernel in parameters.kernels]
        return Parameters(kernels, parameters.biases)
