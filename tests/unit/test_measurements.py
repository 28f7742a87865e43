"""Runs made here with known numbers, read back as tables, by the library and by the program."""

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from regatlas import geometry, measurements, reference, runs
from regatlas.corruptions import KINDS
from regatlas.errors import UserError
from regatlas.tables import CURVE_COLUMNS, ROBUSTNESS_COLUMNS, RUN_COLUMNS, write_csv

PROGRAM = Path(__file__).parents[2] / "scripts" / "collect.py"
PIXELS, CLASSES, TEST = 12, 3, 20  # images of 3 x 4
LABELS = np.arange(TEST).astype(np.uint8) % CLASSES
METHODS = [
    {"id": "none", "regularizer": "none", "grid": [], "digests": ["12e45678"]},  # reads as a number
    {"id": "l2", "regularizer": "l2", "grid": [], "digests": ["ab12"]},
    {"id": "l2_strong", "regularizer": "l2", "grid": [], "digests": ["cd34"]},
]
SEEDS = [10, 9]


def write_run(root, method, seed, hidden=False, edit=lambda metadata, arrays: None, point=0):
    """Write a finished run; seed s gets s - 8 of its test predictions wrong."""
    digest = method["digests"][point]
    random = np.random.default_rng(seed)
    shapes = [(PIXELS, 5), (5, CLASSES)] if hidden else [(PIXELS, CLASSES)]
    kernels = [random.standard_normal(shape).astype(np.float32) for shape in shapes]
    wrong = LABELS.copy()
    wrong[: seed - 8] = (wrong[: seed - 8] + 1) % CLASSES
    arrays = {f"kernel_{layer}": kernel for layer, kernel in enumerate(kernels)} | {
        "curve_step": np.array([1, 100]),
        "curve_train_loss": np.array([0.1 + 0.2, 0.25]),
        "curve_validation_accuracy": np.array([0.5, 0.75]),
        "curve_test_accuracy": np.array([0.4, 1 / 3]),
        "test_predicted": wrong,
        "test_confidence": np.full(TEST, 0.8, np.float32),
        "test_probability": np.full(TEST, 0.5, np.float32),
        "test_predicted_noise_off": LABELS,
        "corrupted_accuracy": np.linspace(0, 0.35, 36).reshape(12, 3),
    }
    metadata = {
        "settings": {"training": {"train_size": 40, "steps": 100}},
        "digest": digest,
        "seed": seed,
        "status": "finished",
        "message": "",
        "metrics": {"train_accuracy": 0.97, "validation_accuracy": 0.75, "test_accuracy": 0.9, "test_brier": 0.125},
        "parameters": sum(kernel.size for kernel in kernels),
        "steps_done": 100,
        "train_seconds": 0.125,
        "microseconds_per_step": 1250.5,
        "total_seconds": 3.5,
        "finished_at": "2026-11-23T09:00:00+00:00",
        "versions": {"python": "3.11.2", "numpy": "2.4.6", "tensorflow": "2.21.0"},
        "machine": {"system": "Linux", "processor": "A, B & Co.", "cores": 2},
    }
    edit(metadata, arrays)
    path = runs.path(root, method["regularizer"], digest, seed)
    runs.write(path, metadata, arrays)
    return path


def diverge(metadata, arrays):
    for name in [name for name in arrays if name.startswith("test_")]:
        del arrays[name]
    arrays["kernel_0"] = np.full((PIXELS, CLASSES), np.nan, np.float32)
    arrays["curve_train_loss"] = np.array([0.5, np.nan])
    metadata |= {
        "status": "diverged",
        "metrics": {},
        "message": "the loss was\nno longer finite",
        "microseconds_per_step": None,
    }


@pytest.fixture
def data(tmp_path):
    random = np.random.default_rng(0)
    arrays = {
        "train_images": random.integers(1, 256, (40, PIXELS)).astype(np.uint8),
        "train_labels": np.arange(40).astype(np.uint8) % CLASSES,
        "test_labels": LABELS,
        "image_shape": np.array([3, 4]),
        "classes": np.array(CLASSES),
    }
    arrays["train_images"][:, 0] = 0  # a dead pixel
    reference.write(tmp_path / "reference.npz", reference.make(arrays))
    return arrays


@pytest.fixture
def root(tmp_path):
    for method in METHODS:
        for seed in SEEDS:
            write_run(tmp_path / "runs", method, seed)
    return tmp_path / "runs"


