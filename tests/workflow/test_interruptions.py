"""Nothing is lost when anything is killed at any moment, and the next call ends with the same bytes."""

import base64
import contextlib
import os
import random
import re
import signal
import time
import zipfile
from collections import Counter
from pathlib import Path

import pytest

from regatlas import files, locks, runs

KILLS = 20
REFUSALS = ("LockException", "IncompleteFilesException", "Directory cannot be locked", "at work in this folder")


def in_flight(project) -> set[str]:
    """The files of jobs that Snakemake has begun and not finished."""
    marks = (path for path in (project.folder / ".snakemake/incomplete").rglob("*") if path.is_file())
    folder = project.folder / ".snakemake/incomplete"
    return {
        base64.urlsafe_b64decode("".join(part.removeprefix("@") for part in mark.relative_to(folder).parts)).decode()
        for mark in marks
    }


def finished_runs(project) -> dict[Path, tuple[int, int]]:
    """The runs that are there and not in flight -> inode and time of change."""
    begun = in_flight(project)
    return {
        path: (path.stat().st_ino, path.stat().st_mtime_ns)
        for path in project.runs()
        if str(path.relative_to(project.folder)) not in begun
    }


def kept(before: dict[Path, tuple[int, int]]) -> bool:
    """Whether the files are still the very ones."""
    return all((path.stat().st_ino, path.stat().st_mtime_ns) == mark for path, mark in before.items())


def make_work(project, chance: random.Random) -> None:
    """Delete some results, so that a kill has something to hit: two runs, or what is made of them."""
    there = sorted(finished_runs(project))
    if len(there) == 4 and chance.random() < 0.4:
        for name in chance.sample(["runs.csv", "comparison.csv", "figures/accuracy.svg", "report.html"], 2):
            project.result(name).unlink(missing_ok=True)
    else:
        for path in chance.sample(there, max(0, len(there) - 2)):
            path.unlink()


def strike(call, kind: str, chance: random.Random) -> bool:
    """Kill what ``kind`` says and wait until it is gone; whether anything was hit."""
    if kind == "training":
        trainings = call.trainings()
        if not trainings:
            return False
        with contextlib.suppress(ProcessLookupError):
            os.kill(chance.choice(trainings), signal.SIGKILL)
        call.wait_for(lambda: "Error in rule train" in call.output)
        kind = "all"  # the rest of the call would take its time
    if call.ended:
        return False
    how = {
        "snakemake": (signal.SIGKILL, False),
        "all": (signal.SIGKILL, True),
        "ctrl-c": (signal.SIGINT, True),
        "terminate": (signal.SIGTERM, False),
    }[kind]
    call.kill(*how)
    if call.wait() != 0:
        return True
    assert "(100%) done" in call.output or "Nothing to be done" in call.output, call.output  # the signal came too late
    return False


def test_killed_again_and_again_at_random_moments(undisturbed, tmp_path):
    project = undisturbed.copy(tmp_path / "project")
    for name in ("results", ".snakemake"):
        os.rename(project.folder / name, tmp_path / name)
    chance = random.Random(20)
    kinds = [kind for kind in ("training", "snakemake", "all", "ctrl-c", "terminate") for _ in range(KILLS)]
    chance.shuffle(kinds)
    struck, before = Counter(), {}
    while struck.total() < KILLS:
        kind = kinds.pop()
        call = project.start()
        if kind == "training":
            hit = call.wait_for(call.trainings)
        elif chance.random() < 0.2:
            hit = True  # while it starts or plans
        else:
            hit = call.wait_for(lambda call=call: "Execute " in call.output)
        time.sleep(chance.uniform(0, 3 if hit else 0))
        struck[kind] += strike(call, kind, chance)
        assert not any(refusal in call.output for refusal in REFUSALS), call.output
        if call.wait() == 0 or kind in ("training", "terminate"):
            assert "Traceback" not in call.output, call.output
        project.assert_whole()
        assert kept(before), kind
        make_work(project, chance)
        before = finished_runs(project)
    done = project.snakemake()
    assert done.returncode == 0, done.stdout
    assert "Traceback" not in done.stdout
    assert kept(before)
    project.assert_whole()
    assert len(struck) == 5, struck
    assert project.arrays() == undisturbed.arrays()
    assert project.tables() == undisturbed.tables()
    assert "Nothing to be done" in project.snakemake().stdout
    assert not list((project.folder / "results/runs").rglob(".*"))  # no lock, checkpoint or part is left


@pytest.fixture
def one_missing(undisturbed, tmp_path) -> tuple:
    """A project that is finished but for one run and the tables, and that run's file."""
    project = undisturbed.copy(tmp_path / "project")
    run = project.runs()[0]
    for path in (run, *map(project.result, project.TABLES)):
        path.unlink()
    return project, run


