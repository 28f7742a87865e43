"""Turn a data set's raw files into one file of arrays: training, validation and test set."""

import argparse
import json

from regatlas import datasets, errors
from regatlas.files import write_npz
from regatlas.prepare import prepare


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--spec", required=True, type=json.loads, help="the config's `dataset`, as JSON")
    parser.add_argument("--raw", required=True, help="folder of the raw files")
    parser.add_argument("--out", required=True, help="the prepared .npz to write")
    arguments = parser.parse_args()
    write_npz(arguments.out, prepare(datasets.resolve(arguments.spec), arguments.raw))


if __name__ == "__main__":
    errors.run(main)
