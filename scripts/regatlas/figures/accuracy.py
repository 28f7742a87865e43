"""Accuracy of every seed, with the mean, its interval and what was published."""

from pathlib import Path

import numpy as np
import pandas
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from regatlas.figures.style import (
    INK,
    PUBLISHED,
    Spec,
    accuracy_in_words,
    interval,
    legend,
    look,
    mark,
    name_rows,
    note,
    percent,
    plain_ticks,
    rows_height,
    save_svg,
)

_ABOVE, _BELOW = -0.2, 0.2  # of a row: where the seeds and where the means are
_NOISE_OFF = ">"
_CHARACTERS = 17  # in a line of a row's name
_MOST_POINTS = 2000  # of a panel that are drawn one by one: a picture of more is smaller


def draw(spec: Spec, table: pandas.DataFrame, comparison: pandas.DataFrame, folder: Path) -> None:
    """Write ``accuracy.svg``: all methods on one scale, and beside it how far seeds are from their mean.

    Args:
        spec: what to show.
        table: the frame of runs.csv, less the points that were not selected.
        comparison: the frame of comparison.csv.
        folder: where the figure goes.
    """
    runs = spec.finished(table).copy()
    runs["accuracy"] = 100 * runs["test_accuracy"]
    runs["deviation"] = runs["accuracy"] - runs.groupby("method")["accuracy"].transform("mean")
    place = {method.id: row for row, method in enumerate(spec.methods)}
    runs["row"] = runs["method"].map(place).astype(float)
    means = comparison.set_index("method").reindex(list(place))
    repeated = bool(runs.groupby("method").size().gt(1).any())
    with look():
        figure = Figure(
            figsize=(spec.width, 1.25 + rows_height(spec.methods, _CHARACTERS, 0.5)),
            layout="constrained",
        )
        panels = figure.subplots(1, 2 if repeated else 1, sharey=True, width_ratios=[2, 1][: 1 + repeated])
        axes = np.atleast_1d(panels)
        name_rows(axes[0], spec.methods, _CHARACTERS)
        _seeds(axes[0], spec, runs, "accuracy")
        shown = _means(axes[0], spec, means)
        axes[0].set_xlabel("Test accuracy (%)")
        if repeated:
            name_rows(axes[1], spec.methods, _CHARACTERS)
            axes[1].tick_params(labelleft=False)
            axes[1].axvline(0, color=INK, linewidth=0.8, alpha=0.4)
            _seeds(axes[1], spec, runs, "deviation")
            _intervals(axes[1], spec, means)
            axes[1].set_xlabel("Seed minus mean\n(percentage points)")
            widest = max(abs(limit) for limit in axes[1].get_xlim())
            axes[1].set_xlim(-widest, widest)
        for panel in axes:
            _widen(panel)
            plain_ticks(panel.xaxis)
        _key(figure, shown, repeated)
        note(figure, spec.left_out(table), 100)
        title = "Test accuracy of every seed"
        save_svg(figure, Path(folder) / "accuracy.svg", title, _describe(spec, table, means))


def _seeds(axes: Axes, spec: Spec, runs: pandas.DataFrame, column: str) -> None:
    """A point for every run; each seed at its own height of every row, so that points do not hide others."""
    if runs.empty:
        return
    seeds = np.unique(runs["seed"].to_numpy(dtype=int))
    heights = np.linspace(-0.15, 0.15, len(seeds)) if len(seeds) > 1 else np.zeros(1)
    within = heights[np.searchsorted(seeds, runs["seed"].to_numpy(dtype=int))]
    x, y = runs[column].to_numpy(dtype=float), runs["row"].to_numpy() + _ABOVE + within
    size = {"s": 3.2**2, "linewidths": 0}
    if len(runs) > _MOST_POINTS:
        colors = {method.id: method.color for method in spec.methods}
        axes.scatter(x, y, c=runs["method"].map(colors).to_list(), rasterized=True, **size)
    else:
        methods = {method.id: method for method in spec.methods}
        for row, across, up in zip(runs.itertuples(), x, y, strict=True):
            method = methods[row.method]
            point = axes.scatter(across, up, color=method.color, **size)
            mark(method, point, f"{method.label}, seed {row.seed}: {percent(row.test_accuracy)}")
    axes.set_ylim(len(spec.methods) - 0.5, -0.5)


