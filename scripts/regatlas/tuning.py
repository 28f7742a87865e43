"""Which point of each method's grid is compared, and what the points gave: the frame of tuning.csv.

The choice is made by validation accuracy alone, and what chooses gets nothing else: the best of several test results
would be better than what the same settings reach on new images.
"""

import json
from collections.abc import Sequence

import numpy as np
import pandas as pd

from regatlas import grids
from regatlas.statistics import t_interval
from regatlas.tables import TUNING_COLUMNS, typed

_DIGITS = 12  # means that agree to so many decimals are ties
_MEANS = ("train_accuracy", "test_accuracy", "weight_norm", "roughness", "template_correlation")


def select(validation: np.ndarray) -> int:
    """The point with the best mean validation accuracy over seeds; of several, the first in the grid's order.

    A point with a diverged run cannot be selected unless every point has one; then means are over the finished runs.
    Without any finished run it is the first point.

    Args:
        validation: the validation accuracy of every run of a method, [points, seeds]; NaN where it diverged.
    """
    finished = np.isfinite(validation)
    eligible = finished.all(axis=1)
    if not eligible.any():
        eligible = finished.any(axis=1)
    count = np.maximum(finished.sum(axis=1), 1)
    means = np.where(finished, validation, 0.0).sum(axis=1) / count
    return int(np.argmax(np.where(eligible, np.round(means, _DIGITS), -np.inf)))


def selected(methods: Sequence[str], points: Sequence[int], validation: Sequence[float]) -> np.ndarray:
    """Whether each run is one of its method's selected point; bool, [runs].

    Args:
        methods: each run's method.
        points: each run's point; one that has fewer runs than another of its method counts as if they had diverged.
        validation: each run's validation accuracy, NaN where it diverged.
    """
    runs = pd.DataFrame({"method": methods, "point": points, "validation": np.asarray(validation, dtype=np.float64)})
    chosen = np.zeros(len(runs), dtype=bool)
    for _, mine in runs.groupby("method", sort=False):
        known = np.unique(mine["point"])
        by_point = [mine.loc[mine["point"] == point, "validation"].to_numpy() for point in known]
        most = max(map(len, by_point))
        padded = [np.pad(found, (0, most - len(found)), constant_values=np.nan) for found in by_point]
        chosen[mine.index[mine["point"] == known[select(np.stack(padded))]]] = True
    return chosen


def summary(runs: pd.DataFrame) -> pd.DataFrame:
    """The frame of tuning.csv, a row a method and point, from the frame of runs.csv."""
    rows = []
    for method, mine in runs.groupby("method", sort=False):
        values = {point: json.loads(text) for point, text in zip(mine["point"], mine["values"], strict=True)}
        for point, these in mine.groupby("point"):
            finished = these[these["status"] == "finished"]
            chosen = bool(these["selected"].iloc[0])
            mean, low, high = t_interval(finished["validation_accuracy"])
            rows.append(
                {
                    "method": method,
                    "point": point,
                    "values": these["values"].iloc[0],
                    "seeds": len(finished),
                    "diverged": len(these) - len(finished),
                    "validation_accuracy": mean,
                    "validation_accuracy_low": low,
                    "validation_accuracy_high": high,
                    **{name: finished[name].mean() for name in _MEANS},
                    "selected": int(chosen),
                    "at_edge": int(chosen and bool(grids.edges(values[point], list(values.values())))),
                }
            )
    return typed(pd.DataFrame(rows, columns=TUNING_COLUMNS))
