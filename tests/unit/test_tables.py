import json
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from regatlas import correctness
from regatlas.comparison import compare, verdict
from regatlas.correctness import Correct
from regatlas.errors import UserError
from regatlas.tables import (
    COMPARISON_COLUMNS,
    METRICS,
    RUN_COLUMNS,
    read_csv,
    typed,
    write_csv,
)

POST = {
    "test_accuracy": 0.932,
    "tolerance": 0.005,
    "relative_runtime": 1.0,
    "weight_min": -1.95,
    "weight_max": 1.64,
}


def run(method, seed, accuracy, microseconds=30.0, status="finished", **others):
    row = dict.fromkeys(RUN_COLUMNS) | dict.fromkeys(METRICS, 0.5)
    row |= {"method": method, "seed": seed, "test_accuracy": accuracy, "test_accuracy_noise_off": accuracy}
    row |= {"point": 0, "values": "{}", "selected": 1}
    row |= {"microseconds_per_step": microseconds, "status": status, "parameters": 7840, "steps": 100}
    if status == "diverged":
        row |= dict.fromkeys(METRICS) | {"message": "not finite, at step 3"}
    return row | others


def frame(*rows):
    return typed(pd.DataFrame(rows, columns=RUN_COLUMNS))


def methods(*ids, baseline="none", **published):
    return [{"id": name, "label": name.upper(), "baseline": baseline, "published": published.get(name)} for name in ids]


RUNS = frame(
    *(run("none", seed, accuracy, 20.0) for seed, accuracy in enumerate([0.90, 0.92, 0.95])),
    run("l2", 0, 0.80, 20.0),
    run("l2", 1, None, 1.0, "diverged"),
    run("l2", 2, 0.83, 45.0, test_accuracy_noise_off=0.85),
    run("l2", 7, 0.50, 20.0),
    run("once", 2, 0.96, 30.0),
    run("never", 0, None, 30.0, "diverged"),
)


@pytest.fixture
def comparison():
    return compare(methods("once", "none", "l2", "never"), RUNS).set_index("method", drop=False)


def test_columns_and_the_studys_order(comparison):
    assert list(comparison.columns) == COMPARISON_COLUMNS
    assert comparison["method"].tolist() == ["once", "none", "l2", "never"]
    assert comparison["label"].tolist() == ["ONCE", "NONE", "L2", "NEVER"]
    assert comparison["seeds"].tolist() == [1, 3, 3, 0]
    assert comparison["diverged"].tolist() == [0, 0, 1, 1]


def test_means_are_over_finished_runs_with_their_interval(comparison):
    row = comparison.loc["l2"]
    low, high = stats.t.interval(0.95, 2, np.mean([0.80, 0.83, 0.50]), stats.sem([0.80, 0.83, 0.50]))
    found = row[["test_accuracy", "test_accuracy_low", "test_accuracy_high"]].tolist()
    assert found == pytest.approx([0.71, low, high])
    assert row["test_accuracy_noise_off"] == pytest.approx((0.80 + 0.85 + 0.50) / 3)
    assert row["microseconds_per_step"] == pytest.approx(85 / 3) and row["parameters"] == 7840


def test_difference_and_runtime_are_paired_over_common_seeds(comparison):
    row = comparison.loc["l2"]  # seeds 0 and 2: differences -.10 and -.12, ratios 1 and 2.25
    oracle = stats.ttest_rel([0.80, 0.83], [0.90, 0.95])
    limits = oracle.confidence_interval()
    found = row[["difference", "difference_low", "difference_high", "p_value"]].tolist()
    assert found == pytest.approx([-0.11, limits.low, limits.high, oracle.pvalue])
    assert row["relative_runtime"] == pytest.approx(1.5)
    assert row["relative_runtime_low"] * row["relative_runtime_high"] == pytest.approx(1.5**2)


def test_the_baseline_is_not_compared_with_itself(comparison):
    row = comparison.loc["none"]
    assert row["relative_runtime"] == 1
    empty = [name for name in COMPARISON_COLUMNS if name.startswith(("difference", "p_", "errors", "probability"))]
    assert len(empty) == 14 and row[[*empty, "relative_runtime_low", "relative_runtime_high"]].isna().all()
    assert row["decision"] == row["undecidable"] == ""


