"""Reliability diagrams: how often predictions of a confidence are right, a panel a method."""

import dataclasses
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import pandas
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from regatlas import runs
from regatlas.figures.style import INK, Method, Spec, legend, look, mark, note, nothing, number, percent, save_svg, wrap
from regatlas.figures.weights import finished_runs

BINS = 15  # as those of the expected calibration error
_COLUMNS = 5
_FEW = 10  # images of a bin, below which it is drawn hollow
_SHARE = 0.4  # opacity of the bars, which must be seen on a dark page, too
_TOGETHER = "\N{NO-BREAK SPACE}"


@dataclasses.dataclass(frozen=True)
class Reliability:
    """All finished seeds of a method together; arrays are [bins], NaN in an empty bin."""

    images: np.ndarray
    confidence: np.ndarray
    accuracy: np.ndarray


def reliability(paths: Iterable[Path], labels: np.ndarray) -> Reliability:
    """The predictions of these runs, sorted into equal bins of confidence, upper ends included.

    DeGroot, Fienberg 1983, "The comparison and evaluation of forecasters", The Statistician 32.

    Args:
        paths: files of finished runs, at least one.
        labels: the true class of every test image, [images].
    """
    images, confident, correct = np.zeros(BINS), np.zeros(BINS), np.zeros(BINS)
    for path in paths:
        arrays = runs.read(path).arrays
        confidence = arrays["test_confidence"].astype(np.float64)
        which = np.clip(np.ceil(confidence * BINS) - 1, 0, BINS - 1).astype(np.int64)
        images += np.bincount(which, minlength=BINS)
        confident += np.bincount(which, confidence, minlength=BINS)
        correct += np.bincount(which, arrays["test_predicted"] == labels, minlength=BINS)
    with np.errstate(invalid="ignore"):
        return Reliability(images, confident / images, correct / images)


