"""Draw the accuracy of a study's methods against the time of a training step."""

from regatlas import tables
from regatlas.errors import run
from regatlas.figures import cost, program, style


def main() -> None:
    parser = program.parser(__doc__)
    parser.add_argument("--comparison", required=True, help="comparison.csv")
    options = parser.parse_args()
    spec = style.read_spec(options.spec)
    table = tables.read_selected(options.table, ["method", "seed", "status"])
    comparison = tables.read_csv(options.comparison, tables.COMPARISON_COLUMNS)
    cost.draw(spec, table, comparison, options.out)


if __name__ == "__main__":
    run(main)
