"""Gradient noise: normal noise that fades over the run is added to the gradient."""

from collections.abc import Callable
from typing import Any

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

    def noise(self, random: Random, first_step: tf.Tensor, steps: int, batch: int) -> dict[str, Any]:
        """Standard normal numbers for each variable, and their deviation in each step."""
        numbers = tf.cast(first_step + tf.range(steps, dtype=tf.int64), tf.float32)
        shapes = {f"kernel_{layer}": shape for layer, shape in enumerate(self.task.kernel_shapes)}
        shapes |= {f"bias_{layer}": shape[:1] for layer, shape in enumerate(self.task.kernel_shapes)}
        return {
            "normal": {name: random.normal([steps, *shape]) for name, shape in shapes.items()},
            "deviation": self.variance**0.5 * tf.pow(1 + numbers, -self.decay / 2),
        }

    def gradients(self, compute: Callable, variables: dict, noise: dict[str, Any]) -> dict:
        normal, deviation = noise["normal"], noise["deviation"]
        return {
            name: gradient + deviation * normal[name] if name in normal else gradient
            for name, gradient in compute(variables).items()
        }
