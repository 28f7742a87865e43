"""Which studies the claims use beside the post's own. Imported while the workflow is planned: standard library only."""

from collections.abc import Iterable
from pathlib import Path

STUDIES = ("fair", "ladder", "small-data", "mlp", "fashion", "controls")
TABLES = ("runs.csv", "comparison.csv")  # of a study, that claims read


def command(study: str) -> str:
    """What makes a study's tables and report."""
    return f"snakemake --configfile config/{study}.yaml --cores 2"


def present(results: str | Path, but: str = "") -> list[str]:
    """The studies that have their tables in the folder of results, except the one named ``but``."""
    return [study for study in STUDIES if study != but and all(path.is_file() for path in paths(results, [study]))]


def paths(results: str | Path, studies: Iterable[str]) -> list[Path]:
    """The tables of studies."""
    return [Path(results) / study / table for study in studies for table in TABLES]
