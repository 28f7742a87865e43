"""The numbers behind figures, as the tables that stand beside them."""

import dataclasses
import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from regatlas import grids, numbers
from regatlas.figures import distribution, spectrum, style
from regatlas.statistics import t_interval
from regatlas.tables import read_csv

_PARTS = (0.01, 0.1, 0.5, 1.0)  # of a run, at which learning curves are read off
_MEANS = "means over seeds, ± half the width of the 95 % t interval"
_OF_POINTS = {  # column -> its head and its form
    "weight_norm": ("Norm", ".2f"),
    "roughness": ("Roughness", ".3f"),
    "template_correlation": ("Template correlation", ".2f"),
}


@dataclasses.dataclass(frozen=True)
class Cell:
    """A cell: its text, its value if it is a number, and what stands below it in small print."""

    text: str
    value: float | None = None
    more: str = ""


@dataclasses.dataclass(frozen=True)
class Table:
    """A table of methods. ``heads`` has a text for every cell of a row; ``words`` are those of cells that are texts."""

    caption: str
    source: str  # the file beside the report that has these numbers in full
    heads: list[str]
    rows: list[tuple[str, list[Cell]]]  # a method's id and its cells
    words: tuple[str, ...] = ()


def tables(
    drawn: Iterable[str],
    methods: Sequence[str],
    runs: pd.DataFrame,
    curves: pd.DataFrame,
    robustness: pd.DataFrame | None,
    tuning: pd.DataFrame | None,
    comparison: Sequence[Mapping[str, Any]],
    figures: Path | None = None,
) -> dict[str, Table]:
    """Figure -> the table beside it, for those of the figures that have one and that the data allow.

    Args:
        drawn: the names of the figures that are there.
        methods: ids in the order of the comparison.
        runs: the frame of runs.csv, less the points that were not selected.
        curves: the frame of curves.csv.
        robustness: the frame of robustness.csv.
        tuning: the frame of tuning.csv.
        comparison: the rows of comparison.csv.
        figures: the folder of the figures, some of which have their numbers beside them.
    """
    finished = runs[runs["status"] == "finished"]
    makers = {
        "forest": lambda: _differences(comparison),
        "learning_curves": lambda: _curves(methods, finished, curves),
        "data_sizes": lambda: _sizes(methods, finished),
        "robustness": lambda: None if robustness is None else _robustness(methods, robustness),
        "strength_paths": lambda: None if tuning is None else _points(methods, tuning),
        "weight_spectrum": lambda: _of_file(figures, "weight_spectrum", spectrum.COLUMNS, _spectrum),
        "weight_distribution": lambda: _of_file(figures, "weight_distribution", distribution.COLUMNS, _distribution),
        "cost": lambda: _cost(finished, comparison),
    }
    found = {name: makers[name]() for name in drawn if name in makers}
    return {name: table for name, table in found.items() if table and table.rows}


def _differences(comparison: Sequence[Mapping[str, Any]]) -> Table:
    """Every difference with each of its intervals and tests."""
    quantities = {
        "Difference (points)": lambda row: _number(
            numbers.percent(row["difference"], "+.2f"),
            row["difference"],
            numbers.bounds(row, "difference", "+.2f", 100),
        ),
        "Errors per 10,000": lambda row: _number(
            numbers.number(row["errors_per_10000"], "+.0f"), row["errors_per_10000"]
        ),
        "Simultaneous interval": lambda row: _interval(row, "difference_simultaneous"),
        "Over seeds and images": lambda row: _interval(row, "difference_crossed"),
        "Better with a new seed (%)": lambda row: _number(
            numbers.percent(row["probability_better"], ".0f"),
            row["probability_better"],
            numbers.bounds(row, "probability_better", ".0f", 100),
        ),
        "p, paired t-test": lambda row: _number(numbers.p_value(row["p_value"]), row["p_value"]),
        "p, sign-flip test": lambda row: _number(numbers.p_value(row["p_adjusted"]), row["p_adjusted"]),
        "p, equivalence": lambda row: _number(numbers.p_value(row["p_equivalent"]), row["p_equivalent"]),
    }
    rows = [
        (row["method"], [cell(row) for cell in quantities.values()])
        for row in comparison
        if numbers.known(row["difference"]) and row["decision"]
    ]
    return Table(
        "Brackets below a number hold its 95 % t interval, of a chance that of Wilson. The simultaneous interval and "
        "the p-value of the sign-flip test hold for all methods at once; the other tests are not adjusted for several "
        "methods. Over seeds and images: a bootstrap that draws both, so it counts that the test images are a sample, "
        "too. Better with a new seed: the share of the seeds, ties counting half.",
        "comparison.csv",
        list(quantities),
        rows,
    )


