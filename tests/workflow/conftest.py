"""A shrunken copy of the project: the real config with a tiny data set and a few steps, run by the real Snakemake."""

import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import yaml

ROOT = Path(__file__).parents[2]


class Project:
    """A copy of workflow, scripts and config in a folder of its own."""

    def __init__(self, folder: Path):
        self.folder = folder
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
        return subprocess.run(
            [sys.executable, "-m", "snakemake", "--cores", "2", *arguments],
            cwd=self.folder, env={**os.environ, "HOME": str(self.folder), **environment},
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=600,
        )  # fmt: skip

    def jobs(self, *arguments: str) -> Counter:
        """Rule -> number of jobs a dry run lists."""
        return self._rules("-n", *arguments)

    def run(self, *arguments: str) -> Counter:
        """Rule -> number of jobs a real run does."""
        return self._rules(*arguments)

    def _rules(self, *arguments: str) -> Counter:
        done = self.snakemake(*arguments)
        assert done.returncode == 0, done.stdout
        listed = Counter(re.findall(r"^(?:local)?rule (\w+):", done.stdout, re.MULTILINE))
        listed.pop("all", None)
        return listed

    def result(self, name: str) -> Path:
        return self.folder / "results" / self.config["study"] / name


def documented_rows(section: str) -> list[list[str]]:
    """The rows of the README's table in the section whose heading begins so."""
    text = (ROOT / "README.md").read_text()
    body = re.search(rf"^## {section}.*?$(.*?)^## ", text, re.MULTILINE | re.DOTALL)[1]
    lines = [line for line in body.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[2:]]


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
