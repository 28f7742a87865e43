"""The tables beside figures: that their numbers are those of the study's tables."""

import re

import numpy as np
import pandas as pd
import pytest
from test_report import EVIL, Page, figure, frames, spec

from regatlas import numbers, tables, tuning
from regatlas.report import behind, page

SEEDS = (0, 1, 2)
ACCURACIES = [0.93, 0.931, 0.932]  # of the baseline; t(0.975, 2) = 4.3027, times 0.001 / sqrt(3) = 0.00248


def made(names, robustness=None, points=None, curves=None, **columns):
    """The tables of these figures, for a study whose runs.csv has such columns."""
    runs, own, comparison = frames()
    for name, value in columns.items():
        runs[name] = value
    rows = comparison.astype(object).where(comparison.notna(), None).to_dict("records")
    methods = [row["method"] for row in rows]
    return behind.tables(names, methods, runs, own if curves is None else curves, robustness, points, rows)


def cells(table, method):
    plain = [(cell.text, cell.more) for cell in dict(table.rows)[method]]
    return [tuple(text.replace(numbers.SPACE, " ") for text in texts) for texts in plain]


def test_the_forest_has_every_interval_and_test():
    row = dict.fromkeys(tables.COMPARISON_COLUMNS) | {"method": "l2", "decision": "equivalent", "difference": -0.0005}
    row |= {"difference_low": -0.001, "difference_high": 0.0, "p_value": 0.0494, "errors_per_10000": 5.2}
    row |= {"difference_simultaneous_low": -0.0012, "difference_simultaneous_high": 0.0002, "p_adjusted": 0.061}
    row |= {"difference_crossed_low": -0.002, "difference_crossed_high": 0.001, "p_equivalent": 0.0004}
    row |= {"probability_better": 0.25, "probability_better_low": 0.1, "probability_better_high": 0.5}
    baseline = dict.fromkeys(tables.COMPARISON_COLUMNS) | {"method": "none"}
    few = row | {"method": "l1"} | {name: None for name in row if "simultaneous" in name or name == "p_adjusted"}
    table = behind.tables(["forest"], [], *frames()[:2], None, None, [baseline, row, few])["forest"]
    first = [(f"{numbers.MINUS}0.05", f"[{numbers.MINUS}0.10, 0.00]"), ("+5", "")]
    middle = [(f"[{numbers.MINUS}0.12, +0.02]", ""), (f"[{numbers.MINUS}0.20, +0.10]", ""), ("25", "[10, 50]")]
    assert cells(table, "l2") == [*first, *middle, ("0.049", ""), ("0.061", ""), ("< 0.001", "")]
    assert [text for text, _ in cells(table, "l1")[2:7:4]] == [numbers.DASH, numbers.DASH]
    assert len(table.rows) == 2 and len(table.heads) == len(table.rows[0][1])


def test_learning_curves_are_read_off_at_parts_of_the_run():
    steps = np.arange(0, 1001, 10)
    rows = [
        {"method": "none", "seed": seed, "point": 0, "step": step}
        | {"test_accuracy": step / 2000 + 0.001 * seed, "train_loss": 0.002 + 0.0001 * seed}
        for seed in SEEDS
        for step in steps[::-1]
    ]
    table = made(["learning_curves"], curves=tables.typed(pd.DataFrame(rows, columns=tables.CURVE_COLUMNS)))
    found = cells(table["learning_curves"], "none")
    # 1, 10, 50 and 100 % of 1,000 steps
    assert [text for text, _ in found[:4]] == ["0.60", "5.10", "25.10", "50.10"] and found[3][1] == "± 0.25"
    assert found[4] == ("0.00210", "± 0.00025")  # to two digits of the half-width
    assert table["learning_curves"].heads[0] == "Accuracy (%) at 1 % of the steps"
    assert [method for method, _ in table["learning_curves"].rows] == ["none"]


def test_sizes_have_accuracy_and_gap():
    found = cells(made(["data_sizes"], train_size=5000, accuracy_gap=0.25)["data_sizes"], "none")
    assert found == [("5,000", ""), ("93.10", "± 0.25"), ("+25.00", "± 0.00")]


def test_robustness_is_the_mean_of_the_severities_over_seeds():
    rows = [
        {"method": method, "seed": seed, "corruption": kind, "severity": severity}
        | {"accuracy": 0.9 - 0.1 * severity + 0.001 * seed - 0.2 * (kind == "motion_blur")}
        for method in ("none", "l2")
        for seed in SEEDS
        for kind in ("blur", "motion_blur")
        for severity in (1, 2)
        if method == "none" or kind == "blur"
    ]
    table = made(["robustness"], robustness=pd.DataFrame(rows))["robustness"]
    assert table.heads == ["Blur", "Motion blur"] and "severities 1 to 2" in table.caption
    assert cells(table, "none") == [("75.1", "± 0.2"), ("55.1", "± 0.2")]
    assert cells(table, "l2")[1] == ("–", "") and dict(table.rows)["l2"][1].value is None  # noqa: RUF001


