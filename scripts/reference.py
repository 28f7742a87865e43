"""Make the small file that runs of a data set are measured against from the prepared data."""

import argparse
from pathlib import Path

from regatlas import datasets, reference
from regatlas.errors import run
from regatlas.files import read_npz


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the prepared data")
    parser.add_argument("--checksum", required=True, help="of what the data must have been made from")
    parser.add_argument("--out", type=Path, required=True, help="where to write the reference")
    options = parser.parse_args()
    data = read_npz(options.data, ["train_images", "train_labels", "test_labels", "image_shape", "classes", "checksum"])
    datasets.check_prepared(options.data, data.pop("checksum"), options.checksum)
    reference.write(options.out, reference.make(data))


if __name__ == "__main__":
    run(main)
