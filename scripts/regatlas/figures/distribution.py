"""How the weights of each method are distributed: on one scale for all, and each on its own."""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from regatlas import tables
from regatlas.figures.style import INK, Method, Spec, look, mark, note, nothing, number, plain_ticks, save_svg, wrap
from regatlas.figures.weights import finished_runs, first_kernel

COLUMNS = ["method", "weights", "smallest", "low", "high", "largest", "stddev"]  # 99 % lie between low and high
_BINS_SHARED, _BINS_OWN = 121, 81


@dataclasses.dataclass(frozen=True)
class Pool:
    """A method's first-layer weights, all finished seeds together: what is shown of them, not the weights."""

    count: int
    ends: tuple[float, float]
    middle: tuple[float, float]  # the quantiles between which 99 % lie
    deviation: float
    shares: np.ndarray  # per cent of each bin on the method's own scale
    hidden: bool


def draw(spec: Spec, table: pandas.DataFrame, root: str | Path, folder: Path) -> None:
    """Write ``weight_distribution.svg``, histograms of the first-layer weights, all finished seeds pooled, and what
    ``weight_distribution.csv`` says of them in numbers.

    The weights of one method at a time are in memory.

    Args:
        spec: what to show.
        table: the frame of runs.csv, less the points that were not selected.
        root: the folder of the runs.
        folder: where the figure goes.
    """
    chosen = spec.chosen(table)
    files = finished_runs(chosen, table, root)
    pools = {method: _pool(paths.values()) for method, paths in files.items() if paths}
    shown = [method for method in chosen.methods if method.id in pools]
    layer = "first-layer weights" if any(pool.hidden for pool in pools.values()) else "weights"
    about = " ".join(filter(None, [spec.not_chosen(chosen), spec.left_out(table)]))
    with look():
        figure = Figure(figsize=(spec.width, 0.6 + 1.05 * max(len(shown), 1)), layout="constrained")
        if shown:
            ends = min(pool.ends[0] for pool in pools.values()), max(pool.ends[1] for pool in pools.values())
            shared = {
                method.id: _shares(_weights(files[method.id].values())[0], ends, _BINS_SHARED)
                for method in shown
                if len(shown) > 1
            }
            _panels(figure, shown, pools, shared, ends, layer)
        else:
            nothing(figure)
        note(figure, about, 100)
        title = f"Distribution of the {layer}"
        path = Path(folder) / "weight_distribution.svg"
        save_svg(figure, path, title, _describe(shown, pools, layer, about))
    rows = [
        (method.id, pool.count, pool.ends[0], *pool.middle, pool.ends[1], pool.deviation)
        for method, pool in ((method, pools[method.id]) for method in shown)
    ]
    tables.write_csv(path.with_suffix(".csv"), pandas.DataFrame(rows, columns=COLUMNS))


def _weights(paths: Iterable[Path]) -> tuple[np.ndarray, bool]:
    """The first-layer weights of all these runs, float64, and whether they lead to hidden units."""
    kernels, hidden = zip(*map(first_kernel, paths), strict=True)
    return np.concatenate([kernel.ravel() for kernel in kernels]).astype(np.float64), any(hidden)


def _pool(paths: Iterable[Path]) -> Pool:
    weights, hidden = _weights(paths)
    ends = float(weights.min()), float(weights.max())
    low, high = np.quantile(weights, (0.005, 0.995))
    shares = _shares(weights, ends, _BINS_OWN)
    return Pool(len(weights), ends, (float(low), float(high)), float(weights.std()), shares, hidden)


def _shares(weights: np.ndarray, ends: tuple[float, float], bins: int) -> np.ndarray:
    """Per cent of the weights in each of ``bins`` equal bins."""
    return 100 * np.histogram(weights, _edges(ends, bins))[0] / len(weights)


def _edges(ends: tuple[float, float], bins: int) -> np.ndarray:
    return np.linspace(*(ends if ends[0] < ends[1] else _padded(ends)), bins + 1)


def _panels(
    figure: Figure,
    shown: Sequence[Method],
    pools: Mapping[str, Pool],
    shared: Mapping[str, np.ndarray],
    ends: tuple[float, float],
    layer: str,
) -> None:
    columns = 2 if len(shown) > 1 else 1
    grid = figure.subplots(len(shown), columns, squeeze=False, sharey=True)
    fewest = 100 / max(pool.count for pool in pools.values())
    for index, (row, method) in enumerate(zip(grid, shown, strict=True)):
        pool = pools[method.id]
        if columns == 2:
            _histogram(row[0], method, shared[method.id], _edges(ends, _BINS_SHARED), pool.ends)
            row[0].set_xlim(*_padded(ends))
            row[0].tick_params(labelbottom=index == len(shown) - 1)
        _histogram(row[-1], method, pool.shares, _edges(pool.ends, _BINS_OWN), pool.ends)
        row[-1].set_xlim(*_padded(pool.ends))
        row[-1].set_title(f"min {number(pool.ends[0])}, max {number(pool.ends[1])}", loc="right", size=8)
        mark(method, row[0].set_title(wrap(method.label, 42), size=9))
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


def _histogram(
    axes: Axes, method: Method, shares: np.ndarray, edges: np.ndarray, extremes: tuple[float, float]
) -> None:
    drawn = [
        axes.stairs(shares, edges, fill=True, color=method.color, linewidth=0, alpha=0.45),
        axes.stairs(shares, edges, color=method.color, linewidth=0.8),
    ]
    axes.set_yscale("log")
    drawn += axes.plot(
        extremes, [0, 0], "|", color=INK, markersize=9, clip_on=False, transform=axes.get_xaxis_transform()
    )
    mark(method, drawn, f"{method.label}: from {number(extremes[0])} to {number(extremes[1])}")


def _padded(ends: tuple[float, float]) -> tuple[float, float]:
    margin = 0.03 * (ends[1] - ends[0]) or 0.03 * abs(ends[1]) or 0.03
    return ends[0] - margin, ends[1] + margin


def _describe(shown: Sequence[Method], pools: Mapping[str, Pool], layer: str, about: str) -> str:
    parts = [f"Histograms of the {layer}, all seeds together, logarithmic counts, one row a method."]
    for method in shown:
        pool = pools[method.id]
        (low, high), (lowest, highest) = pool.middle, pool.ends
        parts.append(
            f"{method.label}: {pool.count:,} weights, min {number(lowest)}, max {number(highest)}, "
            f"99 % of them from {number(low)} to {number(high)}, standard deviation {number(pool.deviation)}."
        )
    return " ".join(filter(None, [*parts, about]))