def test_points_of_grids_are_all_there_and_the_selected_one_is_named():
    runs, _, _ = frames()
    runs = runs[runs["method"].isin(["none", "l2"])]
    other = runs[runs["method"] == "l2"].assign(point=1, values='{"strength":0.5}', selected=0, test_accuracy=0.5)
    runs.loc[runs["method"] == "l2", "values"] = '{"strength":0.1}'
    runs = pd.concat([runs, other.assign(status=["finished", "finished", "diverged"])])
    table = made(["strength_paths"], points=tuning.summary(runs))["strength_paths"]
    assert [method for method, _ in table.rows] == ["l2", "l2"]  # the baseline has no grid
    first, second = ([cell.text for cell in row] for _, row in table.rows)
    assert first[:3] == ["strength 0.1", "selected, at the grid's edge", "3"]
    assert second[:3] == ["strength 0.5", "–", "2"] and second[4] == "50.00"  # noqa: RUF001
    assert table.rows[1][1][2].more == "1 diverged"
    assert first[5:] == ["12.50", "0.250", "0.50"]  # all of a column with the same decimals


def test_costs_are_those_of_runs_and_comparison():
    found = cells(made(["cost"], train_seconds=4.5)["cost"], "none")
    assert found == [
        ("31.0", "± 2.5"),
        ("1.00", ""),
        ("4.5 s", ""),
        ("7,840", ""),
        ("93.10", "± 0.25"),
    ]


def test_figures_that_have_their_numbers_beside_them_get_these(tmp_path):
    powers = pd.DataFrame({"method": ["none", "none", "l2"], "frequency": [1, 2, 1], "power": [12.345, 0.01, 2.0]})
    tables.write_csv(tmp_path / "weight_spectrum.csv", powers)
    pool = {
        "method": "none",
        "weights": 39200,
        "smallest": -2.0,
        "low": -1.5,
        "high": 1.0,
        "largest": 1.5,
        "stddev": 0.25,
    }
    tables.write_csv(tmp_path / "weight_distribution.csv", pd.DataFrame([pool]))
    _, _, comparison = frames()
    names = ["weight_spectrum", "weight_distribution"]
    found = behind.tables(names, [], *frames()[:2], None, None, comparison.to_dict("records"), tmp_path)
    assert found["weight_spectrum"].heads == ["1 cycle", "2 cycles"]
    assert [text for text, _ in cells(found["weight_spectrum"], "none")] == ["12.3", "0.0100"]
    assert cells(found["weight_spectrum"], "l2")[1] == (numbers.DASH, "")
    values = [cell.value for cell in dict(found["weight_distribution"].rows)["none"]]
    assert values == [39200, -2.0, -1.5, 1.0, 1.5, 0.25]
    assert cells(found["weight_distribution"], "none")[0][0] == "39,200"
    assert made(names) == {}  # without such files


def test_a_table_stands_beside_its_figure_alone(tmp_path):
    figure(tmp_path / "cost.svg")
    figure(tmp_path / "accuracy.svg")
    html = page.render(spec(), *frames(), tmp_path, tables=["runs.csv"])
    found = Page(html)
    assert "table-cost" in found.ids and "table-robustness" not in found.ids and "table-accuracy" not in found.ids
    assert "Time of a step (µs)" in found.text and 'In full: <a href="runs.csv">runs.csv</a>' in html
    assert "runs.csv" not in page.render(spec(), *frames(), tmp_path).split("Time of a step")[0].split('id="cost"')[1]


@pytest.mark.parametrize("text", [EVIL, "50 % & <i>"])
def test_names_of_corruptions_and_values_are_escaped(tmp_path, text):
    for name in ("robustness", "strength_paths"):
        figure(tmp_path / f"{name}.svg")
    runs, curves, comparison = frames()
    robustness = pd.DataFrame(
        [{"method": "none", "seed": seed, "corruption": text, "severity": 1, "accuracy": 0.5} for seed in SEEDS]
    )
    html = page.render(spec(), runs, curves, comparison, tmp_path, robustness=robustness)
    assert "<script>alert" not in html and "<i>" not in html and "table-robustness" in Page(html).ids


def test_the_numbers_of_a_figure_too_high_for_paper_are_printed(tmp_path):
    figure(tmp_path / "cost.svg")
    assert 'class="behind"' in page.render(spec(), *frames(), tmp_path)
    figure(tmp_path / "cost.svg", height=3)
    assert 'class="behind on-paper"' in page.render(spec(), *frames(), tmp_path)


def test_the_table_that_the_text_on_the_differences_speaks_of_is_printed(tmp_path):
    figure(tmp_path / "forest.svg")
    assert re.search(
        r'<details class="behind on-paper">\s*<summary>[^<]*</summary>.*?id="table-forest"',
        page.render(spec(), *frames(), tmp_path),
        re.DOTALL,
    )


def test_the_training_loss_is_defined_where_it_is_shown(tmp_path):
    figure(tmp_path / "learning_curves.svg")
    text = Page(page.render(spec(), *frames(), tmp_path)).text
    for said in ("Training loss: the mean over the mini-batches", "Training loss: mean over the mini-batches"):
        assert f"{said} since the evaluation before, without" in text
