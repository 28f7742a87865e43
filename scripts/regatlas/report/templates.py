"""The Jinja templates of the pages: what they are given is escaped, and what they lack is an error."""

from collections.abc import Callable
from pathlib import Path

import jinja2

from regatlas import numbers

_NUMBERS = (
    "number", "percent", "published_percent", "half_width", "bounds", "unbroken", "p_value", "duration", "listing",
    "some", "seeds", "count", "setting",
)  # fmt: skip


def template(folder: Path, **filters: Callable) -> jinja2.Template:
    """A page's ``template.html.j2``, with numbers as ``regatlas.numbers`` writes them and filters of its own."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {name: getattr(numbers, name) for name in _NUMBERS} | filters
    environment.tests["known"] = numbers.known
    return environment.get_template("template.html.j2")
