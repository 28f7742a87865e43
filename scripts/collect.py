"""Measure all runs of a study and select a point of each method.

One table has a row a run, one a row an evaluation, one a row a point; a file of bits has the images each compared run
classifies correctly.
"""

import argparse
import json
from pathlib import Path

from regatlas import correctness, reference, tuning
from regatlas.errors import run
from regatlas.measurements import collect
from regatlas.tables import write_csv


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--spec", type=json.loads, required=True, help="JSON: methods (id, regularizer, grid, digests) and seeds"
    )
    parser.add_argument("--runs", type=Path, required=True, help="the folder of the runs")
    parser.add_argument("--reference", type=Path, required=True, help="what the runs are measured against")
    parser.add_argument("--table", type=Path, required=True, help="where to write runs.csv")
    parser.add_argument("--curves", type=Path, required=True, help="where to write curves.csv")
    parser.add_argument("--tuning", type=Path, required=True, help="where to write tuning.csv")
    parser.add_argument("--correct", type=Path, required=True, help="where to write correct.npz")
    arguments = parser.parse_args()
    spec = arguments.spec
    table, curves, correct = collect(
        spec["methods"], spec["seeds"], arguments.runs, reference.read(arguments.reference)
    )
    write_csv(arguments.table, table)
    write_csv(arguments.curves, curves)
    write_csv(arguments.tuning, tuning.summary(table))
    correctness.write(arguments.correct, correct)


if __name__ == "__main__":
    run(main)
