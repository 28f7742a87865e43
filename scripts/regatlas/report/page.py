"""The report's page: what the template shows, and the figures inlined in it."""

import base64
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pandas as pd
import yaml
from markupsafe import Markup

from regatlas import corruptions, decisions, grids, markup, numbers
from regatlas.comparison import TOLERANCE
from regatlas.errors import UserError
from regatlas.figures import style
from regatlas.report import behind, claimed, facts, formulas
from regatlas.report.bidi import isolated
from regatlas.report.templates import template
from regatlas.tables import selected_runs

_HERE = Path(__file__).parent
_CAPTIONS = {  # section -> file -> caption
    "forest": {
        "forest": "Difference in test accuracy, seed by seed, with its intervals and the band of what does not matter.",
    },
    "weights": {
        "weights_own_scale_one_seed": "Raw weights of the seed named above, each method on its own colour scale: "
        "the textures.",
        "weights_shared_scale_one_seed": "The same weights on one scale for all methods: the sizes.",
        "weights_own_scale_mean": "Mean of the raw weights over the seeds, each method on its own scale: what is left "
        "when the accidents of one seed average out.",
        "weights_shared_scale_mean": "Mean of the raw weights over the seeds, on one scale for all methods.",
    },
    "spectrum": {
        "weight_spectrum": "Power spectra of the weight images: coarse shape on the left, fine texture on the right; "
        "1 is white noise. The weights are row-centred (raw where they lead to hidden units) and those of live pixels, "
        "which are on often enough.",
    },
    "distribution": {
        "weight_distribution": "Distribution of the weights, all seeds together, with its two ends; of several layers, "
        "of the first.",
    },
    "curves": {
        "learning_curves": "Test accuracy and training loss over the steps: means over seeds with 95 % t intervals.",
        "accuracy": "Test accuracy of every seed, with mean and 95 % t interval; right: less the method's mean.",
    },
    "paths": {
        "data_sizes": "Test accuracy, and training minus test accuracy, against the number of training images: means "
        "over seeds with 95 % t intervals.",
        "robustness": "Accuracy on corrupted copies of the test images: means over seeds with 95 % intervals.",
    },
    "tuning": {
        "strength_paths": "What each tuned setting does to accuracy and weights: means over seeds with 95 % intervals; "
        "a ring marks the selected point.",
    },
    "calibration": {"calibration": "Reliability diagrams: how often predictions of a confidence are right, all seeds."},
    "cost": {
        "cost": "Test accuracy against the time of a step: means over seeds, with 95 % t intervals of the accuracy.",
        "runtime": "Time of a training step relative to the baseline's: means over seeds with 95 % t intervals.",
    },
}
_TABLES = {  # beside the report
    "comparison.csv": "the comparison",
    "comparison.md": "the same in Markdown",
    "comparison.tex": "the same in LaTeX",
    "runs.csv": "every run",
    "curves.csv": "every evaluation",
    "tuning.csv": "every point of a grid",
    "robustness.csv": "accuracy on corrupted images",
    "claims.csv": "the post's claims",
    "config.yaml": "the configuration",
}
_HIGH = 2.5  # times its width: on paper such a figure is too small to be read, so its numbers are printed, too
_SCRIPTS = ("start", "tables", "methods", "figures", "weights", "end")  # in the order in which they run


