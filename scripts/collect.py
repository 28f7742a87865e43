"""Measure all runs of a study: one table with a row a run, one with a row an evaluation."""

import argparse
from pathlib import Path

from regatlas import arguments, reference
from regatlas.errors import run
from regatlas.measurements import collect
from regatlas.tables import write_csv


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--spec", type=arguments.spec, required=True, help="JSON: methods (id, regularizer, digest) and seeds"
    )
    parser.add_argument("--runs", type=Path, required=True, help="the folder of the runs")
    parser.add_argument("--reference", type=Path, required=True, help="what the runs are measured against")
    parser.add_argument("--table", type=Path, required=True, help="where to write runs.csv")
    parser.add_argument("--curves", type=Path, required=True, help="where to write curves.csv")
    options = parser.parse_args()
    spec = options.spec
    table, curves = collect(spec["methods"], spec["seeds"], options.runs, reference.read(options.reference))
    write_csv(options.table, table)
    write_csv(options.curves, curves)


if __name__ == "__main__":
    run(main)
