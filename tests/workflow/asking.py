"""Asks a server of ``forkserver.py`` for a process. As a program it stands in for Python: asking.py FOLDER PROGRAM ...

It is started for every job of the tests, so it imports next to nothing.
"""

import json
import os
import socket
import sys


def ask(server: str, arguments: list[str], folder: str, environment: dict[str, str], files: list[int]) -> socket.socket:
    """Where the number of the process comes from, then its exit code, a line each.

    Args:
        server: the path of its socket.
        arguments: the program's; the first names it.
        files: standard input, output and errors of the process.
    """
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(server)
    socket.send_fds(connection, [b"1"], files)
    connection.sendall(json.dumps([arguments, folder, environment]).encode())
    connection.shutdown(socket.SHUT_WR)
    return connection


if __name__ == "__main__":
    servers, *arguments = sys.argv[1:]
    kind = "training" if os.path.basename(arguments[0]) == "train.py" else "program"
    server = f"{servers}/{kind}-{os.getpid() % 2}"
    _, code = map(int, ask(server, arguments, os.getcwd(), dict(os.environ), [0, 1, 2]).makefile())
    sys.exit(code if code >= 0 else 128 - code)
