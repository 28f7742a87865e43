"""Methods that differ from their study in network or baseline, whole studies, and the studies that come along."""

import copy
from pathlib import Path

import pytest
import yaml

from regatlas import configfiles, datasets, fingerprint
from regatlas.errors import UserError
from regatlas.study import resolve

CONFIG = Path(__file__).parents[2] / "config"
VALID = yaml.safe_load((CONFIG / "config.yaml").read_text())
STUDIES = sorted(CONFIG.glob("*.yaml"))


def study(**methods):
    config = copy.deepcopy(VALID)
    for name, changes in methods.items():
        config["methods"][name] |= changes
    return {method.id: method for method in resolve(config).methods}, config


def test_a_method_may_have_its_own_network_and_the_rest_is_the_studys():
    found, _ = study(l2={"network": {"bias": True}})
    plain, _ = study()
    assert found["l2"].settings["network"] == plain["l2"].settings["network"] | {"bias": True}
    assert found["l2"].digest != plain["l2"].digest and found["none"].digest == plain["none"].digest
    same, _ = study(l2={"network": {"bias": False}})
    assert same["l2"].digest == plain["l2"].digest


def test_its_own_network_may_have_the_hidden_layers_that_it_needs():
    config = copy.deepcopy(VALID)
    config["methods"]["l2"] = {"regularizer": "batch_norm", "network": {"hidden": [5]}}
    found = {method.id: method for method in resolve(config).methods}
    assert found["l2"].settings["network"]["hidden"] == [5]


def test_a_method_is_compared_with_the_studys_baseline_or_its_own():
    found, _ = study(l2={"baseline": "dropout"}, weight_norm={"baseline": "weight_norm"})
    assert {name: method.baseline for name, method in found.items()} == {
        "none": "none", "dropout": "none", "gaussian": "none", "l2": "dropout", "weight_norm": "weight_norm"
    }  # fmt: skip
    plain, _ = study()
    assert found["l2"].digest == plain["l2"].digest


def test_the_resolved_config_says_what_differs_and_only_that():
    config = copy.deepcopy(VALID)
    config["methods"]["l2"] |= {"baseline": "dropout", "network": {"bias": True, "hidden": []}}
    config["methods"]["dropout"] |= {"baseline": "none", "network": {"bias": False}}
    methods = resolve(config).config["methods"]
    assert (methods["l2"]["baseline"], methods["l2"]["network"]) == ("dropout", {"bias": True})
    assert not {"baseline", "network"} & methods["dropout"].keys()


def test_what_a_published_value_says_of_itself_is_no_part_of_a_run():
    told = {"published": {"test_accuracy": 0.7, "source": "A", "setting": "B", "not_comparable": "C"}}
    found, plain = study(l2=told)[0], study()[0]
    assert found["l2"].published["source"] == "A" and found["l2"].digest == plain["l2"].digest


@pytest.mark.parametrize("name", ["training.py", "corruptions.py", "optimizers.py"])
def test_code_that_changes_a_runs_numbers_changes_its_digest(monkeypatch, name):
    before, real = study()[0]["none"].digest, fingerprint.module
    changed = lambda path: ("changed", real(path)[1]) if path.name == name else real(path)  # noqa: E731
    monkeypatch.setattr(fingerprint, "module", changed)
    assert study()[0]["none"].digest != before


def test_another_tensorflow_trains_every_run_again(monkeypatch):
    before = study()[0]["none"].digest
    monkeypatch.setattr(fingerprint, "tensorflow_version", lambda: "9.9.9")
    assert study()[0]["none"].digest != before


@pytest.mark.parametrize(
    "config",
    [
        {"study": "x", "methods": {"none": {"regularizer": "none"}}, "compare": ["none"]},
        {
            "study": "x",
            "methods": {"a": {"regularizer": "l2"}, "b": {"regularizer": "l1"}},
            "compare": ["b"],
            "seeds": [1],
        },
    ],
)
def test_a_config_that_defines_what_it_compares_stands_alone(config):
    assert configfiles.stands_alone(config)


