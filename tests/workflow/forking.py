"""Starts Snakemake, and has it start its jobs, by forking processes that have imported what all of their kind import.

A plan then costs half, and a job what it does instead of its imports. What is forked has imported nothing of this
project and is else as it would be alone. Texts hash alike in all forks of a process and not in those of another, so
two of a kind take turns: what depends on the order of a set differs from one call to the next, as it would alone.
Calls that tests start in other ways, to kill them or to limit them, start what users start.
"""

import atexit
import contextlib
import functools
import itertools
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.workflow.asking import ask
from tests.workflow.forkserver import IMPORTED

HERE = Path(__file__).parent
# A Python, but for programs.
PYTHON = """#!/bin/sh
case $1 in
    *.py) exec {python} -IS {asking} {servers} "$@" ;;
    *) exec {python} "$@" ;;
esac
"""
# What Snakemake and `train.py` set before anything is imported: one thread, so that all of it forks, and no Keras.
AS_A_JOB = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "TF_ENABLE_ONEDNN_OPTS": "0",
    "TF_USE_LEGACY_KERAS": "1",
}
TURNS = 2
RUNNING: list[subprocess.Popen] = []  # a server ends when nobody holds its standard input any more


def run(arguments: list[str], folder: Path, environment: dict[str, str], seconds: float) -> subprocess.CompletedProcess:
    """What ``subprocess.run`` says of ``python -m snakemake`` with these arguments, its output and errors in one."""
    with tempfile.TemporaryFile() as output, open(os.devnull, "rb") as nothing:
        files = [nothing.fileno(), output.fileno(), output.fileno()]
        with ask(next(_servers()), ["snakemake", *arguments], str(folder), environment, files) as connection:
            connection.settimeout(seconds)
            answer = connection.makefile()
            process = int(answer.readline())
            try:
                code = int(answer.readline())
            except TimeoutError:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process, signal.SIGKILL)
                raise
        output.seek(0)
        return subprocess.CompletedProcess(arguments, code, output.read().decode())


@functools.cache
def _servers() -> itertools.cycle:
    """The sockets of those that start Snakemake, in turn."""
    folder = Path(tempfile.mkdtemp(prefix="forking-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    for kind in IMPORTED:
        for turn in range(TURNS):
            _start(kind, folder / f"{kind}-{turn}")
    python = folder / "python"
    words = {"python": sys.executable, "asking": str(HERE / "asking.py"), "servers": str(folder)}
    python.write_text(PYTHON.format(**{key: shlex.quote(word) for key, word in words.items()}))
    python.chmod(0o755)
    return itertools.cycle(str(folder / f"snakemake-{turn}") for turn in range(TURNS))


def _start(kind: str, path: Path) -> None:
    """Have a server listen; it ends with this process."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        command = [sys.executable, HERE / "forkserver.py", kind, str(listener.fileno())]
        server = subprocess.Popen(
            command, pass_fds=[listener.fileno()], env={**os.environ, **AS_A_JOB},
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
    RUNNING.append(server)
