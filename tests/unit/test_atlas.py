"""The page about all studies: that it says what their tables say, and lets neither damage nor markup through."""

import random
import re
from pathlib import Path
from unittest import mock

import pytest
import yaml
from test_report import ACCURACY, EVIL, Page, frames

import atlas as program
from regatlas import studies, tables
from regatlas.numbers import MINUS
from regatlas.report import atlas

KNOWN = dict(ACCURACY)  # before any test adds to it
METHODS = {"none": ("none", {}, None), "l2": ("l2", {}, None), "dropout": ("dropout", {}, None)}
MANY = tuple(range(8))


def study(folder: Path, methods=METHODS, seeds=MANY, config=None, labels=None, diverged=(), **changes) -> Path:
    """A study's folder: its tables and its resolved config; ``changes`` move a method's accuracies."""
    folder.mkdir(parents=True, exist_ok=True)
    accuracy = {method: KNOWN.get(method, 0.9) + by for method, by in changes.items()}
    with mock.patch.dict(ACCURACY, KNOWN | accuracy, clear=True):
        runs, _, table = frames(methods, seeds, diverged)
    table["label"] = [(labels or {}).get(row.method, row.label) for row in table.itertuples()]
    tables.write_csv(folder / "comparison.csv", table)
    tables.write_csv(folder / "runs.csv", runs)
    whole = {
        "report": {"title": f"Title of {folder.name}", "question": f"Does {folder.name} pay?"},
        "dataset": {"name": "mnist"}, "network": {"hidden": [64]}, "statistics": {"level": 0.95, "margin": 0.002},
        "training": {"steps": 4000, "train_size": 2000},
        "methods": {key: {"regularizer": value[0], "label": "x", **value[1]} for key, value in methods.items()},
    }  # fmt: skip
    (folder / "config.yaml").write_text(yaml.safe_dump({**whole, **(config or {})}))
    (folder / "report.html").write_text("<!doctype html>")
    return folder


@pytest.fixture
def results(tmp_path) -> Path:
    return tmp_path / "results"


def page(results: Path) -> str:
    html = atlas.render(studies.folders(results))
    Page(html)  # its tags nest
    return html


def shown(results: Path) -> str:
    """The page's text, with hyphens for minus signs."""
    return Page(page(results)).text.replace(MINUS, "-")


def lines(results: Path) -> dict[str, list]:
    return {line.method: line for line in atlas.matrix([atlas.read(folder) for folder in studies.folders(results)])}


def test_a_study_is_shown_with_its_title_question_finding_and_facts(results):
    study(results / "first", l2=0.2)
    html, text = page(results), shown(results)
    assert '<a href="first/report.html">Title of first</a>' in html
    for part in ("Does first pay?", "hidden: 64", "4,000 steps, 2,000 images", "Trained 2026-11-23", "Runs 24"):
        assert part in text
    assert "1 study, 3 methods, 24 runs." in text and "Data MNIST" in text  # as in its report
    assert (
        "Of 2 methods held against The none (93.35 %), 1 is better (The l2 +4.00 points) "
        "and 1 is worse (The dropout -4.00 points)." in text
    )


def test_a_study_was_trained_when_its_last_run_was(results):
    folder = study(results / "a")
    runs = tables.read_csv(folder / "runs.csv", tables.RUN_COLUMNS)
    runs.loc[3, "finished_at"] = "2026-11-25T10:00:00Z"
    tables.write_csv(folder / "runs.csv", runs)
    assert "Trained 2026-11-25" in shown(results)


def test_the_numbers_are_those_of_the_table(results):
    table = tables.read_csv(study(results / "first", l2=0.2) / "comparison.csv", tables.COMPARISON_COLUMNS)
    for row in table.to_dict("records")[1:]:
        (cell,) = lines(results)[row["method"]].cells
        assert cell["kind"] == row["decision"]
        assert float(cell["difference"].replace(MINUS, "-")) == pytest.approx(100 * row["difference"], abs=0.005)
        low, high = (row[f"difference_simultaneous_{end}"] for end in ("low", "high"))
        ends = [float(end) for end in re.findall(r"[+-][\d.]+", cell["interval"].replace(MINUS, "-"))]
        assert ends == pytest.approx([100 * low, 100 * high], abs=0.005)


