"""Draw the weight images of a study's methods: one seed and the mean, on a shared scale and on own ones."""

from regatlas import reference, tables
from regatlas.errors import run
from regatlas.figures import program, style, weights


def main() -> None:
    parser = program.parser(__doc__)
    parser.add_argument("--runs", required=True, help="the folder of the runs")
    parser.add_argument("--reference", required=True, help="what the runs are measured against")
    options = parser.parse_args()
    spec = style.read_spec(options.spec)
    table = tables.read_selected(options.table, ["method", "seed", "digest", "regularizer", "status"])
    pixels = reference.read(options.reference)
    weights.draw(spec, table, options.runs, pixels.never_lit, pixels.image_shape.tolist(), options.out)


if __name__ == "__main__":
    run(main)
