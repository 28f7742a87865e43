"""Labels that are written from right to left, in pages that are written from left to right."""

import re
import unicodedata

_CONTROLS = re.compile("[\u202a-\u202e\u2066-\u2069]")  # embeddings, overrides and isolates
_ISOLATE, _END = "\N{FIRST STRONG ISOLATE}", "\N{POP DIRECTIONAL ISOLATE}"


def isolated(label: str) -> str:
    """A label for a page: with letters from right to left it is isolated, so that what stands around it stays in place.

    Signs that would turn the text after them are taken out, as a label need not end what it begins. Other labels are
    left as they are.
    """
    plain = _CONTROLS.sub("", label)
    if any(unicodedata.bidirectional(sign) in ("R", "AL", "AN") for sign in plain):
        return f"{_ISOLATE}{plain}{_END}"
    return plain
