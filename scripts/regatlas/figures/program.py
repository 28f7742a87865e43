"""What the command lines of all figure programs share."""

import argparse
from pathlib import Path


def parser(description: str) -> argparse.ArgumentParser:
    """A parser that knows ``--spec``, ``--table`` and ``--out``."""
    result = argparse.ArgumentParser(description=description)
    result.add_argument("--spec", required=True, help="what to show, as JSON or @FILE")
    result.add_argument("--table", required=True, help="runs.csv")
    result.add_argument("--out", required=True, type=Path, help="the folder of the figures")
    return result
