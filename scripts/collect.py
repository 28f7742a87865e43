"""Measure all runs of a study and select a point of each method.

One table has a row a run, one a row an evaluation, one a row a point, one a row a corruption of the test images; a file
of bits has the images each compared run classifies correctly.
"""

import argparse
from pathlib import Path

from regatlas import arguments, correctness, reference, tuning
from regatlas.errors import run
from regatlas.measurements import collect
from regatlas.tables import write_csv


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--spec", type=arguments.spec, required=True, help="JSON: methods (id, regularizer, grid, digests) and seeds"
    )
    parser.add_argument("--runs", type=Path, required=True, help="the folder of the runs")
    parser.add_argument("--reference", type=Path, required=True, help="what the runs are measured against")
    parser.add_argument("--table", type=Path, required=True, help="where to write runs.csv")
    parser.add_argument("--curves", type=Path, required=True, help="where to write curves.csv")
    parser.add_argument("--tuning", type=Path, required=True, help="where to write tuning.csv")
    parser.add_argument("--robustness", type=Path, required=True, help="where to write robustness.csv")
    parser.add_argument("--correct", type=Path, required=True, help="where to write correct.npz")
    parser.add_argument("--partial", action="store_true", help="leave out runs that are not there")
    options = parser.parse_args()
    spec = options.spec
    against = reference.read(options.reference)
    table, curves, robustness, correct = collect(spec["methods"], spec["seeds"], options.runs, against, options.partial)
    write_csv(options.table, table)
    write_csv(options.curves, curves)
    write_csv(options.tuning, tuning.summary(table))
    write_csv(options.robustness, robustness)
    correctness.write(options.correct, correct)


if __name__ == "__main__":
    run(main)
