"""Locks on files that the kernel releases when their holder ends, however it ends."""

import contextlib
import errno
import fcntl
import os
import platform
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

_UNSUPPORTED = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP)  # some network file systems


class Held(Exception):
    """Another process has the lock; the message says which."""


def take(path: str | Path, wait: Callable[[str], None] | None = None) -> IO[str]:
    """Lock a file, made if missing, until the returned stream is closed or the process ends.

    On a file system without locks the stream is returned all the same.

    Args:
        path: the file.
        wait: called with who has the lock before waiting for it; without it nothing waits.

    Raises:
        Held: the lock is taken, and ``wait`` is not given.
    """
    probed = False
    while True:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        stream = open(path, "a+", encoding="utf-8")  # noqa: SIM115 (the stream is the lock)
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if not probed:  # perhaps only `holder` has it, for a moment
                probed = True
                stream.close()
                time.sleep(0.1)
                continue
            holder = _who(stream)
            if wait is None:
                stream.close()
                raise Held(holder) from None
            wait(holder)
            fcntl.flock(stream, fcntl.LOCK_EX)
        except OSError as error:
            if error.errno not in _UNSUPPORTED:
                stream.close()
                raise
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.stat(path), os.fstat(stream.fileno())):
                break
        stream.close()  # its holder removed the file while this waited: lock the one that is there now
    with contextlib.suppress(OSError):  # a full disk is no reason not to hold the lock
        os.ftruncate(stream.fileno(), 0)
        os.write(stream.fileno(), f"process {os.getpid()} on {platform.node()}".encode())
    return stream


def holder(path: str | Path) -> str | None:
    """Who has the lock of a file, or None; the file is neither made nor changed."""
    try:
        with open(path, encoding="utf-8") as stream:
            try:
                fcntl.flock(stream, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return _who(stream)
            except OSError as error:
                if error.errno not in _UNSUPPORTED:
                    raise
    except (FileNotFoundError, PermissionError):
        pass
    return None


def _who(stream: IO[str]) -> str:
    """What the holder of a lock wrote into its file."""
    stream.seek(0)
    return stream.read(200).strip() or "another process"


@contextlib.contextmanager
def held(path: str | Path, wait: Callable[[str], None] | None = None) -> Iterator[None]:
    """Hold the lock of a file for a block, as ``take``; the file is removed at the end."""
    with take(path, wait):
        try:
            yield
        finally:
            with contextlib.suppress(OSError):
                Path(path).unlink()
