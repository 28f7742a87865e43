"""Draw the accuracy of a study's methods on corrupted test images."""

from regatlas import tables
from regatlas.errors import run
from regatlas.figures import program, robustness, style


def main() -> None:
    parser = program.parser(__doc__)
    parser.add_argument("--robustness", required=True, help="robustness.csv")
    options = parser.parse_args()
    spec = style.read_spec(options.spec)
    table = tables.read_selected(options.table, ["method", "seed", "status", "test_accuracy"])
    robustness.draw(spec, table, tables.read_csv(options.robustness, tables.ROBUSTNESS_COLUMNS), options.out)


if __name__ == "__main__":
    run(main)
