"""What a user may get wrong, run by the real Snakemake: each mistake costs one clear message and no results."""

import contextlib
import copy
import datetime
import hashlib
import re
import shutil

import numpy as np
import pytest


@contextlib.contextmanager
def unchanged(project):
    """Results that are there stay as they are, and the project is right again afterwards."""
    config, files = copy.deepcopy(project.config), contents(project.folder)
    kept = project.folder / "results" / "post" / "report.html"
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_text("an earlier report")
    before = contents(project.folder / "results")
    try:
        yield
        assert contents(project.folder / "results") == before
    finally:
        project.config = config
        for path in contents(project.folder).keys() - files.keys():
            path.unlink()
        for path, content in files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)


def contents(folder):
    apart = (".snakemake", ".lock")  # Snakemake's notes; the lock of a run that got as far as its first job
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file() and not {*path.parts} & {*apart}}


def refused(done, expected, lines=12):
    """The message of a failed call: what is expected is in it, and it is short."""
    assert done.returncode != 0
    assert "Traceback (most" not in done.stdout
    assert len(done.stdout.splitlines()) <= lines, done.stdout
    assert re.search(expected, done.stdout.replace("\n", " ")), done.stdout


def case(where, value, expected):
    return pytest.param(where.split("."), value, expected, id=f"{where}={value!r}"[:60])


