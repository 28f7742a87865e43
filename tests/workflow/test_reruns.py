"""What runs again after an edit: the README's table, row by row, as a dry run lists it and a real run does it."""

import hashlib
import os
import re
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas
import pytest
from shrunken import ROOT, Project, documented_rows

from regatlas import runs
from regatlas.claims import studies

COMPARED = ["figure_accuracy", "figure_cost", "figure_forest", "figure_runtime"]  # drawn from the comparison
FIGURES = [
    *COMPARED,
    *["figure_calibration", "figure_curves", "figure_distribution", "figure_robustness", "figure_sprite"],
    "figure_weights",
]
ALL_AFTER = ["collect", "compare", "claims", *FIGURES, "report"]


def after(*extra: str, train: int = 0) -> Counter:
    """``collect`` and after, with some trainings."""
    return jobs(*ALL_AFTER, *extra, train=train)


def jobs(*rules: str, train: int = 0) -> Counter:
    return Counter({**dict.fromkeys(rules, 1), **({"train": train} if train else {})})


@pytest.fixture(scope="session")
def small(made_once) -> Project:
    """Two methods with two seeds, run."""

    def make(folder: Path) -> Project:
        project = Project(folder)
        project.config["compare"] = ["none", "l2"]
        project.save()
        return project.ran()

    return made_once("small", make)


@pytest.fixture
def project(small, tmp_path) -> Project:
    """A copy of the finished project, times included, to edit and run."""
    return small.copy(tmp_path / "copy")


def config(change: Callable[[dict], object]) -> Callable[[Project], None]:
    def edit(project: Project) -> None:
        change(project.config)
        project.save()

    return edit


def source(name: str, old: str, new: str) -> Callable[[Project], None]:
    """Replace a text in a file of scripts/ or workflow/."""

    def edit(project: Project) -> None:
        path = project.folder / name
        text = path.read_text()
        assert old in text, (name, old)
        path.write_text(text.replace(old, new, 1))

    return edit


def both(*edits: Callable[[Project], None]) -> Callable[[Project], None]:
    return lambda project: [edit(project) for edit in edits]


def touch_everything(project: Project) -> None:
    for path in project.folder.rglob("*"):
        if path.is_file() and ".snakemake" not in path.parts:
            os.utime(path)


