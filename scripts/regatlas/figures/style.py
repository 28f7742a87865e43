"""What all figures share: the spec they are given, their look, and how they become files.

Figures are drawn in one dark ink. In an SVG that ink becomes ``currentColor``, so that an inlined figure
follows the page's light or dark theme; colours of methods stay. A PNG shows the ink as it is, on white.
"""

import contextlib
import dataclasses
import json
import re
import textwrap
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from io import BytesIO
from pathlib import Path
from xml.etree import ElementTree

import matplotlib
import numpy as np
import pandas
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.colors import is_color_like, to_hex
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.lines import Line2D
from matplotlib.ticker import ScalarFormatter

from regatlas.arguments import spec_text
from regatlas.errors import UserError, few
from regatlas.files import atomic, write_text

INK = "#1c1b1d"
DASHES = ("solid", (0, (5, 1.6)), (0, (1.2, 1.4)), (0, (6, 1.5, 1.2, 1.5)))
MARKERS = ("o", "s", "^", "D", "v", "P", "X")  # 4 x 7 = 28 pairs before one repeats
MOST = 24  # methods with a line, a panel or a row of images each; of more, only a choice is drawn
_HIGHEST, _LOWEST = 10, 5  # of the choice, beside the baseline
_NAMED = 5  # methods that a note names
PUBLISHED = {  # a hollow mark
    "marker": "D",
    "markersize": 8,
    "markerfacecolor": "none",
    "markeredgecolor": INK,
    "linestyle": "",
}

_RC = {
    "svg.fonttype": "none",
    "svg.hashsalt": "regatlas",
    "image.composite_image": False,
    "text.parse_math": False,  # a label's "$" is a dollar sign
    "font.family": "DejaVu Sans",  # ships with matplotlib: the same layout on every machine
    "font.size": 9.0,
    "axes.titlesize": 9.5,
    "axes.labelsize": 9.0,
    "xtick.labelsize": 8.5,
    "ytick.labelsize": 8.5,
    "legend.fontsize": 8.5,
    "legend.frameon": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlelocation": "left",
    "axes.linewidth": 0.8,
    "axes.facecolor": "none",
    "figure.facecolor": "none",
    "savefig.facecolor": "none",
    "lines.linewidth": 1.6,
    "lines.solid_capstyle": "butt",
    "figure.constrained_layout.h_pad": 0.06,
    "figure.constrained_layout.w_pad": 0.06,
} | dict.fromkeys(("text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color"), INK)

_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_SVG = "http://www.w3.org/2000/svg"
_LINK = "http://www.w3.org/1999/xlink"
ElementTree.register_namespace("", _SVG)
ElementTree.register_namespace("xlink", _LINK)


@dataclasses.dataclass(frozen=True)
class Method:
    """A method as figures show it."""

    id: str
    label: str
    color: str
    dash: object
    marker: str


