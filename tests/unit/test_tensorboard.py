"""Event files: what TensorBoard would read in them, also after a kill or on a full disk, and no trace when off."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
import yaml
from test_training import DATA, settings

from regatlas import fingerprint, runs
from regatlas.course import Progress
from regatlas.files import write_npz
from regatlas.study import resolve
from regatlas.tensorboard import Events

ROOT = Path(__file__).parents[2]
TAGS = ("train_loss", "validation_accuracy", "test_accuracy")


@pytest.fixture
def said():
    return []


def progress(step: int) -> Progress:
    return Progress(step, 100, 0.5 / step, 0.1 * step, 0.01 * step, 1.0)


def wrote(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*tfevents*"))


def scalars(folder: Path) -> dict[str, list[tuple[int, float]]]:
    """Tag -> (step, value) in the order of a folder's event files, as TensorBoard reads them."""
    found = {}
    for path in wrote(folder):
        for event in tf.compat.v1.train.summary_iterator(str(path)):
            for value in event.summary.value:
                if value.HasField("simple_value"):
                    found.setdefault(value.tag, []).append((event.step, value.simple_value))
    return found


def test_every_evaluation_can_be_read_as_soon_as_it_is_reported(tmp_path, said):
    events = Events(tmp_path / "a", {"batch_size": 32}, said.append)
    for step in (1, 2, 3):
        events(progress(step))
        found = scalars(tmp_path / "a")
        assert sorted(found) == sorted(TAGS)
        assert [at for at, _ in found["train_loss"]] == list(range(1, step + 1))
    assert [value for _, value in found["train_loss"]] == pytest.approx([0.5, 0.25, 0.5 / 3])
    assert found["test_accuracy"][2][1] == pytest.approx(0.03)
    first, second, *_ = tf.compat.v1.train.summary_iterator(str(wrote(tmp_path)[0]))
    assert first.file_version == "brain.Event:2"
    assert '"batch_size": 32' in tf.make_ndarray(second.summary.value[0].tensor).item().decode()
    assert second.summary.value[0].metadata.plugin_data.plugin_name == "text"
    assert said == []


def test_a_run_that_goes_on_has_every_step_once(tmp_path, said):
    begun = Events(tmp_path, {}, said.append)
    for step in (1, 10, 20, 30):
        begun(progress(step))
    (path,) = wrote(tmp_path)
    with open(path, "ab") as stream:
        stream.write(path.read_bytes()[-20:])  # a kill in the middle of a write
    again = Events(tmp_path, {}, said.append)  # the last saved state was that of step 15
    for step in (20, 30, 40):
        again(progress(step))
    assert len(wrote(tmp_path)) == 1
    assert [step for step, _ in scalars(tmp_path)["test_accuracy"]] == [1, 10, 20, 30, 40]
    assert said == []


def test_a_run_that_starts_anew_leaves_nothing_of_the_one_before(tmp_path, said):
    Events(tmp_path, {}, said.append)(progress(90))
    Events(tmp_path, {}, said.append)(progress(1))
    assert [step for step, _ in scalars(tmp_path)["test_accuracy"]] == [1]


def test_a_loss_that_is_not_finite_is_an_event_too(tmp_path, said):
    Events(tmp_path, {}, said.append)(Progress(1, 2, float("nan"), 0.1, 0.1, 1.0))
    assert np.isnan(scalars(tmp_path)["train_loss"][0][1])


def test_a_folder_that_cannot_be_written_is_told_once(tmp_path, said):
    (tmp_path / "file").touch()
    events = Events(tmp_path / "file" / "folder", {}, said.append)
    events(progress(1))
    assert len(said) == 1 and said[0].startswith("no more events for TensorBoard: ")


def test_a_full_disk_is_told_once_and_keeps_what_is_there(tmp_path, said):
    """In a process of its own, whose files may not grow beyond a size."""
    code = (
        "import resource, sys\n"
        "from test_tensorboard import Events, Path, progress\n"
        "events = Events(Path(sys.argv[1]), {}, print)\n"
        "events(progress(1))\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))\n"
        "for step in range(2, 100):\n"
        "    events(progress(step))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path], capture_output=True, text=True,
        env={"PYTHONPATH": f"{ROOT / 'scripts'}:{ROOT}:{Path(__file__).parent}", "TF_CPP_MIN_LOG_LEVEL": "2"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("no more events for TensorBoard") == 1 and "File too large" in done.stdout
    (path,) = wrote(tmp_path)
    again = Events(tmp_path, {}, said.append)  # reads it up to where it was cut short
    again(progress(60))
    steps = [step for step, _ in scalars(tmp_path)["train_loss"]]
    assert steps[-1] == 60 and steps[:-1] == list(range(1, len(steps))) and 5 < len(steps) < 59
    assert not path.exists()


def test_a_full_disk_when_a_run_goes_on_keeps_the_events_before(tmp_path, said, monkeypatch):
    Events(tmp_path, {}, said.append)(progress(1))
    before = {path: path.read_bytes() for path in wrote(tmp_path)}

    def full(_):
        raise tf.errors.ResourceExhaustedError(None, None, "No space left on device")

    monkeypatch.setattr(tf.io.TFRecordWriter, "flush", full)
    again = Events(tmp_path, {}, said.append)
    again(progress(2))
    again(progress(3))
    assert said == ["no more events for TensorBoard: No space left on device"]
    assert {path: path.read_bytes() for path in wrote(tmp_path)} == before


def trained(folder: Path, *more: str) -> Path:
    """The run that train.py makes of a small study."""
    chosen = {**settings(steps=20, evaluate_every=10), "data": "sum", "regularizer": {"name": "none", "settings": {}}}
    spec, data, out = {"settings": chosen, "seed": 3}, folder / "prepared.npz", folder / "seed-3.npz"
    write_npz(data, {**DATA, "checksum": np.array("sum")})
    command = [sys.executable, ROOT / "scripts/train.py", "--spec", fingerprint.canonical(spec)]
    subprocess.run([*command, "--data", data, "--out", out, *more], check=True)
    return out


def test_the_program_writes_events_if_asked_to_and_the_same_run(tmp_path):
    off, on = trained(tmp_path / "off"), trained(tmp_path / "on", "--tensorboard")
    assert wrote(tmp_path / "off") == [] and not runs.events_folder(off).parent.exists()
    assert len(wrote(runs.events_folder(on))) == 1
    one, other = runs.read(off), runs.read(on)
    assert one.metadata["digest"] == other.metadata["digest"]
    assert {key: value.tobytes() for key, value in one.arrays.items()} == {
        key: value.tobytes() for key, value in other.arrays.items()
    }
    curve = other.arrays
    found = scalars(runs.events_folder(on))
    for name in TAGS:
        np.testing.assert_allclose(found[name], np.stack([curve["curve_step"], curve[f"curve_{name}"]], axis=1), 1e-6)


def test_the_program_that_is_not_asked_to_does_not_even_import_it(tmp_path):
    """Neither for the import of its modules nor when it trains: nothing but the flag leads there."""
    code = "import sys, train; sys.exit('regatlas.tensorboard' in sys.modules or 'tensorflow' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": str(ROOT / "scripts")})
    assert done.returncode == 0


def test_no_digest_depends_on_it():
    config = yaml.safe_load((ROOT / "config" / "config.yaml").read_text(encoding="utf-8"))
    before = resolve(config)
    config["training"]["tensorboard"] = True
    after = resolve(config)
    assert [method.digest for method in after.methods] == [method.digest for method in before.methods]
    assert after.config["training"]["tensorboard"] is True and before.config["training"]["tensorboard"] is False
