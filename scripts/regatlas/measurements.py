"""What is measured of every run: the rows of runs.csv and curves.csv."""

import contextlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from regatlas import geometry, metrics, runs
from regatlas.errors import UserError
from regatlas.reference import Reference
from regatlas.tables import CURVE_COLUMNS, RUN_COLUMNS, typed


class _Unusable(Exception):
    """A run file is whole, but its content cannot be used."""


def collect(
    methods: Iterable[Mapping[str, Any]], seeds: Iterable[int], root: str | Path, reference: Reference
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read every run once; return the frames of runs.csv and curves.csv, by method id, then seed.

    Args:
        methods: mappings with ``id``, ``regularizer`` and ``digest``.
        seeds: the seeds each method was trained with.
        root: the folder of the runs.
        reference: what they are measured against.

    Raises:
        UserError: run files are missing, damaged or not what their path says; the message names them all. Damaged
            files are set aside, so that the workflow trains those runs again.
    """
    rows, curves, problems, again = [], [], [], 0
    seeds = sorted(seeds)
    for method in sorted(methods, key=lambda method: method["id"]):
        for seed in seeds:
            path = runs.path(root, method["regularizer"], method["digest"], seed)
            try:
                run = _read(path, method["digest"], seed)
                row = _row(method, seed, run, reference)
                curve = _curve(run)
            except UserError as error:
                problems.append(str(error))
                again += 1
                with contextlib.suppress(OSError):
                    runs.set_aside(path)
            except _Unusable as error:
                problems.append(f"{path}: {error}")
            except (KeyError, IndexError, TypeError, ValueError) as error:
                problems.append(f"{path}: not a complete run ({error!r})")
            else:
                rows.append(row)
                curves.append(curve)
    if problems:
        count = f"{len(problems)} of {len(problems) + len(rows)} run files cannot be used"
        advice = "the same command trains them again" if again == len(problems) else "delete them and run again"
        raise UserError("\n  ".join([f"{count}; {advice}:", *problems]))
    return typed(pd.DataFrame(rows, columns=RUN_COLUMNS)), _curves(rows, curves)


def _read(path: Path, digest: str, seed: int) -> runs.Run:
    """The run in a file; UserError also if it is another run than its path says."""
    run = runs.read(path)
    found = run.metadata.get("digest"), run.metadata.get("seed")
    if found != (digest, seed):
        raise UserError(f"{path}: it holds another run, digest {found[0]}, seed {found[1]}")
    return run


def _row(method: Mapping[str, Any], seed: int, run: runs.Run, reference: Reference) -> dict[str, Any]:
    """A row of runs.csv; a diverged run has no metrics."""
    metadata = run.metadata
    if metadata["status"] not in ("finished", "diverged"):
        raise _Unusable(f"status {metadata['status']!r} is neither 'finished' nor 'diverged'")
    machine = {**metadata["versions"], **metadata["machine"]}
    plain = ["parameters", "train_seconds", "microseconds_per_step", "status", "total_seconds", "finished_at"]
    return {
        "method": method["id"],
        "seed": seed,
        "digest": method["digest"],
        "regularizer": method["regularizer"],
        "train_size": metadata["settings"]["training"]["train_size"],
        "steps": metadata["steps_done"],
        **(_metrics(run, reference) if metadata["status"] == "finished" else {}),
        **{name: metadata[name] for name in plain},
        **{name: machine[name] for name in ("python", "numpy", "tensorflow", "system", "processor", "cores")},
        "message": " ".join((metadata["message"] or "").split()),
    }


def _metrics(run: runs.Run, reference: Reference) -> dict[str, float | None]:
    """The metric columns of a finished run's row."""
    arrays, kernels, labels = run.arrays, run.kernels, reference.test_labels
    predicted, first = arrays["test_predicted"], kernels[0]
    if len(predicted) != len(labels) or len(first) != len(reference.live):
        raise _Unusable(
            f"made with other data: {len(predicted)} test images of {len(first)} pixels, "
            f"the prepared data have {len(labels)} of {len(reference.live)}"
        )
    smallest, largest = geometry.weight_extremes(kernels)
    one_layer = len(kernels) == 1
    return {
        "train_accuracy": run.metadata["metrics"]["train_accuracy"],
        "validation_accuracy": run.metadata["metrics"]["validation_accuracy"],
        "test_accuracy": metrics.accuracy(predicted, labels),
        "test_accuracy_noise_off": metrics.accuracy(arrays["test_predicted_noise_off"], labels),
        "test_nll": metrics.negative_log_likelihood(arrays["test_probability"]),
        "test_ece": metrics.expected_calibration_error(arrays["test_confidence"], predicted == labels),
        "weight_min": smallest,
        "weight_max": largest,
        "weight_norm": geometry.weight_norm(kernels),
        "roughness": geometry.roughness(first, reference.live, reference.pairs),
        "template_correlation": geometry.template_correlation(first, reference.live, reference.template)
        if one_layer
        else None,
    }


def _curve(run: runs.Run) -> list[np.ndarray]:
    """The columns of a run's rows of curves.csv, from ``step`` on."""
    columns = [run.arrays[f"curve_{name}"] for name in CURVE_COLUMNS[2:]]
    if len({len(column) for column in columns}) > 1:
        raise _Unusable("its learning curves are not of one length")
    return columns


def _curves(rows: list[dict[str, Any]], curves: list[list[np.ndarray]]) -> pd.DataFrame:
    """The frame of curves.csv; ``curves`` holds ``_curve`` of each row of runs.csv."""
    if not rows:
        return typed(pd.DataFrame(columns=CURVE_COLUMNS))
    lengths = [len(curve[0]) for curve in curves]
    columns = [np.repeat([row[name] for row in rows], lengths) for name in CURVE_COLUMNS[:2]]
    columns += [np.concatenate(parts) for parts in zip(*curves, strict=True)]
    return typed(pd.DataFrame(dict(zip(CURVE_COLUMNS, columns, strict=True))))
