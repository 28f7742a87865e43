"""The state of a long run, saved now and then, so that an interruption costs minutes and not the run."""

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from regatlas.errors import UserError
from regatlas.files import read_npz, write_npz


class Checkpoint:
    """One file that always holds the latest saved state, whole.

    Args:
        path: the file.
        minutes: time between two states.
        say: called with what went wrong with the file, which never ends the run.
    """

    def __init__(self, path: Path, minutes: float, say: Callable[[str], None]):
        self.path, self.seconds, self.say = path, 60 * minutes, say
        self._saved = time.monotonic()

    def load(self) -> dict[str, np.ndarray] | None:
        """The saved state, or None if there is none that can be used."""
        if not self.path.exists():
            return None
        try:
            return read_npz(self.path)
        except UserError as error:
            self.say(f"training starts anew: {error}")
            return None

    def offer(self, state: Callable[[], dict[str, np.ndarray]]) -> None:
        """Save ``state()`` if the last time is long enough ago. A disk that cannot take it does not end the run."""
        if time.monotonic() - self._saved < self.seconds:
            return
        try:
            write_npz(self.path, state())
        except OSError as error:
            self.say(f"no checkpoint: {error}")
        self._saved = time.monotonic()

    def remove(self) -> None:
        """Remove the file: the run is finished."""
        self.path.unlink(missing_ok=True)