DIGEST = "ab" * 32
VALUES = [
    # keys that do not exist
    case("sedes", [1], "sedes: no such key.*did you mean 'seeds'.*known are: study, dataset"),
    case("training.stpes", 10, "training.stpes: no such key.*did you mean 'steps'"),
    case("report.titel", "x", "report.titel: no such key.*did you mean 'title'"),
    case("methods.l2.strenght", 0.1, "methods.l2.strenght: .*its settings are: strength.*did you mean 'strength'"),
    case("methods.l2.labl", "x", "methods.l2.labl: .*did you mean 'label'"),
    case("methods.l2.published.test_acuracy", 0.9, "methods.l2.published.test_acuracy.*did you mean 'test_accuracy'"),
    case("dataset.train_image", "x.npy", "dataset.train_image: .*did you mean 'train_images'"),
    case("dataset.test_labels", {"path": "x", "sha": DIGEST}, "dataset.test_labels.sha: .*did you mean 'sha256'"),
    # keys at the wrong level
    case("methods.l2.learning_rate", 0.1, r"methods.l2.learning_rate: .*\(it belongs in methods.l2.training\)"),
    case("methods.l2.hidden", [5], r"methods.l2.hidden: .*\(it belongs in methods.l2.network\)"),
    case("methods.l2.tensorboard", True, r"methods.l2.tensorboard: .*\(it belongs in training\)"),
    case("methods.l2.training", {"label": "x"}, r"methods.l2.training.label: .*\(it belongs in methods.l2\)"),
    case("steps", 10, r"steps: no such key \(it belongs in training\); known are: study"),
    case("title", "x", r"title: no such key \(it belongs in report\)"),
    case("training.seeds", [1], r"training.seeds: no such key \(it belongs at the top level\)"),
    case("seed", [1], r"seed: no such key \(did you mean 'seeds'"),
    # names that do not exist
    case("dataset", {"name": "mnits"}, "dataset.name: 'mnits' .*did you mean 'mnist'.*fashion_mnist"),
    case("training.loss", "squared_eror", "training.loss: .*'cross_entropy'.*did you mean 'squared_error'"),
    case("methods.l2.regularizer", "L2", "methods.l2.regularizer: no regularizer 'L2'; known are.*mean 'l2'"),
    case("methods.l2.regularizer", ["l2", "droput"], "methods.l2.regularizer: .*'droput'; known .*mean 'dropout'"),
    case("compare", ["none", "dropuot"], r"compare\[1\]: no method 'dropuot'.*did you mean 'dropout'"),
    case("baseline", "adaptive_weight_noise", "baseline: 'adaptive_weight_noise' is not among the compared methods"),
    case("methods.l2.baseline", "nnoe", "methods.l2.baseline: 'nnoe' is not among .*did you mean 'none'"),
    case("methods.l2.network", {"hiden": [5]}, "methods.l2.network.hiden: no such key.*did you mean 'hidden'"),
    case("figures.colors", {"dropot": "#000000"}, "figures.colors.dropot: .*did you mean 'dropout'"),
    case("plugins", ["nowhere.py"], "plugins: nowhere.py: no such file"),
    case("plugins", ["-out/mine.py"], "plugins: -out/mine.py: a path may not start with '-'"),
    case("plugins", ["config/config.yaml"], "plugins: config/config.yaml: expected a Python file"),
    case("dataset.train_images", "nowhere.npy", "dataset.train_images.path: nowhere.npy: No such file"),
    case("dataset.train_images", "/dev/zero", "dataset.train_images.path: /dev/zero: not a file"),
    # wrong types
    case("study", datetime.date(2026, 1, 1), "study: found datetime.date.*, allowed is text"),
    case("dataset", "mnist", "dataset: found 'mnist', allowed is a mapping"),
    case("dataset.class_names", [0, 1], r"dataset.class_names: found \[0, 1\].*quote numbers"),
    case("dataset.test_images", 3, "dataset.test_images: found 3, allowed is a path"),
    case("training", None, "training: found None, allowed is a mapping"),
    case("training.learning_rate", "0.1", "training.learning_rate: found '0.1', allowed is a number.*without quotes"),
    case("network.hidden", 100, "network.hidden: found 100, allowed is a list"),
    case("seeds", 5, "seeds: found 5, allowed is a list"),
    case("seeds", [0, True], r"seeds\[1\]: found True, allowed is a whole number"),
    case("methods.dropout.keep_probability", True, "keep_probability: found True, allowed is a number at least 0"),
    case("compare", "l2", "compare: found 'l2', allowed is a list"),
    case("figures.colors", {"l2": "blue"}, "figures.colors.l2: found 'blue'.*#0072b2"),
    # out of range, and nothing at all
    case("training.steps", -1, "training.steps: found -1, allowed is at least 1"),
    case("training.steps", 10**30, "training.steps: found a whole number beyond"),
    case("training", {"steps": 10**9, "evaluate_every": 1, "train_size": 99}, "training: evaluate_every 1 makes 1,00"),
    case("methods.l2.training", {"steps": 10**9}, "methods.l2.training: .*write evaluate_every: 10000 or more"),
    case("training.learning_rate", float("nan"), "training.learning_rate: found nan, allowed is a finite number"),
    case("methods.l2.strength", float("inf"), "methods.l2.strength: found inf, allowed is a finite number"),
    case("training.momentum", 1, "training.momentum: found 1.0, allowed is below 1"),
    case("training.batch_size", 101, "training: batch_size 101 is larger than train_size 100"),
    case("training.train_size", 101, "training: train_size 101 is .* has 100 .* 20 .*: write train_size: 100"),
    case("training", {"steps": 25}, "training: train_size 55000 is larger than the training set"),
    case("dataset.validation_size", 120, "dataset.validation_size: 120 leaves nothing to train on, .* 120 training"),
    case("dataset", {"name": "mnist", "validation_size": 59_901}, "training: train_size 100 is larger.* has 99 images"),
    case("dataset.validation_size", 0, "dataset.validation_size: found 0, allowed is .*at least 1"),
    case("network.hidden", [9] * 9, "network.hidden: found .*, allowed are at most 8 items"),
    case("seeds", [10**12], r"seeds\[0\]: found 1000000000000, allowed is at most 2147483647"),
    case("seeds", list(range(10_001)), "seeds: found .*, allowed are at most 10000 items"),
    case("seeds", [], r"seeds: found \[\], allowed are at least 1 items"),
    case("methods.l2.published.weight_min", 0.2, "l2.published: weight_min 0.2 is larger than weight_max 0.094"),
    case("methods.l2.published.test_accuracy", 93.2, "test_accuracy: found 93.2, allowed is at most 1"),
    case("methods.l2", {"strength": 0.1}, "methods.l2: lacks 'regularizer'"),
    case("dataset.test_labels", {"url": "https://example.org/x"}, "dataset.test_labels.sha256: missing"),
    # twice
    case("seeds", [1, 1], "seeds: 1 stands there twice"),
    case("dataset.class_names", ["a", "a"], "dataset.class_names: 'a' stands there twice"),
    # what does not go together
    case("methods.l2.label", "Dropout", "methods.l2.label: 'Dropout' is the name of methods.dropout, too"),
    case("methods.l2.label", "none", "methods.l2.label: 'none' is the name of methods.none, too"),
    case("methods.none.baseline", "l2", "methods.none.baseline: found 'l2', but 'none' is the study's baseline"),
    case("methods.dropout.regularizer", ["dropout", "l2"], "methods.dropout.active_at_test: found True, .*dropout, l2"),
    case("methods.l2", {"regularizer": "batch_norm", "network": {"hidden": [4]}, "training": {"batch_size": 1}},
         "methods.l2: found batch_size 1; batch_norm needs 2 or more"),
    # grids
    case("methods.l2.training", {"epochs": 1, "steps": [5, 6]}, "methods.l2.training.steps: epochs beside them count"),
    case("methods.l2.strength", [0.1, 0.01], "methods.none: it has 1 point and methods.l2 has 2.*unequal: true"),
    case("methods.l2.strength", [0.1, -1], r"methods.l2.strength\[1\]: found -1.0, allowed is a number at least 0"),
    # names that become paths
    *[
        case("study", name, f"study: found {name!r}, allowed are at most 64 letters")
        for name in ("../elsewhere", "a b", "..", "<b>x</b>", "x" * 65)
    ],
    case("study", "_x", "study: found '_x', allowed .*the first is a letter or a digit"),
    case("study", "Logs", "study: 'Logs' is the workflow's own"),
    case("study", "README.md", "study: 'README.md' is the workflow's own"),
    case("methods.a/b", {"regularizer": "l2"}, "methods: found 'a/b', allowed are at most 64 letters"),
    case("dataset.name", "../x", "dataset.name: found '../x'"),
    # texts that no page can show
    case("methods.none.label", " ", "methods.none.label: found ' ', allowed is text with more than spaces"),
    case("report.title", " ", "report.title: found ' ', allowed is text with more than spaces"),
    case("dataset.title", " ", "dataset.title: found ' ', allowed is text with more than spaces"),
    case("dataset.class_names", ["a", " "], r"dataset.class_names: found \['a', ' '\], allowed are texts with more"),
    case("report.title", "two\nlines", "report.title: found 'two.nlines'; allowed is text on one line"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "value", "expected"), VALUES)
