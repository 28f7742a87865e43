"""The report: that it says what the tables say, is whole as one file, and lets nothing through unescaped."""

import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace

import jinja2
import pandas as pd
import pytest
import yaml
from matplotlib.figure import Figure

import report
from regatlas import grids, numbers, tables
from regatlas.comparison import compare
from regatlas.errors import UserError
from regatlas.figures import style
from regatlas.report import facts, formulas, page
from regatlas.report.bidi import isolated

VOID = {"meta", "link", "br", "img", "input", "hr"}
EVIL = '<script>alert("x")</script> & $ {{ 7 * 7 }}'
POST = {
    "none": ("none", {}, {"test_accuracy": 0.932, "relative_runtime": 1.0, "weight_min": -1.95, "weight_max": 1.64}),
    "dropout": ("dropout", {"keep_probability": 0.5, "active_at_test": True}, {"test_accuracy": 0.895}),
    "gaussian": ("gaussian", {"noise_scale": 0.5}, {"test_accuracy": 0.915, "weight_min": 0.0, "weight_max": 0.8}),
    "l2": ("l2", {"strength": 0.01}, {"test_accuracy": 0.76, "weight_min": -0.062, "weight_max": 0.094}),
    "weight_norm": ("weight_norm", {"radius": 1.0}, None),
}
ACCURACY = {"none": 0.93, "dropout": 0.89, "gaussian": 0.91, "l2": 0.77, "weight_norm": 0.72}
FORMULAS = {
    "gaussian": r"W = \frac{1}{\sqrt{2\pi}\,\sigma} \exp\!\left(-\frac{(X - \mu)^2}{2\sigma^4}\right)",
    "weight_norm": r"W = r \, V / \lVert V \rVert_F",
}


class Page(HTMLParser):
    """A page's tags, ids and text; fails on tags that do not nest."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.ids, self.open, self.text = [], [], [], []
        self.feed(text)
        self.close()
        assert self.open == []
        self.text = " ".join(" ".join(self.text).split())

    def handle_startendtag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        self.ids += [value for key, value in attributes if key == "id"]

    def handle_starttag(self, tag, attributes):
        self.handle_startendtag(tag, attributes)
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, tag

    def handle_data(self, data):
        if self.open[-1:] not in (["script"], ["style"]):
            self.text.append(data)


def frames(methods=POST, seeds=(0, 1, 2), diverged=(), processors=("cpu one",)):
    """runs, curves and comparison of a study in which seed s adds s thousandths to a method's accuracy."""
    rows, curves = [], []
    for method, (regularizer, _, _) in methods.items():
        for position, seed in enumerate(seeds):
            accuracy = ACCURACY.get(method, 0.9) + 0.001 * seed
            row = dict.fromkeys(tables.RUN_COLUMNS)
            row |= {"method": method, "seed": seed, "digest": "ab", "regularizer": regularizer, "status": "finished"}
            row |= {"point": 0, "values": "{}", "selected": 1}
            row |= {"total_seconds": 10.0, "finished_at": f"2026-11-23T10:0{seed}:00Z", "tensorflow": "2.21.0"}
            row |= {"processor": processors[position % len(processors)], "cores": 2, "system": "Linux"}
            if (method, seed) in diverged:
                row |= {"status": "diverged", "message": "the loss became NaN"}
            else:
                row |= {"test_accuracy": accuracy, "train_accuracy": accuracy + 0.005, "parameters": 7840}
                row |= {"test_accuracy_noise_off": accuracy + 0.03 * (method == "dropout")}
                row |= {"weight_min": -1.9 if method == "none" else -0.06, "weight_max": 1.6, "weight_norm": 12.5}
                row |= {"roughness": 0.25, "template_correlation": 0.5, "microseconds_per_step": 30.0 + seed}
            rows.append(row)
            curve = {"method": method, "seed": seed, "point": 0, "test_accuracy": 0.5}
            curves += [{**curve, "step": step} for step in (1, 100)]
    runs = tables.typed(pd.DataFrame(rows, columns=tables.RUN_COLUMNS))
    first = next(iter(methods))
    entries = [
        {"id": key, "label": f"The {key}", "baseline": first, "published": value[2]} for key, value in methods.items()
    ]
    comparison = compare(entries, runs)
    return runs, tables.typed(pd.DataFrame(curves, columns=tables.CURVE_COLUMNS)), comparison


