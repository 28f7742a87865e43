"""How the post trained, and which studies the claims use beside its own.

Imported while the workflow is planned: standard library only.
"""

from pathlib import Path

STUDIES = ("fair", "ladder", "small-data", "mlp", "fashion", "controls")
POSTS = {  # settings that every method of the post shares, but for Gaussian's learning rate
    "dataset": {"name": "mnist"},
    "network": {"hidden": [], "bias": False},
    "training": {
        "loss": "squared_error", "optimizer": "adam", "learning_rate": 1e-4, "schedule": "constant", "batch_size": 32,
        "steps": 150_000, "train_size": 55_000, "label_noise": 0.0, "permuted_pixels": False,
    },
}  # fmt: skip
TABLES = ("runs.csv", "comparison.csv")  # of a study, that claims read


def command(study: str) -> str:
    """What makes a study's tables and report."""
    return f"snakemake --configfile config/{study}.yaml --cores 2"


def present(results: str | Path, but: str = "") -> list[str]:
    """The studies that have their tables in the folder of results, except the one named ``but``."""
    folders = {study: Path(results) / study for study in STUDIES if study != but}
    return [study for study, folder in folders.items() if all((folder / table).is_file() for table in TABLES)]