def _interval(row: Mapping[str, Any], name: str) -> Cell:
    """An interval of a difference of accuracies, in points, in the order of its lower end."""
    return _number(numbers.bounds(row, name, "+.2f", 100) or numbers.DASH, row[f"{name}_low"])


def _curves(methods: Sequence[str], finished: pd.DataFrame, curves: pd.DataFrame) -> Table:
    """Accuracy and loss at parts of the run, of the selected points."""
    when = [f"at {100 * part:g} % of the steps" if part < 1 else "at the end" for part in _PARTS]
    heads = [f"{name} {at}" for name in ("Accuracy (%)", "Loss") for at in when]
    own = curves.merge(finished[["method", "seed", "point"]], on=["method", "seed", "point"])
    by_method = dict(list(own.groupby("method")))
    rows = []
    for method in methods:
        if method not in by_method:
            continue
        runs = [run.sort_values("step") for _, run in by_method[method].groupby("seed")]
        at = [[_evaluated(run, part) for run in runs] for part in _PARTS]
        accuracies = [_mean([run["test_accuracy"] for run in part], 100, ".2f") for part in at]
        losses = [_mean([run["train_loss"] for run in part], 1) for part in at]
        rows.append((method, [*accuracies, *losses]))
    return Table(
        f"Test accuracy and training loss at the evaluation nearest to these parts of each run; {_MEANS}. Training "
        "loss: mean over the mini-batches since the evaluation before, without penalty, with the method's noise on.",
        "curves.csv",
        heads,
        rows,
    )


def _evaluated(run: pd.DataFrame, part: float) -> pd.Series:
    """The evaluation of a run that is nearest to a part of its steps."""
    return run.iloc[int(np.argmin(np.abs(run["step"].to_numpy() - part * run["step"].max())))]


def _sizes(methods: Sequence[str], finished: pd.DataFrame) -> Table:
    rows = []
    for method in methods:
        mine = finished[finished["method"] == method]
        if len(mine):
            size = int(mine["train_size"].iloc[0])
            cells = [
                _mean(mine[name], 100, form) for name, form in (("test_accuracy", ".2f"), ("accuracy_gap", "+.2f"))
            ]
            rows.append((method, [Cell(f"{size:,}", size), *cells]))
    return Table(
        f"{_MEANS.capitalize()}.",
        "runs.csv",
        ["Training images", "Test accuracy (%)", "Training \N{MINUS SIGN} test accuracy (points)"],
        rows,
    )


def _robustness(methods: Sequence[str], robustness: pd.DataFrame) -> Table:
    """Accuracy on each corruption, the mean of its severities."""
    kinds = list(dict.fromkeys(robustness["corruption"]))
    means = robustness.groupby(["method", "corruption", "seed"])["accuracy"].mean()
    there = set(robustness["method"])
    rows = [
        (method, [_mean(means.get((method, kind), []), 100, ".1f") for kind in kinds])
        for method in methods
        if method in there
    ]
    return Table(
        "Test accuracy (%) on corrupted images, the mean of the severities 1 to "
        f"{robustness['severity'].max()}; {_MEANS}.",
        "robustness.csv",
        [str(kind).replace("_", " ").capitalize() for kind in kinds],
        rows,
    )


def _points(methods: Sequence[str], tuning: pd.DataFrame) -> Table:
    """Every point of every grid."""
    there = [name for name in _OF_POINTS if tuning[name].notna().any()]
    heads = [_OF_POINTS[name][0] for name in there]
    by_method = dict(list(tuning.groupby("method")))
    rows = [
        (method, list(_point(point, there)))
        for method in methods
        if method in by_method and len(by_method[method]) > 1
        for point in by_method[method].sort_values("point").to_dict("records")
    ]
    return Table(
        "Every point of every grid: means over seeds. The selected point has the best validation accuracy; test "
        "accuracies select nothing.",
        "tuning.csv",
        ["Point", "Selected", "Seeds", "Validation accuracy (%)", "Test accuracy (%)", *heads],
        rows,
        ("Point", "Selected"),
    )