def spec(methods=POST, story="post", seeds=(0, 1, 2), **changes):
    config = {
        "study": "post",
        "dataset": {"name": "mnist", "validation_size": 5000},
        "network": {"hidden": [], "bias": False, "initial_stddev": 0.075},
        "training": {"loss": "squared_error", "optimizer": "adam", "learning_rate": 1e-4, "batch_size": 32}
        | {"steps": 150000, "evaluate_every": 1000, "train_size": 55000, "schedule": "constant"}
        | {"label_noise": 0.0, "permuted_pixels": False, "momentum": 0.9},
        "seeds": list(seeds),
    }
    entries = [
        {
            **{"id": key, "label": f"The {key}", "color": "#0072b2", "regularizer": regularizer, "title": key},
            **{"formula": FORMULAS.get(key, "L(W)"), "citation": "Someone 1999", "acts_on": "loss"},
            **{"settings": settings, "training": {"learning_rate": 1e-3} if key == "gaussian" else {}},
            "published": published,
        }
        for key, (regularizer, settings, published) in methods.items()
    ]
    result = {"title": "A study", "story": story, "author": "", "config": config, "methods": entries}
    return {**result, "baseline": next(iter(methods)), **changes}


def render(folder, given=None, tables_=None):
    return page.render(given or spec(), *(tables_ or frames()), folder)


def figure(path, height=0.5):
    drawn = Figure(figsize=(1, height))
    drawn.add_subplot().plot([0, 1])
    style.save_svg(drawn, path, "T", "D")


def test_it_shows_the_numbers_of_the_comparison(tmp_path):
    text = Page(render(tmp_path)).text
    # Seeds 0, 1, 2 give 0.930, 0.931, 0.932; t(0.975, 2) = 4.3027, times 0.001 / sqrt(3) = 0.00248.
    assert "93.10 ± 0.25" in text
    assert "from 72.10 % (The weight_norm) to 93.10 % (The none)" in text
    assert "89.10 ± 0.25" in text and "92.10 ± 0.25" in text  # noise on, noise off
    assert "costs 3.00 points; of the 4.00 points" in text and "1.00 remain" in text
    assert "published 93.2" in text and "published 76.0" in text and "not corrected" in text
    assert "missed: smallest weight" not in text.split("Verdict")[0]
    assert "The gaussian \N{MINUS SIGN}2.00 [\N{MINUS SIGN}2.00, \N{MINUS SIGN}2.00]" in text
    assert "Undecided: all of these differences. No method can be called better or worse" in text
    assert "15 runs, 2 min 30 s in all" in text.replace("\N{NO-BREAK SPACE}", " ")
    assert "2026-11-23 10:00:00 to 2026-11-23 10:02:00 UTC" in text


def test_it_is_well_formed_and_needs_nothing_from_elsewhere(tmp_path):
    for name in ("accuracy", "runtime"):
        figure(tmp_path / f"{name}.svg")
    html = render(tmp_path)
    parsed = Page(html)
    assert len(parsed.ids) == len(set(parsed.ids))
    for tag, attributes in parsed.tags:
        assert tag not in ("link", "iframe", "object")
        for key in ("src", "href", "xlink:href"):
            assert attributes.get(key, "#").startswith(("#", "data:")), (tag, attributes)
        if tag == "svg":
            assert attributes["role"] == "img"
            names = attributes.get("aria-labelledby", "").split()
            assert attributes.get("aria-label") or (names and set(names) <= set(parsed.ids))
    targets = [a["href"][1:] for t, a in parsed.tags if t in ("a", "use") and "href" in a]
    assert targets and set(targets) <= set(parsed.ids)
    assert not re.search(r"@import|url\((?!#)", html)
    assert len([tag for tag, _ in parsed.tags if tag == "figure"]) == 2


def test_everything_from_outside_is_escaped(tmp_path):
    methods = {"none": POST["none"], "evil": (EVIL, {EVIL: EVIL}, None)}
    runs, curves, comparison = frames(methods, diverged=[("evil", 1)])
    runs["message"] = runs["processor"] = runs["tensorflow"] = EVIL
    comparison["label"] = comparison["verdict"] = EVIL
    for story in ("post", ""):
        given = spec(methods, story, title=EVIL, author=EVIL)
        given["config"]["dataset"]["name"] = given["config"]["training"]["optimizer"] = EVIL
        for method in given["methods"]:
            method |= dict.fromkeys(("label", "color", "title", "formula", "citation", "acts_on"), EVIL)
            method["training"] = {EVIL: EVIL}
        html = page.render(given, runs, curves, comparison, tmp_path)
        assert "<script>alert" not in html
        assert html.count("{{ 7 * 7 }}") > 10 and ">49<" not in html
        assert sum(tag == "script" for tag, _ in Page(html).tags) == 1


