"""The saved state of a long run: always whole, never in the run's way, and worth the same bytes in the end."""

import errno

import numpy as np
import pytest
from test_training import trainer

from regatlas.checkpoints import Checkpoint

STATE = {"step": np.array(7), "variable_kernel": np.arange(6.0, dtype=np.float32)}


@pytest.fixture
def said():
    return []


def never():
    raise AssertionError("a state was asked for")


def test_a_state_comes_back_and_goes_with_the_run(tmp_path, said):
    checkpoint = Checkpoint(tmp_path / ".seed-0.checkpoint.npz", 0, said.append)
    assert checkpoint.load() is None
    checkpoint.offer(lambda: STATE)
    loaded = Checkpoint(checkpoint.path, 5, said.append).load()
    assert {name: array.tobytes() for name, array in loaded.items()} == {
        name: array.tobytes() for name, array in STATE.items()
    }
    checkpoint.remove()
    assert not list(tmp_path.iterdir())
    checkpoint.remove()  # a short run has none
    assert said == []


def test_a_state_is_made_only_when_it_is_time(tmp_path, said, monkeypatch):
    clock = iter([0.0, 299.0, 300.0, 300.0, 599.0]).__next__
    monkeypatch.setattr("time.monotonic", lambda: clock())
    checkpoint = Checkpoint(tmp_path / "c.npz", 5, said.append)
    checkpoint.offer(never)
    checkpoint.offer(lambda: STATE)
    assert checkpoint.path.exists()
    checkpoint.offer(never)


def test_a_full_disk_keeps_the_state_before_and_the_run(tmp_path, said, monkeypatch):
    checkpoint = Checkpoint(tmp_path / "c.npz", 0, said.append)
    checkpoint.offer(lambda: STATE)

    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", full)
        checkpoint.offer(lambda: {"step": np.array(8)})
    assert said == ["no checkpoint: [Errno 28] No space left on device"]
    assert int(checkpoint.load()["step"]) == 7
    assert [path.name for path in tmp_path.iterdir()] == ["c.npz"]


def test_a_damaged_state_starts_the_run_anew(tmp_path, said):
    checkpoint = Checkpoint(tmp_path / "c.npz", 0, said.append)
    checkpoint.offer(lambda: STATE)
    checkpoint.path.write_bytes(checkpoint.path.read_bytes()[:-20])
    assert checkpoint.load() is None
    assert len(said) == 1 and said[0].startswith("training starts anew: ")


class Killed(Exception):
    pass


@pytest.mark.parametrize("name", ["dropout_at_test", "gaussian", "weight_norm"])
def test_a_run_that_goes_on_ends_with_the_same_bytes(tmp_path, said, monkeypatch, name):
    """Killed after every single state that it offers, one after the other, through the file."""
    monkeypatch.setattr("regatlas.training.PART", 20)
    one = trainer(name, steps=47, evaluate_every=23)
    whole = one.run(3)
    checkpoint = Checkpoint(tmp_path / "c.npz", 0, said.append)

    def save_and_die(state):
        checkpoint.offer(state)
        raise Killed

    starts = []
    for _ in range(100):
        saved = checkpoint.load()
        starts.append(0 if saved is None else int(saved["step"]))
        try:
            resumed = one.run(3, saved=saved, save=save_and_die)
        except Killed:
            continue
        break
    assert starts == [0, 1, 20, 23, 40, 46, 47]
    assert resumed.metrics == whole.metrics
    assert resumed.arrays.keys() == whole.arrays.keys()
    for array in whole.arrays:
        assert resumed.arrays[array].tobytes() == whole.arrays[array].tobytes(), array
