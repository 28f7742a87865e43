"""The Slurm of one node and a study, run locally, that every cluster must repeat."""

import contextlib
import os
import shutil
import subprocess
from pathlib import Path

import psutil
import pytest

from tests.cluster.onenode import OneNode
from tests.workflow.shrunken import Project, two_methods

NEEDED = ("slurmctld", "slurmd", "sbatch", "srun", "squeue", "munged")
# Two seeds of it beside each other fit into the memory of a group of five, one alone does not fit into its own.
HUNGRY = '''"""Nothing, with more memory than a run may use at first."""

from regatlas.regularizers.base import Regularizer

HELD = []


class Hungry(Regularizer):
    title = "Hungry"

    def variables(self, *arguments):
        HELD.append(b"x" * 1_300_000_000)
        return super().variables(*arguments)
'''


@pytest.fixture(autouse=True)
def nothing_left_running(tmp_path):
    """What a test has begun ends with it, also if it fails."""
    yield
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if Path(process.cwd()).is_relative_to(tmp_path):
                process.kill()


@pytest.fixture(scope="session")
def slurm(tmp_path_factory) -> OneNode:
    """A running Slurm, which ends with the session."""
    if not os.environ.get("REGATLAS_TEST_CLUSTER"):
        pytest.skip("needs root and Slurm's packages: `make test-cluster` asks for it")
    missing = [program for program in NEEDED if shutil.which(program) is None]
    assert not missing, f"not installed: {', '.join(missing)} (Debian's packages slurm-wlm and munge)"
    node = OneNode(tmp_path_factory.mktemp("slurm"))
    try:
        try:
            node.start()
        except (AssertionError, OSError, subprocess.SubprocessError) as error:
            if os.environ["REGATLAS_TEST_CLUSTER"] != "if-possible":
                raise
            pytest.skip(f"Slurm's daemons do not start on this machine: {error}")
        yield node
    finally:
        node.stop()


@pytest.fixture(scope="session")
def local(slurm, tmp_path_factory) -> Project:
    """The study, run without a cluster. Read it, never change it."""
    project = study(tmp_path_factory.mktemp("local") / "project")
    done = project.snakemake(*project.table_targets())
    assert done.returncode == 0, done.stdout
    return project


def study(folder: Path) -> Project:
    """Three methods with two seeds, nothing run yet; one method needs much memory."""
    project = two_methods(folder)
    (folder / "hungry.py").write_text(HUNGRY)
    project.config["plugins"] = ["hungry.py"]
    project.config["methods"]["hungry"] = {"regularizer": "hungry", "label": "Hungry"}
    project.config["compare"] = ["none", "dropout", "hungry"]
    project.config["training"]["steps"] = 100_000  # time enough to hit a training between two checkpoints
    project.save()
    return project