def _widen(axes: Axes) -> None:
    """Show at least one percentage point, so that a trifle does not look like a difference."""
    low, high = axes.get_xlim()
    missing = max(1 - (high - low), 0) / 2
    axes.set_xlim(low - missing, high + missing)


def _means(axes: Axes, spec: Spec, means: pandas.DataFrame) -> set[str]:
    """Means with intervals and what was published; returns what there was to show."""
    shown = set()
    for row, method in enumerate(spec.methods):
        values = means.loc[method.id]
        drawn = [("test_accuracy", method.marker)]
        if _differs(values):
            drawn.append(("test_accuracy_noise_off", _NOISE_OFF))
            shown.add("noise off")
        for name, marker in drawn:
            mean, low, high = (100 * value for value in interval(values, name))
            y = row + _BELOW
            drawing = axes.plot([low, high], [y, y], color=method.color, linewidth=2)
            drawing += axes.plot(mean, y, color=method.color, marker=marker, markersize=5)
            off = ", noise off" if marker == _NOISE_OFF else ""
            mark(
                method, drawing, f"{method.label}{off}: {accuracy_in_words(values, name)}, {values['seeds']:.0f} seeds"
            )
        if np.isfinite(published := float(values["published_test_accuracy"])):
            drawing = axes.plot(100 * published, row + _BELOW, **PUBLISHED)
            mark(method, drawing, f"{method.label}, published: {percent(published, 1)}")
            shown.add("published")
        if not values["seeds"] > 0:
            axes.text(0.5, row, "no finished run", transform=axes.get_yaxis_transform(), va="center", ha="center")
    return shown


def _intervals(axes: Axes, spec: Spec, means: pandas.DataFrame) -> None:
    for row, method in enumerate(spec.methods):
        values = means.loc[method.id]
        mean, low, high = (100 * value for value in interval(values, "test_accuracy"))
        if np.isfinite(low):
            drawing = axes.plot([low - mean, high - mean], [row + _BELOW] * 2, color=method.color, linewidth=2)
            drawing += axes.plot(0, row + _BELOW, color=method.color, marker=method.marker, markersize=5)
            mark(method, drawing)


def _differs(values: pandas.Series) -> bool:
    """Whether the method was evaluated with its noise on, so that noise off is another number."""
    return bool(abs(values["test_accuracy"] - values["test_accuracy_noise_off"]) > 1e-12)


def _key(figure: Figure, shown: set[str], repeated: bool) -> None:
    handles = [Line2D([], [], color=INK, marker="o", markersize=3, linestyle="")]
    width = 2 if repeated else 0
    handles += [Line2D([], [], color=INK, marker="o", markersize=5, linewidth=width)]
    labels = ["one seed", "mean and 95 % interval" if repeated else "mean"]
    if "noise off" in shown:
        handles.append(Line2D([], [], color=INK, marker=_NOISE_OFF, markersize=5, linewidth=width))
        labels.append("the same, noise off at test")
    if "published" in shown:
        handles.append(Line2D([], [], **PUBLISHED))
        labels.append("published")
    legend(figure, handles, labels, loc="outside upper left", ncols=4, columnspacing=1.3, handletextpad=0.5)


def _describe(spec: Spec, table: pandas.DataFrame, means: pandas.DataFrame) -> str:
    parts = ["Points of test accuracy, one a seed, with means and 95 % t-intervals, one row a method."]
    for method in spec.methods:
        values = means.loc[method.id]
        if not values["seeds"] > 0:
            parts.append(f"{method.label}: no finished run.")
            continue
        text = f"{method.label}: {accuracy_in_words(values, 'test_accuracy')}, {values['seeds']:.0f} seeds"
        if _differs(values):
            text += f"; with its noise off {accuracy_in_words(values, 'test_accuracy_noise_off')}"
        if np.isfinite(published := float(values["published_test_accuracy"])):
            text += f"; published {percent(published, 1)}"
        parts.append(f"{text}.")
    return " ".join(filter(None, [*parts, spec.left_out(table)]))
