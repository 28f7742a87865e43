"""How the weights of each method are distributed: on one scale for all, and each on its own."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas
import seaborn
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from regatlas.figures.style import INK, Method, Spec, look, note, number, plain_ticks, save_svg, wrap
from regatlas.figures.weights import read_kernels

_BINS_SHARED, _BINS_OWN = 121, 81


def draw(spec: Spec, table: pandas.DataFrame, root: str | Path, folder: Path) -> None:
    """Write ``weight_distribution.svg``: histograms of the first-layer weights, all finished seeds pooled.

    Args:
        spec: what to show.
        table: the frame of runs.csv, less the points that were not selected.
        root: the folder of the runs.
        folder: where the figure goes.
    """
    kernels, hidden = read_kernels(spec, table, root)
    pooled = {
        method: np.concatenate([kernel.ravel() for kernel in mine.values()]).astype(np.float64)
        for method, mine in kernels.items()
        if mine
    }
    shown = [method for method in spec.methods if method.id in pooled]
    layer = "first-layer weights" if hidden else "weights"
    with look():
        figure = Figure(figsize=(spec.width or 6.2, 0.6 + 1.05 * max(len(shown), 1)), layout="constrained")
        if shown:
            _panels(figure, shown, pooled, layer)
        else:
            figure.text(0.5, 0.5, "no finished run", ha="center", style="italic")
        note(figure, spec.left_out(table), 100)
        title = spec.title or f"Distribution of the {layer}"
        path = Path(folder) / "weight_distribution.svg"
        save_svg(figure, path, title, _describe(spec, table, shown, pooled, layer))


def _panels(figure: Figure, shown: Sequence[Method], pooled: dict[str, np.ndarray], layer: str) -> None:
    columns = 2 if len(shown) > 1 else 1
    grid = figure.subplots(len(shown), columns, squeeze=False, sharey=True)
    ends = (
        min(weights.min() for weights in pooled.values()),
        max(weights.max() for weights in pooled.values()),
    )
    fewest = 100 / max(len(weights) for weights in pooled.values())
    for index, (row, method) in enumerate(zip(grid, shown, strict=True)):
        weights = pooled[method.id]
        if columns == 2:
            _histogram(row[0], method, weights, ends, _BINS_SHARED)
            row[0].set_xlim(*_padded(ends))
            row[0].tick_params(labelbottom=index == len(shown) - 1)
        own = (weights.min(), weights.max())
        _histogram(row[-1], method, weights, own, _BINS_OWN)
        row[-1].set_xlim(*_padded(own))
        row[-1].set_title(f"min {number(own[0])}, max {number(own[1])}", loc="right", size=8)
        row[0].set_title(wrap(method.label, 42), size=9)
        row[0].set_ylim(fewest / 2, 200)
    for axes in grid.flat:
        axes.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 2.5, 5, 10]))
        plain_ticks(axes.xaxis)
        axes.yaxis.set_major_locator(FixedLocator([0.001, 0.1, 10]))
        axes.yaxis.set_minor_locator(NullLocator())
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    kind = layer.removesuffix("s").capitalize()
    grid[-1, 0].set_xlabel(f"{kind}, one scale for all" if columns == 2 else kind)
    if columns == 2:
        grid[-1, 1].set_xlabel(f"{kind}, a scale for each")
    figure.supylabel("Share per bin (%)", fontsize=9)


def _histogram(axes: Axes, method: Method, weights: np.ndarray, ends: tuple[float, float], bins: int) -> None:
    low, high = ends if ends[0] < ends[1] else _padded(ends)
    seaborn.histplot(
        x=weights,
        bins=np.linspace(low, high, bins + 1),
        stat="percent",
        element="step",
        color=method.color,
        linewidth=0.8,
        alpha=0.45,
        ax=axes,
    )
    axes.set(xlabel="", ylabel="", yscale="log")
    extremes = [weights.min(), weights.max()]
    axes.plot(extremes, [0, 0], "|", color=INK, markersize=9, clip_on=False, transform=axes.get_xaxis_transform())


def _padded(ends: tuple[float, float]) -> tuple[float, float]:
    margin = 0.03 * (ends[1] - ends[0]) or 0.03 * abs(ends[1]) or 0.03
    return ends[0] - margin, ends[1] + margin


def _describe(
    spec: Spec, table: pandas.DataFrame, shown: Sequence[Method], pooled: dict[str, np.ndarray], layer: str
) -> str:
    parts = [f"Histograms of the {layer}, all seeds together, logarithmic counts, one row a method."]
    for method in shown:
        weights = pooled[method.id]
        low, high = np.quantile(weights, (0.005, 0.995))
        parts.append(
            f"{method.label}: {len(weights):,} weights, min {number(weights.min())}, max {number(weights.max())}, "
            f"99 % of them from {number(low)} to {number(high)}, standard deviation {number(weights.std())}."
        )
    return " ".join(filter(None, [*parts, spec.left_out(table)]))
