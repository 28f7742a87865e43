"""Write the page about all studies under results/ that have been compared."""

import argparse
from pathlib import Path

from regatlas import studies
from regatlas.errors import run
from regatlas.files import write_text
from regatlas.report import atlas


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=Path, required=True, help="the folder of all results")
    parser.add_argument("--out", type=Path, required=True, help="where to write the page")
    options = parser.parse_args()
    write_text(options.out, atlas.render(studies.folders(options.results)))


if __name__ == "__main__":
    run(main)
