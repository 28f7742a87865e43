"""Draw the learning curves of a study's methods."""

from regatlas import tables
from regatlas.errors import run
from regatlas.figures import curves, program, style


def main() -> None:
    parser = program.parser(__doc__)
    parser.add_argument("--curves", required=True, help="curves.csv")
    options = parser.parse_args()
    spec = style.read_spec(options.spec)
    table = tables.read_selected(options.table, ["method", "seed", "point", "status"])
    evaluations = tables.read_csv(options.curves, tables.CURVE_COLUMNS)
    curves.draw(spec, table, evaluations, options.out)


if __name__ == "__main__":
    run(main)
