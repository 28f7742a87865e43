"""The comparison for people: the same table as Markdown and as LaTeX."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

_MINUS, _PLUS_MINUS, _ELLIPSIS = "\N{MINUS SIGN}", "\N{PLUS-MINUS SIGN}", "\N{HORIZONTAL ELLIPSIS}"
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
    _MINUS: "$-$",
    _PLUS_MINUS: r"$\pm$",
    _ELLIPSIS: r"\ldots{}",
}
_PUBLISHED = ("Accuracy, published", "Runtime, published", "Weights, published", "Verdict")
_TEXTS = ("Method", "Verdict")  # flush left; numbers stand flush right


def escape_markdown(text: str) -> str:
    """The text for a cell of a Markdown table, where it shows as it is; line breaks become spaces."""
    return re.sub(r"([\\`*_{}\[\]<>|~$&#!])", r"\\\1", " ".join(text.split()))


def escape_latex(text: str) -> str:
    """The text for a cell of a LaTeX table, where it shows as it is; line breaks become spaces."""
    return "".join(_LATEX.get(char, char) for char in " ".join(text.split()))


def markdown(comparison: pd.DataFrame, baseline: str) -> str:
    """The frame of comparison.csv as a Markdown table, with notes under it; ``baseline`` is a method's id."""
    names, rows = cells(comparison, baseline)
    lines = [_line(names), "|" + "|".join(":---" if name in _TEXTS else "---:" for name in names) + "|"]
    lines += [_line(row) for row in rows]
    notes = [f"- {escape_markdown(note)}" for note in _notes(comparison, baseline)]
    return "\n".join([*lines, "", *notes, ""])


def latex(comparison: pd.DataFrame, baseline: str) -> str:
    """The frame of comparison.csv as a LaTeX ``tabular`` that needs no package; the notes are comments."""
    names, rows = cells(comparison, baseline)
    body = [" & ".join(map(escape_latex, row)) + r" \\" for row in (names, *rows)]
    return "\n".join(
        [
            *(f"% {note}" for note in _notes(comparison, baseline)),
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


def cells(comparison: pd.DataFrame, baseline: str) -> tuple[list[str], list[list[str]]]:
    """The names of the columns and the texts of the rows; published values only if there are any."""
    rows = [_texts(row, row["method"] == baseline) for row in comparison.to_dict("records")]
    names = [name for name in _texts({}, False) if name not in _PUBLISHED or any(row[name] for row in rows)]
    return names, [[row[name] for name in names] for row in rows]


def _texts(row: Mapping[str, Any], is_baseline: bool) -> dict[str, str]:
    """A row's texts by the name of their column; the columns' order is the one here."""
    accuracy = _with_half_width(row, "test_accuracy")
    noise_off = _with_half_width(row, "test_accuracy_noise_off")
    p = row.get("p_value")
    diverged = row.get("diverged")
    return {
        "Method": row.get("label", ""),
        "Seeds": str(row.get("seeds", "")) + (f" ({diverged} diverged)" if diverged else ""),
        "Test accuracy (%)": accuracy if noise_off == accuracy else f"{accuracy} (noise off: {noise_off})",
        "Accuracy, published": _number(row.get("published_test_accuracy"), "g", 100),
        "Difference (points)": "baseline" if is_baseline else _with_interval(row, "difference", "+.2f", 100),
        "p": "" if pd.isna(p) else "< 0.001" if p < 0.001 else f"{p:.3f}",
        "Relative runtime": _with_interval(row, "relative_runtime", ".2f"),
        "Runtime, published": _number(row.get("published_relative_runtime"), ".2f"),
        "Weights (min \N{HORIZONTAL ELLIPSIS} max)": _range(row, "weight", ".3f"),
        "Weights, published": _range(row, "published_weight", "g"),
        "Verdict": row.get("verdict", ""),
    }


def _notes(comparison: pd.DataFrame, baseline: str) -> list[str]:
    """What the numbers are, as far as the table has them."""
    labels = comparison.loc[comparison["method"] == baseline, "label"]
    reference = " ".join((labels.iloc[0] if len(labels) else baseline).split())
    notes = [
        f"Test accuracy: mean over seeds {_PLUS_MINUS} half the width of its 95 % t interval.",
        f"Difference: to {reference}, paired by seed, with its 95 % t interval; p: paired t-test, two-sided.",
        f"Relative runtime: time of a training step over that of {reference}, paired by seed, geometric mean "
        "with its 95 % t interval.",
        "Weights: smallest and largest weight, means over seeds.",
    ]
    if any("noise off" in cell for row in cells(comparison, baseline)[1] for cell in row):
        notes.append("Noise off: the same trained networks, tested without the method's noise.")
    return notes


def _line(row: Iterable[str]) -> str:
    return "| " + " | ".join(map(escape_markdown, row)) + " |"


def _number(value: float | None, form: str, scale: float = 1) -> str:
    """The number with a real minus sign; a missing one is empty, one that rounds to zero has no minus."""
    if value is None or pd.isna(value):
        return ""
    text = f"{round(value * scale, 12):{form}}"
    return (text.lstrip("-") if text.startswith("-") and not float(text) else text).replace("-", _MINUS)


def _with_half_width(row: Mapping[str, Any], name: str) -> str:
    """A fraction in percent, with the half-width of its interval if it has one."""
    mean, low, high = (row.get(f"{name}{end}") for end in ("", "_low", "_high"))
    if low is None or pd.isna(low):
        return _number(mean, ".2f", 100)
    return f"{_number(mean, '.2f', 100)} {_PLUS_MINUS} {_number((high - low) / 2, '.2f', 100)}"


def _with_interval(row: Mapping[str, Any], name: str, form: str, scale: float = 1) -> str:
    """A number, with its interval in brackets if it has one."""
    mean, low, high = (_number(row.get(f"{name}{end}"), form, scale) for end in ("", "_low", "_high"))
    return f"{mean} [{low}, {high}]" if low else mean


def _range(row: Mapping[str, Any], name: str, form: str) -> str:
    """The smallest and the largest weight; empty without either."""
    ends = [_number(row.get(f"{name}_{end}"), form) for end in ("min", "max")]
    return f" {_ELLIPSIS} ".join(ends) if all(ends) else ""