def test_a_wrong_value(project, path, value, expected):
    with unchanged(project):
        part = project.config
        for key in path[:-1]:
            part = part[key]
        part[path[-1]] = value
        project.save()
        refused(project.snakemake(), f"The config is not valid.*{expected}")


def test_many_mistakes_are_one_short_message(project):
    with unchanged(project):
        for number in range(50):
            project.config[f"key{number}"] = project.config["methods"][f"m{number}"] = number
        project.save()
        refused(project.snakemake(), "key0: no such key.*and 45 more.*... and 46 more")


LAUGHS = ["a0: &a0 [l, l]"] + [f"a{n}: &a{n} [{', '.join(10 * [f'*a{n - 1}'])}]" for n in range(1, 10)]
MERGES = ["a0: &a0 {x: 1, y: 2}"] + [f"a{n}: &a{n} {{<<: [{', '.join(10 * [f'*a{n - 1}'])}]}}" for n in range(1, 10)]
ADDED = {
    "a syntax error": ("figures2: [1, 2", "line {next}: not valid YAML"),
    "a tab": ("figures2:\n\tdpi: 3", "line {next}: not valid YAML: .*indent with spaces, not tabs"),
    "a key twice": ("study: other", "line {line}: the key 'study' stands there again, after line 1"),
    "a tag that runs code": (
        "x: !!python/object/apply:os.system ['touch pwned']",
        "the tag !!python/object/apply:os.s",
    ),
    "no such day": ("x: 2026-99-99", "line {line}: '2026-99-99' is not a valid timestamp; put text in quotes"),
    "an alias that holds itself": ("x: &a {b: *a}", "more than 20 levels"),
    "aliases that multiply": ("\n".join(LAUGHS), "more than 100,000 values"),
    "mappings that multiply": ("\n".join(MERGES), "more than 100,000 values"),
    "a template that runs code": ("__use_yte__: true\nx: ?open('pwned', 'w')", "__use_yte__: not allowed"),
    "paths of Snakemake's own": ("pathvars: 3", "pathvars: not allowed"),
    "not UTF-8": ("x: caf\xe9", "line {line}: not UTF-8"),
}
WHOLE = {
    "a list": (b"- study", "found a list, allowed is a mapping"),
    "text": (b"study", "found 'study', allowed is a mapping"),
    "nothing": (b"# only a comment\n", "found nothing, allowed is a mapping"),
    "JSON with a key twice": (b'{"study": "a", "study": "b"}', "the key 'study' stands twice"),
}


