"""Put the weights of a study's methods, seeds and points into one picture for the report, and draw their spectra."""

from regatlas import reference, tables
from regatlas.errors import run
from regatlas.figures import program, spectrum, sprite, style


def main() -> None:
    parser = program.parser(__doc__)
    parser.add_argument("--runs", required=True, help="the folder of the runs")
    parser.add_argument("--reference", required=True, help="what the runs are measured against")
    options = parser.parse_args()
    spec = style.read_spec(options.spec)
    columns = ["method", "seed", "digest", "point", "values", "selected", "regularizer", "status", "test_accuracy"]
    table = tables.read_csv(options.table, columns)
    pixels = reference.read(options.reference)
    sprite.draw(spec, table, options.runs, pixels, options.out)
    spectrum.draw(spec, tables.selected_runs(table), options.runs, pixels, options.out)


if __name__ == "__main__":
    run(main)