def test_one_seed_has_a_mean_and_no_interval(comparison):
    row = comparison.loc["once"]
    assert row["test_accuracy"] == 0.96 and row["difference"] == pytest.approx(0.01)
    assert row["relative_runtime"] == pytest.approx(1.5)
    ends = [name for name in COMPARISON_COLUMNS if name.endswith(("_low", "_high"))]
    ends = [name for name in ends if not name.startswith("probability")]  # a share of one has an interval
    assert len(ends) == 12 and row[[*ends, "p_value", "p_adjusted", "p_equivalent"]].isna().all()


def test_no_finished_run_leaves_cells_empty(comparison, tmp_path):
    row = comparison.loc["never"]
    assert (row["decision"], row["values"], row["point"], row["points"]) == ("", "{}", 0, 1)
    assert row["undecidable"].endswith("there are 0")
    texts = ["method", "label", "baseline", "values", "decision", "undecidable", "verdict"]
    texts += ["published_source", "published_setting"]
    assert row.drop([*texts, "seeds", "diverged", "point", "points", "at_edge"]).isna().all()
    alone = compare(methods("l2", "absent", baseline="absent"), RUNS)
    assert alone["difference"].isna().all() and alone["relative_runtime"].isna().all()
    assert alone["test_accuracy"].tolist()[0] == pytest.approx(0.71)


def test_published_values_stand_beside():
    row = compare(methods("none", "l2", none=POST), RUNS)
    assert row["published_test_accuracy"].tolist()[0] == 0.932
    assert row["published_weight_min"].tolist()[0] == -1.95
    assert row["published_relative_runtime"].tolist()[0] == 1
    assert math.isnan(row["published_test_accuracy"].tolist()[1]) and row["verdict"].tolist()[1] == ""


def measured(accuracy=0.932, weight_min=-1.95, weight_max=1.64, seeds=5):
    return {
        "test_accuracy": accuracy,
        "weight_min": weight_min,
        "weight_max": weight_max,
        "seeds": seeds,
        "relative_runtime": 99.0,
    }


@pytest.mark.parametrize(
    "row, published, expected",
    [
        (measured(), POST, "reproduced"),
        (measured(accuracy=0.937), POST, "reproduced"),  # just the tolerance, more in binary
        (measured(weight_min=-1.66, weight_max=1.88), POST, "reproduced"),
        (measured(accuracy=0.944), POST, "missed: test_accuracy by +0.0120"),
        (
            measured(accuracy=0.944, weight_max=1.13),
            POST,
            "missed: test_accuracy by +0.0120, weight_max by -31 %",
        ),
        (measured(weight_min=-1.3), POST, "missed: weight_min by -33 %"),
        (measured(weight_min=-3.0), POST, "missed: weight_min by +54 %"),
        (measured(weight_min=0.0), POST, "missed: weight_min by -100 %"),
        (measured(weight_min=0.0049), POST | {"weight_min": 0.0}, "reproduced"),
        (measured(weight_min=-0.02), POST | {"weight_min": 0.0}, "missed: weight_min by -0.0200"),
        (measured(weight_max=0.054), POST | {"weight_max": 0.05}, "reproduced"),
        (measured(weight_max=0.0125), POST | {"weight_max": 0.008}, "reproduced"),  # 56 %, but rounding
        (measured(weight_max=0.014), POST | {"weight_max": 0.008}, "missed: weight_max by +75 %"),
        (measured(accuracy=0.944), POST | {"tolerance": 0.02}, "reproduced"),
        (
            measured(accuracy=0.9286),
            {"test_accuracy": 0.924, "tolerance": 0.0035},
            "missed: test_accuracy by +0.0046",
        ),
        (measured(accuracy=0.936), {"test_accuracy": 0.932}, "reproduced"),
        (measured(accuracy=0.936), {"test_accuracy": None, "weight_max": 1.6}, "reproduced"),
        (measured(accuracy=float("nan")), POST, "missed: test_accuracy by +nan"),
        (measured(seeds=0), POST, "missed: no finished run"),
        (measured(), {}, ""),
        (measured(), {"relative_runtime": 1.0}, ""),
    ],
)
def test_verdicts(row, published, expected):
    assert verdict(row, published) == expected


