"""Draw the accuracy of every seed of a study."""

import argparse
from pathlib import Path

from regatlas import tables
from regatlas.errors import run
from regatlas.figures import accuracy, style


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--spec", required=True, help="what to show, as JSON")
    parser.add_argument("--table", required=True, help="runs.csv")
    parser.add_argument("--comparison", required=True, help="comparison.csv")
    parser.add_argument("--out", required=True, type=Path, help="the folder the figure goes to")
    options = parser.parse_args()
    spec = style.read_spec(options.spec)
    table = tables.read_csv(options.table, ["method", "seed", "status", "test_accuracy"])
    comparison = tables.read_csv(options.comparison, tables.COMPARISON_COLUMNS)
    accuracy.draw(spec, table, comparison, options.out)


if __name__ == "__main__":
    run(main)