def render(
    spec: Mapping[str, Any],
    runs: pd.DataFrame,
    curves: pd.DataFrame,
    comparison: pd.DataFrame,
    figures: Path,
    tables: Iterable[str] = (),
    claims: pd.DataFrame | None = None,
    robustness: pd.DataFrame | None = None,
    points: pd.DataFrame | None = None,
    reports: Iterable[str] = (),
) -> str:
    """The report as HTML.

    Args:
        spec: title, story, author, config, baseline, methods and the data set's name in words, as the program's
            ``--spec`` gives them.
        runs: the frame of runs.csv.
        curves: the frame of curves.csv.
        comparison: the frame of comparison.csv.
        figures: the folder of the SVGs and of the sprite; those that are not there are left out.
        tables: the names of the files beside the report that it links to.
        claims: the frame of claims.csv, of a study that has one.
        robustness: the frame of robustness.csv.
        points: the frame of tuning.csv.
        reports: the studies that have a report in a folder beside this one's.
    """
    comparison = comparison.assign(label=comparison["label"].map(isolated))
    rows = [
        {key: None if pd.isna(value) else value for key, value in row.items()} for row in comparison.to_dict("records")
    ]
    by_id = {row["method"]: row for row in rows}
    chosen = {row["method"]: json.loads(row["values"] or "{}") for row in rows}
    methods = [_selected(method, chosen.get(method["id"], {})) for method in spec["methods"]]
    config = spec["config"]
    seeds = config.get("seeds") or []
    statistics = config.get("statistics") or {}
    training = config.get("training") or {}
    size = training.get("train_size")
    compared_with = {row["method"]: _compared_with(row, spec["baseline"]) for row in rows}
    labels = {method["id"]: method["label"] for method in methods}
    baselines = sorted(set(compared_with.values()) - {""}) or [spec["baseline"]]
    reference = "their baselines" if len(baselines) > 1 else labels.get(baselines[0], baselines[0])
    tuning = markup.on_tuning(comparison)
    empty = _empty(rows, robustness)
    pictures = {
        section: _figures(figures, {name: text for name, text in captions.items() if name not in empty})
        for section, captions in _CAPTIONS.items()
    }
    sprite = _sprite(figures, methods) if _has(rows, "test_accuracy") else None
    if sprite:  # it has both scales, and a page with all still images would be twice as large
        pictures["weights"] = [item for item in pictures["weights"] if "shared_scale" not in item["name"]]
    is_published = any(row["verdict"] for row in rows)
    drawn = [item["name"] for items in pictures.values() for item in items]
    here = {"comparison", "methods", "disagreements", "how", *(f"figure-{name}" for name in drawn)}
    here |= {name for name, there in (("weights", sprite or pictures["weights"]), ("published", is_published)) if there}
    page = template(
        _HERE,
        significant=style.number,
        formula=formulas.svg,
        verdict=lambda text: numbers.unbroken(verdict(text)),
    )
    return page.render(
        title=spec["title"],
        author=spec.get("author") or "",
        data=isolated(spec.get("dataset") or (config.get("dataset") or {}).get("name", "")),
        validation_size=(config.get("dataset") or {}).get("validation_size"),
        is_post=spec.get("story") == "post",
        config=config,
        config_yaml=resolved(config),
        training=training,
        momentum=any(one.get("optimizer") == "sgd" for one in (training, *(method["training"] for method in methods))),
        network=config.get("network") or {},
        seeds=seeds,
        margin=statistics.get("margin", 0.002),
        level=statistics.get("level", 0.95),
        baseline=spec["baseline"],
        baselines=baselines,
        compared_with=compared_with,
        reference_label=reference,
        methods=methods,
        own_training=any(method["training"].get("train_size", size) != size for method in methods),
        own_network=any(_differs(method.get("network"), config.get("network")) for method in methods),
        rows=rows,
        signs=decisions.SIGNS,
        by_id=by_id,
        labels=labels,
        colors={method["id"]: method["color"] for method in methods},
        many=len(methods) > style.MOST,
        noisy=any(facts.noise_gap(row) is not None for row in rows),
        adjusted=_has(rows, "p_adjusted"),
        corrupted_images=corruptions.MOST,
        corrupted=_has(rows, "corrupted_accuracy"),
        brier=_has(rows, "test_brier"),
        templates=_has(rows, "template_correlation"),
        participation=_has(rows, "participation_ratio"),
        sparsity=_has(rows, "sparsity"),
        calibrated=bool(pictures["calibration"]) or _has(rows, "test_nll"),
        published=is_published,
        tolerances={method["id"]: (method["published"] or {}).get("tolerance", TOLERANCE) for method in methods},
        sources=any(row.get("published_source") or row.get("published_setting") for row in rows),
        findings=facts.findings(rows, reference),
        still_open=facts.still_open(rows),
        lost=facts.missing(methods, seeds, runs) + facts.lost_runs(methods, seeds, selected_runs(runs)),
        tuning=tuning,
        evaluations=_evaluations(curves, methods, training),
        figures=pictures,
        drawn=drawn,
        behind=behind.tables(drawn, [*by_id], selected_runs(runs), curves, robustness, points, rows, Path(figures)),
        sprite=sprite,
        tables={name: _TABLES[name] for name in _TABLES if name in tables},
        claims=None if claims is None else claimed.shown(claims, here, set(reports)),
        departures=claimed.departures(config),
        style=Markup("".join((_HERE / name).read_text("utf-8") for name in ("style.css", "claims.css"))),
        script=Markup("\n".join((_HERE / "js" / f"{name}.js").read_text("utf-8") for name in _SCRIPTS)),
        **facts.provenance(runs),
    )


def _differs(own: Mapping[str, Any] | None, common: Mapping[str, Any] | None) -> bool:
    """Whether a method's own section has a value other than the study's."""
    return any((common or {}).get(key, value) != value for key, value in (own or {}).items())


