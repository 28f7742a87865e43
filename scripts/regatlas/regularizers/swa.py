"""Stochastic weight averaging: what is evaluated is the mean of iterates from the last part of the run."""

import math

import numpy as np
import tensorflow as tf

from regatlas.regularizers.base import Regularizer, Setting


class SWA(Regularizer):
    """Izmailov et al. 2018: the equally weighted mean of the iterates, every so many steps up to the last one.

    Their learning rate is constant or cyclical while it averages: use the constant schedule. Before the first iterate
    is taken, the weights themselves are evaluated.
    """

    title = "Stochastic weight averaging"
    formula = r"\bar W = \frac{1}{n} \sum_{i=0}^{n-1} W_{T - i c}, \quad T - (n - 1) c \geq b T"
    citation = "Izmailov, Podoprikhin, Garipov, Vetrov, Wilson 2018, UAI"
    acts_on = "evaluation"

    begin = Setting(0.75, low=0.0, high=1.0, off=1.0, doc="b, the part of the run before the first iterate that counts")
    every = Setting(100, low=1, doc="c, steps between two iterates that count")

    def buffers(self, variables: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        return {f"mean_{name}": value for name, value in variables.items()} | {"averaged": np.float32(0)}

    def after_step(self, buffers: dict, variables: dict, step: tf.Tensor) -> dict:
        left = self.task.steps - 1 - step
        counts = (step + 1 >= math.ceil(self.begin * self.task.steps)) & (left % self.every == 0)
        number = buffers["averaged"] + tf.cast(counts, tf.float32)
        new = tf.where(counts, 1 / tf.maximum(number, 1.0), 0.0)
        means = {
            name: buffers[f"mean_{name}"] + new * (value - buffers[f"mean_{name}"]) for name, value in variables.items()
        }
        return {f"mean_{name}": mean for name, mean in means.items()} | {"averaged": number}

    def evaluated(self, variables: dict, buffers: dict) -> dict:
        begun = buffers["averaged"] > 0
        return {name: tf.where(begun, buffers.get(f"mean_{name}", value), value) for name, value in variables.items()}
