"""The study on a real Slurm, through the profile as it is: the bytes of a local run, whatever happens to the jobs."""

import contextlib
import os
import re
import signal
import sys
from pathlib import Path

import psutil
import pytest

from regatlas import locks, runs
from tests.cluster.conftest import study
from tests.cluster.onenode import ask, wait_until
from tests.workflow.shrunken import Call

PROFILE = ["--profile", "workflow/profiles/slurm", "--slurm-init-seconds-before-status-checks", "3"]


def start(project, *arguments: str) -> Call:
    """Call Snakemake for the tables through the profile and do not wait for it."""
    return Call(project, [sys.executable, "-m", "snakemake", *project.table_targets(), *PROFILE, *arguments])


def assert_same_results(project, local) -> None:
    assert project.arrays() == local.arrays()
    assert project.tables() == local.tables()
    project.assert_whole()
    assert not list((project.folder / "results/runs").rglob(".*"))  # no lock, checkpoint or part is left


def training_logs(project) -> dict[str, str]:
    """Log file -> its text."""
    return {str(path): path.read_text() for path in (project.folder / "results/logs/train").rglob("*.log")}


@pytest.fixture(scope="module")
def cache(tmp_path_factory) -> Path:
    """A folder that workflows share."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def grouped(slurm, local, cache, tmp_path_factory):
    """The whole study, report included, run through the profile with the shared cache. Copy it, never change it."""
    project = study(tmp_path_factory.mktemp("grouped") / "project")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SNAKEMAKE_OUTPUT_CACHE", str(cache))
        call = Call(project, [sys.executable, "-m", "snakemake", *PROFILE, "--cache", "train"])
        assert call.wait_for(call.trainings)
        holder = locks.holder(project.folder / "results/.lock")
        assert call.wait(400) == 0, call.output
    assert holder and holder.startswith(f"process {call.process.pid} on ")  # and no job on the node took it
    return project, call


def test_a_study_ends_with_the_bytes_of_a_local_run(slurm, local, grouped):
    project, call = grouped
    assert_same_results(project, local)
    assert project.result("report.html").exists()
    assert "Traceback" not in call.output
    # the default profile holds too, since Snakemake reads both
    assert re.search(r"workflow[/ ]specific profile .*workflow/profiles/default", call.output)


def test_several_runs_make_a_job_and_cheap_rules_none(slurm, grouped):
    project, call = grouped
    jobs = slurm.submitted_for(project.folder)
    # six runs, five in a group; a hungry one that is left alone needs a second attempt
    assert list(jobs.values()).count("COMPLETED") == 2
    (group,) = [asked for asked in (ask("scontrol", "show", "job", job) for job in jobs) if "NumCPUs=5" in asked]
    assert "mem=7500M" in group and "TimeLimit=01:00:00" in group
    assert not re.findall(r"^ *rule (?!train)\w+:", call.output, re.MULTILINE)


def test_the_shared_cache_spares_the_training(slurm, local, grouped, cache, tmp_path, monkeypatch):
    monkeypatch.setenv("SNAKEMAKE_OUTPUT_CACHE", str(cache))
    assert all(path.is_symlink() for path in grouped[0].runs())
    project = study(tmp_path / "project")
    call = start(project, "--cache", "train")
    assert call.wait(200) == 0, call.output
    assert set(training_logs(project).values()) == {""}  # nothing was trained
    assert {path.resolve().parent for path in project.runs()} == {cache}
    assert_same_results(project, local)


def test_an_edit_runs_only_its_own_jobs(slurm, grouped, tmp_path):
    project = grouped[0].copy(tmp_path / "project")
    before = {path: path.resolve().stat().st_ino for path in project.runs()}
    project.config["methods"]["dropout"]["keep_probability"] = 0.7
    project.config["training"]["runs_per_process"] = 2  # so that the second run's job waits for the first's, in a group
    project.save()
    call = start(project)
    assert call.wait(200) == 0, call.output
    assert {path: path.resolve().stat().st_ino for path in before} == before
    made = set(project.runs()) - set(before)
    assert sorted((path.parts[-3], path.name) for path in made) == [("dropout", f"seed-{seed}.npz") for seed in (0, 1)]
    assert list(slurm.submitted_for(project.folder).values()) == ["COMPLETED"]
    assert "Nothing to be done" in project.snakemake(*project.table_targets()).stdout  # nor does a local call want more


def test_a_study_survives_what_happens_on_a_cluster(slurm, local, tmp_path):
    project = study(tmp_path / "project")
    call = start(project, "--jobs", "3", "--group-components", "trainings=1")
    stopped, run = stop_a_training(call)
    late = psutil.Process(stopped).environ()["SLURM_JOB_ID"]
    try:
        wait_until(lambda: slurm.jobs("RUNNING").keys() - {late}, 60)  # three are in the queue at once
        ask("scancel", *list(slurm.jobs("RUNNING").keys() - {late})[:1])
        slurm.drain()
        slurm.stop_controller()
        slurm.start_controller()
        wait_until(lambda: slurm.jobs("PENDING"), 60)  # what was cancelled has been submitted again and has to wait
        assert slurm.state() == "draining"
        ask("scontrol", "update", f"JobId={late}", "EndTime=now+1")
        wait_until(lambda: slurm.jobs()[late] == "TIMEOUT", 90)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(stopped, signal.SIGCONT)
    slurm.resume()
    assert call.wait(400) == 0, call.output
    states = list(slurm.submitted_for(project.folder).values())
    assert states.count("CANCELLED") == states.count("TIMEOUT") == 1
    # the hungry ones for memory, each once; the one that was cancelled may have been one of them
    killed = [path.read_text() for path in (project.folder / "results/logs/slurm").rglob("*.log")]
    assert 1 <= states.count("FAILED") <= sum("exceeded memory limit" in text for text in killed) <= 2
    log = training_logs(project)[str(run).replace("results/runs", "results/logs/train").replace(".npz", ".log")]
    assert "going on from step" in log  # checkpoint_minutes has reached the node
    assert_same_results(project, local)


def stop_a_training(call: Call) -> tuple[int, Path]:
    """Stop a process that has saved a state and is not killed for its memory; its number and its run."""
    found = []

    def look() -> bool:
        for pid in call.trainings():
            with contextlib.suppress(psutil.Error, ValueError):
                command = psutil.Process(pid).cmdline()
                run = call.project.folder / command[command.index("--out") + 1]
                if "hungry" not in run.parts and runs.checkpoint_path(run).exists():
                    os.kill(pid, signal.SIGSTOP)
                    found.append((pid, run))
                    return True
        return False

    assert call.wait_for(look), call.output
    return found[0]
