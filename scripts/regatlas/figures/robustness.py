"""Robustness paths: accuracy on corrupted test images against the severity, a panel a corruption."""

from pathlib import Path

import numpy as np
import pandas
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

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
    within_percent,
    wrap,
)
from regatlas.statistics import t_interval

_ACROSS = 4  # panels beside each other


def draw(spec: Spec, table: pandas.DataFrame, robustness: pandas.DataFrame, folder: Path) -> None:
    """Write ``robustness.svg``: means over seeds with 95 % t intervals.

    Args:
        spec: what to show.
        table: the frame of runs.csv, less the points that were not selected; the clean images are severity 0.
        robustness: the frame of robustness.csv.
        folder: where the figure goes.
    """
    chosen = spec.chosen(table)
    about = spec.not_chosen(chosen)
    mine = robustness[robustness["method"].isin(chosen.ids)]
    clean = chosen.finished(table).groupby("method")["test_accuracy"].apply(t_interval)
    shown = [method for method in chosen.methods if (mine["method"] == method.id).any()]
    corruptions = list(dict.fromkeys(mine["corruption"]))
    with look():
        lines = -(-len(corruptions) // _ACROSS) or 1
        figure = Figure(figsize=(spec.width, 0.9 + 1.6 * lines), layout="constrained")
        if shown:
            panels = figure.subplots(lines, min(_ACROSS, len(corruptions)), squeeze=False, sharex=True, sharey=True)
            for axes, corruption in zip(panels.flat, corruptions, strict=False):
                axes.set_title(wrap(str(corruption).replace("_", " ").capitalize(), 24), size=8.5)
                these = mine[mine["corruption"] == corruption]
                for method in shown:
                    _line(axes, method, these[these["method"] == method.id], clean.get(method.id))
                axes.xaxis.set_major_locator(MaxNLocator(integer=True))
                plain_ticks(axes.yaxis)
            for axes in panels.flat[len(corruptions) :]:
                axes.set_axis_off()
            for axes in panels[-1]:
                axes.set_xlabel("Severity", fontsize=8)
            for axes in panels[:, 0]:
                axes.set_ylabel("Test accuracy (%)", fontsize=8)
            line_legend(figure, shown)
        else:
            nothing(figure)
        note(figure, " ".join(filter(None, [about, spec.left_out(table)])), 100, above=True)
        title = "Accuracy on corrupted test images"
        save_svg(figure, Path(folder) / "robustness.svg", title, _describe(shown, mine, about))


def _line(axes: Axes, method: Method, these: pandas.DataFrame, clean: tuple[float, float, float] | None) -> None:
    points = [(float(severity), *t_interval(values)) for severity, values in these.groupby("severity")["accuracy"]]
    if clean is not None:
        points.insert(0, (0.0, *clean))
    if not points:
        return
    severity, mean, low, high = np.array(points).T * np.array([[1], [100], [100], [100]])
    low, high = within_percent(low, high)
    style = {"color": method.color, "linestyle": method.dash, "marker": method.marker, "markersize": 3.5}
    said = ", ".join(f"{value:.1f} % at {place:g}" for place, value in zip(severity, mean, strict=True))
    mark(method, axes.plot(severity, mean, linewidth=1.2, **style), f"{method.label}: {said}")
    if np.isfinite(low).any():
        mark(method, axes.fill_between(severity, low, high, color=method.color, alpha=0.15, linewidth=0))


def _describe(shown: list[Method], mine: pandas.DataFrame, about: str) -> str:
    parts = ["Lines of accuracy against the severity of corruptions of the test images, a panel a corruption."]
    for method in shown:
        these = mine[mine["method"] == method.id]
        means = these.groupby("corruption", sort=False)["accuracy"].mean()
        worst = str(means.idxmin()).replace("_", " ")
        parts.append(
            f"{method.label}: {percent(means.mean(), 1)} over all, least with {worst} ({percent(means.min(), 1)})."
        )
    return " ".join(filter(None, [*parts, about]))
