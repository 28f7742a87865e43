"""Draw the accuracy of every seed of a study."""

from regatlas import tables
from regatlas.errors import run
from regatlas.figures import accuracy, program, style


def main() -> None:
    parser = program.parser(__doc__)
    parser.add_argument("--comparison", required=True, help="comparison.csv")
    options = parser.parse_args()
    spec = style.read_spec(options.spec)
    table = tables.read_selected(options.table, ["method", "seed", "status", "test_accuracy"])
    comparison = tables.read_csv(options.comparison, tables.COMPARISON_COLUMNS)
    accuracy.draw(spec, table, comparison, options.out)


if __name__ == "__main__":
    run(main)
