"""The shrunken default study, from nothing to the report."""

import html
import json
import re
import zipfile
from pathlib import Path

import numpy as np
import pandas
import yaml

from regatlas import runs
from regatlas.tables import COMPARISON_COLUMNS, CURVE_COLUMNS, RUN_COLUMNS

METHODS = ["none", "dropout", "gaussian", "l2", "weight_norm"]
REPORTED = [
    "comparison.csv",
    "comparison.md",
    "comparison.tex",
    "tuning.csv",
    "runs.csv",
    "curves.csv",
    "robustness.csv",
    "claims.csv",
    "report.html",
    "config.yaml",
]  # beside the figures, in Snakemake's own report


def test_every_run_is_in_the_table_and_the_table_agrees_with_the_files(finished):
    table = pandas.read_csv(finished.result("runs.csv"))
    assert list(table.columns) == list(RUN_COLUMNS)
    assert sorted(zip(table["method"], table["seed"], strict=True)) == sorted((m, s) for m in METHODS for s in (0, 1))
    labels = np.load(finished.folder / "test_labels.npy")
    for row in table.itertuples():
        run = runs.read(runs.path(finished.folder / "results/runs", row.regularizer, row.digest, row.seed))
        assert row.status == "finished"
        assert row.test_accuracy == (run.arrays["test_predicted"] == labels).mean()
        assert row.weight_min == np.float32(row.weight_min) == run.kernels[0].min()
        assert run.arrays["curve_step"].tolist() == [1, 10, 20, 25]


def test_the_same_seed_gives_every_method_the_same_start(finished):
    """After one update of at most the learning rate, nothing can be further from the start than that."""
    table = pandas.read_csv(finished.result("runs.csv")).set_index(["method", "seed"])
    kernels = {
        (method, seed): runs.read(
            runs.path(finished.folder / "results/runs", row.regularizer, row.digest, seed)
        ).kernels[0]
        for (method, seed), row in table.iterrows()
    }
    moved = np.abs(kernels["none", 0] - kernels["l2", 0]).max()
    assert moved < 2 * 25 * 1.1e-4
    assert np.abs(kernels["none", 0] - kernels["none", 1]).max() > 0.1
    # the never-lit pixel keeps its initial weights
    assert np.array_equal(kernels["none", 0][0], kernels["dropout", 0][0])


def test_tables(finished):
    comparison = pandas.read_csv(finished.result("comparison.csv"))
    assert list(comparison.columns) == list(COMPARISON_COLUMNS)
    assert comparison["method"].tolist() == METHODS
    assert list(pandas.read_csv(finished.result("curves.csv")).columns) == list(CURVE_COLUMNS)
    assert comparison["published_test_accuracy"].tolist() == [0.932, 0.895, 0.915, 0.760, 0.711]
    for name in ("comparison.md", "comparison.tex"):
        assert "Weight normalization" in finished.result(name).read_text()


def test_report_and_the_resolved_config(finished):
    page = finished.result("report.html").read_text()
    comparison = pandas.read_csv(finished.result("comparison.csv"))
    assert f"{100 * comparison['test_accuracy'][0]:.1f}" in page
    for outside in ('src="http', "src='http", '<link rel="stylesheet"', "@import", "url(http"):
        assert outside not in page
    assert page.count("<svg") >= 8
    config = yaml.safe_load(finished.result("config.yaml").read_text())
    assert config["training"]["steps"] == 25
    assert config["network"]["initial_stddev"] == 0.075


def test_nothing_to_do_the_second_time(finished):
    done = finished.snakemake()
    assert done.returncode == 0
    assert "Nothing to be done" in done.stdout


def test_snakemakes_own_report(finished):
    """It holds the same figures and tables, each with a caption, says what was done, and needs no other file."""
    finished.ran("--report", "report.zip")
    with zipfile.ZipFile(finished.folder / "report.zip") as archive:
        held = {Path(name).name: archive.read(name) for name in archive.namelist() if "/data/" in name}
        page = archive.read("report/report.html").decode()
    figures = {path.name: path.read_bytes() for path in finished.result("figures").glob("*.svg")}
    tables = {name: finished.result(name).read_bytes() for name in REPORTED}
    assert len(figures) == 13 and held == figures | tables

    def value(name):
        return json.JSONDecoder().raw_decode(page, re.search(rf'var {name} = (?=[{{"])', page).end())[0]

    folder = f"results/{finished.config['study']}/"
    shown = {Path(path).name: result for path, result in value("results").items()}
    assert set(shown) == set(held)
    for name, result in shown.items():
        assert result["caption"].startswith("<p>") and "system-message" not in result["caption"], name
        assert result["labels"], name
    categories = {
        name: {path.removeprefix(folder) for path in within["Other"]} for name, within in value("categories").items()
    }
    assert categories["Tables"] == set(REPORTED) - {"report.html", "config.yaml"}
    assert categories["Weight images"] == {f"figures/{name}" for name in figures if name.startswith("weights_")}
    assert set(categories) == {"Figures", "Report", "Tables", "Weight images"}
    assert "seed 0 alone" in shown["weights_own_scale_one_seed.svg"]["caption"]
    methods = html.unescape(re.sub(r"\s+", " ", re.sub("<[^>]*>", "", value("workflow_desc"))))
    for part in (
        "trained 5 methods with 2 seeds each on the data set small_digits",
        "on 100 images with the loss squared error",
        "batches of 8, for 25 steps",
        "95 % confidence",
        "Gaussian weight regularization: gaussian; noise_scale 0.5; trained with learning_rate 0.001",
    ):
        assert part in methods
    assert "system-message" not in value("workflow_desc")
    for outside in ("<link", "<iframe", "@import ", "url(http", 'src="http', "src='http", "importScripts("):
        assert outside not in page


def test_progress_is_logged(finished):
    logs = list((finished.folder / "results/logs/train/none").rglob("*.log"))
    assert len(logs) == 2
    for log in logs:
        text = log.read_text()
        assert "of 25" in text and "steps/s" in text and "left" in text and "finished in" in text


def test_a_diverged_run_spoils_nothing(finished):
    finished.config["methods"]["wild"] = {
        "regularizer": "l2", "strength": 1e30, "label": "Diverges", "training": {"learning_rate": 900.0}
    }  # fmt: skip
    finished.config["compare"].append("wild")
    finished.save()
    done = finished.snakemake()
    assert done.returncode == 0, done.stdout
    comparison = pandas.read_csv(finished.result("comparison.csv")).set_index("method")
    assert comparison.loc["wild", "diverged"] == 2 and comparison.loc["wild", "seeds"] == 0
    assert comparison.loc["none", "seeds"] == 2
    table = pandas.read_csv(finished.result("runs.csv"))
    assert set(table[table["method"] == "wild"]["status"]) == {"diverged"}
    assert "Diverges" in finished.result("report.html").read_text()


def test_a_repeated_run_is_the_same_bytes(finished):
    files = sorted((finished.folder / "results/runs/gaussian").rglob("seed-0.npz"))
    before = {path: runs.read(path) for path in files}
    for path in files:
        path.unlink()
    assert finished.snakemake().returncode == 0
    for path, run in before.items():
        again = runs.read(path)
        assert json.loads(json.dumps(again.metadata["metrics"])) == run.metadata["metrics"]
        for name, array in run.arrays.items():
            assert array.tobytes() == again.arrays[name].tobytes(), name