@dataclasses.dataclass(frozen=True)
class Spec:
    """What a figure program is told to show."""

    methods: tuple[Method, ...]
    baseline: str
    seed: int
    width: float = 8  # inches
    dpi: int = 200
    margin: float = 0.002  # of accuracy: differences up to this do not matter
    level: float = 0.95  # of simultaneous intervals

    @property
    def ids(self) -> set[str]:
        return {method.id for method in self.methods}

    def finished(self, runs: pandas.DataFrame) -> pandas.DataFrame:
        """The finished runs of the methods shown."""
        shown = runs["method"].isin(self.ids)
        return runs[shown & (runs["status"] == "finished")]

    def chosen(self, runs: pandas.DataFrame) -> "Spec":
        """This spec if its methods can all be shown in full; else one with the baseline and those of the highest and
        the lowest mean test accuracy, in the same order, with dashes that tell them apart; markers stay those of the
        other figures.
        """
        if len(self.methods) <= MOST:
            return self
        means = self.finished(runs).groupby("method")["test_accuracy"].mean().dropna()
        ids = [method.id for method in self.methods if method.id in means]
        ranked = sorted(ids, key=lambda method: -means[method])
        kept = {self.baseline, *ranked[:_HIGHEST], *ranked[-_LOWEST:]}
        methods = [method for method in self.methods if method.id in kept] or list(self.methods[:1])
        taken = set()
        for number, method in enumerate(methods):
            dashes = [DASHES[(number + more) % len(DASHES)] for more in range(len(DASHES))]
            dash = next((dash for dash in dashes if (dash, method.marker) not in taken), dashes[0])
            taken.add((dash, method.marker))
            methods[number] = dataclasses.replace(method, dash=dash)
        return dataclasses.replace(self, methods=tuple(methods))

    def not_chosen(self, chosen: "Spec") -> str:
        """A sentence on what ``chosen`` shows of this spec, or ''."""
        if chosen is self:
            return ""
        return (
            f"{len(chosen.methods)} of {len(self.methods)} methods: the baseline, the {_HIGHEST} of the highest and "
            f"the {_LOWEST} of the lowest mean test accuracy."
        )

    def left_out(self, runs: pandas.DataFrame) -> str:
        """A sentence on the runs that did not finish, or ''."""
        lost = runs[runs["status"] != "finished"].groupby("method")["seed"].apply(list)
        parts = []
        for method in self.methods:
            if method.id in lost:
                seeds = lost[method.id]
                parts.append(f"{method.label} (seed{'s' if len(seeds) > 1 else ''} {few(seeds)})")
        more = f"; and runs of {len(parts) - _NAMED} other methods" if len(parts) > _NAMED else ""
        return f"Left out, because training diverged: {'; '.join(parts[:_NAMED])}{more}." if parts else ""


def read_spec(text: str) -> Spec:
    """The spec from a program's ``--spec``.

    Raises:
        UserError: it is not JSON, lacks a key, has an unknown one, or a colour is none.
    """
    try:
        values = json.loads(spec_text(text))
        methods = tuple(_method(*numbered) for numbered in enumerate(values.pop("methods")))
        spec = Spec(methods=methods, **values)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(f"--spec: expected JSON with methods, baseline and seed: {error!r}") from None
    if not methods:
        raise UserError("--spec: `methods` is empty: there is nothing to draw")
    return spec


def _method(position: int, entry: dict) -> Method:
    if not is_color_like(entry["color"]):
        raise UserError(f"method {entry['id']!r}: {entry['color']!r} is not a colour: give a name or '#rrggbb'")
    label = printable(entry.get("label") or entry["id"])
    return Method(entry["id"], label, to_hex(entry["color"]), **_cue(position))


def _cue(position: int) -> dict[str, object]:
    """What tells a method apart beside its colour."""
    return {"dash": DASHES[position % len(DASHES)], "marker": MARKERS[position % len(MARKERS)]}


def printable(text: object) -> str:
    """Text without control characters, which neither SVG nor a font can show."""
    return "".join(c if c.isprintable() else " " for c in str(text))


def wrap(text: str, width: int) -> str:
    """``text`` in lines of at most ``width`` characters; a longer word is broken."""
    return "\n".join(textwrap.wrap(text, width, break_on_hyphens=True)) or " "


def number(value: float, digits: int = 3) -> str:
    """``value`` with so many significant digits; as a power of ten only below 1e-4 and from 1e6 on."""
    if not np.isfinite(value):
        return "-"
    mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
    power = int(exponent)
    if -5 < power < 6:
        text = f"{float(f'{mantissa}e{exponent}'):.{max(digits - 1 - power, 0)}f}"
    else:
        text = f"{mantissa}\N{MULTIPLICATION SIGN}10{str(power).translate(_RAISED)}"
    return "0" if float(mantissa) == 0 else text.replace("-", "\N{MINUS SIGN}")


def percent(fraction: float, digits: int = 2) -> str:
    """A fraction as a percentage with so many decimals."""
    return f"{100 * fraction:.{digits}f} %"


