import re

import pytest
import yaml

from regatlas import fingerprint, registry
from regatlas.configschema import schema
from regatlas.errors import UserError, nearest
from regatlas.registry import Setting
from regatlas.regularizers import base

LIBRARY = registry.available()
POST = ("none", "dropout", "gaussian", "l2", "weight_norm")
PLUGIN = """
from regatlas.regularizers.base import Regularizer, Setting


class Mine(Regularizer):
    title = "Mine"
    strength = Setting(0.5, low=0.0, high=2.0, doc="how much")
    rounds = Setting(3, above=0, below=10)
    on = Setting(True)
    kind = Setting("soft", choices=("soft", "hard"))
    word = Setting("any")
    helper = 7

    def penalty(self, variables, parameters, logits):
        return None
"""
ACTS = "    def penalty(self, variables, parameters, logits): pass"


@pytest.fixture
def plugin(tmp_path):
    def write(text=PLUGIN, name="mine.py"):
        path = tmp_path / name
        path.write_text(text)
        return path

    return write


@pytest.fixture
def mine(plugin):
    return registry.declaration("mine", plugin())


def refused(*parts):
    """Expects a UserError whose message holds all of these texts, in this order."""
    return pytest.raises(UserError, match="(?s)" + ".*".join(map(re.escape, parts)))


def test_the_library_offers_the_five_regularizers_of_the_post_and_more():
    assert set(LIBRARY) > set(POST)
    assert all(path.is_file() and path.stem == name for name, path in LIBRARY.items())


@pytest.mark.parametrize("name", sorted(LIBRARY))
def test_a_declaration_read_from_the_source_equals_the_imported_class(name):
    read = registry.declaration(name, LIBRARY[name])
    imported = registry.load(LIBRARY[name], read.class_name)
    assert issubclass(imported, base.Regularizer)
    assert imported.__name__ == read.class_name
    for text in ("title", "formula", "citation", "acts_on"):
        assert getattr(read, text) == getattr(imported, text)
    declared = {key: value for key, value in vars(imported).items() if isinstance(value, base.Setting)}
    assert list(read.settings) == list(declared)
    for key, setting in declared.items():
        for field in ("default", "doc", "choices", "low", "high", "above", "below", "off"):
            found = getattr(read.settings[key], field)
            assert found == getattr(setting, field)
            assert type(found) is type(getattr(setting, field))


@pytest.mark.parametrize("name", sorted(LIBRARY))
def test_the_defaults_are_allowed_and_construct_the_class(name):
    read = registry.declaration(name, LIBRARY[name])
    resolved = read.resolve({}, "settings")
    assert resolved == {key: setting.default for key, setting in read.settings.items()}
    regularizer = registry.load(LIBRARY[name], read.class_name)(**resolved)
    assert {key: getattr(regularizer, key) for key in resolved} == resolved


def test_the_defaults_of_the_posts_regularizers_are_the_posts():
    resolved = {name: registry.declaration(name, LIBRARY[name]).resolve({}, "") for name in POST}
    assert resolved == {
        "none": {},
        "l2": {"strength": 0.01},
        "weight_norm": {"radius": 1.0},
        "gaussian": {"noise_scale": 0.5},
        # corrected: the post left it on while testing
        "dropout": {"keep_probability": 0.5, "hidden_keep_probability": 1.0, "active_at_test": False},
    }


@pytest.mark.parametrize(
    ("name", "setting", "value"),
    [
        ("confidence_penalty", "strength", 0.1),  # Pereyra et al. 2017
        ("elastic", "alpha", 34.0),  # Simard, Steinkraus, Platt 2003
        ("elastic", "sigma", 4.0),
        ("gradient_noise", "decay", 0.55),  # Neelakantan et al. 2015
        ("label_smoothing", "amount", 0.1),  # Szegedy et al. 2016
        ("max_norm", "limit", 4.0),  # Srivastava et al. 2014
        ("mixup", "alpha", 0.2),  # Zhang et al. 2018
        ("sam", "rho", 0.05),  # Foret et al. 2021
        ("variational_dropout", "threshold", 3.0),  # Molchanov, Ashukha, Vetrov 2017
    ],
)
def test_the_defaults_that_a_paper_names_are_the_papers(name, setting, value):
    assert registry.declaration(name, LIBRARY[name]).settings[setting].default == value


