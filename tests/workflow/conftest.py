"""The shrunken project as fixtures."""

import contextlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from shrunken import Project, two_methods

from regatlas import locks


@pytest.fixture(autouse=True)
def nothing_left_running(tmp_path):
    """What a test has begun, orphaned or stopped ends with it, also if it fails."""
    yield
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if Path(process.cwd()).is_relative_to(tmp_path):
                process.kill()


@pytest.fixture(scope="session")
def made_once(tmp_path_factory) -> Callable[[str, Callable[[Path], Project]], Project]:
    """Has a project made, unless another of pytest's processes has done so. Read it or copy it, never change it."""
    base = tmp_path_factory.getbasetemp()
    base = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base

    def made(name: str, make: Callable[[Path], Project]) -> Project:
        folder, note = base / name, base / f"{name}.made"
        with locks.take(base / f"{name}.lock", wait=lambda holder: None):
            if not note.exists():
                shutil.rmtree(folder, ignore_errors=True)  # of an attempt that failed
                folder.mkdir()
                note.write_text(str(make(folder / "project").folder))
        return Project.at(Path(note.read_text()))

    return made


@pytest.fixture(scope="session")
def undisturbed(made_once) -> Project:
    """A small study that ran in one go. Read it or copy it, never change it."""
    return made_once("undisturbed", lambda folder: two_methods(folder).ran())


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Project:
    """A project of the module's own, nothing run yet."""
    return Project(tmp_path_factory.mktemp("project"))


@pytest.fixture(scope="module")
def finished(made_once, tmp_path_factory) -> Project:
    """A project of the module's own whose study has been run."""
    project = made_once("finished", lambda folder: Project(folder).ran())
    return project.copy(tmp_path_factory.mktemp("finished") / "project")
