"""Reasons in words; that a dry run shows them is tested with the workflow."""

import copy

from regatlas.reasons import changes

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
