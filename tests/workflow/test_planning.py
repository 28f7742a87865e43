"""What happens before anything runs is light."""

import os
import re
import subprocess
import sys

from shrunken import two_methods


def test_planning_imports_nothing_heavy(project):
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "snakemake", "-n", "--cores", "1"],
        cwd=project.folder, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    imported = set(re.findall(r"\|\s+([\w.]+)$", done.stderr, re.MULTILINE))
    assert "jsonschema" in imported  # the list was really read
    assert not imported & {"tensorflow", "pandas", "matplotlib", "seaborn", "scipy"}


def test_a_config_that_is_too_long_for_a_command_line_is_no_problem(tmp_path):
    """Linux takes 128 KiB in one argument; the report is given the whole config."""
    project = two_methods(tmp_path / "project")
    project.config["training"] |= {"steps": 20, "evaluate_every": 10}
    project.config["seeds"] = [0]
    for number in range(1200):
        project.config["methods"][f"l2_{number}"] = {"regularizer": "l2", "label": f"It's number {number} " + "x" * 80}
    project.save()
    assert len((project.folder / "config/config.yaml").read_text()) > 150_000
    planned = project.snakemake("-n")
    assert planned.returncode == 0, planned.stdout
    assert not list(project.folder.glob("results/*/logs/spec-*"))  # a plan writes nothing
    done = project.snakemake()
    assert done.returncode == 0, done.stdout[-3000:]
    assert "l2_1199" in project.result("config.yaml").read_text()
    assert len(list(project.result("logs").glob("spec-*.json"))) == 1
    assert "Nothing to be done" in project.snakemake().stdout


def test_planning_one_run_reads_no_other(finished):
    """On a cluster every job plans its own run; were each to read all runs, the work would grow with their square."""
    one, *others = finished.runs()
    other = next(run for run in others if run.parent != one.parent)
    finished.result("runs.csv").unlink()  # so that every run counts as not yet read
    one.unlink()
    other.unlink()
    os.mkfifo(other)  # who reads it waits for ever
    planned = finished.snakemake("-n", str(one.relative_to(finished.folder)))
    assert planned.returncode == 0 and "To train" in planned.stdout, planned.stdout
    other.unlink()
    other.write_bytes(b"cut short")
    assert "damaged: cut short" in finished.snakemake("-n").stdout