@pytest.mark.parametrize("name", ADDED)
def test_a_wrong_config_file(project, name):
    added, expected = ADDED[name]
    path = project.folder / "config" / "config.yaml"
    line = path.read_text().count("\n") + 1
    with unchanged(project):
        path.write_bytes(path.read_bytes() + f"{added}\n".encode("latin-1"))
        refused(project.snakemake(), "config/config.yaml.*" + expected.format(line=line, next=line + 1))
        assert not (project.folder / "pwned").exists()


@pytest.mark.parametrize("name", WHOLE)
def test_a_config_file_that_is_no_config(project, name):
    content, expected = WHOLE[name]
    with unchanged(project):
        (project.folder / "config" / "config.yaml").write_bytes(content)
        refused(project.snakemake(), f"config/config.yaml.*{expected}")


def test_no_config_file(project):
    with unchanged(project):
        (project.folder / "config" / "config.yaml").unlink()
        refused(project.snakemake(), "config/config.yaml.*not present or accessible")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--config", "stduy=x"], "stduy: no such key.*did you mean 'study'"),
        (["--config", "study=../x"], "study: found '../x'"),
        (["--config", "study="], "study: found None, allowed is text"),
        (["--config", "seeds=[]"], r"seeds: found \[\]"),
        (["--config", "seeds=[1, 2]"], r"seeds\[0\]: found '1'.*not inside --config"),
        (["--config", "training={steps: 5}"], "training.steps: found '5'.*not inside --config"),
        (["--config", "compare=none"], "compare: found 'none', allowed is a list"),
        (["--configfile", "wrong.yaml"], "sedes: no such key.*did you mean 'seeds'"),
        (["--configfile", "twice.yaml"], "twice.yaml, line 2: the key 'study' stands there again"),
        (["--configfile", "many.yaml"], "many.yaml: more than 100,000 values"),
        # Snakemake reads these files before this workflow has a say; the words are its own
        (["--configfile", "syntax.yaml"], "Config file is not valid JSON or YAML"),
        (["--configfile", "list.yaml"], "Config file must be given as JSON or YAML with keys at top level"),
        (["--cores", "many"], "must be integer or 'all'"),
        (["--cores", "0"], "--cores: found 0, allowed is 1 or more, or all"),
        (["--cores=-1"], "--cores: found -1, allowed is 1 or more, or all"),
        (["--cores", "0", "-n"], "--cores: found 0, allowed is 1 or more, or all"),
    ],
)
def test_a_wrong_command_line(project, arguments, expected):
    with unchanged(project):
        write_config_files(project.folder)
        refused(project.snakemake(*arguments), expected)


@pytest.mark.parametrize("arguments", [[], ["-n"]])
@pytest.mark.parametrize(
    ("name", "link", "expected"),
    [
        ("runs", None, "results/runs: found a file, allowed is a folder; move the file away"),
        ("logs", "gone", "results/logs: found a link to gone, which is not there; allowed is a folder"),
        (
            "data/small_digits",
            "small_digits",
            "results/data/small_digits: found a link to small_digits, which leads now",
        ),
        ("", "gone", "results: found a link to gone, which is not there"),
        ("", "", "results: found a file"),
    ],
)
def test_something_else_where_results_go(project, name, link, expected, arguments):
    with unchanged_study(project):
        path = project.folder / "results" / name
        kept = path.rename(project.folder / "kept") if path.exists() else None
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(link) if link else path.write_text("")
        refused(project.snakemake(*arguments), expected)
        path.unlink()
        if kept:
            kept.rename(path)


