"""Means and intervals over seeds, and comparisons paired by seed.

A method and its baseline start from the same weights and see the same batches at the same seed, so that
differences within a seed are less noisy than the difference of the means.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np
from scipy import special  # not scipy.stats, whose import takes a second of every program

NAN = float("nan")
_ROUNDING = 1e-9  # relative


class Interval(NamedTuple):
    """A mean and its confidence interval; what too few values leave undefined is NaN."""

    mean: float = NAN
    low: float = NAN
    high: float = NAN


def standard_error(values: np.ndarray) -> float:
    """The standard error of the mean of two or more values."""
    return float(np.std(values, ddof=1) / np.sqrt(len(values)))


def vary(values: np.ndarray) -> bool:
    """Whether values differ by more than rounding, as 0.901 - 0.9 and 0.911 - 0.91 do not."""
    return bool(np.ptp(values) > _ROUNDING * np.max(np.abs(values)))


def tell_spread(values: np.ndarray) -> bool:
    """Whether values tell how much they vary: two that differ do, or three.

    Two equal ones do not. Accuracies are counted in images, so that two agree by chance, and no spread would make an
    interval of no width and a p-value of 0 of them.
    """
    return len(values) > 2 or (len(values) == 2 and vary(values))


def t_interval(values: Iterable[float], level: float = 0.95) -> Interval:
    """The mean of ``values`` and its t interval; NaN and infinite values are left out.

    No value: all NaN. One value, or two equal ones: an interval of NaN. More equal values: an interval of no width.
    """
    values = np.array([value for value in values if np.isfinite(value)], dtype=np.float64)
    if not len(values):
        return Interval()
    mean = float(np.mean(values))
    if not vary(values):
        return Interval(*[float(values[0])] * (3 if tell_spread(values) else 1))
    half = float(special.stdtrit(len(values) - 1, (1 + level) / 2)) * standard_error(values)
    return Interval(mean, mean - half, mean + half)


def jackknife(value: float, without: Iterable[float], level: float = 0.95) -> Interval:
    """An estimate with the interval of the jackknife, from the estimates that leave out one independent unit each.

    Miller 1974, "The jackknife - a review", Biometrika 61. An estimate that leaving out makes undefined (NaN) leaves no
    interval, and so do fewer than three units.
    """
    without = np.array(list(without), dtype=np.float64)
    n = len(without)
    if n < 3 or not np.isfinite(without).all():
        return Interval(value)
    error = np.sqrt((n - 1) / n * np.sum((without - without.mean()) ** 2))
    half = float(special.stdtrit(n - 1, (1 + level) / 2) * error)
    return Interval(value, value - half, value + half)


def pairs(values: Mapping[int, float], baseline: Mapping[int, float]) -> np.ndarray:
    """The finite values of the seeds that both have, in the seeds' order; [seeds, 2]."""
    both = np.array([(values[seed], baseline[seed]) for seed in sorted(values.keys() & baseline.keys())])
    both = both.astype(np.float64).reshape(-1, 2)
    return both[np.isfinite(both).all(axis=1)]


def paired_difference(
    values: Mapping[int, float], baseline: Mapping[int, float], level: float = 0.95
) -> tuple[Interval, float]:
    """The mean difference of ``values`` to ``baseline`` within a seed, its t interval, and a p-value.

    The p-value is that of the two-sided paired t-test: NaN for fewer than two common seeds, and for two that differ by
    the same amount; 1 if no seed differs at all; 0 if three or more differ by the same amount.
    """
    both = pairs(values, baseline)
    differences = both[:, 0] - both[:, 1]
    interval = t_interval(differences, level)
    if len(differences) < 2:
        return interval, NAN
    if not vary(differences):
        same = differences[0] == 0
        return interval, float(same) if same or tell_spread(differences) else NAN
    t = float(np.mean(differences)) / standard_error(differences)
    return interval, float(2 * special.stdtr(len(differences) - 1, -abs(t)))


def paired_ratio(values: Mapping[int, float], baseline: Mapping[int, float], level: float = 0.95) -> Interval:
    """The geometric mean of the ratios of ``values`` to ``baseline`` within a seed, with its t interval.

    The interval is taken on logarithms, so that A to B is one over B to A. Seeds with a value that is not
    above 0 are left out.
    """
    both = pairs(values, baseline)
    both = both[(both > 0).all(axis=1)]
    return Interval(*(float(np.exp(value)) for value in t_interval(np.log(both[:, 0] / both[:, 1]), level)))
