"""Hold the claims of the post against the runs of its study and of others: one table, a row a claim."""

import argparse
from pathlib import Path

from regatlas import reference
from regatlas.claims import catalogue, sample
from regatlas.claims.evidence import Evidence, read_others, read_study
from regatlas.errors import run
from regatlas.tables import write_csv


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--study", type=Path, required=True, help="the folder of the post's study, with its tables")
    parser.add_argument("--others", type=Path, nargs="*", default=[], help="folders of the other studies")
    parser.add_argument("--runs", type=Path, required=True, help="the folder of the runs")
    parser.add_argument("--sample", type=Path, required=True, help="of the data what claims look at")
    parser.add_argument("--reference", type=Path, required=True, help="what the runs are measured against")
    parser.add_argument("--out", type=Path, required=True, help="where to write claims.csv")
    options = parser.parse_args()
    others, problems = read_others(options.others, options.runs)
    for problem in problems:
        print(problem)
    own = read_study(options.study, options.runs, own=True)
    evidence = Evidence(own, others, sample.read(options.sample), reference.read(options.reference))
    table = catalogue.answered(evidence)
    write_csv(options.out, table)
    print(table["verdict"].value_counts().to_string())


if __name__ == "__main__":
    run(main)
