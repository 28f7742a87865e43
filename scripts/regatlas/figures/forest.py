"""Forest plot: each method's difference to its baseline, with intervals, the margin that does not matter, and seeds."""

from pathlib import Path

import numpy as np
import pandas
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from regatlas.figures.style import (
    INK,
    Method,
    Spec,
    interval,
    legend,
    look,
    mark,
    name_rows,
    note,
    nothing,
    plain_ticks,
    rows_height,
    save_svg,
    wrap,
)

_SEEDS, _MEAN, _SIMULTANEOUS = (
    -0.22,
    0.08,
    0.26,
)  # of a row: where seeds, mean with t interval, and simultaneous interval are
_CHARACTERS, _BESIDE = 20, 22  # in a line of a row's name, and of what stands on its right
_NEAR = 5.0  # margins that the panel beside shows on either side of zero
_POINTS = 100  # a fraction in percentage points


def draw(spec: Spec, table: pandas.DataFrame, comparison: pandas.DataFrame, folder: Path) -> None:
    """Write ``forest.svg``: all differences on one scale and, where that hides the small ones, those near zero beside.

    Args:
        spec: what to show; ``margin`` and ``level`` are those of the decision.
        table: the frame of runs.csv, less the points that were not selected.
        comparison: the frame of comparison.csv.
        folder: where the figure goes.
    """
    rows = comparison.set_index("method").reindex([method.id for method in spec.methods])
    baselines = baselines_of(spec, rows)
    shown = [method for method in spec.methods if baselines[method.id]]
    labels = {method.id: method.label for method in spec.methods}
    several = len({baselines[method.id] for method in shown}) > 1
    seeds = {method.id: _seeds(spec, table, method.id, baselines[method.id]) for method in shown}
    against = "its baseline" if several else labels.get(spec.baseline, spec.baseline)
    with look():
        beside = {
            method.id: (rows.loc[method.id, "decision"] or "no decision")
            + (
                f"\nagainst {wrap(labels.get(name, name), _BESIDE)}"
                if several and (name := baselines[method.id])
                else ""
            )
            for method in shown
        }
        lines = max((text.count("\n") + 1 for text in beside.values()), default=1)
        height = 1.55 + rows_height(shown or spec.methods[:1], _CHARACTERS, max(0.46, 0.06 + 0.14 * lines))
        figure = Figure(figsize=(spec.width, height), layout="constrained")
        if shown:
            wide = _POINTS * np.max([0.0, *(abs(value) for values in seeds.values() for value in values)])
            near = _NEAR * _POINTS * spec.margin
            axes = np.atleast_1d(figure.subplots(1, 2 if wide > 1.5 * near else 1, sharey=True))
            for panel in axes:
                name_rows(panel, shown, _CHARACTERS)
                _rows(panel, spec, shown, rows, seeds)
                panel.xaxis.set_major_locator(MaxNLocator(5))
                plain_ticks(panel.xaxis)
            beyond = _near_zero(axes[-1], near if len(axes) > 1 else None, shown, rows)
            for panel in axes[1:]:
                panel.tick_params(labelleft=False)
                panel.set_xlabel(f"The same within ±{near:g} points of zero")
            axes[0].set_xlabel(wrap(f"Test accuracy minus that of {against} (points)", 40 if len(axes) > 1 else 70))
            for row, method in enumerate(shown):
                place = {"transform": axes[-1].get_yaxis_transform(), "va": "center", "size": 8}
                mark(method, axes[-1].text(1.03, row, beside[method.id], **place))
            _key(figure, spec, rows.loc[[method.id for method in shown]], beyond)
        else:
            nothing(figure, "no other method to compare with the baseline")
        note(figure, spec.left_out(table), 100)
        title = "Differences in test accuracy"
        save_svg(figure, Path(folder) / "forest.svg", title, _describe(spec, shown, rows, against))


def baselines_of(spec: Spec, rows: pandas.DataFrame) -> dict[str, str]:
    """Method -> the method it is compared with, '' for one that is compared with none."""
    if "baseline" in rows:
        own = rows["baseline"]
        return {method.id: own[method.id] if isinstance(own[method.id], str) else "" for method in spec.methods}
    return {method.id: "" if method.id == spec.baseline else spec.baseline for method in spec.methods}


def _seeds(spec: Spec, table: pandas.DataFrame, method: str, baseline: str) -> pandas.Series:
    """The difference of every seed that both have, as a fraction, by seed."""
    finished = spec.finished(table)
    accuracy = {name: finished[finished["method"] == name].set_index("seed") for name in (method, baseline)}
    return (accuracy[method]["test_accuracy"] - accuracy[baseline]["test_accuracy"]).dropna().astype(float)


