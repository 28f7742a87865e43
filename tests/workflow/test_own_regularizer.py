"""The README's regularizer of one's own, word for word, from its file to the report."""

import numpy as np
import pytest
from shrunken import documented_plugin

from regatlas import runs


@pytest.fixture(scope="module")
def with_plugin(finished):
    """The finished study with the example's file in its folder and the example's config merged in, run again."""
    source, config = documented_plugin()
    assert len([line for line in source.splitlines() if line.strip()]) <= 20
    (finished.folder / config["plugins"][0]).write_text(source)
    finished.config["methods"] |= config.pop("methods")
    finished.config |= config
    finished.save()
    return finished, finished.run()


def kernel(project, name):
    [path] = (project.folder / "results/runs" / name).glob("*/seed-0.npz")
    return runs.read(path).kernels[0]


def test_its_runs_alone_are_trained_and_the_report_shows_them(with_plugin):
    project, jobs = with_plugin
    assert jobs["train"] == len(project.config["seeds"]) and jobs["report"] == 1
    page = project.result("report.html").read_text()
    assert "Centred gradients" in page and "Gradient centralization" in page and "Yong, Huang, Hua, Zhang" in page
    assert (project.result("comparison.csv").read_text().splitlines()[-1]).startswith("centred,Centred gradients,")


def test_it_does_what_its_formula_says(with_plugin):
    """Where a pixel is always 0, so is the gradient: without its mean it is the same for all such pixels, and not 0."""
    project, _ = with_plugin
    never_lit = ~np.load(project.folder / "train_images.npy").any(axis=0).ravel()
    moved = (kernel(project, "gradient_centralization") - kernel(project, "none"))[never_lit]
    assert never_lit.any() and np.abs(moved).min() > 0
    assert np.abs(moved - moved[0]).max() < 1e-6


def test_where_its_file_lies_is_no_reason_to_train(with_plugin):
    project, _ = with_plugin
    home = project.folder / project.config["plugins"][0]
    moved = project.folder / "elsewhere" / home.name
    moved.parent.mkdir()
    home.rename(moved)
    project.config["plugins"] = [str(moved.relative_to(project.folder))]
    project.save()
    try:
        assert project.jobs() == {"report": 1}
    finally:
        moved.rename(home)
        project.config["plugins"] = [home.name]
        project.save()


def test_its_code_is_part_of_its_runs_digest_and_of_no_others(with_plugin):
    project, _ = with_plugin
    path = project.folder / project.config["plugins"][0]
    source = path.read_text()
    path.write_text(source.replace("# [out, in]: a row a unit", "# another remark"))
    assert not project.jobs()["train"]
    path.write_text(source.replace("self.share * mean", "self.share * mean * 0.5"))
    assert project.jobs()["train"] == len(project.config["seeds"])
