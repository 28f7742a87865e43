"""Whatever a config holds, planning ends in a study or in a message."""

import copy
import datetime
import math
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from regatlas import configfiles
from regatlas.errors import UserError
from regatlas.study import Study, resolve

VALID = yaml.safe_load((Path(__file__).parents[2] / "config" / "config.yaml").read_text())
OWN_DATA = {
    **VALID,
    "dataset": {
        "name": "mine",
        "title": "My set",
        "class_names": ["a", "b"],
        **{f"{part}_labels": {"path": f"~/{part}", "sha256": "cd" * 32} for part in ("train", "test")},
        **{f"{part}_images": {"url": f"https://example.org/{part}", "sha256": "ab" * 32} for part in ("train", "test")},
    },
}
KEYS = sorted(
    {
        part
        for where, _ in configfiles.leaves([VALID, OWN_DATA])
        for part in where.replace("[", ".").split(".")
        if part.isidentifier()
    }
)

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([0, -1, 10**12, 10**30, -(10**400)]),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from(["", "..", "a/b", "l2", "none", "1e-4", "~nobody-of-this-name/x", "x" * 5000, "\ud800", "\0", "/"]),
    st.dates(),
    st.datetimes(),
    st.binary(max_size=5),
)
keys = st.one_of(
    st.sampled_from([*KEYS, "path", "array"]),
    st.text(max_size=8),
    st.integers(),
    st.none(),
)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4), max_leaves=8
)


@st.composite
def mutated(draw):
    """A valid config with one to four places replaced, deleted or inserted, at any depth."""
    config = copy.deepcopy(draw(st.sampled_from([VALID, OWN_DATA])))
    for _ in range(draw(st.integers(1, 4))):
        places = list(containers(config))
        place = draw(st.sampled_from(places))
        positions = list(place) if isinstance(place, dict) else list(range(len(place)))
        action = draw(st.sampled_from(["replace", "delete", "insert"])) if positions else "insert"
        if action == "replace":
            place[draw(st.sampled_from(positions))] = draw(values)
        elif action == "delete":
            del place[draw(st.sampled_from(positions))]
        elif isinstance(place, dict):
            place[draw(keys)] = draw(values)
        else:
            place.insert(draw(st.integers(0, len(place))), draw(values))
    return config


def containers(value):
    if isinstance(value, dict | list):
        yield value
        for inner in value.values() if isinstance(value, dict) else value:
            yield from containers(inner)


def outcome(config):
    """The study's name, or the message."""
    try:
        study = resolve(config)
    except UserError as error:
        message = str(error)
        assert message.strip()
        assert len(message.splitlines()) <= 12 and all(len(line) < 1000 for line in message.splitlines()), message
        return message
    assert isinstance(study, Study) and all(point.digest for method in study.methods for point in method.points)
    return study.name


@given(mutated())
@settings(derandomize=True, max_examples=600, deadline=None, suppress_health_check=list(HealthCheck))
def test_a_mutated_config_is_a_study_or_a_message(config):
    outcome(config)


AWKWARD = [
    None, True, 0, -1, 0.5, 10**30, math.nan, math.inf, "", "..", "~nobody-of-this-name/x", "x" * 5000, "\0", "\ud800",
    "1e-4", "http://[", [], [[]], {}, {"": None}, {1: 2, None: 3}, b"x", datetime.date(2026, 1, 1),
]  # fmt: skip


@pytest.mark.parametrize("config", [VALID, OWN_DATA], ids=["default", "own data"])
def test_so_is_an_awkward_value_in_each_place(config):
    copied = copy.deepcopy(config)
    for place in list(containers(copied)):
        for position in list(place) if isinstance(place, dict) else range(len(place)):
            right = place[position]
            for place[position] in AWKWARD:
                outcome(copied)
            place[position] = right
    assert copied == config and outcome(copied) == "post"


@given(values)
@settings(derandomize=True, max_examples=100, deadline=None)
def test_so_is_anything_at_all(config):
    outcome(config)


@pytest.mark.parametrize("hold", [list, dict])
def test_a_config_that_holds_itself_or_grows_without_bound(hold):
    """What YAML aliases can make."""
    loop = [] if hold is list else {}
    loop.append(loop) if hold is list else loop.update(a=loop)
    assert "more than 20 levels" in outcome({**VALID, "compare": loop})
    bomb = "l2"
    for _ in range(12):
        bomb = [bomb] * 10 if hold is list else dict.fromkeys("abcdefghij", bomb)
    assert "more than 100,000 values" in outcome({**VALID, "compare": bomb})


