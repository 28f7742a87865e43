"""Event files of a real study: there while it runs, whole after a kill, and gone on with."""

import signal

import tensorflow as tf
from shrunken import two_methods


def steps(project) -> dict[str, list[int]]:
    """Run -> the steps in its event files, in their order."""
    found = {}
    for path in sorted((project.folder / "results/runs").glob("*/*/tensorboard/seed-*/events.out.tfevents.*")):
        events = tf.compat.v1.train.summary_iterator(str(path))
        run = str(path.relative_to(project.folder / "results/runs").parent)
        found.setdefault(run, []).extend(event.step for event in events if event.step)
    return found


def test_a_study_that_is_killed_and_called_again(undisturbed, tmp_path):
    project = two_methods(tmp_path / "project")
    project.config["training"]["tensorboard"] = True
    project.save()
    call = project.start(*project.table_targets())
    saved = (project.folder / "results/runs").glob
    assert call.wait_for(lambda: any(steps(project).values()) and list(saved("*/*/.seed-*.checkpoint.npz")))
    call.kill(signal.SIGKILL, group=True)
    call.wait()
    assert not call.trainings()
    assert any(steps(project).values())  # as far as they got, they can be read
    project.ran(*project.table_targets())
    logs = "".join(path.read_text() for path in (project.folder / "results/logs/train").rglob("*.log"))
    assert "going on from step" in logs
    assert sorted(steps(project).values()) == [[1, 4000, 8000, 12000, 16000, 20000]] * 4
    assert project.arrays() == undisturbed.arrays()


def test_without_it_there_are_none(undisturbed):
    assert steps(undisturbed) == {} and not list((undisturbed.folder / "results").rglob("tensorboard"))
