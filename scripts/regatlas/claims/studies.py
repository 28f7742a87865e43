"""Which studies the claims use beside the post's own. Imported while the workflow is planned: standard library only."""

from pathlib import Path

STUDIES = ("fair", "ladder", "small-data", "mlp", "fashion", "controls")
TABLES = ("runs.csv", "comparison.csv")  # of a study, that claims read


def command(study: str) -> str:
    """What makes a study's tables and report."""
    return f"snakemake --configfile config/{study}.yaml --cores 2"


def present(results: str | Path, but: str = "") -> list[str]:
    """The studies that have their tables in the folder of results, except the one named ``but``."""
    folders = {study: Path(results) / study for study in STUDIES if study != but}
    return [study for study, folder in folders.items() if all((folder / table).is_file() for table in TABLES)]
