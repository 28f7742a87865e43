"""The profile for other batch systems: its scripts with stand-ins, and a study on a stand-in and on a real Slurm."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cluster import fake_scheduler
from tests.cluster.conftest import study
from tests.workflow.shrunken import ROOT, Call

SCRIPTS = ROOT / "workflow/profiles/cluster-generic"
PROFILE = ["--profile", "workflow/profiles/cluster-generic", "--seconds-between-status-checks", "1"]
ASKED = {
    "pbs": ["select=1:ncpus=2:mem=3000mb", "walltime=1:30:00"],
    "sge": ["smp", "2", "h_vmem=1500M", "h_rt=5400"],
    "lsf": ["2", "span[hosts=1] rusage[mem=3000MB]", "3000MB", "90"],
}


class Scheduler:
    """A stand-in, and the profile's scripts called as Snakemake calls them."""

    def __init__(self, folder: Path, system: str):
        self.folder, self.work = folder / "scheduler", folder / "work with a space"
        self.work.mkdir()
        self.environment = {**os.environ, **fake_scheduler.install(self.folder, system)}

    def call(self, script: str, *arguments: str) -> str:
        return subprocess.run(
            [SCRIPTS / script, *arguments], cwd=self.work, env=self.environment, check=True, timeout=60,
            stdout=subprocess.PIPE, text=True,
        ).stdout.strip()  # fmt: skip

    def submit(self, text: str) -> str:
        jobscript = self.work / "snakejob.train.1.sh"
        jobscript.write_text(text)
        return self.call("submit.sh", "2", "3000", "90", str(jobscript))

    def ends(self, job: str) -> str:
        """What the job ends as."""
        until = time.monotonic() + 30
        while (status := self.call("status.sh", job)) == "running":
            assert time.monotonic() < until
            time.sleep(0.1)
        return status


@pytest.fixture(params=fake_scheduler.COMMANDS)
def scheduler(request, tmp_path) -> Scheduler:
    return Scheduler(tmp_path, request.param)


def test_a_job_asks_for_what_the_rule_says_and_ends_as_its_script_does(scheduler, request):
    job = scheduler.submit("sleep 1\n")
    assert scheduler.call("status.sh", job) == "running"
    arguments = json.loads((scheduler.folder / f"{job}.json").read_text())["arguments"]
    assert set(ASKED[request.node.callspec.params["scheduler"]]) <= set(arguments)
    assert scheduler.ends(job) == "success"
    assert scheduler.ends(scheduler.submit("exit 3\n")) == "failed"


def test_a_cancelled_job_has_failed(scheduler):
    job = scheduler.submit("sleep 60\n")
    scheduler.call("cancel.sh", job)
    assert scheduler.ends(job) == "failed"


def test_a_system_that_does_not_answer_has_not_lost_the_job(tmp_path):
    scheduler = Scheduler(tmp_path, "pbs")
    job = scheduler.submit("sleep 60\n")
    query = scheduler.folder / "bin/qstat"
    answers = query.read_text()
    query.write_text("#!/bin/sh\necho 'qstat: cannot connect to server (errno=111)' >&2\nexit 1\n")
    assert scheduler.call("status.sh", job) == "running"
    query.write_text(answers)
    scheduler.call("cancel.sh", job)


def test_where_slurm_cannot_be_installed_it_is_said_what_is_missing(tmp_path):
    (tmp_path / "id").symlink_to(shutil.which("id"))
    done = subprocess.run(
        ["/bin/sh", ROOT / "tests/cluster/install.sh"], env={"PATH": str(tmp_path)}, capture_output=True, text=True
    )
    assert done.returncode == 1
    said, how = done.stderr.splitlines()
    assert re.search(r"need these programs, which are not installed:.* sbatch srun squeue\b", said)
    assert "As root on Debian" in how


def test_without_a_batch_system_the_message_says_so(tmp_path):
    (tmp_path / "dirname").symlink_to(shutil.which("dirname"))
    done = subprocess.run(
        ["/bin/sh", SCRIPTS / "submit.sh", "1", "1", "1", "job"], cwd=tmp_path, env={"PATH": str(tmp_path)},
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 1
    assert "none of bsub, qsub and sbatch is on the PATH" in done.stderr


def one_method(folder: Path):
    project = study(folder)
    project.config["compare"] = ["none"]
    project.save()
    return project


def start(project, *arguments: str) -> Call:
    return Call(project, [sys.executable, "-m", "snakemake", *project.table_targets(), *PROFILE, *arguments])


def assert_same_runs(project, local) -> None:
    arrays = project.arrays()
    assert len(arrays) == 2
    assert arrays.items() <= local.arrays().items()


def test_a_study_on_pbs_survives_a_cancelled_job(local, tmp_path, monkeypatch):
    for name, value in fake_scheduler.install(tmp_path / "scheduler", "pbs").items():
        monkeypatch.setenv(name, value)
    project = one_method(tmp_path / "project")
    call = start(project, "--group-components", "trainings=1")
    assert call.wait_for(call.trainings)
    subprocess.run(["qdel", "1.server"], check=True)
    assert call.wait(200) == 0, call.output
    asked = [json.loads(path.read_text())["arguments"] for path in (tmp_path / "scheduler").glob("*.json")]
    first, again = (
        ["select=1:ncpus=1:mem=1500mb", "walltime=1:0:00"],
        ["select=1:ncpus=1:mem=3000mb", "walltime=2:0:00"],
    )
    assert sorted(sum(part in arguments for part in again) for arguments in asked) == [0, 0, 2]
    assert sorted(sum(part in arguments for part in first) for arguments in asked) == [0, 2, 2]
    assert_same_runs(project, local)


def test_a_study_on_slurm_without_its_plugin(slurm, local, tmp_path, monkeypatch):
    monkeypatch.setenv("CLUSTER_OPTIONS", "--partition=main --comment=mine")
    project = one_method(tmp_path / "project")
    call = start(project)
    assert call.wait(200) == 0, call.output
    assert list(slurm.submitted_for(project.folder).values()) == ["COMPLETED"]  # two runs in a group
    assert_same_runs(project, local)
