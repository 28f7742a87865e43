"""Starts Snakemake by forking a process that has imported it and nothing of this project: half the cost of a plan.

What is forked is else as ``python -m snakemake`` is. Texts hash alike in all forks of a process and not in those of
another, so two take turns: what depends on the order of a set differs from one call to the next, as it would alone.
"""

import contextlib
import functools
import importlib
import itertools
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

# what every call imports anyway, but for what starts threads (yte imports numpy)
IMPORTED = ("snakemake.cli", "snakemake.report.html_reporter", "smart_open", "platformdirs", "jsonschema")


def run(arguments: list[str], folder: Path, environment: dict[str, str], seconds: float) -> subprocess.CompletedProcess:
    """What ``subprocess.run`` says of ``python -m snakemake`` with these arguments, its output and errors in one."""
    mine, theirs = socket.socketpair()
    with mine, tempfile.TemporaryFile() as output:
        with theirs:
            socket.send_fds(next(_servers()), [b"1"], [theirs.fileno(), output.fileno()])
        mine.sendall(json.dumps([arguments, str(folder), environment]).encode())
        mine.shutdown(socket.SHUT_WR)
        mine.settimeout(seconds)
        answer = mine.makefile()
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
    return itertools.cycle([_server(), _server()])


def _server() -> socket.socket:
    """The end that requests go to; the process ends when it is closed."""
    mine, theirs = socket.socketpair()
    with theirs:
        null = subprocess.DEVNULL
        subprocess.Popen(
            [sys.executable, __file__, str(theirs.fileno())], pass_fds=[theirs.fileno()],
            stdin=null, stdout=null, stderr=null,
        )  # fmt: skip
    return mine


def _serve(requests: socket.socket) -> list[str]:
    """Fork for each request; returns in the forked process only, with its arguments, when all else is as requested."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for a finished _waiter
    while (request := socket.recv_fds(requests, 1, 2))[0]:
        connection, output = socket.socket(fileno=request[1][0]), request[1][1]
        if os.fork() == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            requests.close()
            arguments, folder, environment = json.loads(connection.makefile().read())
            if (process := os.fork()) == 0:
                break
            connection.sendall(f"{process}\n".encode())
            code = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
            connection.sendall(f"{code}\n".encode())
            os._exit(0)
        connection.close()
        os.close(output)
    else:
        os._exit(0)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    connection.close()
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.close(output)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.dont_write_bytecode = bool(os.environ.get("PYTHONDONTWRITEBYTECODE"))
    sys.path[0] = os.getcwd()
    return arguments


if __name__ == "__main__":
    for name in IMPORTED:
        importlib.import_module(name)
    sys.argv[1:] = _serve(socket.socket(fileno=int(sys.argv[1])))
    runpy.run_module("snakemake", run_name="__main__", alter_sys=True)
