"""Data-size paths: test accuracy against the number of training images, for methods that differ in it alone."""

import dataclasses
import itertools
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from regatlas.figures.style import (
    Method,
    Spec,
    line_legend,
    look,
    mark,
    note,
    nothing,
    percent,
    plain_ticks,
    save_svg,
    with_interval,
    within_percent,
)
from regatlas.statistics import t_interval

_PANELS = (("test_accuracy", "Test accuracy (%)"), ("accuracy_gap", "Training minus test accuracy (points)"))


def draw(spec: Spec, table: pandas.DataFrame, families: list[list[str]], folder: Path) -> None:
    """Write ``data_sizes.svg``: means over seeds with 95 % t intervals, a line a family of methods.

    Args:
        spec: what to show.
        table: the frame of runs.csv, less the points that were not selected.
        families: ids of methods that differ in the number of training images alone; a line has the look of its first.
        folder: where the figure goes.
    """
    finished = spec.finished(table).copy()
    finished["accuracy_gap"] = finished["train_accuracy"] - finished["test_accuracy"]
    methods = {method.id: method for method in spec.methods}
    lines = [(_family([methods[name] for name in family]), _line(finished, family)) for family in families]
    lines = [(method, line) for method, line in lines if len(line)]
    with look():
        figure = Figure(figsize=(spec.width, 3.2), layout="constrained")
        if lines:
            for axes, (name, label) in zip(figure.subplots(1, len(_PANELS)), _PANELS, strict=True):
                for method, line in lines:
                    _draw(axes, method, line, name)
                _axes(axes, np.unique(np.concatenate([line["train_size"].to_numpy(float) for _, line in lines])))
                axes.set_ylabel(label)
            line_legend(figure, [method for method, _ in lines])
        else:
            nothing(figure)
        note(figure, spec.left_out(table), 100, above=True)
        title = "Accuracy against the number of training images"
        save_svg(figure, Path(folder) / "data_sizes.svg", title, _describe(lines))


def _family(methods: Sequence[Method]) -> Method:
    """The first of these methods, called by the words that the labels of all begin with, if there are any."""
    labels = [method.label for method in methods]
    alike = itertools.takewhile(lambda letters: len(set(letters)) == 1, zip(*labels, strict=False))
    common = "".join(letters[0] for letters in alike)
    if common not in labels:  # it may end within a word or a number
        common = common.rpartition(" ")[0].rstrip(" ,;:([/-")
    return dataclasses.replace(methods[0], label=common or labels[0])


def _line(finished: pandas.DataFrame, family: list[str]) -> pandas.DataFrame:
    """A row a size: ``train_size``, and mean, low and high of each quantity."""
    rows = []
    for size, mine in finished[finished["method"].isin(family)].groupby("train_size"):
        row = {"train_size": int(size)}
        for name, _ in _PANELS:
            row |= dict(zip((name, f"{name}_low", f"{name}_high"), t_interval(mine[name]), strict=True))
        rows.append(row)
    return pandas.DataFrame(rows)


def _draw(axes: Axes, method: Method, line: pandas.DataFrame, name: str) -> None:
    sizes = line["train_size"].to_numpy(float)
    mean, low, high = (100 * line[f"{name}{end}"].to_numpy(float) for end in ("", "_low", "_high"))
    if name == "test_accuracy":
        low, high = within_percent(low, high)
    unit = " %" if name == "test_accuracy" else " points"
    said = [
        f"{with_interval(*values, '{:.2f}'.format, unit)} with {size:,.0f} images"
        for size, *values in zip(sizes, mean, low, high, strict=True)
    ]
    drawn = axes.plot(sizes, mean, color=method.color, linestyle=method.dash)
    if np.isfinite(low).any():
        drawn.append(axes.fill_between(sizes, low, high, color=method.color, alpha=0.2, linewidth=0))
    mark(method, drawn, f"{method.label}: {'; '.join(said)}")
    for size, value, text in zip(sizes, mean, said, strict=True):
        point = axes.plot(size, value, color=method.color, marker=method.marker, markersize=5)
        mark(method, point, f"{method.label}: {text}")


def _axes(axes: Axes, sizes: np.ndarray) -> None:
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(FixedLocator(sizes))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.tick_params(axis="x", labelrotation=30 if len(sizes) > 4 else 0)
    axes.set_xlabel("Training images")
    plain_ticks(axes.yaxis)


def _describe(lines: list[tuple[Method, pandas.DataFrame]]) -> str:
    parts = ["Lines of test accuracy, and of its gap to training accuracy, against the number of training images."]
    for method, line in lines:
        points = (f"{percent(row.test_accuracy)} with {row.train_size:,}" for row in line.itertuples())
        parts.append(f"{method.label}: {', '.join(points)}.")
    return " ".join(parts)
