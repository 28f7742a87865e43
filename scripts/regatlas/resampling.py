"""Comparisons that assume no distribution: sign flips of whole seeds, and a bootstrap over seeds and test images."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from regatlas.statistics import NAN

ENUMERATED = 14  # seeds up to which all 2^14 flips are tried
RANDOM = 20_000  # flips otherwise
REPLICATES = 2_000  # of the bootstrap
_SEED = 20160725  # of both; any other would do
_CHUNK = 500  # flips at once
_CELLS = 1 << 22  # of images times replicates, at once
_SLACK = 1e-9  # relative: equal sums may differ in their last bits


class Simultaneous(NamedTuple):
    """For each method: the p-value adjusted for all of them, and a simultaneous interval; NaN where undefined."""

    p: np.ndarray
    low: np.ndarray
    high: np.ndarray


def seeds_needed(level: float = 0.95) -> int:
    """The fewest seeds with which a sign-flip test can reject: 2^(1 - n), its smallest p-value, below 1 - level."""
    seeds = 1
    while 2.0 ** (1 - seeds) >= 1 - level:
        seeds += 1
    return seeds


def sign_flips(differences: np.ndarray, level: float = 0.95) -> Simultaneous:
    """Sign-flip tests of several methods' mean differences to zero, by max-T, with simultaneous intervals.

    Assumption: a seed's differences, as a vector over methods, are symmetric about their centre. Then turning the
    signs of whole rows changes no probability, whatever the shape of the distribution and however methods depend on
    each other. The statistic is ``|sum d| / sqrt(sum d^2)``, which grows with the paired ``|t|``.

    p-values: single step max-T, Westfall & Young 1993, "Resampling-based multiple testing", chapter 2: the share
    of flips in which the largest statistic of all methods reaches this one's. The probability of any false rejection is
    at most 1 - level, whichever differences are really zero.

    Intervals: a method's differences less a candidate are flipped, the others' less their mean, and the candidates
    that the same test accepts are the interval. For one method it is the exact one (Lehmann & Romano 2005, "Testing
    statistical hypotheses", chapter 5); for several, others' unknown centres are replaced by their means.

    Up to ``ENUMERATED`` seeds all flips are tried; beyond, ``RANDOM`` from a fixed seed and the unflipped data, which
    keeps the test valid (Phipson & Smyth 2010, SAGMB 9(1)).

    Args:
        differences: [seeds, methods], NaN where a method lacks a seed. A method with fewer than ``seeds_needed``
            seeds has NaN for a result and does not count for the others.
        level: simultaneous confidence.
    """
    there = np.isfinite(differences)
    count = there.sum(axis=0)
    tested = np.flatnonzero(count >= seeds_needed(level))
    result = Simultaneous(*(np.full(len(count), NAN) for _ in range(3)))
    if len(tested):
        there, count = there[:, tested], count[tested]
        rows = there.any(axis=1)
        there, values = there[rows], np.where(there, differences[:, tested], 0.0)[rows]
        sums, signs = _flipped(values, there.astype(np.float64))
        result.p[tested] = _adjusted(values, sums)
        result.low[tested], result.high[tested] = _intervals(values, there, count, sums, signs, 1 - level)
    return result


def _flips(seeds: int) -> Iterator[np.ndarray]:
    """Chunks of signs, [flips, seeds], the first of all being no flip.

    Statistics are absolute values, so of a flip and its opposite one is enough.
    """
    if seeds <= ENUMERATED:
        numbers = np.arange(2 ** (seeds - 1))
        yield 1.0 - 2.0 * (numbers[:, None] >> np.arange(seeds) & 1)
        return
    yield np.ones((1, seeds))
    rng = np.random.default_rng(_SEED)
    for _ in range(RANDOM // _CHUNK):
        yield 1.0 - 2.0 * rng.integers(0, 2, (_CHUNK, seeds))


def _flipped(values: np.ndarray, there: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of every flip and method the sum of the flipped values and that of the signs; each [flips, methods]."""
    both = [(flips @ values, flips @ there) for flips in _flips(len(values))]
    return tuple(np.concatenate(parts) for parts in zip(*both, strict=True))


def _ratio(sums: np.ndarray, size: np.ndarray) -> np.ndarray:
    """|sums| / size; 0 where there is no variation at all."""
    return np.divide(np.abs(sums), size, out=np.zeros_like(sums), where=size > 0)


def _adjusted(values: np.ndarray, sums: np.ndarray) -> np.ndarray:
    """Single-step max-T p-values, [methods]."""
    statistics = _ratio(sums, np.sqrt(np.sum(values**2, axis=0)))
    largest = np.sort(statistics.max(axis=1))
    reached = len(largest) - np.searchsorted(largest, statistics[0] * (1 - _SLACK))
    return reached / len(largest)


def _intervals(
    values: np.ndarray, there: np.ndarray, count: np.ndarray, sums: np.ndarray, signs: np.ndarray, alpha: float
) -> tuple[np.ndarray, np.ndarray]:
    """The ends of the simultaneous intervals, [methods].

    A flip counts against rejecting a candidate c if it reaches the statistic of the unflipped d - c. That is so for c
    between two roots, as ``|sum s (d - c)| >= |sum (d - c)|`` is quadratic; and for c near the mean, where the
    statistic is below that of another method. So each flip has an interval around the mean, and the wanted interval
    ends where fewer than alpha of the flips remain.
    """
    mean = sums[0] / count
    rest = np.where(there, values - mean, 0.0)
    spread = np.sqrt(np.sum(rest**2, axis=0))  # sqrt(n) times the standard deviation
    spread[spread <= _SLACK * np.sqrt(np.sum(values**2, axis=0))] = 0  # what rounding leaves of equal differences
    others = _largest_of_others(_ratio(sums - mean * signs, spread))
    rank = int(np.ceil(alpha * len(sums) - _SLACK)) - 1
    ends = []
    with np.errstate(divide="ignore", invalid="ignore"):
        share = others**2 / count
        half = spread / np.sqrt(count) * np.sqrt(share / (1 - share))
        half[share >= 1 - _SLACK] = np.inf
        roots = np.stack([(sums[0] - sums) / (count - signs), (sums[0] + sums) / (count + signs)])
        whole = np.abs(signs) == count  # no flip at all
        for side, pick in ((-1, np.min), (1, np.max)):
            end = pick(np.stack([*roots, mean + side * half]), axis=0)
            end[whole] = side * np.inf
            outermost_first = -np.sort(-side * end, axis=0) * side
            ends.append(outermost_first[rank])
    low, high = (np.where(np.isfinite(end), end, NAN) for end in ends)
    return low, high


def _largest_of_others(statistics: np.ndarray) -> np.ndarray:
    """In each row and column the largest value of the row's other columns, 0 without others."""
    if statistics.shape[1] == 1:
        return np.zeros_like(statistics)
    second, first = np.partition(statistics, -2, axis=1)[:, -2:].T
    is_first = np.arange(statistics.shape[1]) == statistics.argmax(axis=1)[:, None]
    return np.where(is_first, second[:, None], first[:, None])


def crossed_bootstrap(differences: Sequence[np.ndarray], level: float = 0.95) -> np.ndarray:
    """Percentile intervals of mean differences over seeds and test images, both drawn anew; [methods, 2].

    The pigeonhole bootstrap of Owen 2007, "The pigeonhole bootstrap", Annals of Applied Statistics 1(2): seeds and
    images are resampled independently, and a cell counts as often as its seed times its image. It answers how the
    difference would vary with other seeds and other test images. With many seeds it errs to the wide side. With fewer
    than ten or so it is too narrow where seeds matter more than images, as any percentile bootstrap of few values: it
    sees (n - 1) / n of the variance of n seeds, and its quantiles lack the wide tails of the t distribution.

    Args:
        differences: for each method, correct minus baseline's correct, [seeds, images], in {-1, 0, 1}. The number of
            seeds may differ; with fewer than two the interval is NaN.
        level: confidence of each interval.
    """
    result = np.full((len(differences), 2), NAN)
    used = [index for index, cells in enumerate(differences) if len(cells) > 1]
    if not used:
        return result
    rng = np.random.default_rng(_SEED)
    images = differences[used[0]].shape[1]
    cells = {index: differences[index].astype(np.float32) for index in used}
    means: dict[int, list[np.ndarray]] = {index: [] for index in used}
    chunk = max(_CELLS // images, 1)
    for start in range(0, REPLICATES, chunk):
        replicates = min(chunk, REPLICATES - start)
        weights = _multiplicities(rng, replicates, images).astype(np.float32)
        for index in used:
            by_seed = cells[index] @ weights.T / images  # [seeds, replicates]
            seeds = len(by_seed)
            drawn = _multiplicities(rng, replicates, seeds)
            means[index].append(np.sum(drawn * by_seed.T, axis=1) / seeds)
    for index in used:
        result[index] = np.quantile(np.concatenate(means[index]), [(1 - level) / 2, (1 + level) / 2])
    return result


def _multiplicities(rng: np.random.Generator, replicates: int, size: int) -> np.ndarray:
    """How often each of ``size`` things is drawn with replacement in ``size`` draws; [replicates, size]."""
    drawn = rng.integers(0, size, (replicates, size)) + size * np.arange(replicates)[:, None]
    return np.bincount(drawn.ravel(), minlength=replicates * size).reshape(replicates, size)
