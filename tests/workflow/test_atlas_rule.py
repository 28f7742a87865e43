"""The page about all studies: made when asked for, of what is there, and never a reason to train."""

import shutil

import pytest


@pytest.fixture(scope="module")
def two(finished):
    """A project with two studies, and what it did to make the page about them."""
    shutil.copytree(finished.result("."), finished.folder / "results" / "second")
    finished.made = finished.run("atlas")
    return finished


def page(project) -> str:
    return (project.folder / "results/atlas.html").read_text(encoding="utf-8")


def test_the_page_is_all_that_is_made(two):
    assert two.made == {"atlas": 1}
    assert 'href="post/report.html"' in page(two) and 'href="second/report.html"' in page(two)
    assert "2 studies, 5 methods, 20 runs" in page(two)


def test_it_is_made_again_when_a_table_changes_and_only_then(two):
    assert two.jobs("atlas") == {}
    (two.folder / "results/second/comparison.csv").touch()
    assert two.jobs("atlas") == {}
    for name in ("post", "second"):
        path = two.folder / "results" / name / "comparison.csv"
        path.write_text(path.read_text().replace("Dropout", f"Dropout of {name}"))
        assert two.run("atlas") == {"atlas": 1}
        assert f"Dropout of {name}" in page(two)


def test_it_notices_studies_and_reports_that_come_and_go(two):
    second, report = two.folder / "results/second", two.folder / "results/second/report.html"
    report.rename(second / "elsewhere")
    assert two.run("atlas") == {"atlas": 1} and "second/report.html" not in page(two)
    shutil.move(second, two.folder / "second")
    assert two.run("atlas") == {"atlas": 1} and "1 study" in page(two)
    shutil.move(two.folder / "second", second)
    (second / "elsewhere").rename(report)
    assert two.run("atlas") == {"atlas": 1} and "2 studies" in page(two)


def test_a_damaged_study_is_named(two):
    path = two.folder / "results/second/runs.csv"
    whole = path.read_bytes()
    path.write_bytes(whole[:50])
    assert two.run("atlas") == {"atlas": 1}
    assert "<b>second</b> could not be read and is left out" in page(two)
    assert 'href="post/report.html"' in page(two)
    path.write_bytes(whole)


def test_a_config_that_wants_other_runs_trains_none_for_it(two):
    two.config["training"]["steps"] = 26
    two.save()
    try:
        assert set(two.jobs("atlas")) <= {"atlas"}
    finally:
        two.config["training"]["steps"] = 25
        two.save()


def test_the_default_target_does_not_make_it(two):
    (two.folder / "results/atlas.html").unlink()
    assert "atlas" not in two.jobs()