def test_csv_reads_back_as_written(tmp_path):
    rows = frame(
        run("null", 0, 0.1 + 0.2, digest="12e45678", message='says "no", then\u00e9'),
        run("None", 1, 1 / 3, digest="00012", cores=None, processor=""),
        run("NA", 2, None, status="diverged", digest="1", finished_at="2026-11-23T09:00:00+00:00"),
    )
    write_csv(tmp_path / "runs.csv", rows)
    pd.testing.assert_frame_equal(read_csv(tmp_path / "runs.csv", RUN_COLUMNS), rows)
    content = (tmp_path / "runs.csv").read_bytes()
    assert b"\r" not in content and b"0.30000000000000004" in content and b"nan" not in content.lower()
    write_csv(tmp_path / "again.csv", read_csv(tmp_path / "runs.csv", RUN_COLUMNS))
    assert (tmp_path / "again.csv").read_bytes() == content


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=20))
def test_every_float_survives_the_csv(tmp_path_factory, values):
    path = tmp_path_factory.getbasetemp() / "floats.csv"
    write_csv(path, frame(*(run("none", seed, value) for seed, value in enumerate(values))))
    assert read_csv(path, RUN_COLUMNS)["test_accuracy"].tolist() == values


def test_a_table_that_is_none_is_refused(tmp_path):
    path = tmp_path / "runs.csv"
    with pytest.raises(UserError, match=r"runs\.csv: no such file"):
        read_csv(path, RUN_COLUMNS)
    for text in ("", "method,seed\nnone,one\n", "method,seed\nnone,1,2\n\x00", "method,seed\nnone,1\n"):
        path.write_text(text)
        with pytest.raises(UserError, match=r"runs\.csv: not a table of this workflow"):
            read_csv(path, RUN_COLUMNS)


def grid_of(method, validation, accuracy):
    """Runs of two points with seven seeds; ``validation`` and ``accuracy`` are of point 0 and 1."""
    return [
        run(method, seed, accuracy[point] + 0.001 * seed * (1 + 0.1 * (method == "l2")), point=point,
            validation_accuracy=validation[point], values=json.dumps({"strength": point / 10}),
            selected=int(validation[point] == max(validation)))
        for point in (0, 1)
        for seed in range(7)
    ]  # fmt: skip


@pytest.fixture
def tuned():
    rows = [*grid_of("none", (0.9, 0.8), (0.90, 0.99)), *grid_of("l2", (0.7, 0.8), (0.99, 0.91))]
    return frame(*rows, *(run("same", seed, 0.9 + 0.001 * seed + 0.0001 * (seed % 2)) for seed in range(7)))


def bits(table, images=1000):
    """As many correct images as the accuracies say, the first ones."""
    rows = table[table["selected"] == 1].to_dict("records")
    packed = {
        (row["method"], row["seed"]): np.packbits(np.arange(images) < round(row["test_accuracy"] * images))
        for row in rows
    }
    return Correct(images, packed)


def test_only_the_selected_points_are_compared(tuned):
    found = compare(methods("none", "l2", "same"), tuned, bits(tuned)).set_index("method")
    assert found["test_accuracy"].tolist() == pytest.approx([0.903, 0.9133, 0.903 + 3e-4 / 7])
    assert found["point"].tolist() == [0, 1, 0] and found["points"].tolist() == [2, 2, 1]
    assert found["values"].tolist() == ['{"strength": 0.0}', '{"strength": 0.1}', "{}"]
    assert found["at_edge"].tolist() == [1, 1, 0] and found["seeds"].tolist() == [7] * 3
    tuned.loc[tuned["selected"] == 0, "test_accuracy"] = 0.123  # no other point's test results reach the table
    pd.testing.assert_frame_equal(compare(methods("none", "l2", "same"), tuned, bits(tuned)).set_index("method"), found)


def test_decisions_of_the_comparison(tuned):
    found = compare(methods("none", "l2", "same"), tuned, bits(tuned)).set_index("method")
    assert found["decision"].tolist() == ["", "better", "equivalent"] and set(found["undecidable"]) == {""}
    l2, same = found.loc["l2"], found.loc["same"]
    assert l2["errors_per_10000"] == pytest.approx(-103) and same["errors_per_10000"] == pytest.approx(-3 / 7)
    assert (
        l2["p_adjusted"] < 0.05 and 0 < l2["difference_simultaneous_low"] < 0.0103 < l2["difference_simultaneous_high"]
    )
    assert (l2["probability_better"], same["probability_better"]) == (1, pytest.approx((3 + 4 / 2) / 7))
    assert l2["difference_crossed_low"] < 0.0103 < l2["difference_crossed_high"]
    narrow = compare(methods("none", "same"), tuned, margin=1e-5).set_index("method").loc["same"]
    assert narrow["decision"] == "undecided" and math.isnan(narrow["difference_crossed_low"])
    assert compare(methods("l2", "none", baseline="l2"), tuned)["decision"].tolist() == ["", "worse"]