def test_the_story_is_told_for_the_post_alone(tmp_path):
    assert "Where the post" in Page(render(tmp_path)).text
    other = Page(render(tmp_path, spec(story=""))).text
    assert "the post" not in other.lower() and "It acts on the loss" in other
    cards = re.findall(r"<article>\s*<h3>(.*?)</h3>", render(tmp_path, spec(story="")))
    assert cards == list(POST)  # in the study's order


def test_wrong_labels_and_shuffled_pixels_are_said(tmp_path):
    plain = Page(render(tmp_path)).text
    assert "wrong label" not in plain and "random order" not in plain
    given = spec()
    given["config"]["training"] |= {"label_noise": 0.3, "permuted_pixels": True}
    text = Page(render(tmp_path, given)).text.replace("\N{NO-BREAK SPACE}", " ")
    assert "55,000 training images, of which 30 % have a wrong label, with their pixels in a random order" in text


def test_the_navigation_has_the_words_of_the_headings(tmp_path):
    runs, *others = frames()
    runs["train_size"], runs["accuracy_gap"] = 100, 0.0
    for name in ("robustness", "data_sizes"):
        figure(tmp_path / f"{name}.svg")
        html = render(tmp_path, None, (runs, *others))
        link = re.search(r'<a href="#paths">(.*?)</a>', html)[1]
        assert link == re.search(r'<h2 id="paths-title">(.*?)</h2>', html)[1] and ("images" in link or "data" in link)


def test_lost_runs_are_said_in_words(tmp_path):
    runs, curves, comparison = frames(diverged=[("l2", s) for s in (0, 1, 2)])
    runs = runs[~((runs["method"] == "none") & (runs["seed"] == 2))]
    for story in ("post", ""):
        text = Page(page.render(spec(story=story), runs, curves, comparison, tmp_path)).text
        assert "The l2: training diverged with seeds 0, 1 and 2 (the loss became NaN)" in text
        assert "The none: no run with seed 2 is in the table" in text
        assert "nan" not in text.lower().replace("became nan", "")


@pytest.mark.parametrize("story", ["post", ""])
def test_a_study_without_any_finished_or_with_one_run(tmp_path, story):
    lost = [(method, 0) for method in POST]
    for seeds, diverged, words in (((0,), lost, "No run finished"), ((0,), (), "gives no interval")):
        given = spec(story=story, seeds=seeds)
        text = Page(page.render(given, *frames(seeds=seeds, diverged=diverged), tmp_path)).text
        assert words in text and "None" not in text and "nan" not in text.replace("NaN", "")


def test_runs_that_are_missing_are_counted_over_all_points(tmp_path):
    runs, curves, comparison = frames()
    given = spec()
    given["methods"][3]["points"] = 4  # of which 3 are missing, with three seeds
    text = Page(page.render(given, runs, curves, comparison, tmp_path)).text
    assert "a part of the study: 9 of 24 runs are missing." in text
    assert "a part of the study" not in Page(render(tmp_path)).text


def test_runs_of_points_that_were_not_selected_are_in_no_number_and_no_complaint(tmp_path):
    figure(tmp_path / "cost.svg")
    runs, curves, comparison = frames()
    plain = Page(page.render(spec(), runs, curves, comparison, tmp_path)).text
    other = runs[runs["method"] == "l2"].assign(point=1, selected=0, test_accuracy=0.1)
    other.loc[other["seed"] == 2, ["status", "message"]] = ["diverged", "at another point"]
    text = Page(page.render(spec(), pd.concat([runs, other], ignore_index=True), curves, comparison, tmp_path)).text
    assert text.count("77.10") == plain.count("77.10") and "at another point" not in text


