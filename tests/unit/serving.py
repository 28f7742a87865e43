"""A tiny data set, and a server on this machine that behaves as badly as servers do."""

import gzip
import hashlib
import http.server
import io
import random
import tarfile
import threading

import pytest

from regatlas import datasets, sources
from regatlas.datasets import DataSet, RawFile, Source
from regatlas.errors import UserError
from regatlas.transfer import Patience

QUICK = Patience(connect=0.5, read=0.5, attempts=3, pause=0.01)
NAMES = dict(zip(datasets.ROLES, ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k"), strict=True))
CONTENT = {f"{name}-ubyte": random.Random(name).randbytes(20_000 - 100 * n) for n, name in enumerate(NAMES.values())}
FIRST = "train-images-idx3-ubyte"
DATASET = DataSet(
    name="tiny",
    title="Tiny",
    files=tuple(
        RawFile(role, name, hashlib.sha256(content).hexdigest(), len(content))
        for role, (name, content) in zip(NAMES, CONTENT.items(), strict=True)
    ),
    sources=(),
)


class Handler(http.server.BaseHTTPRequestHandler):
    """Serves ``server.pages`` (path: bytes); ``server.behaviour`` (path: function) answers in its place."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.server.requests.append((self.path, self.headers.get("Range")))
        behaviour = self.server.behaviour.get(self.path)
        if behaviour:
            behaviour(self)
        elif self.path in self.server.pages:
            self.reply(self.server.pages[self.path])
        else:
            self.reply(b"<html>nothing</html>", 404)

    def do_HEAD(self):
        self.server.asked.append(self.path)
        if self.server.mute:
            self.server.released.wait(10)
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def reply(self, content, status=200, claimed=None, **headers):
        self.send_response(status)
        self.send_header("Content-Length", str(len(content) if claimed is None else claimed))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(content)
        self.close_connection = True

    def log_message(self, *_):
        pass


def start():
    """A server that is serving, and its `good` mirror of the tiny data set."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.block_on_close = False
    server.handle_error = lambda *_: None
    server.behaviour, server.requests, server.asked, server.mute = {}, [], [], False
    server.released = threading.Event()
    server.url = f"http://127.0.0.1:{server.server_address[1]}"
    server.pages = {f"/good/{name}.gz": gzip.compress(content) for name, content in CONTENT.items()}
    server.good = Source("mirror", f"{server.url}/good/")
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    return server


def download(folder, *origins, dataset=DATASET):
    sources.download(dataset, folder, list(origins) or None, QUICK)


def complete(folder):
    """Whether the folder holds the four files and nothing else."""
    return {path.name: path.read_bytes() for path in folder.iterdir()} == CONTENT


def refusal(folder, *origins, dataset=DATASET):
    """The line with the reason of the only source, which fails."""
    with pytest.raises(UserError) as caught:
        download(folder, *origins, dataset=dataset)
    return str(caught.value).splitlines()[1]


def archive(path, members, mode="w:gz"):
    with tarfile.open(path, mode) as tar:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return path
