"""A shrunken copy of the project: the real config with a tiny data set and a few steps, run by the real Snakemake."""

import contextlib
import csv
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import psutil
import yaml

from regatlas import files, runs
from tests.workflow import forking

ROOT = Path(__file__).parents[2]
_TIMES = re.compile(r".*(_seconds|runtime.*|microseconds_per_step|finished_at)")  # columns that no two calls share


class Project:
    """A copy of workflow, scripts and config in a folder of its own."""

    TABLES = ("runs.csv", "curves.csv", "tuning.csv", "robustness.csv", "comparison.csv")

    def __init__(self, folder: Path):
        self.folder = folder
        folder.mkdir(exist_ok=True)
        for name in ("workflow", "scripts", "config"):
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(ROOT / "environment.yml", folder)
        small_digits(folder)
        config = yaml.safe_load((ROOT / "config" / "config.yaml").read_text())
        config["dataset"] = {
            "name": "small_digits",
            "validation_size": 20,
            **{role: f"{role}.npy" for role in ("train_images", "train_labels", "test_images", "test_labels")},
        }
        config["training"] |= {"steps": 25, "evaluate_every": 10, "train_size": 100, "batch_size": 8}
        config["seeds"] = [0, 1]
        self.config = config
        self.save()

    def save(self) -> None:
        (self.folder / "config" / "config.yaml").write_text(yaml.safe_dump(self.config, sort_keys=False))

    def snakemake(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess:
        # its own home, so that nothing a user has set up for Snakemake acts here
        environment = {**os.environ, "HOME": str(self.folder), **environment}
        return forking.run(["--cores", "2", *arguments], self.folder, environment, seconds=600)

    def ran(self, *arguments: str, **environment: str) -> "Project":
        """The project itself, after a call that went well."""
        done = self.snakemake(*arguments, **environment)
        assert done.returncode == 0, done.stdout
        return self

    def start(self, *arguments: str) -> "Call":
        """Call Snakemake and do not wait for it."""
        return Call(self, [sys.executable, "-m", "snakemake", "--cores", "2", *arguments])

    def copy(self, folder: Path) -> "Project":
        """A project like this one, with all that it has made so far."""
        shutil.copytree(self.folder, folder, symlinks=True)
        return Project.at(folder)

    @classmethod
    def at(cls, folder: Path) -> "Project":
        """The project that is in a folder."""
        project = cls.__new__(cls)
        project.folder, project.config = folder, yaml.safe_load((folder / "config" / "config.yaml").read_text())
        return project

    def table_targets(self) -> list[str]:
        """What to name to get the tables and no figures."""
        return [str(self.result(name).relative_to(self.folder)) for name in self.TABLES]

    def runs(self) -> list[Path]:
        """The files of all runs."""
        return sorted((self.folder / "results/runs").glob("*/*/seed-*.npz"))

    def arrays(self) -> dict[str, dict[str, bytes]]:
        """Run -> array -> its bytes."""
        return {
            str(path.relative_to(self.folder)): {
                name: array.tobytes() for name, array in runs.read(path).arrays.items()
            }
            for path in self.runs()
        }

    def assert_whole(self) -> None:
        """Every result that has its final name can be read to its end."""
        for path in (self.folder / "results").rglob("*"):
            if not path.is_file() or path.name.startswith(".") or path.suffix == ".log":
                continue
            copy = self.folder / f"copy{path.suffix}"
            try:
                content = path.read_bytes()
            except FileNotFoundError:  # a job at work has just removed it
                continue
            if path.suffix == ".npz":
                copy.write_bytes(content)
                (runs.read if path.name.startswith("seed-") else files.read_npz)(copy)
            elif path.suffix == ".svg":
                ElementTree.fromstring(content)
            elif path.suffix == ".png":
                assert content.endswith(b"IEND\xaeB`\x82"), path
            elif path.suffix == ".html":
                assert content.rstrip().endswith(b"</html>"), path
            elif path.parent.name != "raw":
                assert content.endswith(b"\n"), path

    def tables(self) -> dict[str, list[dict[str, str]]]:
        """Table -> its rows, as text, without the columns that tell times."""
        tables = {}
        for name in self.TABLES:
            with open(self.result(name), encoding="utf-8", newline="") as stream:
                rows = list(csv.DictReader(stream))
            tables[name] = [{key: cell for key, cell in row.items() if not _TIMES.fullmatch(key)} for row in rows]
        return tables

    def jobs(self, *arguments: str, **environment: str) -> Counter:
        """Rule -> number of jobs a dry run lists."""
        return self._rules("-n", *arguments, **environment)

    def run(self, *arguments: str) -> Counter:
        """Rule -> number of jobs a real run does."""
        return self._rules(*arguments)

    def _rules(self, *arguments: str, **environment: str) -> Counter:
        done = self.snakemake(*arguments, **environment)
        assert done.returncode == 0, done.stdout
        listed = Counter(re.findall(r"^(?:local)?rule (\w+):", done.stdout, re.MULTILINE))
        listed.pop("all", None)
        return listed

    def result(self, name: str) -> Path:
        return self.folder / "results" / self.config["study"] / name


def documented_plugin() -> tuple[str, dict]:
    """The README's example of a regularizer of one's own: its file's text, and the config that uses it."""
    section = (ROOT / "README.md").read_text().partition("<!-- plugin:begin -->")[2].partition("\n## ")[0]
    blocks = {language: text for language, text in re.findall(r"```(\w+)\n(.*?)```", section, re.DOTALL)}
    return blocks["python"], yaml.safe_load(blocks["yaml"])


def documented_rows(section: str) -> list[list[str]]:
    """The rows of the README's table in the section whose heading begins so."""
    text = (ROOT / "README.md").read_text()
    body = re.search(rf"^## {section}.*?$(.*?)^## ", text, re.MULTILINE | re.DOTALL)[1]
    lines = [line for line in body.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[2:]]


def two_methods(folder: Path) -> Project:
    """A small study whose trainings take a second or two beyond the imports, with a state saved all the time."""
    project = Project(folder)
    project.config["compare"] = ["none", "dropout"]
    project.config["training"] |= {"steps": 20000, "evaluate_every": 4000, "checkpoint_minutes": 0.0001}
    project.save()
    return project


class Call:
    """A Snakemake at work, in a session of its own."""

    def __init__(self, project: Project, command: list[str]):
        self.log = project.folder / f"call-{time.time_ns()}.txt"
        self.project = project
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                command, cwd=project.folder, env={**os.environ, "HOME": str(project.folder)},
                stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip

    @property
    def output(self) -> str:
        return self.log.read_text(errors="replace")

    @property
    def ended(self) -> bool:
        return self.process.poll() is not None

    def wait(self, seconds: float = 300) -> int:
        """The exit code."""
        return self.process.wait(seconds)

    def wait_for(self, happened: Callable[[], object], seconds: float = 120) -> bool:
        """Whether something happened before the call ended."""
        until = time.monotonic() + seconds
        while not happened():
            if self.ended:
                return bool(happened())
            assert time.monotonic() < until, self.output
            time.sleep(0.03)
        return True

    def trainings(self) -> list[int]:
        """The processes of the project that train, also those whose Snakemake is gone."""
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                if "train.py" in "".join(process.cmdline()[1:2]) and process.cwd() == str(self.project.folder):
                    found.append(process.pid)
        return sorted(found)

    def kill(self, number: int = signal.SIGKILL, group: bool = False) -> None:
        (os.killpg if group else os.kill)(self.process.pid, number)


def small_digits(folder: Path) -> None:
    """Ten easily told patterns of 6 x 6 pixels with noise; the corner pixels are never lit."""
    rng = np.random.default_rng(0)
    patterns = rng.integers(0, 2, (10, 6, 6)) * 200
    for part, count in (("train", 120), ("test", 60)):
        labels = np.arange(count) % 10
        images = (patterns[labels] + rng.integers(0, 56, (count, 6, 6))).astype(np.uint8)
        images[:, 0, 0] = 0
        np.save(folder / f"{part}_images.npy", images)
        np.save(folder / f"{part}_labels.npy", labels.astype(np.uint8))
