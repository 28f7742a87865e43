"""Correlations of what is measured of runs: over the points of methods, and over the seeds of one point."""

import numpy as np
import pandas as pd

from regatlas.claims.claim import Measurement
from regatlas.claims.evidence import Study
from regatlas.claims.pixels import rank_correlation
from regatlas.statistics import jackknife

_Z = 1.959964  # of the normal distribution, two-sided 95 %
_METHODS = 6  # from which a jackknife over them makes sense


def over_points(study: Study, one: str, other: str) -> Measurement:
    """Spearman's correlation of two columns over a study's points, each the mean over its seeds.

    The points of a method resemble each other, so the interval is that of the jackknife over methods, of Fisher's z.
    With fewer than six methods it is Fisher's own, with the standard error for ranks of Bonett & Wright 2000,
    Psychometrika 65.
    """
    points = study.finished.groupby(["method", "point"])[[one, other]].mean().dropna().astype(float)
    n, what, of = len(points), f"correlation of {_words(one)} and {_words(other)}", "settings"
    value = _spearman(points.to_numpy()) if n > 1 else np.nan
    methods = points.index.get_level_values("method")
    count = methods.nunique()
    if n < 5 or not np.isfinite(value):
        return Measurement(what, value, n=n, of=of)
    if count < _METHODS:
        return Measurement(what, value, *_fisher(value, _Z * np.sqrt((1 + value**2 / 2) / (n - 3))), n, of=of)
    without = _z([_spearman(points[methods != method].to_numpy()) for method in methods.unique()])
    return Measurement(what, *_jackknifed(value, without), n, of=of)


def within_points(study: Study, one: str, other: str) -> Measurement:
    """Pearson's correlation over seeds once each point's mean is taken off and its deviation divided out, pooled.

    A seed gives all points the same start and batches, so it is the seeds that are independent, not the runs: the
    interval is that of the jackknife over seeds, of Fisher's z.
    """
    runs = study.finished[["method", "point", "seed", one, other]].dropna()
    value, n = _within(runs, one, other)
    what = f"correlation of {_words(one)} and {_words(other)}, at one setting of a method"
    without = _z([_within(runs[runs["seed"] != seed], one, other)[0] for seed in runs["seed"].unique()])
    return Measurement(what, *_jackknifed(value, without), n, of="runs")


def _within(runs: pd.DataFrame, one: str, other: str) -> tuple[float, int]:
    """The pooled correlation, NaN if no point has two different runs, and of how many runs it is."""
    groups = [group[[one, other]].to_numpy(float) for _, group in runs.groupby(["method", "point"])]
    groups = [group for group in groups if len(group) > 1 and (np.ptp(group, axis=0) > 0).all()]
    if not groups:
        return np.nan, 0
    z = np.concatenate([(group - group.mean(axis=0)) / group.std(axis=0) for group in groups])
    return float(np.mean(z[:, 0] * z[:, 1])), len(z)


def by_seed(study: Study, method: str, one: str, other: str) -> list[float]:
    """Spearman's correlation of two columns over a method's points, for each seed that has three or more."""
    mine = study.finished[study.finished["method"] == method]
    return [_spearman(group[[one, other]].to_numpy(float)) for _, group in mine.groupby("seed") if len(group) > 2]


def _spearman(both: np.ndarray) -> float:
    """Of the two columns of [n, 2]."""
    return rank_correlation(both[:, :1], both[:, 1:])


def _z(correlations: float | list[float]) -> np.ndarray:
    """Fisher's transformation, kept finite."""
    return np.arctanh(np.clip(correlations, -0.999999, 0.999999))


def _jackknifed(value: float, without: np.ndarray) -> tuple[float, float, float]:
    """A correlation and its interval, from the transformed correlations that leave out one unit each."""
    _, low, high = jackknife(float(_z(value)), without)
    return value, float(np.tanh(low)), float(np.tanh(high))


def _fisher(value: float, half: float) -> tuple[float, float]:
    """The ends of the interval, given half its width after the transformation."""
    return float(np.tanh(_z(value) - half)), float(np.tanh(_z(value) + half))


def _words(column: str) -> str:
    return {"accuracy_gap": "train-test gap", "weight_norm": "norm of the weights"}.get(
        column, column.replace("_", " ")
    )