def test_many_methods_are_counted_in_words_and_listed_in_tables(tmp_path):
    methods = {f"m{i:02}": ("l2" if i % 2 else "dropout", {}, None) for i in range(40)}
    for i, key in enumerate(methods):
        ACCURACY[key] = 0.9 - 0.001 * abs(i - 10)
    given, tables_ = spec(methods, "", seeds=range(10)), frames(methods, seeds=range(10), diverged=[("m05", 3)])
    html = render(tmp_path, given, tables_)
    text = Page(html).text
    opening = text[: text.index("Mean over seeds.")]
    assert "The m10 and 29 others. The network" in opening
    # m20 is as far from m10 as m00 is, the baseline; a tenth of a point a step
    assert "19 methods are better (from The m01 +0.10 to The m10 +1.00 points)" in opening
    low, high = ("The m39 \N{MINUS SIGN}1.90", "The m21 \N{MINUS SIGN}0.10")
    assert f"19 methods are worse (from {low} to {high} points)" in opening
    assert "Seeds: 0 to 9; baseline" in text
    body = text[text.index("What each method does") :]
    assert all(text.count(f"The {key}") >= 3 for key in methods)
    assert body.index("The m00") < body.index("The m01") and html.count('class="sortable') == 2
    assert html.count("<article>") == 2


def test_findings_on_many_methods_name_few_of_each_decision():
    rows = [
        {"label": f"m{i}", "test_accuracy": 0.9, "difference": (i - 5) / 100, "decision": decision}
        for i, decision in enumerate(["worse"] * 4 + ["equivalent"] * 2 + ["better"] * 3)
    ]
    sentence = facts._differences(rows, "none")
    assert "m6 (+1.00 points), m7 (+2.00 points) and m8 (+3.00 points) are better" in sentence
    low, high = "m0 \N{MINUS SIGN}5.00", "m3 \N{MINUS SIGN}2.00"
    assert f"4 methods are worse (from {low} to {high} points)" in sentence
    same = [
        {**row, "decision": "equivalent", "difference": by} for row, by in zip(rows, [0, -8e-4, 5e-4] * 3, strict=True)
    ]
    said = "9 methods are equivalent (from m1 \N{MINUS SIGN}0.08 to m8 +0.05 points)"  # the ends, not the sizes
    assert said in facts._differences(same, "none")
    assert "m0 (\N{MINUS SIGN}5.00 points), m1" in facts._differences(rows[:8], "none")


def test_of_many_open_differences_the_largest_is_named_whatever_its_sign():
    empty = dict.fromkeys(f"difference{name}_{end}" for name in ("", "_simultaneous") for end in ("low", "high"))
    empty["undecidable"] = ""
    rows = [
        {**empty, "label": f"m{i}", "difference": (i - 7) / 100, "decision": "undecided" if i else "worse"}
        for i in range(11)
    ]
    said = "10 methods, the largest difference being \N{MINUS SIGN}6.00 points (m1)."
    assert facts.still_open(rows) == said


def test_the_lost_runs_of_many_methods_are_said_in_few_words(tmp_path):
    methods = {f"m{i:02}": ("l2", {}, None) for i in range(12)}
    entries = [{"id": key, "label": key} for key in methods]
    runs, _, _ = frames(methods, seeds=range(9), diverged=[(key, s) for key in methods for s in range(7)])
    alike = "m00, m01, m02, m03, m04, m05, m06 and 5 others: training diverged with seeds 0 to 6 (the loss became NaN)"
    assert facts.lost_runs(entries, range(9), runs) == [f"{alike}; the numbers are of the other runs."]
    runs, _, _ = frames(methods, seeds=range(12), diverged=[(key, i) for i, key in enumerate(methods)])
    sentences = facts.lost_runs(entries, range(12), runs)
    assert len(sentences) == 9 and sentences[-1] == "So it is, with other seeds, with 4 other methods."
    assert sentences[7].startswith("m07: training diverged with seed 7 (")


def test_runtimes_of_different_processors_are_warned_of(tmp_path):
    warning = "runtimes cannot be compared"
    assert warning not in Page(render(tmp_path)).text
    assert warning in Page(render(tmp_path, tables_=frames(processors=("cpu one", "cpu two")))).text


def test_the_time_of_a_run_is_the_median():
    runs, _, _ = frames()
    runs.loc[0, "total_seconds"] = 10_000.0
    found = facts.provenance(runs)
    assert (found["seconds_each"], found["seconds"]) == (10.0, 10_140.0)


