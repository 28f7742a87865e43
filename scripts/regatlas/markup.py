"""The comparison for people: the same table as Markdown and as LaTeX."""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from regatlas import grids, numbers
from regatlas.numbers import MINUS, PLUS_MINUS, SPACE, known

_ELLIPSIS = "\N{HORIZONTAL ELLIPSIS}"
_LATEX = {
    **{char: f"\\{char}" for char in "&%$#_{}"},
    # After the end of a row, [ and * would be read as its arguments; ?` and !` as one sign.
    **{char: f"{{{char}}}" for char in "[]*`"},
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"{\char34}",
    MINUS: "$-$",
    PLUS_MINUS: r"$\pm$",
    _ELLIPSIS: r"\ldots{}",
}
_OPTIONAL = (
    "Selected",
    "Compared with",
    "Over seeds and images",
    "Accuracy, published",
    "Runtime, published",
    "Weights, published",
    "Verdict",
)
_TEXTS = ("Method", "Selected", "Compared with", "Decision", "Verdict")  # flush left; numbers stand flush right


def escape_markdown(text: str) -> str:
    """The text for a cell of a Markdown table, where it shows as it is; line breaks become spaces."""
    return re.sub(r"([\\`*_{}\[\]<>|~$&#!])", r"\\\1", " ".join(text.split()))


def escape_latex(text: str) -> str:
    """The text for a cell of a LaTeX table, where it shows as it is; line breaks become spaces."""
    return "".join(_LATEX.get(char, char) for char in " ".join(text.split()))


def markdown(comparison: pd.DataFrame, margin: float = 0.002, level: float = 0.95) -> str:
    """The frame of comparison.csv as a Markdown table, with notes under it.

    Args:
        comparison: the frame.
        margin, level: what ``comparison.compare`` was given.
    """
    names, rows = cells(comparison)
    lines = [_line(names), "|" + "|".join(":---" if name in _TEXTS else "---:" for name in names) + "|"]
    lines += [_line(row) for row in rows]
    notes = [f"- {escape_markdown(note)}" for note in _notes(comparison, margin, level)]
    return "\n".join([*lines, "", *notes, ""])


def latex(comparison: pd.DataFrame, margin: float = 0.002, level: float = 0.95) -> str:
    """The frame of comparison.csv as a LaTeX ``tabular`` that needs no package; the notes are comments.

    The arguments are those of ``markdown``.
    """
    names, rows = cells(comparison)
    body = [" & ".join(map(escape_latex, row)) + r" \\" for row in (names, *rows)]
    return "\n".join(
        [
            *(f"% {note}" for note in _notes(comparison, margin, level)),
            rf"\begin{{tabular}}{{{''.join('l' if name in _TEXTS else 'r' for name in names)}}}",
            r"\hline",
            body[0],
            r"\hline",
            *body[1:],
            r"\hline",
            r"\end{tabular}",
            "",
        ]
    )


def cells(comparison: pd.DataFrame) -> tuple[list[str], list[list[str]]]:
    """The names of the columns and the texts of the rows; published values and grids only if there are any."""
    adjusted = _adjusted(comparison)
    labels = _labels(comparison)
    several = len(_baselines(comparison)) > 1
    rows = [
        _texts({**row, "against": labels.get(row["baseline"], row["baseline"])}, several, adjusted)
        for row in comparison.to_dict("records")
    ]
    names = [name for name in _texts({}, several, adjusted) if name not in _OPTIONAL or any(row[name] for row in rows)]
    return names, [[row[name].replace(SPACE, " ") for name in names] for row in rows]


def _adjusted(comparison: pd.DataFrame) -> bool:
    """Whether any method has seeds enough for the sign-flip test; without it the table shows the paired t-test."""
    return bool(comparison["p_adjusted"].notna().any())


def _labels(comparison: pd.DataFrame) -> dict[str, str]:
    return {row["method"]: " ".join(row["label"].split()) for row in comparison.to_dict("records")}


def _baselines(comparison: pd.DataFrame) -> list[str]:
    """The ids of the methods that others are compared with."""
    return [name for name in dict.fromkeys(comparison["baseline"]) if name]


def _texts(row: Mapping[str, Any], several: bool, adjusted: bool) -> dict[str, str]:
    """A row's texts by the name of their column; the columns' order is the one here.

    ``several``: whether methods are compared with different baselines; ``against`` is the baseline's label.
    """
    accuracy, noise_off = (
        numbers.half_width(row, name) if known(row.get(name)) else ""
        for name in ("test_accuracy", "test_accuracy_noise_off")
    )
    p = row.get("p_adjusted" if adjusted else "p_value")
    interval = "difference_simultaneous" if adjusted else "difference"
    diverged = row.get("diverged")
    resampled = {
        "Over seeds and images": numbers.bounds(row, "difference_crossed", "+.2f", 100),
        "Better with a new seed (%)": _with_interval(row, "probability_better", ".0f", 100),
    }
    return {
        "Method": row.get("label", ""),
        "Selected": _selected(row),
        "Seeds": str(row.get("seeds", "")) + (f" ({diverged} diverged)" if diverged else ""),
        "Test accuracy (%)": accuracy if noise_off == accuracy else f"{accuracy} (noise off: {noise_off})",
        "Accuracy, published": _number(row.get("published_test_accuracy"), "g", 100),
        "Compared with": row.get("against", "") if several else "",
        "Difference (points)": "baseline"
        if not row.get("baseline")
        else _with_interval(row, "difference", "+.2f", 100, interval=interval),
        "p, adjusted" if adjusted else "p": numbers.p_value(p) if known(p) else "",
        "Errors per 10,000": _number(row.get("errors_per_10000"), "+.0f"),
        **(resampled if adjusted else {}),
        "Decision": row.get("decision", ""),
        "Relative runtime": _with_interval(row, "relative_runtime", ".2f"),
        "Runtime, published": _number(row.get("published_relative_runtime"), ".2f"),
        "Weights (min \N{HORIZONTAL ELLIPSIS} max)": _range(row, "weight", ".3f"),
        "Weights, published": _range(row, "published_weight", "g"),
        "Verdict": row.get("verdict", ""),
    }


