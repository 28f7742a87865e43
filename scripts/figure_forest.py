"""Draw the difference of each of a study's methods to its baseline."""

from regatlas import tables
from regatlas.errors import run
from regatlas.figures import forest, program, style


def main() -> None:
    parser = program.parser(__doc__)
    parser.add_argument("--comparison", required=True, help="comparison.csv")
    options = parser.parse_args()
    spec = style.read_spec(options.spec)
    table = tables.read_selected(options.table, ["method", "seed", "status", "test_accuracy"])
    comparison = tables.read_csv(options.comparison, tables.COMPARISON_COLUMNS)
    forest.draw(spec, table, comparison, options.out)


if __name__ == "__main__":
    run(main)