def test_the_program_writes_the_page_and_the_resolved_configuration(tmp_path, monkeypatch):
    command = ["report.py", "--spec", json.dumps(spec()), "--config-yaml", str(tmp_path / "config.yaml")]
    for name, table in zip(("table", "curves", "comparison"), frames(), strict=True):
        tables.write_csv(tmp_path / f"{name}.csv", table)
        command += [f"--{name}", str(tmp_path / f"{name}.csv")]
    monkeypatch.setattr(sys, "argv", [*command, "--figures", str(tmp_path), "--out", str(tmp_path / "report.html")])
    monkeypatch.setenv("REGATLAS_COMMAND", "snakemake --cores 8 <all>")
    report.main()
    assert yaml.safe_load((tmp_path / "config.yaml").read_text()) == spec()["config"]
    first = (tmp_path / "report.html").read_text()
    assert "snakemake --cores 8 &lt;all&gt;" in first
    monkeypatch.delenv("REGATLAS_COMMAND")
    report.main()
    assert "Command" not in Page((tmp_path / "report.html").read_text()).text


def test_every_formula_is_drawn_and_a_strange_one_is_shown_as_it_is():
    regularizers = Path(page.__file__).parents[1] / "regularizers"
    found = []
    for path in regularizers.glob("*.py"):
        if match := re.search(r"^    formula = (\(.*?^    \)|r?\".*?\"$)", path.read_text(), re.M | re.S):
            found.append(eval(match[1]))  # a literal of our own code
    found = [latex for latex in found if latex]
    assert len(found) >= 5
    for latex in found:
        svg = Page(str(formulas.svg(latex))).tags
        assert svg[0][0] == "svg" and svg[0][1]["aria-label"] == latex and len(svg[1][1]["d"]) > 200
    assert formulas.svg(r"\nosuch{<b>}") == r'<code class="formula">\nosuch{&lt;b&gt;}</code>'


def test_the_commit_is_told_with_changes_or_that_there_is_none(tmp_path):
    assert facts.commit(tmp_path) == "not a git checkout"
    git = ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=b"]
    subprocess.run([*git, "init", "-q"], check=True)
    (tmp_path / "file").write_text("1")
    subprocess.run([*git, "add", "file"], check=True)
    subprocess.run([*git, "commit", "-qm", "first"], check=True)
    clean = facts.commit(tmp_path)
    assert re.fullmatch("[0-9a-f]{40}", clean)
    (tmp_path / "file").write_text("2")
    assert facts.commit(tmp_path) == f"{clean}, with uncommitted changes"
    (tmp_path / "inside").mkdir()
    assert facts.commit(tmp_path / "inside") == "not a git checkout"


def test_a_broken_figure_is_named(tmp_path):
    (tmp_path / "accuracy.svg").write_text("<svg")
    with pytest.raises(UserError, match=r"accuracy\.svg"):
        render(tmp_path)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(4.25, "4.2 s"), (59.7, "1 min 0 s"), (185, "3 min 5 s"), (7799, "2 h 9 min"), (None, numbers.DASH)],
)
def test_durations(seconds, text):
    assert numbers.duration(seconds).replace("\N{NO-BREAK SPACE}", " ") == text


def test_numbers_have_a_real_minus_and_no_negative_zero():
    assert numbers.number(-1.5, ".2f") == "\N{MINUS SIGN}1.50"
    assert numbers.number(-0.0001, ".2f") == numbers.number(0.0001, "+.2f") == "0.00"
    assert numbers.number(-0.0001, "+.2f") == numbers.number(0.0, "+.2f") == "0.00"
    assert numbers.number(float("nan")) == numbers.number(None) == numbers.DASH
    assert numbers.p_value(0.0004) == "< 0.001" and numbers.p_value(0.25) == "0.250"


def test_a_number_and_its_unit_stay_in_one_line(tmp_path):
    row = {"x": 0.5, "x_low": 0.25, "x_high": 0.75}
    assert numbers.half_width(row, "x") == "50.00_±_25.00".replace("_", numbers.SPACE)
    assert numbers.bounds(row, "x", ".2f") == f"[0.25,{numbers.SPACE}0.75]"
    assert numbers.unbroken("5 % of 5 ± 1 %") == "5_% of 5_±_1_%".replace("_", numbers.SPACE)
    for story in ("post", ""):
        html = render(tmp_path, spec(story=story)).partition("</style>")[2].partition("<script>")[0]
        assert re.findall(r".{20}\d %|± \d", html) == []


