"""Grids of a config: their points, what they share with points written alone, and what is refused."""

import copy
from pathlib import Path

import pytest
import yaml

from regatlas import grids
from regatlas.errors import UserError
from regatlas.leftovers import wanted_by
from regatlas.study import resolve

VALID = yaml.safe_load((Path(__file__).parents[2] / "config" / "config.yaml").read_text())
RATES = [3.0e-4, 1.0e-3]
TUNED = {
    "none": {"regularizer": "none", "training": {"learning_rate": [1e-4, 3e-4, 1e-3, 3e-3]}},
    "l2": {"regularizer": "l2", "strength": [1e-2, "1e-3"], "training": {"learning_rate": RATES}},
}


def study(methods, compare=("none", "l2"), **others):
    config = copy.deepcopy(VALID) | {"compare": list(compare), "baseline": compare[0]} | others
    config["methods"] |= copy.deepcopy(methods)
    return resolve(config)


def refusal(methods, *arguments, **others):
    with pytest.raises(UserError) as caught:
        study(methods, *arguments, **others)
    return str(caught.value)


def test_points_are_the_product_in_the_order_written():
    l2 = study(TUNED).methods[1]
    strength, rate = "strength", "training.learning_rate"
    expected = [{strength: s, rate: r} for s in (0.01, 0.001) for r in RATES]
    assert [point.values for point in l2.points] == expected
    assert l2.grid == {strength: [0.01, 0.001], rate: RATES}
    for point in l2.points:
        assert point.settings["regularizer"]["settings"]["strength"] == point.values[strength]
        assert point.settings["training"]["learning_rate"] == point.values[rate]
    turned = {"l2": {"regularizer": "l2", "training": {"learning_rate": RATES}, "strength": [1e-2, 1e-3]}}
    other = study(TUNED | turned).methods[1]
    assert [point.values for point in other.points] == [{strength: s, rate: r} for r in RATES for s in (0.01, 0.001)]
    assert {point.digest for point in other.points} == {point.digest for point in l2.points}


def test_a_digest_does_not_tell_whether_its_point_was_written_alone():
    for point in study(TUNED).methods[1].points:
        rate = point.values["training.learning_rate"]
        alone = {"regularizer": "l2", "strength": point.values["strength"], "training": {"learning_rate": rate}}
        assert study({"l2": alone}).methods[1].digest == point.digest
    assert study({}).methods[1].digest == study({"l2": {"regularizer": "l2", "strength": [0.01]}}).methods[1].digest


def test_a_list_of_one_value_is_that_value():
    (none, l2), alone = study({"l2": {"regularizer": "l2", "strength": [0.02]}}).methods, study({}).methods[0]
    assert l2.grid == {} and l2.point.values == {} and l2.settings["regularizer"]["settings"] == {"strength": 0.02}
    assert none == alone and not study({}).tuned


def test_methods_may_have_points_in_common():
    same = {
        "other": {"regularizer": "l2", "strength": [0.01, 0.5]},
        "l2": {"regularizer": "l2", "strength": [0.1, 0.01]},
    }
    found = study(same, ("l2", "other"), seeds=[3])
    assert found.methods[0].points[1].digest == found.methods[1].points[0].digest
    assert len(wanted_by(found)) == 3


def test_a_method_with_several_points_has_no_settings_of_its_own():
    with pytest.raises(ValueError, match="too many"):
        _ = study(TUNED).methods[1].digest


def test_the_resolved_config_resolves_to_the_same_points():
    first = study(TUNED)
    again = resolve(yaml.safe_load(yaml.safe_dump(first.config, sort_keys=False)))
    assert again.config == first.config
    assert [method.points for method in again.methods] == [method.points for method in first.methods]


def test_all_compared_methods_have_as_many_points():
    few = {"l2": {"regularizer": "l2", "strength": [1e-2, 1e-3, 1e-4]}}
    message = refusal(few)
    assert message.startswith("methods.none: it has 1 point and methods.l2 has 3")
    assert "tuning: {unequal: true}" in message and "\n" not in message
    assert [len(m.points) for m in study(few, tuning={"unequal": True}).methods] == [1, 3]
    assert [len(m.points) for m in study(few, ("l2",)).methods] == [3]  # what is not compared does not count
    rates = {"none": {"regularizer": "none", "training": {"learning_rate": [1e-4, 1e-3, 1e-2]}}}
    assert study(few | rates).tuned


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        ({"strength": []}, "methods.l2.strength: found [], a list needs at least one value"),
        ({"strength": [1, 1.0]}, "methods.l2.strength: 1.0 stands there twice"),
        ({"strength": [1, -1]}, "methods.l2.strength[1]: found -1.0, allowed is a number at least 0"),
        ({"strength": [[1]]}, "methods.l2.strength[0]: found [1], allowed is a number"),
        ({"strenght": [1, 2]}, "methods.l2.strenght: regularizer 'l2' has no such setting"),
        ({"label": ["a"]}, "methods.l2.label: found ['a'], allowed is text"),
        ({"training": {"learning_rate": []}}, "methods.l2.training.learning_rate: found [], allowed are at least 1"),
        ({"training": {"learning_rate": [0.1, 0]}}, "methods.l2.training.learning_rate[1]: found 0.0, allowed"),
        ({"training": {"learning_rate": [0.1, "1e-1"]}}, "methods.l2.training.learning_rate: 0.1 stands there twice"),
        ({"training": {"loss": ["squared_eror"]}}, "methods.l2.training.loss[0]: found 'squared_eror'"),
        ({"training": {"batch_size": [8, 60000]}}, "methods.l2.training: batch_size 60000 is larger than train_size"),
        ({"training": {"checkpoint_minutes": [1, 2]}}, "methods.l2.training.checkpoint_minutes: it is the same"),
        (
            {"strength": list(range(40)), "training": {"batch_size": list(range(1, 41))}},
            "methods.l2: its lists span 1,600 points (strength 40, training.batch_size 40), allowed are 1,000",
        ),
    ],
)  # fmt: skip
def test_what_spans_no_grid_is_refused(method, expected):
    assert refusal({"l2": {"regularizer": "l2", **method}}, ("l2",)).startswith(expected)


def test_only_methods_have_grids():
    assert refusal({}, training={"learning_rate": [1e-4, 1e-3]}).startswith("training.learning_rate: found [0.0001")


def test_a_study_has_so_many_points_at_most():
    methods = {f"m{i}": {"regularizer": "l2", "strength": list(range(1, 1001))} for i in range(5)}
    assert "have 5,000 points, allowed are 4,000" in refusal(methods, tuple(methods))


def test_edges_are_of_numbers_alone():
    points = list(grids.points({"s": [3, 1, 2], "kind": ["a", "b"], "on": [True, False], "one": [7]}))
    assert grids.edges({"s": 3, "kind": "a", "on": True, "one": 7}, points) == ["s"]
    assert grids.edges({"s": 2, "kind": "a", "on": True, "one": 7}, points) == []


@pytest.mark.parametrize(
    ("statistics", "expected"),
    [
        ({"margin": 0}, "statistics.margin: found 0.0, allowed is above 0"),
        ({"margin": "0.002"}, "statistics.margin: found '0.002', allowed is a number (it is text"),
        ({"level": 1}, "statistics.level: found 1.0, allowed is at most 0.9999"),
        ({"levle": 0.9}, "statistics.levle: no such key (did you mean 'level'?)"),
    ],
)
def test_statistics_out_of_range(statistics, expected):
    assert refusal({}, statistics=statistics).startswith(expected)
