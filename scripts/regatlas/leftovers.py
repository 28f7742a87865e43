"""What under results/ nothing refers to any more: runs of no study, and what interrupted programs left behind."""

import csv
import dataclasses
import re
from collections.abc import Iterable
from pathlib import Path

from regatlas import locks
from regatlas.errors import UserError
from regatlas.study import RESERVED, Study

Identity = tuple[str, str, int]  # regularizer, digest, seed
_OF_A_RUN = re.compile(
    r"\.?seed-(\d+)\.(npz|lock|checkpoint\.npz|\d+\.damaged|npz\..*\.part|checkpoint\.npz\..*\.part)"
)


@dataclasses.dataclass(frozen=True)
class Leftovers:
    """Files that can go; ``rest`` are those that never were results."""

    runs: list[Path]
    rest: list[Path]

    @property
    def files(self) -> list[Path]:
        return [*self.runs, *self.rest]

    @property
    def size(self) -> int:
        """Bytes."""
        return sum(path.lstat().st_size for path in self.files)


def wanted_by(study: Study) -> set[Identity]:
    """The runs that a study's config asks for."""
    return {(method.regularizer, method.digest, seed) for method in study.methods for seed in study.seeds}


def wanted_by_tables(results: Path) -> dict[Path, set[Identity]]:
    """Table -> the runs it was made from, for every study under ``results``.

    Raises:
        UserError: a table cannot be read.
    """
    tables = {}
    for path in sorted(results.glob("*/runs.csv")):
        if path.parent.name in RESERVED:
            continue
        try:
            with open(path, encoding="utf-8", newline="") as stream:
                rows = [(row["regularizer"], row["digest"], int(row["seed"])) for row in csv.DictReader(stream)]
        except (KeyError, TypeError, ValueError) as error:
            raise UserError(f"{path}: not a table of runs ({error!r})") from None
        tables[path] = set(rows)
    return tables


def find(results: Path, wanted: Iterable[Identity]) -> Leftovers:
    """What ``wanted`` does not need. No snakemake may be at work."""
    wanted = set(wanted)
    unwanted, rest = [], []
    for path in sorted((results / "runs").glob("*/*/*")) + sorted((results / "logs" / "train").glob("*/*/*.log")):
        identity = path.parent.parent.name, path.parent.name
        if path.suffix == ".log":
            match = re.fullmatch(r"seed-(\d+)\.log", path.name)
            kind = "log"
        else:
            match = _OF_A_RUN.fullmatch(path.name)
            kind = match[2] if match else ""
        if not match:  # not made by the workflow
            continue
        if kind == "lock" and locks.is_held(path):  # a training whose snakemake was killed goes on
            continue
        needed = (*identity, int(match[1])) in wanted
        if kind == "npz" and not needed:
            unwanted.append(path)
        elif kind.endswith((".damaged", ".part")) or kind == "lock" or not needed:
            rest.append(path)
    rest += sorted(path for path in results.glob("*/.*.part"))
    return Leftovers(unwanted, rest)


def remove(leftovers: Leftovers, results: Path) -> None:
    """Remove the files, and folders of runs that this empties."""
    for path in leftovers.files:
        path.unlink(missing_ok=True)
    for root in (results / "runs", results / "logs" / "train"):
        for folder in [*root.glob("*/*"), *root.glob("*")]:
            if folder.is_dir() and not any(folder.iterdir()):
                folder.rmdir()


def by_folder(paths: Iterable[Path]) -> dict[Path, list[int]]:
    """Folder -> seeds of runs' files."""
    folders: dict[Path, list[int]] = {}
    for path in paths:
        folders.setdefault(path.parent, []).append(int(path.stem.removeprefix("seed-")))
    return {folder: sorted(seeds) for folder, seeds in folders.items()}
