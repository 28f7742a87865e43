"""What a study of 100 methods costs beside its training, at 1,000 and at 10,000 runs: time and memory of each part.

One run of each method is trained. The runs of the other seeds are copies of it with a little noise on every number,
written as the training writes them: training them all would take hours, most of them TensorFlow's import.
"""

import contextlib
import dataclasses
import os
import re
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.study_cost import Study
from regatlas import fingerprint, runs, study

STEPS, EVERY = 1500, 10  # learning curves as long as the default study's
_COMMAND = re.compile(r'python "\$REGATLAS_SCRIPTS"/(\w+)\.py')

_OF_NO_STUDY = ("prepare", "reference", "train")  # programs whose work does not grow with the runs


@dataclasses.dataclass
class Scaled:
    """A call that was measured in a study of so many runs."""

    name: str
    runs: int
    seconds: float
    megabytes: float  # the largest of its processes, at its peak
    inside: float = 0.0  # seconds that trainings say they took, from their first line to their last


def measure(methods: int, seeds: Iterable[int], cores: int) -> list[Scaled]:
    """The overhead of a job, then for each number of seeds the cost of every part of the workflow."""
    with tempfile.TemporaryDirectory(prefix="benchmark-") as temporary:
        project = ScaledStudy(Path(temporary), cores, methods)
        results = project.overhead()
        for count in sorted(seeds):
            results += project.at(count)
    return results


class ScaledStudy(Study):
    """A copy of the project whose config has ``methods`` methods."""

    def __init__(self, folder: Path, cores: int, methods: int):
        defined = many_methods(methods)
        super().__init__(folder, cores, study="scale", methods=defined, compare=list(defined), seeds=[0], steps=STEPS)
        self.config["training"]["evaluate_every"] = EVERY
        self.config["report"] = {"title": f"{methods} methods"}
        self._snakemake(str(self.data))

    @property
    def data(self) -> Path:
        return Path(f"results/data/{self.config['dataset']['name']}/prepared.npz")

    def resolved(self) -> study.Study:
        with contextlib.chdir(self.folder):  # a data set may be named by relative paths
            return study.resolve(self.config)

    def overhead(self) -> list[Scaled]:
        """One run a method: the same command lines in a shell loop and as jobs, on one core each."""
        resolved = self.resolved()
        files = [runs.path("results/runs", method.regularizer, method.digest, 0) for method in resolved.methods]
        lines = [
            self.train_line(method, Path("loop") / path) for method, path in zip(resolved.methods, files, strict=True)
        ]
        loop = self.call("training, in a shell loop", len(files), ["bash", "-c", "\n".join(["set -e", *lines])])
        jobs = self.snakemake("training, by the workflow", len(files), "--cores", "1", *map(str, files))
        for call, root in ((loop, self.folder / "loop"), (jobs, self.folder)):
            call.inside = sum(runs.read(root / path).metadata["total_seconds"] for path in files)
        return [loop, jobs]

    def train_line(self, method: study.Method, out: Path) -> str:
        spec = fingerprint.canonical({"settings": method.settings, "seed": 0})
        arguments = {"spec": spec, "data": self.data, "threads": 1, "checkpoint-minutes": 5, "out": out}
        words = [sys.executable, "scripts/train.py", *(str(w) for k, v in arguments.items() for w in (f"--{k}", v))]
        return f"mkdir -p {out.parent}; {shlex.join(words)} > {out.with_suffix('.log')} 2>&1"

    def at(self, seeds: int) -> list[Scaled]:
        """Every part with so many seeds; the runs of seed 0 are there."""
        self.config["seeds"] = list(range(seeds))
        count = seeds * len(self.config["compare"])
        results = [self.snakemake("dry run, all but one seed to train", count, "--dry-run")]
        self.copy_runs()
        results.append(self.snakemake("everything but the training", count, "--printshellcmds"))
        programs = self.programs()
        size = (self.folder / "results/scale/report.html").stat().st_size
        print(f"the report, {count:,} runs: a file of {size / 1e6:.1f} MB", file=sys.stderr)
        results.append(self.snakemake("nothing to do", count))
        results += [self.call(f"`{name}`", count, ["bash", "-c", line]) for name, line in programs]
        self.config["seeds"].append(seeds)
        results.append(self.snakemake("dry run, one seed more", count, "--dry-run"))
        return results

    def programs(self) -> list[tuple[str, str]]:
        """The command lines of the last call's jobs that see every run, by the name of their program."""
        return [
            (match[1], line[match.start() :])
            for line in self.said.splitlines()
            if (match := _COMMAND.search(line)) and match[1] not in _OF_NO_STUDY
        ]

    def copy_runs(self) -> None:
        """Make the runs that are missing from those of seed 0."""
        for method in self.resolved().methods:
            wanted = {seed: runs.path(self.folder / "results/runs", method.regularizer, method.digest, seed)
                      for seed in self.config["seeds"]}  # fmt: skip
            trained = runs.read(wanted[0])
            for seed, path in wanted.items():
                if not path.exists():
                    runs.write(path, *another(trained, seed))

    def snakemake(self, name: str, count: int, *arguments: str) -> Scaled:
        self._save()
        cores = [] if "--cores" in arguments else ["--cores", str(self.cores)]
        return self.call(name, count, [sys.executable, "-m", "snakemake", *cores, *arguments])

    def call(self, name: str, count: int, command: list[str]) -> Scaled:
        """Run a command in the study's folder; keeps what it said."""
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        environment = {**os.environ, "HOME": str(self.folder), "PATH": path, "REGATLAS_SCRIPTS": "scripts"}
        with tempfile.TemporaryFile("w+", encoding="utf-8") as output:
            begun = time.perf_counter()
            process = subprocess.Popen(
                command, cwd=self.folder, env=environment,
                stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
            )  # fmt: skip
            _, status, usage = os.wait4(process.pid, 0)  # of the process and of all that it waited for
            seconds = time.perf_counter() - begun
            process.returncode = os.waitstatus_to_exitcode(status)
            output.seek(0)
            self.said = output.read()
        if process.returncode:
            raise RuntimeError(f"{name} failed:\n{self.said[-3000:]}")
        megabytes = usage.ru_maxrss / (1024 if sys.platform == "linux" else 1024**2)
        print(f"{name}, {count:,} runs: {seconds:.1f} s, {megabytes:.0f} MB", file=sys.stderr)
        return Scaled(name, count, seconds, megabytes)


