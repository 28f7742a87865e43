"""The one exception that is meant for the user, and how programs show it."""

import difflib
import errno
import sys
from collections.abc import Callable, Iterable, Sequence

_MEMORY = "out of memory: run fewer jobs at once (`--cores`), give a job more (`mem_mb`) or make the study smaller"
_ADVICE = {
    errno.ENOSPC: "the disk is full: free some space and run the same command again",
    errno.EDQUOT: "the disk quota is used up: free some space and run the same command again",
    errno.EFBIG: "files may not get this large here: raise the limit (`ulimit -f`) and run the same command again",
    errno.ENOMEM: _MEMORY,
    errno.EROFS: "the file system is read-only: results need a folder that can be written",
    errno.EACCES: "permission denied: results need a folder that can be written",
}


class UserError(Exception):
    """A mistake or a mishap outside the code: the message says what was found and what helps."""


def nearest(word: object, known: Iterable[str]) -> str:
    """' (did you mean X?)' for the known spelling closest to ``word``, or '' if none is close."""
    spelled = {name.lower(): name for name in known}
    match = difflib.get_close_matches(str(word).lower(), spelled, n=1, cutoff=0.6)
    return f" (did you mean {spelled[match[0]]!r}?)" if match else ""


def short(value: object) -> str:
    """``value`` as Python writes it, cut so that a message stays readable."""
    return clip(repr(value))


def clip(text: str, most: int = 80) -> str:
    """At most ``most`` characters of ``text``."""
    return text if len(text) <= most else f"{text[: most - 3]}..."


def few(values: Sequence[int], most: int = 10) -> str:
    """The first ``most`` of ``values``, in words."""
    return ", ".join(map(str, values[:most])) + (", ..." if len(values) > most else "")


def advice(error: OSError) -> str | None:
    """What helps against a failing disk, or None if the error is of another kind."""
    if error.errno not in _ADVICE:
        return None
    where = f"{error.filename}: " if error.filename else ""
    return f"{where}{_ADVICE[error.errno]}"


def run(main: Callable[[], None]) -> None:
    """Run a program's ``main``: a UserError or a failing disk ends it with one message and exit code 1."""
    try:
        main()
    except UserError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit("interrupted")
    except OSError as error:
        if (message := advice(error)) is None:
            raise
        sys.exit(f"error: {message}")
    except MemoryError:
        sys.exit(f"error: {_MEMORY}")
    except Exception as error:
        # a library that does not fit into memory, and TensorFlow's own kind (not imported here)
        if "failed to map segment" not in str(error) and type(error).__name__ != "ResourceExhaustedError":
            raise
        sys.exit(f"error: {_MEMORY}")
