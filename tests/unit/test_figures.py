"""The figures: what they show, that it is what the data say, and that they are whole as files."""

import base64
import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

import figure_accuracy
import figure_calibration
import figure_cost
import figure_curves
import figure_distribution
import figure_forest
import figure_robustness
import figure_runtime
import figure_sizes
import figure_sprite
import figure_weights
from regatlas import palette, reference, runs, tables
from regatlas.errors import UserError
from regatlas.figures import accuracy, calibration, cost, curves, forest, runtime, sizes, style
from regatlas.figures.curves import spread
from regatlas.report import page

SCRIPTS = Path(figure_weights.__file__).parent
PROGRAMS = {
    "weights": (figure_weights, ("runs", "reference")),
    "curves": (figure_curves, ("curves",)),
    "accuracy": (figure_accuracy, ("comparison",)),
    "runtime": (figure_runtime, ("comparison",)),
    "distribution": (figure_distribution, ("runs",)),
    "forest": (figure_forest, ("comparison",)),
    "cost": (figure_cost, ("comparison",)),
    "calibration": (figure_calibration, ("runs", "reference")),
    "sprite": (figure_sprite, ("runs", "reference")),
}
WEIGHTS = [f"weights_{s}_scale_{k}" for s in ("shared", "own") for k in ("one_seed", "mean")]
FILES = [
    *[*WEIGHTS, "learning_curves", "accuracy", "runtime", "weight_distribution"],
    *["forest", "cost", "calibration", "weight_spectrum"],
]
SHAPE, CLASSES, DARK = (4, 6), 3, 5  # pixel 5 is the last of the first row
SVG = "{http://www.w3.org/2000/svg}"
GREY = (0x8A, 0x8A, 0x8A)


def make(
    folder: Path,
    labels: dict[str, str],
    seeds: tuple[int, ...] = (0, 1, 2),
    diverged: tuple[tuple[str, int], ...] = (),
    hidden: bool = False,
    classes: int = CLASSES,
) -> SimpleNamespace:
    """A study's files. Method m at seed s has weights of size 10**-(m % 3), accuracy .9 - .1 m + .01 s."""
    rows, curves, compared, pixels = [], [], [], SHAPE[0] * SHAPE[1]
    for m, (method, label) in enumerate(labels.items()):
        for s in seeds:
            size = 10.0 ** -(m % 3)
            status = "diverged" if (method, s) in diverged else "finished"
            kernel = size * np.random.default_rng([m, s]).uniform(-1, 1, (pixels, 12 if hidden else classes))
            kernel[0] = size * np.resize([1, -1, 0], kernel.shape[1])
            layers = {"kernel_0": kernel.astype("f4")} | ({"kernel_1": np.eye(12, 3)} if hidden else {})
            digest = f"{m}e{10 + m}"  # looks like a number
            answers = {"test_predicted": np.zeros(2, np.uint8), "test_confidence": np.array([0.5, 0.9], np.float32)}
            settings = {"network": {"initial_stddev": 0.1}, "training": {"permuted_pixels": False}}
            metadata = {"status": status, "seed": s, "settings": settings}
            runs.write(runs.path(folder / "runs", f"r{m}", digest, s), metadata, layers | answers)
            row = {"method": method, "seed": s, "digest": digest, "regularizer": f"r{m}", "status": status}
            row |= {"point": 0, "values": "{}", "selected": 1}
            accuracy = 0.9 - 0.1 * m + 0.01 * s
            known = status == "finished"
            row |= {"test_ece": 0.25 if known else None, "test_nll": 0.5 if known else None}
            rows.append({**row, "test_accuracy": accuracy if known else None})
            for step in (1, 10, 20, 30, 40, 50, *range(100, 1001, 50)):
                reached = accuracy * step / (step + 20)
                curve = {"train_loss": 1 - reached, "validation_accuracy": reached, "test_accuracy": reached}
                curves.append({"method": method, "seed": s, "point": 0, "step": step, **curve})
        mine = [r["test_accuracy"] for r in rows if r["method"] == method and r["status"] == "finished"]
        mean, wide = (float(np.mean(mine)), len(mine) > 1) if mine else (None, False)
        half = 0.02 if wide else None
        row = {"method": method, "label": label, "seeds": len(mine), "diverged": len(seeds) - len(mine)}
        row["baseline"] = next(iter(labels)) if m else ""
        for name, value in (("test_accuracy", mean), ("relative_runtime", 1 + m / 4 if mine else None)):
            row |= {name: value, f"{name}_low": wide and value - half, f"{name}_high": wide and value + half}
        off = 0.03 if m == 1 and mine else 0
        row |= {f"test_accuracy_noise_off{e}": row[f"test_accuracy{e}"] for e in ("", "_low", "_high")}
        row["test_accuracy_noise_off"] = mean and mean + off
        row["microseconds_per_step"] = 30.0 + 10 * m if mine else None
        if m and mine and compared[0]["test_accuracy"]:
            difference = mean - compared[0]["test_accuracy"]
            for name, half in (("difference", 0.01), ("difference_simultaneous", 0.02)):
                row |= {f"{name}_low": difference - half, f"{name}_high": difference + half} if wide else {}
            row |= {"difference": difference, "decision": "worse" if wide else "undecided"}
        row |= {"published_test_accuracy": 0.912, "published_relative_runtime": 1.5} if m == 0 else {}
        compared.append({key: None if value is False else value for key, value in row.items()})
    for name, table, columns in (
        ("runs", rows, [*rows[0]]),
        ("curves", curves, tables.CURVE_COLUMNS),
        ("comparison", compared, tables.COMPARISON_COLUMNS),
    ):
        pd.DataFrame(table, columns=columns).to_csv(folder / f"{name}.csv", index=False)
    images = np.full((2, pixels), 9, np.uint8)
    images[:, DARK] = 0
    images[0] = 0
    labels_of_images = {"train_labels": np.zeros(2, np.uint8), "test_labels": np.zeros(2, np.uint8)}
    data = {"train_images": images, "image_shape": np.array(SHAPE), "classes": np.array(2), **labels_of_images}
    reference.write(folder / "reference.npz", reference.make(data))
    colors = palette.assign_colors(labels)
    methods = [{"id": key, "label": label, "color": colors[key]} for key, label in labels.items()]
    spec = {"methods": methods, "baseline": next(iter(labels)), "seed": seeds[0]}
    return SimpleNamespace(folder=folder, spec=spec)