def test_the_same_value_is_spelled_the_same_everywhere():
    for value, text in ((16.0, "16"), (1e-6, "1e-06"), (0.1234567, "0.1234567"), (0.5, "0.5")):
        assert numbers.setting(value) == text and grids.words({"x": value}) == f"x {text}"
    assert grids.words({"a": 1000, "b": "soft", "c": True}) == "a 1000, b soft, c true"


def test_a_network_and_a_baseline_of_a_methods_own_are_said(tmp_path):
    given = spec()
    given["methods"][3] |= {"network": {"hidden": [100], "bias": False}}
    runs, curves, comparison = frames()
    assert "unless a method has its own" not in Page(render(tmp_path)).text
    comparison["baseline"] = ["", "none", "none", "dropout", ""]
    html = page.render(given, runs, curves, comparison, tmp_path)
    text = Page(html).text
    assert "unless a method has its own" in text and "hidden: 100" in text
    assert "Compared with" in text and "Against its baseline" not in text  # too few seeds to say so
    assert "the differences to their baselines in points are" in text
    row = re.search(r'<tr data-method="l2">.*?</tr>', html, re.DOTALL)[0]
    assert '<td class="words">The dropout</td>' in row


def test_a_miss_is_given_in_points_beside_the_tolerance(tmp_path):
    assert page.verdict("not comparable: a 600-epoch run") == "not comparable: a 600-epoch run"
    assert page.verdict("missed: test_accuracy by -0.012, weight_min by +31 %") == (
        "missed: accuracy by \N{MINUS SIGN}1.20 points, smallest weight by +31 %"
    )
    given = spec()
    given["methods"][1]["published"] = {"test_accuracy": 0.895, "tolerance": 0.0123}
    text = Page(render(tmp_path, given)).text
    assert "±1.23" in text and text.count("±0.5") >= 3


def test_what_cannot_be_decided_is_said(tmp_path):
    text = Page(render(tmp_path)).text
    assert "No method can be called better or worse: that needs 6 seeds" in text and "there are 3" in text
    assert "How the methods were tuned" not in text
    many = tuple(range(6))
    assert "that needs 6 seeds" not in Page(render(tmp_path, spec(seeds=many), frames(seeds=many))).text
    assert "so 0.25 is the smallest p-value that a sign-flip test of 3 seeds can give." in text


def test_evaluations_are_counted_of_the_recipe_that_is_told(tmp_path):
    runs, curves, comparison = frames()
    own = curves[curves["method"] == "l2"]
    often = pd.concat([curves, *(own.assign(step=step) for step in range(2, 99))])
    given = spec()
    given["methods"][3]["training"] = {"evaluate_every": 1}
    text = Page(page.render(given, runs, often, comparison, tmp_path)).text
    assert "evaluated every 1,000 steps (2 times a run)" in text and "evaluate_every: 1" in text
    for method in given["methods"]:
        method["training"] = {"steps": 7}
    assert "evaluated every 1,000 steps. Seeds" in Page(page.render(given, runs, often, comparison, tmp_path)).text


def test_a_study_with_grids_says_how_it_was_tuned(tmp_path):
    figure(tmp_path / "strength_paths.svg")
    assert "figure-strength_paths" not in render(tmp_path)  # left over from when the study had a grid
    runs, curves, comparison = frames()
    mine = comparison["method"] == "l2"
    values = '{"strength":0.5,"training.learning_rate":0.25}'
    comparison.loc[mine, ["points", "at_edge", "values"]] = [4, 1, values]
    html = render(tmp_path, None, (runs, curves, comparison))
    found = Page(html)
    assert "figure-strength_paths" in found.ids and "tuning" in found.ids
    assert "a better point: The l2 (strength 0.5, training.learning_rate 0.25)." in found.text
    assert "not tuned alike: The none 1, The dropout 1, The gaussian 1, The l2 4" in found.text
    row = re.search(r"<th scope=\"row\">The l2</th><td>l2</td>\s*<td>(.*?)</td><td>(.*?)</td>", html, re.DOTALL)
    assert row.groups() == ("strength: 0.5", "learning_rate: 0.25")  # those of the selected point


def test_a_single_published_row_is_not_counted():
    comparison = frames()[2].astype(object)
    comparison["verdict"] = ["missed: test_accuracy by -0.02", *[""] * (len(comparison) - 1)]
    rows = comparison.where(comparison.notna(), None).to_dict("records")
    assert facts.findings(rows, "none")[-1].startswith("The one published row could not be reproduced within")


