"""The figure of tuned settings: what it shows, of which points, and that it is whole as a file."""

import json
import re
import sys
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest

import figure_paths
from regatlas import tables
from regatlas.figures import paths, style

SVG = "{http://www.w3.org/2000/svg}"
SPEC = {
    "methods": [
        {"id": "none", "label": "No regularization", "color": "#333333"},
        {"id": "l2", "label": "L2 <regularization> & so on", "color": "#0072b2"},
    ],
    "baseline": "none",
    "seed": 0,
}
RATE = "training.learning_rate"
GRIDS = {
    "none": [{RATE: rate} for rate in (0.1, 0.0001, 0.001, 0.01)],
    "l2": [{"strength": s, "kind": kind} for s in (0.0, 1e-4, 1e-2) for kind in ("soft", "hard")],
}
SELECTED = {"none": 2, "l2": 3}


def runs(grids=GRIDS, seeds=(0, 1, 2), diverged=()):
    rows = []
    for method, points in grids.items():
        for point, values in enumerate(points):
            for seed in seeds:
                row = dict.fromkeys(tables.RUN_COLUMNS)
                row |= {"method": method, "seed": seed, "point": point, "values": json.dumps(values)}
                row |= {"selected": int(point == SELECTED[method]), "status": "finished"}
                row |= dict.fromkeys(paths.COLUMNS, 0.5 + 0.01 * seed + 0.1 * point)
                if (method, point, seed) in diverged:
                    row |= dict.fromkeys(paths.COLUMNS) | {"status": "diverged"}
                rows.append(row)
    return tables.typed(pd.DataFrame(rows, columns=tables.RUN_COLUMNS))


def draw(tmp_path, table):
    tables.write_csv(tmp_path / "runs.csv", table)
    arguments = ["--spec", json.dumps(SPEC), "--table", str(tmp_path / "runs.csv"), "--out", str(tmp_path)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["figure_paths.py", *arguments])
        figure_paths.main()
    return ElementTree.parse(tmp_path / "strength_paths.svg").getroot()


def found(method, table):
    spec = style.read_spec(json.dumps(SPEC))
    return paths._paths(spec, next(m for m in spec.methods if m.id == method), table)


def test_a_path_is_in_the_order_of_its_numbers_with_means_and_intervals():
    (path,) = found("none", runs()).values()
    assert path["value"].tolist() == [0.0001, 0.001, 0.01, 0.1]
    assert path["selected"].tolist() == [False, True, False, False]
    assert path["weight_norm"].tolist() == pytest.approx([0.61, 0.71, 0.81, 0.51])
    half = 4.302653 * 0.01 / np.sqrt(3)
    assert (path["roughness_high"] - path["roughness"]).tolist() == pytest.approx([half] * 4, rel=1e-5)


def test_of_several_settings_the_others_are_held_at_the_selected_point():
    both = found("l2", runs())  # selected is point 3: strength 1e-4, hard
    assert both["strength"]["value"].tolist() == [0.0, 1e-4, 1e-2]
    assert both["strength"]["weight_norm"].tolist() == pytest.approx([0.61, 0.81, 1.01])  # points 1, 3, 5
    assert both["kind"]["value"].tolist() == ["soft", "hard"]
    assert both["kind"]["weight_norm"].tolist() == pytest.approx([0.71, 0.81])  # points 2, 3


def test_the_file_says_what_it_shows(tmp_path):
    root = draw(tmp_path, runs(diverged=[("none", 0, 0), ("none", 0, 1), ("none", 0, 2), ("l2", 5, 1)]))
    texts = ["".join(element.itertext()) for element in root.iter(f"{SVG}text")]
    assert {"Accuracy (%)", "Norm", "Roughness", "Template correlation", "learning_rate", "strength"} <= set(texts)
    described = root.find(f"{SVG}desc").text
    assert "71.00 % at 0.001 (selected)" in described and "no finished run at 0.1" in described
    assert "81.00 % at hard (selected)" in described and "<regularization>" in described
    assert any("Left out, because training diverged" in text for text in texts)


def test_panels_without_values_are_left_out(tmp_path):
    table = runs()
    table["template_correlation"] = np.nan  # as of networks with hidden layers
    root = draw(tmp_path, table)
    assert "Template correlation" not in "".join(root.itertext())
    table.loc[table["method"] == "l2", "roughness"] = np.nan
    root = draw(tmp_path, table)
    texts = ["".join(element.itertext()) for element in root.iter(f"{SVG}text")]
    assert texts.count("\N{EN DASH}") == 2 and "Roughness" in texts
    assert texts.count("strength") == texts.count("kind") == 2  # not under the empty panels


