"""Radial power spectra of the weight images: how much of them is coarse shape and how much is fine texture."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from regatlas import geometry, tables
from regatlas.figures.style import INK, Spec, line_legend, look, mark, note, nothing, number, save_svg
from regatlas.figures.weights import finished_runs, first_kernel
from regatlas.reference import Reference

COLUMNS = ["method", "frequency", "power"]  # frequency k: more than k - 1 and at most k cycles


def draw(spec: Spec, table: pandas.DataFrame, root: str | Path, reference: Reference, folder: Path) -> None:
    """Write ``weight_spectrum.svg``, the mean over the finished seeds of each method on logarithmic axes, and the same
    as numbers, ``weight_spectrum.csv``.

    Args:
        spec: what to show.
        table: the frame of runs.csv, less the points that were not selected.
        root: the folder of the runs.
        reference: of the data set.
        folder: where the figure goes.
    """
    chosen = spec.chosen(table)
    about = spec.not_chosen(chosen)
    files = finished_runs(chosen, table, root)
    spectra = {method: _spectrum(paths.values(), reference) for method, paths in files.items() if paths}
    spectra = {method: values for method, values in spectra.items() if np.isfinite(values).any()}
    shown = [method for method in chosen.methods if method.id in spectra]
    known = ~np.isnan(reference.template).any(axis=0)
    template = geometry.power_spectrum(reference.template[:, known], reference.live, reference.image_shape)
    with look():
        figure = Figure(figsize=(spec.width, 3.3), layout="constrained")
        if shown:
            axes = figure.subplots()
            frequencies = np.arange(1, len(template) + 1)
            for method in shown:
                line = {"color": method.color, "linestyle": method.dash}
                drawn = axes.plot(frequencies, spectra[method.id], **line)
                end = {"color": method.color, "marker": method.marker, "markersize": 5}
                drawn += axes.plot(frequencies[-1], spectra[method.id][-1], **end)
                mark(method, drawn, f"{method.label}: {_said(spectra[method.id])}")
            (classes,) = axes.plot(frequencies, template, color=INK, linewidth=1, linestyle=(0, (1, 1)))
            noise = axes.axhline(1, color=INK, linewidth=0.8, alpha=0.5)
            _axes(axes)
            line_legend(figure, shown, {"the classes' mean images": classes, "white noise, as the start": noise})
        else:
            nothing(figure)
        note(figure, " ".join(filter(None, [about, spec.left_out(table)])), 100, above=True)
        title = "Power spectra of the weight images"
        parts = [
            "Lines of the power of the weight images against spatial frequency, one line a method, mean over seeds; "
            "1 is white noise, more on the left is coarse shape. The weights are row-centred (raw where they lead to "
            "hidden units) and those of live pixels, which are on often enough.",
            *(f"{method.label}: {_said(spectra[method.id])}." for method in shown),
            *filter(None, [about, spec.left_out(table)]),
        ]
        save_svg(figure, Path(folder) / "weight_spectrum.svg", title, " ".join(parts))
    rows = [(m.id, ring, power) for m in shown for ring, power in enumerate(spectra[m.id].tolist(), 1)]
    tables.write_csv(Path(folder) / "weight_spectrum.csv", pandas.DataFrame(rows, columns=COLUMNS))


def _spectrum(paths: Iterable[Path], reference: Reference) -> np.ndarray:
    """The mean spectrum of these runs, [rings]; row-centred unless the weights lead to hidden units."""
    spectra = []
    for path in paths:
        kernel, hidden = first_kernel(path)
        shown = kernel if hidden else geometry.row_centred(kernel)
        spectra.append(geometry.power_spectrum(shown, reference.live, reference.image_shape))
    return np.mean(spectra, axis=0)


def _axes(axes: Axes) -> None:
    for axis, set_scale in ((axes.xaxis, axes.set_xscale), (axes.yaxis, axes.set_yscale)):
        set_scale("log")
        axis.set_minor_locator(NullLocator())
        axis.set_major_formatter(FuncFormatter(lambda value, _: number(value, 1)))
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.set_xlabel("Spatial frequency: at most so many cycles over the image's shorter side")
    axes.set_ylabel("Power, white noise being 1")


def _said(values: np.ndarray) -> str:
    return f"{number(float(values[0]), 2)} at the coarsest scale, {number(float(values[-1]), 2)} at the finest"
