"""Claims: that a verdict follows from the numbers, and turns when they do; what lacks is said."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from claiming import SEEDS, curves, evidence, study
from scipy import stats

from regatlas import tables
from regatlas.claims import catalogue, claim, gaussian, studies, table
from regatlas.claims.claim import (
    OPINION,
    REFUTED,
    SUPPORTED,
    UNDECIDED,
    UNMEASURED,
    VERDICTS,
    WRONG,
    Measurement,
)
from regatlas.claims.evidence import Evidence, read_others
from regatlas.statistics import Interval

BY_NUMBER = {one.number: one for one in catalogue.CATALOGUE}
POST = {"none": {}, "dropout": {}, "gaussian": {"parameters": 15680}, "l2": {}, "weight_norm": {}}
NAN = float("nan")


def ask(number: int, own=None, *others) -> dict:
    """The row of a claim."""
    return catalogue.row(BY_NUMBER[number], evidence(own or study("post", POST), *others))


def verdict(number: int, own=None, *others) -> str:
    return ask(number, own, *others)["verdict"]


def with_(base, **changes):
    """Methods with some columns changed."""
    return {**base, **{name: {**base.get(name, {}), **columns} for name, columns in changes.items()}}


def test_there_are_34_claims_in_the_posts_order():
    assert [one.number for one in catalogue.CATALOGUE] == list(range(1, 35))
    assert len({one.quote for one in catalogue.CATALOGUE}) == 34
    for one in catalogue.CATALOGUE:
        assert one.quote.strip() and one.says.strip() and len(one.measured) > 30 and one.shown
        assert set(one.studies) <= set(studies.STUDIES)
    begins = ["has a huge impact", "60k training", "no bias", "well beyond", "which pixels", "Provided the dataset"]
    begins += ["a salt-and-pepper", "the shadows", "clamps", "distribute", "these 'weight images' are much smoother"]
    begins += ["placing too much trust", "draw each weight", "the weights look far", "the test accuracy is still"]
    begins += ["the model approaches", "the most obvious", "since we initialize", "these 'weight images' are very"]
    begins += ["the model has a better", "the test accuracy is low", "has the same effect", "is not equivalent"]
    begins += ["93.2%", "1.00, 1.49", "-1.95", "changes dramatically", "ends up optimizing", "are designed to keep"]
    begins += ["an exclusively", "the easiest way", "smooth out", "the qualititive", "a promising"]
    assert [one.quote.startswith(begin) for one, begin in zip(catalogue.CATALOGUE, begins, strict=True)] == [True] * 34


def test_every_study_that_a_claim_names_has_a_config_of_that_name():
    for name in studies.STUDIES:
        path = Path(__file__).parents[2] / "config" / f"{name}.yaml"
        assert f"study: {name}\n" in path.read_text() and str(path.name) in studies.command(name)


@pytest.mark.parametrize(
    ("rule", "low", "high", "expected"),
    [
        (lambda i: claim.above(i, 1), 1.1, 2, SUPPORTED),
        (lambda i: claim.above(i, 1), 0.9, 2, UNDECIDED),
        (lambda i: claim.above(i, 1), 0.1, 0.9, REFUTED),
        (lambda i: claim.below(i, 1), 0.1, 0.9, SUPPORTED),
        (lambda i: claim.below(i, 1), 1.1, 2, REFUTED),
        (lambda i: claim.within(i, 0.2), -0.1, 0.19, SUPPORTED),
        (lambda i: claim.within(i, 0.2), -0.3, 0.1, UNDECIDED),
        (lambda i: claim.within(i, 0.2), 0.21, 0.5, REFUTED),
        (lambda i: claim.within(i, 0.2), -0.5, -0.21, REFUTED),
        (lambda i: claim.above(i), NAN, NAN, UNDECIDED),
        (lambda i: claim.below(i), NAN, NAN, UNDECIDED),
        (lambda i: claim.within(i, 1), NAN, NAN, UNDECIDED),
    ],
)
def test_rules(rule, low, high, expected):
    assert rule(Interval(0.0, low, high)) == expected
    assert rule(Measurement("x", 0.0, low, high)) == expected


def test_several_verdicts_together():
    assert claim.every(SUPPORTED, SUPPORTED) == SUPPORTED
    assert claim.every(SUPPORTED, UNDECIDED) == UNDECIDED
    assert claim.every(UNDECIDED, REFUTED) == REFUTED
    assert claim.agree(REFUTED, REFUTED) == REFUTED
    assert claim.agree(SUPPORTED, REFUTED) == UNDECIDED


def test_a_measurement_in_words():
    assert Measurement("x", -3.961, -4.1, -3.83, 5, "points").text() == "−3.96 [−4.10, −3.83] points"  # noqa: RUF001
    assert Measurement("x", 55000.0, n=25, unit="images").text() == "55,000 images"
    assert Measurement("x", 0.5).text() == "0.500"
    assert f"{Measurement('x', -0.5):+.1f}" == "−0.5"  # noqa: RUF001


# Tables alone decide these: claim, what is changed in the post's study, other studies, verdict.
UP, DOWN = {"roughness": 0.4}, {"roughness": 0.2}
CASES = [
    (11, {"dropout": DOWN}, {}, SUPPORTED),
    (11, {"dropout": UP}, {}, REFUTED),
    (11, {"dropout": {"roughness": [0.31, 0.29, 0.3, 0.28, 0.32]}}, {}, UNDECIDED),
    (19, {"l2": {**DOWN, "template_correlation": 0.9}}, {}, SUPPORTED),
    (19, {"l2": {**DOWN, "template_correlation": 0.4}}, {}, REFUTED),
    (19, {"l2": {**UP, "template_correlation": 0.9}}, {}, REFUTED),
    (20, {"l2": {"template_correlation": 0.9}}, {}, SUPPORTED),
    (20, {"l2": {"template_correlation": 0.3}}, {}, REFUTED),
    # the comparison at the same learning rate decides, and no other
    (15, {"gaussian": {"test_accuracy": 0.929}}, {}, UNDECIDED),
    (15, {"gaussian": {"test_accuracy": 0.91}}, {}, UNDECIDED),
    (15, {"gaussian": {"test_accuracy": 0.91}}, {"ladder": {"post_none": {}, "rate_gaussian": {}}}, SUPPORTED),
    (15, {}, {"ladder": {"post_none": {}, "rate_gaussian": {"test_accuracy": 0.91}}}, REFUTED),
    (16, {"gaussian": {"train_accuracy": 0.9405}}, {}, UNDECIDED),
    (16, {"gaussian": {"train_accuracy": 0.95}}, {}, UNDECIDED),
    (16, {}, {"ladder": {"post_none": {}, "rate_gaussian": {"train_accuracy": 0.9405}}}, SUPPORTED),
    (
        16,
        {"gaussian": {"train_accuracy": 0.94}},
        {"ladder": {"post_none": {}, "rate_gaussian": {"train_accuracy": 0.9}}},
        REFUTED,
    ),
    (3, {}, {"ladder": {"loss_none": {}, "bias_none": {"test_accuracy": 0.931}}}, SUPPORTED),
    (3, {}, {"ladder": {"loss_none": {}, "bias_none": {"test_accuracy": 0.94}}}, REFUTED),
    (3, {}, {"controls": {"none": {}, "none_without_bias": {"test_accuracy": 0.92}}}, REFUTED),
    (32, {}, {"mlp": {"none": {}, "dropout": DOWN, "dropout_hidden": UP}}, SUPPORTED),
    (32, {}, {"mlp": {"none": {}, "dropout": UP}}, REFUTED),
    (1, {}, {"mlp": {"none": {}, "l2": {"test_accuracy": 0.95, "validation_accuracy": 0.95}}}, SUPPORTED),
    (1, {}, {"mlp": {"none": {}, "l2": {"test_accuracy": 0.935, "validation_accuracy": 0.95}}}, REFUTED),
    # selected by validation accuracy, whatever the test says
    (
        1,
        {},
        {"mlp": {"none": {}, "l2": {"validation_accuracy": 0.95}, "lucky": {"test_accuracy": 0.99}}},
        REFUTED,
    ),
    (
        6,
        {},
        {"small-data": {"none_500": {"accuracy_gap": 0.1, "weight_norm": 20.0}, "none_55000": {}}},
        SUPPORTED,
    ),
    (
        6,
        {},
        {"small-data": {"none_500": {"accuracy_gap": 0.1, "weight_norm": 5.0}, "none_55000": {}}},
        REFUTED,
    ),
    (6, {}, {"small-data": {"none_500": {"accuracy_gap": 0.005, "weight_norm": 20.0}, "none_55000": {}}}, REFUTED),
    (31, {}, {}, OPINION),
]


@pytest.mark.parametrize(("number", "changes", "others", "expected"), CASES)
def test_a_verdict_follows_the_numbers(number, changes, others, expected):
    row = ask(number, study("post", with_(POST, **changes)), *(study(name, given) for name, given in others.items()))
    assert row["verdict"] == expected, row["why"]
    assert row["why"].endswith(".") and "nan" not in row["why"] and row["n"] == len(SEEDS)


def test_one_seed_decides_nothing():
    for number, changes, others, _ in CASES[::3]:
        if number != 31:
            own = study("post", with_(POST, **changes), seeds=(0,))
            given = [study(name, methods, seeds=(0,)) for name, methods in others.items()]
            row = ask(number, own, *given)
            assert row["verdict"] == UNDECIDED and row["n"] == 1 and pd.isna(row["value_low"])
            assert "; one seed gives no interval" in row["why"]
            assert not re.search(r"the interval|tell apart|nor fewer|more or less|so the weights", row["why"]), row[
                "why"
            ]
    assert "one seed" not in ask(11)["why"]


def test_the_values_are_those_of_the_tables():
    own = study("post", with_(POST, dropout={"roughness": [0.2, 0.21, 0.19, 0.2, 0.2]}, none={"roughness": [0.3] * 5}))
    row = ask(11, own)
    assert row["value"] == pytest.approx(-0.1) and row["n"] == 5
    half = 2.7764451 * np.std([0.2, 0.21, 0.19, 0.2, 0.2], ddof=1) / np.sqrt(5)  # t(0.975, 4)
    assert row["value_high"] - row["value"] == pytest.approx(half, rel=1e-6)
    assert "0.200 with dropout and 0.300 with none" in row["why"]


def test_a_missing_study_is_named_with_its_command():
    for number, name in ((32, "mlp"), (6, "small-data"), (27, "fair"), (18, "controls"), (34, "fair")):
        row = ask(number)
        assert row["verdict"] == UNMEASURED and f"study {name} has not been run" in row["why"]
        assert row["commands"] == f"snakemake --configfile config/{name}.yaml --cores 2"
        assert row["value"] is None and name not in row["studies"].split()


def test_all_missing_studies_are_named_with_their_commands():
    for number, names, words in (
        (1, ("mlp", "fair", "small-data"), "The studies mlp, fair and small-data have not been run."),
        (3, ("ladder", "controls"), "The studies ladder and controls have not been run."),
    ):
        row = ask(number)
        assert row["verdict"] == UNMEASURED and row["why"] == words
        assert row["commands"].split("; ") == [f"snakemake --configfile config/{name}.yaml --cores 2" for name in names]
        assert row["value"] is None and not {*names} & {*row["studies"].split()}
    row = ask(1, None, study("fair", {"none": {}, "l2": {}}))
    assert row["why"] == "The studies mlp and small-data have not been run."


def test_early_stopping_is_not_the_best_by_the_accuracy_that_it_chooses_by():
    best = {"validation_accuracy": 0.99, "test_accuracy": 0.97}
    mlp = {"none": {}, "l2": {"validation_accuracy": 0.95}, "early_stopping": best}
    row = ask(1, None, study("mlp", mlp))
    assert row["verdict"] == REFUTED and "the best method (l2)" in row["why"]
    row = ask(1, None, study("mlp", {"none": {}, "early_stopping": best}))
    assert row["verdict"] == UNMEASURED and "no other method" in row["why"]


def test_a_study_at_hand_is_not_asked_for_again():
    row = ask(32, None, study("mlp", {"none": {}, "dropout": DOWN}))
    assert row["commands"] == "" and row["studies"] == "post mlp"


def test_a_method_that_is_not_compared_or_did_not_finish_is_said():
    row = ask(11, study("post", {"none": {}}))
    assert (row["verdict"], row["why"]) == (UNMEASURED, "The study post does not compare the method dropout.")
    row = ask(11, study("post", with_(POST, dropout={"diverged": SEEDS})))
    assert (row["verdict"], row["why"]) == (UNMEASURED, "No run of dropout in the study post finished.")


def test_only_selected_points_are_looked_at():
    own = study("post", {"none": {}, "l2": [{"roughness": 0.2}, {"roughness": 9.0}]})
    assert len(own.rows("l2")) == len(SEEDS) and max(own.values("l2", "roughness").values()) < 1


def test_diverged_runs_are_left_out_and_said():
    row = ask(11, study("post", with_(POST, dropout={**DOWN, "diverged": (1, 3)})))
    assert row["verdict"] == SUPPORTED and row["n"] == 3
    assert "2 of 5 runs of dropout (post) diverged" in row["why"]
    assert "diverged" not in ask(20)["why"]


def test_seeds_without_each_other_are_no_comparison():
    methods = with_(POST, dropout={"diverged": (0, 1, 2)}, none={"diverged": (3, 4)})
    row = ask(11, study("post", methods))
    assert row["verdict"] == UNMEASURED and "no finished seed in common" in row["why"]


def test_convergence_is_that_of_accuracy_and_loss():
    still, falls = (0.0, 0.0), (0.0, -0.2)
    for moves, expected in (
        ({name: still for name in POST}, SUPPORTED),
        ({**{name: still for name in POST}, "none": falls}, REFUTED),
        ({**{name: still for name in POST}, "l2": (0.06, 0.0)}, REFUTED),
    ):
        row = ask(4, study("post", POST, curves=curves(moves)))
        assert row["verdict"] == expected, row["why"]
    one = curves({"none": (0.03, -0.3)}, seeds=(0,))
    accuracy, loss = table.drift(one)
    # evaluations after 2/3 of 3,000 steps: 2,100 to 3,000, 0.3 of the run; losses 0.59 to 0.5, mean 0.545
    assert accuracy == pytest.approx(0.009) and loss == pytest.approx(-0.09 / 0.545)
    assert np.isnan(table.drift(one[one["step"] < 200])).all()


def test_published_values_against_one_more_seed():
    _, low, high = table.one_more([1.0, 2.0, 3.0], 0.95)
    assert (high - low) / 2 == pytest.approx(4.3026527 * np.sqrt(4 / 3))  # t(0.975, 2)
    published = {name: {"test_accuracy": 0.93, "weight_min": -2.0, "weight_max": 1.5} for name in POST}
    for number in (24, 26):
        assert verdict(number, study("post", POST, published=published)) == SUPPORTED
    other = {**published, "l2": {"test_accuracy": 0.9, "weight_min": -2.2, "weight_max": 1.5}}
    for number, words in ((24, "4 of 5"), (26, "9 of 10")):
        row = ask(number, study("post", POST, published=other))
        assert row["verdict"] == REFUTED and words in row["why"] and "l2" in row["why"]
    assert verdict(24) == UNMEASURED  # nothing published


def test_a_range_that_holds_another_rows_value_supports_none():
    accuracies = {"none": 0.93, "dropout": 0.9, "gaussian": 0.91, "l2": 0.76, "weight_norm": 0.71}
    published = {name: {"test_accuracy": value, "weight_min": -value} for name, value in accuracies.items()}
    near = {
        name: {"test_accuracy": value, "weight_min": -value, "weight_max": 1.0} for name, value in accuracies.items()
    }
    for number in (24, 26):
        assert verdict(number, study("post", near, published=published)) == SUPPORTED
        far = with_(near, l2={"spread": 70.0})
        row = ask(number, study("post", far, published=published))
        assert row["verdict"] == UNDECIDED and "too wide to tell" in row["why"] and "l2" in row["why"]
        assert "none" not in row["why"] and "5 of 5 published values lie" in row["why"]
    alone = study("post", {"l2": {"test_accuracy": 0.76, "spread": 500.0}}, published={"l2": {"test_accuracy": 0.76}})
    assert verdict(24, alone) == UNDECIDED  # 100 % is in the range, too


def test_one_seed_holds_no_published_value():
    published = {name: {"test_accuracy": 0.93, "weight_min": -2.0, "relative_runtime": 1.0} for name in POST}
    for number in (24, 25, 26):
        row = ask(number, study("post", POST, published=published, seeds=(0,)))
        assert row["verdict"] == UNDECIDED and "no interval" in row["why"].lower(), row["why"]
        assert ", published" in row["quantity"] and pd.isna(row["value_low"])  # no count of nothing
    some = study("post", with_(POST, l2={"diverged": SEEDS[1:]}), published=published)
    row = ask(24, some)
    assert row["verdict"] == UNDECIDED and row["value"] == 4 and "4 of 4" in row["why"] and "1 has no" in row["why"]


def test_rounding_is_that_of_the_last_decimal_in_print():
    for published, expected in ((-1.95, 0.005), (0.8, 0.005), (0.0, 0.005), (-0.062, 0.0005), (0.094, 0.0005)):
        assert table.rounding(published) == pytest.approx(expected)
    assert table.rounding(0.932, 3) == table.rounding(0.76, 3) == pytest.approx(0.0005)
    exact = with_(POST, l2={"weight_min": [-0.06] * 5})
    published = {"none": {"weight_min": -2.0}, "l2": {"weight_min": -0.062}}
    assert verdict(26, study("post", exact, published=published)) == REFUTED  # 0.06 is not printed as 0.062


def test_without_an_interval_no_loss_is_said_to_be_still():
    falls = curves({"none": (0.0, -0.3)}, seeds=(0,))
    row = ask(4, study("post", {"none": {}}, seeds=(0,), curves=falls))
    assert row["verdict"] == UNDECIDED and "no training loss" not in row["why"] and "16.5 %" in row["why"]


@pytest.mark.parametrize(
    ("time", "words"), [(45.0, "1 of 1 published value lies"), (52.0, "too uncertain"), (60.0, "not so dropout")]
)
def test_runtimes_taken_side_by_side_refute_by_a_quarter_and_support_nothing(time, words):
    methods = with_(POST, dropout={"microseconds_per_step": time, "spread": 20.0})
    row = ask(25, study("post", methods, published={"dropout": {"relative_runtime": 1.49}}))
    assert row["verdict"] == (REFUTED if time == 60 else UNDECIDED) and words in row["why"], row["why"]


@pytest.mark.parametrize(
    ("alone", "noise", "expected"),
    [
        (58.0, 32.0, SUPPORTED),  # half of what gaussian adds ends at 45: a quarter more is 56, a quarter less is 36
        (55.0, 32.0, UNDECIDED),
        (58.0, 37.0, UNDECIDED),
        (37.0, 58.0, UNDECIDED),
        (35.0, 58.0, REFUTED),
        (58.0, 58.0, UNDECIDED),
    ],
)
def test_what_takes_gaussians_time(alone, noise, expected):
    times = {"none": 30.0, "gaussian": 60.0, "gaussian_without_noise": alone, "weight_noise": noise}
    controls = study("controls", {name: {"microseconds_per_step": time} for name, time in times.items()})
    row = ask(28, None, controls)
    assert row["verdict"] == expected and "2.00 times the parameters" in row["why"]


def test_half_of_gaussians_time_is_measured_as_well():
    """On average the parameters take a little more than a quarter beyond half, and less in some seeds."""
    times = {"none": [20.0] * 5, "gaussian": [50.0, 70.0, 56.0, 64.0, 50.0], "weight_noise": [22.0] * 5}
    for alone, expected in (([51.0] * 5, UNDECIDED), ([46.0, 59.0, 50.0, 55.0, 46.0], SUPPORTED)):
        given = {**times, "gaussian_without_noise": alone}
        controls = study("controls", {name: {"microseconds_per_step": time} for name, time in given.items()})
        row = ask(28, None, controls)
        assert row["verdict"] == expected and "half of what gaussian adds" in row["quantity"], row["why"]


def test_gaussians_accuracy_is_put_in_relation_to_nones():
    def why(number, **gaussian):
        return ask(number, None, study("ladder", {"post_none": {}, "rate_gaussian": gaussian}))["why"]

    same = "; at the same learning rate it "
    assert same + "is more than 0.5 points below none's (" in why(15, test_accuracy=0.91)
    assert same + "is at most 0.5 points below none's (" in why(15, test_accuracy=0.929)
    assert same + "is above none's (" in why(15, test_accuracy=0.95)
    assert same + "is within 0.5 points of none's (" in why(16, train_accuracy=0.9405)
    assert same + "is more than 0.5 points above none's (" in why(16, train_accuracy=0.95)
    unsure = [0.932, 0.936, 0.938, 0.93, 0.934]
    assert same + "may or may not be within 0.5 points of none's (" in why(16, train_accuracy=unsure)


def test_without_the_study_at_the_same_learning_rate_its_command_is_named():
    for number, words in ((15, "test accuracy is 91.00 %"), (16, "training accuracy is 94.00 %")):
        row = ask(number, study("post", with_(POST, gaussian={"test_accuracy": 0.91})))
        assert row["verdict"] == UNDECIDED and row["commands"] == studies.command("ladder")
        assert f"Gaussian's {words} at ten times the learning rate" in row["why"]
        assert "no study that was run has both at the same one, which would decide" in row["why"]


def test_one_of_several_is_found_by_holms_intervals():
    just = Measurement("x", -1.0, -1.9, -0.1, 5)
    assert gaussian._any(claim.below, [just]) == SUPPORTED
    assert gaussian._any(claim.below, [just, just, just]) == UNDECIDED
    sure = Measurement("x", -1.0, -1.1, -0.9, 5)
    worse = Measurement("x", 1.0, 0.1, 1.9, 5)
    assert gaussian._any(claim.below, [worse, sure, worse]) == SUPPORTED
    assert gaussian._any(claim.below, [worse, worse]) == REFUTED  # that none is needs no correction
    wide = gaussian.widened(just, 3)
    factor = stats.t.ppf(1 - 0.025 / 3, 4) / stats.t.ppf(0.975, 4)
    assert (wide.low, wide.high) == pytest.approx((-1 - 0.9 * factor, -1 + 0.9 * factor))


def test_how_many_images_were_trained_on():
    row = ask(2)
    assert row["verdict"] == WRONG and row["value"] == 55000 and "140 images" in row["why"]
    assert verdict(2, study("post", {"none": {"train_size": 140}})) == SUPPORTED


def test_everything_is_answered_whatever_is_there():
    """No claim fails: not with nothing but one run, not without images."""
    for own in (
        study("post", POST),
        study("post", {"none": {}}, seeds=(0,)),
        study("post", {"none": {"diverged": SEEDS}}),
    ):
        for given in (evidence(own), Evidence(own)):
            frame = catalogue.answered(given)
            assert frame["claim"].tolist() == list(range(1, 35)) and frame["verdict"].isin(VERDICTS).all()
            assert (frame["why"].str.len() > 10).all()


def test_the_table_reads_back_as_it_was_written(tmp_path):
    frame = catalogue.answered(evidence(study("post", POST)))
    tables.write_csv(tmp_path / "claims.csv", frame)
    back = tables.read_csv(tmp_path / "claims.csv", tables.CLAIM_COLUMNS)
    assert back["quote"].tolist() == frame["quote"].tolist() and back["n"].dtype == "Int64"


def test_a_study_of_another_version_counts_as_not_run(tmp_path):
    for name in ("fair", "mlp"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "comparison.csv").write_text("method\nnone\n")
    (tmp_path / "mlp" / "runs.csv").write_text("method\nnone\n")
    assert studies.present(tmp_path) == ["mlp"] and studies.present(tmp_path, but="mlp") == []
    found, problems = read_others([tmp_path / "mlp"], tmp_path)
    assert found == {} and "the study mlp is left out" in problems[0] and "no column" in problems[0]
