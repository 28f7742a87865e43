"""One colour per method, the same in every figure and table. Standard library only: the workflow asks it for
colours while it builds its graph.

The first five are fixed. All have a contrast of about 3:1 or more with a white and with a dark page, which
rules out the yellow and the lighter blues of Okabe & Ito; figures add a dash and a marker per method, so that
colour is never the only cue.

Source: M. Okabe, K. Ito, "Color Universal Design" (2008), darkened where needed.
"""

import colorsys
import hashlib
import itertools
from collections.abc import Iterable, Iterator, Mapping

FIXED = {
    "none": "#6f6f6f",
    "dropout": "#0072b2",
    "gaussian": "#009e73",
    "l2": "#d55e00",
    "weight_norm": "#cc79a7",
}

# Farthest from the five and from each other first, also as dichromats see them.
OTHERS = (
    ("#a05eea", "#b58000", "#2f97d9", "#b23a52", "#7a8510", "#c0139c", "#8f5e2e", "#00888f"),
    ("#2f7d1f", "#5b5fd6", "#e0557f", "#7896b5", "#dd7766", "#8e5a99", "#997755", "#3f6f96"),
    ("#e62ee0", "#4f9a4a", "#c22a2a", "#8877aa", "#5f8a80", "#b0653a", "#3b78f0", "#9c6c80"),
)
_GOLDEN = (5**0.5 - 1) / 2


def _free(method: str, taken: set[str], more: Iterator[str]) -> str:
    """The first free colour: most distinct group first, each from where the id's hash points; then of ``more``."""
    start = int.from_bytes(hashlib.sha256(method.encode()).digest()[:4], "big")
    order = [group[(start + step) % len(group)] for group in OTHERS for step in range(len(group))]
    spare = list(FIXED.values())[1:]
    return next(color for color in itertools.chain(order, spare, more) if color not in taken)


def _more() -> Iterator[str]:
    """Colours without end: hues a golden section apart, of luminances that stand out from a white and a dark page."""
    for number in itertools.count():
        hue, saturation = number * _GOLDEN % 1, (0.85, 0.6, 0.4)[number % 3]
        wanted = (0.16, 0.21, 0.26)[number // 3 % 3]
        low, high = 0.0, 1.0
        for _ in range(20):  # the lightness that gives the luminance
            middle = (low + high) / 2
            color = colorsys.hls_to_rgb(hue, middle, saturation)
            low, high = (middle, high) if _luminance(color) < wanted else (low, middle)
        yield "#" + "".join(f"{round(255 * part):02x}" for part in color)


def _luminance(color: Iterable[float]) -> float:
    """The relative luminance of red, green and blue from 0 to 1 (WCAG 2.1)."""
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in color]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def assign_colors(ids: Iterable[str], overrides: Mapping[str, str] | None = None) -> dict[str, str]:
    """A colour for each method id; ``overrides`` (id -> colour) go first, unknown ids in it are ignored.

    Give all ids a study defines, in its order: then choosing others among them to draw, or adding one at
    the end, changes no colour. 24 methods beyond the five get a chosen colour, all others a made one: no two get the
    same, but past some dozens nobody can tell them all apart.
    """
    ids = list(dict.fromkeys(ids))
    overrides = {key: value for key, value in (overrides or {}).items() if key in ids and value}
    given = {key: overrides.get(key, FIXED.get(key)) for key in ids if key in overrides or key in FIXED}
    taken = {color.lower() for color in given.values()}
    colors, more = {}, _more()
    for method in ids:
        colors[method] = given.get(method) or _free(method, taken, more)
        taken.add(colors[method].lower())
    return colors
