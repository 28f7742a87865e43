"""Paths: what each tuned setting does to accuracy and weights, one row a method and setting."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, MaxNLocator, NullLocator

from regatlas import grids
from regatlas.figures.style import (
    INK,
    Method,
    Spec,
    legend,
    look,
    mark,
    note,
    nothing,
    number,
    percent,
    plain_ticks,
    save_svg,
    with_interval,
    within_percent,
    wrap,
)
from regatlas.statistics import t_interval

_PANELS = (
    ("Accuracy (%)", (("test_accuracy", "solid"), ("validation_accuracy", (0, (3, 2)))), 100),
    ("Norm", (("weight_norm", "solid"),), 1),
    ("Roughness", (("roughness", "solid"),), 1),
    ("Template correlation", (("template_correlation", "solid"),), 1),
)
COLUMNS = [name for _, drawn, _ in _PANELS for name, _ in drawn]
_SPAN = 5  # of positive values, from which an axis is logarithmic
_TICKS = 4  # labels that have room on an axis


def draw(spec: Spec, table: pandas.DataFrame, folder: Path) -> None:
    """Write ``strength_paths.svg``: means of the finished runs against each setting of a grid, with 95 % t-intervals.

    Where a method has several such settings, the others are held at the selected point.

    Args:
        spec: what to show.
        table: the frame of runs.csv, with all points.
        folder: where the figure goes.
    """
    paths = [(method, name, path) for method in spec.methods for name, path in _paths(spec, method, table).items()]
    panels = _known([path for *_, path in paths])
    empty = "no finished run" if paths else "no setting has several values"
    with look():
        figure = Figure(figsize=(spec.width, 0.9 + 1.35 * (len(paths) if panels else 1)), layout="constrained")
        if panels:
            _grid(figure, paths, panels)
        else:
            nothing(figure, empty)
        note(figure, _left_out(spec, table), 100)
        title = "Accuracy and weights against the tuned settings"
        description = _describe(paths, panels) if panels else f"{empty.capitalize()}."
        save_svg(figure, Path(folder) / "strength_paths.svg", title, description)


def _paths(spec: Spec, method: Method, table: pandas.DataFrame) -> dict[str, pandas.DataFrame]:
    """Setting -> a row a value: ``value``, ``selected``, and of every quantity mean, low and high."""
    mine = table[table["method"] == method.id]
    values = {point: json.loads(text) for point, text in zip(mine["point"], mine["values"], strict=True)}
    chosen = next((values[point] for point in mine.loc[mine["selected"] == 1, "point"]), {})
    finished = spec.finished(mine)
    return {name: _path(finished, _slice(values, chosen, name), name, chosen) for name in chosen}


def _slice(values: Mapping[int, dict[str, Any]], chosen: Mapping[str, Any], name: str) -> dict[int, Any]:
    """Point -> its value of a setting, of the points that differ from the selected one in nothing else."""
    rest = {key: value for key, value in chosen.items() if key != name}
    return {point: own[name] for point, own in values.items() if {**own, **rest} == own}


def _path(finished: pandas.DataFrame, points: Mapping[int, Any], name: str, chosen: Mapping[str, Any]):
    rows = []
    for point, value in points.items():
        these = finished[finished["point"] == point]
        row = {"value": value, "selected": value == chosen[name]}
        for column in COLUMNS:
            ends = t_interval(these[column].to_numpy(dtype=np.float64))
            row |= {f"{column}{end}": got for end, got in zip(("", "_low", "_high"), ends, strict=True)}
        rows.append(row)
    path = pandas.DataFrame(rows)
    return path.sort_values("value", ignore_index=True) if _numeric(path["value"]) else path


def _numeric(values: Sequence[Any]) -> bool:
    return all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)


def _grid(figure: Figure, paths: Sequence[tuple[Method, str, pandas.DataFrame]], panels: Sequence[tuple]) -> None:
    rows = figure.subplots(len(paths), len(panels), squeeze=False)
    for axes, (label, _, _) in zip(rows[0], panels, strict=True):
        axes.set_title(label, fontsize=8.5)
    for axes_row, (method, name, path) in zip(rows, paths, strict=True):
        there = _known([path])
        for axes, panel in zip(axes_row, panels, strict=True):
            if panel in there:
                _panel(axes, method, name, path, panel)
            else:
                axes.set(xticks=[], yticks=[])
                axes.spines[:].set_visible(False)
                mark(method, axes.text(0.5, 0.5, "\N{EN DASH}", transform=axes.transAxes, ha="center"))
        axes_row[0].set_ylabel(wrap(method.label, 16), fontsize=8)
        mark(method, axes_row[0].yaxis.label)
    handles = [Line2D([], [], color=INK, linestyle=dash) for _, dash in _PANELS[0][1]]
    handles.append(Line2D([], [], marker="o", markersize=8, mfc="none", mec=INK, linestyle=""))
    legend(
        figure, handles, ["test accuracy", "validation accuracy, which selects", "selected"],
        loc="outside upper left", ncols=3,
    )  # fmt: skip


def _known(paths: Sequence[pandas.DataFrame]) -> list[tuple]:
    """The panels that have a value in one of these paths; networks with hidden layers have no template correlation."""
    known = {column for path in paths for column in COLUMNS if path[column].notna().any()}
    return [panel for panel in _PANELS if known & {column for column, _ in panel[1]}]


def _panel(axes: Axes, method: Method, name: str, path: pandas.DataFrame, panel: tuple) -> None:
    _, drawn, scale = panel
    setting = name.removeprefix("training.")
    places = _axis(axes, path["value"].tolist())
    form, unit = ("{:.2f}".format, " %") if scale == 100 else (number, "")
    for column, dash in drawn:
        mean, low, high = (scale * path[f"{column}{end}"].to_numpy() for end in ("", "_low", "_high"))
        if scale == 100:
            low, high = within_percent(low, high)
        mark(method, axes.plot(places, mean, color=method.color, linestyle=dash))
        if np.isfinite(low).any():
            mark(method, axes.fill_between(places, low, high, color=method.color, alpha=0.2, linewidth=0))
        for place, value, selected, *ends in zip(places, path["value"], path["selected"], mean, low, high, strict=True):
            if not np.isfinite(ends[0]):
                continue
            said = f"{column.replace('_', ' ')} {with_interval(*ends, form, unit)}"
            tip = f"{method.label}, {setting} {grids.word(value)}{', selected' if selected else ''}: {said}"
            mark(method, axes.plot(place, ends[0], color=method.color, marker="o", markersize=3), tip)
            if selected and column == drawn[0][0]:
                ring = {"marker": "o", "markersize": 8, "mfc": "none", "mec": INK, "linestyle": ""}
                mark(method, axes.plot(place, ends[0], clip_on=False, **ring), tip)  # whole at the edge, too
    axes.yaxis.set_major_locator(MaxNLocator(3))
    plain_ticks(axes.yaxis)
    axes.tick_params(labelsize=7.5, length=2)
    axes.tick_params(axis="x", labelsize=7)
    axes.set_xlabel(setting, fontsize=8)


def _axis(axes: Axes, values: Sequence[Any]) -> np.ndarray:
    """Set up the axis of a setting and return the values' places on it.

    Logarithmic for positive numbers that span a factor of 5, by rank for texts and for numbers that do so with zero
    or less among them, else linear.
    """
    ranks = np.arange(len(values), dtype=np.float64)
    places = np.array(values, dtype=np.float64) if _numeric(values) else ranks
    if _numeric(values) and (sizes := np.abs(places[places != 0])).size and sizes.max() >= _SPAN * sizes.min():
        if places.min() > 0:
            axes.set_xscale("log")
        else:
            places = ranks
    shown = _apart(np.log(places) if axes.get_xscale() == "log" else places)
    names = [f"{value:g}" if _numeric([value]) else wrap(grids.word(value), 12) for value in values]
    axes.xaxis.set_major_locator(FixedLocator(places[shown]))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xticklabels([names[index] for index in shown])
    return places


def _apart(places: np.ndarray) -> list[int]:
    """Which of these rising places get a label: the ends, and between them what is far enough from its neighbours."""
    near = 0.99 * (places[-1] - places[0]) / (_TICKS - 1)
    shown = [0]
    for index in range(1, len(places) - 1):
        if min(places[index] - places[shown[-1]], places[-1] - places[index]) >= near:
            shown.append(index)
    return [*shown, len(places) - 1] if len(places) > 1 else shown


def _left_out(spec: Spec, table: pandas.DataFrame) -> str:
    """A sentence on diverged runs, of which a study with many points may have many; or ''."""
    parts = []
    for method in spec.methods:
        lost = table[(table["method"] == method.id) & (table["status"] != "finished")]
        if len(lost):
            points = lost["point"].nunique()
            parts.append(f"{method.label} ({len(lost)} at {points} point{'s' if points > 1 else ''})")
    return f"Left out, because training diverged: {'; '.join(parts)}." if parts else ""


def _describe(paths: Sequence[tuple[Method, str, pandas.DataFrame]], panels: Sequence[tuple]) -> str:
    parts = [
        f"Rows of small panels, one row a method and tuned setting, of these against the setting: "
        f"{', '.join(label for label, _, _ in panels)}. "
        "Lines are means over seeds, bands 95 % t-intervals; a ring marks the selected point."
    ]
    for method, name, path in paths:
        points = ", ".join(
            f"{percent(row['test_accuracy']) if np.isfinite(row['test_accuracy']) else 'no finished run'} at "
            f"{grids.word(row['value'])}{' (selected)' if row['selected'] else ''}"
            for row in path.to_dict("records")
        )
        parts.append(f"{method.label}, {name}: test accuracy {points}.")
    return " ".join(parts)
