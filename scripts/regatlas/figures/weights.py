"""Weight images: for each method, the weights from every pixel to each output class, as pictures."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import matplotlib
import numpy as np
import pandas
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.patches import Rectangle

from regatlas import runs
from regatlas.figures.style import Method, Spec, look, mark, number, save_png, save_svg, wrap

UNITS = 10  # of a hidden layer, that are shown
CLASSES = 20  # of a one-layer network, that are shown at most
_QUANTILE = 0.995  # of |weight|, where colours saturate: single weights would leave the rest pale
_NEVER_LIT = (0x8A, 0x8A, 0x8A, 255)
_COLORS = "RdBu_r"  # red above 0, blue below: safe for colour-blind readers
_GAP, _LINE = 0.04, 0.15  # inches: between images, a line of text


@dataclasses.dataclass(frozen=True)
class Row:
    """A method's first-layer weights, [pixels, units], or None if no run finished."""

    weights: np.ndarray | None
    remark: str = ""

    def limit(self, lit: np.ndarray) -> float:
        """Where colours saturate: a quantile of the sizes of the weights of pixels that are ever on.

        It is rounded up to an even second digit, so that half of it is short as well.
        """
        if self.weights is None:
            return 0.0
        sizes = np.abs(self.weights[lit] if lit.any() else self.weights)
        limit = float(np.quantile(sizes, _QUANTILE)) or float(sizes.max())
        if not limit:
            return 1.0
        unit = 2 * 10.0 ** (np.floor(np.log10(limit)) - 1)
        return float(np.ceil(limit / unit - 1e-9) * unit)

    def extremes(self) -> str:
        """The smallest and the largest weight, as text; '' without weights."""
        if self.weights is None:
            return ""
        return f"min {number(float(self.weights.min()))}, max {number(float(self.weights.max()))}"


def finished_runs(spec: Spec, table: pandas.DataFrame, root: str | Path) -> dict[str, dict[int, Path]]:
    """The files of the finished runs by method and seed."""
    files: dict[str, dict[int, Path]] = {method.id: {} for method in spec.methods}
    for row in spec.finished(table).itertuples():
        files[row.method][int(row.seed)] = runs.path(root, row.regularizer, row.digest, row.seed)
    return files


def first_kernel(path: Path) -> tuple[np.ndarray, bool]:
    """A run's first-layer weights, and whether they lead to hidden units."""
    layers = runs.read(path).kernels
    return layers[0], len(layers) > 1


def _rows(spec: Spec, files: dict[str, dict[int, Path]]) -> tuple[list[Row], list[Row], bool]:
    """The rows of ``spec.seed``, those of the means over seeds, and whether the weights lead to hidden units.

    Where the run of ``spec.seed`` did not finish, the first seed that did stands in, and the row says so. Of all
    other runs one at a time is in memory, and none where there is no mean.
    """
    one, mean, any_hidden = [], [], False
    for method in spec.methods:
        mine = files[method.id]
        if not mine:
            one.append(Row(None, "no finished run"))
            mean.append(Row(None, "no finished run"))
            continue
        seed = spec.seed if spec.seed in mine else min(mine)
        kernel, hidden = first_kernel(mine[seed])
        any_hidden |= hidden
        one.append(Row(kernel, "" if seed == spec.seed else f"seed {seed}, as {spec.seed} did not finish"))
        total = np.zeros(kernel.shape)
        for other in [] if hidden else mine:
            total += kernel if other == seed else first_kernel(mine[other])[0]
        mean.append(Row(total / len(mine), f"{len(mine)} seed{'s' if len(mine) > 1 else ''}"))
    return one, mean, any_hidden


def draw(
    spec: Spec,
    table: pandas.DataFrame,
    root: str | Path,
    never_lit: np.ndarray,
    shape: Sequence[int],
    folder: Path,
) -> None:
    """Write the four weight figures, each as SVG and PNG.

    Args:
        spec: what to show.
        table: the frame of runs.csv, less the points that were not selected.
        root: the folder of the runs.
        never_lit: bool, [pixels], the pixels that are on in no training image.
        shape: height and width of an image, in pixels.
        folder: where the figures go.
    """
    chosen = spec.chosen(table)
    about, spec = spec.not_chosen(chosen), chosen
    one, mean, hidden = _rows(spec, finished_runs(spec, table, root))
    for kind, rows in (("one_seed", one), ("mean", mean)):
        limits = [row.limit(~never_lit) for row in rows]
        for scale, row_limits in (("shared", [max(limits)] * len(rows)), ("own", limits)):
            which = f"raw weights of seed {spec.seed}" if kind == "one_seed" else "mean of the raw weights over seeds"
            on = "one colour scale for all methods" if scale == "shared" else "a colour scale for each method"
            title = f"Weight images ({which}, {on})"
            with look():
                if hidden and kind == "mean":
                    figure = _no_mean(spec)
                    description = _NO_MEAN
                else:
                    picture = _Picture(
                        spec, rows, row_limits, never_lit, shape, hidden, scale == "shared", which, about
                    )
                    figure = picture.figure
                    description = f"{_describe(spec, rows, row_limits, never_lit, hidden, which)} {about}".strip()
                stem = Path(folder) / f"weights_{scale}_scale_{kind}"
                save_svg(figure, stem.with_suffix(".svg"), title, description)
                save_png(figure, stem.with_suffix(".png"), title, description, spec.dpi)