def test_a_plugin_is_read_without_being_run_and_loaded_from_where_it_lies(plugin):
    path = plugin("print(1 / 0)\n" + PLUGIN)
    read = registry.declaration("mine", path)
    assert (read.class_name, read.title, read.formula) == ("Mine", "Mine", "")
    assert list(read.settings) == ["strength", "rounds", "on", "kind", "word"]
    with refused("mine.py", "line 1", "ZeroDivisionError"):
        registry.load(path, "Mine")
    path.write_text(PLUGIN)
    assert registry.load(path, "Mine")(strength=1.0).strength == 1.0


def test_a_base_class_with_a_module_before_its_name_counts(plugin):
    text = f"class A(base.Regularizer):\n    title: str = 'A'\n    s = base.Setting(-1)\n{ACTS}"
    read = registry.declaration("mine", plugin(text))
    assert (read.title, read.settings["s"].default) == ("A", -1)


def test_a_byte_order_mark_does_no_harm(plugin):
    path = plugin()
    plain = fingerprint.module(path)
    path = plugin("\ufeff" + PLUGIN, "marked.py")
    assert registry.declaration("mine", path).title == "Mine" and fingerprint.module(path) == plain
    assert registry.load(path, "Mine").title == "Mine"


@pytest.mark.parametrize(
    "body",
    [
        "patience = 3", "penalty = lambda self, v, p, l: None", "penalty = penalty",
        "@property\n    def patience(self): return 3", "if True:\n        def penalty(self, v, p, l): pass",
    ],
)  # fmt: skip
def test_what_a_plugin_may_act_by(plugin, body):
    text = f"class A(Regularizer):\n    title = 'A'\n    {body}"
    assert registry.declaration("mine", plugin(text)).title == "A"
    assert registry.declaration("mine", plugin("class A(Mixin, Regularizer):\n    title = 'A'")).title == "A"


def test_resolved_settings_are_sorted_complete_and_in_the_declared_type(mine):
    resolved = mine.resolve({"strength": 1}, "methods.m.settings")
    assert list(resolved) == ["kind", "on", "rounds", "strength", "word"]
    assert resolved == {"kind": "soft", "on": True, "rounds": 3, "strength": 1.0, "word": "any"}
    assert type(resolved["strength"]) is float
    assert type(mine.resolve({"strength": 1.0}, "")["strength"]) is float


@pytest.mark.parametrize(
    ("given", "parts"),
    [
        ({"strength": "much"}, ["w.strength", "'much'", "a number at least 0 and at most 2"]),
        ({"strength": True}, ["w.strength", "True", "a number"]),
        ({"strength": None}, ["w.strength", "None", "a number"]),
        ({"strength": [1.0]}, ["w.strength", "[1.0]", "a number"]),
        ({"strength": -0.1}, ["w.strength", "-0.1", "at least 0"]),
        ({"strength": 2.1}, ["w.strength", "2.1", "at most 2"]),
        ({"strength": float("nan")}, ["w.strength", "nan", "a number"]),
        ({"strength": float("inf")}, ["w.strength", "inf", "a number"]),
        ({"rounds": 3.5}, ["w.rounds", "3.5", "a whole number above 0 and below 10"]),
        ({"rounds": True}, ["w.rounds", "True", "a whole number"]),
        ({"rounds": 0}, ["w.rounds", "0", "above 0"]),
        ({"rounds": 10}, ["w.rounds", "10", "below 10"]),
        ({"on": 1}, ["w.on", "1", "true or false"]),
        ({"on": "yes"}, ["w.on", "'yes'", "true or false"]),
        ({"kind": "sofd"}, ["w.kind", "'sofd'", "one of soft, hard", "did you mean 'soft'"]),
        ({"kind": 1}, ["w.kind", "1", "one of soft, hard"]),
        ({"word": 1}, ["w.word", "1", "text"]),
        ({"strenght": 1.0}, ["w.strenght", "'mine'", "strength, rounds, on, kind, word", "did you mean 'strength'"]),
        ({"helper": 1}, ["w.helper", "no such setting"]),
    ],
)
def test_a_wrong_setting_is_named_with_what_is_allowed(mine, given, parts):
    with refused(*parts):
        mine.resolve(given, "w")


@pytest.mark.parametrize("given", [{"strength": 0}, {"strength": 2}, {"rounds": 1}, {"rounds": 9}, {"kind": "hard"}])
def test_limits_themselves(mine, given):
    assert mine.resolve(given, "w").items() >= given.items()