def arguments(study: SimpleNamespace, name: str, out: str) -> list[str]:
    given = {"reference": "reference.npz", "runs": "runs"}
    result = ["--spec", json.dumps(study.spec), "--table", str(study.folder / "runs.csv")]
    for key in PROGRAMS[name][1]:
        result += [f"--{key}", str(study.folder / given.get(key, f"{key}.csv"))]
    return [*result, "--out", str(study.folder / out)]


def draw(study: SimpleNamespace, *names: str, out: str = "figures") -> Path:
    for name in names or PROGRAMS:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, "argv", [f"figure_{name}.py", *arguments(study, name, out)])
            PROGRAMS[name][0].main()
    return study.folder / out


def svg(folder: Path, name: str) -> ElementTree.Element:
    return ElementTree.fromstring((folder / f"{name}.svg").read_bytes())


def texts(root: ElementTree.Element) -> list[str]:
    return ["".join(element.itertext()) for element in root.iter(f"{SVG}text")]


def description(root: ElementTree.Element) -> str:
    return root.find(f"{SVG}desc").text


def figure_of(study: SimpleNamespace, name: str, module: ModuleType, monkeypatch: pytest.MonkeyPatch) -> Figure:
    """The matplotlib figure that a program saves."""
    found = []
    monkeypatch.setattr(module, "save_svg", lambda figure, *rest: found.append(figure))
    draw(study, name)
    return found[0]


def ends(panel: Axes) -> list[tuple[float, float]]:
    """The lines of two points of a panel: where they begin and end."""
    return [tuple(np.round(line.get_xdata(), 6)) for line in panel.lines if len(line.get_xdata()) == 2]


def images(root: ElementTree.Element, shape: tuple[int, int] = SHAPE) -> list[np.ndarray]:
    """The embedded pictures that have the size of the data's images, as RGB."""
    result = []
    for element in root.iter(f"{SVG}image"):
        content = element.get("{http://www.w3.org/1999/xlink}href").split(",", 1)[1]
        picture = np.asarray(Image.open(io.BytesIO(base64.b64decode(content))).convert("RGB"))
        if picture.shape[:2] == shape:
            # mpl may store rows bottom up and turn the picture over
            scale = re.match(r"matrix\(\S+ \S+ \S+ (\S+)", element.get("transform") or "")
            result.append(picture[::-1] if scale and float(scale[1]) < 0 else picture)
            assert "pixelated" in element.get("style")
    return result


FOUR = {"none": "No regularization", "dropout": "Dropout", "l2": "L2 regularization", "mine": "My own method"}
ODD = {
    "none": "No $x$ <b>",
    "a<b": 'Cost &amp; "5$" & $y_1$ </svg>]]> of a label that is so very long that it cannot stand on one line',
    "_u": "_hidden",
    "NA": "NA",
}


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    return draw(make(tmp_path_factory.mktemp("four"), FOUR))


@pytest.fixture(scope="module")
def odd(tmp_path_factory):
    lost = (("_u", 0), ("_u", 2), *(("NA", s) for s in (0, 1, 2)))
    return draw(make(tmp_path_factory.mktemp("odd"), ODD, diverged=lost))


# Colours


def test_the_posts_methods_have_fixed_colors_whatever_else_there_is():
    five = palette.assign_colors(["none", "dropout", "gaussian", "l2", "weight_norm"])
    more = palette.assign_colors(["a", "l2", "none", "b", "weight_norm", "gaussian", "dropout"])
    assert len(set(five.values())) == 5
    assert {key: more[key] for key in five} == five
    red, green, blue = (int(five["none"][i : i + 2], 16) for i in (1, 3, 5))
    assert red == green == blue


def test_a_thousand_methods_have_colors_of_their_own():
    ids = ["none", "dropout", "gaussian", "l2", "weight_norm", *(f"method {i}" for i in range(995))]
    colors = list(palette.assign_colors(ids).values())
    assert len(set(colors)) == 1000
    assert set(colors[:29]) == {*palette.FIXED.values(), *(c for group in palette.OTHERS for c in group)}
    for color in colors[29:]:
        assert_it_stands_out(color)


def test_a_method_added_at_the_end_changes_no_color():
    ids = [f"m{i}" for i in range(60)]
    short = palette.assign_colors(ids[:50])
    assert {key: palette.assign_colors(ids)[key] for key in short} == short


