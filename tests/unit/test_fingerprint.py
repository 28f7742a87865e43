import ast
import hashlib
import importlib.util
import shutil
from pathlib import Path

import pytest

from regatlas import fingerprint

REGULARIZERS = ("none", "dropout", "gaussian", "l2", "weight_norm")
PLAIN = """
import math


def area(radius, scale=1.5):
    text = "kept"
    return math.pi * radius**2 * scale, text


class Shape:
    sides = 4
"""
DRESSED = '''# A comment.
"""A docstring."""
import math  # another



def area(
    radius,
    scale=1.5,
):
    """What it
    returns.
    """

    text = 'kept'   # quotes are layout
    return (math.pi * radius ** 2 * scale, text)
class Shape:

    """Its docstring."""

    sides = 4
    "An attribute's docstring."
'''


@pytest.fixture
def digest(tmp_path):
    """The hash of a source text, always under the same file name and never from the cache."""

    def of(text):
        path = tmp_path / "sample.py"
        path.write_text(text)
        fingerprint.module.cache_clear()
        return fingerprint.code([path])

    return of


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A copy of the library that a test may change; its fingerprints are those of the copy."""
    copy = tmp_path / "regatlas"
    shutil.copytree(fingerprint.PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(fingerprint, "PACKAGE", copy)
    fingerprint.module.cache_clear()
    yield copy
    fingerprint.module.cache_clear()


def run_digests(package):
    """The hash of the code behind a run of each regularizer."""
    fingerprint.module.cache_clear()
    training = package / "training.py"
    return {name: fingerprint.code([training, package / "regularizers" / f"{name}.py"]) for name in REGULARIZERS}


def closure(path):
    """The modules behind a file, by asking for each one's imports."""
    seen, waiting = set(), [path]
    while waiting:
        path = waiting.pop()
        if path not in seen:
            seen.add(path)
            waiting += fingerprint.module(path)[1]
    return {str(path.relative_to(fingerprint.PACKAGE)) for path in seen}


def edit(path, old, new):
    text = path.read_text()
    assert text.count(old) == 1
    path.write_text(text.replace(old, new))


def test_comments_docstrings_blank_lines_and_layout_do_not_count(digest):
    assert digest(DRESSED) == digest(PLAIN)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("1.5", "1.25"),
        ("**2", "**3"),
        ("sides = 4", "sides = 5"),
        ('"kept"', '"changed"'),
        ("class Shape", "class Figure"),
        ("* scale", "+ scale"),
        ("import math", "import cmath as math"),
        ("sides = 4", "sides = 4.0"),
    ],
)
def test_whatever_may_change_a_number_counts(digest, old, new):
    assert PLAIN.count(old) == 1
    assert digest(PLAIN.replace(old, new)) != digest(PLAIN)


def test_a_text_that_is_used_is_no_docstring(digest):
    assert digest('def f():\n    return "a"\n') != digest('def f():\n    return "b"\n')
    assert digest('x = ["a"]') != digest('x = ["b"]')


def test_a_text_is_shown_only_if_a_class_declares_it(digest):
    assert digest('class A:\n    title = "One"\n') == digest('class A:\n    title = "Two"\n')
    assert digest('def draw():\n    title = "One"\n') != digest('def draw():\n    title = "Two"\n')


def test_a_function_of_nothing_but_a_docstring_is_hashed(digest):
    assert digest('def f():\n    """Text."""\n') == digest("def f():\n    pass\n")


def test_the_modules_behind_training_are_these_and_no_more():
    # A module added here throws away every run that users have stored. Think before changing this list.
    assert closure(fingerprint.PACKAGE / "training.py") == {
        "training.py",
        "combination.py",
        "course.py",
        "losses.py",
        "networks.py",
        "optimizers.py",
        "randomness.py",
        "streams.py",
        "regularizers/base.py",
    }


# modules for several regularizers, which count for them alone
SHARED = {"weight_norm": {"sums.py"}, "gaussian": {"windows.py"}}


@pytest.mark.parametrize("name", REGULARIZERS)
def test_a_regularizer_adds_its_own_module_alone(name):
    own = closure(fingerprint.PACKAGE / "regularizers" / f"{name}.py")
    extra = own - closure(fingerprint.PACKAGE / "training.py")
    assert extra == {f"regularizers/{name}.py"} | SHARED.get(name, set())


def test_the_package_files_that_python_runs_on_the_way_hold_no_code():
    for path in (fingerprint.PACKAGE / "__init__.py", fingerprint.PACKAGE / "regularizers" / "__init__.py"):
        body = ast.parse(path.read_text()).body
        assert all(fingerprint._is_text(statement) for statement in body), path


def test_a_copy_elsewhere_has_the_same_digests(package):
    here = run_digests(package)
    assert here == run_digests(package)
    assert len(set(here.values())) == len(REGULARIZERS)


def test_the_place_of_the_library_does_not_count(package, monkeypatch):
    copied = run_digests(package)
    monkeypatch.undo()
    assert run_digests(fingerprint.PACKAGE) == copied


