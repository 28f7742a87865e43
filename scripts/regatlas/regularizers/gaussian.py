"""The post's own "Gaussian weight regularization": a bump with a learned centre and width for every weight."""

import math

import numpy as np
import tensorflow as tf

from regatlas.networks import Parameters
from regatlas.regularizers.base import Random, Regularizer, Setting
from regatlas.windows import windows


class Gaussian(Regularizer):
    """A weight is ``exp(-Z / (2 sigma^2)) / (sqrt(2 pi) sigma)`` with ``Z = ((X - mu) / sigma)^2``, as the post ran it.

    That is neither a sample nor a normal density: sigma enters the exponent twice, and X, where the bump is read,
    is the noise. In training X is ``noise_scale`` times one standard-normal vector, drawn once, that moves on by
    one place before every step; in evaluation X is 0. With ``noise_scale`` 0.01 this is the author's unpublished
    "adaptive weight noise" notebook. The kernels are the centres mu; ``log_sigma_<l>``, equal to them at the start,
    are trained beside them.
    """

    title = "Gaussian weight regularization"
    formula = (
        r"W = \frac{1}{\sqrt{2\pi}\,\sigma} \exp\!\left(-\frac{(X - \mu)^2}{2\sigma^4}\right),"
        r" \quad \sigma = e^{S}"
    )
    citation = "Greydanus 2016, The Art of Regularization"
    acts_on = "weights"

    noise_scale = Setting(0.5, low=0.0, doc="multiplies the standard-normal noise X in training")

    def variables(self, network: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        layers = range(len(self.task.kernel_shapes))
        return network | {f"log_sigma_{layer}": network[f"kernel_{layer}"].copy() for layer in layers}

    def noise(self, random: Random, first_step: tf.Tensor, steps: int, batch: int) -> list[tf.Tensor]:
        """X of each step and layer, [steps, out, in]: step t (from 0) sees the vector moved on by t + 1 places.

        It moves over the weights as they lie in the post, [in, out]: from one output to the next, through all layers.
        """
        shapes = self.task.kernel_shapes
        sizes = [math.prod(shape) for shape in shapes]
        vector = random.unchanging().normal([sum(sizes)])
        begins = -(first_step + 1) - tf.range(steps, dtype=tf.int64)
        return [
            round_trip(vector, begins + sum(sizes[:layer]), shape, self.noise_scale)
            for layer, shape in enumerate(shapes)
        ]

    def parameters(self, parameters: Parameters, variables: dict, noise: list[tf.Tensor] | None) -> Parameters:
        kernels = [
            bump(0.0 if noise is None else noise[layer], mu, variables[f"log_sigma_{layer}"])
            for layer, mu in enumerate(parameters.kernels)
        ]
        return Parameters(kernels, parameters.biases)


def round_trip(vector: tf.Tensor, begins: tf.Tensor, shape: tuple[int, int], scale: float = 1.0) -> tf.Tensor:
    """What a kernel [out, in] sees of a vector that goes round, times ``scale``, float32 [steps, out, in].

    Weight ``[o, i]`` sees entry ``begin + i * out + o``; begins: int64 [steps]. Moving on by a place drops the last
    entry and puts the last but one in front: entries 0 .. size - 2 go round with period size - 1, and the last one is
    never seen.
    """
    outputs, inputs = shape
    period = vector.shape[0] - 1
    rows = period // outputs + inputs + 1
    turns = [vector[:period]] * -(-rows * outputs // period)
    # scaled last: XLA takes a product out of the loop over blocks, and with it what it is made of
    by_output = scale * tf.transpose(tf.reshape(tf.concat(turns, 0)[: rows * outputs], [rows, outputs]))
    first = tf.cast(tf.math.floormod(begins, tf.constant(period, tf.int64)), tf.int32)[:, None] + tf.range(outputs)
    corners = tf.stack([first % outputs, first // outputs], -1)
    return tf.squeeze(windows(by_output, corners, [1, inputs]), 2)


def bump(x: tf.Tensor | float, mu: tf.Tensor, log_sigma: tf.Tensor) -> tf.Tensor:
    """``exp(-(x - mu)^2 / (2 sigma^4)) / (sqrt(2 pi) sigma)`` elementwise."""
    ratio = (x - mu) * tf.exp(-2.0 * log_sigma)
    return tf.exp(-0.5 * tf.square(ratio) - (log_sigma + 0.5 * math.log(2 * math.pi)))
