"""What under results/ nothing refers to any more: runs of no study, and what interrupted programs left behind."""

import dataclasses
import re
from collections.abc import Iterable
from pathlib import Path

from regatlas import locks, runs
from regatlas.configschema import RESERVED
from regatlas.study import Study

Identity = tuple[str, str, int]  # regularizer, digest, seed
_OF_A_RUN = re.compile(
    r"(?:seed-(\d+)\.(npz|\d+\.damaged|log|\d+\.log)"
    r"|\.{1,2}seed-(\d+)\.(lock|(?:checkpoint|ready)\.npz|(?:(?:checkpoint|ready)\.)?npz\..+\.part))"
)
_FOLDERS = ("runs", "logs/train", "logs/set_aside")  # each <regularizer>/<digest>/<files of a run>
_EVENTS = "runs/*/*/tensorboard/seed-*/events.out.tfevents.*"


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
    return {
        (method.regularizer, point.digest, seed)
        for method in study.methods
        for point in method.points
        for seed in study.seeds
    }


def wanted_by_tables(results: Path) -> dict[Path, set[Identity]]:
    """Table -> the runs it was made from, for every study under ``results``.

    Raises:
        UserError: a table cannot be read.
    """
    tables = {}
    for path in sorted(results.glob("*/runs.csv")):
        if path.parent.name in RESERVED:
            continue
        tables[path] = {(row.regularizer, row.digest, row.seed) for row in runs.listed(path)}
    return tables


def find(results: Path, wanted: Iterable[Identity]) -> Leftovers:
    """What ``wanted`` does not need. The caller holds the lock of ``results``; runs that are being trained are kept."""
    wanted = set(wanted)
    found = [
        (path, (path.parent.parent.name, path.parent.name, int(match[1] or match[3])), match[2] or match[4])
        for folder in _FOLDERS
        for path in sorted((results / folder).glob("*/*/*"))
        if (match := _OF_A_RUN.fullmatch(path.name))  # anything else was not made by the workflow
    ]
    for path in sorted(results.glob(_EVENTS)):
        digest, seed = path.parents[2], path.parent.name.removeprefix("seed-")
        if seed.isdecimal():
            found.append((path, (digest.parent.name, digest.name, int(seed)), "events"))
    trained = {identity for path, identity, kind in found if kind == "lock" and locks.holder(path)}
    there = {identity for _, identity, kind in found if kind == "npz"}
    unwanted, rest = [], []
    for path, identity, kind in found:
        if identity in trained:
            continue
        if kind == "npz" and identity not in wanted:
            unwanted.append(path)
        elif (
            identity not in wanted
            or kind.endswith(("damaged", "part", "lock"))
            or (kind in ("checkpoint.npz", "ready.npz") and identity in there)
        ):
            rest.append(path)
    rest += sorted(path for path in results.rglob(".*.part") if results / "runs" not in path.parents)
    return Leftovers(unwanted, rest)


def remove(leftovers: Leftovers, results: Path) -> None:
    """Remove the files, and folders of runs that this empties."""
    for path in leftovers.files:
        path.unlink(missing_ok=True)
    for root in (results / folder for folder in _FOLDERS):
        for folder in sorted(root.glob("*/**/"), reverse=True):  # what is inside first
            if folder.is_dir() and not any(folder.iterdir()):
                folder.rmdir()


def by_folder(paths: Iterable[Path]) -> dict[Path, list[int]]:
    """Folder -> seeds of runs' files."""
    folders: dict[Path, list[int]] = {}
    for path in paths:
        folders.setdefault(path.parent, []).append(int(path.stem.removeprefix("seed-")))
    return {folder: sorted(seeds) for folder, seeds in folders.items()}
