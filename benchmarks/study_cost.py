"""Wall clock of whole studies: a copy of the workflow in a folder of its own, run by Snakemake as a user runs it."""

import dataclasses
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from benchmarks import workload

ROOT = workload.ROOT
PARTS = ("train", "test")


@dataclasses.dataclass
class Cost:
    """One call of ``snakemake``: what it was given, how many runs it trained, how long it took."""

    name: str
    methods: int
    seeds: int
    steps: int
    trained: int
    seconds: float


class Study:
    """A fresh copy of the project with its data already prepared; nothing trained yet."""

    def __init__(self, folder: Path, cores: int, **changes: Any):
        self.folder, self.cores = folder, cores
        for name in ("workflow", "scripts", "config"):
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(ROOT / "environment.yml", folder)
        self.config = yaml.safe_load((ROOT / "config/config.yaml").read_text(encoding="utf-8"))
        if workload.PREPARED.is_file():
            shutil.copytree(workload.PREPARED.parent, folder / "results/data/mnist")
        else:
            self.config["dataset"] = noise_files(folder)
        self.config |= {key: value for key, value in changes.items() if key != "steps"}
        self.config["training"]["steps"] = changes["steps"]
        if not workload.PREPARED.is_file():
            self._snakemake("results/data/noise/prepared.npz")

    def run(self, name: str) -> Cost:
        before = self._runs()
        begun = time.perf_counter()
        self._snakemake()
        seconds = time.perf_counter() - begun
        config = self.config
        cost = Cost(
            name, len(config["compare"]), len(config["seeds"]), config["training"]["steps"],
            len(self._runs() - before), seconds,
        )  # fmt: skip
        print(f"{name}: {cost.trained} runs trained, {seconds:.1f} s", file=sys.stderr)
        return cost

    def _runs(self) -> set[Path]:
        return set(self.folder.glob("results/runs/*/*/seed-*.npz"))

    def _save(self) -> None:
        text = yaml.safe_dump(self.config, sort_keys=False)
        path = self.folder / "config/config.yaml"
        if path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")

    def _snakemake(self, *targets: str) -> None:
        self._save()
        done = subprocess.run(
            [sys.executable, "-m", "snakemake", "--cores", str(self.cores), *targets],
            cwd=self.folder, env={**os.environ, "HOME": str(self.folder)},
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(f"snakemake failed:\n{done.stdout[-3000:]}")


def noise_files(folder: Path) -> Mapping[str, str]:
    """The config's `dataset` for noise of MNIST's shape, written to ``folder``."""
    data = workload.noise(60_000)
    dataset = {"name": "noise"}
    for part in PARTS:
        for kind in ("images", "labels"):
            array = data[f"{part}_{kind}"]
            role = dataset[f"{part}_{kind}"] = f"{part}_{kind}.npy"
            np.save(folder / role, array.reshape(-1, 28, 28) if kind == "images" else array)
    return dataset


def measure(steps: int, cores: int) -> list[Cost]:
    """Cold, warm and after an edit; then with one thing larger or smaller at a time, each in a fresh folder."""
    costs = []

    def fresh(**changes: Any) -> Study:
        folder = Path(temporary) / str(len(costs))
        folder.mkdir()
        return Study(folder, cores, **{"steps": steps, "seeds": [0, 1], **changes})

    with tempfile.TemporaryDirectory(prefix="benchmark-") as temporary:
        study = fresh()
        costs.append(study.run("nothing there but the data"))
        costs.append(study.run("again, nothing changed"))
        study.config["methods"]["l2"]["strength"] = 0.02
        costs.append(study.run("again, one strength edited"))
        for name, changes in (
            ("one method", {"compare": ["none"]}),
            ("half the seeds", {"seeds": [0]}),
            ("four times the steps", {"steps": 4 * steps}),
        ):
            costs.append(fresh(**changes).run(name))
    return costs
