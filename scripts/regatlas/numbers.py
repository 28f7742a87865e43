"""Numbers as people read them, in tables and in sentences; a missing one is a dash."""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from numbers import Real
from typing import Any

from regatlas import grids

DASH, MINUS, PLUS_MINUS = "\N{EN DASH}", "\N{MINUS SIGN}", "\N{PLUS-MINUS SIGN}"
SPACE = "\N{NO-BREAK SPACE}"
_LOOSE = re.compile(r"(?<=\d) (?=%)|(?<=±) | (?=±)")


def known(value: Any) -> bool:
    """Whether a cell holds a number."""
    return isinstance(value, Real) and math.isfinite(value)


def number(value: Any, form: str = ".3f", scale: float = 1) -> str:
    """A number, times ``scale``, in the given format, with a real minus sign; no sign before a zero."""
    if not known(value):
        return DASH
    scaled = value if scale == 1 else round(value * scale, 12)  # 0.145 in percent is 14.5, not 14.499999999999998
    text = f"{scaled:{form}}"
    return (text.lstrip("+-") if not float(text.replace(",", "")) else text).replace("-", MINUS)


def percent(fraction: Any, form: str = ".2f") -> str:
    """A fraction as a percentage, without the sign."""
    return number(fraction, form, 100)


def published_percent(fraction: float) -> str:
    """A published fraction in percent, with as many decimals as it was published with, but at least one."""
    return number(round(fraction * 100, 8), ".1f" if math.isclose(fraction * 1000, round(fraction * 1000)) else "g")


def half_width(row: Mapping[str, Any], name: str) -> str:
    """A fraction in percent, with half the width of its interval where it has one."""
    low, high = row.get(f"{name}_low"), row.get(f"{name}_high")
    text = percent(row.get(name))
    return f"{text}{SPACE}{PLUS_MINUS}{SPACE}{percent((high - low) / 2)}" if known(low) and known(high) else text


def bounds(row: Mapping[str, Any], name: str, form: str, scale: float = 1) -> str:
    """A quantity's interval in brackets, or ''."""
    low, high = row.get(f"{name}_low"), row.get(f"{name}_high")
    if not (known(low) and known(high)):
        return ""
    return f"[{number(low, form, scale)},{SPACE}{number(high, form, scale)}]"


def unbroken(text: str) -> str:
    """A text with numbers that stay in one line with their per cent sign and with what stands around a ±."""
    return _LOOSE.sub(SPACE, text)


def p_value(value: Any) -> str:
    """A p-value with three decimals."""
    return "< 0.001" if known(value) and value < 0.001 else number(value, ".3f")


def duration(seconds: Any) -> str:
    """Seconds in the units people use: '42 s', '3 min 5 s', '2 h 10 min'."""
    if not known(seconds):
        return DASH
    if seconds < 10:
        return f"{seconds:.1f}{SPACE}s"
    whole = round(seconds)
    minutes, rest = divmod(whole, 60)
    hours, minutes_left = divmod(minutes, 60)
    if hours:
        return f"{hours}{SPACE}h {minutes_left}{SPACE}min"
    return f"{minutes}{SPACE}min {rest}{SPACE}s" if minutes else f"{rest}{SPACE}s"


def listing(items: Iterable[Any]) -> str:
    """'a', 'a and b', 'a, b and c'."""
    items = [str(item) for item in items]
    return " and ".join([", ".join(items[:-1]), items[-1]] if len(items) > 1 else items)


def some(items: Iterable[Any], most: int = 12) -> str:
    """``listing`` of all items or, of more than ``most``, of the first ones with the number of the others."""
    items = list(items)
    return listing(items if len(items) <= most else [*items[: most - 1], f"{len(items) - most + 1} others"])


def seeds(values: Sequence[int]) -> str:
    """Seeds in words: '0, 3 and 7', '0 to 99'."""
    values = sorted(values)
    if len(values) > 5 and values[-1] - values[0] == len(values) - 1:
        return f"{values[0]} to {values[-1]}"
    return some(values)


def count(amount: int, noun: str, plural: str = "") -> str:
    """'1 run', '5 runs'; a plural that takes more than an s is given."""
    return f"{amount:,} {noun if amount == 1 else plural or noun + 's'}"


def setting(value: Any) -> str:
    """A configuration value as people read it: yes/no, numbers without a tail, lists with commas."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None:
        return "none"
    if isinstance(value, int):
        return f"{value:,}" if abs(value) >= 1000 else str(value)
    if isinstance(value, float):
        return grids.word(value)
    if isinstance(value, list | tuple):
        return ", ".join(map(setting, value)) or "none"
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {setting(item)}" for key, item in value.items()) or "none"
    return str(value)
