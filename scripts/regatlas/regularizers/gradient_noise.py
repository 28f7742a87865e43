"""Gradient noise: normal noise that fades over the run is added to the gradient."""

import math
from collections.abc import Callable

import tensorflow as tf

from regatlas.regularizers.base import Random, Regularizer, Setting


class GradientNoise(Regularizer):
    """Neelakantan et al. 2015, equations 1 and 2; on the gradients of kernels and biases."""

    title = "Gradient noise"
    formula = r"g \leftarrow g + N(0, \sigma_t^2), \quad \sigma_t^2 = v / (1 + t)^\gamma"
    citation = "Neelakantan et al. 2015, arXiv 1511.06807"
    acts_on = "gradient"

    variance = Setting(1.0e-5, low=0.0, off=0.0, doc="v, of the noise at the first step")
    decay = Setting(0.55, low=0.0, doc="gamma, how fast the variance falls with the step")

    def noise(self, random: Random, first_step: tf.Tensor, steps: int, batch: int) -> dict[str, tf.Tensor]:
        numbers = tf.cast(first_step + tf.range(steps, dtype=tf.int64), tf.float32)
        deviation = self.variance**0.5 * tf.pow(1 + numbers, -self.decay / 2)
        shapes = {f"kernel_{layer}": shape for layer, shape in enumerate(self.task.kernel_shapes)}
        shapes |= {f"bias_{layer}": shape[:1] for layer, shape in enumerate(self.task.kernel_shapes)}
        sizes = [math.prod(shape) for shape in shapes.values()]
        parts = tf.split(random.normal([steps, sum(sizes)]) * deviation[:, None], sizes, axis=1)
        return {name: tf.reshape(part, [steps, *shapes[name]]) for name, part in zip(shapes, parts, strict=True)}

    def gradients(self, compute: Callable, variables: dict, noise: dict[str, tf.Tensor]) -> dict:
        gradients = compute(variables)
        return {name: gradient + noise[name] if name in noise else gradient for name, gradient in gradients.items()}