def test_five_seeds_decide_only_that_methods_are_alike(tuned):
    five = tuned[tuned["seed"] < 5]
    found = compare(methods("none", "l2", "same"), five, bits(five)).set_index("method")
    assert found["decision"].tolist() == ["", "undecided", "equivalent"]
    assert found["p_value"].tolist()[1] < 0.001 and found["p_adjusted"].isna().all()
    assert ["6 seeds" in text and "there are 5" in text for text in found["undecidable"]] == [False, True, True]
    four = compare(methods("none", "l2"), five, level=0.9).set_index("method")
    assert four.loc["l2", "decision"] == "better" and four.loc["l2", "undecidable"] == ""


def test_the_level_is_that_of_every_interval_that_decides(tuned):
    names = ["difference_simultaneous", "difference_crossed", "probability_better"]

    def widths(level):
        row = compare(methods("none", "l2"), tuned, bits(tuned), level=level).set_index("method").loc["l2"]
        return np.array([row[f"{name}_high"] - row[f"{name}_low"] for name in names], dtype=float)

    assert (widths(0.9) < widths(0.95)).all()


@pytest.mark.parametrize("seeds", [0, 1, 2])
def test_few_seeds_one_method_and_nothing_finished(seeds):
    alone = frame(*(run("none", seed, 0.9) for seed in range(seeds)), run("none", 9, None, status="diverged"))
    (row,) = compare(methods("none"), alone, bits(alone[alone["status"] == "finished"])).to_dict("records")
    assert (row["seeds"], row["diverged"], row["decision"]) == (seeds, 1, "")
    rows = [run(name, seed, 0.9) for name in ("none", "l2") for seed in range(seeds)]
    lost = [run(name, 9, None, status="diverged") for name in ("none", "l2")]
    both = frame(*rows, *lost)
    found = compare(methods("none", "l2"), both, bits(both[both["status"] == "finished"]))
    assert found["decision"].tolist() == ["", ("", "undecided", "equivalent")[seeds]]
    unseen = compare(methods("none", "l2"), both)  # two equal accuracies need not be equal predictions
    assert unseen["decision"].tolist() == ["", "undecided" if seeds else ""] and unseen["p_equivalent"].isna().all()


def test_a_run_that_is_not_in_the_file_of_bits(tuned):
    correct = bits(tuned)
    del correct.packed["l2", 3]
    with pytest.raises(UserError, match=r"correct\.npz: it lacks l2, seed 3"):
        compare(methods("none", "l2"), tuned, correct)


def test_bits_are_read_as_they_were_written(tuned, tmp_path):
    correct = bits(tuned, 997)
    correctness.write(tmp_path / "correct.npz", correct)
    read = correctness.read(tmp_path / "correct.npz")
    assert read.images == 997 and read.packed.keys() == correct.packed.keys()
    assert read.rows("l2", [6, 0]).tolist() == correct.rows("l2", [6, 0]).tolist()
    assert read.rows("l2", [0]).sum() == round(0.91 * 997) and read.rows("l2", []).shape == (0, 997)
    correctness.write(tmp_path / "none.npz", Correct(10, {}))
    assert correctness.read(tmp_path / "none.npz").packed == {}


def test_methods_may_have_baselines_of_their_own(tuned):
    """same is compared with l2, and l2 with none: the rows of each are those of a table with that baseline alone."""
    chain = methods("none", "l2", "same")
    chain[2]["baseline"] = "l2"
    found = compare(chain, tuned, bits(tuned)).set_index("method")
    assert found["baseline"].tolist() == ["", "none", "l2"]
    alone = compare(methods("l2", "same", baseline="l2"), tuned, bits(tuned)).set_index("method")
    shared = ["difference", "difference_low", "difference_high", "p_value", "p_equivalent"]
    pd.testing.assert_series_equal(found.loc["same", shared], alone.loc["same", shared])
    assert found.loc["same", "decision"] == "worse" and found.loc["l2", "decision"] == "better"


def test_what_cannot_be_compared_is_not_judged():
    published = {**POST, "not_comparable": "600 epochs there, 10 here", "source": "Somebody 2015", "setting": "MLP"}
    row = compare(methods("none", "l2", l2=published), RUNS).set_index("method").loc["l2"]
    assert row["verdict"] == "not comparable: 600 epochs there, 10 here"
    assert (row["published_source"], row["published_setting"]) == ("Somebody 2015", "MLP")
    assert row["published_test_accuracy"] == POST["test_accuracy"]