@pytest.mark.parametrize(
    "text",
    [
        "a: &base {x: 1, y: 2}\nb: {<<: *base, y: 3}\nc: [*base, *base]",
        '{"a":\t{"b": [1, 2.5, null, "x"]}}',
        "\ufeffa: é",
        "a: [0, 0.5, 00.5, 0x10, '010', '1:30', 09, 1_000, -0]",
    ],
)
def test_what_yaml_and_json_allow_is_allowed(tmp_path, text):
    path = tmp_path / "config.yaml"
    path.write_text(text, encoding="utf-8")
    configfiles.check(path, tmp_path / "missing.yaml")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: *nobody", "line 1: not valid YAML: found undefined alias 'nobody'"),
        ("a: 1\n---\na: 2", "line 2: not valid YAML: expected a single document"),
        ("a: 'b\0'", "not valid YAML: unacceptable character #x0000"),
        ("a: 1\n? [a, b]\n: 1", "line 2: found a list or mapping as a key"),
        ("x: !mine 3", "line 1: the tag !mine is not allowed; write plain YAML"),
        ("x: !!bool maybe", "line 1: 'maybe' is not a valid bool"),
        ("x: !!timestamp today", "line 1: 'today' is not a valid timestamp"),
        ("x: !!int ''", "line 1: '' is not a valid int"),
        ("x: " + 5000 * "9", f"line 1: '{40 * '9'}' is not a valid int"),
        ("x:\n  l2: 1\n  l1: 2\n  l2: 3", "line 4: the key 'l2' stands there again, after line 2"),
        ('{"x": {"a": 1, "a": 2}}', "the key 'a' stands twice in one mapping"),
        ("a: " + 5000 * "[", "more than 20 levels"),
        ('{"a": ' + 21 * "[" + 21 * "]" + "}", "more than 20 levels"),
        (
            "\n".join(["a0: &a0 [l]", *(f"a{n}: &a{n} [{9 * f'*a{n - 1}, '}]" for n in range(1, 9))]),
            "more than 100,000",
        ),
        ("x: 1\ny: 010", "line 2: 010 is the number 8 in YAML; write that, or put text in quotes"),
        ("x: [-0_17]", "line 1: -0_17 is the number -15 in YAML"),
        ("x: 1:30", "line 1: 1:30 is the number 90 in YAML"),
        ("x: 1:30.5", "line 1: 1:30.5 is the number 90.5 in YAML"),
        ("pathvars: {results: x}", "pathvars: not allowed"),
        ("3", "found '3', allowed is a mapping"),
    ],
)
def test_what_is_wrong_with_a_file_is_named_with_its_line(tmp_path, text, expected):
    path = tmp_path / "config.yaml"
    path.write_text(text)
    with pytest.raises(UserError) as caught:
        configfiles.check(path)
    assert str(caught.value).startswith(str(path)) and expected in str(caught.value)


def test_a_file_in_another_encoding_or_that_is_a_folder(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_bytes("study: x".encode("utf-16"))
    with pytest.raises(UserError, match="line 1: not UTF-8"):
        configfiles.check(path)
    with pytest.raises(UserError, match="Is a directory"):
        configfiles.check(tmp_path)


def test_a_number_too_long_to_print():
    assert "training.steps: found a whole number beyond" in outcome({**VALID, "training": {"steps": 16**5000}})


@given(st.binary(max_size=200) | st.text(max_size=100).map(str.encode))
@settings(
    derandomize=True, max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_bytes_as_a_config_file(tmp_path, content):
    path = tmp_path / "config.yaml"
    path.write_bytes(content)
    try:
        configfiles.check(path)
    except UserError as error:
        assert str(error).startswith(str(path)) and len(str(error).splitlines()) == 1


@given(st.data())
@settings(
    derandomize=True, max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_a_damaged_config_file_is_still_yaml_for_snakemake_or_refused(tmp_path, data):
    """What passes the check, Snakemake can load: it reads it as JSON, else with PyYAML's FullLoader."""
    text = yaml.safe_dump(VALID)
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(text)))
        end = start + data.draw(st.integers(0, 10))
        part = data.draw(st.text("{}[]:,&*!|>-?'\"\t\n #%@`~<=a1.", max_size=4))
        text = text[:start] + part + text[end:]
    path = tmp_path / "config.yaml"
    path.write_bytes(text.encode())
    try:
        configfiles.check(path)
    except UserError as error:
        assert str(error).startswith(str(path)) and len(str(error).splitlines()) == 1
        return
    loaded = yaml.load(text, Loader=yaml.FullLoader)
    assert isinstance(loaded, dict)
    outcome(loaded)
