"""Several seeds of a method in one process: the same runs, each from a job of its own."""

import re

import pytest
from shrunken import two_methods

import train
from regatlas import locks, runs


@pytest.fixture(scope="module")
def together(tmp_path_factory):
    project = two_methods(tmp_path_factory.mktemp("together") / "project")
    project.config["training"]["runs_per_process"] = 2
    project.config["seeds"] = [0, 1, 2]
    project.save()
    return project, project.run(*project.table_targets())


def logs(project):
    """Run -> its log."""
    folder = project.folder / "results/logs/train"
    return {f"{path.parent.parent.name} {path.stem}": path.read_text() for path in folder.glob("*/*/*.log")}


def test_every_run_has_its_job_and_the_bytes_it_has_alone(together, undisturbed):
    project, jobs = together
    assert jobs["train"] == 6
    mine = project.arrays()
    for run, arrays in undisturbed.arrays().items():
        assert mine[run] == arrays, run
    assert len(mine) == 6


def test_one_process_trains_two_seeds(together):
    project, _ = together
    found = logs(project)
    for method in ("none", "dropout"):
        assert re.findall(r"(seed 1, in|finished)", found[f"{method} seed-0"]) == ["finished", "seed 1, in", "finished"]
        assert found[f"{method} seed-1"] == "trained together with another seed\n"
        assert "in the same process" not in found[f"{method} seed-2"]
    assert not list((project.folder / "results/runs").glob("*/*/.*"))


def test_only_what_is_missing_is_trained_and_changing_the_number_trains_nothing(together):
    project, _ = together
    project.config["training"]["runs_per_process"] = 3
    project.save()
    assert project.jobs(*project.table_targets())["train"] == 0
    lost = [run for run in project.runs() if run.name in ("seed-1.npz", "seed-2.npz")]
    before = project.arrays()
    for run in lost:
        run.unlink()
    assert project.run(*(str(run.relative_to(project.folder)) for run in lost))["train"] == len(lost) == 4
    assert project.arrays() == before
    assert "trained together" in logs(project)["none seed-2"]


class Trained:
    """Stands in for the process's ``Training``: what it was asked for."""

    def __init__(self, error=None):
        self.spec, self.seeds, self.error = {"settings": {}, "seed": 0}, [], error

    def write(self, seed, path, target):
        self.seeds.append(seed)
        if self.error:
            raise self.error
        runs.write(target, {"settings": {}, "seed": seed}, {})


def test_a_seed_that_is_at_work_or_done_elsewhere_is_left_alone(tmp_path):
    training, out = Trained(), tmp_path / "seed-0.npz"
    with locks.held(runs.lock_path(tmp_path / "seed-1.npz")):
        train.train_beside(training, 1, out)
    runs.write(tmp_path / "seed-2.npz", {"settings": {}, "seed": 2}, {})
    train.train_beside(training, 2, out)
    train.train_beside(training, 3, out)
    train.train_beside(training, 3, out)  # it waits for its job
    assert training.seeds == [3]
    assert runs.ready_path(tmp_path / "seed-3.npz").exists()


def test_what_fails_beside_a_run_is_left_to_its_own_job(tmp_path, capsys):
    train.train_beside(Trained(MemoryError("no room")), 1, tmp_path / "seed-0.npz")
    assert "seed 1: MemoryError: no room; its own job will try again" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