def collect(root, data):
    return measurements.collect(METHODS, SEEDS, root, reference.make(data))


def test_a_row_a_run_by_id_then_seed(root, data):
    table, curves, _, _ = collect(root, data)
    assert list(table.columns) == RUN_COLUMNS and list(curves.columns) == CURVE_COLUMNS
    expected = [(method, seed) for method in ("l2", "l2_strong", "none") for seed in (9, 10)]
    assert list(zip(table["method"], table["seed"], strict=True)) == expected
    steps = list(zip(curves["method"], curves["seed"], curves["step"], strict=True))
    assert steps == [(*run, step) for run in expected for step in (1, 100)]


def test_the_numbers_of_a_run(root, data):
    table, curves, _, _ = collect(root, data)
    row = table.iloc[1]  # l2, seed 10: 2 of 20 wrong
    kernel = np.random.default_rng(10).standard_normal((PIXELS, CLASSES)).astype(np.float32)
    images, labels = (data[name] for name in ("train_images", "train_labels"))
    live = np.arange(PIXELS) > 0
    centred = kernel.astype(float) - kernel.mean(axis=1, keepdims=True, dtype=float)
    template = np.stack([images[labels == c].mean(axis=0) for c in range(CLASSES)], axis=1)
    template -= images.mean(axis=0)[:, None]
    expected = {
        "train_accuracy": 0.97,
        "validation_accuracy": 0.75,
        "test_accuracy": 0.9,
        "test_accuracy_noise_off": 1,
        "test_nll": np.log(2),
        "test_ece": 0.1,  # confidence .8 everywhere, .9 right
        "test_brier": 0.125,
        "accuracy_gap": 0.07,
        "corrupted_accuracy": 0.175,
        "weight_min": kernel.min(),
        "weight_max": kernel.max(),
        "weight_norm": np.linalg.norm(kernel.astype(float)),
        "roughness": geometry.roughness(kernel, live, geometry.neighbours(live, (3, 4))),
        "template_correlation": np.corrcoef(centred[live].ravel(), template[live].ravel())[0, 1],
        "participation_ratio": geometry.participation_ratio(kernel, images.std(axis=0) / 255),
        "sparsity": 0,
    }
    assert {name: row[name] for name in expected} == pytest.approx(expected)
    plain = {"digest": "ab12", "regularizer": "l2", "train_size": 40, "steps": 100, "parameters": 36}
    plain |= {"train_seconds": 0.125, "microseconds_per_step": 1250.5, "status": "finished", "cores": 2}
    plain |= {"total_seconds": 3.5, "numpy": "2.4.6", "processor": "A, B & Co.", "message": ""}
    assert {name: row[name] for name in plain} == plain
    assert curves["train_loss"].tolist()[:2] == [0.1 + 0.2, 0.25]
    assert curves["test_accuracy"].tolist()[:2] == [0.4, 1 / 3]


def test_hidden_layers_have_first_layer_roughness_and_no_template(root, data):
    write_run(root, METHODS[0], 9, hidden=True)
    table, _, _, _ = collect(root, data)
    row = table[(table["method"] == "none") & (table["seed"] == 9)].iloc[0]
    random = np.random.default_rng(9)
    first, second = (random.standard_normal(shape).astype(np.float32) for shape in ((PIXELS, 5), (5, CLASSES)))
    live = np.arange(PIXELS) > 0
    roughness = geometry.roughness(first, live, geometry.neighbours(live, (3, 4)))
    assert row["roughness"] == pytest.approx(roughness)
    assert row["weight_max"] == max(first.max(), second.max())
    assert row["weight_norm"] == pytest.approx(np.hypot(np.linalg.norm(first), np.linalg.norm(second)))
    assert np.isnan(row["template_correlation"])


def test_a_diverged_run_stays_with_its_message_and_without_metrics(root, data, tmp_path):
    write_run(root, METHODS[1], 9, edit=diverge)
    table, curves, _, _ = collect(root, data)
    row = table.iloc[0]
    assert (row["status"], row["message"]) == ("diverged", "the loss was no longer finite")
    assert row.loc["train_accuracy":"sparsity"].isna().all()
    assert (row["steps"], row["parameters"]) == (100, 36) and np.isnan(row["microseconds_per_step"])
    write_csv(tmp_path / "curves.csv", curves)
    assert (tmp_path / "curves.csv").read_text().splitlines()[2] == "l2,9,100,,0.75,0.3333333333333333,0"


