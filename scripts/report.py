"""Write a study's report, one HTML file, and its resolved configuration."""

import argparse
from pathlib import Path

from regatlas import arguments
from regatlas.errors import run
from regatlas.files import write_text
from regatlas.report import page
from regatlas.tables import (
    CLAIM_COLUMNS,
    COMPARISON_COLUMNS,
    CURVE_COLUMNS,
    ROBUSTNESS_COLUMNS,
    RUN_COLUMNS,
    TUNING_COLUMNS,
    read_csv,
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--spec", type=arguments.spec, required=True, help="JSON: title, story, author, config, baseline, methods"
    )
    parser.add_argument("--config-yaml", type=Path, required=True, help="where to write the resolved configuration")
    parser.add_argument("--table", type=Path, required=True, help="runs.csv")
    parser.add_argument("--curves", type=Path, required=True, help="curves.csv")
    parser.add_argument("--comparison", type=Path, required=True, help="comparison.csv")
    parser.add_argument("--claims", type=Path, nargs="?", help="claims.csv, of a study that has one")
    parser.add_argument("--robustness", type=Path, nargs="?", help="robustness.csv")
    parser.add_argument("--tuning", type=Path, nargs="?", help="tuning.csv")
    parser.add_argument("--figures", type=Path, required=True, help="the folder of the figures")
    parser.add_argument("--out", type=Path, required=True, help="where to write the report")
    options = parser.parse_args()
    html = page.render(
        options.spec,
        read_csv(options.table, RUN_COLUMNS),
        read_csv(options.curves, CURVE_COLUMNS),
        read_csv(options.comparison, COMPARISON_COLUMNS),
        options.figures,
        tables=[path.name for path in (options.out.parent.iterdir() if options.out.parent.is_dir() else ())]
        + [options.config_yaml.name],
        claims=read_csv(options.claims, CLAIM_COLUMNS) if options.claims else None,
        robustness=read_csv(options.robustness, ROBUSTNESS_COLUMNS) if options.robustness else None,
        reports=[path.parent.name for path in options.out.absolute().parent.parent.glob(f"*/{options.out.name}")],
        points=read_csv(options.tuning, TUNING_COLUMNS) if options.tuning else None,
    )
    write_text(options.config_yaml, page.resolved(options.spec["config"]))
    write_text(options.out, html)


if __name__ == "__main__":
    run(main)
