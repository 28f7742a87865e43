"""Learning curves: test accuracy and training loss against the step, early and over the whole run."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

from regatlas.figures.style import (
    Method,
    Spec,
    line_legend,
    look,
    mark,
    note,
    nothing,
    number,
    percent,
    plain_ticks,
    save_svg,
    with_interval,
    wrap,
)
from regatlas.statistics import t_interval

_EARLY = 0.05  # of the steps
_SETTLED = 0.1  # of the steps: what comes before is not counted for the range of the whole run's axis
_LEADER = 16  # points from a line's end to its label
_SHIFT = 22  # points that a label may be moved from its line's end
_OTHER = "#8a8a8a"
_QUANTITIES = (("test_accuracy", "Test accuracy (%)"), ("train_loss", "Training loss"))


def draw(spec: Spec, table: pandas.DataFrame, curves: pandas.DataFrame, folder: Path) -> None:
    """Write ``learning_curves.svg``: means of the finished runs, with 95 % t-intervals over seeds as bands.

    Args:
        spec: what to show.
        table: the frame of runs.csv, less the points that were not selected.
        curves: the frame of curves.csv.
        folder: where the figure goes.
    """
    run = ["method", "seed", "point"]
    numbers = dict.fromkeys(run[1:], "int64")
    curves = curves.astype(numbers).merge(spec.finished(table)[run].astype(numbers), on=run)
    chosen = spec.chosen(table)
    by_method = dict(iter(curves.groupby("method")))
    bands = {(m, name): _band(by_method[m], name) for m in chosen.ids & by_method.keys() for name, _ in _QUANTITIES}
    bands = {key: band for key, band in bands.items() if len(band)}
    shown = [method for method in chosen.methods if (method.id, "test_accuracy") in bands]
    others = [
        mine.groupby("step").mean(numeric_only=True) for method, mine in by_method.items() if method not in chosen.ids
    ]
    about = spec.not_chosen(chosen)
    about += " Grey: the means of the others." if about else ""
    title = "Learning curves"
    with look():
        figure = Figure(figsize=(spec.width, 4.6), layout="constrained")
        if shown:
            _panels(figure, shown, bands, others)
        else:
            nothing(figure)
        note(figure, " ".join(filter(None, [about, spec.left_out(table)])), 100, above=bool(figure.legends))
        description = _describe(spec, table, shown, bands, about)
        save_svg(figure, Path(folder) / "learning_curves.svg", title, description)


def _band(mine: pandas.DataFrame, name: str) -> np.ndarray:
    """Step, mean, low and high, one row an evaluation; [evaluations, 4], NaN where there is no interval."""
    mine = mine.dropna(subset=[name])
    rows = [(step, *t_interval(values)) for step, values in mine.groupby("step")[name]]
    band = np.array(rows, dtype=np.float64).reshape(-1, 4)
    if name == "test_accuracy":  # of few seeds the t interval may leave what an accuracy can be
        band[:, 2:] = np.clip(band[:, 2:], 0, 1)
    return band


def _panels(
    figure: Figure,
    shown: Sequence[Method],
    bands: dict[tuple[str, str], np.ndarray],
    others: Sequence[pandas.DataFrame],
) -> None:
    last = max(band[-1, 0] for band in bands.values())
    steps = np.unique(np.concatenate([band[:, 0] for band in bands.values()]))
    early = max(_EARLY * last, steps[min(4, len(steps) - 1)])
    # of few evaluations the beginning has no part of its own, and belongs to the whole run's range
    parts = [(0, early), (_SETTLED * last, last)] if early < last else [(0, last)]
    grid = figure.subplots(2, len(parts), width_ratios=(1, 1.7)[-len(parts) :], sharex="col", squeeze=False)
    for axes_row, (name, label) in zip(grid, _QUANTITIES, strict=True):
        scale = 100 if name == "test_accuracy" else 1
        drawn = [(method, bands[method.id, name] * (1, scale, scale, scale)) for method in shown]
        tips = {method.id: _said(method, band[-1], name == "test_accuracy") for method, band in drawn}
        for axes, (start, end) in zip(axes_row, parts, strict=True):
            for means in others:
                axes.plot(means.index, scale * means[name], color=_OTHER, linewidth=0.6, alpha=0.5)
            for method, band in drawn:
                _line(axes, method, band, tips[method.id])
            inside = [band[(band[:, 0] >= start) & (band[:, 0] <= end), 1:] for _, band in drawn]
            _range(axes, np.concatenate(inside), logarithmic=name == "train_loss")
            axes.set_xlim(0, end)
        for method, band in drawn:  # where lines end, and nowhere else, so that markers hide no line
            end_style = {"color": method.color, "marker": method.marker, "markersize": 5}
            end = axes_row[-1].plot(band[-1:, 0], band[-1:, 1], clip_on=False, zorder=5, **end_style)
            mark(method, end, tips[method.id])
        axes_row[0].set_ylabel(label)
    if len(parts) > 1:
        grid[0, 0].set_title(f"The first {100 * early / last:.0f} % of the steps")
    grid[0, -1].set_title("The whole run")
    for axes in grid[1]:
        axes.set_xlabel("Training step")
        axes.xaxis.set_major_locator(MaxNLocator(5 if axes is grid[1, -1] else 4, steps=[1, 2, 2.5, 5, 10]))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda step, _: f"{step:,.0f}"))
    _label(figure, grid[0, -1], [(method, bands[method.id, "test_accuracy"][-1, 1] * 100) for method in shown])


def _line(axes: Axes, method: Method, band: np.ndarray, tip: str) -> None:
    steps, mean, low, high = band.T
    mark(method, axes.plot(steps, mean, color=method.color, linestyle=method.dash), tip)
    if np.isfinite(low).any():
        mark(method, axes.fill_between(steps, low, high, color=method.color, alpha=0.22, linewidth=0), tip)


def _said(method: Method, end: np.ndarray, accuracy: bool) -> str:
    """The last of a line's values in words."""
    form, unit = ("{:.2f}".format, " %") if accuracy else (number, "")
    return f"{method.label}: {with_interval(*end[1:], form, unit)} at step {end[0]:,.0f}"