def test_a_chosen_color_wins_and_is_not_given_twice():
    free = palette.assign_colors(["none", "mine"])["mine"]
    colors = palette.assign_colors(["none", "mine", "l2"], {"l2": free.upper(), "absent": "red"})
    assert colors["l2"] == free.upper()
    assert colors["mine"] not in (free, free.upper())
    assert "absent" not in colors


def luminance(color: str) -> float:
    parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("color", [*palette.FIXED.values(), *(c for group in palette.OTHERS for c in group)])
def test_colors_stand_out_from_a_white_and_from_a_dark_page(color):
    assert_it_stands_out(color)


def assert_it_stands_out(color: str) -> None:
    assert 1.05 / (luminance(color) + 0.05) >= 3
    assert (luminance(color) + 0.05) / (luminance("#1a1a1a") + 0.05) >= 3


def test_the_palette_needs_the_standard_library_alone():
    code = "import sys, regatlas.palette; print(sorted({'numpy', 'matplotlib'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=SCRIPTS, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# Files


@pytest.mark.parametrize("name", FILES)
def test_an_svg_follows_the_page_and_disturbs_nothing_in_it(drawn, name):
    text = (drawn / f"{name}.svg").read_text()
    assert text.startswith("<svg ")
    assert "currentColor" in text
    assert not re.search(r"(?:fill|stroke): ?(?:#1c1b1d|black|#000000)", text)
    root = ElementTree.fromstring(text)
    assert [child.tag for child in root][:2] == [f"{SVG}title", f"{SVG}desc"]
    tags = {element.tag for element in root.iter()}
    assert not tags & {f"{SVG}style", f"{SVG}metadata", f"{SVG}script"}
    ids = [element.get("id") for element in root.iter() if element.get("id")]
    assert len(ids) == len(set(ids))
    assert all(key.startswith(f"figure-{name}-") for key in ids)  # others than the headings' on the page
    assert set(root.get("aria-labelledby").split()) <= set(ids)
    assert set(re.findall(r'(?:url\(|href=")#([^")]+)', text)) <= set(ids)
    assert "DejaVu" not in text
    assert "sans-serif" in text


def test_pngs_are_on_white_at_the_resolution_asked_for(tmp_path):
    study = make(tmp_path, FOUR)
    study.spec |= {"width": 5, "dpi": 150}
    folder = draw(study, "weights")
    for name in WEIGHTS:
        picture = Image.open(folder / f"{name}.png")
        assert picture.width == 750
        assert picture.convert("RGBA").getpixel((1, 1)) == (255, 255, 255, 255)
        assert "min" in picture.text["Description"]


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_same_data_give_the_same_bytes_on_another_machine(tmp_path, name):
    study = make(tmp_path, FOUR)
    first = draw(study, name)
    rc = tmp_path / "matplotlibrc"
    rc.write_text("font.size: 30\nsvg.fonttype: path\naxes.grid: True\nbackend: TkAgg\n")
    environment = {**os.environ, "MATPLOTLIBRC": str(rc), "PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo"}
    program = [sys.executable, str(SCRIPTS / f"figure_{name}.py"), *arguments(study, name, "again")]
    subprocess.run(program, env=environment, check=True)
    written = sorted(path.name for path in first.iterdir())
    assert written == sorted(path.name for path in (tmp_path / "again").iterdir())
    assert all((first / file).read_bytes() == (tmp_path / "again" / file).read_bytes() for file in written)


@pytest.mark.parametrize("labels", [ODD, {f"m{i}": f"Method number {i}" for i in range(15)}, {"none": "x" * 90}])
def test_nothing_is_cut_off_at_the_edges(tmp_path, monkeypatch, labels):
    outside, save = [], Figure.savefig

    def check(figure, *args, **options):
        save(figure, *args, **options)
        box, (width, height) = figure.get_tightbbox(), figure.get_size_inches()
        if box.x0 < -0.01 or box.y0 < -0.01 or box.x1 > width + 0.01 or box.y1 > height + 0.01:
            outside.append((box, width, height))

    monkeypatch.setattr(Figure, "savefig", check)
    draw(make(tmp_path, labels, seeds=(0, 1)))
    assert not outside


@pytest.mark.parametrize("name", FILES)
def test_labels_appear_as_they_are(odd, name):
    root = svg(odd, name)
    shown = "".join(texts(root)).replace(" ", "")
    for key, label in ODD.items():
        if key != "NA" or name in ("accuracy", "runtime"):
            assert label.replace(" ", "") in shown
            assert label in description(root) or key == "NA"


@pytest.mark.parametrize("name", FILES)
def test_diverged_runs_are_left_out_and_named(odd, name):
    root = svg(odd, name)
    said = description(root) + "".join(texts(root))
    assert "seeds 0, 2" in said or "seed 1, as 0 did not finish" in said or "1 seed" in said
    assert "NA (seeds 0, 1, 2)" in said or "NA: no finished run" in said


@pytest.mark.parametrize("seeds", [(4,), (0, 1)])
def test_one_method_alone_can_be_drawn(tmp_path, seeds):
    folder = draw(make(tmp_path, {"none": "Alone"}, seeds=seeds))
    assert sorted(path.stem for path in folder.glob("*.svg")) == sorted(FILES)
    bands = [path for path in svg(folder, "learning_curves").iter() if "opacity: 0.22" in path.get("style", "")]
    assert bool(bands) == (len(seeds) > 1)
    assert ("95 %" in " ".join(texts(svg(folder, "accuracy")))) == (len(seeds) > 1)


