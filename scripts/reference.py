"""Make the small file that runs of a data set are measured against from the prepared data."""

import argparse
from pathlib import Path

from regatlas import reference
from regatlas.errors import run
from regatlas.files import read_npz


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the prepared data")
    parser.add_argument("--out", type=Path, required=True, help="where to write the reference")
    arguments = parser.parse_args()
    names = ["train_images", "train_labels", "test_labels", "image_shape", "classes"]
    reference.write(arguments.out, reference.make(read_npz(arguments.data, names)))


if __name__ == "__main__":
    run(main)
