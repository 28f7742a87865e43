"""The runs that claims are held against: tables and run files of studies, read when asked for."""

import functools
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from regatlas import reference, runs
from regatlas.claims.claim import Lacking, Measurement, Missing, mean
from regatlas.claims.sample import Sample
from regatlas.errors import UserError
from regatlas.numbers import count
from regatlas.statistics import pairs
from regatlas.tables import COMPARISON_COLUMNS, CURVE_COLUMNS, RUN_COLUMNS, read_csv


class Study:
    """A study's tables and runs.

    Args:
        name: the key ``study`` of its config.
        table: the frame of runs.csv.
        comparison: the frame of comparison.csv.
        curves: the frame of curves.csv; only the post's own study needs it.
        root: the folder of the runs; None where no claim may read run files.
    """

    def __init__(
        self,
        name: str,
        table: pd.DataFrame,
        comparison: pd.DataFrame,
        curves: pd.DataFrame | None = None,
        root: Path | None = None,
    ):
        self.name, self.table, self.comparison, self.curves, self.root = name, table, comparison, curves, root
        self.lost: dict[str, str] = {}  # method -> what was lost of those that were asked for
        self._read = functools.lru_cache(maxsize=64)(self._read_run)

    def __contains__(self, method: str) -> bool:
        return bool(((self.table["method"] == method) & (self.table["status"] == "finished")).any())

    @property
    def finished(self) -> pd.DataFrame:
        """The finished runs of all points."""
        return self.table[self.table["status"] == "finished"]

    @property
    def methods(self) -> list[str]:
        """In the order of the comparison."""
        return [method for method in self.comparison["method"] if method in self]

    def label(self, method: str) -> str:
        """How tables and figures call a method."""
        return dict(zip(self.comparison["method"], self.comparison["label"], strict=True)).get(method, method)

    def row(self, method: str) -> dict:
        """A method's row of comparison.csv."""
        self.rows(method)
        return self.comparison[self.comparison["method"] == method].iloc[0].to_dict()

    def rows(self, method: str) -> pd.DataFrame:
        """The finished runs of a method's selected point, by seed.

        Raises:
            Lacking: there is none.
        """
        mine = self.table[(self.table["method"] == method) & (self.table["selected"] == 1)]
        finished = mine[mine["status"] == "finished"]
        if mine.empty:
            raise Lacking(f"the study {self.name} does not compare the method {method}")
        if finished.empty:
            raise Lacking(f"no run of {method} in the study {self.name} finished")
        if lost := len(mine) - len(finished):
            self.lost[method] = f"{lost} of {count(len(mine), 'run')} of {method} ({self.name}) diverged"
        return finished.sort_values("seed")

    def seeds(self, *methods: str) -> list[int]:
        """The seeds with which all of these methods finished; Lacking if there is none."""
        common = set.intersection(*(set(self.rows(method)["seed"].tolist()) for method in methods))
        if not common:
            raise Lacking(f"{' and '.join(methods)} have no finished seed in common in the study {self.name}")
        return sorted(common)

    def values(self, method: str, column: str) -> dict[int, float]:
        """Seed -> value of a column of runs.csv."""
        rows = self.rows(method)
        return dict(zip(rows["seed"].tolist(), rows[column].astype(float).tolist(), strict=True))

    def mean(self, what: str, method: str, column: str, unit: str = "", scale: float = 1) -> Measurement:
        """The mean of a column over a method's seeds."""
        return mean(what, self.values(method, column).values(), unit, scale)

    def difference(
        self, what: str, method: str, baseline: str, column: str, unit: str = "", scale: float = 1
    ) -> Measurement:
        """The mean difference of a column between two methods, paired by seed; Lacking without a common seed."""
        self.seeds(method, baseline)
        both = pairs(self.values(method, column), self.values(baseline, column))
        return mean(what, both[:, 0] - both[:, 1], unit, scale)

    def run(self, method: str, seed: int) -> runs.Run:
        """The run file of a method's selected point.

        Raises:
            Lacking: the file is not there or damaged.
        """
        row = self.rows(method).set_index("seed").loc[seed]
        return self.read(row["regularizer"], row["digest"], seed)

    def read(self, regularizer: str, digest: str, seed: int) -> runs.Run:
        """The run file of any point; Lacking if it is not there or damaged."""
        return self._read(regularizer, digest, int(seed))

    def _read_run(self, regularizer: str, digest: str, seed: int) -> runs.Run:
        if self.root is None:
            raise Lacking("there are no run files")
        try:
            return runs.read(runs.path(self.root, regularizer, digest, seed))
        except UserError as error:
            raise Lacking(str(error)) from None

    def kernel(self, method: str, seed: int) -> np.ndarray:
        """The first layer's weights with the noise off, float64 [pixels, units]."""
        return self.run(method, seed).kernels[0].astype(np.float64)

    def one_layer(self, method: str, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """Weights [pixels, classes] and biases [classes] (zeros if it has none); Lacking if it has hidden layers."""
        run = self.run(method, seed)
        if len(run.kernels) > 1:
            raise Lacking(f"{method} in the study {self.name} has hidden layers")
        kernel = run.kernels[0].astype(np.float64)
        return kernel, run.arrays.get("bias_0", np.zeros(kernel.shape[1])).astype(np.float64)

    def initial(self, method: str, seed: int) -> np.ndarray:
        """The first layer's weights before the first step, [pixels, units]."""
        return runs.initial_kernel(self.run(method, seed))


class Evidence:
    """What claims are answered from.

    Args:
        own: the post's study.
        others: name -> the other studies that have been run.
        sample: the images that claims look at, or None where none may.
        reference: what the runs were measured against.
    """

    def __init__(
        self,
        own: Study,
        others: Mapping[str, Study] | None = None,
        sample: Sample | None = None,
        reference: reference.Reference | None = None,
    ):
        self.own, self.others, self._sample, self._reference = own, dict(others or {}), sample, reference

    def study(self, *names: str) -> Study:
        """The first of these studies that has been run.

        Raises:
            Missing: none has.
        """
        for name in names:
            if name in self.others:
                return self.others[name]
        raise Missing(names[0])

    def has(self, study: str, *methods: str) -> bool:
        """Whether a study has been run and has finished runs of these methods."""
        return study in self.others and all(method in self.others[study] for method in methods)

    @functools.cached_property
    def test_images(self) -> np.ndarray:
        """Pixels from 0 to 1, float32 [images, pixels]."""
        return self.sample.test_images.astype(np.float32) / 255

    @property
    def test_labels(self) -> np.ndarray:
        """The classes of the test images, [images]."""
        return self.reference.test_labels

    @property
    def sample(self) -> Sample:
        if self._sample is None:
            raise Lacking("there are no images")
        return self._sample

    @property
    def reference(self) -> reference.Reference:
        if self._reference is None:
            raise Lacking("there is no reference")
        return self._reference

    def lost(self) -> list[str]:
        """What was lost of the runs that were asked for since the last call."""
        found = []
        for study in (self.own, *self.others.values()):
            found += study.lost.values()
            study.lost.clear()
        return found


def read_study(folder: Path, root: Path, own: bool = False) -> Study:
    """A study from its folder; ``own``: with its curves.

    Raises:
        UserError: a table is missing or of another version.
    """
    return Study(
        folder.name,
        read_csv(folder / "runs.csv", RUN_COLUMNS),
        read_csv(folder / "comparison.csv", COMPARISON_COLUMNS),
        read_csv(folder / "curves.csv", CURVE_COLUMNS) if own else None,
        root,
    )


def read_others(folders: Iterable[Path], root: Path) -> tuple[dict[str, Study], list[str]]:
    """The studies in these folders, and a sentence for each that cannot be read: it counts as not run."""
    studies, problems = {}, []
    for folder in folders:
        try:
            studies[folder.name] = read_study(folder, root)
        except UserError as error:
            problems.append(f"the study {folder.name} is left out: {error}")
    return studies, problems