def test_a_study_without_a_finished_run_still_gets_its_figures(tmp_path):
    folder = draw(make(tmp_path, {"none": "Alone"}, seeds=(0,), diverged=(("none", 0),)))
    for name in FILES:
        words = "no other method" if name == "forest" else "no finished run"
        assert words in "".join(texts(svg(folder, name)))


# Many methods


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """Thirty methods, the later the less accurate; the baseline is in the middle."""
    study = make(tmp_path_factory.mktemp("many"), {f"m{i}": f"Method number {i}" for i in range(30)}, seeds=(0, 1))
    study.spec["baseline"] = "m15"
    return draw(study)


CHOSEN = [*range(10), 15, *range(25, 30)]


@pytest.mark.parametrize("name", [*WEIGHTS, "learning_curves", "weight_distribution"])
def test_of_many_methods_the_baseline_the_best_and_the_worst_are_shown(many, name):
    root = svg(many, name)
    shown = "".join(texts(root)).replace(" ", "")
    named = {int(text.removeprefix("Method number ")) for text in texts(root) if text.startswith("Method number ")}
    said = {int(number) for number in re.findall(r"Method number (\d+)[ (:]", description(root))}
    assert said == set(CHOSEN)
    assert named == set(CHOSEN)
    for text in (shown, description(root).replace(" ", "")):
        assert "16of30methods:thebaseline,the10ofthehighestandthe5ofthelowestmeantestaccuracy" in text
    if name in WEIGHTS:
        assert len(images(root)) == 16 * CLASSES


def test_the_curves_of_the_others_are_grey_lines(many):
    root = svg(many, "learning_curves")
    grey = [e for e in root.iter(f"{SVG}path") if "#8a8a8a" in e.get("style", "")]
    assert len(grey) == 4 * (30 - len(CHOSEN))


@pytest.mark.parametrize("name", ["accuracy", "runtime"])
def test_figures_of_rows_show_all_methods(many, name):
    assert len({int(n) for n in re.findall(r"Method number (\d+):", description(svg(many, name)))}) == 30


def test_chosen_methods_differ_in_dash_or_marker_and_keep_their_color(tmp_path):
    study = make(tmp_path, {f"m{i}": f"M{i}" for i in range(30)}, seeds=(0,))
    spec = style.read_spec(json.dumps(study.spec))
    chosen = spec.chosen(pd.read_csv(tmp_path / "runs.csv"))
    assert len({(method.dash, method.marker) for method in chosen.methods}) == 15
    assert {m.id: m.color for m in chosen.methods}.items() <= {m.id: m.color for m in spec.methods}.items()
    assert {m.id: m.marker for m in chosen.methods}.items() <= {m.id: m.marker for m in spec.methods}.items()
    few = style.read_spec(json.dumps({**study.spec, "methods": study.spec["methods"][:24]}))
    assert few.chosen(pd.read_csv(tmp_path / "runs.csv")) is few


def test_a_note_names_few_of_many_lost_runs():
    methods = [{"id": f"m{i}", "label": f"M{i}", "color": "red"} for i in range(8)]
    spec = style.read_spec(json.dumps({"methods": methods, "baseline": "m0", "seed": 0}))
    lost = pd.DataFrame([{"method": f"m{i}", "seed": s, "status": "diverged"} for i in range(8) for s in range(20)])
    text = spec.left_out(lost)
    assert "M0 (seeds 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, ...)" in text
    assert text.endswith("; and runs of 3 other methods.") and "M5" not in text


def test_thousands_of_seeds_are_one_picture_a_panel(tmp_path):
    study = make(tmp_path, {"none": "A"}, seeds=(0, 1))
    rows = [
        {"method": "none", "seed": s, "digest": "0e10", "regularizer": "r0", "status": "finished"} for s in range(3000)
    ]
    table = pd.DataFrame(rows).assign(test_accuracy=np.linspace(0.5, 0.9, 3000), point=0, selected=1)
    table.to_csv(tmp_path / "runs.csv", index=False)
    root = svg(draw(study, "accuracy"), "accuracy")
    assert len(list(root.iter(f"{SVG}image"))) == 2
    assert len(list(root.iter(f"{SVG}use"))) < 100


# What they show


