"""Put a data set's four raw files, checked by SHA-256, in a folder."""

import argparse
import json

from regatlas import datasets, errors, sources


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--spec", required=True, type=json.loads, help="the config's `dataset`, as JSON")
    parser.add_argument("--out", required=True, help="folder for the raw files")
    arguments = parser.parse_args()
    sources.download(datasets.resolve(arguments.spec), arguments.out)


if __name__ == "__main__":
    errors.run(main)
