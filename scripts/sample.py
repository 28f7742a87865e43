"""Keep of the prepared data what the claims look at: the test images, and the mean and number of the others."""

import argparse
from pathlib import Path

from regatlas import datasets
from regatlas.claims import sample
from regatlas.errors import run
from regatlas.files import read_npz


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the prepared data")
    parser.add_argument("--checksum", required=True, help="of what the data must have been made from")
    parser.add_argument("--out", type=Path, required=True, help="where to write the file")
    options = parser.parse_args()
    data = read_npz(options.data, ["train_images", "train_labels", "validation_labels", "test_images", "checksum"])
    datasets.check_prepared(options.data, data.pop("checksum"), options.checksum)
    sample.write(options.out, sample.make(data))


if __name__ == "__main__":
    run(main)