def many_methods(count: int) -> dict[str, dict[str, Any]]:
    """The baseline, and methods of four kinds, each with a strength of its own."""
    made: dict[str, dict[str, Any]] = {"none": {"regularizer": "none", "label": "No regularization"}}
    for number in range(count - 1):
        strength = float(10 ** (-4 * (1 - number / count)))
        kind, own, label = (
            ("l2", {"strength": strength}, f"L2 {strength:.3g}"),
            ("dropout", {"keep_probability": 1 - 0.9 * strength}, f"Dropout, keeping {1 - 0.9 * strength:.8f}"),
            ("gaussian", {"noise_scale": strength}, f"Gaussian weights, noise {strength:.3g}"),
            ("weight_norm", {"training": {"learning_rate": strength}}, f"Weight normalization, rate {strength:.3g}"),
        )[number % 4]
        made[f"{kind}_{number:03}"] = {"regularizer": kind, "label": label, **own}
    return made


def another(run: runs.Run, seed: int) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Metadata and arrays as a run of another seed might have them."""
    rng = np.random.default_rng(seed)
    metadata = {key: value for key, value in run.metadata.items() if key != "arrays"} | {"seed": seed}
    if metadata["microseconds_per_step"]:
        metadata["microseconds_per_step"] *= 1 + 0.1 * rng.random()
    return metadata, {name: _noisy(name, array, rng) for name, array in run.arrays.items()}


def _noisy(name: str, array: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    if name.startswith(("kernel_", "trained_")):
        return array * (1 + 0.05 * rng.standard_normal(array.shape, np.float32))
    if name.startswith("test_predicted"):  # up to one image in a hundred is seen as something else
        return np.where(rng.random(array.shape) < 0.01 * rng.random(), (array + 1) % 10, array).astype(array.dtype)
    if name.startswith("curve_") and name != "curve_step":
        return array * (1 + 0.005 * rng.standard_normal())
    return array


def overhead(results: Iterable[Scaled]) -> float | None:
    """Seconds that the workflow adds to a job; how long the trainings themselves took does not matter."""
    by_name = {result.name: result for result in results}
    loop, jobs = (by_name.get(f"training, {way}") for way in ("in a shell loop", "by the workflow"))
    return (jobs.seconds - jobs.inside - loop.seconds + loop.inside) / jobs.runs if loop and jobs else None