def test_a_change_of_one_regularizer_leaves_the_others_alone(package):
    before = run_digests(package)
    edit(package / "regularizers" / "l2.py", "Setting(0.01,", "Setting(0.02,")
    after = run_digests(package)
    assert {name for name in REGULARIZERS if before[name] != after[name]} == {"l2"}


def test_a_comment_in_a_regularizer_changes_nothing(package):
    before = run_digests(package)
    edit(package / "regularizers" / "l2.py", "class L2", "# a remark\nclass L2")
    assert run_digests(package) == before


@pytest.mark.parametrize(
    ("module", "old", "new"),
    [
        ("training.py", "loss + penalty", "loss - penalty"),
        ("optimizers.py", "BETA_2, EPSILON = 0.9, 0.999", "BETA_2, EPSILON = 0.9, 0.99"),
        ("streams.py", "np.abs(values) > 2)", "np.abs(values) > 3)"),
        ("randomness.py", "is_integer() else 16", "is_integer() else 32"),
        ("networks.py", "tf.nn.relu(", "tf.nn.elu("),
    ],
)
def test_a_change_behind_training_changes_every_run(package, module, old, new):
    before = run_digests(package)
    edit(package / module, old, new)
    after = run_digests(package)
    assert all(before[name] != after[name] for name in REGULARIZERS)


def test_a_change_elsewhere_in_the_library_changes_no_run(package):
    before = run_digests(package)
    for path in package.rglob("*.py"):
        relative = str(path.relative_to(package))
        counted = closure(package / "training.py").union(*SHARED.values())
        if relative not in counted and not relative.startswith("regularizers/"):
            path.write_text(path.read_text() + "\nADDED = 1\n")
    assert run_digests(package) == before


def test_a_module_imported_by_an_imported_module_counts(package):
    (package / "helper.py").write_text("NUMBER = 1\n")
    (package / "part.py").write_text("from regatlas.helper import NUMBER\n")
    program = package.parent / "program.py"
    program.write_text("import regatlas.part\nimport json\n")

    def digest():
        fingerprint.module.cache_clear()
        return fingerprint.code([program])

    before = digest()
    assert digest() == before
    (package / "helper.py").write_text("NUMBER = 2\n")
    assert digest() != before


@pytest.mark.parametrize(
    "statement",
    [
        "import regatlas.losses",
        "from regatlas import losses",
        "from regatlas.losses import LOSSES",
        "import regatlas.losses as x",
    ],
)
def test_every_way_to_import_a_module_of_the_library_is_followed(tmp_path, statement):
    path = tmp_path / "program.py"
    path.write_text(f"def late():\n    {statement}\n")
    fingerprint.module.cache_clear()
    assert fingerprint.module(path)[1] == (fingerprint.PACKAGE / "losses.py",)


def test_the_order_of_the_files_does_not_count():
    paths = [fingerprint.PACKAGE / "streams.py", fingerprint.PACKAGE / "files.py"]
    assert fingerprint.code(paths) == fingerprint.code(paths[::-1]) == fingerprint.code(paths + paths[:1])


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {"a": [-float("inf")]}])
def test_canonical_refuses_what_json_has_no_word_for(value):
    with pytest.raises(ValueError, match="not JSON compliant"):
        fingerprint.canonical(value)


def test_canonical_is_blind_to_key_order_and_spelling_of_numbers():
    assert fingerprint.canonical({"b": 0.01, "a": [1, None, True]}) == '{"a":[1,null,true],"b":0.01}'
    assert fingerprint.of({"a": {"c": 1, "b": 2}, "d": 3}) == fingerprint.of({"d": 3, "a": {"b": 2, "c": 1}})
    assert fingerprint.of({"x": 0.01}) == fingerprint.of({"x": 1e-2}) == fingerprint.of({"x": 10e-3})


@pytest.mark.parametrize(
    "other", [{"x": 0.010000001}, {"y": 0.01}, {"x": "0.01"}, {"x": [0.01]}, {"x": 0.01, "y": None}]
)
def test_other_values_have_other_hashes(other):
    assert fingerprint.of(other) != fingerprint.of({"x": 0.01})


def test_a_hash_is_sixteen_hex_digits_of_the_canonical_text():
    assert fingerprint.of({"a": 1}) == hashlib.sha256(b'{"a":1}').hexdigest()[:16]


def test_content_follows_every_byte_and_the_name(tmp_path):
    first, second = tmp_path / "a.css", tmp_path / "b.css"
    first.write_bytes(b"p {}")
    second.write_bytes(b"p {}")
    before = fingerprint.content([first, second])
    assert fingerprint.content([second, first]) == before
    assert fingerprint.content([first]) != fingerprint.content([second])
    first.write_bytes(b"p {} ")
    assert fingerprint.content([first, second]) != before


def test_tensorflow_version_is_the_one_that_is_imported():
    found = fingerprint.tensorflow_version()
    folder = Path(importlib.util.find_spec("tensorflow").origin).parent.parent
    assert list(folder.glob(f"tensorflow*-{found}.dist-info"))
