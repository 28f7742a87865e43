"""Why runs have to be trained, in words: what differs from the runs the study's last table was made of."""

import json
from collections.abc import Container, Iterator, Mapping
from pathlib import Path
from typing import Any

from regatlas import runs
from regatlas.errors import UserError, few
from regatlas.study import Method, Study


def to_train(
    study: Study, results: str | Path, method: Method, damaged: Container[str], last: Mapping[str, Mapping[str, Any]]
) -> list[str]:
    """A line for each reason why runs of a method are missing; several ids may stand for the same runs.

    Args:
        study: the resolved study.
        results: the folder of all results.
        method: one of the study's.
        damaged: the run files that are there and not whole.
        last: what the study's last table was made of (``last_table``).
    """
    root = Path(results) / "runs"
    files = {seed: runs.path(root, method.regularizer, method.digest, seed) for seed in study.seeds}
    absent = [seed for seed, path in files.items() if not path.exists()]
    broken = [seed for seed, path in files.items() if str(path) in damaged]
    lines = [_line(method, broken, "damaged: cut short or altered since")] if broken else []
    if not absent:
        return lines
    earlier = last.get(method.id)
    if earlier is None:
        return [*lines, _line(method, absent, "new in this study")]
    if earlier["digest"] == method.digest:
        new = [seed for seed in absent if seed not in earlier["seeds"]]
        lost = [seed for seed in absent if seed in earlier["seeds"]]
        lines += [_line(method, new, "new seeds" if len(new) > 1 else "new seed")] if new else []
        return lines + ([_line(method, lost, "the file is no longer there")] if lost else [])
    before = _settings(root, earlier)
    why = "; ".join(changes(before, method.settings)) if before else "its settings changed (the earlier runs are gone)"
    return [*lines, _line(method, absent, why)]


def last_table(path: Path) -> dict[str, dict[str, Any]]:
    """Method -> regularizer, digest and seeds, as a study's runs.csv has them; nothing if it cannot be read."""
    methods: dict[str, dict[str, Any]] = {}
    try:
        for method, regularizer, digest, seed in runs.listed(path):
            entry = {"regularizer": regularizer, "digest": digest, "seeds": set()}
            methods.setdefault(method, entry)["seeds"].add(seed)
    except (OSError, UserError):
        return {}
    return methods


def changes(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """What differs between two runs' settings, in words."""
    old, new = dict(_flat(before)), dict(_flat(now))
    other = before["regularizer"]["name"] != now["regularizer"]["name"]
    words = []
    for key in sorted(old.keys() | new.keys()):
        if old.get(key) == new.get(key):
            continue
        if key == "code.engine":
            words.append("the training code changed")
        elif key == "code.regularizer":
            words += [] if other else [f"the code of {now['regularizer']['name']} changed"]
        elif key == "data":
            words.append("the data changed")
        elif key.startswith("regularizer.settings."):
            words += [] if other else [_change(key.removeprefix("regularizer.settings."), old.get(key), new.get(key))]
        else:
            words.append(_change("regularizer" if key == "regularizer.name" else key, old.get(key), new.get(key)))
    return words


def _change(name: str, old: Any, new: Any) -> str:
    return f"{name} was {json.dumps(old)}, is {json.dumps(new)}"


def _line(method: Method, seeds: list[int], why: str) -> str:
    count = f"{len(seeds)} runs (seeds {few(seeds)})" if len(seeds) > 1 else f"1 run (seed {seeds[0]})"
    return f"To train: {method.id}, {count}: {why}"


def _settings(root: Path, entry: Mapping[str, Any]) -> dict[str, Any] | None:
    """The settings that a table's runs were trained with, from the first of them that can be read."""
    for seed in sorted(entry["seeds"]):
        try:
            return runs.read(runs.path(root, entry["regularizer"], entry["digest"], seed)).metadata["settings"]
        except (UserError, KeyError):
            continue
    return None


def _flat(value: Any, where: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _flat(item, f"{where}.{key}" if where else key)
    else:
        yield where, value
