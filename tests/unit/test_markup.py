"""The tables for people, read back by a Markdown parser and by a small reader of LaTeX cells."""

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regatlas import correctness, markup
from regatlas.tables import COMPARISON_COLUMNS, METRICS, RUN_COLUMNS, read_csv, typed, write_csv

PROGRAM = Path(__file__).parents[2] / "scripts" / "compare.py"
NASTY = '50 % [a|b] <i>x</i> & $w_1$ #1 {~^\\} *`c`* "q" !'
printable = st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1).map(
    lambda text: " ".join(text.split())
)


def row(method="l2", **values):
    base = {
        "method": method,
        "label": method,
        "baseline": "none",
        "seeds": 5,
        "diverged": 0,
        "test_accuracy": 0.7634,
        "test_accuracy_low": 0.7621,
        "test_accuracy_high": 0.7647,
        "difference": -0.16881,
        "difference_low": -0.1702,
        "difference_high": -0.00004,
        "p_value": 0.0000002,
        "errors_per_10000": 1688.1,
        "decision": "undecided",
        "undecidable": "",
        "relative_runtime": 1.254,
        "relative_runtime_low": 1.1,
        "relative_runtime_high": 1.436,
        "weight_min": -0.0618,
        "weight_max": 0.0945,
        "verdict": "",
    }
    base |= values
    for end in ("", "_low", "_high"):
        base.setdefault(f"test_accuracy_noise_off{end}", base[f"test_accuracy{end}"])
    return base


def baseline(**values):
    empty = dict.fromkeys(
        ["difference", "difference_low", "difference_high", "p_value", "errors_per_10000", "decision"]
    )
    empty |= {"relative_runtime": 1.0, "relative_runtime_low": None, "relative_runtime_high": None}
    return row("none", **(empty | {"label": "No regularization", "baseline": ""} | values))


def frame(*rows):
    return typed(pd.DataFrame(rows, columns=COMPARISON_COLUMNS))


def texts(table, method):
    names, rows = markup.cells(table)
    return dict(zip(names, rows[table["method"].tolist().index(method)], strict=True))


def read_markdown(text):
    """The texts of the cells of the table, as a reader would see them."""
    markdown_it = pytest.importorskip("markdown_it")
    tokens = markdown_it.MarkdownIt("commonmark").enable(["table"]).parse(text)
    rows, inside = [], False
    for token in tokens:
        if token.type == "tr_open":
            rows.append([])
        inside = (inside or token.type == "table_open") and token.type != "table_close"
        if token.type == "inline" and inside:
            assert {child.type for child in token.children} <= {"text", "text_special"}, token.content
            rows[-1].append("".join(child.content for child in token.children))
    return rows


def read_latex(cell):
    """What TeX would print for a cell; fails on a special sign that stands bare."""
    commands = {
        r"\textbackslash{}": "\\",
        r"\textasciitilde{}": "~",
        r"\textasciicircum{}": "^",
        r"\textless{}": "<",
        r"\textgreater{}": ">",
        r"\textbar{}": "|",
        r"{\char34}": '"',
        "$-$": "\u2212",
        r"$\pm$": "\u00b1",
        r"\ldots{}": "\u2026",
        **{f"\\{char}": char for char in "&%$#_{}"},
        **{f"{{{char}}}": char for char in "[]*`"},
    }
    pattern = "|".join(re.escape(command) for command in sorted(commands, key=len, reverse=True))
    tokens = re.findall(rf"{pattern}|.", cell)
    assert not set(tokens) & set("&%$#_{}\\~^<>|"), cell
    return "".join(commands.get(token, token) for token in tokens)


