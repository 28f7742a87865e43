"""The studies that are under results/, and the files of theirs that the page about all of them is made from.

Runs while the workflow is planned: standard library only, but for what ``regatlas.study`` needs.
"""

import os
from pathlib import Path

from regatlas.configschema import RESERVED

COMPARISON, RUNS, CONFIG, REPORT = "comparison.csv", "runs.csv", "config.yaml", "report.html"


def folders(results: str | Path) -> list[Path]:
    """The folders of all studies that have been compared, by name."""
    found = (path.parent for path in Path(results).glob(f"*/{COMPARISON}") if path.is_file())
    return sorted(folder for folder in found if folder.name not in RESERVED and not folder.name.startswith("."))


def sources(folder: Path) -> list[Path]:
    """What is read of a study, as far as it is there and can be read."""
    paths = (folder / name for name in (COMPARISON, RUNS, CONFIG))
    return [path for path in paths if path.is_file() and os.access(path, os.R_OK)]
