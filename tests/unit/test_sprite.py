"""The sprite: that the picture and its index give back the weights that the runs hold."""

import json

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from regatlas import networks, reference, runs
from regatlas.figures import sprite, style
from regatlas.training import _Pixels

SHAPE, CLASSES = (4, 6), 3
PIXELS = SHAPE[0] * SHAPE[1]


@pytest.fixture
def measured():
    images = np.random.default_rng(0).integers(1, 256, (9, PIXELS)).astype(np.uint8)
    images[:, 5] = 0
    labels = np.arange(9).astype(np.uint8) % CLASSES
    data = {"train_images": images, "train_labels": labels, "test_labels": labels}
    return reference.make(data | {"image_shape": np.array(SHAPE), "classes": np.array(CLASSES)})


def settings(hidden, stddev=0.5, permuted=False):
    network = {"hidden": hidden, "bias": False, "initial_stddev": stddev}
    return {"network": network, "training": {"permuted_pixels": permuted}}


def make(folder, grids, seeds=(0, 1, 2), hidden=0, lost=()):
    """Runs of these methods and points, their frame, and their kernels by method, point and seed."""
    rows, kernels = [], {}
    for number, (method, points) in enumerate(grids.items()):
        for point, values in enumerate(points):
            for seed in seeds:
                kernel = np.random.default_rng([number, point, seed]).standard_normal((PIXELS, hidden or CLASSES))
                kernels[method, point, seed] = kernel = (kernel * 10.0**-number).astype(np.float32)
                layers = {"kernel_0": kernel} | ({"kernel_1": np.eye(hidden, CLASSES)} if hidden else {})
                metadata = {"seed": seed, "settings": settings([hidden] if hidden else [])}
                runs.write(runs.path(folder, "r", f"{number}{point}", seed), metadata, layers)
                row = {"method": method, "seed": seed, "digest": f"{number}{point}", "regularizer": "r", "point": point}
                row |= {"values": json.dumps(values), "selected": int(point == 0), "test_accuracy": 0.9}
                rows.append({**row, "status": "diverged" if (method, seed) in lost else "finished"})
    methods = [{"id": method, "label": method, "color": "#123456"} for method in grids]
    spec = style.read_spec(json.dumps({"methods": methods, "baseline": methods[0]["id"], "seed": seeds[0]}))
    return spec, pd.DataFrame(rows), kernels


def draw(folder, measured, *study):
    spec, table, kernels = study
    sprite.draw(spec, table, folder, measured, folder)
    picture = np.asarray(Image.open(folder / "weights_sprite.png"))
    return picture, json.loads((folder / "weights_sprite.json").read_text()), kernels


def read(picture, index, cell):
    """A cell's weights, [pixels, units], and half a grey level."""
    height, width = index["image"]
    top, left = cell["at"] // index["columns"] * height, cell["at"] % index["columns"] * index["units"] * width
    tile = picture[top : top + height, left : left + cell["units"] * width].astype(float)
    assert tile.max() < 255
    levels = tile.reshape(height, cell["units"], width).transpose(0, 2, 1).reshape(height * width, -1)
    return cell["low"] + levels / 254 * (cell["high"] - cell["low"]), (cell["high"] - cell["low"]) / 508 * 1.01


def assert_same(found, half, kernel):
    low, high = np.quantile(kernel, (0.0005, 0.9995))
    assert np.abs(found - np.clip(kernel, low, high)).max() <= half


def test_every_seed_every_point_and_the_mean_can_be_read_back(tmp_path, measured):
    grids = {"none": [{}], "l2": [{"strength": 0.1}, {"strength": 10.0}]}
    picture, index, kernels = draw(tmp_path, measured, *make(tmp_path, grids))
    assert picture.dtype == np.uint8 and picture.ndim == 2
    by_point = {(row["method"], row["point"]): row for row in index["rows"] if "method" in row}
    assert by_point["l2", 1]["words"] == "strength 10" and not by_point["l2", 1]["selected"]
    for (method, point, seed), kernel in kernels.items():
        assert_same(*read(picture, index, by_point[method, point]["cells"][str(seed)]), kernel)
    for (method, point), row in by_point.items():
        mean = np.mean([kernels[method, point, seed] for seed in (0, 1, 2)], axis=0)
        assert_same(*read(picture, index, row["cells"]["mean"]), mean)
    assert index["never_lit"] == [5] and index["left_out"] == 0
    assert index["paths"] == [{"method": "l2", "setting": "strength", "rows": [1, 2], "words": ["0.1", "10"]}]


