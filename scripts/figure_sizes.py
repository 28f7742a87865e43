"""Draw the accuracy of a study's methods against the number of training images."""

from regatlas import arguments, tables
from regatlas.errors import run
from regatlas.figures import program, sizes, style


def main() -> None:
    parser = program.parser(__doc__)
    parser.add_argument("--families", type=arguments.spec, required=True, help="JSON: lists of ids, a list a line")
    options = parser.parse_args()
    columns = ["method", "seed", "status", "train_size", "train_accuracy", "test_accuracy"]
    table = tables.read_selected(options.table, columns)
    sizes.draw(style.read_spec(options.spec), table, options.families, options.out)


if __name__ == "__main__":
    run(main)
