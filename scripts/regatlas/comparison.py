"""The comparison of a study's methods with their baselines: the frame of comparison.csv."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from regatlas import tuning
from regatlas.correctness import Correct
from regatlas.decisions import decide, equivalence, probability_better, undecidable
from regatlas.resampling import crossed_bootstrap, sign_flips
from regatlas.statistics import Interval, paired_difference, paired_ratio, t_interval
from regatlas.tables import COMPARISON_COLUMNS, METRICS, selected_runs, typed

IMAGES = 10_000  # that errors are counted for
_PUBLISHED = ["test_accuracy", "relative_runtime", "weight_min", "weight_max"]
TOLERANCE = 0.005  # of a published accuracy that states none
_WEIGHT_SHARE, _WEIGHT_ROUNDING = 0.15, 0.005  # published weights have two decimals
_SLACK = 1e-9  # so that a difference of just the tolerance passes in binary as well


def compare(
    methods: Sequence[Mapping[str, Any]],
    table: pd.DataFrame,
    correct: Correct | None = None,
    margin: float = 0.002,
    level: float = 0.95,
) -> pd.DataFrame:
    """Compare the methods over the finished runs of their selected points; return the frame of comparison.csv.

    Args:
        methods: mappings with ``id``, ``label``, ``baseline`` (the id of the method it is compared with, seed by seed;
            its own if with none) and ``published`` (a mapping, or None), in the table's order.
        table: the frame of runs.csv.
        correct: which images those runs classify correctly; without it there is no crossed interval.
        margin: differences in accuracy up to this do not matter.
        level: confidence of decisions and of the intervals that come with them.
    """
    grids = tuning.summary(table)
    shown = selected_runs(table)
    finished = shown[shown["status"] == "finished"]
    against = {method["id"]: method["baseline"] for method in methods if method["id"] != method["baseline"]}
    decided = _decisions(against, finished, correct, margin, level)
    rows = []
    for method in methods:
        mine = finished[finished["method"] == method["id"]]
        published = method.get("published") or {}
        row = {
            "method": method["id"],
            "label": method["label"],
            "baseline": against.get(method["id"], ""),
            **_point(grids[grids["method"] == method["id"]]),
            "seeds": len(mine),
            "diverged": int(((shown["method"] == method["id"]) & (shown["status"] == "diverged")).sum()),
            **{name: mine[name].mean() for name in (*METRICS, "microseconds_per_step")},
            "parameters": mine["parameters"].max(),
            **_interval("test_accuracy", t_interval(mine["test_accuracy"])),
            **_interval("test_accuracy_noise_off", t_interval(mine["test_accuracy_noise_off"])),
            **{f"published_{name}": published.get(name) for name in (*_PUBLISHED, "source", "setting")},
        }
        if method["id"] not in against:
            timed = (mine["microseconds_per_step"] > 0).any()
            row["relative_runtime"] = 1.0 if timed else None  # by definition, so without an interval
        else:
            reference = finished[finished["method"] == method["baseline"]]
            accuracies, times = (
                (_by_seed(mine, name), _by_seed(reference, name)) for name in ("test_accuracy", "microseconds_per_step")
            )
            difference, row["p_value"] = paired_difference(*accuracies)
            row |= _interval("difference", difference)
            row |= {"errors_per_10000": -difference.mean * IMAGES, **decided[method["id"]]}
            row |= _interval("relative_runtime", paired_ratio(*times))
        rows.append({**row, "verdict": verdict(row, published)})
    return typed(pd.DataFrame(rows, columns=COMPARISON_COLUMNS))


def _point(points: pd.DataFrame) -> dict[str, Any]:
    """What a row says of its method's grid; ``points`` are the method's rows of tuning.csv."""
    row = {"points": len(points)}
    for selected in points[points["selected"] == 1].to_dict("records"):
        row |= {name: selected[name] for name in ("point", "values", "at_edge")}
    return row


def _decisions(
    against: Mapping[str, str],
    finished: pd.DataFrame,
    correct: Correct | None,
    margin: float,
    level: float,
) -> dict[str, dict[str, Any]]:
    """Of each method the columns that need all methods at once, or belong to the decision.

    Args:
        against: method id -> id of its baseline.
    """
    methods = list(against)
    accuracy = finished.pivot(index="seed", columns="method", values="test_accuracy").astype(np.float64)
    accuracy = accuracy.reindex(columns=list({*methods, *against.values()})).sort_index()
    differences = accuracy[methods] - accuracy[list(against.values())].to_numpy()
    tests = sign_flips(differences.to_numpy(), level)
    seeds = [differences.index[differences[method].notna()].tolist() for method in methods]
    crossed, alike = np.full((len(methods), 2), np.nan), [False] * len(methods)
    if correct is not None:
        cells = [
            _cells(correct, method, against[method], common) for method, common in zip(methods, seeds, strict=True)
        ]
        crossed = crossed_bootstrap(cells, level)
        alike = [len(one) > 1 and not one.any() for one in cells]  # right and wrong on the same images
    rows = {}
    for index, method in enumerate(methods):
        mine = differences[method].dropna().to_numpy()
        row = {
            "difference_simultaneous_low": tests.low[index],
            "difference_simultaneous_high": tests.high[index],
            "p_adjusted": tests.p[index],
            "difference_crossed_low": crossed[index, 0],
            "difference_crossed_high": crossed[index, 1],
            **_interval("probability_better", probability_better(mine, level)),
            "p_equivalent": 0.0 if alike[index] else equivalence(mine, margin),
            "undecidable": undecidable(len(mine), level),
        }
        # Without a finished run there is nothing to decide; "undecided" would say that more seeds might.
        rows[method] = row | {"decision": decide(row, level) if accuracy[method].notna().any() else ""}
    return rows


def _cells(correct: Correct, method: str, baseline: str, seeds: Sequence[int]) -> np.ndarray:
    """Correct minus the baseline's correct of every seed and image; int8, [seeds, images]."""
    return correct.rows(method, seeds).astype(np.int8) - correct.rows(baseline, seeds).astype(np.int8)


def verdict(row: Mapping[str, Any], published: Mapping[str, Any]) -> str:
    """Whether a row agrees with what was published: "reproduced", "missed: ..." and by how much, or "".

    The mean accuracy must lie within the published ``tolerance``, the smallest and the largest weight within
    15 % or 0.005. What was measured under other conditions is "not comparable: ..." and why. Runtimes do not count:
    they are another machine's. A miss of a weight is given as its share of the published one: -31 % is nearer to zero.
    """
    known = [name for name in _PUBLISHED if published.get(name) is not None and name != "relative_runtime"]
    if not known:
        return ""
    if "not_comparable" in published:
        return f"not comparable: {published['not_comparable']}"
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
            allowed = published.get("tolerance", TOLERANCE)
        if not abs(difference) <= allowed + _SLACK:
            size = f"{difference / value:+.0%}" if is_weight and value else f"{difference:+.4f}"
            misses.append(f"{name} by {size.replace('%', ' %')}")
    return f"missed: {', '.join(misses)}" if misses else "reproduced"


def _by_seed(table: pd.DataFrame, column: str) -> dict[int, float]:
    return dict(zip(table["seed"].tolist(), table[column].tolist(), strict=True))


def _interval(name: str, interval: Interval) -> dict[str, float]:
    return {name: interval.mean, f"{name}_low": interval.low, f"{name}_high": interval.high}
