"""What is measured of every run: rows of runs.csv, curves.csv and robustness.csv, and which images it gets right."""

import contextlib
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from regatlas import fingerprint, geometry, grids, metrics, runs, tuning
from regatlas.correctness import Correct
from regatlas.corruptions import KINDS, SEVERITIES
from regatlas.errors import UserError
from regatlas.reference import Reference
from regatlas.tables import CURVE_COLUMNS, ROBUSTNESS_COLUMNS, RUN_COLUMNS, typed

_CURVE = ("step", "train_loss", "validation_accuracy", "test_accuracy")


class _Unusable(Exception):
    """A run file is whole, but its content cannot be used."""


def collect(
    methods: Iterable[Mapping[str, Any]],
    seeds: Iterable[int],
    root: str | Path,
    reference: Reference,
    partial: bool = False,
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, Correct]:
    """Read every run and select a point of each method.

    Args:
        methods: mappings with ``id``, ``regularizer``, ``grid`` (pairs of a setting and its values, in order) and
            ``digests`` (one a point, in the grid's order).
        seeds: the seeds each point was trained with.
        root: the folder of the runs.
        reference: what they are measured against.
        partial: whether runs that are not there are left out.

    Returns:
        The frames of runs.csv and curves.csv, by method id, then point, then seed; the frame of robustness.csv, and
        which test images are classified correctly, both of the finished runs of the selected points.

    Raises:
        UserError: run files are missing, damaged or not what their path says; the message names them all. Damaged
            files are set aside, so that the workflow trains those runs again, or leaves them out if ``partial``.
    """
    rows, curves, bits, worse, problems, again = [], [], [], [], {}, 0
    for entry, seed in itertools.product(_points(methods), sorted(seeds)):
        path = runs.path(root, entry["regularizer"], entry["digest"], seed)
        if path in problems or (partial and not path.exists()):  # methods may have points in common
            continue
        try:
            run = _read(path, entry["digest"], seed)
            row = _row(entry, seed, run, reference)
            curve = _curve(run)
        except UserError as error:
            problems[path] = str(error)
            again += 1
            with contextlib.suppress(OSError):
                runs.set_aside(path)
        except _Unusable as error:
            problems[path] = f"{path}: {error}"
        except (KeyError, IndexError, TypeError, ValueError) as error:
            problems[path] = f"{path}: not a complete run ({error!r})"
        else:
            rows.append(row)
            curves.append(curve)
            finished = row["status"] == "finished"
            worse.append(run.arrays["corrupted_accuracy"] if finished else None)
            bits.append(np.packbits(run.arrays["test_predicted"] == reference.test_labels) if finished else None)
    if problems:
        count = f"{len(problems)} of {len(problems) + len(rows)} run files cannot be used"
        next_time = "leaves them out" if partial else "trains them again"
        advice = f"the same command {next_time}" if again == len(problems) else "delete them and run again"
        raise UserError("\n  ".join([f"{count}; {advice}:", *problems.values()]))
    chosen = _select(rows)
    packed = {
        (row["method"], row["seed"]): correct
        for row, correct, mine in zip(rows, bits, chosen, strict=True)
        if mine and correct is not None
    }
    table = pd.DataFrame(
        [{**row, "selected": int(mine)} for row, mine in zip(rows, chosen, strict=True)], columns=RUN_COLUMNS
    )
    robustness = [_robustness(row, found) for row, found, mine in zip(rows, worse, chosen, strict=True) if mine]
    return typed(table), _curves(rows, curves), _joined(robustness), Correct(len(reference.test_labels), packed)