ALEF, OVERRIDE = "\N{HEBREW LETTER ALEF}", "\N{RIGHT-TO-LEFT OVERRIDE}"
ISOLATED = f"\N{FIRST STRONG ISOLATE}{ALEF} 1\N{POP DIRECTIONAL ISOLATE}"
WORKFLOW = Path(report.__file__).parents[1] / "workflow"


def test_a_label_from_right_to_left_is_isolated_and_others_are_left_alone():
    assert isolated("Plain, 5 % <i> é") == "Plain, 5 % <i> é"
    assert isolated(f"{ALEF} 1") == isolated(f"{ALEF}{OVERRIDE} 1") == ISOLATED
    assert isolated(f"a{OVERRIDE}b\N{LEFT-TO-RIGHT ISOLATE}c") == "abc"


@pytest.mark.parametrize("story", ["post", ""])
def test_no_label_turns_the_text_around_it(tmp_path, story):
    given, (runs, curves, comparison) = spec(story=story), frames(diverged=[("dropout", 1)])
    labels = {"l2": f"{ALEF} 1", "weight_norm": f"a{OVERRIDE}b", "dropout": f"{ALEF} 1"}
    comparison["label"] = [labels.get(row.method, row.label) for row in comparison.itertuples()]
    comparison.loc[comparison["method"] == "l2", ["points", "at_edge", "values"]] = [4, 1, '{"strength":0.5}']
    for method in given["methods"]:
        method["label"] = labels.get(method["id"], method["label"])
    html = page.render(given, runs, curves, comparison, tmp_path)
    text = Page(html).text
    for sentence in (
        "from 72.10 % (ab)",
        f"{ISOLATED}: training diverged with seed 1",
        f"better point: {ISOLATED} (strength",
    ):
        assert sentence in text
    assert OVERRIDE not in html and html.count(f"{ALEF} 1") == html.count(ISOLATED) > 10
    assert "\N{FIRST STRONG ISOLATE}" not in render(tmp_path, spec(story=story))


def slowest(**times):
    """The sentence on runtimes of a study whose runs took such times a step; m1 and m2 have baselines."""
    runs, _, _ = frames({name: ("l2", {}, None) for name in ("none", "m1", "own", "m2")})
    runs["microseconds_per_step"] = [times.get(name) for name in runs["method"]]
    against = {"m1": "none", "m2": "own"}
    entries = [
        {"id": name, "label": name, "baseline": against.get(name, name), "published": None}
        for name in ("none", "m1", "own", "m2")
    ]
    comparison = compare(entries, tables.typed(runs)).astype(object)
    rows = comparison.where(comparison.notna(), None).to_dict("records")
    return facts.findings(rows, "their baselines")[2:], {row["method"]: row["relative_runtime"] for row in rows}


def test_the_slowest_training_step_is_the_one_that_takes_longest():
    said, relative = slowest(none=10.0, m1=30.0, own=20.0, m2=80.0)
    assert said == ["The slowest training step is that of m2, 4.00 times its baseline's."]
    assert (relative["none"], relative["own"], relative["m2"]) == (1, 1, pytest.approx(4))
    assert slowest(none=10.0, m1=30.0, own=20.0, m2=25.0)[0] == [
        "The slowest training step is that of m1, 3.00 times its baseline's."
    ]  # though twice as long as m2, which has the slower baseline
    assert slowest(none=50.0, m1=30.0)[0] == ["The slowest training step is that of none."]
    assert slowest(m1=30.0)[0] == ["The slowest training step is that of m1."]
    for times in ({}, {"none": 10.0}):
        said, relative = slowest(**times)
        assert said == [] and relative["none"] == (1 if times else None)