def test_start_and_template_are_rows_of_their_own(tmp_path, measured):
    picture, index, _ = draw(tmp_path, measured, *make(tmp_path, {"none": [{}]}))
    start, template = (row for row in index["rows"] if "name" in row)
    assert (start["name"], template["name"]) == ("start", "template")
    for seed in (0, 1, 2):
        drawn = networks.initial(settings([])["network"], PIXELS, CLASSES, seed).kernels[0].T  # training's start
        assert_same(*read(picture, index, start["cells"][str(seed)]), drawn)
    assert_same(*read(picture, index, template["cells"]["mean"]), measured.template)


@pytest.mark.parametrize(("stddev", "whose"), [(0.5, "the same for every method"), (0.1, "of the first method")])
def test_starts_are_called_the_same_if_they_are(tmp_path, measured, stddev, whose):
    study = make(tmp_path, {"none": [{}], "l2": [{}]})
    for path in tmp_path.glob("r/10/*.npz"):
        run = runs.read(path)
        runs.write(path, run.metadata | {"settings": settings([], stddev)}, run.arrays)
    _, index, _ = draw(tmp_path, measured, *study)
    (start,) = (row for row in index["rows"] if row.get("name") == "start")
    assert f"the initial weights, {whose}" in start["words"]


def test_a_start_has_each_pixels_weights_in_its_place():
    kernel = np.zeros((PIXELS, CLASSES), np.float32)
    metadata = {"seed": 3, "settings": settings([], permuted=True)}
    found = runs.initial_kernel(runs.Run(metadata, {"kernel_0": kernel}))
    drawn = networks.initial(settings([])["network"], PIXELS, CLASSES, 3).kernels[0].T
    in_place = _Pixels(PIXELS, True).in_place(drawn)
    assert np.array_equal(found, in_place) and not np.array_equal(found, drawn)


def test_hidden_units_have_no_mean_and_no_template(tmp_path, measured):
    study = make(tmp_path, {"none": [{}]}, hidden=50)
    picture, index, kernels = draw(tmp_path, measured, *study)
    (row, start) = index["rows"]
    assert index["hidden"] and set(row["cells"]) == {"0", "1", "2"} and start["name"] == "start"
    assert row["cells"]["1"]["units"] == sprite.UNITS
    assert_same(*read(picture, index, row["cells"]["1"]), kernels["none", 0, 1][:, : sprite.UNITS])


def test_methods_may_have_networks_of_their_own(tmp_path, measured):
    spec, table, kernels = make(tmp_path, {"none": [{}], "wide": [{}]})
    for seed in (0, 1, 2):
        kernel = np.full((PIXELS, 6), 1.0, np.float32)
        layers = {"kernel_0": kernel, "kernel_1": np.eye(6, CLASSES)}
        runs.write(runs.path(tmp_path, "r", "10", seed), {"seed": seed, "settings": settings([6])}, layers)
    picture, index, _ = draw(tmp_path, measured, spec, table, kernels)
    none, wide, start, template = index["rows"]
    assert [row["hidden"] for row in index["rows"]] == [False, True, False, False] and not index["hidden"]
    assert "mean" in none["cells"] and set(wide["cells"]) == {"0", "1", "2"} and index["units"] == 6
    assert_same(*read(picture, index, none["cells"]["2"]), kernels["none", 0, 2])
    assert start["name"] == "start" and template["name"] == "template"


def test_diverged_runs_are_left_out_and_a_method_may_have_none(tmp_path, measured):
    lost = (("none", 0), *(("l2", seed) for seed in (0, 1, 2)))
    picture, index, kernels = draw(tmp_path, measured, *make(tmp_path, {"none": [{}], "l2": [{}]}, lost=lost))
    none, l2 = index["rows"][:2]
    assert set(none["cells"]) == {"mean", "1", "2"} and l2["cells"] == {}
    mean = (kernels["none", 0, 1].astype(float) + kernels["none", 0, 2]) / 2
    assert_same(*read(picture, index, none["cells"]["mean"]), mean)


def test_what_does_not_fit_is_counted_and_the_means_stay(tmp_path, measured, monkeypatch):
    monkeypatch.setattr(sprite, "_MOST_PIXELS", 5 * PIXELS * CLASSES)
    _, index, _ = draw(tmp_path, measured, *make(tmp_path, {"a": [{}], "b": [{}]}))
    assert index["left_out"] == 3
    assert all({"mean", "0"} <= set(row["cells"]) for row in index["rows"][:2])


def test_no_finished_run_is_a_sprite_of_the_template_alone(tmp_path, measured):
    _, index, _ = draw(tmp_path, measured, *make(tmp_path, {"a": [{}]}, seeds=(0,), lost=(("a", 0),)))
    assert [row.get("name") for row in index["rows"] if row["cells"]] == ["template"]
