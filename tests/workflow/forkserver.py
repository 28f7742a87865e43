"""Imports what all programs of a kind import and forks for each request: forkserver.py KIND LISTENING_SOCKET.

It ends with its standard input, when whoever started it is gone.
"""

import functools
import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import sys
from pathlib import Path

IMPORTED = {
    # what every call imports anyway, but for what starts threads (yte imports numpy)
    "snakemake": ("snakemake.cli", "snakemake.report.html_reporter", "smart_open", "platformdirs", "jsonschema"),
    "program": ("pandas", "matplotlib.figure", "matplotlib.backends.backend_agg", "scipy.special", "jinja2", "yaml"),
    "training": ("tensorflow",),
}


@functools.cache
def _prepare(kind: str) -> None:
    """Import at the first request: not every test asks for every kind."""
    for name in IMPORTED[kind]:
        importlib.import_module(name)
    gc.freeze()  # nothing of it is looked at in a fork, which would copy it


def _serve(kind: str, listener: socket.socket) -> list[str]:
    """Fork for each request; returns in the forked process only, with its arguments, when all else is as requested."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for a finished process that waits
    while listener in select.select([listener, sys.stdin], [], [])[0]:
        _prepare(kind)
        connection = listener.accept()[0]
        if os.fork() == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            listener.close()
            files = socket.recv_fds(connection, 1, 3)[1]
            arguments, folder, environment = json.loads(connection.makefile().read())
            if (process := os.fork()) == 0:
                break
            connection.sendall(f"{process}\n".encode())
            code = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
            connection.sendall(f"{code}\n".encode())
            os._exit(0)
        connection.close()
    else:
        os._exit(0)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    connection.close()
    for place, file in enumerate(files):
        os.dup2(file, place)
        os.close(file)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.dont_write_bytecode = bool(os.environ.get("PYTHONDONTWRITEBYTECODE"))
    return arguments


if __name__ == "__main__":
    kind, listener = sys.argv[1], socket.socket(fileno=int(sys.argv[2]))
    servers = Path(listener.getsockname()).parent
    sys.argv[:] = _serve(kind, listener)
    if kind == "snakemake":
        if sys.platform == "linux":  # elsewhere the libraries of numbers do not bear a fork
            sys.executable = str(servers / "python")  # where the workflow finds the Python of its jobs, too
        sys.path[0] = os.getcwd()
        runpy.run_module("snakemake", run_name="__main__", alter_sys=True)
    else:
        sys.path[0] = str(Path(sys.argv[0]).resolve().parent)
        runpy.run_path(sys.argv[0], run_name="__main__")
