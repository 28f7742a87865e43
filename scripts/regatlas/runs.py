"""A run - one method, one seed - as one file: ``<root>/<regularizer>/<digest>/seed-<seed>.npz``.

Arrays in the file, for a network of L layers, N test images and E evaluations:

==============================  =========  ============================================================
name                            shape      what
==============================  =========  ============================================================
``kernel_<l>``                  [in, out]  float32, the weights evaluation uses (noise off), l = 0 .. L-1
``bias_<l>``                    [out]      float32, where the network has biases
``trained_<name>``              any        float32, the trained variables behind them, where they differ; [in, out]
``curve_step``                  [E]        int64, updates done at each evaluation, from 1
``curve_train_loss``            [E]        float64, mean mini-batch data loss since the evaluation before
``curve_validation_accuracy``   [E]        float64, fraction
``curve_test_accuracy``         [E]        float64, fraction, evaluated as the method says (noise on or off)
``test_predicted``              [N]        uint8, the predicted class, evaluated as the method says
``test_confidence``             [N]        float32, the probability of the predicted class
``test_probability``            [N]        float32, the probability of the true class
``test_predicted_noise_off``    [N]        uint8, the predicted class with the regularizer's noise off
``corrupted_accuracy``          [K, S]     float64, fraction of the test images corrupted in K kinds and S severities
``metadata``                    []         a JSON text, see below
==============================  =========  ============================================================

``metadata`` is a mapping: ``arrays`` (the SHA-256 of all other arrays), ``settings`` (everything the digest covers),
``digest``, ``seed``, ``status`` ("finished" or "diverged"), ``message``, ``metrics`` (final ``train_accuracy``,
``validation_accuracy``, ``test_accuracy``, ``test_accuracy_noise_off``, ``test_brier``, ``train_loss``; empty if
diverged, and then there is no ``test_*`` nor ``corrupted_accuracy``), ``parameters`` (trained numbers), ``steps_done``,
``train_seconds`` (the loop alone), ``microseconds_per_step``, ``total_seconds`` (the whole process; of an interrupted
run the last one), ``finished_at`` (UTC, ISO 8601), ``versions`` (python, numpy, tensorflow), ``machine`` (system,
processor, cores). Everything but ``metadata`` is the same byte for byte when a run is repeated.

Beside a run's file, while it is trained: ``.seed-<seed>.lock``, held by the process that trains it, and for a long run
``.seed-<seed>.checkpoint.npz``. A run that another seed's process trained waits for its own job as
``.seed-<seed>.ready.npz``. Event files for TensorBoard, where the study wants them, are in
``tensorboard/seed-<seed>/`` and stay. A file that turned out to be damaged is kept as ``seed-<seed>.<time>.damaged``.
"""

import contextlib
import csv
import dataclasses
import hashlib
import json
import shutil
import zipfile
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from regatlas import streams
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
    return Path(root) / regularizer / digest / file_name(seed)


def file_name(seed: int) -> str:
    """The name of a run's file."""
    return f"seed-{seed}.npz"


def initial_kernel(run: Run) -> np.ndarray:
    """The first layer's weights before the first step, float32 [pixels, units], each pixel's in its place."""
    settings, shape = run.metadata["settings"], run.kernels[0].shape
    start = streams.initial_weights(run.metadata["seed"], 0, shape, settings["network"]["initial_stddev"])
    if settings["training"]["permuted_pixels"]:
        start[streams.pixel_order(len(start))] = start.copy()
    return start


def ready_path(run: Path) -> Path:
    """Where another seed's process leaves a run for the run's own job, given the run's file."""
    return run.with_name(f".{run.stem}.ready.npz")


def checkpoint_path(run: Path) -> Path:
    """Where the checkpoint of a run is, given the run's file."""
    return run.with_name(f".{run.stem}.checkpoint.npz")


def events_folder(run: Path) -> Path:
    """Where the event files of a run are, given the run's file."""
    return run.parent / "tensorboard" / run.stem


def lock_path(run: Path) -> Path:
    """Where the lock of a run is, given the run's file."""
    return run.with_name(f".{run.stem}.lock")


def damaged_path(run: Path) -> Path:
    """Where a damaged run's file is put; its time is in the name, so that no two get the same."""
    return run.with_name(f"{run.stem}.{run.stat().st_mtime_ns}.damaged")


def set_aside(run: Path) -> None:
    """Move a damaged file out of the way, also out of a cache that it may be a link into."""
    kept = damaged_path(run)
    if run.is_symlink():
        shutil.copyfile(run, kept)
        with contextlib.suppress(OSError):  # a cache that others own
            run.resolve().unlink()
        run.unlink()
    else:
        run.replace(kept)


def whole(source: Path) -> bool:
    """Whether a file is whole as far as its own check sums tell; quick, for the time of planning."""
    try:
        with zipfile.ZipFile(source) as archive:
            return archive.testzip() is None
    except Exception:  # whatever zipfile stumbles over, the file is not one that was written here
        return False


def write(target: str | Path, metadata: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
    """Write a run atomically. ``metadata`` must be JSON: no NaN, no objects."""
    text = json.dumps({**metadata, "arrays": _digest(arrays)}, sort_keys=True, allow_nan=False)
    write_npz(target, {**arrays, "metadata": np.array(text)}, compress=True)


def read(source: str | Path) -> Run:
    """Read a run.

    Raises:
        UserError: the file is missing, cut short, altered, or not a run.
    """
    arrays = read_npz(source)
    try:
        metadata = json.loads(str(arrays.pop("metadata")))
        expected = metadata["arrays"]
    except (KeyError, TypeError, ValueError):
        raise UserError(f"{source}: not a run of this workflow (it has no metadata)") from None
    if _digest(arrays) != expected:
        raise UserError(f"{source}: altered: its arrays are not the ones that were written")
    return Run(metadata, arrays)


class Row(NamedTuple):
    """What a row of runs.csv says of a run's identity; ``values`` are those of its point, as JSON."""

    method: str
    regularizer: str
    digest: str
    seed: int
    values: str


def listed(table: Path) -> list[Row]:
    """The rows of a study's runs.csv, without the weight of pandas. One of version 0.1.0 had no points.

    Raises:
        UserError: it is not such a table.
    """
    try:
        with open(table, encoding="utf-8", newline="") as stream:
            rows = csv.DictReader(stream)
            lacking = {"method", "regularizer", "digest", "seed"} - set(rows.fieldnames or [])
            if lacking:  # also of an empty file, which is no table without rows
                raise ValueError(f"no column {', '.join(sorted(lacking))}")
            return [
                Row(row["method"], row["regularizer"], row["digest"], int(row["seed"]), row.get("values") or "{}")
                for row in rows
            ]
    except (IsADirectoryError, csv.Error, TypeError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UserError(f"{table}: not a table of runs ({reason}); delete it and run its study again") from None


def _digest(arrays: dict[str, np.ndarray]) -> str:
    """The SHA-256 of arrays, whatever their order."""
    digest = hashlib.sha256()
    for name, array in sorted(arrays.items()):
        array = np.asarray(array)
        digest.update(f"{name} {array.dtype.str} {array.shape}\n".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()
