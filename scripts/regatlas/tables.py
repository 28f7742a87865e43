"""The study's tables - runs.csv, curves.csv, comparison.csv - and the comparison of its methods.

Each table is a pandas frame with the columns listed here, in this order. A missing value is an empty cell.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from regatlas.errors import UserError
from regatlas.files import atomic
from regatlas.statistics import Interval, paired_difference, paired_ratio, t_interval

METRICS = [
    "train_accuracy",
    "validation_accuracy",
    "test_accuracy",
    "test_accuracy_noise_off",
    "test_nll",
    "test_ece",
    "weight_min",
    "weight_max",
    "weight_norm",
    "roughness",
    "template_correlation",
]
RUN_COLUMNS = [
    *["method", "seed", "digest", "regularizer", "train_size", "steps"],
    *METRICS,
    *["parameters", "train_seconds", "microseconds_per_step", "status", "total_seconds", "finished_at"],
    *["python", "numpy", "tensorflow", "system", "processor", "cores", "message"],
]
CURVE_COLUMNS = ["method", "seed", "step", "train_loss", "validation_accuracy", "test_accuracy"]
COMPARISON_COLUMNS = [
    "method",
    "label",
    "seeds",
    "diverged",
    "test_accuracy",
    "test_accuracy_low",
    "test_accuracy_high",
    "difference",
    "difference_low",
    "difference_high",
    "p_value",
    "relative_runtime",
    "relative_runtime_low",
    "relative_runtime_high",
    "weight_min",
    "weight_max",
    "test_accuracy_noise_off",
    "test_accuracy_noise_off_low",
    "test_accuracy_noise_off_high",
    "train_accuracy",
    "validation_accuracy",
    "test_nll",
    "test_ece",
    "weight_norm",
    "roughness",
    "template_correlation",
    "microseconds_per_step",
    "parameters",
    "published_test_accuracy",
    "published_relative_runtime",
    "published_weight_min",
    "published_weight_max",
    "verdict",
]
_INTEGERS = ["seed", "train_size", "steps", "parameters", "cores", "step", "seeds", "diverged"]
_TEXTS = [
    "method",
    "label",
    "digest",
    "regularizer",
    "status",
    "finished_at",
    "python",
    "numpy",
    "tensorflow",
    "system",
    "processor",
    "message",
    "verdict",
]

_PUBLISHED = ["test_accuracy", "relative_runtime", "weight_min", "weight_max"]
_TOLERANCE = 0.005  # of a published accuracy that states none
_WEIGHT_SHARE, _WEIGHT_ROUNDING = 0.15, 0.005  # published weights have two decimals
_SLACK = 1e-9  # so that a difference of just the tolerance passes in binary as well


def compare(methods: Sequence[Mapping[str, Any]], baseline: str, table: pd.DataFrame) -> pd.DataFrame:
    """Compare the methods over their finished runs; return the frame of comparison.csv.

    Args:
        methods: mappings with ``id``, ``label`` and ``published`` (a mapping, or None), in the table's order.
        baseline: the id of the method that the others are compared with, seed by seed.
        table: the frame of runs.csv.
    """
    finished = table[table["status"] == "finished"]
    reference = finished[finished["method"] == baseline]
    rows = []
    for method in methods:
        mine = finished[finished["method"] == method["id"]]
        published = method.get("published") or {}
        row = {
            "method": method["id"],
            "label": method["label"],
            "seeds": len(mine),
            "diverged": int(((table["method"] == method["id"]) & (table["status"] == "diverged")).sum()),
            **{name: mine[name].mean() for name in (*METRICS, "microseconds_per_step")},
            "parameters": mine["parameters"].max(),
            **_interval("test_accuracy", t_interval(mine["test_accuracy"])),
            **_interval("test_accuracy_noise_off", t_interval(mine["test_accuracy_noise_off"])),
            **{f"published_{name}": published.get(name) for name in _PUBLISHED},
        }
        if method["id"] == baseline:
            row["relative_runtime"] = 1.0 if len(mine) else None  # by definition, so without an interval
        else:
            accuracies, times = (
                (_by_seed(mine, name), _by_seed(reference, name)) for name in ("test_accuracy", "microseconds_per_step")
            )
            difference, row["p_value"] = paired_difference(*accuracies)
            row |= _interval("difference", difference)
            row |= _interval("relative_runtime", paired_ratio(*times))
        rows.append({**row, "verdict": verdict(row, published)})
    return typed(pd.DataFrame(rows, columns=COMPARISON_COLUMNS))


def verdict(row: Mapping[str, Any], published: Mapping[str, float | None]) -> str:
    """Whether a row agrees with what was published: "reproduced", "missed: ..." and by how much, or "".

    The mean accuracy must lie within the published ``tolerance``, the smallest and the largest weight within
    15 % or 0.005. Runtimes do not count: they are another machine's. A miss of a weight is given as its
    share of the published one: -31 % is nearer to zero.
    """
    known = [name for name in _PUBLISHED if published.get(name) is not None and name != "relative_runtime"]
    if not known:
        return ""
    if not row["seeds"]:
        return "missed: no finished run"
    misses = []
    for name in known:
        value = published[name]
        difference = row[name] - value
        is_weight = name != "test_accuracy"
        if is_weight:
            allowed = max(_WEIGHT_SHARE * abs(value), _WEIGHT_ROUNDING)
        else:
            allowed = published.get("tolerance", _TOLERANCE)
        if not abs(difference) <= allowed + _SLACK:
            size = f"{difference / value:+.0%}" if is_weight and value else f"{difference:+.3f}"
            misses.append(f"{name} by {size.replace('%', ' %')}")
    return f"missed: {', '.join(misses)}" if misses else "reproduced"


def write_csv(path: str | Path, table: pd.DataFrame) -> None:
    """Write a frame as CSV, atomically: floats read back as they were, a missing value is an empty cell."""
    with atomic(path, "w") as stream:
        table.to_csv(stream, index=False, lineterminator="\n")


def read_csv(path: str | Path, columns: Iterable[str]) -> pd.DataFrame:
    """Read a table that ``write_csv`` wrote, with its types.

    Raises:
        UserError: the file is missing, is no such table, or lacks one of ``columns``.
    """
    # A method may be called "null" and a digest look like 12e45678: texts stay texts.
    types = {**dict.fromkeys(_TEXTS, str), **dict.fromkeys(_INTEGERS, "Int64")}
    try:
        table = pd.read_csv(path, dtype=types, keep_default_na=False, na_values=[""])
        lacking = [name for name in columns if name not in table]
        if lacking:
            raise ValueError(f"no column {', '.join(lacking)}")
        return typed(table)
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None
    except ValueError as error:  # a parser error is one, too
        raise UserError(f"{path}: not a table of this workflow ({error})") from None


def typed(table: pd.DataFrame) -> pd.DataFrame:
    """The frame with integers as Int64, texts as str ("" where missing), everything else as float64."""
    kinds = {name: "Int64" if name in _INTEGERS else str if name in _TEXTS else "float64" for name in table.columns}
    return table.fillna({name: "" for name in table.columns if kinds[name] is str}).astype(kinds)


def _by_seed(table: pd.DataFrame, column: str) -> dict[int, float]:
    return dict(zip(table["seed"].tolist(), table[column].tolist(), strict=True))


def _interval(name: str, interval: Interval) -> dict[str, float]:
    return {name: interval.mean, f"{name}_low": interval.low, f"{name}_high": interval.high}
