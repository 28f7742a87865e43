"""Batch normalization: each hidden unit's sums lose the mean and the spread they have over the batch."""

from typing import Any

import numpy as np
import tensorflow as tf

from regatlas.regularizers.base import Regularizer, Setting, Unsuitable

EPSILON = 1e-3


class BatchNorm(Regularizer):
    """Ioffe & Szegedy 2015, algorithms 1 and 2, before the ReLU, with a trained scale and shift for each unit.

    Evaluation takes running means of the batches' means and variances, the buffers ``running_mean_<l>`` and
    ``running_variance_<l>`` [width]. A run keeps these beside its weights, with the variables ``scale_<l>`` and
    ``shift_<l>``, all of them as ``trained_<name>``.
    """

    title = "Batch normalization"
    formula = r"\hat h = \gamma \, (h - \mu) / \sqrt{\sigma^2 + \epsilon} + \beta"
    citation = "Ioffe, Szegedy 2015, ICML"
    acts_on = "activations"
    needs_hidden = True
    needs_batch = True

    momentum = Setting(0.99, low=0.0, below=1.0, doc="share of the running means that a step keeps")

    def __init__(self, **settings: Any):
        super().__init__(**settings)
        #: the batch's mean and variance of each layer, from a step's first forward pass to its end
        self._batch: dict[str, tf.Tensor] = {}

    def variables(self, network: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        if self.task.batch_size < 2:
            raise Unsuitable("training.batch_size: found 1; a variance needs two examples or more")
        return network | scales_and_shifts(self.task.kernel_shapes)

    def buffers(self, variables: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        start = {"mean": np.zeros, "variance": np.ones}
        return {
            f"running_{name}_{layer}": make(units, np.float32)
            for layer, (units, _) in enumerate(self.task.kernel_shapes[:-1])
            for name, make in start.items()
        }

    def preactivations(self, hidden: tf.Tensor, layer: int, variables: dict, buffers: dict | None) -> tf.Tensor:
        mean, variance = f"running_mean_{layer}", f"running_variance_{layer}"
        if buffers is None:
            average = tf.reduce_mean(hidden, 0)
            seen = {mean: average, variance: tf.reduce_mean(tf.square(hidden - average), 0)}
            self._batch = seen | self._batch  # a second pass of the step sees moved inputs or weights
        else:
            seen = buffers
        by = variables[f"scale_{layer}"] * tf.math.rsqrt(seen[variance] + EPSILON)
        return (hidden - seen[mean]) * by + variables[f"shift_{layer}"]

    def after_step(self, buffers: dict, variables: dict, step: tf.Tensor) -> dict:
        new = tf.maximum(1 - self.momentum, 1 / tf.cast(step + 1, tf.float32))  # a plain mean of the first ones
        size, batch = self.task.batch_size, self._batch
        self._batch = {}
        unbiased = {name: size / (size - 1) if "variance" in name else 1.0 for name in batch}
        seen = {name: unbiased[name] * value for name, value in batch.items()}
        moved = {name: buffers[name] + new * (value - buffers[name]) for name, value in seen.items()}
        return {**buffers, **moved}

    def evaluated(self, variables: dict, buffers: dict) -> dict:
        running = {name: value for name, value in buffers.items() if name.startswith("running_")}
        return {**variables, **running}  # so that the run keeps them


def scales_and_shifts(kernel_shapes: tuple[tuple[int, int], ...]) -> dict[str, np.ndarray]:
    """``scale_<l>`` of ones and ``shift_<l>`` of zeros, [width] of each hidden layer."""
    widths = list(enumerate(units for units, _ in kernel_shapes[:-1]))
    scales = {f"scale_{layer}": np.ones(width, np.float32) for layer, width in widths}
    return scales | {f"shift_{layer}": np.zeros(width, np.float32) for layer, width in widths}
