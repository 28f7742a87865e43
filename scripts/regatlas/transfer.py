"""Files over HTTP: resumed where they broke off, retried where that may help, never waited for in vain."""

import contextlib
import dataclasses
import sys
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, BinaryIO

import pooch
import requests

from regatlas.raw import Unavailable


class Transient(Unavailable):
    """A failure that may pass: worth another attempt."""


@dataclasses.dataclass(frozen=True)
class Patience:
    """Seconds to wait for a connection and for more bytes; attempts; seconds before the second one."""

    connect: float = 5.0
    read: float = 20.0
    attempts: int = 3
    pause: float = 1.0


def persist(action: Callable[[], Any], patience: Patience) -> Any:
    """Do ``action``, again after a Transient failure, with pauses that double.

    Raises:
        Unavailable: for good, or after the last attempt.
    """
    for attempt in range(patience.attempts):
        try:
            return action()
        except requests.RequestException as error:
            failure = explain(error)
        except Transient as error:
            failure = error
        if not isinstance(failure, Transient):
            raise failure
        if attempt + 1 < patience.attempts:
            time.sleep(patience.pause * 2**attempt)
    raise Unavailable(f"{failure}, {patience.attempts} times")


def fetch(url: str, partial: Path, limit: int | None, patience: Patience) -> None:
    """Download ``url`` into ``partial``, going on after what it holds already where the server can do that.

    ``limit`` is the number of bytes after which this cannot be the file. After a failure ``partial`` keeps
    what was received.

    Raises:
        Unavailable: why there is no file.
    """
    persist(lambda: _attempt(url, partial, limit, patience), patience)


def silent(urls: Iterable[str], patience: Patience) -> set[str]:
    """Those of ``urls`` that give no sign of life in time, all asked at once.

    A firewall that drops packets would otherwise cost a timeout for each address of each mirror.
    """

    def ask(url: str) -> None:
        with contextlib.suppress(Exception):
            requests.head(url, timeout=2 * patience.connect)

    threads = {url: threading.Thread(target=ask, args=(url,), daemon=True) for url in urls}
    for thread in threads.values():
        thread.start()
    deadline = time.monotonic() + patience.connect
    for thread in threads.values():
        thread.join(max(0.0, deadline - time.monotonic()))
    return {url for url, thread in threads.items() if thread.is_alive()}


def explain(error: requests.RequestException) -> Unavailable:
    """One line for one of the many exceptions of requests: Transient where another attempt may help."""
    if isinstance(error, requests.HTTPError) and error.response is not None:
        status = error.response.status_code
        kind = Transient if status >= 500 or status in (408, 416, 429) else Unavailable
        return kind(f"the server answered {status} {error.response.reason}".rstrip())
    if isinstance(error, requests.exceptions.SSLError):
        return Unavailable("the server's certificate was not accepted")
    if isinstance(error, requests.exceptions.ProxyError):
        return Unavailable("the proxy cannot be reached")
    if isinstance(error, requests.ConnectTimeout):
        return Unavailable("no connection in time")
    reason = getattr(error.args[0], "reason", None) if error.args else None
    if type(reason).__name__ == "NameResolutionError":
        return Unavailable("its host name is not known here")
    if type(reason).__name__ == "NewConnectionError":
        return Unavailable(f"no connection ({str(reason).rpartition('] ')[2]})")
    if isinstance(error, requests.Timeout) or "timed out" in str(error):
        return Transient("no answer in time")
    if isinstance(error, requests.ConnectionError | requests.exceptions.ChunkedEncodingError):
        return Transient("the connection broke off")
    return Unavailable(f"the download failed ({type(error).__name__})")


class _Sink:
    """What the downloader writes to: the end of the partial file, up to a limit."""

    def __init__(self, stream: BinaryIO, limit: int | None):
        self.stream, self.limit, self.flush = stream, limit, stream.flush

    def write(self, chunk: bytes) -> None:
        if self.limit is not None and self.stream.tell() + len(chunk) > self.limit:
            _empty(self.stream)
            raise Unavailable(f"the server sent more than {self.limit:,} bytes")
        self.stream.write(chunk)


def _empty(stream: BinaryIO) -> None:
    stream.seek(0)
    stream.truncate()


def _attempt(url: str, partial: Path, limit: int | None, patience: Patience) -> None:
    partial.parent.mkdir(parents=True, exist_ok=True)
    with partial.open("ab") as stream:
        start = stream.tell()

        def inspect(response: requests.Response, *_: Any, **__: Any) -> None:
            resumed = response.headers.get("Content-Range", "").startswith(f"bytes {start}-")
            # 416: there is nothing to go on with, so the next attempt starts afresh.
            if response.status_code == 416 or (response.ok and not response.is_redirect and not resumed):
                _empty(stream)

        headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={start}-"} if start else {})
        download = pooch.HTTPDownloader(
            progressbar=sys.stderr.isatty(),
            chunk_size=1 << 12,  # a chunk that is cut short is lost
            timeout=(patience.connect, patience.read),
            headers=headers,
            hooks={"response": inspect},
        )
        download(url, _Sink(stream, limit), None)
