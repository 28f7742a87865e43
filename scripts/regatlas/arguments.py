"""What the command lines of all programs share: the spec they are given."""

import json
from pathlib import Path
from typing import Any

from regatlas.errors import UserError


def spec_text(argument: str) -> str:
    """A ``--spec`` as JSON: the argument itself, or what is in FILE if it is ``@FILE``.

    Linux takes no argument above 128 KiB, so the spec of a study with many methods comes in a file.

    Raises:
        UserError: the file cannot be read.
    """
    if not argument.startswith("@"):
        return argument
    try:
        return Path(argument[1:]).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"--spec {argument}: {getattr(error, 'strerror', None) or error}") from None


def spec(argument: str) -> Any:
    """The value of a ``--spec``; for ``argparse``, which explains a ValueError."""
    return json.loads(spec_text(argument))
