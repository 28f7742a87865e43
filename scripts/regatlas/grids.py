"""Grids: settings that a config names in lists, and the points these lists span.

Runs while the workflow is planned: standard library only.
"""

import itertools
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from regatlas.errors import UserError, short

MOST_POINTS = 1000  # of one method
MOST_IN_ALL = 4000  # of a study: their digests are an argument of one program
RECIPE = "training."  # leads the name of a setting that belongs to a method's training recipe


def named(method: Mapping[str, Any], settings: Mapping[str, Any]) -> dict[str, list[Any]]:
    """The settings that a method's mapping names in lists, in the order written; ``training.<key>`` for the recipe's.

    Args:
        method: what the config holds of a method.
        settings: the keys of ``method`` that belong to the regularizer; a declared setting has a ``default``, and one
            whose default is a list takes a list as its one value.
    """
    grid = {}
    for key, value in method.items():
        if key == "training":
            grid |= {f"{RECIPE}{inner}": item for inner, item in value.items() if isinstance(item, list)}
        elif isinstance(value, list) and key in settings and not _takes_a_list(settings[key]):
            grid[key] = value
    return grid


def _takes_a_list(setting: Any) -> bool:
    return isinstance(getattr(setting, "default", None), list | tuple)


def check(grid: Mapping[str, Sequence[Any]], where: str) -> None:
    """Refuse what spans no grid.

    Raises:
        UserError: a list without values or with one twice, or too many points; ``where`` leads the message.
    """
    for name, values in grid.items():
        if not values:
            raise UserError(f"{where}.{name}: found [], a list needs at least one value")
        for position, value in enumerate(values):
            if value in values[:position]:
                raise UserError(f"{where}.{name}: {short(value)} stands there twice")
    count = math.prod(len(values) for values in grid.values())
    if count > MOST_POINTS:
        sizes = ", ".join(f"{name} {len(values)}" for name, values in grid.items())
        raise UserError(f"{where}: its lists span {count:,} points ({sizes}), allowed are {MOST_POINTS:,}")


def points(grid: Mapping[str, Sequence[Any]]) -> Iterator[dict[str, Any]]:
    """The points of a grid, each setting -> value, in the order written: the last setting varies fastest."""
    return (dict(zip(grid, values, strict=True)) for values in itertools.product(*grid.values()))


def words(values: Mapping[str, Any]) -> str:
    """A point's values for people: "strength 0.001, training.learning_rate 0.0003"."""
    return ", ".join(f"{name} {word(value)}" for name, value in values.items())


def word(value: Any) -> str:
    """A setting's value for people: a text as it is, 16 and not 16.0, 1e-06, true."""
    if isinstance(value, float):
        text = f"{value:g}"
        return text if float(text) == value else repr(value)
    return value if isinstance(value, str) else json.dumps(value)


def edges(chosen: Mapping[str, Any], others: Sequence[Mapping[str, Any]]) -> list[str]:
    """The numeric settings of which a point has the smallest or the largest of several values.

    Args:
        chosen: the point's values.
        others: the values of all points of its grid.
    """
    found = []
    for name, value in chosen.items():
        known = {point[name] for point in others}
        numeric = all(isinstance(item, int | float) and not isinstance(item, bool) for item in known)
        if numeric and len(known) > 1 and value in (min(known), max(known)):
            found.append(name)
    return found
