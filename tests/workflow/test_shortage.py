"""A full or read-only disk, files that may not grow, too little memory: one clear message, and nothing is lost."""

import os
import shlex
import subprocess
import sys

import pytest

OWN_MOUNTS = ["unshare", "--map-root-user", "--mount"]
FILL = "dd if=/dev/zero of=results/fill bs=4k 2> /dev/null || true"


@pytest.fixture
def one_missing(undisturbed, tmp_path):
    """A project that is finished but for one run and the tables."""
    project = undisturbed.copy(tmp_path / "project")
    for path in (project.runs()[0], *map(project.result, (*project.TABLES, "correct.npz"))):
        path.unlink()
    return project


@pytest.fixture
def own_mounts():
    """Skips where a process may not mount file systems of its own."""
    try:
        command = [*OWN_MOUNTS, "mount", "-t", "tmpfs", "tmpfs", "/mnt"]
        subprocess.run(command, check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"no file systems of its own here: {getattr(error, 'stderr', '') or error}")


def bash(project, script: str, *before: str) -> subprocess.CompletedProcess:
    """Run a script in the project's folder; ``$SNAKEMAKE`` in it makes the tables."""
    command = [sys.executable, "-m", "snakemake", "--cores", "2", *project.table_targets()]
    return subprocess.run(
        [*before, "bash", "-ec", script.replace("$SNAKEMAKE", shlex.join(command))],
        cwd=project.folder, env={**os.environ, "HOME": str(project.folder)},
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=600,
    )  # fmt: skip


def refused(done: subprocess.CompletedProcess, message: str) -> None:
    """The call has failed with a message and without a traceback."""
    assert done.returncode != 0
    assert message in done.stdout, done.stdout
    assert "Traceback" not in done.stdout, done.stdout


def finishes(project, undisturbed) -> None:
    """The plain call now ends as if nothing had happened."""
    done = project.snakemake(*project.table_targets())
    assert done.returncode == 0, done.stdout
    project.assert_whole()
    assert project.arrays() == undisturbed.arrays()
    assert project.tables() == undisturbed.tables()


@pytest.mark.parametrize("room", [0, 12])
def test_results_on_a_full_disk(undisturbed, one_missing, own_mounts, room):
    """Full to the last byte, so that not even a log says so, or with a few kB left, so that it is met on the way."""
    project = one_missing
    done = bash(
        project,
        f"""
        mv results before; mkdir results
        mount -t tmpfs -o size=4m tmpfs results
        cp -a before/. results; {FILL}; truncate -s -{room}k results/fill
        code=0; $SNAKEMAKE || code=$?
        rm results/fill; cp -a results after
        exit $code
        """,
        *OWN_MOUNTS,
    )
    refused(done, "the disk is full: free some space and run the same command again")
    (project.folder / "results").rmdir()
    (project.folder / "after").rename(project.folder / "results")
    project.assert_whole()
    assert len(project.runs()) == 3
    finishes(project, undisturbed)


def test_the_whole_project_on_a_full_disk(undisturbed, one_missing, own_mounts):
    """Snakemake's own notes cannot be written either."""
    project = one_missing
    done = bash(
        project,
        f"""
        mkdir ../small; mount -t tmpfs -o size=8m tmpfs ../small
        cp -a . ../small; cd ../small; {FILL}
        code=0; $SNAKEMAKE || code=$?
        rm results/fill; cp -a . ../after
        exit $code
        """,
        *OWN_MOUNTS,
    )
    refused(done, "the disk is full")
    project.folder = project.folder.with_name("after")
    project.assert_whole()
    assert len(project.runs()) == 3
    finishes(project, undisturbed)


def test_files_that_may_not_grow(undisturbed, tmp_path):
    """A limit on the size of files stands in for a quota, and needs no privileges: the report has more than 64 kB."""
    project = undisturbed.copy(tmp_path / "project")
    report = project.result("report.html")
    before = report.read_bytes()
    report.unlink()
    refused(
        bash(project, f"ulimit -f 64; exec $SNAKEMAKE {report.relative_to(project.folder)}"),
        "files may not get this large here",
    )
    assert not report.exists()
    project.assert_whole()
    assert project.snakemake().returncode == 0
    assert report.read_bytes() == before


def test_a_training_over_its_memory(undisturbed, one_missing):
    refused(bash(one_missing, "ulimit -v 700000; exec $SNAKEMAKE"), "error: out of memory: run fewer jobs at once")
    finishes(one_missing, undisturbed)


@pytest.mark.parametrize(
    ("missing", "message"),
    [
        ([], "Write-protected output files"),  # Snakemake's own, if a file would be written anew
        (["comparison.md", "comparison.tex"], "results cannot be written: Read-only file system"),
    ],
)
def test_results_that_are_read_only(one_missing, own_mounts, missing, message):
    project = one_missing
    for name in missing:
        project.result(name).unlink()

    def state():
        return {path: (path.stat().st_ino, path.stat().st_mtime_ns) for path in (project.folder / "results").rglob("*")}

    before = state()
    script = "mount --bind results results; mount -o remount,bind,ro results; $SNAKEMAKE"
    done = bash(project, script, *OWN_MOUNTS)
    refused(done, message)
    assert "Error in rule" not in done.stdout  # no job was tried
    assert state() == before
