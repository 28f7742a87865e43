"""Exponential moving average of the weights: what is evaluated is a mean of the recent iterates."""

import numpy as np
import tensorflow as tf

from regatlas.regularizers.base import Regularizer, Setting


class EMA(Regularizer):
    """Polyak & Juditsky 1992, weighted exponentially; training itself is left alone.

    Until there are 1 / (1 - decay) iterates it is their plain mean, so that the initial weights do not linger.
    """

    title = "Exponential moving average"
    formula = r"\bar W_t = d_t \bar W_{t-1} + (1 - d_t) W_t, \quad d_t = \min\left(d, 1 - \frac{1}{t}\right)"
    citation = "Polyak, Juditsky 1992, SIAM Journal on Control and Optimization 30"
    acts_on = "evaluation"

    decay = Setting(0.999, low=0.0, below=1.0, off=0.0, doc="d, the weight of the mean so far")

    def buffers(self, variables: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        return {f"mean_{name}": value for name, value in variables.items()}

    def after_step(self, buffers: dict, variables: dict, step: tf.Tensor) -> dict:
        new = tf.maximum(1 - self.decay, 1 / tf.cast(step + 1, tf.float32))
        return {name: mean + new * (variables[name.removeprefix("mean_")] - mean) for name, mean in buffers.items()}

    def evaluated(self, variables: dict, buffers: dict) -> dict:
        return {name: buffers.get(f"mean_{name}", value) for name, value in variables.items()}