def test_weight_images_have_the_right_pixels_in_the_right_places(drawn):
    pictures = images(svg(drawn, "weights_own_scale_one_seed"))
    assert len(pictures) == len(FOUR) * CLASSES
    for method in range(len(FOUR)):
        red, blue, white = (pictures[method * CLASSES + c][0, 0].astype(int) for c in range(CLASSES))
        assert red[0] > 90 and red[0] > red[2] + 50
        assert blue[2] > 90 and blue[2] > blue[0] + 50
        assert white.min() > 240
    for picture in pictures:
        grey = (picture == GREY).all(axis=2)
        assert np.argwhere(grey).tolist() == [[DARK // SHAPE[1], DARK % SHAPE[1]]]


def test_on_the_shared_scale_small_weights_are_pale(drawn):
    shared = images(svg(drawn, "weights_shared_scale_one_seed"))
    assert shared[0][0, 0].min() < 50
    assert shared[2 * CLASSES][0, 0].min() > 230  # a hundred times smaller
    scale = {text for text in texts(svg(drawn, "weights_shared_scale_one_seed")) if text[0] in "≤≥"}
    assert {re.sub(r"[^\d.]", "", text) for text in scale} == {"1.0"}


def test_mean_images_show_the_mean_over_seeds(tmp_path):
    study = make(tmp_path, {"none": "A"}, seeds=(0, 1))
    for s, value in ((0, 1.0), (1, -1.0)):
        kernel = np.full((24, CLASSES), 0.5, np.float32)
        kernel[:8] = value
        runs.write(runs.path(tmp_path / "runs", "r0", "0e10", s), {"status": "finished"}, {"kernel_0": kernel})
    picture = images(svg(draw(study, "weights"), "weights_own_scale_mean"))[0]
    assert picture[0, 0].min() > 240  # 1 and -1 cancel
    assert picture[3, 5, 0] > picture[3, 5, 2] + 50


def test_hidden_units_are_shown_as_units_and_not_averaged(tmp_path):
    folder = draw(make(tmp_path, FOUR, hidden=True), "weights", "distribution")
    root = svg(folder, "weights_own_scale_one_seed")
    assert len(images(root)) == 10 * len(FOUR)
    assert "10" in texts(root) and "hidden unit" in "".join(texts(root))
    mean = svg(folder, "weights_own_scale_mean")
    assert not images(mean)
    assert "not shown" in description(mean)


def test_up_to_20_classes_get_a_column_each(tmp_path):
    root = svg(draw(make(tmp_path, FOUR, classes=20), "weights"), "weights_shared_scale_one_seed")
    assert len(images(root)) == 20 * len(FOUR)
    assert "19" in texts(root)


def test_descriptions_state_the_numbers(drawn):
    said = {name: description(svg(drawn, name)) for name in FILES}
    assert "No regularization: 91.00 % (89.00 to 93.00), 3 seeds; published 91.2 %." in said["accuracy"]
    assert "Dropout: 81.00 % (79.00 to 83.00), 3 seeds; with its noise off 84.00 %" in said["accuracy"]
    assert "Dropout: 40.0 µs per step, 1.25 times the baseline (1.23 to 1.27)." in said["runtime"]
    assert "No regularization: 65.00 % at step 50, 89.22 % at step 1,000" in said["learning_curves"]
    assert "L2 regularization: 216 weights, min \N{MINUS SIGN}0.0100, max 0.0100" in said["weight_distribution"]
    assert "1 of 24 pixels are grey" in said["weights_own_scale_one_seed"]
    assert "L2 regularization: min \N{MINUS SIGN}0.0100, max 0.0100" in said["weights_own_scale_one_seed"]
    which = "weights are row-centred (raw where they lead to hidden units) and those of live pixels"
    assert which in said["weight_spectrum"] and which in page._CAPTIONS["spectrum"]["weight_spectrum"]


def test_two_figures_have_their_numbers_beside_them(drawn):
    pools = pd.read_csv(drawn / "weight_distribution.csv").set_index("method")
    assert pools.loc["l2", ["weights", "smallest", "largest"]].tolist() == pytest.approx([216, -0.01, 0.01], abs=1e-6)
    assert (pools["smallest"] <= pools["low"]).all() and (pools["high"] <= pools["largest"]).all()
    powers = pd.read_csv(drawn / "weight_spectrum.csv")
    coarse, fine = powers.loc[powers["method"] == "l2", "power"].iloc[[0, -1]]
    said = f"L2 regularization: {style.number(coarse, 2)} at the coarsest scale, {style.number(fine, 2)} at the finest"
    assert said in description(svg(drawn, "weight_spectrum"))


def test_the_spectrum_does_not_see_what_softmax_does_not_see(tmp_path):
    study = make(tmp_path, FOUR)
    before = pd.read_csv(draw(study, "sprite") / "weight_spectrum.csv")
    for path in (tmp_path / "runs").rglob("*.npz"):
        run = runs.read(path)
        shifted = run.kernels[0] + np.arange(len(run.kernels[0]), dtype=np.float32)[:, None] ** 2
        runs.write(path, run.metadata, run.arrays | {"kernel_0": shifted})
    after = pd.read_csv(draw(study, "sprite", out="again") / "weight_spectrum.csv")
    assert after["power"].tolist() == pytest.approx(before["power"].tolist(), rel=1e-2)


def test_ninety_nine_in_a_hundred_weights_lie_between_low_and_high(tmp_path):
    study = make(tmp_path, FOUR)
    table = pd.read_csv(draw(study, "distribution") / "weight_distribution.csv").set_index("method")
    weights = np.concatenate([runs.read(path).kernels[0].ravel() for path in (tmp_path / "runs" / "r2").rglob("*.npz")])
    low, high = np.quantile(weights.astype(float), (0.005, 0.995))
    assert table.loc["l2", ["low", "high"]].tolist() == pytest.approx([low, high])


def test_what_belongs_to_a_method_says_so_and_has_a_tip(drawn, odd):
    for name in FILES:
        owners = {e.get("data-method") for e in svg(drawn, name).iter() if e.get("data-method")}
        assert owners == (set(FOUR) - {"none"} if name == "forest" else set(FOUR))
    mine = [e.find(f"{SVG}title") for e in svg(odd, "accuracy").iter() if e.get("data-method") == "a<b"]
    tips = [title.text for title in mine if title is not None]
    assert f"{ODD['a<b']}, seed 2: 82.00 %" in tips


@pytest.mark.parametrize("name", WEIGHTS)
def test_without_a_methods_marks_its_row_of_weight_images_is_gone(drawn, name):
    root = svg(drawn, name)
    parents = {child: parent for parent in root.iter() for child in parent}
    for mine in [e for e in root.iter() if e.get("data-method") == "l2"]:
        parents[mine].remove(mine)
    shown = " ".join(texts(root))
    assert len(images(root)) == (len(FOUR) - 1) * CLASSES
    assert FOUR["l2"] not in shown and all(label in shown for key, label in FOUR.items() if key != "l2")
    scales = sum(e.get("id") is None and e.tag == f"{SVG}image" for e in root.iter()) - len(images(root))
    assert scales == (1 if "shared" in name else len(FOUR) - 1)


def test_weight_images_say_that_the_weights_are_raw_and_of_which_seed(tmp_path):
    folder = draw(make(tmp_path, FOUR, seeds=(4, 5)), "weights")
    for name in WEIGHTS:
        said = "Mean of the raw weights over seeds, from" if "mean" in name else "Raw weights of seed 4, from"
        assert any(text.startswith(said) for text in texts(svg(folder, name)))


def test_the_forest_shows_both_intervals_seeds_and_the_decision(drawn):
    root = svg(drawn, "forest")
    said = description(root).replace("\N{MINUS SIGN}", "-")
    assert "Dropout: -10.00 points, 95 % t interval -11.00 to -9.00, simultaneous -12.00 to -8.00; worse." in said
    tips = [e.text.replace("\N{MINUS SIGN}", "-") for e in root.iter(f"{SVG}title")]
    assert "My own method, seed 1: -30.00 points" in tips
    assert texts(root).count("worse") == 3


def test_band_and_intervals_of_the_forest_are_where_the_table_has_them(tmp_path, monkeypatch):
    panel = figure_of(make(tmp_path, FOUR), "forest", forest, monkeypatch).axes[0]
    assert (panel.patches[0].get_x(), panel.patches[0].get_width()) == pytest.approx((-0.2, 0.4))  # twice the margin
    expected = {(m - half, m + half) for m in (-10, -20, -30) for half in (1, 2)}  # t, simultaneous
    assert expected <= set(ends(panel))


def test_the_forest_names_the_baseline_of_each_method_if_there_are_several(tmp_path):
    study = make(tmp_path, FOUR)
    comparison = pd.read_csv(tmp_path / "comparison.csv")
    comparison["baseline"] = ["", "none", "dropout", ""]
    comparison.to_csv(tmp_path / "comparison.csv", index=False)
    root = svg(draw(study, "forest"), "forest")
    assert {e.get("data-method") for e in root.iter() if e.get("data-method")} == {"dropout", "l2"}
    assert {"against No", "against Dropout"} <= {" ".join(text.split()[:2]) for text in texts(root)}
    tips = [e.text.replace("\N{MINUS SIGN}", "-") for e in root.iter(f"{SVG}title")]
    assert "L2 regularization, seed 0: -10.00 points" in tips  # to dropout, not to none


def test_the_cost_figure_marks_what_no_other_beats(drawn):
    assert "No other is both faster and better than: No regularization." in description(svg(drawn, "cost"))
    times = pd.Series({"a": 3.0, "b": 1.0, "c": 2.0, "d": 2.0})
    accuracy = pd.Series({"a": 0.9, "b": 0.5, "c": 0.4, "d": 0.7})
    assert cost.unbeaten(times, accuracy) == ["b", "d", "a"]


def test_what_was_not_timed_is_not_drawn(tmp_path):
    study = make(tmp_path, FOUR)
    comparison = pd.read_csv(tmp_path / "comparison.csv")
    columns = ["relative_runtime", "relative_runtime_low", "relative_runtime_high", "microseconds_per_step"]
    comparison.loc[:1, columns] = np.nan  # too short
    comparison.to_csv(tmp_path / "comparison.csv", index=False)
    root = svg(draw(study, "cost", "runtime"), "runtime")
    assert texts(root).count("no measured time") == 2 and "no finished run" not in texts(root)
    assert "No regularization: no measured time, published 1.50." in description(root)
    assert "Left out, because no step was timed: No regularization, Dropout." in description(
        svg(tmp_path / "figures", "cost")
    )
    comparison[columns] = np.nan
    comparison.to_csv(tmp_path / "comparison.csv", index=False)
    draw(study, "cost", "runtime")
    assert texts(svg(tmp_path / "figures", "cost")) == ["no measured time"]
    assert "one seed" not in texts(svg(tmp_path / "figures", "runtime"))


def test_legends_name_every_mark_that_is_there_and_no_other(drawn, tmp_path):
    hollow, beyond, line = "the same of fewer than 10 images", "mean outside of the panel on the right", "* and line: "
    assert hollow in texts(svg(drawn, "calibration")) and beyond in texts(svg(drawn, "forest"))
    assert not any(line in text for text in texts(svg(drawn, "cost")))  # one method beats all the others
    study = make(tmp_path, FOUR)
    study.spec["margin"] = 0.1  # wide enough for all differences
    comparison = pd.read_csv(tmp_path / "comparison.csv")
    comparison["microseconds_per_step"] = comparison["microseconds_per_step"].to_numpy()[::-1]
    comparison.to_csv(tmp_path / "comparison.csv", index=False)
    draw(study, "forest", "cost")
    assert beyond not in texts(svg(tmp_path / "figures", "forest"))
    assert any(line in text for text in texts(svg(tmp_path / "figures", "cost")))


def test_a_line_of_a_title_does_not_end_between_a_name_and_its_number():
    lines = style.wrap(calibration._whole("ECE 0.43, NLL 1.3, Brier 0.57"), 24).split("\n")
    assert len(lines) == 2 and all(line[-1] in ",0123456789" for line in lines)


def test_reliability_counts_right_answers_by_confidence(tmp_path):
    for seed, confidence in enumerate(([0.125, 0.25, 1.0, 1.0], [0.125, 0.25, 1.0, 0.9375])):
        answers = {"test_predicted": np.array([1, 1, 1, 0]), "test_confidence": np.array(confidence, np.float32)}
        runs.write(tmp_path / f"{seed}.npz", {}, answers)
    found = calibration.reliability([tmp_path / "0.npz", tmp_path / "1.npz"], np.array([1, 0, 1, 1]))
    assert found.images.tolist() == [0, 2, 0, 2, *[0] * 10, 4]  # an eighth is in the second fifteenth
    assert found.accuracy[[1, 3, 14]].tolist() == [1, 0, 0.5]
    assert found.confidence[14] == 0.984375 and np.isnan(found.accuracy[0])


def test_sizes_join_methods_of_a_family(tmp_path):
    study = make(tmp_path, FOUR)
    table = pd.read_csv(tmp_path / "runs.csv").assign(
        train_size=lambda t: t["method"].map({"none": 1000, "dropout": 500})
    )
    table["train_accuracy"] = table["test_accuracy"] + 0.05
    table.to_csv(tmp_path / "runs.csv", index=False)
    command = ["figure_sizes.py", "--spec", json.dumps(study.spec), "--table", str(tmp_path / "runs.csv")]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", [*command, "--families", '[["none", "dropout"]]', "--out", str(tmp_path)])
        figure_sizes.main()
    root = svg(tmp_path, "data_sizes")
    assert "No regularization: 81.00 % with 500, 91.00 % with 1,000." in description(root)
    assert {e.get("data-method") for e in root.iter() if e.get("data-method")} == {"none"}
    assert {"500", "1,000"} <= set(texts(root))
    tips = [e.text for e in root.iter(f"{SVG}title")]
    line = "No regularization: 81.00 % (78.52 to 83.48) with 500 images; 91.00 % (88.52 to 93.48) with 1,000 images"
    assert line in tips
    assert "No regularization: 91.00 % (88.52 to 93.48) with 1,000 images" in tips
    assert any(re.match(r"No regularization: 5.00 points .* with 500 images$", tip) for tip in tips)


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (["No regularization, 500 images", "No regularization, 55,000 images"], "No regularization"),
        (["Dropout", "Dropout, 500 images"], "Dropout"),
        (["All of them", "Half"], "All of them"),
    ],
)
def test_a_line_over_sizes_is_called_by_what_its_methods_have_in_common(labels, expected):
    methods = [style.Method(f"m{i}", label, "#000000", "solid", "o") for i, label in enumerate(labels)]
    assert sizes._family(methods).label == expected