def test_points_say_what_they_are(tmp_path):
    tips = [element.text for element in draw(tmp_path, runs()).iter(f"{SVG}title")]
    assert "No regularization, learning_rate 0.001, selected: test accuracy 71.00 % (68.52 to 73.48)" in tips
    assert "L2 <regularization> & so on, kind soft: weight norm 0.710 (0.685 to 0.735)" in tips


def test_accuracies_stay_below_100(tmp_path, monkeypatch):
    found, table = [], runs(seeds=(0, 1))
    table["test_accuracy"] = 0.98 - 0.1 * table["seed"]
    monkeypatch.setattr(paths, "save_svg", lambda figure, *rest: found.append(figure))
    paths.draw(style.read_spec(json.dumps(SPEC)), table, tmp_path)
    bands = [path.vertices[:, 1] for path in found[0].axes[0].collections[0].get_paths()]
    assert np.concatenate(bands).max() == 100


def test_a_note_counts_points_in_words():
    spec = style.read_spec(json.dumps(SPEC))
    assert "No regularization (2 at 1 point)." in paths._left_out(spec, runs(diverged=[("none", 0, 0), ("none", 0, 1)]))
    two = runs(diverged=[("none", 0, 0), ("none", 1, 1)])
    assert "No regularization (2 at 2 points)." in paths._left_out(spec, two)


@pytest.mark.parametrize("seeds", [(0,), (0, 1)])
def test_one_seed_all_diverged_and_the_same_bytes_again(tmp_path, seeds):
    everything = [(m, p, s) for m, points in GRIDS.items() for p in range(len(points)) for s in seeds]
    for diverged in ((), everything):
        draw(tmp_path, runs(seeds=seeds, diverged=diverged))
        first = (tmp_path / "strength_paths.svg").read_bytes()
        draw(tmp_path, runs(seeds=seeds, diverged=diverged))
        assert (tmp_path / "strength_paths.svg").read_bytes() == first


def test_a_study_without_a_finished_run_says_so(tmp_path):
    root = draw(tmp_path, runs({"none": GRIDS["none"]}, (0,), [("none", point, 0) for point in range(4)]))
    assert "no finished run" in "".join(root.itertext()) and "Norm" not in "".join(root.itertext())


def test_a_study_without_grids_says_so(tmp_path):
    root = draw(tmp_path, runs({"none": [{}] * 3}))
    assert "no setting has several values" in "".join(root.itertext())


def test_the_axis_fits_the_values():
    from matplotlib.figure import Figure

    def axis(values):
        axes = Figure().subplots()
        places = paths._axis(axes, values)
        return axes.get_xscale(), places.tolist(), [label.get_text() for label in axes.get_xticklabels()]

    assert axis([0.5, 0.8, 0.9, 0.95])[2] == ["0.5", "0.8", "0.95"]  # another one would overlap
    assert axis([0.004, 0.008, 0.016, 0.032])[::2] == ("log", ["0.004", "0.008", "0.016", "0.032"])
    assert axis([1e-5, 1e-4, 1e-3]) == ("log", [1e-5, 1e-4, 1e-3], ["1e-05", "0.0001", "0.001"])
    assert axis([0.5, 0.8]) == ("linear", [0.5, 0.8], ["0.5", "0.8"])
    assert axis([0, 1e-4, 1e-2]) == ("linear", [0, 1, 2], ["0", "0.0001", "0.01"])  # by rank
    assert axis([True, False]) == ("linear", [0, 1], ["true", "false"])
    assert axis([10.0**n for n in range(9)])[2] == ["1", "1000", "1e+08"]


def test_labels_of_an_axis_are_not_rounded(tmp_path):
    table = runs({"none": GRIDS["none"]})
    table["test_accuracy"] = table["validation_accuracy"] = 0.9284 + 0.0012 * table["point"]
    root = draw(tmp_path, table)
    texts = ["".join(element.itertext()) for element in root.iter(f"{SVG}text")]
    assert [text for text in texts if re.fullmatch(r"9\d\.\d+", text)] == ["92.95", "93.10"]