def write_config_files(folder):
    many = [*LAUGHS, "compare: *a9"]
    for name, text in {
        "wrong": "sedes: [1]", "twice": "study: a\nstudy: b", "syntax": "study: [", "list": "- study",
        "loop": "x: &a {b: *a}", "many": "\n".join(many),
    }.items():  # fmt: skip
        (folder / f"{name}.yaml").write_text(f"{text}\n")
    (folder / "latin.yaml").write_bytes(b"study: caf\xe9\n")


@pytest.mark.parametrize(
    ("arguments", "last"),
    [
        (["--configfile", "nowhere.yaml"], "No such file or directory: 'nowhere.yaml'"),
        (["--configfile", "latin.yaml"], "'utf-8' codec can't decode byte 0xe9"),
        (["--configfile", "loop.yaml"], "maximum recursion depth exceeded"),
        (["--config", "study"], "Config entries have to be defined as name=value pairs.*'study'"),
    ],
)
def test_what_snakemake_answers_with_a_traceback_before_it_reads_this_workflow(project, arguments, last):
    """Nothing of this workflow runs yet, so all that holds here: it stops, and the end says why."""
    with unchanged(project):
        write_config_files(project.folder)
        done = project.snakemake(*arguments)
        assert done.returncode != 0 and re.search(last, done.stdout.rstrip().splitlines()[-1])


PLUGIN = "from regatlas.regularizers.base import Regularizer, Setting\nclass Mine(Regularizer):\n    "


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("mine.py", "class Mine(", "mine.py, line 1: not valid Python"),
        ("mine.py", f"{PLUGIN}title = input()", "mine.py, line 3: a declaration must be a literal"),
        ("mine.py", f"{PLUGIN}title = 'x'; a = Setting(1, low='0')", "mine.py, line 3: a must be Setting"),
        (
            "mine.py",
            f"{PLUGIN}title = 'x'",
            "mine.py, line 2: class Mine has no hook, so it would do nothing; hooks are",
        ),
        ("my-own.py", "", "plugins: my-own.py: expected a Python file named like its regularizer"),
    ],
)
def test_a_wrong_plugin(project, name, text, expected):
    with unchanged(project):
        (project.folder / name).write_text(text)
        project.config["plugins"] = [name]
        project.config["methods"]["mine"] = {"regularizer": name.removesuffix(".py")}
        project.save()
        refused(project.snakemake(), expected)


def test_a_plugin_whose_operations_cannot_be_compiled(project):
    with unchanged_study(project):
        hook = "def penalty(self, v, p, l): return tf.strings.to_number(tf.strings.as_string(l[0, 0]))"
        (project.folder / "mine.py").write_text(f"import tensorflow as tf\n{PLUGIN}title = 'x'\n    {hook}\n")
        project.config["methods"] = {"mine": {"regularizer": "mine"}}
        project.config |= {"plugins": ["mine.py"], "compare": ["mine"], "baseline": "mine", "seeds": [0]}
        project.save()
        refused_by_a_job(project.snakemake(), "mine.py, line 5: XLA, which compiles the training, has no .*AsString")


ONES = np.ones(120, np.uint8)


