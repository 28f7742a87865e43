"""Draw how often each method of a study is right when it is so confident."""

from regatlas import reference, tables
from regatlas.errors import run
from regatlas.figures import calibration, program, style


def main() -> None:
    parser = program.parser(__doc__)
    parser.add_argument("--runs", required=True, help="the folder of the runs")
    parser.add_argument("--reference", required=True, help="what the runs are measured against")
    options = parser.parse_args()
    spec = style.read_spec(options.spec)
    columns = ["method", "seed", "digest", "regularizer", "status", "test_accuracy", "test_ece", "test_nll"]
    table = tables.read_selected(options.table, columns)
    calibration.draw(spec, table, options.runs, reference.read(options.reference).test_labels, options.out)


if __name__ == "__main__":
    run(main)