def draw(spec: Spec, table: pandas.DataFrame, root: str | Path, labels: np.ndarray, folder: Path) -> None:
    """Write ``calibration.svg``. The test images of one run at a time are in memory.

    Args:
        spec: what to show.
        table: the frame of runs.csv, less the points that were not selected.
        root: the folder of the runs.
        labels: the true class of every test image, [images].
        folder: where the figure goes.
    """
    chosen = spec.chosen(table)
    about = spec.not_chosen(chosen)
    files = finished_runs(chosen, table, root)
    shown = {method.id: reliability(files[method.id].values(), labels) for method in chosen.methods if files[method.id]}
    methods = [method for method in chosen.methods if method.id in shown]
    texts = {method.id: _numbers(spec.finished(table), method) for method in methods}
    with look():
        columns = min(_COLUMNS, max(len(methods), 1))
        rows = -(-len(methods) // columns) or 1
        width = spec.width
        titles = {method.id: f"{wrap(method.label, 20)}\n{wrap(_whole(texts[method.id]), 24)}" for method in methods}
        lines = max((title.count("\n") + 1 for title in titles.values()), default=1)
        hollow = any(_few(shown[method.id]).any() for method in methods)
        side = (width - 0.45) / _COLUMNS - 0.17  # of a panel
        height = 0.95 + 0.2 * hollow + rows * (side + 0.2 + 0.17 * lines)
        figure = Figure(figsize=(width, height), layout="constrained")
        if methods:
            panels = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True)
            for axes, method in zip(panels.flat, methods, strict=False):
                _panel(axes, method, shown[method.id], texts[method.id])
                mark(method, axes.set_title(titles[method.id], size=7.5))
            for axes in panels.flat[len(methods) :]:
                axes.set_axis_off()
            for column in range(columns):  # the lowest panel of a column may not be in the last row
                lowest = panels[(len(methods) - 1 - column) // columns, column]
                lowest.tick_params(labelbottom=True)
                lowest.set_xlabel("confidence", fontsize=8)
            for axes in panels[:, 0]:
                axes.set_ylabel("share that is right", fontsize=8)
            _key(figure, hollow)
        else:
            nothing(figure)
        note(figure, " ".join(filter(None, [about, spec.left_out(table)])), 100, above=True)
        title = "Calibration"
        description = _describe(methods, shown, texts, about, spec.left_out(table))
        save_svg(figure, Path(folder) / "calibration.svg", title, description)


def _numbers(finished: pandas.DataFrame, method: Method) -> str:
    mine = finished[finished["method"] == method.id]
    names = {"test_ece": "ECE", "test_nll": "NLL", "test_brier": "Brier"}
    means = {text: float(mine[name].mean()) for name, text in names.items() if name in mine}
    return ", ".join(f"{text} {number(value, 2)}" for text, value in means.items() if np.isfinite(value))


def _whole(text: str) -> str:
    """A text whose lines break after a comma alone, not between a name and its number."""
    return text.replace(" ", _TOGETHER).replace(f",{_TOGETHER}", ", ")


def _panel(axes: Axes, method: Method, mine: Reliability, text: str) -> None:
    axes.plot([0, 1], [0, 1], color=INK, linewidth=0.8, alpha=0.5, linestyle=(0, (4, 2)))
    share = mine.images / mine.images.sum()
    there = mine.images > 0
    line = axes.plot(mine.confidence[there], mine.accuracy[there], color=method.color, linewidth=1.2)
    mark(method, line, f"{method.label}: {text}")
    for index in np.flatnonzero(there):
        low, high = index / BINS, (index + 1) / BINS
        bar = axes.bar((low + high) / 2, share[index], 1 / BINS, color=method.color, alpha=_SHARE, linewidth=0)
        tip = f"{method.label}: {percent(share[index])} of the images have a confidence from {low:.2f} to {high:.2f}"
        mark(method, bar.patches, tip)
        face = "none" if _few(mine)[index] else method.color
        point = {"color": method.color, "marker": "o", "markersize": 3, "markerfacecolor": face, "linestyle": ""}
        x, y = mine.confidence[index], mine.accuracy[index]
        tip = f"{method.label}: of {mine.images[index]:,.0f} with confidence {x:.2f}, {y:.2f} are right"
        mark(method, axes.plot(x, y, **point), tip)
    axes.set(xlim=(0, 1), ylim=(0, 1.02), aspect="equal")
    axes.set_xticks([0, 0.5, 1], ["0", "0.5", "1"])
    axes.set_yticks([0, 0.5, 1], ["0", "0.5", "1"])
    axes.tick_params(labelsize=7.5, length=2)


def _few(mine: Reliability) -> np.ndarray:
    """The bins whose share says little, [bins]."""
    return (mine.images > 0) & (mine.images < _FEW)


def _key(figure: Figure, hollow: bool) -> None:
    handles = [
        Line2D([], [], color=INK, marker="o", markersize=3, linewidth=1.2),
        Line2D([], [], color=INK, linewidth=0.8, alpha=0.5, linestyle=(0, (4, 2))),
        Patch(facecolor=INK, alpha=_SHARE, linewidth=0),
    ]
    labels = ["share that is right, all seeds", "as confident as right", "share of the images"]
    if hollow:
        handles.insert(1, Line2D([], [], color=INK, marker="o", markersize=3, markerfacecolor="none", linestyle=""))
        labels.insert(1, f"the same of fewer than {_FEW} images")
    legend(figure, handles, labels, loc="outside lower left", ncols=2 if hollow else 3)


def _describe(
    methods: list[Method], shown: Mapping[str, Reliability], texts: Mapping[str, str], about: str, lost: str
) -> str:
    parts = [f"Reliability diagrams, a panel a method: the share of right predictions over {BINS} bins of confidence."]
    for method in methods:
        mine = shown[method.id]
        gap = np.nansum(mine.images * (mine.confidence - mine.accuracy)) / mine.images.sum()
        side = "more" if gap > 0 else "less"
        parts.append(f"{method.label}: {texts[method.id]}; {side} confident than right by {abs(gap):.3f} on average.")
    return " ".join(filter(None, [*parts, about, lost]))
