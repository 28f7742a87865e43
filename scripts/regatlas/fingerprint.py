"""Short hashes that change exactly when a result may: of code as it is parsed, of settings as they are resolved."""

import ast
import functools
import hashlib
import importlib.metadata
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

PACKAGE = Path(__file__).parent
SHOWN_TEXTS = ("title", "formula", "citation", "acts_on")  # of a regularizer: they reach no number
_LENGTH = 16  # hex digits: 64 bits, no collision to fear among millions of runs


def canonical(value: Any) -> str:
    """JSON with sorted keys and no spaces; raises ValueError on NaN and infinity."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def of(value: Any) -> str:
    """The hash of a JSON-like value."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()[:_LENGTH]


@functools.cache
def module(path: Path) -> tuple[str, tuple[Path, ...]]:
    """A Python file's hash and the modules of this library it imports.

    It is blind to comments, docstrings, layout, and the texts that a class declares to be shown.
    """
    tree = ast.parse(path.read_text(encoding="utf-8-sig"))  # with or without a byte order mark, as Python reads it
    imported = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imported += [_file(alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            imported += [_file(f"{node.module}.{alias.name}") or _file(node.module) for alias in node.names]
        if isinstance(node, ast.Module | ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            shown = _is_label if isinstance(node, ast.ClassDef) else lambda part: False
            node.body = [part for part in node.body if not _is_text(part) and not shown(part)] or [ast.Pass()]
    # unparse, not dump: the text of a tree differs between Python versions less than its dump does
    text = ast.unparse(tree)
    return hashlib.sha256(text.encode()).hexdigest(), tuple(sorted({p for p in imported if p}))


def code(paths: Iterable[Path]) -> str:
    """The hash of Python files and of every module of this library they import, directly or not."""
    hashes, waiting = {}, [Path(path) for path in paths]
    while waiting:
        path = waiting.pop()
        if path not in hashes:
            hashes[path], imported = module(path)
            waiting += imported
    return of(sorted((path.name, digest) for path, digest in hashes.items()))


def content(paths: Iterable[Path]) -> str:
    """The hash of files that are not Python (templates, styles), byte for byte."""
    return of([[path.name, hashlib.sha256(path.read_bytes()).hexdigest()] for path in sorted(paths)])


@functools.cache
def tensorflow_version() -> str:
    """The version of the installed TensorFlow, whatever the build, without importing it."""
    for name in ("tensorflow", "tensorflow-cpu", "tensorflow-intel", "tf-nightly"):
        try:
            return importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return "none"


def _file(name: str) -> Path | None:
    """The file of a module of this library, or None for another's."""
    parts = name.split(".")
    if parts[0] != PACKAGE.name:
        return None
    base = PACKAGE.joinpath(*parts[1:])
    for path in (base.with_suffix(".py"), base / "__init__.py"):
        if path.is_file():
            return path
    return None


def _is_text(statement: ast.stmt) -> bool:
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )


def _is_label(statement: ast.stmt) -> bool:
    """Whether this sets a text that a class only shows."""
    return (
        isinstance(statement, ast.Assign)
        and [getattr(target, "id", "") in SHOWN_TEXTS for target in statement.targets] == [True]
        and isinstance(statement.value, ast.Constant | ast.JoinedStr)
    )