def test_all_unusable_runs_are_named_at_once(root, data):
    def path(index, seed):
        return runs.path(root, METHODS[index]["regularizer"], METHODS[index]["digests"][0], seed)

    missing, short, wrong_seed, lacking, foreign = (
        path(0, 9),
        path(0, 10),
        path(1, 9),
        path(1, 10),
        path(2, 9),
    )
    missing.unlink()
    short.write_bytes(short.read_bytes()[:-100])
    path(1, 10).replace(wrong_seed)
    write_run(root, METHODS[1], 10, edit=lambda metadata, arrays: arrays.pop("test_confidence"))
    write_run(root, METHODS[2], 9, edit=lambda metadata, arrays: arrays.update(test_predicted=LABELS[:5]))
    with pytest.raises(UserError) as caught:
        collect(root, data)
    message = str(caught.value)
    assert message.startswith("5 of 6 run files")
    for bad in (missing, short, wrong_seed, lacking, foreign):
        assert len(re.findall(re.escape(str(bad)), message)) == 1
    assert "no such file" in message and "seed 10" in message and "test_confidence" in message
    assert str(path(2, 10)) not in message


@pytest.mark.parametrize(
    "edit",
    [
        lambda metadata, arrays: metadata.update(digest="ffff"),
        lambda metadata, arrays: metadata.update(status="started"),
        lambda metadata, arrays: metadata.pop("metrics"),
        lambda metadata, arrays: metadata.update(machine=None),
        lambda metadata, arrays: arrays.pop("kernel_0"),
        lambda metadata, arrays: arrays.pop("curve_step"),
        lambda metadata, arrays: arrays.pop("corrupted_accuracy"),
        lambda metadata, arrays: arrays.update(corrupted_accuracy=np.zeros((12, 2))),
        lambda metadata, arrays: metadata["metrics"].pop("test_brier"),
        lambda metadata, arrays: arrays.update(curve_step=np.arange(7)),
        lambda metadata, arrays: arrays.update(kernel_0=np.ones((5, CLASSES), np.float32)),
        lambda metadata, arrays: arrays.update(kernel_0=np.ones((PIXELS, 7), np.float32)),
    ],
)
def test_a_run_with_wrong_content_is_named(root, data, edit):
    path = write_run(root, METHODS[1], 9, edit=edit)
    with pytest.raises(UserError, match=re.escape(str(path))):
        collect(root, data)


def test_the_program_writes_the_same_bytes_again(root, data, tmp_path):
    def run(name, methods, seeds):
        spec = json.dumps({"methods": methods, "seeds": seeds})
        files = {"table": "runs.csv", "curves": "curves.csv", "tuning": "tuning.csv"}
        files |= {"robustness": "robustness.csv", "correct": "correct.npz"}
        out = {f"--{key}": tmp_path / f"{name}-{file}" for key, file in files.items()}
        command = [
            sys.executable,
            PROGRAM,
            "--spec",
            spec,
            "--runs",
            root,
            "--reference",
            root.parent / "reference.npz",
        ]
        subprocess.run([*command, *(part for pair in out.items() for part in pair)], check=True)
        return [path.read_bytes() for path in out.values()]

    first = run("first", METHODS, SEEDS)
    assert run("again", METHODS[::-1], SEEDS[::-1]) == first
    assert b"\r" not in first[0]
    table = pd.read_csv(tmp_path / "first-runs.csv", dtype={"digest": str})
    assert table["digest"].tolist() == ["ab12"] * 2 + ["cd34"] * 2 + ["12e45678"] * 2
    assert table["test_accuracy"].tolist() == [0.95, 0.9] * 3


def test_the_program_ends_with_one_message(root, data, tmp_path):
    spec = json.dumps({"methods": [{"id": "x", "regularizer": "x", "grid": [], "digests": ["00"]}], "seeds": [0]})
    command = [sys.executable, PROGRAM, "--spec", spec, "--runs", root, "--reference", root.parent / "reference.npz"]
    command += ["--table", tmp_path / "runs.csv", "--curves", tmp_path / "curves.csv"]
    command += ["--robustness", tmp_path / "robustness.csv"]
    command += ["--tuning", tmp_path / "tuning.csv", "--correct", tmp_path / "correct.npz"]
    ended = subprocess.run(command, capture_output=True, text=True)
    assert ended.returncode == 1 and ended.stderr.startswith("error: 1 of 1 run files")
    assert "Traceback" not in ended.stderr and not (tmp_path / "runs.csv").exists()