def test_the_interval_that_decides_is_shown_whatever_the_t_interval_is(results):
    folder = study(results / "a")
    table = tables.read_csv(folder / "comparison.csv", tables.COMPARISON_COLUMNS)
    ends = ["difference_low", "difference_high", "difference_simultaneous_low", "difference_simultaneous_high"]
    table.loc[table["method"] == "l2", ends] = [-0.17, -0.15, -0.18, -0.14]
    tables.write_csv(folder / "comparison.csv", table)
    (cell,) = lines(results)["l2"].cells
    assert re.findall(r"[\d.]+", cell["interval"]) == ["18.00", "14.00"]


def test_every_decision_stands_there_in_words(results):
    study(results / "many", l2=0.93 - 0.77, dropout=0.039)
    study(results / "few", seeds=(0, 1), l2=0.2)
    text = shown(results)
    assert "= equivalent" in text and "? undecided" in text and "too few seeds" in text and "baseline 93.35 %" in text
    kinds = {method: [cell["kind"] for cell in line.cells] for method, line in lines(results).items()}
    assert kinds["none"] == ["baseline", "baseline"]
    assert kinds["l2"] == ["undecided", "equivalent"]


def test_methods_are_matched_by_id_and_what_differs_is_shown(results):
    study(results / "a", {**METHODS, "l2": ("l2", {"strength": 0.1, "on": True}, None)}, labels={"l2": "Weak"})
    study(results / "b", {"none": METHODS["none"], "l2": ("l2", {"strength": 0.5, "on": True}, None)})
    line = lines(results)["l2"]
    assert line.labels == ["Weak", "The l2"] and line.differs
    assert line.settings == {"on": True}
    assert [cell["settings"] for cell in line.cells] == [{"strength": 0.1}, {"strength": 0.5}]
    assert lines(results)["dropout"].cells[1] is None
    assert "Weak / The l2" in shown(results) and "on: yes; set differently" in shown(results)


def test_the_same_id_for_another_regularizer_is_shown(results):
    study(results / "a", {"none": METHODS["none"], "x": ("l2", {"strength": 0.1}, None)})
    study(results / "b", {"none": METHODS["none"], "x": ("dropout", {"strength": 0.1}, None)})
    assert [cell["settings"] for cell in lines(results)["x"].cells] == [
        {"regularizer": "l2"}, {"regularizer": "dropout"}
    ]  # fmt: skip


def test_of_a_grid_the_selected_values_are_shown(results):
    folder = study(results / "a", {**METHODS, "l2": ("l2", {"strength": [0.1, 0.5]}, None)})
    table = tables.read_csv(folder / "comparison.csv", tables.COMPARISON_COLUMNS)
    table.loc[table["method"] == "l2", "values"] = '{"strength": 0.5, "training.steps": 7}'
    tables.write_csv(folder / "comparison.csv", table)
    assert lines(results)["l2"].settings == {"strength": 0.5, "training.steps": 7}


def test_a_study_of_which_only_the_comparison_is_left(results):
    folder = study(results / "alone")
    for name in ("runs.csv", "config.yaml", "report.html"):
        (folder / name).unlink()
    text = shown(results)
    assert "alone , without a report" in text and "Of 2 methods held against The none" in text
    assert 'href="alone' not in page(results)


def test_what_is_no_study_is_not_taken_for_one(results):
    for name in ("runs", ".hidden", "data"):
        study(results / name)
    (results / "other" / "comparison.csv").mkdir(parents=True)
    assert studies.folders(results) == []
    assert "No study has been compared yet" in shown(results)


@pytest.mark.parametrize(
    ("lost", "sentence"), [("l2", "1 has no finished run."), ("none", "The baseline has no finished run")]
)
def test_methods_without_a_finished_run(results, lost, sentence):
    study(results / "a", diverged=[(lost, seed) for seed in MANY])
    assert sentence in shown(results)
    assert lines(results)[lost].cells[0]["kind"] == "lost"


def test_a_method_that_lost_its_runs_is_no_baseline(results):
    """It has no decision either; a table without the column of baselines goes by that alone."""
    folder = study(results / "a", diverged=[("l2", seed) for seed in MANY])
    table = tables.read_csv(folder / "comparison.csv", tables.COMPARISON_COLUMNS)
    assert table.set_index("method")["decision"].to_dict() == {"none": "", "l2": "", "dropout": "worse"}
    assert "held against The none (93.35 %), 1 is worse" in shown(results)
    cells = {method: line.cells[0]["kind"] for method, line in lines(results).items()}
    assert cells == {"none": "baseline", "l2": "lost", "dropout": "worse"}
    tables.write_csv(folder / "comparison.csv", table[table["method"] != "l2"].drop(columns="baseline"))
    assert "Of 1 method held against The none (93.35 %), 1 is worse" in shown(results)
    tables.write_csv(folder / "comparison.csv", table.assign(decision=""))
    assert "not a comparison of methods with a baseline" in shown(results)  # a difference without a decision