def test_sections_without_data_are_not_there(tmp_path):
    for captions in page._CAPTIONS.values():
        for name in captions.keys() - {"data_sizes"}:
            figure(tmp_path / f"{name}.svg")
    runs, curves, comparison = frames()

    def sections(*given):
        return {a["id"] for tag, a in Page(page.render(*given, tmp_path)).tags if tag == "section"}

    whole = {"comparison", "differences", "weights", "methods", "curves", "paths", "calibration", "cost", "how"}
    assert sections(spec(story=""), runs, curves, comparison) == whole | {"published"}
    one = {"none": ("none", {}, None)}
    assert sections(spec(one, ""), *frames(one)) == whole - {"differences"}
    lost = frames(one, diverged=[("none", seed) for seed in (0, 1, 2)])
    assert sections(spec(one, ""), *lost) == {"comparison", "methods", "how"}
    timed = ["microseconds_per_step", "relative_runtime"]
    untimed = comparison.assign(**dict.fromkeys(timed))
    assert sections(spec(story=""), runs, curves, untimed) == whole - {"cost"} | {"published"}
    html = page.render(spec(one, ""), *frames(one), tmp_path)
    assert "figure-cost" in html and "figure-runtime" not in html  # which would show the baseline's 1 alone
    robustness = pd.DataFrame(columns=tables.ROBUSTNESS_COLUMNS)
    assert "figure-robustness" not in page.render(spec(one), *frames(one), tmp_path, robustness=robustness)


def test_a_method_without_a_finished_run_has_neither_numbers_nor_a_decision(tmp_path):
    html = render(tmp_path, None, frames(diverged=[("l2", s) for s in (0, 1, 2)]))
    assert "with seeds 0, 1 and 2 (the loss became NaN), so there are no numbers." in Page(html).text
    row = re.search(r'<tr data-method="l2">.*?</tr>', html, re.DOTALL)[0]
    assert "undecided" not in row and 'decision">\N{EN DASH}</td>' in row


def test_one_method_and_one_seed_are_said_as_such(tmp_path):
    one, two = ({key: POST[key] for key in keys} for keys in (["none"], ["none", "l2"]))
    assert (
        "1 method on the data set mnist , 1 seed: The none."
        in Page(render(tmp_path, spec(one, seeds=(0,)), frames(one, (0,)))).text
    )
    text = Page(render(tmp_path, spec(two, seeds=(0,)), frames(two, (0,)))).text
    assert "the difference to The none in points is The l2 \N{MINUS SIGN}16.00; one common seed" in text
    assert "and there is 1, so 1 is" in text


def test_the_recipe_has_all_that_one_needs_to_repeat_it(tmp_path):
    text = Page(render(tmp_path)).text
    assert "55,000 training images; 5,000 others are for validation." in text
    assert "initial weights with a standard deviation of 0.075" in text and "adam, learning rate" in text
    given = spec()
    given["config"]["training"]["optimizer"] = "sgd"
    assert "optimizer: sgd, momentum 0.9, learning rate" in Page(render(tmp_path, given)).text
    given = spec()
    given["methods"][1]["training"] = {"optimizer": "sgd"}
    assert "optimizer: adam, momentum 0.9 (of sgd), learning rate" in Page(render(tmp_path, given)).text
    config = given["config"] | {"report": {"title": "A", "question": ""}, "compare": [], "baseline": "none"}
    config |= {"methods": {"none": {"label": "None"}}, "statistics": {"level": 0.95, "margin": 0.002}}
    for optimizer, words in (("adam", "adam, learning rate"), ("sgd", "sgd (momentum 0.9), learning rate")):
        config["training"] |= {"optimizer": optimizer, "epochs": None}
        caption = jinja2.Template((WORKFLOW / "report" / "workflow.rst").read_text("utf-8"))
        text = " ".join(caption.render(snakemake=SimpleNamespace(config=config)).split())
        assert f"the optimizer {words}" in text
        assert "standard deviation of 0.075." in text and "5,000 other images are for validation" in text


def test_grey_pixels_are_those_that_the_data_set_never_lights(tmp_path):
    figure(tmp_path / "weights_own_scale_mean.svg")
    text = Page(render(tmp_path)).text
    said = "are grey: the data say nothing of their weights."
    text = text.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'").replace(numbers.SPACE, " ")
    assert f"on in none of the data set's training images {said}" in text and "still the initial" not in text
    assert "lit in at least 5 % of the data set's training images" in text
    captions = [" ".join(path.read_text("utf-8").split()) for path in WORKFLOW.glob("report/weights_*.rst")]
    assert len(captions) == 4 and all(f"training images {said}" in caption for caption in captions)


def test_links_to_tables_say_that_they_need_the_folder(tmp_path):
    text = Page(page.render(spec(), *frames(), tmp_path, tables=["runs.csv"])).text
    assert "folder; the links need this page to lie in it: runs.csv" in text
