"""Weight normalization: length and direction of each unit's weights are trained apart from each other."""

import numpy as np
import tensorflow as tf

from regatlas.networks import Parameters
from regatlas.regularizers.base import Regularizer
from regatlas.regularizers.weight_norm import with_directions
from regatlas.sums import by_row


class WeightNormalization(Regularizer):
    """Salimans & Kingma 2016, equation 2: ``w = g v / ||v||`` for each unit, with a trained length g.

    A re-parametrization: it can express every network and penalizes none; what changes is the path of the training.
    The variables ``kernel_<l>`` are the directions v, ``gain_<l>`` [out] the lengths. These start at the norms of the
    initial weights, so that the network starts as without it.
    """

    title = "Weight normalization (learned length)"
    formula = r"w = g \, v / \lVert v \rVert"
    citation = "Salimans, Kingma 2016, NeurIPS 29"
    acts_on = "weights"
    needs_direction = True

    def variables(self, network: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        layers = range(len(self.task.kernel_shapes))
        gains = {f"gain_{layer}": np.linalg.norm(network[f"kernel_{layer}"], axis=1) for layer in layers}
        return with_directions(network, 1) | gains

    def parameters(self, parameters: Parameters, variables: dict, noise: None) -> Parameters:
        kernels = [of_length(v, variables[f"gain_{layer}"]) for layer, v in enumerate(parameters.kernels)]
        return Parameters(kernels, parameters.biases)


@tf.custom_gradient
def of_length(v: tf.Tensor, length: tf.Tensor):
    """Rows of ``v`` [out, in] with the norms ``length`` [out]; a row shorter than 1e-6 counts as that long."""
    shrink = tf.math.rsqrt(tf.maximum(by_row(v * v), 1e-12))[:, None]
    unit = v * shrink

    def gradient(upstream: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        along = by_row(unit * upstream)
        return length[:, None] * shrink * (upstream - unit * along[:, None]), along

    return length[:, None] * unit, gradient