def check_out_again(project: Project) -> None:
    for name in ("workflow", "scripts"):
        shutil.rmtree(project.folder / name)
        shutil.copytree(ROOT / name, project.folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    project.save()


def forget_what_snakemake_knows(project: Project) -> None:
    shutil.rmtree(project.folder / ".snakemake")


def a_run(project: Project, method: str = "none", seed: int = 0) -> Path:
    (path,) = (project.folder / "results/runs" / method).glob(f"*/seed-{seed}.npz")
    return path


def cut_short(project: Project) -> None:
    path = a_run(project)
    os.truncate(path, path.stat().st_size // 2)


def alter(project: Project) -> None:
    path = a_run(project)
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 1
    path.write_bytes(content)


def add_code(name: str) -> Callable[[Project], None]:
    """Add a statement to a module of the library."""
    return source(f"scripts/regatlas/{name}", "\n\n\ndef ", "\n\n\nADDED = 1\n\n\ndef ")


def other_engine(project: Project) -> None:
    source("scripts/regatlas/optimizers.py", "BETA_2, EPSILON = 0.9", "BETA_2, EPSILON = 0.8")(project)


def other_regularizer(project: Project) -> None:
    project.config["methods"]["l2"] = {"regularizer": "weight_norm"}
    project.save()


def remove(*names: str) -> Callable[[Project], None]:
    def edit(project: Project) -> None:
        for name in names:
            path = project.folder / "results" / name
            assert path.exists()
            shutil.rmtree(path) if path.is_dir() else path.unlink()

    return edit


def other_label(project: Project) -> None:
    project.config["methods"]["l2"]["label"] = "Ridge"
    project.save()


def in_other_order(project: Project) -> None:
    backwards = lambda value: (  # noqa: E731
        {key: backwards(item) for key, item in reversed(value.items())} if isinstance(value, dict) else value
    )
    project.config = backwards(project.config)
    project.save()


def in_words_of_yaml(project: Project) -> None:
    path = project.folder / "config/config.yaml"
    text = path.read_text()
    assert "strength: 0.01\n" in text
    path.write_text(text.replace("strength: 0.01\n", "strength: 1e-2\n").replace("steps: 25\n", "steps: 25.0\n"))


def run_another_study(project: Project) -> None:
    """The tables of this one, under the name of another."""
    for name in studies.TABLES:
        target = project.folder / "results/fair" / name
        target.parent.mkdir(exist_ok=True)
        shutil.copy(project.result(name), target)


def write_plugin(project: Project) -> None:
    text = (project.folder / "scripts/regatlas/regularizers/l2.py").read_text()
    (project.folder / "scripts/regatlas/regularizers/another.py").write_text(text)


# Variants of one edit stand in one row; each is a test of its own.
ROWS: dict[str, tuple[str, str, list[tuple[Callable[[Project], object], Counter]]]] = {
    "nothing; touch files; check the same commit out again": (
        "nothing", "nothing", [
            (lambda project: None, jobs()),
            (touch_everything, jobs()),
            (check_out_again, jobs()),
        ],
    ),
    "lose `.snakemake/`, which says what results were made with": (
        "nothing", "data checked and prepared, tables, figures, report", [
            (forget_what_snakemake_knows, after("download", "prepare")),
            (both(forget_what_snakemake_knows, other_label), after("download", "prepare")),
        ],
    ),
    "a setting of one method, such as a strength": (
        "that method, all seeds", "tables, figures, report", [
            (config(lambda c: c["methods"]["l2"].update(strength=0.02)), after(train=2)),
        ],
    ),
    "add a seed": (
        "the new seed of every method", "tables, figures, report", [
            (config(lambda c: c["seeds"].append(7)), after(train=2)),
        ],
    ),
    "add a method to `compare`": (
        "that method, all seeds", "tables, figures, report", [
            (config(lambda c: c["compare"].append("weight_norm")), after(train=2)),
        ],
    ),
    "remove a method or a seed": (
        "nothing", "tables, figures, report", [
            (config(lambda c: c["compare"].remove("l2")), after()),
            (config(lambda c: c["seeds"].remove(1)), after()),
        ],
    ),
    "the order of `compare`, a label": (
        "nothing", "comparison, claims, figures, report", [
            (config(lambda c: c["compare"].reverse()), jobs("compare", "claims", *FIGURES, "report")),
            (config(lambda c: c["methods"]["l2"].update(label="Ridge")), jobs("compare", "claims", *FIGURES, "report")),
        ],
    ),
    "the baseline": (
        "nothing", "comparison, claims, figures, report", [
            (config(lambda c: c.update(baseline="l2")), jobs("compare", "claims", *FIGURES, "report")),
        ],
    ),
    "the baseline of one method": (
        "nothing", "comparison, claims, the figures made from the comparison, report", [
            (
                config(lambda c: c["methods"]["l2"].update(baseline="l2")),
                jobs("compare", "claims", *COMPARED, "report"),
            ),
        ],
    ),
    "a published value": (
        "nothing", "comparison, claims, the figures made from the comparison, report", [
            (
                config(lambda c: c["methods"]["l2"]["published"].update(test_accuracy=0.7)),
                jobs("compare", "claims", *COMPARED, "report"),
            ),
        ],
    ),
    "the margin or the level in `statistics`": (
        "nothing", "comparison, claims, the figures made from the comparison, report", [
            (
                config(lambda c: c.update(statistics={"margin": 0.01})),
                jobs("compare", "claims", *COMPARED, "report"),
            ),
        ],
    ),
    "a colour, the size of figures, the seed that is shown": (
        "nothing", "figures, report", [
            (config(lambda c: c["figures"].update(colors={"l2": "#123456"})), jobs(*FIGURES, "report")),
            (config(lambda c: c["figures"].update(width=7)), jobs(*FIGURES, "report")),
            (config(lambda c: c["figures"].update(seed=1)), jobs(*FIGURES, "report")),
        ],
    ),
    "the report's title, question or author": (
        "nothing", "report", [
            (config(lambda c: c["report"].update(title="Mine")), jobs("report")),
            (config(lambda c: c["report"].update(question="Why?")), jobs("report")),
        ],
    ),
    "learning rate, steps or batch size in `training`": (
        "every method, unless it overrides that key", "tables, figures, report", [
            (config(lambda c: c["training"].update(learning_rate=0.001)), after(train=4)),
            (config(lambda c: c["training"].update(steps=26)), after(train=4)),
            (config(lambda c: c["training"].update(batch_size=9)), after(train=4)),
        ],
    ),
    "a training override of one method": (
        "that method, all seeds", "tables, figures, report", [
            (config(lambda c: c["methods"]["l2"].update(training={"learning_rate": 0.001})), after(train=2)),
        ],
    ),
    "the network of one method": (
        "that method, all seeds", "tables, figures, report", [
            (config(lambda c: c["methods"]["l2"].update(network={"bias": True})), after(train=2)),
        ],
    ),
    "`checkpoint_minutes`": (
        "nothing", "report, which shows the config", [
            (config(lambda c: c["training"].update(checkpoint_minutes=1)), jobs("report")),
        ],
    ),
    "`tensorboard`": (
        "nothing", "report, which shows the config", [
            (config(lambda c: c["training"].update(tensorboard=True)), jobs("report")),
        ],
    ),
    "a comment, docstring or blank line in the code": (
        "nothing", "nothing", [
            (
                both(
                    source("scripts/regatlas/training.py", "BLOCK = 20", "\n# said otherwise\nBLOCK = 20"),
                    source("scripts/regatlas/training.py", "Train one network", "Fit one network"),
                    source("scripts/regatlas/regularizers/l2.py", '"""', '"""Otherwise: '),
                    source("scripts/regatlas/statistics.py", '"""', '"""Otherwise: '),
                    source("scripts/train.py", "def main", "# the program\ndef main"),
                ),
                jobs(),
            ),
        ],
    ),
    "a regularizer's mathematics": (
        "the methods that use it", "tables, figures, report", [
            (
                source("scripts/regatlas/regularizers/l2.py", "return ", "return 2.0 * "),
                after(train=2),
            ),
        ],
    ),
    "its title, formula or citation": (
        "nothing", "report", [
            (source("scripts/regatlas/regularizers/l2.py", 'title = "', 'title = "The '), jobs("report")),
        ],
    ),
    "the training engine's mathematics": (
        "every method", "tables, figures, report", [
            (other_engine, after(train=4)),
        ],
    ),
    "the code of one figure": (
        "nothing", "that figure, report", [
            (add_code("figures/curves.py"), jobs("figure_curves", "report")),
        ],
    ),
    "the code that all figures share": (
        "nothing", "figures, report", [
            (add_code("figures/style.py"), jobs(*FIGURES, "report")),
        ],
    ),
    "the code that measures runs": (
        "nothing", "tables, figures, report", [
            (add_code("metrics.py"), after()),
        ],
    ),
    "another study that the claims look at, run or run again": (
        "nothing", "claims, report", [(run_another_study, jobs("claims", "report"))],
    ),
    "the code of the claims": (
        "nothing", "claims, report", [(add_code("claims/pixels.py"), jobs("claims", "report"))],
    ),
    "the code of the report, its template or its style": (
        "nothing", "report", [
            (add_code("report/facts.py"), jobs("report")),
            (source("scripts/regatlas/report/template.html.j2", "<body", "<!-- -->\n<body"), jobs("report")),
            (source("scripts/regatlas/report/style.css", "{", "{ "), jobs("report")),
        ],
    ),
    "a new regularizer file that no method uses": (
        "nothing", "nothing", [(write_plugin, jobs())],
    ),
    "a default written out; keys in another order; `1e-2` instead of `0.01`": (
        "nothing", "nothing", [
            (config(lambda c: c["network"].update(bias=False, hidden=[])), jobs()),
            (config(lambda c: c["methods"]["none"].update(training={})), jobs()),
            (config(lambda c: c["methods"]["l2"].update(training={"steps": 25})), jobs()),
            (in_other_order, jobs()),
            (in_words_of_yaml, jobs()),
        ],
    ),
    "delete the data, or a file of it": (
        "nothing", "the data", [
            (remove("data"), jobs("download", "prepare")),
            (remove("data/small_digits/raw/train_labels"), jobs("download", "prepare")),
            (remove("data/small_digits/prepared.npz"), jobs("prepare")),
        ],
    ),
    "delete one run's file": (
        "that run", "tables, figures, report", [
            (lambda project: a_run(project).unlink(), after(train=1)),
        ],
    ),
    "cut short or alter one run's file": (
        "that run; the damaged file is kept beside it", "tables, figures, report", [
            (cut_short, after("set_aside", train=1)),
            (alter, after("set_aside", train=1)),
        ],
    ),
    "delete a table, a figure or the report": (
        "nothing", "it, and what is made from it", [
            (remove("post/comparison.csv"), jobs("compare", "claims", *COMPARED, "report")),
            (remove("post/report.html"), jobs("report")),
            (remove("post/config.yaml"), jobs("report")),
            (remove("post/claims.csv"), jobs("claims", "report")),
            (remove("post/correct.npz"), after()),
            (remove("post/comparison.tex"), jobs("compare", "claims", *COMPARED, "report")),
            (remove("post/figures/forest.svg"), jobs("figure_forest", "report")),
            (remove("post/figures/weights_own_scale_mean.png"), jobs("figure_weights", "report")),
        ],
    ),
}  # fmt: skip
FIRST, OTHERS = [], []  # the others of a row are planned only: that planning and doing agree, the first shows
for title, (_, _, variants) in ROWS.items():
    for number, (edit, expected) in enumerate(variants):
        (OTHERS if number else FIRST).append(pytest.param(edit, expected, id=f"{title}-{number}"))
SEPARATE = {  # rows with a test of their own below
    "a value added to a grid": ("that point, all seeds", "tables, figures, report"),
    "a value removed from a grid": ("nothing", "tables, figures, report"),
    "the same setting, back again": ("nothing: the old runs are still there", "tables, figures, report"),
    "add a method to `methods` but not to `compare`": ("nothing", "report, which shows the config"),
    "a second study that shares methods with this one": (
        "only what the first did not train", "its own tables, figures, report"
    ),
    "another version of TensorFlow": ("every method", "tables, figures, report"),
}  # fmt: skip


@pytest.mark.parametrize(("edit", "expected"), FIRST)
def test_an_edit_runs_exactly_this(project, edit, expected):
    edit(project)
    assert project.jobs() == expected
    assert project.run() == expected


@pytest.mark.parametrize(("edit", "expected"), OTHERS)
def test_so_does_an_edit_of_the_same_kind(project, edit, expected):
    edit(project)
    assert project.jobs() == expected


def test_after_an_edit_was_run_there_is_nothing_to_do(project):
    cut_short(project)
    project.config["seeds"].append(7)
    project.save()
    assert project.run() == after("set_aside", train=3)
    assert project.jobs() == jobs()


def test_the_readme_has_exactly_these_rows():
    expected = {title: (trained, made) for title, (trained, made, _) in ROWS.items()} | SEPARATE
    found = {title: (trained, made) for title, trained, made in documented_rows("What runs again")}
    assert found == expected


def test_a_strength_and_back_again_trains_nothing_the_second_time(project):
    project.config["methods"]["l2"]["strength"] = 0.02
    project.save()
    told = project.snakemake("-n").stdout
    assert "To train: l2, 2 runs (seeds 0, 1): strength was 0.01, is 0.02" in told
    assert project.run("--until", "collect") == jobs("collect", train=2)
    project.config["methods"]["l2"]["strength"] = 0.01
    project.save()
    assert project.jobs() == after()
    assert project.run() == after()


def test_a_value_added_to_a_grid_trains_its_point_and_a_value_removed_trains_nothing(project):
    l2 = project.config["methods"]["l2"]

    def tune(*strengths: float) -> None:
        l2["strength"] = list(strengths)
        project.save()

    project.config["tuning"] = {"unequal": True}
    tune(0.01, 0.02)  # 0.01 has been trained alone
    assert "To train: l2 with strength 0.02, 2 runs (seeds 0, 1): new in its grid" in project.snakemake("-n").stdout
    assert project.run() == after("figure_paths", train=2)
    tune(0.01, 0.02, 300.0)
    assert project.jobs() == after("figure_paths", train=2)
    assert project.run() == after("figure_paths", train=2)
    table, comparison = (pandas.read_csv(project.result(name)) for name in ("runs.csv", "comparison.csv"))
    means = table[table["method"] == "l2"].groupby("point")["validation_accuracy"].mean()
    chosen = int(np.argmax(means.round(12)))
    assert table.groupby("method")["selected"].sum().tolist() == [2, 2] and len(means) == 3
    row = comparison.set_index("method").loc["l2"]
    mine = table[(table["method"] == "l2") & (table["point"] == chosen)]
    assert mine["selected"].all() and row["test_accuracy"] == pytest.approx(mine["test_accuracy"].mean())
    assert (row["point"], row["points"]) == (chosen, 3)
    assert "How the methods were tuned" in project.result("report.html").read_text()
    tune(0.01, 300.0)
    assert project.jobs() == after("figure_paths")
    assert project.run() == after("figure_paths")
    assert project.jobs() == jobs()
    tune(0.01)
    assert project.jobs() == after()


def test_a_method_that_is_defined_and_not_compared(project):
    project.config["methods"]["unused"] = {"regularizer": "l2", "strength": 3.0}
    project.save()
    assert project.jobs() == jobs("report")


def test_a_second_study_trains_only_what_the_first_did_not(project):
    second = project.folder / "second.yaml"
    text = "study: second\nseeds: [0, 1, 2]\nmethods: {l2: {label: Ridge}}\ncompare: [l2, none]\n"
    second.write_text(f"{text}report: {{author: Somebody}}\n")
    expected = after(train=2) - jobs("claims")  # seed 2 of both, and not the post's story
    assert project.jobs("--configfile", "second.yaml") == expected
    assert project.run("--configfile", "second.yaml") == expected
    page = (project.folder / "results/second/report.html").read_text()
    assert "<h1>Regularization Atlas" in page and "Somebody" in page
    assert project.jobs() == jobs()  # the first study is as it was
    assert project.jobs("--configfile", "second.yaml") == jobs()


def test_the_claims_follow_another_study_and_train_nothing(project):
    run_another_study(project)
    assert project.run() == jobs("claims", "report")
    assert project.jobs() == jobs()
    table = project.folder / "results/fair/runs.csv"
    table.write_text(table.read_text().replace("finished", "diverged", 1))
    assert project.run() == jobs("claims", "report")
    shutil.rmtree(table.parent)
    assert project.run() == jobs("claims", "report")
    claims = pandas.read_csv(project.result("claims.csv"))
    assert len(claims) == 34 and claims["why"].str.contains("study fair has not been run").any()


FROM_DATA = ("download", "prepare", "reference", "sample")


def test_a_data_file_that_is_edited_in_place_is_taken_over(project):
    path = project.folder / "test_labels.npy"
    np.save(path, (np.load(path) + 1) % 4)
    assert "To train: l2, 2 runs (seeds 0, 1): a file of the data set changed" in project.snakemake("-n").stdout
    assert project.run() == after(*FROM_DATA, train=4)
    table = pandas.read_csv(project.result("runs.csv"))
    for row in table.itertuples():
        run = runs.read(runs.path(project.folder / "results/runs", row.regularizer, row.digest, row.seed))
        labels = np.load(path)
        assert (run.arrays["test_predicted"] == labels).mean() == pytest.approx(row.test_accuracy)


def test_another_name_for_the_same_data_trains_nothing(project):
    project.config["dataset"]["name"] = "other_name"
    project.save()
    assert project.run() == after(*FROM_DATA)


@pytest.mark.parametrize(
    "edit",
    [
        lambda data, sha256: data.update(title="Digits"),
        lambda data, sha256: data.update(class_names=[str(number) for number in range(12)]),
        lambda data, sha256: data.update(test_labels={"path": "test_labels.npy", "sha256": sha256}),
    ],
)
def test_what_the_config_says_beside_the_data_is_no_reason_to_fetch_them(project, edit):
    edit(project.config["dataset"], hashlib.sha256((project.folder / "test_labels.npy").read_bytes()).hexdigest())
    project.save()
    assert project.jobs() == jobs("report")


def test_verified_data_outlive_their_source(project):
    """Whatever has `download` run again, what is there and right stays, and the source is not asked for it."""
    for role in ("train_images", "train_labels", "test_images", "test_labels"):
        path = project.folder / f"{role}.npy"
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        project.config["dataset"][role] = {"path": str(path), "sha256": digest}
        path.unlink()
    project.save()
    assert project.run("--forcerun", "download", "--until", "prepare") == jobs("download", "prepare")


def test_a_path_with_braces_is_refused(small, tmp_path):
    done = small.copy(tmp_path / "a{b}").snakemake("-n")
    assert done.returncode != 0 and "move it to a path without braces" in done.stdout
    assert "Traceback" not in done.stdout


def test_what_was_made_from_the_data_can_be_made_again(project):
    made = ("reference", "sample")
    assert project.run("--forcerun", *made, "--until", *made) == jobs(*made)


def test_a_study_that_does_not_tell_of_the_post_has_no_claims(project):
    project.config["report"]["story"] = ""
    project.save()
    assert project.jobs() == jobs("report")
    assert project.run("--forcerun", "collect") == after() - jobs("claims")


def test_another_tensorflow_trains_everything(project):
    replaced = "@functools.cache\ndef tensorflow_version() -> str:"
    source("scripts/regatlas/fingerprint.py", replaced, f'def tensorflow_version():\n    return "9.9"\n\n\n{replaced}')(
        project
    )
    source("scripts/regatlas/fingerprint.py", replaced, "@functools.cache\ndef _unused() -> str:")(project)
    listed = project.snakemake("-n").stdout
    assert project.jobs()["train"] == 4
    assert re.search(r'To train: none, 2 runs \(seeds 0, 1\): tensorflow was "2.*", is "9.9"', listed)


def test_a_run_under_the_name_of_another_is_found_and_repeated(project):
    """It is whole, so planning cannot see it; `collect` does, and the next call repeats the run."""
    before = np.load(a_run(project))["kernel_0"]
    shutil.copy(a_run(project, seed=1), a_run(project))
    done = project.snakemake()
    assert done.returncode != 0
    assert re.search(r"1 of 4 run files cannot be used; the same command trains them again", done.stdout)
    assert f"{a_run(project, seed=1).parent.name}/seed-0.npz: it holds another run" in done.stdout
    assert "Traceback" not in done.stdout
    assert project.run() == after(train=1)
    assert np.array_equal(np.load(a_run(project))["kernel_0"], before)


@pytest.mark.parametrize(
    ("edit", "why"),
    [
        (config(lambda c: c["seeds"].append(7)), "none, 1 run (seed 7): new seed"),
        (config(lambda c: c["compare"].append("dropout")), "dropout, 2 runs (seeds 0, 1): new in this study"),
        (config(lambda c: c["training"].update(steps=30)), "l2, 2 runs (seeds 0, 1): training.steps was 25, is 30"),
        (
            other_regularizer,
            'l2, 2 runs (seeds 0, 1): regularizer was "l2", is "weight_norm"',
        ),
        (
            other_engine,
            "none, 2 runs (seeds 0, 1): the training code changed",
        ),
        (
            source("scripts/regatlas/regularizers/l2.py", "return ", "return 2.0 * "),
            "l2, 2 runs (seeds 0, 1): the code of l2 changed",
        ),
        (lambda project: a_run(project).unlink(), "none, 1 run (seed 0): the file is no longer there"),
        (cut_short, "none, 1 run (seed 0): damaged"),
        (
            config(lambda c: c["dataset"].update(validation_size=10)),
            "none, 2 runs (seeds 0, 1): dataset.validation_size was 20, is 10",
        ),
    ],
)  # fmt: skip
def test_a_dry_run_says_why_in_words(project, edit, why):
    edit(project)
    done = project.snakemake("-n")
    assert f"To train: {why}" in done.stdout
    assert done.stdout.count("To train: ") <= 2  # once a method, not once a run


@pytest.mark.parametrize("cache", ["", "cache", "/no/such/folder"])
def test_a_cache_that_snakemake_could_not_use_is_refused_before_any_training(project, cache):
    (project.folder / "cache").mkdir()
    a_run(project).unlink()
    done = project.snakemake("--cache", "train", SNAKEMAKE_OUTPUT_CACHE=cache)
    assert done.returncode != 0
    assert f"SNAKEMAKE_OUTPUT_CACHE: found {cache!r}, allowed is the whole path of a folder" in done.stdout
    assert "Traceback" not in done.stdout and not list(project.folder.glob("results/runs/none/*/seed-0.npz"))


def test_two_checkouts_with_one_cache_train_each_run_once(small, tmp_path):
    cache = tmp_path / "cache"
    cache.mkdir()
    runs = {}
    for name in ("one", "two"):
        project = small.copy(tmp_path / name)
        for made in ("results", ".snakemake"):
            shutil.rmtree(project.folder / made)
        done = project.snakemake("--cache", "train", "--until", "train", SNAKEMAKE_OUTPUT_CACHE=str(cache))
        assert done.returncode == 0, done.stdout
        runs[name] = {
            path.relative_to(project.folder): path.resolve() for path in project.folder.glob("results/runs/*/*/*.npz")
        }
        logs = [path.read_text() for path in project.folder.glob("results/logs/train/*/*/*.log")]
        assert sum("finished in" in text for text in logs) == (4 if name == "one" else 0)
    assert runs["one"] == runs["two"]
    assert len(runs["one"]) == len(set(runs["one"].values())) == 4  # two seeds never share an entry
    assert len(list(cache.iterdir())) == 4