def with_interval(mean: float, low: float, high: float, form: Callable[[float], str] = number, unit: str = "") -> str:
    """A mean in words, with its interval if it has one."""
    return f"{form(mean)}{unit}" + (f" ({form(low)} to {form(high)})" if np.isfinite(low) else "")


def legend(target: Axes | Figure, handles: Sequence[Artist], labels: Sequence[str], **options) -> Legend:
    """A legend that shows labels literally: matplotlib hides those that start with an underscore."""
    result = target.legend(handles, [f"x{label}" for label in labels], **options)
    for text, label in zip(result.get_texts(), labels, strict=True):
        text.set_text(label)
    return result


def interval(row: pandas.Series, name: str) -> tuple[float, float, float]:
    """A quantity's mean, low and high from a row of comparison.csv; what is missing is NaN."""
    mean, low, high = (float(row[name + end]) for end in ("", "_low", "_high"))
    return mean, low, high


def mark(method: Method, artists: Artist | Iterable[Artist], tip: str = "") -> None:
    """Say in an SVG which method something drawn belongs to, and in ``tip`` what a pointer on it shows.

    A page can then show some methods and not others.
    """
    for artist in [artists] if isinstance(artists, Artist) else artists:
        artist.set_gid(json.dumps({"method": method.id, "tip": printable(tip)}))


def mark_legend(methods: Iterable[Method], box: Legend) -> None:
    """``mark`` the entries of a legend that names these methods first, in this order."""
    for method, handle, text in zip(methods, box.legend_handles, box.get_texts(), strict=False):
        mark(method, (handle, text))


def accuracy_in_words(row: pandas.Series, name: str = "test_accuracy") -> str:
    """An accuracy from a row of comparison.csv in percent, with its interval if it has one."""
    return with_interval(*(100 * value for value in interval(row, name)), "{:.2f}".format, " %")


