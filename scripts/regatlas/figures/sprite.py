"""The sprite: the first-layer weights of every method, seed and point of a grid as one picture with an index.

The picture is a grid of *cells*. A cell holds one kernel: its units beside each other, each as an image of the pixels,
in grey levels 0 to 254 from the cell's ``low`` to its ``high``; 255 is a value that is unknown. Whoever shows it
chooses colours, scale and centring.
"""

import dataclasses
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pandas
from PIL import Image

from regatlas import geometry, grids, runs
from regatlas.figures.style import Spec
from regatlas.figures.weights import CLASSES
from regatlas.files import atomic, write_text
from regatlas.reference import Reference

UNITS = 40  # of a hidden layer, that are kept at most
_METHODS = 40  # that get a row each; of more, a choice does
_MOST_PIXELS = 3_500_000  # of the picture, so that a page that holds it stays well below 10 MB
_LEVELS = 254
_CLIPPED = 0.0005  # of the weights at either end: single ones would cost the others their grey levels
_MEAN = "mean"


@dataclasses.dataclass(frozen=True)
class Cell:
    """One kernel of a row: the place is a seed or "mean". ``paths`` are the runs that it is read from."""

    row: int
    place: str
    paths: tuple[Path, ...]


def draw(spec: Spec, table: pandas.DataFrame, root: str | Path, reference: Reference, folder: Path) -> None:
    """Write ``weights_sprite.png`` and its index, ``weights_sprite.json``.

    The index has ``image`` (height, width), ``columns`` (of cells), ``units`` (the most of a cell), ``hidden`` (whether
    all weights lead to hidden units), ``never_lit`` (pixels), ``colors`` (256 of #rrggbb, the first for the most
    negative), ``rows`` and ``paths``. A row has ``method`` and its point (``values``, ``words``, ``selected``), or a
    ``name`` if it is no method's, and ``hidden``; its ``cells`` map a seed or "mean" to ``at``, ``low``,
    ``high``, ``units`` and ``spectrum`` (``geometry.power_spectrum``). A path is the rows along one setting of a grid,
    its ``method`` and ``setting``.

    Args:
        spec: what to show; of many methods a choice.
        table: the frame of runs.csv, with all points.
        root: the folder of the runs.
        reference: of the data set.
        folder: where the files go.
    """
    chosen = spec if len(spec.methods) <= _METHODS else spec.chosen(table[table["selected"] == 1])
    rows = _rows(chosen, table)
    wanted = list(_cells(chosen, table, rows, Path(root)))
    kernels: dict[tuple[int, str], np.ndarray] = {}
    hidden, room, left_out = set(), _MOST_PIXELS, 0
    starts: dict[str, np.ndarray] = {}
    shared = True
    for cell in wanted:
        kernel, mine, start = _read(cell.paths)
        hidden |= {cell.row} if mine else set()
        if mine and len(cell.paths) > 1:
            continue  # units of different seeds have no common order: their mean shows nothing
        if kernel.size > room:
            left_out += 1
            continue
        room -= kernel.size
        kernels[cell.row, cell.place] = kernel
        if cell.place != _MEAN and start is not None:
            shared &= np.array_equal(starts.setdefault(cell.place, start), start)
    one_layer = not hidden or any(cell.row not in hidden for cell in wanted)
    of_whom = "the same for every method" if shared else "of the first method, as others have their own"
    rows.append({"name": "start", "words": f"the initial weights, {of_whom}"})
    kernels |= {(len(rows) - 1, place): kernel for place, kernel in starts.items()}
    if one_layer:
        rows.append({"name": "template", "words": "the mean image of each class minus the mean of all"})
        kernels[len(rows) - 1, _MEAN] = reference.template[:, :CLASSES]
    else:
        hidden.add(len(rows) - 1)
    picture, cells = _picture(kernels, reference, hidden)
    for number, row in enumerate(rows):
        row["hidden"] = number in hidden
        row["cells"] = {place: cell for (mine, place), cell in cells.items() if mine == number}
    shape = [int(side) for side in reference.image_shape]
    index = {
        "image": shape,
        "columns": picture.shape[1] // (shape[1] * max((cell["units"] for cell in cells.values()), default=1)),
        "units": max((cell["units"] for cell in cells.values()), default=1),
        "hidden": not one_layer,
        "never_lit": np.flatnonzero(reference.never_lit).tolist(),
        "colors": [matplotlib.colors.to_hex(color) for color in matplotlib.colormaps["RdBu_r"](range(256))],
        "left_out": left_out,
        "about": spec.not_chosen(chosen),
        "rows": rows,
        "paths": _paths(rows),
    }
    with atomic(Path(folder) / "weights_sprite.png") as stream:
        Image.fromarray(picture, "L").save(stream, "PNG", optimize=True)
    text = json.dumps(index, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    write_text(Path(folder) / "weights_sprite.json", text + "\n")


def _rows(spec: Spec, table: pandas.DataFrame) -> list[dict[str, Any]]:
    """A row for every point of every method, in the order of the grids."""
    rows = []
    for method in spec.methods:
        mine = table[table["method"] == method.id].drop_duplicates("point").sort_values("point")
        for point in mine.to_dict("records"):
            values = json.loads(point["values"])
            selected = {"point": int(point["point"]), "selected": bool(point["selected"])}
            rows.append({"method": method.id, **selected, "values": values, "words": grids.words(values)})
    return rows


def _cells(spec: Spec, table: pandas.DataFrame, rows: Sequence[Mapping[str, Any]], root: Path) -> Iterator[Cell]:
    """All cells, those first that would be missed most: means and the seed that is shown, selected points first."""
    finished = spec.finished(table)
    files: list[dict[int, Path]] = []
    for row in rows:
        these = finished[(finished["method"] == row["method"]) & (finished["point"] == row["point"])]
        paths = {int(run.seed): runs.path(root, run.regularizer, run.digest, run.seed) for run in these.itertuples()}
        files.append(dict(sorted(paths.items())))
    for selected in (True, False):
        for number, (row, mine) in enumerate(zip(rows, files, strict=True)):
            if row["selected"] == selected and mine:
                yield Cell(number, _MEAN, tuple(mine.values()))
                seed = spec.seed if spec.seed in mine else min(mine)
                yield Cell(number, str(seed), (mine.pop(seed),))
    for selected in (True, False):
        for number, (row, mine) in enumerate(zip(rows, files, strict=True)):
            if row["selected"] == selected:
                yield from (Cell(number, str(seed), (path,)) for seed, path in mine.items())


def _read(paths: Sequence[Path]) -> tuple[np.ndarray, bool, np.ndarray | None]:
    """The mean first-layer kernel of these runs, cut to what is kept; whether it leads to hidden units; its start."""
    total, start, hidden = 0.0, None, False
    for path in paths:
        run = runs.read(path)
        hidden = len(run.kernels) > 1
        kernel = run.kernels[0]
        total = total + kernel[:, : UNITS if hidden else CLASSES].astype(np.float64)
        if hidden and len(paths) > 1:
            break
        if len(paths) == 1:
            start = runs.initial_kernel(run)[:, : total.shape[1]]
    return total / len(paths), hidden, start


def _picture(
    kernels: Mapping[tuple[int, str], np.ndarray], reference: Reference, hidden: Collection[int]
) -> tuple[np.ndarray, dict[tuple[int, str], dict[str, Any]]]:
    """The picture, uint8 [height, width], and what the index says of each cell."""
    height, width = (int(side) for side in reference.image_shape)
    units = max((kernel.shape[1] for kernel in kernels.values()), default=1)
    columns = max(round(np.sqrt(len(kernels) * height / (units * width))), 1)
    lines = max(-(-len(kernels) // columns), 1)
    picture = np.full((lines * height, columns * units * width), 255, np.uint8)
    cells = {}
    for at, (key, kernel) in enumerate(kernels.items()):
        known = kernel[np.isfinite(kernel)]
        low, high = np.quantile(known, (_CLIPPED, 1 - _CLIPPED)) if known.size else (0.0, 0.0)
        low, high = (float(f"{value:.6g}") for value in (low, high))
        scaled = np.round(np.clip((kernel - low) / ((high - low) or 1.0), 0, 1) * _LEVELS)
        levels = np.where(np.isfinite(kernel), scaled, 255).astype(np.uint8)
        tile = levels.reshape(height, width, -1).transpose(0, 2, 1).reshape(height, -1)
        top, left = at // columns * height, at % columns * units * width
        picture[top : top + height, left : left + tile.shape[1]] = tile
        shown = np.nan_to_num(kernel)
        shown = shown if key[0] in hidden else geometry.row_centred(shown)
        spectrum = geometry.power_spectrum(shown, reference.live, (height, width))
        cells[key] = {
            **{"at": at, "low": low, "high": high, "units": kernel.shape[1]},
            "spectrum": [float(f"{value:.3g}") for value in spectrum] if np.isfinite(spectrum).all() else [],
        }
    return picture, cells


def _paths(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The rows along each setting that has several values, the others held at the selected point."""
    paths = []
    for method in dict.fromkeys(row["method"] for row in rows if "method" in row):
        mine = [(number, row) for number, row in enumerate(rows) if row.get("method") == method]
        chosen = next((row["values"] for _, row in mine if row["selected"]), {})
        for setting in chosen:
            rest = {key: value for key, value in chosen.items() if key != setting}
            along = [number for number, row in mine if {**row["values"], **rest} == row["values"]]
            if len(along) > 1:
                words = [grids.word(rows[number]["values"][setting]) for number in along]
                paths.append({"method": method, "setting": setting, "rows": along, "words": words})
    return paths
