"""Studies made up for the browser: runs with known weights, then the programs' own way from runs to the page."""

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from regatlas import measurements, palette, reference, runs, tables, tuning
from regatlas.claims.claim import UNMEASURED, VERDICTS
from regatlas.comparison import compare
from regatlas.corruptions import KINDS, SEVERITIES
from regatlas.figures import (
    accuracy,
    calibration,
    cost,
    curves,
    distribution,
    forest,
    paths,
    robustness,
    runtime,
    sizes,
    spectrum,
    sprite,
    style,
    weights,
)
from regatlas.report import atlas, page
from regatlas.tables import CLAIM_COLUMNS

SHAPE, CLASSES, TEST, DARK = (12, 10), 10, 200, 3  # pixel 3 is on in no image
PIXELS = SHAPE[0] * SHAPE[1]
HOSTILE = {
    "markup": "<b class='injected'>bold</b><script>window.injected = 1</script>",
    "quotes": "\"double\" 'single' &quot; &amp; `back` \\ ${x} {{ 7 * 7 }}",
    "long": "averylongwordwithoutanyspace" * 3,
    "rtl": "\N{ARABIC LETTER MEEM}\N{ARABIC LETTER REH}\N{ARABIC LETTER HAH}\N{RIGHT-TO-LEFT OVERRIDE}abc 123",
    "emoji": "\N{PARTY POPPER} \N{WOMAN}\N{ZERO WIDTH JOINER}\N{PERSONAL COMPUTER} <!-- -->",
    "x.__proto__-1": "]]> --> </style></title> &lt;i&gt;",
}

LABELS = {"none": "No regularization", **HOSTILE, **{f"m{i}": f"Method {i}" for i in (1, 2, 3)}}


def make(
    folder: Path,
    methods: Mapping[str, str],
    seeds: range,
    grid: Mapping[str, list[float]] | None = None,
    hidden: bool = False,
    lost: tuple[str, ...] = (),
    claims: pd.DataFrame | None = None,
) -> Path:
    """Write ``folder/report.html`` and everything beside it; return the page's path.

    Args:
        methods: id -> label; the first is the baseline. Method m at seed s is right a little less often than m - 1.
        grid: of methods, the values of their setting ``strength``.
        lost: methods all of whose runs diverged.
        claims: what the page of the post says of its claims; without them the page is another study's.
    """
    grid = grid or {}
    random = np.random.default_rng(0)
    images = random.integers(1, 256, (300, PIXELS)).astype(np.uint8)
    images[:, DARK] = 0
    labels = np.arange(TEST).astype(np.uint8) % CLASSES
    data = {
        "train_images": images,
        "train_labels": np.arange(300).astype(np.uint8) % CLASSES,
        "test_labels": labels,
        "image_shape": np.array(SHAPE),
        "classes": np.array(CLASSES),
    }
    measured = reference.make(data)
    entries = []
    for number, method in enumerate(methods):
        values = grid.get(method, [None])
        digests = [f"{number:03x}{point:03x}" for point in range(len(values))]
        entries.append(
            {
                "id": method,
                "regularizer": f"r{number}",
                "grid": [["strength", values]] if method in grid else [],
                "digests": digests,
            }
        )
        for point, digest in enumerate(digests):
            for seed in seeds:
                path = runs.path(folder / "runs", f"r{number}", digest, seed)
                _write_run(path, digest, (seed, number, point), hidden, labels, method in lost)
    table, evaluations, corrupted, correct = measurements.collect(entries, list(seeds), folder / "runs", measured)
    published = {"test_accuracy": 0.9, "weight_min": -1.0, "weight_max": 1.0, "relative_runtime": 1.0}
    baseline = next(iter(methods))
    described = [
        {"id": method, "label": label, "baseline": baseline, "published": published if number < 2 else None}
        for number, (method, label) in enumerate(methods.items())
    ]
    comparison = compare(described, table, correct)
    frames = {"runs": table, "curves": evaluations, "comparison": comparison, "tuning": tuning.summary(table)}
    for name, frame in (frames | {"robustness": corrupted}).items():
        tables.write_csv(folder / f"{name}.csv", frame)
    colors = palette.assign_colors(methods)
    shown = [{"id": method, "label": label, "color": colors[method]} for method, label in methods.items()]
    spec = style.read_spec(
        json.dumps({"methods": shown, "baseline": baseline, "seed": seeds[0], "width": 8, "dpi": 80})
    )
    _draw(spec, table, evaluations, comparison, corrupted, measured, folder)
    training = {"loss": "cross_entropy", "optimizer": "adam", "learning_rate": 1e-3, "batch_size": 32}
    training |= {"steps": 100, "evaluate_every": 50, "train_size": 300, "schedule": "constant"}
    training |= {"label_noise": 0.0, "permuted_pixels": False}
    config = {
        "study": "made_up",
        "dataset": {"name": "made up"},
        "network": {"hidden": [20] if hidden else [], "bias": False, "initial_stddev": 0.075},
        "training": training,
        "seeds": list(seeds),
        "statistics": {"margin": 0.002, "level": 0.95},
    }
    about = [
        {
            **entry,
            **{"regularizer": f"r{number}", "title": entry["label"], "formula": "L(W)", "citation": "Someone 1999"},
            **{"acts_on": "loss", "settings": {}, "training": {}, "published": described[number]["published"]},
        }
        for number, entry in enumerate(shown)
    ]
    given = {"title": "Made up", "author": "", "story": "", "config": config, "baseline": baseline, "methods": about}
    if claims is not None:  # the story is told by the regularizers' names
        given |= {"story": "post", "methods": [{**entry, "regularizer": entry["id"]} for entry in about]}
    beside = [path.name for path in folder.iterdir()]
    points, figures = frames["tuning"], folder / "figures"
    html = page.render(given, table, evaluations, comparison, figures, beside, claims, corrupted, points, ["fair"])
    (folder / "report.html").write_text(html, encoding="utf-8")
    return folder / "report.html"


