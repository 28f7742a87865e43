"""The post's own "Gaussian weight regularization": a bump with a learned centre and width for every weight."""

import math

import numpy as np
import tensorflow as tf

from regatlas.networks import Parameters
from regatlas.regularizers.base import Random, Regularizer, Setting
from regatlas.streams import generator


class Gaussian(Regularizer):
    """A weight is ``exp(-Z / (2 sigma^2)) / (sqrt(2 pi) sigma)`` with ``Z = ((X - mu) / sigma)^2``, as the post ran it.

    That is neither a sample nor a normal density: sigma enters the exponent twice, and X, where the bump is read,
    is the noise. In training X is ``noise_scale`` times one standard-normal vector, drawn once, that moves on by
    one place before every step; in evaluation X is 0. With ``noise_scale`` 0.01 this is the author's unpublished
    "adaptive weight noise" notebook.
    """

    title = "Gaussian weight regularization"
    formula = (
        r"W = \frac{1}{\sqrt{2\pi}\,\sigma} \exp\!\left(-\frac{(X - \mu)^2}{2\sigma^4}\right),"
        r" \quad \sigma = e^{S}"
    )
    citation = "Greydanus 2016, The Art of Regularization"
    acts_on = "weights"

    noise_scale = Setting(0.5, low=0.0, doc="multiplies the standard-normal noise X in training")

    def variables(self, initial: Parameters, seed: int) -> dict[str, np.ndarray]:
        """``mu_<l>`` and ``log_sigma_<l>``, equal at the start, instead of the kernels."""
        self._shapes = [kernel.shape for kernel in initial.kernels]
        self._size = sum(kernel.size for kernel in initial.kernels)
        vector = generator(seed, "gaussian noise").standard_normal(self._size)
        self._rounds = tf.constant(rounds((self.noise_scale * vector).astype(np.float32)))
        named = {f"mu_{layer}": kernel for layer, kernel in enumerate(initial.kernels)}
        named |= {f"log_sigma_{layer}": kernel.copy() for layer, kernel in enumerate(initial.kernels)}
        return named | {f"bias_{layer}": bias for layer, bias in enumerate(initial.biases)}

    def noise(self, random: Random, first_step: tf.Tensor, steps: int) -> list[list[tf.Tensor]]:
        """X of each step and layer: step t (from 0) sees the vector moved on by t + 1 places.

        It moves over the weights as they lie in the post, [in, out]: from one output to the next.
        """
        start = tf.math.floormod(-(first_step + steps), tf.constant(self._size - 1, tf.int64))
        window = tf.slice(self._rounds, [start], [self._size + steps - 1])
        moved = tf.stack([window[steps - 1 - step : steps - 1 - step + self._size] for step in range(steps)])
        layers = tf.split(moved, [math.prod(shape) for shape in self._shapes], axis=1)
        by_layer = [
            tf.unstack(tf.transpose(tf.reshape(part, [steps, shape[1], shape[0]]), [0, 2, 1]))
            for part, shape in zip(layers, self._shapes, strict=True)
        ]
        return [list(step) for step in zip(*by_layer, strict=True)]

    def parameters(self, variables: dict, noise: list[tf.Tensor] | None) -> Parameters:
        kernels = []
        for layer, shape in enumerate(self._shapes):
            x = tf.zeros(shape) if noise is None else noise[layer]
            mu, log_sigma = variables[f"mu_{layer}"], variables[f"log_sigma_{layer}"]
            kernels.append(bump(x, tf.convert_to_tensor(mu), tf.convert_to_tensor(log_sigma)))
        return Parameters(kernels, [value for name, value in variables.items() if name.startswith("bias_")])


def rounds(vector: np.ndarray) -> np.ndarray:
    """The noise vector laid out so that every moved-on state of it is one slice.

    Moving on drops the last entry and puts the last but one in front: entries 0 .. n-2 go round with period n-1,
    and the last entry repeats the first. The original last entry is never seen in training.
    """
    return np.resize(vector[:-1], 2 * len(vector) + 1024)


@tf.custom_gradient
def bump(x: tf.Tensor, mu: tf.Tensor, log_sigma: tf.Tensor):
    """``exp(-(x - mu)^2 / (2 sigma^4)) / (sqrt(2 pi) sigma)`` elementwise, with its gradient in few passes."""
    precision = tf.exp(-2.0 * log_sigma)
    ratio = (x - mu) * precision
    square = tf.square(ratio)
    value = tf.exp(-0.5 * square - (log_sigma + 0.5 * math.log(2 * math.pi)))

    def gradient(upstream: tf.Tensor) -> tuple[None, tf.Tensor, tf.Tensor]:
        scaled = upstream * value
        return None, scaled * ratio * precision, scaled * (2.0 * square - 1.0)

    return value, gradient