def test_a_regularizer_without_settings_says_so():
    with refused("w.strength", "'none'", "its settings are: none"):
        registry.declaration("none", LIBRARY["none"]).resolve({"strength": 1.0}, "w")


@pytest.mark.parametrize("text", ["1e-4", "2E-3", "1e+4", "-1e-4", "1e4", "1.5e4", "2.0E3", "-1e4", ".5e1"])
def test_a_number_that_yaml_reads_as_text_is_the_number(text):
    found = yaml.safe_load(f"value: {text}")["value"]
    assert isinstance(found, str)  # YAML 1.1 wants a point, and a sign in the exponent
    value = Setting("strength", 0.5).check(found, "w.strength")
    assert (type(value), value) == (float, float(text))


def test_whole_numbers_however_they_are_written():
    rounds = Setting("rounds", 3, low=1)
    assert [rounds.check(value, "w") for value in (1000, 1000.0, "1e3", "1.0e+3")] == [1000] * 4
    assert {type(rounds.check(value, "w")) for value in (1000, 1000.0, "1e3")} == {int}
    with refused("w", "1.5"):
        rounds.check("1.5e0", "w")


def test_text_that_is_no_number_stays_text():
    with refused("'0.5'", "without quotes"):
        Setting("strength", 0.5).check("0.5", "w.strength")
    assert registry.text_number("much") == registry.text_number(0.5) == registry.text_number(None) == ""
    assert Setting("label", "a").check("1e-4", "w") == "1e-4"


def test_a_whole_number_too_big_for_a_float_is_refused():
    with refused("w", "a number"):
        Setting("strength", 0.5).check(10**400, "w")


def test_plugins_join_the_library(plugin):
    path = plugin()
    found = registry.available([str(path)])
    assert found == LIBRARY | {"mine": path}


def test_a_plugin_that_does_not_exist(tmp_path):
    with refused("plugins", "absent.py", "no such file"):
        registry.available([tmp_path / "absent.py"])


@pytest.mark.parametrize("name", ["mine.txt", "my-method.py", "1st.py"])
def test_a_plugin_that_is_not_named_like_a_module(plugin, name):
    with refused("plugins", name, "expected a Python file"):
        registry.available([plugin(name=name)])


def test_a_plugin_with_a_name_that_is_taken(plugin, tmp_path):
    with refused("plugins", "l2.py", "'l2' is taken by", "regularizers", "rename"):
        registry.available([plugin(name="l2.py")])
    path = plugin()
    with refused("'mine' is taken by", "mine.py"):
        registry.available([path, path])


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("class A(Regularizer:\n    pass", ["mine.py", "line 1", "not valid Python"]),
        ("x = 1\n", ["mine.py", "expected one class derived directly from Regularizer", "none"]),
        ("class A:\n    title = 'A'", ["mine.py", "expected one class", "none"]),
        ("class A(L2):\n    title = 'A'", ["mine.py", "expected one class derived directly from Regularizer", "none"]),
        (
            "class A(Regularizer):\n    title = 'A'",
            ["mine.py", "line 1", "class A has no hook", "hooks are: variables, "],
        ),
        (
            "class A(Regularizer):\n    title = 'A'\n    def panelty(self, v, p, l): pass\n    def help(self): pass",
            ["class A has no hook", "; panelty in line 3 is none (did you mean 'penalty'?); hooks are"],
        ),
        (
            "class A(Regularizer):\n    title = 'A'\n    def _x(self): pass\n    def activate(self, h): pass",
            ["class A has no hook", "; activate in line 4 is none (did you mean 'activations'?); hooks are"],
        ),
        (
            "class A(Regularizer):\n    title = 'A'\n    penalty = None",
            ["line 3", "penalty must be a method, found None"],
        ),
        ("class A(Regularizer):\n    title = 'A'\n    loss = [1]", ["line 3", "loss must be a method, found [1]"]),
        (
            "class A(Regularizer):\n    title = 'A'\nclass B(Regularizer):\n    title = 'B'",
            ["mine.py", "expected one class", "A, B"],
        ),
        ("class A(Regularizer):\n    pass", ["mine.py", "line 1", "class A declares no title"]),
        ("class A(Regularizer):\n    title = 3", ["mine.py", "line 2", "title must be text"]),
        ("class A(Regularizer):\n    title = make()", ["mine.py", "line 2", "must be a literal"]),
        ("class A(Regularizer):\n    title = 'A'\n    s = Setting(1 / 2)", ["mine.py", "line 3", "must be a literal"]),
        ("class A(Regularizer):\n    title = 'A'\n    s = Setting(1, low=LOW)", ["line 3", "must be a literal"]),
        ("class A(Regularizer):\n    title = 'A'\n    s = Setting()", ["line 3", "s must be Setting(default"]),
        ("class A(Regularizer):\n    title = 'A'\n    s = Setting(1, 2)", ["line 3", "s must be Setting(default"]),
        ("class A(Regularizer):\n    title = 'A'\n    s = Setting([1])", ["line 3", "s must be Setting(default"]),
        (
            f"class A(Regularizer):\n    title = 'A'\n    s = Setting({10**400})",
            ["line 3", "s must be Setting(default"],
        ),
        (f"class A(Regularizer):\n    title = 'A'\n    s = Setting(1.0, low=-{10**400})", ["line 3", "s must be"]),
        (
            "class A(Regularizer):\n    title = 'A'\n    s = Setting(1, least=0)",
            ["line 3", "s must be Setting(default"],
        ),
        (
            "class A(Regularizer):\n    title = 'A'\n    acts_on = 'wieghts'",
            ["line 3", "acts_on must be one of nothing, inputs", "found 'wieghts'", "did you mean 'weights'"],
        ),
        (
            "class A(Regularizer):\n    title = 'A'\n    s = Setting(5.0, high=1.0)",
            ["line 3", "s breaks its own limits", "default: found 5.0, allowed is a number at most 1"],
        ),
        (
            "class A(Regularizer):\n    title = 'A'\n    s = Setting('c', choices=('a', 'b'))",
            ["line 3", "s breaks its own limits", "default: found 'c', allowed is one of a, b"],
        ),
        (
            "class A(Regularizer):\n    title = 'A'\n    s = Setting(1.0, low=0.5, off=0.0)",
            ["line 3", "s breaks its own limits", "off: found 0.0, allowed is a number at least 0.5"],
        ),
    ],
)
def test_a_plugin_that_cannot_be_read(plugin, text, parts):
    with refused(*parts):
        registry.declaration("mine", plugin(text))


