"""The shrunken project as fixtures."""

import contextlib
from pathlib import Path

import psutil
import pytest
from shrunken import Project, two_methods


@pytest.fixture(autouse=True)
def nothing_left_running(tmp_path):
    """What a test has begun, orphaned or stopped ends with it, also if it fails."""
    yield
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if Path(process.cwd()).is_relative_to(tmp_path):
                process.kill()


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory) -> Project:
    """A small study that ran in one go. Read it or copy it, never change it."""
    project = two_methods(tmp_path_factory.mktemp("undisturbed") / "project")
    done = project.snakemake()
    assert done.returncode == 0, done.stdout
    return project


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Project:
    """A project of the module's own, nothing run yet."""
    return Project(tmp_path_factory.mktemp("project"))


@pytest.fixture(scope="module")
def finished(project) -> Project:
    """A project whose study has been run."""
    done = project.snakemake()
    assert done.returncode == 0, done.stdout
    return project