@pytest.mark.parametrize(
    "config",
    [
        {}, None, [], {"study": "x"},
        {"methods": {"none": {"regularizer": "none"}}, "compare": ["none"]},
        {"study": "x", "methods": {"l2": {"strength": 1.0}}, "compare": ["l2"]},
        {"study": "x", "methods": {"l2": {"regularizer": "l2"}}, "compare": ["none", "l2"]},
        {"study": "x", "methods": {"l2": None}, "compare": ["l2"]},
        {"study": "x", "methods": ["l2"], "compare": ["l2"]},
        {"study": "x", "methods": {"l2": {"regularizer": "l2"}}, "compare": [["l2"]]},
        {"study": "x", "methods": {"l2": {"regularizer": "l2"}}, "compare": "l2"},
    ],
)  # fmt: skip
def test_others_are_merged_over_the_default(config):
    assert not configfiles.stands_alone(config)


@pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.stem)
def test_the_studies_that_come_along_are_whole_and_say_what_they_answer(path):
    text = path.read_text()
    config = yaml.safe_load(text)
    found = resolve(config)
    assert configfiles.stands_alone(config) and found.dataset.name in datasets.KNOWN
    assert found.name == ("post" if path.stem == "config" else path.stem)
    head = text[: text.index("\nstudy:")]
    assert "?" in head
    assert "minutes" in head.lower() or "an hour" in head.lower()
    where = "--profile workflow/profiles/slurm" if path.stem.endswith("-large") else "--cores 2"
    assert path.stem == "config" or f"snakemake --configfile config/{path.name} {where}" in head
    assert len(config["compare"]) == len(set(config["compare"]))


@pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.stem)
def test_published_values_say_where_they_are_from_and_are_judged_or_say_why_not(path):
    for name, method in yaml.safe_load(path.read_text())["methods"].items():
        published = method.get("published")
        if published is not None:
            assert {"test_accuracy", "source", "setting"} <= published.keys(), name
            assert ("tolerance" in published) != ("not_comparable" in published), name


def test_the_ladder_shares_its_ends_with_the_other_studies():
    digests = {
        path.stem: {
            point.digest for method in resolve(yaml.safe_load(path.read_text())).methods for point in method.points
        }
        for path in STUDIES
    }
    assert len(digests["ladder"] & digests["config"]) == 5
    assert len(digests["ladder"] & digests["fair"]) == 20


def test_grids_are_equal_unless_a_study_says_otherwise():
    for path in STUDIES:
        config = yaml.safe_load(path.read_text())
        counts = {len(method.points) for method in resolve(config).methods}
        assert len(counts) == 1 or config["tuning"]["unequal"], path


def test_a_baseline_of_a_method_must_be_compared():
    with pytest.raises(UserError, match=r"methods\.l2\.baseline: 'nnoe' is not among .*did you mean 'none'"):
        study(l2={"baseline": "nnoe"})


def test_the_resolved_config_has_the_steps_of_its_epochs():
    config = copy.deepcopy(VALID)
    config["training"] |= {"epochs": 3, "batch_size": 100, "train_size": 1050}
    assert resolve(config).config["training"]["steps"] == 30


def test_a_batch_may_be_the_whole_training_set():
    config = copy.deepcopy(VALID)
    config["training"] |= {"batch_size": 500, "train_size": 500}
    assert resolve(config).methods[0].settings["training"]["batch_size"] == 500


def test_a_study_of_another_name_does_not_tell_the_default_ones_story():
    default = copy.deepcopy(VALID)
    default["report"]["author"] = "A group"

    def told(given):
        config = {**copy.deepcopy(default), **given}
        config["report"] = default["report"] | given.get("report", {})  # as Snakemake merges
        configfiles.tell_own_story(config, given, default)
        return config["report"]

    assert told({"seeds": [1]}) == told({"study": VALID["study"]}) == default["report"]
    assert told({"study": "mine"}) == {"author": "A group"}
    assert told({"study": "mine", "report": {"title": "Mine"}}) == {"author": "A group", "title": "Mine"}
    assert told({"study": "mine", "report": {"story": "post"}})["story"] == "post"


def test_inherited_published_values_can_be_taken_away():
    config = copy.deepcopy(VALID)
    config["methods"]["l2"]["published"] = None
    found = resolve(config)
    assert [bool(method.published) for method in found.methods] == [True, True, True, False, True]
    assert "published" not in found.config["methods"]["l2"]
