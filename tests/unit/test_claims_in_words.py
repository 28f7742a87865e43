"""What claims say of studies of which little can be said, and how they name numbers and settings."""

import json
import re

import numpy as np
import pytest
from claiming import CLASSES, PIXELS, SEEDS, evidence, study, write_run

from regatlas.claims import catalogue
from regatlas.claims.claim import UNMEASURED
from regatlas.claims.evidence import Study

METHODS = ("none", "dropout", "gaussian", "l2", "weight_norm")
NAN = float("nan")
UNKNOWN = dict.fromkeys(("roughness", "template_correlation", "participation_ratio"), [NAN] * 5)
PUBLISHED = {"l2": {"test_accuracy": 0.9, "weight_min": -1.0, "relative_runtime": 1.5}}
STUDIES = {  # of which little can be said: the methods and their columns, and the seeds
    "one seed": ({name: {} for name in METHODS}, (0,)),
    "one method": ({"l2": {}}, SEEDS),
    "one run": ({"none": {}}, (0,)),
    "all the same": ({name: {"spread": 0.0} for name in METHODS}, SEEDS),
    "nothing measured of the weights": (dict.fromkeys(METHODS, UNKNOWN), SEEDS),
}


def ask(number, own, *others):
    claim = next(one for one in catalogue.CATALOGUE if one.number == number)
    return catalogue.row(claim, evidence(own, *others))


def quantities(row):
    return [found["quantity"] for found in json.loads(row["measurements"])]


def test_a_range_over_one_is_no_range():
    row = ask(31, study("post", {"none": {}}))
    assert row["verdict"] == UNMEASURED and "no two methods" in row["why"]
    row = ask(31, study("post", {"none": {}, "l2": UNKNOWN}))
    assert row["verdict"] == UNMEASURED
    fair = study("fair", {"none": {}, "l2": {"test_accuracy": [0.95] * 5}})
    assert "learning rates" not in ask(31, study("post", {"none": {}}), fair)["why"]


def test_a_setting_is_named_in_words_and_with_its_study():
    row = ask(19, study("post", {"none": {}, "l2": {}}), study("fair", {"none": {}, "l2": [{}, {}]}))
    names = quantities(row)
    assert {f"{what} in the study fair, strength 1" for what in ("roughness", "template correlation")} <= {*names}
    assert "{" not in "".join(names)


@pytest.mark.parametrize("number", [10, 11, 19, 20])
def test_what_has_no_value_is_said(tmp_path, number):
    for seed in SEEDS:
        for method in METHODS:
            write_run(tmp_path, method, seed, np.ones((PIXELS, CLASSES)))
    row = ask(number, study("post", dict.fromkeys(METHODS, UNKNOWN), root=tmp_path))
    assert row["verdict"] == UNMEASURED and row["why"].startswith("No run has a value of this: "), row["why"]


@pytest.mark.parametrize("number", [7, 17])
def test_settings_that_do_not_differ_have_no_correlation(tmp_path, number):
    write_run(tmp_path, "none", 0, np.ones((PIXELS, CLASSES)))
    row = ask(number, study("post", {"none": {}}, seeds=(0,), root=tmp_path))
    assert row["verdict"] == UNMEASURED and "no two settings that differ in" in row["why"]


def test_hidden_layers_that_no_study_has_are_named():
    measured = {one.number: one.measured for one in catalogue.CATALOGUE}
    assert "One hidden layer was not measured" in measured[1]
    assert all("One and three hidden layers were not measured" in measured[number] for number in (23, 33))


@pytest.mark.parametrize("given", STUDIES)
def test_no_sentence_has_a_dash_for_a_number_or_a_wrong_plural(tmp_path, given):
    methods, seeds = STUDIES[given]
    for method in methods:
        for seed in seeds:
            write_run(tmp_path, method, seed, np.zeros((PIXELS, CLASSES)))
    published = {name: PUBLISHED["l2"] for name in methods}
    own = study("post", methods, seeds, published, root=tmp_path)
    others = [Study(name, own.table, own.comparison, root=tmp_path) for name in ("fair", "mlp", "controls")]
    for asked in (evidence(own), evidence(own, *others)):
        for row in catalogue.answered(asked).to_dict("records"):
            text = f"{row['why']} {row['measurements']}"
            assert "\N{EN DASH}" not in text and not re.search(r"\bnan\b", text), (row["claim"], text)
            assert not re.search(r"\b1 (published )?(point|seed|setting|method|step|run|value|image)s\b", text), text
            assert '"n": 1, "of": "seeds"' not in text


def test_the_measurement_that_decides_comes_first(tmp_path):
    rng = np.random.default_rng(0)
    kernel = rng.standard_normal((PIXELS, CLASSES))
    for seed in SEEDS:
        for method in (*METHODS, "post_l2", "matched_weight_norm"):
            write_run(tmp_path, method, seed, kernel)
    own = study("post", {name: {} for name in METHODS}, root=tmp_path)
    ladder = study("ladder", {"post_l2": {}, "matched_weight_norm": {}}, root=tmp_path)
    names = quantities(ask(22, own, ladder))
    assert "of the study ladder" in names[0] and len(names) == len({*names}) == 6
    fair = study("fair", {"none": {}, "weight_noise": {}, "bayes_by_backprop": {"test_nll": 0.2}}, root=tmp_path)
    for seed in SEEDS:
        write_run(tmp_path, "bayes_by_backprop", seed, kernel, trained_rho_0=kernel)
    assert quantities(ask(34, own, fair))[0] == "bayes_by_backprop: NLL minus none's"
