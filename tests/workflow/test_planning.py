"""What happens before anything runs is light."""

import importlib.util
import re
import resource
import subprocess
import sys


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