def within_percent(low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """The ends of an accuracy's intervals, in percent: of few seeds a t interval may leave what an accuracy can be."""
    return np.clip((low, high), 0, 100)


def line_legend(figure: Figure, methods: Sequence[Method], more: Mapping[str, Artist] | None = None) -> Legend:
    """A legend of the methods' lines and, by their labels, of ``more``, for which the figure becomes higher."""
    handles = [Line2D([], [], color=m.color, linestyle=m.dash, marker=m.marker, markersize=5) for m in methods]
    handles += (more or {}).values()
    columns = 3 if len(methods) > 6 else 2
    labels = [*(wrap(method.label, 66 // columns) for method in methods), *(more or {})]
    lines = max(label.count("\n") + 1 for label in labels)
    figure.set_figheight(figure.get_figheight() + -(-len(labels) // columns) * (0.055 + 0.145 * lines))
    box = legend(figure, handles, labels, loc="outside lower left", ncols=columns, handlelength=4)
    mark_legend(methods, box)
    return box


def plain_ticks(axis: Axis) -> None:
    """Numbers in full at the ticks, all with the same decimals."""
    formatter = ScalarFormatter(useOffset=False, useMathText=False)
    formatter.set_scientific(False)
    axis.set_major_formatter(formatter)


def rows_height(methods: Sequence[Method], characters: int, least: float) -> float:
    """Inches for one row a method, each as high as the name with the most lines, and at least ``least``."""
    lines = max(wrap(method.label, characters).count("\n") + 1 for method in methods)
    return len(methods) * max(least, 0.06 + 0.145 * lines)


def name_rows(axes: Axes, methods: Sequence[Method], characters: int) -> None:
    """One row a method, the first on top, named at the left."""
    axes.set_yticks(range(len(methods)), [wrap(method.label, characters) for method in methods])
    axes.set_ylim(len(methods) - 0.5, -0.5)
    for method, tick in zip(methods, axes.yaxis.get_major_ticks(len(methods)), strict=True):
        mark(method, tick.label1)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    for edge in range(1, len(methods)):
        axes.axhline(edge - 0.5, color=INK, alpha=0.15, linewidth=0.6)


def nothing(figure: Figure, why: str = "no finished run") -> None:
    """Say why the figure is empty."""
    figure.text(0.5, 0.5, why, ha="center", style="italic")


def note(figure: Figure, text: str, characters: int, above: bool = False) -> None:
    """A small line under or above the figure (constrained layout makes room for it)."""
    if text:
        put = figure.suptitle if above else figure.supxlabel
        put(wrap(text, characters), x=0.01, ha="left", fontsize=8)


@contextlib.contextmanager
def look() -> Iterator[None]:
    """Draw and save within this: matplotlib's defaults and ours, whatever the user's matplotlibrc says."""
    defaults = {k: v for k, v in matplotlib.rcParamsDefault.items() if k not in ("backend", "backend_fallback")}
    with matplotlib.rc_context(defaults | _RC), warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"Glyph \d+ .* missing")  # whoever shows the SVG may have it
        yield


def save_svg(figure: Figure, path: str | Path, title: str, description: str) -> None:
    """Write a figure as an SVG to be inlined in a page or opened by itself; the same figure, the same bytes.

    It has a ``<title>`` and a ``<desc>`` that speak for it, no styles that would leak into the page, and ids
    that start with ``figure-`` and the file's name, so that several can stand in one page. What ``mark`` has marked
    has the method's id as ``data-method`` and the tip as its own ``<title>``.
    """
    stream = BytesIO()
    figure.savefig(stream, format="svg", metadata={"Date": None})
    root = ElementTree.fromstring(stream.getvalue())
    name = f"figure-{Path(path).stem}"  # the page's headings have ids, too, such as cost-title
    _drop(root, f"{{{_SVG}}}metadata", f"{{{_SVG}}}style")
    used = set(re.findall(r'(?:href="|url\()#([^")]+)', ElementTree.tostring(root, "unicode")))
    for element in list(root.iter()):
        if element.get("id") not in used:
            _tell(element, element.attrib.pop("id", ""))
        for key, value in element.attrib.items():
            value = re.sub(rf"((?:fill|stroke): ?){INK}\b", r"\1currentColor", value)
            value = value.replace("'DejaVu Sans'", "sans-serif").replace("url(#", f"url(#{name}-")
            prefix = f"{name}-" if key == "id" else f"#{name}-" if key.endswith("href") and value[0] == "#" else ""
            element.set(key, prefix + value.removeprefix("#") if prefix else value)
    root.attrib |= {
        "role": "img",
        "aria-labelledby": f"{name}-title {name}-desc",
        "style": "stroke-linejoin: round; stroke-linecap: butt",
    }
    for tag, text in (("desc", description), ("title", title)):
        element = ElementTree.Element(f"{{{_SVG}}}{tag}", id=f"{name}-{tag}")
        element.text = printable(text)
        root.insert(0, element)
    write_text(path, ElementTree.tostring(root, "unicode") + "\n")


def _tell(element: ElementTree.Element, told: str) -> None:
    """Turn what ``mark`` wrote into what a page can use."""
    if told.startswith("{"):
        mine = json.loads(told)
        element.set("data-method", mine["method"])
        if mine["tip"]:
            title = ElementTree.Element(f"{{{_SVG}}}title")
            title.text = mine["tip"]
            element.insert(0, title)


def _drop(element: ElementTree.Element, *tags: str) -> None:
    """Remove all descendants with these tags, and groups left without content."""
    for child in list(element):
        _drop(child, *tags)
        if child.tag in tags or (child.tag == f"{{{_SVG}}}defs" and not len(child)):
            element.remove(child)


def save_png(figure: Figure, path: str | Path, title: str, description: str, dpi: int) -> None:
    """Write a figure as a PNG on white, with the title and the description in its text fields."""
    about = {"Software": None, "Title": printable(title), "Description": printable(description)}
    with atomic(path) as stream:
        figure.savefig(stream, format="png", dpi=dpi, facecolor="white", metadata=about)