def make_atlas(pages: Sequence[Path], folder: Path) -> Path:
    """Write ``atlas.html`` over the studies of these pages; return its path."""
    for page_ in pages:
        shutil.copytree(page_.parent, folder / page_.parent.name, ignore=shutil.ignore_patterns("runs", "figures"))
    (folder / "atlas.html").write_text(atlas.render(sorted(path for path in folder.iterdir())), encoding="utf-8")
    return folder / "atlas.html"


def claims() -> pd.DataFrame:
    """claims.csv with a claim of every verdict, hostile texts and numbers that were measured in another study."""
    rows = []
    for number, verdict in enumerate(VERDICTS, 1):
        found = {"quantity": f"share {HOSTILE['markup']}", "value": 0.5, "n": 5, "of": "seeds", "unit": "%"}
        found = [{**found, "text": "0.50 [0.40, 0.60] %"}] * number if verdict != UNMEASURED else []
        rows.append(
            {
                **dict.fromkeys(CLAIM_COLUMNS, ""),
                **{"claim": number, "says": HOSTILE["quotes"], "quote": HOSTILE["rtl"], "measured": HOSTILE["long"]},
                **{"verdict": verdict, "why": f"Because of {HOSTILE['emoji']}.", "studies": "made_up fair"},
                **{"commands": "snakemake --configfile config/mlp.yaml --cores 2" if not found else ""},
                **{"shown": "figure-accuracy fair#methods", "measurements": json.dumps(found)},
            }
        )
    return pd.DataFrame(rows, columns=CLAIM_COLUMNS)


def _write_run(path, digest, numbers, hidden, labels, lost):
    seed, number, point = numbers
    random = np.random.default_rng(numbers)
    shapes = [(PIXELS, 20), (20, CLASSES)] if hidden else [(PIXELS, CLASSES)]
    kernels = [(0.1 * random.standard_normal(shape) + 0.05).astype(np.float32) for shape in shapes]
    wrong = random.random(TEST) < 0.1 + 0.01 * number + 0.05 * point
    predicted = np.where(wrong, (labels + 1) % CLASSES, labels).astype(np.uint8)
    accuracy_, confidence = float(np.mean(predicted == labels)), random.uniform(0.2, 1, TEST).astype(np.float32)
    arrays = {f"kernel_{layer}": kernel for layer, kernel in enumerate(kernels)}
    arrays |= {"curve_step": np.array([1, 50, 100]), "curve_train_loss": np.array([2.0, 0.5, 0.25 + 0.01 * number])}
    arrays |= {f"curve_{name}_accuracy": np.array([0.1, 0.5, accuracy_]) for name in ("validation", "test")}
    if not lost:
        arrays |= {"test_predicted": predicted, "test_predicted_noise_off": predicted, "test_confidence": confidence}
        arrays |= {"test_probability": np.where(wrong, 0.1, confidence).astype(np.float32)}
        arrays |= {"corrupted_accuracy": accuracy_ - random.uniform(0, 0.3, (len(KINDS), SEVERITIES))}
    metadata = {
        "settings": {"training": {"train_size": 300, "permuted_pixels": False}, "network": {"initial_stddev": 0.075}},
        **{"digest": digest, "seed": seed, "status": "diverged" if lost else "finished"},
        "message": "the loss became <i>NaN</i>" if lost else "",
        "metrics": {"train_accuracy": accuracy_ + 0.01, "validation_accuracy": accuracy_, "test_accuracy": accuracy_}
        | {"test_brier": 0.2},
        **{"parameters": 1200, "steps_done": 100, "train_seconds": 0.1, "total_seconds": 3.5},
        **{"microseconds_per_step": 20.0 + number + seed / 10, "finished_at": "2026-11-23T09:00:00+00:00"},
        "versions": {"python": "3.11.2", "numpy": "2.4.6", "tensorflow": "2.21.0"},
        "machine": {"system": "Linux", "processor": "A <b>processor</b>", "cores": 2},
    }
    if lost:
        metadata |= {"metrics": {}, "microseconds_per_step": None}
    runs.write(path, metadata, arrays)


def _draw(spec, table, evaluations, comparison, corrupted, measured, folder):
    """Every figure, as the programs draw them."""
    selected, out, root = tables.selected_runs(table), folder / "figures", folder / "runs"
    weights.draw(spec, selected, root, measured.never_lit, SHAPE, out)
    sprite.draw(spec, table, root, measured, out)
    spectrum.draw(spec, selected, root, measured, out)
    distribution.draw(spec, selected, root, out)
    calibration.draw(spec, selected, root, measured.test_labels, out)
    curves.draw(spec, selected, evaluations, out)
    for module in (accuracy, cost, forest, runtime):
        module.draw(spec, selected, comparison, out)
    if (table["values"] != "{}").any():
        paths.draw(spec, table, out)
    sized = selected.copy()
    sized["train_size"] = np.where(sized["method"] == spec.methods[-1].id, 100, 300)
    sizes.draw(spec, sized, [[spec.methods[0].id, spec.methods[-1].id]], out)
    robustness.draw(spec, selected, corrupted, out)