def _rows(axes: Axes, spec: Spec, shown: list[Method], rows: pandas.DataFrame, seeds: dict[str, pandas.Series]) -> None:
    axes.axvspan(-_POINTS * spec.margin, _POINTS * spec.margin, color=INK, alpha=0.12, linewidth=0)
    axes.axvline(0, color=INK, linewidth=0.8, alpha=0.6)
    for row, method in enumerate(shown):
        values = rows.loc[method.id]
        spread = np.linspace(-0.08, 0.08, len(seeds[method.id])) if len(seeds[method.id]) > 1 else [0.0]
        for (seed, difference), up in zip(seeds[method.id].items(), spread, strict=False):
            point = axes.scatter(_POINTS * difference, row + _SEEDS + up, s=3**2, color=method.color, linewidths=0)
            mark(method, point, f"{method.label}, seed {seed}: {_points(difference)}")
        mean, low, high = (_POINTS * value for value in interval(values, "difference"))
        drawn = axes.plot([low, high], [row + _MEAN] * 2, color=method.color, linewidth=3.5, alpha=0.45)
        drawn += axes.plot(mean, row + _MEAN, color=method.color, marker=method.marker, markersize=5.5)
        mark(method, drawn, said(method, values))
        _, low, high = (_POINTS * value for value in _simultaneous(values))
        ends = {"color": method.color, "linewidth": 1.2, "marker": "|", "markersize": 7}
        mark(method, axes.plot([low, high], [row + _SIMULTANEOUS] * 2, **ends), said(method, values))
        if not np.isfinite(mean):
            middle = axes.text(
                0.5, row, "no common seed", transform=axes.get_yaxis_transform(), va="center", ha="center"
            )
            mark(method, middle)


def _near_zero(axes: Axes, near: float | None, shown: list[Method], rows: pandas.DataFrame) -> bool:
    """Show what is within ``near`` points of zero, and an arrow for a method that lies beyond; whether one does."""
    if near is None:
        low, high = axes.get_xlim()
        axes.set_xlim(min(low, -0.05), max(high, 0.05))
        return False
    axes.set_xlim(-near, near)
    beyond = False
    for row, method in enumerate(shown):
        mean = _POINTS * float(rows.loc[method.id, "difference"])
        if abs(mean) > near:
            beyond = True
            place = axes.plot(
                np.sign(mean) * near * 0.97, row, marker="<" if mean < 0 else ">", markersize=7, color=method.color
            )
            mark(method, place, said(method, rows.loc[method.id]))
    return beyond


def _simultaneous(values: pandas.Series) -> tuple[float, float, float]:
    """The mean and the ends of the simultaneous interval; NaN where there is none or it has no end."""
    mean = float(values["difference"])
    ends = [float(values[f"difference_simultaneous_{end}"]) for end in ("low", "high")]
    return (mean, *ends) if np.isfinite(ends).all() else (mean, np.nan, np.nan)


def _points(fraction: float) -> str:
    return f"{_POINTS * fraction:+.2f} points".replace("-", "\N{MINUS SIGN}")


def said(method: Method, values: pandas.Series) -> str:
    """A method's difference in words, with both intervals and the decision."""
    mean, low, high = interval(values, "difference")
    if not np.isfinite(mean):
        return f"{method.label}: no seed in common with its baseline"
    text = f"{method.label}: {_points(mean)}"
    if np.isfinite(low):
        text += f", 95 % t interval {_POINTS * low:.2f} to {_POINTS * high:.2f}"
    _, low, high = _simultaneous(values)
    if np.isfinite(low):
        text += f", simultaneous {_POINTS * low:.2f} to {_POINTS * high:.2f}"
    return f"{text}; {values['decision'] or 'no decision'}".replace("-", "\N{MINUS SIGN}")


def _key(figure: Figure, spec: Spec, rows: pandas.DataFrame, beyond: bool) -> None:
    handles = [
        Line2D([], [], color=INK, marker="o", markersize=3, linestyle=""),
        Line2D([], [], color=INK, marker="o", markersize=5.5, linewidth=3.5, alpha=0.7),
        Patch(facecolor=INK, alpha=0.12, linewidth=0),
    ]
    labels = [
        "one seed",
        "mean, 95 % t interval",
        f"\N{PLUS-MINUS SIGN}{_POINTS * spec.margin:g} points: does not matter",
    ]
    if rows["difference_simultaneous_low"].notna().any():
        handles.insert(2, Line2D([], [], color=INK, linewidth=1.2, marker="|", markersize=7))
        labels.insert(2, f"simultaneous {_POINTS * spec.level:g} % interval, which decides")
    if beyond:
        handles.append(Line2D([], [], color=INK, marker="<", markersize=7, linestyle=""))
        labels.append("mean outside of the panel on the right")
    legend(figure, handles, labels, loc="outside upper left", ncols=2, columnspacing=1.3)


def _describe(spec: Spec, shown: list[Method], rows: pandas.DataFrame, against: str) -> str:
    parts = [
        f"Points and intervals of the difference in test accuracy to {against}, one row a method, each seed a point; "
        f"the band of {_POINTS * spec.margin:g} points around zero holds differences that do not matter."
    ]
    return " ".join([*parts, *(f"{said(method, rows.loc[method.id])}." for method in shown)])
