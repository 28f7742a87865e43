"""The study's tables: runs.csv, curves.csv, tuning.csv, robustness.csv, comparison.csv and claims.csv.

Each table is a pandas frame with the columns listed here, in this order. A missing value is an empty cell.
"""

from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from regatlas.errors import UserError
from regatlas.files import atomic

METRICS = [
    "train_accuracy",
    "validation_accuracy",
    "test_accuracy",
    "test_accuracy_noise_off",
    "test_nll",
    "test_ece",
    "test_brier",
    "accuracy_gap",
    "corrupted_accuracy",
    "weight_min",
    "weight_max",
    "weight_norm",
    "roughness",
    "template_correlation",
    "participation_ratio",
    "sparsity",
]
RUN_COLUMNS = [
    *["method", "seed", "digest", "point", "values", "selected", "regularizer", "train_size", "steps"],
    *METRICS,
    *["parameters", "train_seconds", "microseconds_per_step", "status", "total_seconds", "finished_at"],
    *["python", "numpy", "tensorflow", "system", "processor", "cores", "message"],
]
CURVE_COLUMNS = ["method", "seed", "step", "train_loss", "validation_accuracy", "test_accuracy", "point"]
TUNING_COLUMNS = [
    *["method", "point", "values", "seeds", "diverged"],
    *["validation_accuracy", "validation_accuracy_low", "validation_accuracy_high"],
    *["train_accuracy", "test_accuracy", "weight_norm", "roughness", "template_correlation"],
    *["selected", "at_edge"],
]
ROBUSTNESS_COLUMNS = ["method", "seed", "corruption", "severity", "accuracy"]
COMPARISON_COLUMNS = [
    "method",
    "label",
    "baseline",
    "point",
    "values",
    "points",
    "at_edge",
    "seeds",
    "diverged",
    "test_accuracy",
    "test_accuracy_low",
    "test_accuracy_high",
    "difference",
    "difference_low",
    "difference_high",
    "p_value",
    "difference_simultaneous_low",
    "difference_simultaneous_high",
    "p_adjusted",
    "difference_crossed_low",
    "difference_crossed_high",
    "probability_better",
    "probability_better_low",
    "probability_better_high",
    "p_equivalent",
    "errors_per_10000",
    "decision",
    "undecidable",
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
    "accuracy_gap",
    "test_nll",
    "test_ece",
    "test_brier",
    "corrupted_accuracy",
    "weight_norm",
    "roughness",
    "template_correlation",
    "participation_ratio",
    "sparsity",
    "microseconds_per_step",
    "parameters",
    "published_test_accuracy",
    "published_relative_runtime",
    "published_weight_min",
    "published_weight_max",
    "published_source",
    "published_setting",
    "verdict",
]
CLAIM_COLUMNS = [
    *["claim", "says", "quote", "measured", "quantity", "value", "value_low", "value_high", "unit", "n"],
    *["verdict", "why", "studies", "commands", "shown", "measurements"],
]
_INTEGERS = [
    *["seed", "train_size", "steps", "parameters", "cores", "step", "seeds", "diverged"],
    *["point", "points", "selected", "at_edge", "severity"],
    *["claim", "n"],
]
_TEXTS = [
    "method",
    "label",
    "baseline",
    "corruption",
    "published_source",
    "published_setting",
    "values",
    "decision",
    "undecidable",
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
    *["says", "quote", "measured", "quantity", "unit", "why", "studies", "commands", "shown", "measurements"],
]


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
        reason = " ".join(str(error).split())
        raise UserError(f"{path}: not a table of this workflow ({reason}); delete it and run again") from None


def selected_runs(table: pd.DataFrame) -> pd.DataFrame:
    """The rows of runs.csv that are of each method's selected point: those that are compared and drawn."""
    return table[table["selected"] == 1]


def read_selected(path: str | Path, columns: Iterable[str]) -> pd.DataFrame:
    """``read_csv`` of runs.csv, less the runs of points that were not selected."""
    return selected_runs(read_csv(path, [*columns, "selected"]))


def typed(table: pd.DataFrame) -> pd.DataFrame:
    """The frame with integers as Int64, texts as str ("" where missing), everything else as float64."""
    kinds = {name: "Int64" if name in _INTEGERS else str if name in _TEXTS else "float64" for name in table.columns}
    texts = [name for name in table.columns if kinds[name] is str]
    return table.astype(dict.fromkeys(texts, object)).fillna(dict.fromkeys(texts, "")).astype(kinds)
