"""Time per training step relative to the baseline, with intervals and what was published."""

from pathlib import Path

import numpy as np
import pandas
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

from regatlas.figures.forest import baselines_of
from regatlas.figures.style import (
    INK,
    PUBLISHED,
    Method,
    Spec,
    interval,
    legend,
    look,
    mark,
    name_rows,
    note,
    number,
    plain_ticks,
    rows_height,
    save_svg,
    wrap,
)

_CHARACTERS = 22  # in a line of a row's name
_LOGARITHMIC = 8  # the ratio of the slowest to the fastest from which on the axis is logarithmic


def draw(spec: Spec, table: pandas.DataFrame, comparison: pandas.DataFrame, folder: Path) -> None:
    """Write ``runtime.svg``; beside each row stands its time per step in microseconds.

    Args:
        spec: what to show.
        table: the frame of runs.csv, less the points that were not selected.
        comparison: the frame of comparison.csv.
        folder: where the figure goes.
    """
    rows = comparison.set_index("method").reindex([method.id for method in spec.methods])
    against = set(baselines_of(spec, rows).values()) - {""} or {spec.baseline}
    labels = {method.id: method.label for method in spec.methods}
    baseline = "its baseline" if len(against) > 1 else labels.get(*against, *against)
    published = bool(rows["published_relative_runtime"].notna().any())
    with look():
        figure = Figure(
            figsize=(spec.width, 1.2 + rows_height(spec.methods, _CHARACTERS, 0.36)),
            layout="constrained",
        )
        axes = figure.subplots()
        name_rows(axes, spec.methods, _CHARACTERS)
        axes.axvline(1, color=INK, linewidth=0.8, alpha=0.5)
        for row, method in enumerate(spec.methods):
            values = rows.loc[method.id]
            ratio, low, high = interval(values, "relative_runtime")
            drawn = axes.plot([low, high], [row, row], color=method.color, linewidth=2)
            drawn += axes.plot(ratio, row, color=method.color, marker=method.marker, markersize=5)
            mark(method, drawn, _said(method, values))
            mark(method, axes.plot(float(values["published_relative_runtime"]), row, **PUBLISHED))
            mark(method, axes.text(1.03, row, _time(values), transform=axes.get_yaxis_transform(), va="center"))
        _scale(axes, rows.filter(regex="relative_runtime").to_numpy(dtype=float))
        axes.set_xlabel(wrap(f"Time per training step, relative to {baseline}", 60))
        _key(figure, rows, published)
        note(figure, spec.left_out(table), 100)
        title = "Time per training step"
        save_svg(figure, Path(folder) / "runtime.svg", title, _describe(spec, table, rows, baseline))


def _time(values: pandas.Series) -> str:
    time = float(values["microseconds_per_step"])
    if np.isfinite(time):
        return f"{number(time)} µs per step"
    return "no measured time" if values["seeds"] > 0 else "no finished run"


def _scale(axes: Axes, ratios: np.ndarray) -> None:
    ratios = ratios[np.isfinite(ratios) & (ratios > 0)]
    if len(ratios) and ratios.max() > _LOGARITHMIC * ratios.min():
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    else:
        axes.set_xlim(0, max(1, ratios.max(initial=1)) * 1.06)
        axes.xaxis.set_major_locator(MaxNLocator(6))
        plain_ticks(axes.xaxis)


def _key(figure: Figure, rows: pandas.DataFrame, published: bool) -> None:
    handles, labels = [], []
    if rows["relative_runtime"].notna().any():
        repeated = bool(rows["relative_runtime_low"].notna().any())
        handles.append(Line2D([], [], color=INK, marker="o", markersize=5, linewidth=2 if repeated else 0))
        labels.append("mean and 95 % interval over seeds" if repeated else "one seed")
    if published:
        handles.append(Line2D([], [], **PUBLISHED))
        labels.append("published, on another machine")
    if handles:
        legend(figure, handles, labels, loc="outside upper left", ncols=2)


def _describe(spec: Spec, table: pandas.DataFrame, rows: pandas.DataFrame, baseline: str) -> str:
    parts = [f"Points of the time per training step relative to {baseline}, with 95 % intervals, one row a method."]
    for method in spec.methods:
        parts.append(f"{_said(method, rows.loc[method.id])}.")
    return " ".join(filter(None, [*parts, spec.left_out(table)]))


def _said(method: Method, values: pandas.Series) -> str:
    ratio, low, high = interval(values, "relative_runtime")
    text = f"{method.label}: {_time(values)}"
    if np.isfinite(ratio):
        text += f", {ratio:.2f} times the baseline"
    if np.isfinite(low) and low < high:
        text += f" ({low:.2f} to {high:.2f})"
    if np.isfinite(published := float(values["published_relative_runtime"])):
        text += f", published {published:.2f}"
    return text
