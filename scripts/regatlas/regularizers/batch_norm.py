"""Batch normalization: each hidden unit's sums lose the mean and the spread they have over the batch."""

import numpy as np
import tensorflow as tf

from regatlas.errors import UserError
from regatlas.regularizers.base import Regularizer, Setting

EPSILON = 1e-3


class BatchNorm(Regularizer):
    """Ioffe & Szegedy 2015, algorithms 1 and 2, before the ReLU, with a trained scale and shift for each unit.

    Evaluation takes running means of the batches' means and variances, the buffers ``mean_<l>`` and ``variance_<l>``.
    A run's weights are those of the network that evaluation sees, with the normalization worked into kernels and biases:
    a plain network, with biases even where training has none.
    """

    title = "Batch normalization"
    formula = r"\hat h = \gamma \, (h - \mu) / \sqrt{\sigma^2 + \epsilon} + \beta"
    citation = "Ioffe, Szegedy 2015, ICML"
    acts_on = "activations"
    needs_hidden = True

    momentum = Setting(0.99, low=0.0, below=1.0, doc="share of the running means that a step keeps")

    def variables(self, network: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        if self.task.batch_size < 2:
            raise UserError("batch_norm: training.batch_size: found 1; a variance needs two examples or more")
        return network | scales_and_shifts(self.task.kernel_shapes)

    def buffers(self, variables: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        start = {"mean": np.zeros, "variance": np.ones}
        return {
            f"{name}_{layer}": make(units, np.float32)
            for layer, (units, _) in enumerate(self.task.kernel_shapes[:-1])
            for name, make in start.items()
        }

    def preactivations(self, hidden: tf.Tensor, layer: int, variables: dict, buffers: dict | None) -> tf.Tensor:
        if buffers is not None:
            return hidden  # the evaluated variables are normalized
        mean = tf.reduce_mean(hidden, 0)
        centred = hidden - mean
        variance = tf.reduce_mean(tf.square(centred), 0)
        self._batch = {**(self._batch if layer else {}), f"mean_{layer}": mean, f"variance_{layer}": variance}
        return centred * (variables[f"scale_{layer}"] * tf.math.rsqrt(variance + EPSILON)) + variables[f"shift_{layer}"]

    def after_step(self, buffers: dict, variables: dict, step: tf.Tensor) -> dict:
        new = tf.maximum(1 - self.momentum, 1 / tf.cast(step + 1, tf.float32))  # a plain mean of the first ones
        size = self.task.batch_size
        unbiased = {name: size / (size - 1) if name.startswith("variance") else 1.0 for name in self._batch}
        moved = {
            name: buffers[name] + new * (unbiased[name] * seen - buffers[name]) for name, seen in self._batch.items()
        }
        return {**buffers, **moved}

    def evaluated(self, variables: dict, buffers: dict) -> dict:
        kept = {name: value for name, value in variables.items() if not name.startswith(("scale_", "shift_"))}
        biases = {f"bias_{layer}": tf.zeros(units) for layer, (units, _) in enumerate(self.task.kernel_shapes)}
        folded = {**kept, **{name: kept.get(name, zero) for name, zero in biases.items()}}
        for layer in range(len(self.task.kernel_shapes) - 1):
            by = variables[f"scale_{layer}"] * tf.math.rsqrt(buffers[f"variance_{layer}"] + EPSILON)
            folded[f"kernel_{layer}"] *= by[:, None]
            shifted = folded[f"bias_{layer}"] - buffers[f"mean_{layer}"]
            folded[f"bias_{layer}"] = shifted * by + variables[f"shift_{layer}"]
        return folded


def scales_and_shifts(kernel_shapes: tuple[tuple[int, int], ...]) -> dict[str, np.ndarray]:
    """``scale_<l>`` of ones and ``shift_<l>`` of zeros, [width] of each hidden layer."""
    widths = list(enumerate(units for units, _ in kernel_shapes[:-1]))
    scales = {f"scale_{layer}": np.ones(width, np.float32) for layer, width in widths}
    return scales | {f"shift_{layer}": np.zeros(width, np.float32) for layer, width in widths}
