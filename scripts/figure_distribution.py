"""Draw how the weights of each of a study's methods are distributed."""

from regatlas import tables
from regatlas.errors import run
from regatlas.figures import distribution, program, style


def main() -> None:
    parser = program.parser(__doc__)
    parser.add_argument("--runs", required=True, help="the folder of the runs")
    options = parser.parse_args()
    spec = style.read_spec(options.spec)
    table = tables.read_selected(options.table, ["method", "seed", "digest", "regularizer", "status"])
    distribution.draw(spec, table, options.runs, options.out)


if __name__ == "__main__":
    run(main)
