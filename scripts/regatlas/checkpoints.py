"""The state of a long run, saved now and then, so that an interruption costs minutes and not the run."""

import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from regatlas.errors import UserError
from regatlas.files import read_npz, write_npz


class Checkpoint:
    """One file that always holds the latest saved state, whole."""

    def __init__(self, path: Path, minutes: float):
        self.path, self.seconds = path, 60 * minutes
        self._saved = time.monotonic()

    def load(self) -> dict[str, np.ndarray] | None:
        """The saved state, or None if there is none that can be used."""
        if not self.path.exists():
            return None
        try:
            return read_npz(self.path)
        except UserError as error:
            print(f"training starts anew: {error}", file=sys.stderr)
            return None

    def offer(self, state: Callable[[], dict[str, np.ndarray]]) -> None:
        """Save ``state()`` if the last time is long enough ago. A disk that cannot take it does not end the run."""
        if time.monotonic() - self._saved < self.seconds:
            return
        try:
            write_npz(self.path, state())
        except OSError as error:
            print(f"no checkpoint: {error}", file=sys.stderr)
        self._saved = time.monotonic()

    def remove(self) -> None:
        """Remove the file: the run is finished."""
        self.path.unlink(missing_ok=True)