@pytest.mark.parametrize(
    ("role", "content", "expected"),
    [
        ("train_images", b"", "train_images: train_images.npy: 0 bytes found, an IDX file of images has a header"),
        ("train_images", b"GIF89a" * 9, "train_images.npy: magic number 0x47494638 found, .*allowed are IDX, .npy"),
        ("train_images", np.zeros((120, 36), np.uint8), r"train_images.npy: an array of shape \[120, 36\] found"),
        ("test_images", np.zeros((60, 6, 5), np.uint8), "dataset.train_images and dataset.test_images.*6 x 6.*6 x 5"),
        (
            "train_labels",
            np.ones(121, int),
            "dataset.train_labels do not go together: 120 train images but 121 train labels",
        ),
        ("train_labels", np.arange(120) // 12, "dataset.train_labels: no training image of class 0: .*shuffle"),
        ("train_labels", ONES.astype(int) - 2, "dataset.train_labels: labels from -1 to 9 found"),
        ("train_labels", ONES * 255, "dataset.train_labels: 256 classes found, allowed are 2 to 255"),
    ],
)
def test_a_wrong_data_file(project, role, content, expected):
    """It can be seen only by reading it, so this costs the first two jobs; their log is on the screen."""
    with unchanged_study(project):
        path = project.folder / f"{role}.npy"
        path.write_bytes(content) if isinstance(content, bytes) else np.save(path, content)
        refused_by_a_job(project.snakemake(PREPARED), expected)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"test_labels": {"path": "nowhere.npy", "sha256": DIGEST}}, "test_labels: nowhere.npy: No such file"),
        ({"test_labels": {"path": "/dev/zero", "sha256": DIGEST}}, "test_labels: /dev/zero: not a file"),
        ({"test_labels": {"path": "test_labels.npy", "sha256": DIGEST}}, "test_labels: .*its SHA-256 is not abababab"),
    ],
)
def test_data_that_the_config_describes_wrongly(project, settings, expected):
    with unchanged_study(project):
        project.config["dataset"] |= settings
        project.save()
        refused_by_a_job(project.snakemake(PREPARED), expected)


@pytest.mark.parametrize("named", ["nowhere", "config/config.yaml", "~nobody-of-this-name"])
def test_an_environment_variable_that_names_no_data(project, named):
    """It is one of several places to look in, so it is told beside the others."""
    with unchanged_study(project):
        project.config["dataset"]["test_labels"] = {"path": "nowhere.npy", "sha256": DIGEST}
        project.save()
        done = project.snakemake(PREPARED, REGATLAS_DATA=named)
        refused_by_a_job(done, f"folder {named}: no such folder.*nowhere.npy: No such file")


def test_more_training_images_than_there_are_in_a_file_that_comes_from_elsewhere(project):
    """Planning knows the number in a file that is here (VALUES); of others the first run does."""
    with unchanged_study(project):
        path = project.folder / "train_labels.npy"
        (project.folder / "train_labels").write_bytes(path.read_bytes())
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        project.config["dataset"]["train_labels"] = {"path": "nowhere.npy", "sha256": digest}
        project.config["training"]["train_size"] = 101
        project.config |= {"compare": ["none"], "seeds": [0]}
        project.save()
        done = project.snakemake(REGATLAS_DATA=str(project.folder))
        refused_by_a_job(done, "training.train_size: found 101, the data set has 100 images")


def test_regularizers_that_train_one_variable_twice(project):
    with unchanged_study(project):
        project.config["network"] = {"hidden": [4]}
        project.config["methods"] = {"none": {"regularizer": ["batch_norm", "layer_norm"]}}
        project.config |= {"compare": ["none"], "seeds": [0]}
        project.save()
        clash = "Batch normalization and Layer normalization cannot act together: both train 'scale_0'"
        refused_by_a_job(project.snakemake(), f"regularizer batch_norm, layer_norm: {clash}")


PREPARED = "results/data/small_digits/prepared.npz"


@contextlib.contextmanager
def unchanged_study(project):
    """As ``unchanged``, but data, what is made of them and logs may come."""
    with unchanged(project):
        yield
        for folder in ("data", "reference", "logs"):
            shutil.rmtree(project.folder / "results" / folder, ignore_errors=True)


def refused_by_a_job(done, expected):
    """The last log on the screen, between rules of =, is one short message."""
    log = re.findall(r"^={60,}\n(.*?)^={60,}$", done.stdout, re.DOTALL | re.MULTILINE)
    assert done.returncode != 0 and "Traceback (most" not in done.stdout
    assert len(log) == 1, done.stdout
    assert len(log[0].splitlines()) <= 15 and re.search(f"error: .*{expected}", log[0].replace("\n", " ")), log[0]