def test_what_stands_beside_a_row_of_the_forest_has_room(tmp_path):
    def height(label):
        study = make(tmp_path, {**FOUR, "none": label})
        comparison = pd.read_csv(tmp_path / "comparison.csv", keep_default_na=False)
        comparison["baseline"] = ["", "none", "none", "dropout"]
        comparison.to_csv(tmp_path / "comparison.csv", index=False)
        root = svg(draw(study, "forest"), "forest")
        assert any(text.startswith("against") for text in texts(root))
        return float(root.get("height").removesuffix("pt"))

    lines = 5  # of the longer name, and of the text beside the first rows less those that have room anyway
    assert height("A name that takes many lines " * lines) > height("None") + 3 * 72 * 0.1 * (lines - 1)


def test_robustness_has_a_panel_a_corruption(tmp_path):
    study = make(tmp_path, FOUR)
    rows = [
        {"method": method, "seed": seed, "corruption": name, "severity": severity, "accuracy": 0.9 - severity / 10}
        for method in FOUR for seed in (0, 1) for name in ("salt_pepper", "blur") for severity in (1, 2)
    ]  # fmt: skip
    pd.DataFrame(rows).to_csv(tmp_path / "robustness.csv", index=False)
    command = ["figure_robustness.py", "--spec", json.dumps(study.spec), "--table", str(tmp_path / "runs.csv")]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", [*command, "--robustness", str(tmp_path / "robustness.csv"), "--out", str(tmp_path)])
        figure_robustness.main()
    root = svg(tmp_path, "robustness")
    assert {"Salt pepper", "Blur"} <= set(texts(root))
    assert "Dropout: 75.0 % over all, least with salt pepper (75.0 %)." in description(root)
    tips = [e.text for e in root.iter(f"{SVG}title")]
    assert "No regularization: 91.0 % at 0, 80.0 % at 1, 70.0 % at 2" in tips  # 0: the clean images of runs.csv


