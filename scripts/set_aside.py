"""Move the damaged file of a run out of the way, so that the run is trained again."""

import argparse
import sys
from pathlib import Path

from regatlas import runs
from regatlas.errors import run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", type=Path, required=True, help="the run's file")
    arguments = parser.parse_args()
    print(f"{arguments.run}: cut short or altered since it was written; it is trained again", file=sys.stderr)
    runs.set_aside(arguments.run)


if __name__ == "__main__":
    run(main)