def _evaluations(curves: pd.DataFrame, methods: Sequence[Mapping[str, Any]], training: Mapping[str, Any]) -> int:
    """How often a run of the study's own recipe was evaluated; 0 if there is none."""
    keys = ("steps", "evaluate_every")
    usual = {m["id"] for m in methods if all(m["training"].get(key) in (None, training.get(key)) for key in keys)}
    counts = curves[curves["method"].isin(usual)].groupby(["method", "seed", "point"]).size()
    return int(counts.max()) if len(counts) else 0


def _has(rows: Iterable[Mapping[str, Any]], column: str) -> bool:
    """Whether a column is there and has a number."""
    return any(numbers.known(row.get(column)) for row in rows)


def _compared_with(row: Mapping[str, Any], baseline: str) -> str:
    """The method that a row of comparison.csv is compared with, '' for a baseline."""
    if "baseline" in row:
        return row["baseline"] or ""
    return "" if row["method"] == baseline else baseline


def _empty(rows: Sequence[Mapping[str, Any]], robustness: pd.DataFrame | None) -> set[str]:
    """The figures in which there is nothing to see, so that a section of them would be empty."""
    if not _has(rows, "test_accuracy"):
        return {name for captions in _CAPTIONS.values() for name in captions}
    there = {
        "forest": _has(rows, "difference"),
        "robustness": robustness is None or len(robustness),
        "cost": _has(rows, "microseconds_per_step"),
        "runtime": _has([row for row in rows if row["baseline"]], "relative_runtime"),
    }
    return {name for name, something in there.items() if not something}


def _sprite(folder: Path, methods: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """The sprite of the weights as text: its index with the methods' labels, and its picture; and how many hidden units
    it has. None if there is no sprite.
    """
    index, picture = Path(folder) / "weights_sprite.json", Path(folder) / "weights_sprite.png"
    if not (index.is_file() and picture.is_file()):
        return None
    try:
        content = json.loads(index.read_text("utf-8"))
    except ValueError as error:
        raise UserError(f"{index}: not an index of the sprite ({error}); delete it and run again") from None
    content["labels"] = {method["id"]: method["label"] for method in methods}
    units = content["units"] if content["hidden"] else 0
    encoded = base64.b64encode(picture.read_bytes()).decode("ascii")
    return {
        "index": json.dumps(content, ensure_ascii=False),
        "picture": f"data:image/png;base64,{encoded}",
        "units": units,
    }


def _selected(method: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """A method with its label and with the settings of its selected point, which has these ``values``."""
    settings, training = dict(method["settings"]), dict(method["training"] or {})
    for name, value in values.items():
        recipe = name.startswith(grids.RECIPE)
        (training if recipe else settings)[name.removeprefix(grids.RECIPE)] = value
    label = isolated(method.get("label") or method["id"])
    return {**method, "label": label, "settings": settings, "training": training}


def resolved(config: Mapping[str, Any]) -> str:
    """The configuration as YAML, its keys in their order; without anchors, which few readers know."""
    return yaml.safe_dump(_plain(config), sort_keys=False, allow_unicode=True, default_flow_style=False, width=100)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


def verdict(text: str) -> str:
    """A verdict of comparison.csv in words."""
    text = re.sub(
        r"test_accuracy by ([-+][\d.]+)", lambda found: f"accuracy by {100 * float(found[1]):+.2f} points", text
    )
    for column, words in (
        ("weight_min", "smallest weight"),
        ("weight_max", "largest weight"),
    ):
        text = text.replace(column, words)
    return re.sub(r"-(?=\d)", numbers.MINUS, text)


def inline(path: Path) -> Markup:
    """A figure's SVG for a page: parsed, so that nothing but well-formed XML gets in, its size left to the page.

    Raises:
        UserError: the file is no SVG.
    """
    try:
        root = ElementTree.parse(path).getroot()
    except ElementTree.ParseError as error:
        raise UserError(f"{path}: not an SVG ({error}); delete it and run again") from None
    for side in ("width", "height"):
        root.attrib.pop(side, None)
    return Markup(ElementTree.tostring(root, "unicode"))


def _figures(folder: Path, captions: Mapping[str, str]) -> list[dict[str, Any]]:
    """The figures that are there, each with its caption, and whether it is too high for a sheet of paper."""
    found = []
    for name, caption in captions.items():
        if (Path(folder) / f"{name}.svg").is_file():
            svg = inline(Path(folder) / f"{name}.svg")
            box = re.search(r'viewBox="\S+ \S+ (\S+) (\S+)"', svg)
            high = box is not None and float(box[2]) > _HIGH * float(box[1])
            found.append({"name": name, "caption": caption, "svg": svg, "high": high})
    return found