_NO_MEAN = (
    "A mean over seeds is not shown: hidden units have no common order, so that unit 1 of one seed has "
    "nothing to do with unit 1 of another."
)


def _no_mean(spec: Spec) -> Figure:
    figure = Figure(figsize=(spec.width, 0.7))
    figure.text(0.01, 0.5, wrap(_NO_MEAN, 88), va="center")
    return figure


class _Picture:
    """The grid of images, laid out in inches from the top on one axes that covers the figure."""

    def __init__(
        self,
        spec: Spec,
        rows: list[Row],
        limits: list[float],
        never_lit: np.ndarray,
        shape: Sequence[int],
        hidden: bool,
        shared: bool,
        which: str,
        about: str = "",
    ):
        widest = max((row.weights.shape[1] for row in rows if row.weights is not None), default=0)
        self.columns = max(min(widest, UNITS if hidden else CLASSES), 1)
        self.width = spec.width
        self.shape, self.never_lit = shape, never_lit
        digits = max(len(number(-limit, 2)) for limit in limits)
        self.right = self.width - (0.0 if shared else 0.22 + 0.066 * digits)  # beyond it are the scales
        self.cell = (self.right - 0.02) / self.columns - _GAP
        self.cell_height = self.cell * min(max(shape[0] / shape[1], 0.25), 4)
        notes = [", ".join(filter(None, (row.remark, row.extremes()))) for row in rows]
        labels = [
            wrap(method.label, max(int(self.width * 12) - len(text), 12))
            for method, text in zip(spec.methods, notes, strict=True)
        ]
        heads = [_LINE * (label.count("\n") + 1) + 0.06 for label in labels]
        what = f"hidden unit (the first {self.columns})" if hidden else "output class"
        headings = [f"{which.capitalize()}, from the pixels to each {what}"]
        headings += wrap(about, int(self.width * 14)).split("\n") if about else []
        top = 0.32 + _LINE * len(headings)
        drawn = sum(row.weights is not None for row in rows)
        height = top + sum(heads) + drawn * self.cell_height + len(rows) * 0.1 + (0.72 if shared else 0.34)
        self.figure = Figure(figsize=(self.width, height))
        self.axes = self.figure.add_axes((0, 0, 1, 1), xlim=(0, self.width), ylim=(height, 0))
        self.axes.set_axis_off()
        self._headings(hidden, headings, top)
        y = top
        for method, label, text, head, row, limit in zip(spec.methods, labels, notes, heads, rows, limits, strict=True):
            self._row_head(method, y, label, text)
            y += head
            if row.weights is not None:
                mark(method, self._images(row.weights, y, limit))
                if not shared:
                    scale = (self.right + 0.03, y, 0.09, self.cell_height)
                    mark(method, self._scale(scale, limit, vertical=True))
                y += self.cell_height
            y += 0.1
        self._key(y + 0.06)
        if shared:
            self._scale((0.35, y + 0.36, self.width - 0.7, 0.1), limits[0], vertical=False)

    def _left(self, column: int) -> float:
        return 0.02 + column * (self.cell + _GAP)

    def _headings(self, hidden: bool, headings: Sequence[str], bottom: float) -> None:
        for line, text in enumerate(headings):
            self.axes.text(0.02, 0.15 + line * _LINE, text, va="baseline", size=8 if line else 9)
        for column in range(self.columns):
            name = str(column + hidden)
            self.axes.text(
                self._left(column) + self.cell / 2, bottom - 0.09, name, ha="center", va="baseline", size=9.5
            )

    def _row_head(self, method: Method, y: float, label: str, text: str) -> None:
        swatch = Rectangle((0.02, y + 0.045), 0.11, 0.11, facecolor=method.color, linewidth=0)
        drawn = [self.axes.add_patch(swatch)]
        for line, words in enumerate(label.split("\n")):
            drawn.append(self.axes.text(0.18, y + 0.15 + line * _LINE, words, va="baseline"))
        right = self._left(self.columns) - _GAP
        drawn.append(self.axes.text(right, y + 0.15, text, ha="right", va="baseline", size=8))
        mark(method, drawn)

    def _images(self, kernel: np.ndarray, y: float, limit: float) -> list[AxesImage]:
        drawn = []
        for column in range(min(self.columns, kernel.shape[1])):
            left = self._left(column)
            pixels = _colors(kernel[:, column], limit)
            pixels[self.never_lit] = _NEVER_LIT
            box = (left, left + self.cell, y + self.cell_height, y)
            image = pixels.reshape(*self.shape, 4)
            drawn.append(self.axes.imshow(image, extent=box, interpolation="none", aspect="auto", origin="upper"))
        self.axes.set(xlim=(0, self.width), ylim=(self.figure.get_figheight(), 0))
        return drawn

    def _scale(self, box: tuple[float, float, float, float], limit: float, vertical: bool) -> Axes:
        """A colour scale with numbers; ``box`` is left, top, width, height in inches."""
        height = self.figure.get_figheight()
        left, top, wide, high = box
        axes: Axes = self.figure.add_axes(
            (left / self.width, 1 - (top + high) / height, wide / self.width, high / height)
        )
        ramp = _colors(np.linspace(-1, 1, 101), 1)
        ends = [f"\N{LESS-THAN OR EQUAL TO}\N{THIN SPACE}{number(-limit, 2)}", "0"]
        ends += [f"\N{GREATER-THAN OR EQUAL TO}\N{THIN SPACE}{number(limit, 2)}"]
        if vertical:
            axes.imshow(ramp[::-1, None], extent=(0, 1, -1, 1), aspect="auto", interpolation="none")
            axes.set_yticks([-1, 0, 1], [number(-limit, 2), "0", number(limit, 2)], fontsize=7.5)
            axes.tick_params(axis="y", labelright=True, labelleft=False, left=False, right=True, length=2, pad=2)
            axes.get_yticklabels()[0].set_va("bottom")
            axes.get_yticklabels()[2].set_va("top")
            axes.set_xticks([])
        else:
            axes.imshow(ramp[None], extent=(-1, 1, 0, 1), aspect="auto", interpolation="none")
            middle = [number(-limit / 2, 2), "0", number(limit / 2, 2)]
            axes.set_xticks([-1, -0.5, 0, 0.5, 1], [ends[0], *middle, ends[2]])
            axes.tick_params(length=2)
            axes.set_yticks([])
        for spine in axes.spines.values():
            spine.set_visible(False)
        return axes

    def _key(self, y: float) -> None:
        texts = ["larger weights take the end colours"]
        if self.never_lit.any():
            grey = tuple(value / 255 for value in _NEVER_LIT)
            self.axes.add_patch(Rectangle((0.02, y + 0.01), 0.13, 0.13, facecolor=grey, linewidth=0))
            texts.insert(0, "pixel that is on in no training image")
        left = 0.2 if self.never_lit.any() else 0.02
        self.axes.text(left, y + 0.12, "; ".join(texts), va="baseline", size=8.5)


def _colors(weights: np.ndarray, limit: float) -> np.ndarray:
    """RGBA bytes of weights on a scale from -limit (blue) over 0 (white) to limit (red)."""
    scaled = np.clip(weights / (limit or 1.0), -1, 1) / 2 + 0.5
    return matplotlib.colormaps[_COLORS](scaled, bytes=True)


def _describe(spec: Spec, rows: list[Row], limits: list[float], never_lit: np.ndarray, hidden: bool, which: str) -> str:
    what = "the first hidden units" if hidden else "each class"
    parts = [
        f"A grid of images, one row a method, one column for {what}; {which}. Each pixel is the weight "
        f"from that pixel of the input: red above 0, blue below, white 0; {int(never_lit.sum())} of "
        f"{len(never_lit)} pixels are grey, because they are on in no training image."
    ]
    for method, row, limit in zip(spec.methods, rows, limits, strict=True):
        if row.weights is None:
            parts.append(f"{method.label}: {row.remark}.")
            continue
        remark = f" ({row.remark})" if row.remark else ""
        scale = f"colours saturate at \N{PLUS-MINUS SIGN}{number(limit, 2)}"
        parts.append(f"{method.label}{remark}: {row.extremes()}, {scale}.")
    return " ".join(parts)
