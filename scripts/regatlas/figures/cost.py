"""Cost against accuracy: the time of a training step and the test accuracy of every method."""

from pathlib import Path

import numpy as np
import pandas
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

from regatlas.errors import few
from regatlas.figures.style import (
    INK,
    Method,
    Spec,
    accuracy_in_words,
    interval,
    legend,
    look,
    mark,
    mark_legend,
    note,
    nothing,
    number,
    plain_ticks,
    save_svg,
    wrap,
)

_LOGARITHMIC = 8  # the ratio of the slowest to the fastest from which on the axis is logarithmic


def draw(spec: Spec, table: pandas.DataFrame, comparison: pandas.DataFrame, folder: Path) -> None:
    """Write ``cost.svg``; a line joins the methods that no other beats in both time and accuracy.

    Args:
        spec: what to show.
        table: the frame of runs.csv, less the points that were not selected.
        comparison: the frame of comparison.csv.
        folder: where the figure goes.
    """
    rows = comparison.set_index("method").reindex([method.id for method in spec.methods])
    known = rows[["microseconds_per_step", "test_accuracy"]].notna().all(axis=1)
    shown = [method for method in spec.methods if known[method.id]]
    times = rows["microseconds_per_step"].astype(float)
    front = unbeaten(times[known], rows["test_accuracy"].astype(float)[known])
    timeless = rows["test_accuracy"].notna() & rows["microseconds_per_step"].isna()
    untimed = few([method.label for method in spec.methods if timeless[method.id]])
    untimed = f"Left out, because no step was timed: {untimed}." if untimed and shown else ""
    about = " ".join(filter(None, [spec.left_out(table), untimed]))
    with look():
        columns = 3 if len(shown) > 6 else 2
        height = 3.6 + 0.2 * -(-len(shown) // columns)
        figure = Figure(figsize=(spec.width, height), layout="constrained")
        if shown:
            axes = figure.subplots()
            line = [(times[name], 100 * rows.loc[name, "test_accuracy"]) for name in front]
            axes.plot(*zip(*line, strict=True), color=INK, linewidth=0.8, alpha=0.5, drawstyle="steps-post", zorder=1)
            for method in shown:
                _point(axes, method, rows.loc[method.id])
            _axes(axes, times[known].to_numpy())
            ordered = sorted(shown, key=lambda method: -rows.loc[method.id, "test_accuracy"])
            handles = [Line2D([], [], color=m.color, marker=m.marker, markersize=6, linestyle="") for m in ordered]
            names = [f"{wrap(m.label, 66 // columns)}{' *' if m.id in front else ''}" for m in ordered]
            box = legend(figure, handles, names, loc="outside lower left", ncols=columns)
            mark_legend(ordered, box)
            stars = "* and line" if len(front) > 1 else "*"
            box.set_title(f"Highest accuracy first; {stars}: no other is both faster and better", {"size": 8.5})
            box.set_alignment("left")
        else:
            nothing(figure, "no finished run" if spec.finished(table).empty else "no measured time")
        note(figure, about, 100, above=True)
        title = "Cost against accuracy"
        save_svg(figure, Path(folder) / "cost.svg", title, _describe(shown, rows, front, about))


def unbeaten(times: pandas.Series, accuracy: pandas.Series) -> list[str]:
    """The methods that no other beats in both, the fastest first; of equals the first."""
    best, front = -np.inf, []
    for name in sorted(times.index, key=lambda name: (times[name], -accuracy[name])):
        if accuracy[name] > best:
            best = accuracy[name]
            front.append(name)
    return front


def _point(axes: Axes, method: Method, values: pandas.Series) -> None:
    time = float(values["microseconds_per_step"])
    mean, low, high = (100 * value for value in interval(values, "test_accuracy"))
    drawn = axes.plot([time, time], [low, high], color=method.color, linewidth=1.6)
    drawn += axes.plot(time, mean, color=method.color, marker=method.marker, markersize=6.5)
    mark(method, drawn, f"{method.label}: {_said(values)}")


def _axes(axes: Axes, times: np.ndarray) -> None:
    if times.max() > _LOGARITHMIC * times.min() > 0:
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    else:
        axes.set_xlim(0, 1.06 * times.max())
        axes.xaxis.set_major_locator(MaxNLocator(6))
        plain_ticks(axes.xaxis)
    plain_ticks(axes.yaxis)
    axes.set_xlabel("Time per training step (\N{MICRO SIGN}s)")
    axes.set_ylabel("Test accuracy (%)")
    axes.grid(color=INK, alpha=0.1, linewidth=0.6)


def _said(values: pandas.Series) -> str:
    return f"{accuracy_in_words(values)}, {number(float(values['microseconds_per_step']))} \N{MICRO SIGN}s a step"


def _describe(shown: list[Method], rows: pandas.DataFrame, front: list[str], about: str) -> str:
    parts = ["Points of test accuracy against the time of a training step, one a method, with 95 % intervals."]
    parts += [f"{method.label}: {_said(rows.loc[method.id])}." for method in shown]
    labels = {method.id: method.label for method in shown}
    if front:
        parts.append(f"No other is both faster and better than: {', '.join(labels[name] for name in front)}.")
    return " ".join(filter(None, [*parts, about]))
