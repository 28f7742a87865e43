"""A report of a part of the study: of the runs that are there, without training the others."""

import csv
import shutil

PARTIAL = {"REGATLAS_PARTIAL": "1"}


def test_a_part_is_reported_and_the_study_goes_on_afterwards(undisturbed, tmp_path):
    project = undisturbed.copy(tmp_path / "project")
    whole, lost = project.tables(), project.runs()[0]
    lost.unlink()
    project.ran(**PARTIAL)
    assert not lost.exists()
    with open(project.result("runs.csv"), encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == len(project.runs()) == len(whole["runs.csv"]) - 1
    page = project.result("report.html").read_text()
    assert f"1 of {len(rows) + 1} runs are missing" in page
    assert f"no run with seed {lost.stem.removeprefix('seed-')} is in the table" in page
    assert "Nothing to be done" in project.snakemake(**PARTIAL).stdout
    project.ran()
    assert lost.exists() and project.tables() == whole
    assert "are missing" not in project.result("report.html").read_text()


def test_it_is_said_in_plain_words_and_of_nothing_there_is_no_report(undisturbed, tmp_path):
    project = undisturbed.copy(tmp_path / "project")
    assert "found 'no', allowed are 1 (yes) and 0 (no)" in project.snakemake("-n", REGATLAS_PARTIAL="no").stdout
    shutil.rmtree(project.folder / "results/runs")
    done = project.snakemake("-n", **PARTIAL)
    assert done.returncode != 0 and "REGATLAS_PARTIAL=1: no run of the study post is there" in done.stdout
    assert project.jobs(REGATLAS_PARTIAL="0")["train"] == 4
