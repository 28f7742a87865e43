"""Draw the weight images of a study's methods: one seed and the mean, on a shared scale and on own ones."""

from regatlas import geometry, tables
from regatlas.errors import run
from regatlas.figures import program, style, weights
from regatlas.files import read_npz


def main() -> None:
    parser = program.parser(__doc__)
    parser.add_argument("--runs", required=True, help="the folder of the runs")
    parser.add_argument("--data", required=True, help="the prepared data")
    options = parser.parse_args()
    spec = style.read_spec(options.spec)
    table = tables.read_csv(options.table, ["method", "seed", "digest", "regularizer", "status"])
    data = read_npz(options.data, ["train_images", "image_shape"])
    never_lit = geometry.never_lit(data["train_images"])
    weights.draw(spec, table, options.runs, never_lit, data["image_shape"].tolist(), options.out)


if __name__ == "__main__":
    run(main)