def test_a_row_reads_as_people_write():
    table = frame(baseline(), row())
    assert texts(table, "l2") == {
        "Method": "l2",
        "Seeds": "5",
        "Test accuracy (%)": "76.34 ± 0.13",
        "Difference (points)": "\u221216.88 [\u221217.02, 0.00]",
        "p": "< 0.001",
        "Errors per 10,000": "+1688",
        "Decision": "undecided",
        "Relative runtime": "1.25 [1.10, 1.44]",
        "Weights (min … max)": "\u22120.062 … 0.095",
    }
    found = texts(table, "none")
    assert (found["Difference (points)"], found["p"], found["Relative runtime"]) == ("baseline", "", "1.00")


@pytest.mark.parametrize("label", [" ", "", "l2"])
def test_what_a_row_is_compared_with_goes_by_ids_whatever_the_labels_are(label):
    found = markup.cells(frame(baseline(label=label), row()))
    first, second = (dict(zip(found[0], cells, strict=True))["Difference (points)"] for cells in found[1])
    assert first == "baseline" and second.startswith("\u221216.88 [")


def test_with_seeds_enough_all_intervals_are_told():
    decided = {"p_adjusted": 0.002, "difference_simultaneous_low": -0.2, "difference_simultaneous_high": -0.13}
    crossed = {"difference_crossed_low": -0.181, "difference_crossed_high": -0.1552}
    chance = {"probability_better": 0.0, "probability_better_low": 0.0, "probability_better_high": 0.278}
    table = frame(baseline(), row(**decided, **crossed, **chance))
    found = texts(table, "l2")
    assert found["Difference (points)"] == "\u221216.88 [\u221220.00, \u221213.00]"
    assert found["Over seeds and images"] == "[\u221218.10, \u221215.52]"
    assert found["Better with a new seed (%)"] == "0 [0, 28]"
    assert "Owen 2007" in markup.markdown(table)
    without = frame(baseline(), row(**decided, **chance))  # the file of predictions was not there
    assert "Over seeds and images" not in markup.cells(without)[0]
    assert "Better with a new seed (%)" not in markup.cells(frame(baseline(), row(**crossed, **chance)))[0]


def test_published_values_stand_beside_where_a_row_has_them():
    published = {
        "published_test_accuracy": 0.932,
        "published_relative_runtime": 1.5,
        "published_weight_min": -1.95,
        "published_weight_max": 1.64,
        "verdict": "reproduced",
    }
    table = frame(baseline(**published), row())
    names, _ = markup.cells(table)
    assert names == [
        "Method",
        "Seeds",
        "Test accuracy (%)",
        "Accuracy, published",
        "Difference (points)",
        "p",
        "Errors per 10,000",
        "Decision",
        "Relative runtime",
        "Runtime, published",
        "Weights (min … max)",
        "Weights, published",
        "Verdict",
    ]
    found = texts(table, "none")
    assert [found[name] for name in names if "published" in name] == ["93.2", "1.50", "\u22121.95 … 1.64"]
    assert found["Verdict"] == "reproduced"
    assert texts(table, "l2")["Accuracy, published"] == texts(table, "l2")["Verdict"] == ""


def test_noise_off_is_shown_where_it_differs():
    off = {
        "test_accuracy_noise_off": 0.9226,
        "test_accuracy_noise_off_low": 0.9220,
        "test_accuracy_noise_off_high": 0.9232,
    }
    table = frame(baseline(), row("dropout", **off))
    assert texts(table, "dropout")["Test accuracy (%)"] == "76.34 ± 0.13 (noise off: 92.26 ± 0.06)"
    assert "without the method's noise" in markup.markdown(table)
    assert "without the method's noise" not in markup.markdown(frame(baseline(), row()))


KEPT = ("method", "label", "baseline", "undecidable", "verdict")


def test_one_seed_no_seed_and_diverged_seeds():
    nothing = dict.fromkeys(name for name in row() if name not in KEPT)
    table = frame(
        baseline(),
        row("once", test_accuracy_low=None, test_accuracy_high=None, seeds=1, diverged=2, p_value=0.0051),
        row("never", **(nothing | {"seeds": 0, "diverged": 3})),
    )
    once = texts(table, "once")
    assert (once["Test accuracy (%)"], once["Seeds"], once["p"]) == ("76.34", "1 (2 diverged)", "0.005")
    assert list(texts(table, "never").values()) == ["never", "0 (3 diverged)", *[""] * 7]