def _range(axes: Axes, values: np.ndarray, logarithmic: bool) -> None:
    """Limits that just hold ``values``; a logarithmic axis only if they span a factor of 10."""
    values = values[np.isfinite(values)]
    if not len(values):
        return
    low, high = values.min(), values.max()
    if logarithmic and low > 0 and high > 10 * low:
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_minor_locator(NullLocator())
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: number(value, 1)))
        axes.set_ylim(low / (high / low) ** 0.05, high * (high / low) ** 0.05)
    else:
        margin = 0.05 * (high - low) or 0.05 * abs(high) or 1.0
        axes.set_ylim(low - margin, high + margin)
        plain_ticks(axes.yaxis)


def _label(figure: Figure, axes: Axes, ends: Sequence[tuple[Method, float]]) -> None:
    """Name the lines at their ends, or in a legend below where the names would not find room there."""
    names = [wrap(method.label, 18) for method, _ in ends]
    texts = [
        axes.annotate(
            name,
            (1, end),
            (_LEADER + 4, 0),
            ("axes fraction", "data"),
            "offset points",
            va="center",
            size=8.5,
        )
        for name, (_, end) in zip(names, ends, strict=True)
    ]
    for (method, _), text in zip(ends, texts, strict=True):
        mark(method, text)
    figure.draw_without_rendering()
    points = 72 / figure.dpi
    middles = axes.transData.transform([(0, end) for _, end in ends])[:, 1] * points
    heights = np.array([text.get_window_extent().height * points + 3 for text in texts])
    places = spread(middles, heights)
    box = axes.get_window_extent()
    inside = places.max() <= box.y1 * points + 8 and places.min() >= box.y0 * points - 8
    if inside and np.abs(places - middles).max() <= _SHIFT:
        for text, (method, end), shift in zip(texts, ends, places - middles, strict=True):
            text.set_position((_LEADER + 4, shift))
            line = {"arrowstyle": "-", "color": method.color, "linewidth": 0.8, "shrinkA": 0, "shrinkB": 4}
            leader = axes.annotate(
                "",
                (1, end),
                (_LEADER + 1, shift),
                ("axes fraction", "data"),
                "offset points",
                arrowprops=line,
            )
            mark(method, leader.arrow_patch)
        return
    for text in texts:
        text.remove()
    box = line_legend(figure, [method for method, _ in sorted(ends, key=lambda pair: -pair[1])])
    box.set_title("Highest final accuracy first", {"size": 8.5})
    box.set_alignment("left")


def spread(middles: np.ndarray, heights: np.ndarray) -> np.ndarray:
    """Places near ``middles`` where labels of these heights do not overlap: groups that touch are centred."""
    order = np.argsort(middles, kind="stable")
    groups: list[list[int]] = []
    places = np.array(middles, dtype=np.float64)
    for index in order:
        groups.append([index])
        while True:
            group = groups[-1]
            offsets = np.cumsum(heights[group]) - heights[group] / 2
            bottom = np.mean(middles[group] - offsets)
            places[group] = bottom + offsets
            if len(groups) == 1:
                break
            below = groups[-2][-1]
            if places[below] + heights[below] / 2 <= bottom:
                break
            groups[-2:] = [groups[-2] + group]
    return places


def _describe(
    spec: Spec, table: pandas.DataFrame, shown: Sequence[Method], bands: dict[tuple[str, str], np.ndarray], about: str
) -> str:
    parts = ["Lines of test accuracy and training loss against the training step, one line a method.", about]
    seeds = spec.finished(table).groupby("method")["seed"].nunique()
    if len(seeds) and seeds.max() > 1:
        parts.append("Lines are means over seeds, bands 95 % t-intervals.")
    for method in shown:
        accuracy, loss = bands[method.id, "test_accuracy"], bands.get((method.id, "train_loss"))
        middle = accuracy[np.searchsorted(accuracy[:, 0], accuracy[-1, 0] * _EARLY)]
        text = (
            f"{method.label}: {percent(middle[1])} at step {middle[0]:,.0f}, "
            f"{percent(accuracy[-1, 1])} at step {accuracy[-1, 0]:,.0f}"
        )
        parts.append(f"{text}, training loss then {number(loss[-1, 1])}." if loss is not None else f"{text}.")
    return " ".join(filter(None, [*parts, spec.left_out(table)]))
