"""LaTeX formulas as small inline SVGs, set by matplotlib: no fonts, no scripts, no network."""

import matplotlib
from markupsafe import Markup
from matplotlib.font_manager import FontProperties
from matplotlib.path import Path
from matplotlib.textpath import TextPath

_SIZE = 20.0  # of the drawing; on the page lengths are in em
_SCALE = 1.25  # of the text around it
_STEPS = {Path.MOVETO: ("M", 1), Path.LINETO: ("L", 1), Path.CURVE3: ("Q", 2), Path.CURVE4: ("C", 3)}
_SPELLINGS = {
    r"\lVert": r"\Vert",
    r"\rVert": r"\Vert",
    r"\lvert": r"\vert",
    r"\rvert": r"\vert",
    r"\!": "",
    r"\frac": r"\dfrac",
}


def svg(latex: str) -> Markup:
    """The formula as an SVG in the text's colour, named by its LaTeX; as code if matplotlib cannot set it."""
    if not latex:
        return Markup("")
    known = latex
    for spelling, replacement in _SPELLINGS.items():
        known = known.replace(spelling, replacement)
    try:
        with matplotlib.rc_context({"mathtext.fontset": "stix"}):
            path = TextPath((0, 0), f"${known}$", size=_SIZE, prop=FontProperties(family="DejaVu Sans"))
        box = path.get_extents()
    except (ValueError, RuntimeError):
        return Markup('<code class="formula">{}</code>').format(latex)
    left, top, width, height = box.x0 - 1, -box.y1 - 1, box.width + 2, box.height + 2
    return Markup(
        '<svg class="formula" role="img" aria-label="{}" viewBox="{}" style="{}"><path d="{}"/></svg>'
    ).format(
        latex,
        f"{left:.1f} {top:.1f} {width:.1f} {height:.1f}",
        f"width:{width / _SIZE * _SCALE:.2f}em;vertical-align:{(box.y0 - 1) / _SIZE * _SCALE:.2f}em",
        _outline(path),
    )


def _outline(path: Path) -> str:
    """The path as an SVG path's data, y downwards."""
    parts = []
    for points, code in path.iter_segments(simplify=False, curves=True):
        if code == Path.CLOSEPOLY:
            parts.append("Z")
            continue
        letter, count = _STEPS[code]
        parts.append(letter + " ".join(f"{x:.2f} {-y:.2f}" for x, y in points.reshape(count, 2)))
    return "".join(parts)