def log_of(project, run: Path) -> Path:
    folder = project.folder / "results"
    return folder / "logs/train" / run.relative_to(folder / "runs").with_suffix(".log")


def target(project, run: Path) -> str:
    return str(run.relative_to(project.folder))


def test_a_killed_run_goes_on_where_it_was(undisturbed, one_missing):
    project, run = one_missing
    others = finished_runs(project)
    checkpoint, log = runs.checkpoint_path(run), log_of(project, run)
    log.unlink()
    call = project.start(target(project, run))
    reached = lambda: checkpoint.exists() and int(files.read_npz(checkpoint)["step"]) >= 2000  # noqa: E731
    assert call.wait_for(reached)
    call.kill(signal.SIGSTOP, group=True)
    saved = int(files.read_npz(checkpoint)["step"])
    call.kill(signal.SIGKILL, group=True)
    call.wait()
    assert not run.exists() and saved < 20000
    done = project.snakemake(target(project, run))
    assert done.returncode == 0, done.stdout
    assert f"going on from step {saved:,}" in log.read_text()
    assert project.arrays() == undisturbed.arrays()
    assert kept(others)
    assert not list(run.parent.glob(".*"))


def test_one_killed_training_fails_alone_and_is_repeated_alone(undisturbed, one_missing):
    project, _ = one_missing
    others = finished_runs(project)
    call = project.start()
    assert call.wait_for(call.trainings)
    os.kill(call.trainings()[0], signal.SIGKILL)
    assert call.wait() == 1
    assert "Error in rule train" in call.output and "Traceback" not in call.output
    assert project.jobs()["train"] == 1
    assert project.snakemake(*project.table_targets()).returncode == 0
    assert kept(others)
    assert project.tables() == undisturbed.tables()


def test_a_second_call_leaves_and_the_first_finishes(undisturbed, one_missing):
    project, _ = one_missing
    first = project.start(*project.table_targets())
    assert first.wait_for(first.trainings)
    (training,) = first.trainings()
    os.kill(training, signal.SIGSTOP)  # else the first might end too soon
    try:
        second = project.snakemake()
        assert project.jobs()["train"] == 1  # asking is allowed
    finally:
        os.kill(training, signal.SIGCONT)
    assert second.returncode == 1
    assert len(re.findall(r"Another snakemake is at work in this folder \(process \d+ on .*\)", second.stdout)) == 1
    assert f"(process {first.process.pid} on " in second.stdout
    assert "Traceback" not in second.stdout
    assert first.wait() == 0, first.output
    assert project.tables() == undisturbed.tables()


def test_a_plan_made_while_another_was_at_work_is_not_carried_out(one_missing):
    project, _ = one_missing
    lock = locks.take(project.folder / "results/.lock")
    call = project.start()
    call.wait_for(lambda: "Building DAG" in call.output)
    lock.close()
    assert call.wait() == 1
    assert re.search("has just finished in this folder.*Give the same command again|is at work", call.output)
    assert "Traceback" not in call.output
    assert not list((project.folder / "results").rglob(".*.lock"))  # no training was begun


def test_an_orphaned_training_is_waited_for_and_not_repeated(undisturbed, one_missing):
    project, run = one_missing
    log = log_of(project, run)
    log.unlink()
    first = project.start(target(project, run))
    assert first.wait_for(lambda: locks.holder(runs.lock_path(run)))
    (orphan,) = first.trainings()
    os.kill(orphan, signal.SIGSTOP)  # else it might end too soon
    try:
        first.kill()
        first.wait()
        second = project.start(target(project, run))
        waits = f"process {orphan} on {os.uname().nodename} trains this very run: waiting for it"
        assert second.wait_for(lambda: log.exists() and waits in log.read_text())
    finally:
        os.kill(orphan, signal.SIGCONT)
    assert second.wait() == 0, second.output
    assert log.read_text() == f"{waits}\nthe run is there: nothing to train\n"
    assert project.arrays() == undisturbed.arrays()
    assert not list(run.parent.glob(".*"))


def test_a_damaged_run_is_repeated_and_kept_aside(undisturbed, one_missing):
    project, _ = one_missing
    other = project.runs()[-1]
    other.write_bytes(other.read_bytes()[:-100])
    with pytest.raises(zipfile.BadZipFile), zipfile.ZipFile(other):
        pass
    done = project.snakemake("--until", "compare")
    assert done.returncode == 0, done.stdout
    assert "damaged: cut short or altered since" in done.stdout
    assert project.tables() == undisturbed.tables()
    assert [path.suffix for path in sorted(other.parent.iterdir())].count(".damaged") == 1