def _points(methods: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """Id, regularizer, digest, number and values of every point, by method id."""
    for method in sorted(methods, key=lambda method: method["id"]):
        points = grids.points(dict(method["grid"]))
        for number, (digest, values) in enumerate(zip(method["digests"], points, strict=True)):
            yield {
                "method": method["id"],
                "digest": digest,
                "point": number,
                "values": fingerprint.canonical(values),
                "regularizer": method["regularizer"],
            }


def _select(rows: Sequence[Mapping[str, Any]]) -> np.ndarray:
    """Whether each row of runs.csv is one of its method's selected point; what selects sees no test result."""
    return tuning.selected(
        [row["method"] for row in rows],
        [row["point"] for row in rows],
        [row.get("validation_accuracy", np.nan) for row in rows],
    )


def _read(path: Path, digest: str, seed: int) -> runs.Run:
    """The run in a file; UserError also if it is another run than its path says."""
    run = runs.read(path)
    found = run.metadata.get("digest"), run.metadata.get("seed")
    if found != (digest, seed):
        raise UserError(f"{path}: it holds another run, digest {found[0]}, seed {found[1]}")
    return run


def _row(entry: Mapping[str, Any], seed: int, run: runs.Run, reference: Reference) -> dict[str, Any]:
    """A row of runs.csv but for ``selected``; a diverged run has no metrics."""
    metadata = run.metadata
    if metadata["status"] not in ("finished", "diverged"):
        raise _Unusable(f"status {metadata['status']!r} is neither 'finished' nor 'diverged'")
    machine = {**metadata["versions"], **metadata["machine"]}
    plain = ["parameters", "train_seconds", "microseconds_per_step", "status", "total_seconds", "finished_at"]
    return {
        **entry,
        "seed": seed,
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
    worse = arrays["corrupted_accuracy"]
    if worse.shape != (len(KINDS), SEVERITIES):
        raise _Unusable(f"accuracies of {list(worse.shape)} corruptions, expected {[len(KINDS), SEVERITIES]}")
    accuracy = metrics.accuracy(predicted, labels)
    smallest, largest = geometry.weight_extremes(kernels)
    one_layer = len(kernels) == 1
    return {
        "train_accuracy": run.metadata["metrics"]["train_accuracy"],
        "validation_accuracy": run.metadata["metrics"]["validation_accuracy"],
        "test_accuracy": accuracy,
        "test_accuracy_noise_off": metrics.accuracy(arrays["test_predicted_noise_off"], labels),
        "test_nll": metrics.negative_log_likelihood(arrays["test_probability"]),
        "test_ece": metrics.expected_calibration_error(arrays["test_confidence"], predicted == labels),
        "test_brier": run.metadata["metrics"]["test_brier"],
        "accuracy_gap": run.metadata["metrics"]["train_accuracy"] - accuracy,
        "corrupted_accuracy": float(worse.mean()),
        "weight_min": smallest,
        "weight_max": largest,
        "weight_norm": geometry.weight_norm(kernels),
        "roughness": geometry.roughness(first, reference.live, reference.pairs),
        "template_correlation": geometry.template_correlation(first, reference.live, reference.template)
        if one_layer
        else None,
        "participation_ratio": geometry.participation_ratio(first, reference.pixel_stddev),
        "sparsity": geometry.sparsity(kernels),
    }


def _robustness(row: Mapping[str, Any], accuracies: np.ndarray | None) -> pd.DataFrame:
    """A run's rows of robustness.csv; severities count from 1."""
    if accuracies is None:
        return pd.DataFrame(columns=ROBUSTNESS_COLUMNS)
    kinds, severities = np.repeat(list(KINDS), SEVERITIES), np.tile(np.arange(SEVERITIES) + 1, len(KINDS))
    values = [row["method"], row["seed"], kinds, severities, accuracies.ravel()]
    return pd.DataFrame(dict(zip(ROBUSTNESS_COLUMNS, values, strict=True)))


def _joined(frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
    full = [frame for frame in frames if len(frame)]
    return typed(pd.concat(full, ignore_index=True) if full else pd.DataFrame(columns=ROBUSTNESS_COLUMNS))


def _curve(run: runs.Run) -> list[np.ndarray]:
    """The columns of a run's rows of curves.csv that its file holds."""
    columns = [run.arrays[f"curve_{name}"] for name in _CURVE]
    if len({len(column) for column in columns}) > 1:
        raise _Unusable("its learning curves are not of one length")
    return columns


def _curves(rows: list[dict[str, Any]], curves: list[list[np.ndarray]]) -> pd.DataFrame:
    """The frame of curves.csv; ``curves`` holds ``_curve`` of each row of runs.csv."""
    if not rows:
        return typed(pd.DataFrame(columns=CURVE_COLUMNS))
    lengths = [len(curve[0]) for curve in curves]
    columns = {name: np.repeat([row[name] for row in rows], lengths) for name in ("method", "seed", "point")}
    columns |= {name: np.concatenate(parts) for name, parts in zip(_CURVE, zip(*curves, strict=True), strict=True)}
    return typed(pd.DataFrame(columns, columns=CURVE_COLUMNS))
