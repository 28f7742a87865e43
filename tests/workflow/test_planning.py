"""What happens before anything runs is light."""

import importlib.util
import os
import re
import resource
import subprocess
import sys

from shrunken import ROOT, two_methods


def test_planning_imports_nothing_heavy(project):
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "snakemake", "-n", "--cores", "1"],
        cwd=project.folder, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    imported = set(re.findall(r"\|\s+([\w.]+)$", done.stderr, re.MULTILINE))
    assert "jsonschema" in imported  # the list was really read
    heavy = {"tensorflow", "pandas", "matplotlib", "seaborn", "scipy"}
    if importlib.util.find_spec("snakemake_executor_plugin_slurm"):
        heavy.remove("pandas")  # the plugin imports it, not the workflow
    assert not imported & heavy


def test_what_every_job_of_a_cluster_reads_again_takes_less_than_a_second(project):
    def processor_seconds(*arguments: str) -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(
            [sys.executable, "-m", "snakemake", "--list-rules", *arguments],
            cwd=project.folder, capture_output=True, check=True, timeout=120,
        )  # fmt: skip
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    (project.folder / "empty.smk").write_text("rule all:\n    input: []\n")
    processor_seconds()  # byte code is written
    alone = min(processor_seconds("--snakefile", "empty.smk") for _ in range(3))
    assert min(processor_seconds() for _ in range(3)) - alone < 1


def test_a_cluster_is_given_trainings_alone():
    """Whatever else there is, rules of figures this study does not draw included, runs where Snakemake does."""
    snakefile, *rules = (
        path.read_text() for path in (ROOT / "workflow/Snakefile", *(ROOT / "workflow/rules").glob("*.smk"))
    )
    local = set(
        re.findall(r"^    (\w+),$", snakefile.partition("\nlocalrules:\n")[2].partition("\n\n")[0], re.MULTILINE)
    )
    defined = set(re.findall(r"^ *rule (\w+):", "\n".join([snakefile, *rules]), re.MULTILINE))
    assert len(defined) > 20 and defined - local == {"train"} and local <= defined


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
