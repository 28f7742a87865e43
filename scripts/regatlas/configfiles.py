"""Config files, checked before Snakemake reads them: mistakes that it takes silently, or answers with a traceback.

Runs while the workflow is planned: standard library and PyYAML only.
"""

import json
import os
import re
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from regatlas.errors import UserError, short

MOST_VALUES = 100_000  # in a config, aliases counted as often as they are used
TOLD = ("title", "question", "story")  # of `report`: what belongs to one study
DEEPEST = 20  # levels of lists and mappings
_SNAKEMAKES_OWN = {"__use_yte__": "it makes Snakemake run code", "pathvars": "it moves Snakemake's files"}
_TOO_DEEP = f"more than {DEEPEST} levels of lists and mappings; does an alias (*name) hold itself?"
_TOO_MANY = f"more than {MOST_VALUES:,} values; do aliases (*name) multiply?"
_KINDS = ("str", "int", "float", "bool", "null", "timestamp", "seq", "map", "merge")
_SURPRISING = re.compile(r"[-+]?0[0-9_]+|.*:.*")  # numbers to the base of 8 or 60
_TAGS = {f"tag:yaml.org,2002:{kind}" for kind in _KINDS}


def leaves(config: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Where -> value of everything in a config that is neither a mapping nor a list, keys included.

    Raises:
        UserError: it is too deep or too large, as one that holds itself is.
    """
    waiting = [("", config, 1)]
    seen = 0
    while waiting:
        where, value, depth = waiting.pop()
        seen += 1
        if depth > DEEPEST:
            raise UserError(f"{prefix}{where[:80]}: {_TOO_DEEP}")
        if seen > MOST_VALUES:
            raise UserError(f"{prefix}{_TOO_MANY}")
        if isinstance(value, Mapping):
            for key in value:
                yield where, key
            inner = [(f"{where}.{key}" if where else str(key), item) for key, item in value.items()]
        elif isinstance(value, list):
            inner = [(f"{where}[{position}]", item) for position, item in enumerate(value)]
        else:
            yield where, value
            continue
        waiting += [(*part, depth + 1) for part in reversed(inner)]


def stands_alone(config: Any) -> bool:
    """Whether a config is a whole study, so that nothing of the default one is to be added to its methods.

    It names its study and what it compares, and defines all of that itself.
    """
    if not isinstance(config, Mapping) or not {"study", "methods", "compare"} <= config.keys():
        return False
    methods, compare = config["methods"], config["compare"]
    return (
        isinstance(methods, Mapping)
        and isinstance(compare, list)
        and all(isinstance(method, Mapping) and "regularizer" in method for method in methods.values())
        and all(isinstance(name, str) and name in methods for name in compare)
    )


def tell_own_story(config: dict[str, Any], given: Mapping[str, Any], default: Mapping[str, Any]) -> None:
    """Take out of a merged config what the default study's report says of itself, if the study is another one.

    Args:
        config: changed in place.
        given: what was merged over the default.
        default: the default config.
    """
    if given.get("study", default["study"]) != default["study"]:
        own = given.get("report")
        inherited = {key: value for key, value in default.get("report", {}).items() if key not in TOLD}
        config["report"] = {**inherited, **own} if isinstance(own, Mapping) else own or inherited


def check(*paths: str | os.PathLike) -> None:
    """Check that each file is a mapping in plain YAML or JSON, in which no key stands twice.

    A file that does not exist is left for Snakemake to report, which may do without it.

    Raises:
        UserError: what is wrong, with file and line.
    """
    for path in paths:
        if os.path.exists(path):
            read(path)


def read(path: str | os.PathLike) -> dict[str, Any]:
    """The config in a file, checked as ``check`` does.

    Raises:
        UserError: what is wrong, with file and line; also that there is no such file.
    """
    try:
        with open(path, "rb") as stream:
            content = stream.read()
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}") from None
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise UserError(f"{path}, line {line}: not UTF-8; save the file in that encoding") from None
    try:
        try:
            config = _json(text, path)
        except ValueError:  # as Snakemake does: what is not JSON is YAML
            config = _yaml(text, path)
    except RecursionError:
        raise UserError(f"{path}: {_TOO_DEEP}") from None
    if not isinstance(config, dict):
        found = {list: "a list", type(None): "nothing"}.get(type(config), f"{str(config)[:40]!r}")
        raise UserError(f"{path}: found {found}, allowed is a mapping (key: value)")
    for _ in leaves(config, f"{path}: "):  # JSON may be too deep as well
        pass
    for key, reason in _SNAKEMAKES_OWN.items():
        if key in config:
            raise UserError(f"{path}: {key}: not allowed in a config of this workflow ({reason})")
    return config


def _json(text: str, path: str | os.PathLike) -> Any:
    def mapping(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in pairs:
            if key in found:
                raise UserError(f"{path}: the key {short(key)} stands twice in one mapping; keep one of them")
            found[key] = value
        return found

    return json.loads(text, object_pairs_hook=mapping)


def _yaml(text: str, path: str | os.PathLike) -> Any:
    try:
        loader = yaml.SafeLoader(text)
        root = loader.get_single_node()
        if root is None:
            return None
        for values, node in enumerate(_nodes(root, path)):
            if values == MOST_VALUES:
                raise UserError(f"{path}: {_TOO_MANY}")
            _check_node(node, loader, path)
        return loader.construct_document(root)
    except yaml.MarkedYAMLError as error:
        words = ", ".join(filter(None, (error.context, error.problem)))
        mark = error.problem_mark or error.context_mark
        hint = "; indent with spaces, not tabs" if r"'\t'" in words else ""
        raise UserError(f"{_line(path, mark)}: not valid YAML: {words}{hint}") from None
    except yaml.YAMLError as error:
        raise UserError(f"{path}: not valid YAML: {' '.join(str(error).split())}") from None


def _nodes(root: yaml.Node, path: str | os.PathLike) -> Iterator[yaml.Node]:
    """Every node under ``root``, the target of an alias each time it is used."""
    waiting = [(root, 1)]
    while waiting:
        node, depth = waiting.pop()
        if depth > DEEPEST:
            raise UserError(f"{path}: {_TOO_DEEP}")
        yield node
        inner = [part for pair in node.value for part in pair] if isinstance(node, yaml.MappingNode) else node.value
        if not isinstance(node, yaml.ScalarNode):
            waiting += [(part, depth + 1) for part in reversed(inner)]


def _check_node(node: yaml.Node, loader: yaml.SafeLoader, path: str | os.PathLike) -> None:
    """A plain tag, a scalar that means something, and keys that are scalars and differ."""
    if node.tag not in _TAGS:
        shown = node.tag.replace("tag:yaml.org,2002:", "!!")
        raise UserError(f"{_line(path, node.start_mark)}: the tag {shown} is not allowed; write plain YAML")
    if isinstance(node, yaml.ScalarNode) and not node.tag.endswith(":merge"):
        try:
            value = loader.construct_object(node)
        except (ValueError, LookupError, AttributeError):  # PyYAML's, for 2026-99-99, !!bool x, !!timestamp x
            kind = node.tag.rpartition(":")[2]
            raise UserError(
                f"{_line(path, node.start_mark)}: {node.value[:40]!r} is not a valid {kind}; put text in quotes"
            ) from None
        if node.tag.endswith((":int", ":float")) and _SURPRISING.fullmatch(node.value):
            raise UserError(
                f"{_line(path, node.start_mark)}: {node.value[:40]} is the number {short(value)} in YAML; "
                "write that, or put text in quotes"
            )
    elif isinstance(node, yaml.MappingNode):
        first: dict[Any, yaml.Node] = {}
        for key, _ in node.value:
            where = _line(path, key.start_mark)
            if not isinstance(key, yaml.ScalarNode):
                raise UserError(f"{where}: found a list or mapping as a key, allowed is text")
            if key.tag.endswith(":merge"):
                continue
            earlier = first.setdefault((key.tag, key.value), key)
            if earlier is not key:
                raise UserError(
                    f"{where}: the key {short(key.value)} stands there again, after line "
                    f"{earlier.start_mark.line + 1}; keep one of them"
                )


def _line(path: str | os.PathLike, mark: yaml.Mark | None) -> str:
    return f"{path}, line {mark.line + 1}" if mark else str(path)