@settings(deadline=None)
@given(printable)
def test_any_label_shows_as_it_is(label):
    table = frame(baseline(), row(label=label))
    found = read_markdown(markup.markdown(table))
    assert found[2][0] == label
    assert [len(cells) for cells in found] == [9] * 3
    line = markup.latex(table).splitlines()[-3]
    assert read_latex(line.split(" & ")[0]) == label


def test_a_label_of_several_lines_stays_in_its_row():
    table = frame(baseline(label="No\nregularization"), row(label="a\r\nb\u2028c"))
    assert read_markdown(markup.markdown(table))[2][0] == "a b c"
    comments = [line for line in markup.latex(table).split("\n") if "No regularization" in line]
    assert all(line.startswith(("%", "No regularization &")) for line in comments)


def test_latex_is_a_whole_tabular():
    table = frame(baseline(), row(label=NASTY, verdict="missed: weight_max by -31 %"))
    names, rows = markup.cells(table)
    lines = [line for line in markup.latex(table).split("\n") if not line.startswith("%")]
    assert lines[0] == r"\begin{tabular}{lrrrrrlrrl}" and lines[-2:] == [r"\end{tabular}", ""]
    body = [line for line in lines[1:-2] if line != r"\hline"]
    assert all(line.endswith(r" \\") for line in body)
    found = [[read_latex(cell) for cell in line.removesuffix(r" \\").split(" & ")] for line in body]
    assert found == [names, *rows]


def test_the_program_writes_all_three(tmp_path):
    runs = []
    for method, off in (("none", 0.0), ("null", -0.1)):
        for seed, accuracy in enumerate([0.93, 0.932, 0.935]):
            values = dict.fromkeys(RUN_COLUMNS) | dict.fromkeys(METRICS, accuracy + off * (1 + seed / 9))
            values |= {"point": 0, "values": "{}", "selected": 1}
            values |= {"method": method, "seed": seed, "status": "finished", "microseconds_per_step": 30.0}
            runs.append(values)
    write_csv(tmp_path / "runs.csv", typed(pd.DataFrame(runs)))
    bits = np.random.default_rng(0).integers(0, 256, (6, 3)).astype(np.uint8)
    keys = [(run["method"], run["seed"]) for run in runs]
    correctness.write(tmp_path / "correct.npz", correctness.Correct(21, dict(zip(keys, bits, strict=True))))
    published = {"test_accuracy": 0.932, "tolerance": 0.005}
    spec = {
        "statistics": {"margin": 0.002, "level": 0.95},
        "methods": [
            {"id": "null", "label": NASTY, "baseline": "none", "published": None},
            {"id": "none", "label": "No regularization", "baseline": "none", "published": published},
        ],
    }
    names = {"--csv": "comparison.csv", "--markdown": "comparison.md", "--latex": "comparison.tex"}
    for folder in ("first", "second"):
        command = [sys.executable, PROGRAM, "--spec", json.dumps(spec), "--table", tmp_path / "runs.csv"]
        command += ["--correct", tmp_path / "correct.npz"]
        for option, name in names.items():
            command += [option, tmp_path / folder / name]
        subprocess.run(command, check=True)
    for name in names.values():
        assert (tmp_path / "first" / name).read_bytes() == (tmp_path / "second" / name).read_bytes()
    table = read_csv(tmp_path / "first" / "comparison.csv", COMPARISON_COLUMNS)
    assert table["method"].tolist() == ["null", "none"] and table["label"].tolist()[0] == NASTY
    assert table["verdict"].tolist() == ["", "reproduced"]
    assert table["difference"].tolist()[0] == pytest.approx(-0.1 * (1 + 1 / 9))
    written = read_markdown((tmp_path / "first" / "comparison.md").read_text())
    assert [cells[0] for cells in written] == ["Method", NASTY, "No regularization"]