@pytest.mark.parametrize(
    ("head", "call", "found"),
    [
        ("import random", "random.random()", "line 1: import random"),
        ("from random import gauss", "gauss()", "line 1: import random.gauss"),
        ("import numpy as np", "np.random.normal()", "line 4: np.random.normal"),
        ("import numpy as np", "np.random.default_rng().normal()", "line 4: np.random.default_rng()"),
        ("import tensorflow as tf", "tf.random.normal([])", "line 4: tf.random.normal"),
        ("import numpy as np", "np.random.default_rng(3).normal()", ""),
        ("import tensorflow as tf", "tf.random.stateless_normal([], [1, 2])", ""),
        ("", "noise.random.normal()", ""),
    ],
)
def test_random_numbers_that_no_seed_decides_are_refused(plugin, head, call, found):
    path = plugin(
        f"{head}\nclass A(Regularizer):\n    title = 'A'\n    def examples(self, x, y, n): return x + {call}, y"
    )
    if found:
        with pytest.raises(UserError, match=re.escape(f"{found}: the seed of a run does not decide such numbers")):
            registry.declaration("mine", path)
    else:
        assert registry.declaration("mine", path).title == "A"


@pytest.mark.parametrize("name", registry.OF_A_METHOD)
def test_a_setting_may_not_hide_behind_a_key_of_the_method(plugin, name):
    with refused("mine.py, line 3", f"a setting may not be called {name}"):
        registry.declaration("mine", plugin(f"class A(Regularizer):\n    title = 'A'\n    {name} = Setting(1.0)"))


def test_the_keys_of_a_method_are_those_of_the_schema():
    assert set(registry.OF_A_METHOD) == schema()["$defs"]["method"]["properties"].keys()


def test_a_plugin_that_is_no_text(tmp_path):
    path = tmp_path / "mine.py"
    path.write_bytes(b"# \xff\xfe\n")
    with refused("mine.py", "not valid Python"):
        registry.declaration("mine", path)


@pytest.mark.parametrize(
    ("word", "expected"), [("L2", "l2"), ("SAM", "sam"), ("Weight-Decay", "weight_decay"), ("batchnorm", "batch_norm")]
)
def test_the_nearest_name_is_found_whatever_its_capitals(word, expected):
    assert nearest(word, LIBRARY) == f" (did you mean {expected!r}?)"
    assert nearest("zzz", LIBRARY) == ""
