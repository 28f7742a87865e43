"""The post's "weight normalization": each layer's weight matrix is divided by its norm."""

import numpy as np
import tensorflow as tf

from regatlas.networks import Parameters
from regatlas.regularizers.base import Regularizer, Setting, Unsuitable
from regatlas.sums import total


class WeightNorm(Regularizer):
    """A fixed Frobenius norm for each layer's kernel, by re-parametrization (``tf.nn.l2_normalize(W, [0, 1])``).

    Not the weight normalization of Salimans & Kingma 2016, which works a unit at a time and learns the length.
    """

    title = "Weight normalization"
    formula = r"W = r \, V / \lVert V \rVert_F"
    citation = "Greydanus 2016, The Art of Regularization"
    acts_on = "weights"
    needs_direction = True

    radius = Setting(1.0, above=0.0, doc="r, the Frobenius norm of every kernel")

    def variables(self, network: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        return with_directions(network)

    def parameters(self, parameters: Parameters, variables: dict, noise: None) -> Parameters:
        kernels = [self.radius * normalized(kernel) for kernel in parameters.kernels]
        return Parameters(kernels, parameters.biases)


def with_directions(network: dict[str, np.ndarray], axis: int | None = None) -> dict[str, np.ndarray]:
    """The variables as they are, of which every kernel, or along ``axis`` 1 every unit, has a direction.

    Raises:
        Unsuitable: weights that are all 0.
    """
    kernels = [value for name, value in network.items() if name.startswith("kernel_")]
    if not all(kernel.any(axis).all() for kernel in kernels):
        raise Unsuitable("weights that are all 0 have no direction: set network.initial_stddev above 0")
    return network


@tf.custom_gradient
def normalized(v: tf.Tensor):
    """``v`` [out, in] over its Frobenius norm, or over 1e-6 if that is larger."""
    shrink = tf.math.rsqrt(tf.maximum(total(v * v), 1e-12))
    unit = v * shrink

    def gradient(upstream: tf.Tensor) -> tf.Tensor:
        return shrink * (upstream - unit * total(unit * upstream))

    return unit, gradient
