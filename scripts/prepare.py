"""Turn a data set's raw files into one file of arrays: training, validation and test set."""

import argparse

from regatlas import arguments, datasets, errors
from regatlas.files import write_npz
from regatlas.prepare import prepare


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--spec", required=True, type=arguments.spec, help="the config's `dataset`, as JSON")
    parser.add_argument("--raw", required=True, help="folder of the raw files")
    parser.add_argument("--out", required=True, help="the prepared .npz to write")
    options = parser.parse_args()
    write_npz(options.out, prepare(datasets.resolve(options.spec), options.raw))


if __name__ == "__main__":
    errors.run(main)
