"""Keep of the prepared data what the claims look at: the test images, and the mean and number of the others."""

import argparse
from pathlib import Path

from regatlas.claims import sample
from regatlas.errors import run
from regatlas.files import read_npz


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the prepared data")
    parser.add_argument("--out", type=Path, required=True, help="where to write the file")
    arguments = parser.parse_args()
    names = ["train_images", "train_labels", "validation_labels", "test_images"]
    sample.write(arguments.out, sample.make(read_npz(arguments.data, names)))


if __name__ == "__main__":
    run(main)