def test_a_grid_has_its_best_point_selected_and_its_bits_kept(root, data, tmp_path):
    grid = {"id": "tuned", "regularizer": "l2", "grid": [["strength", [1.0, 0.5]], ["training.steps", [7, 8]]]}
    grid["digests"] = ["d0", "ab12", "d2", "d3"]  # the second is l2's point too
    for point, validation in ((0, 0.5), (2, 0.9), (3, 0.9)):
        for seed in SEEDS:
            change = lambda metadata, arrays, v=validation: metadata["metrics"].update(validation_accuracy=v)  # noqa: E731
            write_run(root, grid, seed, point=point, edit=change)
    table, curves, robustness, correct = measurements.collect([*METHODS, grid], SEEDS, root, reference.make(data))
    assert robustness.groupby("method").size().to_dict() == dict.fromkeys(("l2", "l2_strong", "none", "tuned"), 72)
    mine = table[table["method"] == "tuned"]
    assert list(zip(mine["point"], mine["seed"], strict=True)) == [(p, s) for p in range(4) for s in (9, 10)]
    assert mine["selected"].tolist() == [0] * 4 + [1] * 2 + [0] * 2  # 2 and 3 are alike: the first
    assert mine["values"].tolist()[2] == '{"strength":1.0,"training.steps":8}'
    assert mine["digest"].tolist()[2:4] == ["ab12"] * 2 and len(table) == 14
    assert curves.groupby(["method", "point"]).size().loc["tuned"].tolist() == [4] * 4
    assert sorted(correct.packed) == [(m, s) for m in ("l2", "l2_strong", "none", "tuned") for s in (9, 10)]
    assert correct.rows("tuned", [10, 9]).sum(axis=1).tolist() == [18, 19] and correct.images == TEST


def test_of_a_part_of_the_study_the_runs_that_are_there_are_read(root, data):
    gone = sorted(root.rglob("seed-*.npz"))[0]
    gone.unlink()
    with pytest.raises(UserError, match="1 of"):
        collect(root, data)
    table, curves, *_ = measurements.collect(METHODS, SEEDS, root, reference.make(data), partial=True)
    assert len(table) == len(METHODS) * len(SEEDS) - 1 == len(curves.groupby(["method", "seed"]))
    (there,) = sorted(root.rglob("seed-*.npz"))[:1]
    there.write_bytes(b"")  # damaged is not missing
    with pytest.raises(UserError, match="1 of"):
        measurements.collect(METHODS, SEEDS, root, reference.make(data), partial=True)


def test_a_damaged_run_of_two_methods_is_named_once(root, data):
    shared = {"id": "again", "regularizer": "l2", "grid": [], "digests": ["ab12"]}
    path = runs.path(root, "l2", "ab12", 9)
    path.write_bytes(b"")
    with pytest.raises(UserError) as caught:
        measurements.collect([*METHODS, shared], SEEDS, root, reference.make(data))
    assert str(caught.value).startswith("1 of ") and str(caught.value).count(str(path)) == 1


def test_an_unusable_run_makes_way_for_a_new_one(root, data):
    path = runs.path(root, "l2", "ab12", 9)
    path.write_bytes(b"")
    with pytest.raises(UserError, match="the same command trains them again"):
        collect(root, data)
    assert not path.exists() and len([*path.parent.glob("seed-9.*.damaged")]) == 1


def test_diverged_runs_have_no_bits(root, data):
    write_run(root, METHODS[1], 9, edit=diverge)
    _, _, _, correct = collect(root, data)
    assert ("l2", 9) not in correct.packed and ("l2", 10) in correct.packed


def test_a_row_for_each_corruption_of_the_finished_runs_of_the_selected_points(root, data):
    write_run(root, METHODS[1], 9, edit=diverge)
    _, _, robustness, _ = collect(root, data)
    assert robustness.groupby(["method", "seed"]).size().to_dict() == dict.fromkeys(
        [("l2", 10), ("l2_strong", 9), ("l2_strong", 10), ("none", 9), ("none", 10)], 36
    )
    assert list(robustness.columns) == ROBUSTNESS_COLUMNS
    mine = robustness[(robustness["method"] == "l2") & (robustness["corruption"] == list(KINDS)[1])]
    assert mine["severity"].tolist() == [1, 2, 3] and mine["accuracy"].tolist() == pytest.approx([0.03, 0.04, 0.05])