def test_a_label_from_right_to_left_does_not_turn_what_follows(results):
    study(results / "a", labels={"l2": "\N{HEBREW LETTER ALEF}", "none": "a\N{RIGHT-TO-LEFT OVERRIDE}b"})
    text = shown(results)
    assert (
        "against ab" in text and "\N{FIRST STRONG ISOLATE}\N{HEBREW LETTER ALEF}\N{POP DIRECTIONAL ISOLATE} -16" in text
    )


def test_methods_with_baselines_of_their_own(results):
    """As a table says it that has a column for them."""
    read = atlas.read(study(results / "a", l2=0.2))
    read.rows["dropout"]["baseline"] = "l2"
    read.rows["l2"] |= {"baseline": "", "decision": "", "difference": None}
    read.rows["x"] = {**read.rows["dropout"], "method": "x", "label": "X", "baseline": "none"}
    cells = {line.method: line.cells[0] for line in atlas.matrix([read])}
    assert [cells[method]["kind"] for method in ("none", "l2", "dropout")] == ["baseline", "baseline", "worse"]
    assert cells["dropout"]["against"] == "The l2" and cells["x"]["against"] == "The none"
    assert "held against The l2 (97.35 %) and The none (93.35 %), 2 are worse" in atlas.headline(read)


def test_many_methods_are_summed_up(results):
    methods = {"none": METHODS["none"], **{f"m{place}": ("l2", {}, None) for place in range(30)}}
    study(results / "a", methods, m3=0.05, m4=0.01)
    assert (
        "Of 30 methods held against The none (93.35 %), 1 is better (The m3 +2.00 points) "
        "and 29 are worse (from The m0 -3.00 to The m4 -2.00 points)." in shown(results)
    )


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("comparison.csv", "", "comparison.csv: not a table"),
        ("comparison.csv", "method,label\nl2,L2\n", "comparison.csv: not a table of this workflow (no column"),
        ("comparison.csv", b"\xff\xfe\x00", "comparison.csv: not a table"),
        ("runs.csv", "method\nl2\n", "runs.csv: not a table of this workflow (no column finished_at)"),
        ("config.yaml", "report: [", "config.yaml, line 1"),
        ("config.yaml", "a: &a [*a]", "config.yaml"),
        ("config.yaml", "- a list", "config.yaml"),
    ],
)
def test_a_damaged_study_is_named_and_the_others_are_shown(results, name, content, why):
    study(results / "good")
    bad = study(results / "bad")
    (bad / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    text = shown(results)
    assert "bad could not be read and is left out" in text and why in text
    assert "Title of good" in text and "Title of bad" not in text


def test_no_damage_keeps_the_page_from_being_made(results):
    """Bytes altered at random: whatever is read in them, the other study is there."""
    study(results / "good")
    bad = study(results / "bad", seeds=(0, 1))
    chance = random.Random(0)
    for name in ("comparison.csv", "runs.csv", "config.yaml"):
        whole = (bad / name).read_bytes()
        for _ in range(25):
            damaged = bytearray(whole[: chance.randrange(len(whole))] if chance.random() < 0.3 else whole)
            for _ in range(chance.randrange(1, 6)):
                if damaged:
                    damaged[chance.randrange(len(damaged))] = chance.choice(b'\x00\n,"-9a{}[]:<\xff')
            (bad / name).write_bytes(bytes(damaged))
            assert "Title of good" in page(results)
        (bad / name).write_bytes(whole)


def test_texts_are_escaped_and_nothing_is_asked_of_the_network(results):
    study(results / "a b&<i>", labels={"l2": EVIL}, config={"report": {"title": EVIL, "question": EVIL}})
    (study(results / "bad") / "config.yaml").write_text(f"'{EVIL}': [")
    html = page(results)
    assert "<script" not in html
    assert Page(html).text.count('alert("x")') >= 3
    assert 'href="a%20b%26%3Ci%3E/report.html"' in html
    for outside in ("http:", "https:", "@import", "url(", "src="):
        assert outside not in html


def test_the_program_writes_the_page(results, monkeypatch, tmp_path):
    study(results / "a")
    monkeypatch.setattr("sys.argv", ["atlas.py", "--results", str(results), "--out", str(tmp_path / "atlas.html")])
    program.main()
    assert (tmp_path / "atlas.html").read_text(encoding="utf-8") == page(results)
