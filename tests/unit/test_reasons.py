"""Reasons in words; that a dry run shows them is tested with the workflow."""

import copy
from pathlib import Path

import numpy as np
import pytest
import yaml

from regatlas import fingerprint, runs
from regatlas.reasons import changes, last_table, to_train
from regatlas.study import resolve

SETTINGS = {
    "data": "aa",
    "network": {"hidden": [], "bias": False},
    "training": {"steps": 100, "loss": "squared_error"},
    "regularizer": {"name": "l2", "settings": {"strength": 0.01}},
    "code": {"engine": "11", "regularizer": "22"},
    "tensorflow": "2.20.0",
}


def changed(**places):
    now = copy.deepcopy(SETTINGS)
    for place, value in places.items():
        *parents, last = place.split("__")
        inner = now
        for parent in parents:
            inner = inner[parent]
        inner[last] = value
    return changes(SETTINGS, now)


def test_nothing_changed():
    assert changed() == []


def test_every_kind_of_change_has_its_words():
    assert changed(regularizer__settings__strength=0.02) == ["strength was 0.01, is 0.02"]
    assert changed(training__steps=200, training__loss="cross_entropy") == [
        'training.loss was "squared_error", is "cross_entropy"',
        "training.steps was 100, is 200",
    ]
    assert changed(network__hidden=[400, 400]) == ["network.hidden was [], is [400, 400]"]
    assert changed(code__engine="33") == ["the training code changed"]
    assert changed(code__regularizer="33") == ["the code of l2 changed"]
    assert changed(data="bb") == ["the data changed"]
    assert changed(tensorflow="2.21.0") == ['tensorflow was "2.20.0", is "2.21.0"']


def test_another_regularizer_is_one_change():
    other = changed(regularizer={"name": "dropout", "settings": {"keep_probability": 0.5}}, code__regularizer="44")
    assert other == ['regularizer was "l2", is "dropout"']


def test_a_setting_the_code_did_not_have_before():
    assert changed(regularizer__settings__power=2) == ["power was null, is 2"]


CONFIG = yaml.safe_load((Path(__file__).parents[2] / "config" / "config.yaml").read_text())


def study(l2, seeds=(0, 1), **others):
    methods = CONFIG["methods"] | {"l2": {"regularizer": "l2", **l2}}
    return resolve(CONFIG | {"compare": ["l2"], "baseline": "l2", "methods": methods, "seeds": list(seeds)} | others)


def trained(folder, study):
    """Leave a study's runs and its table behind."""
    lines = ["method,seed,digest,point,values,regularizer"]
    for number, point in enumerate(study.methods[0].points):
        for seed in study.seeds:
            path = runs.path(folder / "runs", "l2", point.digest, seed)
            runs.write(path, {"settings": point.settings, "seed": seed}, {"kernel_0": np.zeros(1)})
            values = fingerprint.canonical(point.values).replace('"', '""')
            lines.append(f'l2,{seed},{point.digest},{number},"{values}",l2')
    (folder / "runs.csv").write_text("\n".join([*lines, ""]))


def told(folder, study):
    return to_train(study, folder, study.methods[0], (), last_table(folder / "runs.csv"))


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        ({}, {"strength": [0.01, 0.1]}, ["l2 with strength 0.1, 2 runs (seeds 0, 1): new in its grid"]),
        (
            {"strength": [0.01, 0.1]}, {"strength": [0.1, 1, 0.01, 2]},
            ["l2, 2 points, 4 runs (seeds 0, 1): new in its grid"],
        ),
        ({"strength": [0.01, 0.1]}, {"strength": [0.1, 0.01]}, []),
        ({"strength": [0.01, 0.1]}, {"strength": 0.1}, []),
        ({"strength": [0.01, 0.1]}, {"strength": 0.2}, ["l2, 2 runs (seeds 0, 1): it had a grid before"]),
        ({"strength": 0.1}, {"strength": 0.2}, ["l2, 2 runs (seeds 0, 1): strength was 0.1, is 0.2"]),
        (
            {"strength": [0.01, 0.1]}, {"strength": [0.01, 0.1], "training": {"steps": 7}},
            ["l2, 2 points, 4 runs (seeds 0, 1): training.steps was 150000, is 7"],
        ),
    ],
)  # fmt: skip
def test_why_points_are_missing(tmp_path, before, now, expected):
    trained(tmp_path, study(before))
    assert told(tmp_path, study(now)) == [f"To train: {line}" for line in expected]


def test_a_new_seed_of_a_grid_and_a_lost_run_of_a_point(tmp_path):
    grid = {"strength": [0.01, 0.1]}
    trained(tmp_path, study(grid))
    assert told(tmp_path, study(grid, (0, 1, 2))) == ["To train: l2, 2 points, 2 runs (seed 2): new seed"]
    runs.path(tmp_path / "runs", "l2", study(grid).methods[0].points[1].digest, 0).unlink()
    assert told(tmp_path, study(grid)) == [
        "To train: l2 with strength 0.1, 1 run (seed 0): the file is no longer there"
    ]


def test_a_table_of_a_version_without_points_is_read(tmp_path):
    now = study({})
    (tmp_path / "runs.csv").write_text(f"method,seed,digest,regularizer\nl2,0,{now.methods[0].digest},l2\n")
    assert told(tmp_path, now)[0].endswith("1 run (seed 1): new seed")