def test_the_program_tells_margin_and_level_in_both_texts(tmp_path):
    values = dict.fromkeys(RUN_COLUMNS) | dict.fromkeys(METRICS, 0.9) | {"seed": 0, "status": "finished"}
    values |= {"point": 0, "values": "{}", "selected": 1, "microseconds_per_step": 30.0}
    write_csv(tmp_path / "runs.csv", typed(pd.DataFrame([values | {"method": name} for name in ("none", "l2")])))
    bits = {(name, 0): np.zeros(1, np.uint8) for name in ("none", "l2")}
    correctness.write(tmp_path / "correct.npz", correctness.Correct(8, bits))
    methods = [{"id": name, "label": name, "baseline": "none", "published": None} for name in ("none", "l2")]
    spec = {"statistics": {"margin": 0.005, "level": 0.9}, "methods": methods}
    command = [sys.executable, PROGRAM, "--spec", json.dumps(spec), "--table", tmp_path / "runs.csv"]
    command += ["--correct", tmp_path / "correct.npz", "--csv", tmp_path / "a.csv"]
    subprocess.run([*command, "--markdown", tmp_path / "a.md", "--latex", tmp_path / "a.tex"], check=True)
    for name in ("a.md", "a.tex"):
        written = (tmp_path / name).read_text()
        assert "0.5 points" in written and "below 0.1;" in written, name


def test_with_seeds_enough_the_table_shows_the_simultaneous_test():
    tested = {"difference_simultaneous_low": -0.18, "difference_simultaneous_high": -0.15, "p_adjusted": 0.0312}
    table = frame(baseline(), row(**tested, decision="worse"), row("few", undecidable="better or worse: it has 2"))
    found = texts(table, "l2")
    assert "p" not in found and found["p, adjusted"] == "0.031" and found["Decision"] == "worse"
    assert found["Difference (points)"] == "\u221216.88 [\u221218.00, \u221215.00]"
    assert texts(table, "few")["Difference (points)"] == "\u221216.88" and texts(table, "few")["p, adjusted"] == ""
    written = markup.markdown(table, margin=0.005, level=0.9)
    assert "simultaneous 90 % intervals" in written and "±0.5 points" in written and "below 0.1;" in written
    assert "Not decidable for few: better or worse: it has 2." in written


def test_methods_that_cannot_be_decided_share_a_note():
    table = frame(baseline(), *(row(name, undecidable="better or worse: it has 5") for name in ("a", "b")))
    assert "- Not decidable for a, b: better or worse: it has 5." in markup.markdown(table).splitlines()
    assert "% Not decidable for a, b: better or worse: it has 5." in markup.latex(table).splitlines()


def test_grids_are_shown_with_their_doubts():
    selected = {"values": '{"strength":0.001,"training.loss":"squared_error"}', "points": 4, "point": 2}
    table = frame(
        baseline(values="{}", points=1, at_edge=0), row(**selected, at_edge=1), row("b", **selected, at_edge=0)
    )
    assert texts(table, "l2")["Selected"] == "strength 0.001, training.loss squared_error (edge)"
    assert texts(table, "b")["Selected"] == "strength 0.001, training.loss squared_error"
    assert texts(table, "none")["Selected"] == ""
    written = markup.markdown(table)
    assert "not tuned alike: No regularization 1, l2 4, b 4" in written
    assert written.count("Selected at the edge of their grids") == 1
    alike = frame(row("a", **selected, at_edge=0), row("b", **selected, at_edge=0))
    notes = markup.on_tuning(alike)
    assert len(notes) == 1 and "best mean validation accuracy" in notes[0]
    assert markup.on_tuning(frame(baseline(), row())) == []