def _point(point: Mapping[str, Any], more: Sequence[str]) -> Iterator[Cell]:
    edge = ", at the grid's edge" if point["at_edge"] else ""
    lost = f"{point['diverged']} diverged" if point["diverged"] else ""
    yield Cell(grids.words(json.loads(point["values"])))
    yield Cell(f"selected{edge}" if point["selected"] else numbers.DASH)
    yield Cell(str(point["seeds"]), point["seeds"], lost)
    yield _number(numbers.half_width(point, "validation_accuracy"), point["validation_accuracy"])
    yield _number(numbers.percent(point["test_accuracy"]), point["test_accuracy"])
    for name in more:
        yield _number(numbers.number(point[name], _OF_POINTS[name][1]), point[name])


def _cost(finished: pd.DataFrame, comparison: Sequence[Mapping[str, Any]]) -> Table:
    by_method = dict(list(finished.groupby("method")))
    rows = []
    for row in comparison:
        if row["method"] not in by_method or not by_method[row["method"]]["microseconds_per_step"].notna().any():
            continue
        mine = by_method[row["method"]]
        rows.append(
            (
                row["method"],
                [
                    _mean(mine["microseconds_per_step"], 1, ".1f"),
                    _number(
                        numbers.number(row["relative_runtime"], ".2f"),
                        row["relative_runtime"],
                        numbers.bounds(row, "relative_runtime", ".2f"),
                    ),
                    _number(numbers.duration(mine["train_seconds"].mean()), mine["train_seconds"].mean()),
                    _number(numbers.setting(row["parameters"]), row["parameters"]),
                    _mean(mine["test_accuracy"], 100, ".2f"),
                ],
            )
        )
    return Table(
        f"{_MEANS.capitalize()}; brackets hold an interval. A run's time is that of its training loop alone.",
        "runs.csv",
        [
            "Time of a step (µs)",
            "Relative to the baseline",
            "Training of a run",
            "Trained numbers",
            "Test accuracy (%)",
        ],
        rows,
    )


def _of_file(
    folder: Path | None, name: str, columns: Sequence[str], table: Callable[[pd.DataFrame], Table]
) -> Table | None:
    """The table of the numbers that a figure's program has put beside it; None if there are none."""
    path = folder / f"{name}.csv" if folder else None
    return table(read_csv(path, columns)) if path and path.is_file() else None


def _spectrum(powers: pd.DataFrame) -> Table:
    rings = sorted(set(powers["frequency"]))
    known = {(row.method, row.frequency): row.power for row in powers.itertuples()}
    rows = [
        (method, [_number(_significant(power), power) for power in (known.get((method, ring)) for ring in rings)])
        for method in dict.fromkeys(powers["method"])
    ]
    return Table(
        "Power of the weight images at more than one less and at most so many cycles over the image's shorter side, "
        "white noise being 1; means over seeds.",
        "",
        [f"{ring:g} {'cycle' if ring == 1 else 'cycles'}" for ring in rings],
        rows,
    )


def _distribution(pools: pd.DataFrame) -> Table:
    form = style.number
    rows = [
        (
            pool["method"],
            [
                _number(f"{pool['weights']:,.0f}", pool["weights"]),
                *(_number(form(pool[name]), pool[name]) for name in ("smallest", "low", "high", "largest", "stddev")),
            ],
        )
        for pool in pools.to_dict("records")
    ]
    heads = ["Weights", "Smallest", "0.5 % are smaller than", "0.5 % are larger than", "Largest", "Standard deviation"]
    return Table("Of all seeds together.", "", heads, rows)


def _significant(value: Any) -> str:
    """A number with three digits, of which the last ones may be zeros."""
    return style.number(value) if numbers.known(value) else numbers.DASH


def _number(text: str, value: Any, more: str = "") -> Cell:
    return Cell(text, float(value) if numbers.known(value) else None, more)


def _mean(values: Any, scale: float, form: str = "") -> Cell:
    """The mean over seeds, and half the width of its interval; without a format, to two digits of this width."""
    mean, low, high = (value * scale for value in t_interval(np.asarray(values, dtype=float)))
    half = (high - low) / 2
    if not form:
        form = f".{min(max(1 - math.floor(math.log10(half)), 0), 9)}f" if half > 0 else ".4g"
    more = (
        f"{numbers.PLUS_MINUS}{numbers.SPACE}{numbers.number(half, form.replace('+', ''))}"
        if numbers.known(half)
        else ""
    )
    return _number(numbers.number(mean, form), mean / scale, more)
