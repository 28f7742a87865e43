"""The same digest and seed give the same bytes, whatever else the machine does; the tables too, but for times."""

import json
import multiprocessing

import pytest
from shrunken import Project

from regatlas import runs


@pytest.fixture(scope="module")
def study():
    """Makes a project with three methods, two of them with noise, and two seeds."""

    def make(folder):
        project = Project(folder)
        project.config["compare"] = ["none", "dropout", "gaussian"]
        project.config["training"] |= {"steps": 3000, "evaluate_every": 700}
        project.save()
        return project

    return make


@pytest.fixture(scope="module")
def alone(study, made_once):
    """The study's tables, one job after the other."""

    def make(folder):
        project = study(folder)
        return project.ran("--cores", "1", *project.table_targets())

    return made_once("alone", make)


def spin() -> None:
    while True:
        pass


@pytest.fixture
def busy_machine():
    """Every core has something else to do."""
    hogs = [multiprocessing.Process(target=spin, daemon=True) for _ in range(multiprocessing.cpu_count())]
    for hog in hogs:
        hog.start()
    yield
    for hog in hogs:
        hog.kill()
        hog.join()


def test_side_by_side_on_a_busy_machine(alone, study, tmp_path, busy_machine):
    project = study(tmp_path / "project")
    done = project.snakemake("--cores", "8", *project.table_targets())
    assert done.returncode == 0, done.stdout
    assert len(project.runs()) == 6
    assert project.arrays() == alone.arrays()
    assert project.tables() == alone.tables()


def test_tables_made_again_are_the_same_files(alone, tmp_path):
    """From the same runs, also the columns of times."""
    project = alone.copy(tmp_path / "project")
    before = {name: project.result(name).read_bytes() for name in project.TABLES}
    for name in before:
        project.result(name).unlink()
    assert project.snakemake(*project.table_targets()).returncode == 0
    assert {name: project.result(name).read_bytes() for name in before} == before


def test_what_a_run_says_of_itself_is_the_same_but_for_times(alone, tmp_path):
    """Trained again alone, after a restart, beside nothing else."""
    project = alone.copy(tmp_path / "project")
    run = next(path for path in project.runs() if "dropout" in path.parts)
    before = runs.read(run)
    run.unlink()
    done = project.snakemake("--cores", "1", str(run.relative_to(project.folder)))
    assert done.returncode == 0, done.stdout
    again = runs.read(run)
    times = {"train_seconds", "total_seconds", "microseconds_per_step", "finished_at"}
    changed = {key for key in before.metadata if before.metadata[key] != again.metadata[key]}
    assert changed <= times
    assert json.dumps(again.metadata["metrics"]) == json.dumps(before.metadata["metrics"])
    assert project.arrays() == alone.arrays()
