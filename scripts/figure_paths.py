"""Draw what each tuned setting of a study's methods does to accuracy and weights."""

from regatlas import tables
from regatlas.errors import run
from regatlas.figures import paths, program, style


def main() -> None:
    options = program.parser(__doc__).parse_args()
    columns = ["method", "seed", "point", "values", "selected", "status", *paths.COLUMNS]
    paths.draw(style.read_spec(options.spec), tables.read_csv(options.table, columns), options.out)


if __name__ == "__main__":
    run(main)
