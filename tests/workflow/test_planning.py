"""What happens before anything runs: planning is light, and a wrong config gets one clear message."""

import re
import subprocess
import sys

import pytest


def test_planning_imports_nothing_heavy(project):
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "snakemake", "-n", "--cores", "1"],
        cwd=project.folder, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    imported = set(re.findall(r"\|\s+([\w.]+)$", done.stderr, re.MULTILINE))
    assert "jsonschema" in imported  # the list was really read
    assert not imported & {"tensorflow", "pandas", "matplotlib", "seaborn", "scipy"}


def edited(config, path, value):
    *parents, last = path
    for key in parents:
        config = config[key]
    config[last] = value


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        (["sedes"], [1], "sedes: no such key.*did you mean 'seeds'"),
        (["training", "learning_rate"], "0.1", "training.learning_rate: found '0.1'.*without quotes"),
        (["training", "steps"], -1, "training.steps: found -1, allowed is at least 1"),
        (["training", "loss"], "squared_eror", "training.loss.*did you mean 'squared_error'"),
        (["methods", "l2", "strenght"], 0.1, "methods.l2.strenght.*did you mean 'strength'"),
        (["methods", "l2", "strength"], -0.5, "methods.l2.strength: found -0.5, allowed is a number at least 0"),
        (["methods", "l2", "regularizer"], "L2", "methods.l2.regularizer: no regularizer 'L2'"),
        (["methods", "dropout", "keep_probability"], True, "keep_probability: found True, allowed is a number above 0"),
        (["compare"], ["none", "dropuot"], "compare\\[1\\]: no method 'dropuot'.*did you mean 'dropout'"),
        (["baseline"], "nonne", "baseline: 'nonne' is not among the compared methods"),
        (["seeds"], [1, 1], "seeds: 1 stands there twice"),
        (["seeds"], [], "seeds: found \\[\\]"),
        (["study"], "../elsewhere", "study: found '../elsewhere'"),
        (["dataset"], {"name": "mnits"}, "mnits.*mnist"),
        (["training", "batch_size"], 101, "batch_size 101 is larger than train_size 100"),
        (["training", "learning_rate"], float("nan"), "training.learning_rate: found nan"),
        (["figures", "colors"], {"l2": "blue"}, "figures.colors.l2: found 'blue'.*#0072b2"),
        (["study"], "runs", "study: .runs. is a folder"),
        (["plugins"], ["nowhere.py"], "plugins: nowhere.py: no such file"),
    ],
)
def test_a_wrong_config_is_refused_in_words(project, path, value, expected):
    import copy

    right = copy.deepcopy(project.config)
    try:
        edited(project.config, path, value)
        project.save()
        done = project.snakemake("-n")
    finally:
        project.config = right
        project.save()
    assert done.returncode != 0
    assert re.search(expected, done.stdout.replace("\n", " ")), done.stdout
    assert "Traceback" not in done.stdout
    assert not (project.folder / "results").exists()
