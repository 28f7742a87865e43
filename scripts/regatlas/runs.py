"""A run - one method, one seed - as one file: ``<root>/<regularizer>/<digest>/seed-<seed>.npz``.

Arrays in the file, for a network of L layers, N test images and E evaluations:

==============================  =========  ============================================================
name                            shape      what
==============================  =========  ============================================================
``kernel_<l>``                  [in, out]  float32, the weights evaluation uses (noise off), l = 0 .. L-1
``bias_<l>``                    [out]      float32, where the network has biases
``trained_<name>``              any        float32, the trained variables behind them, where they differ
``curve_step``                  [E]        int64, updates done at each evaluation, from 1
``curve_train_loss``            [E]        float64, mean mini-batch data loss since the evaluation before
``curve_validation_accuracy``   [E]        float64, fraction
``curve_test_accuracy``         [E]        float64, fraction, evaluated as the method says (noise on or off)
``test_predicted``              [N]        uint8, the predicted class, evaluated as the method says
``test_confidence``             [N]        float32, the probability of the predicted class
``test_probability``            [N]        float32, the probability of the true class
``test_predicted_noise_off``    [N]        uint8, the predicted class with the regularizer's noise off
``metadata``                    []         a JSON text, see below
==============================  =========  ============================================================

``metadata`` is a mapping: ``settings`` (everything the digest covers), ``digest``, ``seed``, ``status``
("finished" or "diverged"), ``message``, ``metrics`` (final ``train_accuracy``, ``validation_accuracy``,
``test_accuracy``, ``test_accuracy_noise_off``, ``train_loss``), ``parameters`` (trained numbers),
``steps_done``, ``train_seconds`` (the loop alone), ``microseconds_per_step``, ``total_seconds`` (the whole
process), ``finished_at`` (UTC, ISO 8601), ``versions`` (python, numpy, tensorflow), ``machine`` (system,
processor, cores).
Everything but ``metadata`` is the same byte for byte when a run is repeated.
"""

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np

from regatlas.errors import UserError
from regatlas.files import read_npz, write_npz


@dataclasses.dataclass(frozen=True)
class Run:
    """A run as read from its file."""

    metadata: dict[str, Any]
    arrays: dict[str, np.ndarray]

    @property
    def kernels(self) -> list[np.ndarray]:
        """The weights evaluation uses, first layer first, each [in, out]."""
        count = sum(name.startswith("kernel_") for name in self.arrays)
        return [self.arrays[f"kernel_{layer}"] for layer in range(count)]


def path(root: str | Path, regularizer: str, digest: str, seed: int) -> Path:
    """Where a run's file is."""
    return Path(root) / regularizer / digest / f"seed-{seed}.npz"


def write(target: str | Path, metadata: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
    """Write a run atomically. ``metadata`` must be JSON: no NaN, no objects."""
    text = json.dumps(metadata, sort_keys=True, allow_nan=False)
    write_npz(target, {**arrays, "metadata": np.array(text)}, compress=True)


def read(source: str | Path) -> Run:
    """Read a run.

    Raises:
        UserError: the file is missing, cut short, altered, or not a run.
    """
    arrays = read_npz(source)
    try:
        metadata = json.loads(str(arrays.pop("metadata")))
    except (KeyError, ValueError):
        raise UserError(f"{source}: not a run of this workflow (it has no metadata)") from None
    return Run(metadata, arrays)