def _selected(row: Mapping[str, Any]) -> str:
    """The values of the selected point, empty without a grid; at the grid's edge they say so."""
    words = grids.words(json.loads(row.get("values") or "{}"))
    return f"{words} (edge)" if words and row["at_edge"] else words


def _notes(comparison: pd.DataFrame, margin: float, level: float) -> list[str]:
    """What the numbers are, as far as the table has them."""
    baselines = _baselines(comparison)
    reference = _labels(comparison).get(baselines[0], baselines[0]) if len(baselines) == 1 else "the row's baseline"
    sure = f"{100 * level:g} %"
    notes = [f"Test accuracy: mean over seeds {PLUS_MINUS} half the width of its 95 % t interval."]
    if _adjusted(comparison):
        notes.append(
            f"Difference: to {reference}, paired by seed, with simultaneous {sure} intervals; p: sign-flip test of "
            "whole seeds, two-sided, adjusted for all methods (single-step max-T, Westfall & Young 1993)."
        )
        notes.append(
            f"Over seeds and images: {sure} interval of the difference, by a bootstrap that draws both (Owen 2007). "
            f"Better with a new seed: share of the seeds, ties counting half, with its {sure} interval."
        )
    else:
        notes.append(
            f"Difference: to {reference}, paired by seed, with its 95 % t interval; p: paired t-test, two-sided, not "
            "adjusted for several methods."
        )
    notes += [
        f"Errors per 10,000: how many more errors than {reference} in 10,000 test images.",
        f"Decision: better or worse, if the simultaneous interval of the sign-flip test excludes zero and its adjusted "
        f"p-value is below {1 - level:.4g}; else equivalent, if two one-sided t-tests, not adjusted for several "
        f"methods, hold the difference within {PLUS_MINUS}{100 * margin:g} points; else undecided.",
        f"Relative runtime: time of a training step over that of {reference}, paired by seed, geometric mean "
        "with its 95 % t interval.",
        "Weights: smallest and largest weight, means over seeds.",
    ]
    if any("noise off" in cell for row in cells(comparison)[1] for cell in row):
        notes.append("Noise off: the same trained networks, tested without the method's noise.")
    return [*notes, *on_tuning(comparison), *undecidable(comparison)]


def on_tuning(comparison: pd.DataFrame) -> list[str]:
    """How points were selected, and what is doubtful about it; nothing without grids."""
    rows = _rows(comparison)
    if all(row["points"] <= 1 for row in rows):
        return []
    notes = [
        "Selected: of each method's points the one with the best mean validation accuracy over seeds; test results are "
        "of it alone. A point with a diverged run is not selected, unless every point has one."
    ]
    if len({row["points"] for row in rows}) > 1:
        counts = ", ".join(f"{row['label']} {row['points']}" for row in rows)
        notes.append(f"The methods had different numbers of points, so they were not tuned alike: {counts}.")
    edge = [f"{row['label']} ({grids.words(json.loads(row['values']))})" for row in rows if row["at_edge"]]
    if edge:
        notes.append(
            f"Selected at the edge of their grids, where a wider grid may hold a better point: {', '.join(edge)}."
        )
    return notes


def undecidable(comparison: pd.DataFrame) -> list[str]:
    """What too few seeds cannot decide."""
    why: dict[str, list[str]] = {}
    for row in _rows(comparison):
        if row["undecidable"]:
            why.setdefault(row["undecidable"], []).append(row["label"])
    return [f"Not decidable for {', '.join(labels)}: {reason}." for reason, labels in why.items()]


def _rows(comparison: pd.DataFrame) -> list[dict[str, Any]]:
    rows = comparison.fillna({"points": 1, "at_edge": 0}).to_dict("records")
    return [{**row, "label": " ".join(row["label"].split())} for row in rows]


def _line(row: Iterable[str]) -> str:
    return "| " + " | ".join(map(escape_markdown, row)) + " |"


def _number(value: Any, form: str, scale: float = 1) -> str:
    """``numbers.number``; a missing one is empty."""
    return numbers.number(value, form, scale) if known(value) else ""


def _with_interval(row: Mapping[str, Any], name: str, form: str, scale: float = 1, interval: str = "") -> str:
    """A number, with its interval in brackets if it has one; ``interval`` names it if it is not the number's own."""
    return f"{_number(row.get(name), form, scale)} {numbers.bounds(row, interval or name, form, scale)}".rstrip()


def _range(row: Mapping[str, Any], name: str, form: str) -> str:
    """The smallest and the largest weight; empty without either."""
    ends = [_number(row.get(f"{name}_{end}"), form) for end in ("min", "max")]
    return f" {_ELLIPSIS} ".join(ends) if all(ends) else ""