def test_the_accuracy_figure_has_a_point_for_every_seed(drawn):
    root = svg(drawn, "accuracy")
    color = palette.FIXED["l2"]
    points = [e for e in root.iter(f"{SVG}use") if f"fill: {color}" in e.get("style", "")]
    assert len(points) == 2 * 3 + 2  # three seeds and the mean, in either panel


def test_intervals_of_accuracies_and_runtimes_are_where_the_table_has_them(tmp_path, monkeypatch):
    study = make(tmp_path, FOUR)
    panels = figure_of(study, "accuracy", accuracy, monkeypatch).axes
    assert {(91 - 10 * m - 2, 91 - 10 * m + 2) for m in range(4)} <= set(ends(panels[0]))
    assert ends(panels[1]).count((-2, 2)) == 4  # less the mean
    panel = figure_of(study, "runtime", runtime, monkeypatch).axes[0]
    assert {(1 + m / 4 - 0.02, 1 + m / 4 + 0.02) for m in range(4)} <= set(ends(panel)) and (1, 1) in ends(panel)


def test_the_early_panel_shows_the_first_twentieth(drawn):
    shown = texts(svg(drawn, "learning_curves"))
    assert "The first 5 % of the steps" in shown
    assert "Training step" in shown and "Test accuracy (%)" in shown and "Training loss" in shown
    assert {"0", "200", "400", "600", "800", "1,000"} <= set(shown)


