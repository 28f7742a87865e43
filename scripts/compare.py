"""Compare a study's methods over its seeds: one table with a row a method, as CSV, Markdown and LaTeX."""

import argparse
from pathlib import Path

from regatlas import arguments, correctness, markup
from regatlas.comparison import compare
from regatlas.errors import run
from regatlas.files import write_text
from regatlas.tables import RUN_COLUMNS, read_csv, write_csv


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--spec",
        type=arguments.spec,
        required=True,
        help="JSON: statistics (margin, level) and methods (id, label, baseline, published)",
    )
    parser.add_argument("--table", type=Path, required=True, help="runs.csv")
    parser.add_argument("--correct", type=Path, required=True, help="correct.npz")
    parser.add_argument("--csv", type=Path, required=True, help="where to write comparison.csv")
    parser.add_argument("--markdown", type=Path, required=True, help="where to write the Markdown table")
    parser.add_argument("--latex", type=Path, required=True, help="where to write the LaTeX table")
    options = parser.parse_args()
    spec, runs = options.spec, read_csv(options.table, RUN_COLUMNS)
    statistics = spec["statistics"]
    table = compare(spec["methods"], runs, correctness.read(options.correct), **statistics)
    write_csv(options.csv, table)
    write_text(options.markdown, markup.markdown(table, **statistics))
    write_text(options.latex, markup.latex(table, **statistics))


if __name__ == "__main__":
    run(main)
