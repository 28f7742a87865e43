"""Print the README's table of the library's regularizers; with --write, put it there."""

import argparse
import ast
from pathlib import Path

from regatlas import files, registry
from regatlas.errors import run
from regatlas.markup import escape_markdown

README = Path(__file__).parents[1] / "README.md"
BEGIN, END = "<!-- methods:begin -->\n", "<!-- methods:end -->\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="write it between the markers in README.md")
    if parser.parse_args().write:
        before, _, rest = README.read_text(encoding="utf-8").partition(BEGIN)
        after = rest.partition(END)[2]
        files.write_text(README, f"{before}{BEGIN}{table()}{END}{after}")
    else:
        print(table(), end="")


def table() -> str:
    """The regularizers as Markdown, in the order of the places of a training step where they act."""
    declared = [registry.declaration(name, path) for name, path in registry.available().items()]
    declared.sort(key=lambda one: (registry.PLACES.index(one.acts_on), one.name))
    rows = [
        [f"`{one.name}`", *map(escape_markdown, (one.title, one.acts_on, idea(one.path), one.citation))]
        for one in declared
    ]
    head = ["Regularizer", "Title", "Acts on", "Idea", "Citation"]
    return "".join(f"| {' | '.join(row)} |\n" for row in (head, [":---"] * len(head), *rows))


def idea(path: Path) -> str:
    """The first line of a module's docstring, without the title that may lead it."""
    line = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))).splitlines()[0].removesuffix(".")
    said = line.rpartition(": ")[2]
    return said[0].upper() + said[1:]


if __name__ == "__main__":
    run(main)