def test_the_bands_of_the_curves_are_the_intervals(tmp_path, monkeypatch):
    axes = figure_of(make(tmp_path, FOUR), "curves", curves, monkeypatch).axes
    panel = next(one for one in axes if one.get_title(loc="left") == "The whole run")
    reached = np.array([0.9, 0.91, 0.92]) * 100 * 1000 / 1020
    half = 4.3026527 * reached.std(ddof=1) / np.sqrt(3)  # t(0.975, 2)
    at_the_end = [
        path.vertices[path.vertices[:, 0] == 1000, 1] for band in panel.collections for path in band.get_paths()
    ]
    found = {(round(y.min(), 3), round(y.max(), 3)) for y in at_the_end}
    assert (round(reached.mean() - half, 3), round(reached.mean() + half, 3)) in found


def test_a_run_without_a_panel_of_its_beginning_shows_its_start_and_no_accuracy_beyond_100(tmp_path, monkeypatch):
    study = make(tmp_path, FOUR, seeds=(0, 1))
    few = pd.read_csv(tmp_path / "curves.csv").query("step in (1, 50, 100)")
    few.loc[few["step"] > 1, "test_accuracy"] = 0.5 + 0.4 * few["seed"]  # an interval from far below 0 to beyond 1
    few.to_csv(tmp_path / "curves.csv", index=False)
    panel, loss = figure_of(study, "curves", curves, monkeypatch).axes
    starts = [line.get_ydata()[0] for line in panel.lines if len(line.get_ydata()) == 3]
    assert panel.get_ylim()[0] <= min(starts)
    heights = np.concatenate([path.vertices[:, 1] for band in panel.collections for path in band.get_paths()])
    assert heights.min() == 0 and heights.max() == 100
    starts = [line.get_ydata()[0] for line in loss.lines if len(line.get_ydata()) == 3]
    assert loss.get_ylim()[1] >= max(starts)


def test_lines_and_bars_say_their_values(drawn):
    tips = [e.text for e in svg(drawn, "learning_curves").iter(f"{SVG}title")]
    said = "No regularization: 89.22 % (86.78 to 91.65) at step 1,000"
    assert tips.count(said) == 5  # a line and a band in either panel, and the end
    tips = [e.text for e in svg(drawn, "calibration").iter(f"{SVG}title")]
    assert "Dropout: 50.00 % of the images have a confidence from 0.47 to 0.53" in tips
    assert "Dropout: ECE 0.25, NLL 0.50" in tips


@pytest.mark.parametrize(("steps", "title"), [((1, 20, 60, 100), None), ((1, 20, 40, 60, 80, 100), "The first 80 %")])
def test_a_run_of_few_evaluations_has_no_panel_of_its_beginning_twice(tmp_path, steps, title):
    study = make(tmp_path, FOUR)
    curves = pd.read_csv(tmp_path / "curves.csv")
    few = pd.concat([curves[curves["step"] == 50].assign(step=step, train_loss=1 / step) for step in steps])
    few.to_csv(tmp_path / "curves.csv", index=False)
    shown = texts(svg(draw(study, "curves"), "learning_curves"))
    assert "The whole run" in shown and shown.count("Training step") == (2 if title else 1)
    assert [text for text in shown if text.startswith("The first")] == ([f"{title} of the steps"] if title else [])


@given(st.lists(st.tuples(st.floats(0, 500), st.floats(1, 40)), min_size=1, max_size=20))
def test_labels_are_moved_apart_and_keep_their_order(pairs):
    middles, heights = (np.array(column) for column in zip(*pairs, strict=True))
    places = spread(middles, heights)
    order = np.argsort(middles, kind="stable")
    gaps = np.diff(places[order]) - (heights[order][1:] + heights[order][:-1]) / 2
    assert (gaps > -1e-6).all()
    if (np.diff(middles[order]) > 41).all():
        assert np.allclose(places, middles)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (-1.949, "-1.95"), (0.0621, "0.0621"), (1234.5, "1230"), (9.33e-6, "9.33x10⁻⁶"), (0.9999, "1.00")],
)
def test_numbers_are_written_for_people(value, text):
    assert style.number(value).replace("\N{MINUS SIGN}", "-").replace("\N{MULTIPLICATION SIGN}", "x") == text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "--spec"),
        ('{"methods": [], "baseline": "a", "seed": 0}', "nothing to draw"),
        ('{"methods": [{"id": "a", "color": "bluish"}], "baseline": "a", "seed": 0}', "'bluish' is not a colour"),
        ('{"methods": [{"id": "a", "color": "blue"}], "baseline": "a", "seed": 0, "widht": 3}', "widht"),
    ],
)
def test_a_wrong_spec_is_explained(text, said):
    with pytest.raises(UserError, match=re.escape(said)):
        style.read_spec(text)
