"""Why runs have to be trained, in words: what differs from the runs the study's last table was made of."""

import csv
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from regatlas import runs
from regatlas.errors import UserError
from regatlas.study import Method, Study

_FEW = 10


def to_train(study: Study, results: str | Path, method: Method) -> list[str]:
    """A line for each reason why runs of a method are missing; several ids may stand for the same runs.

    Args:
        study: the resolved study.
        results: the folder of all results; ``<study>/runs.csv`` in it is the last table, if there is one.
        method: one of the study's.
    """
    root = Path(results) / "runs"
    files = {seed: runs.path(root, method.regularizer, method.digest, seed) for seed in study.seeds}
    absent = [seed for seed, path in files.items() if not path.exists()]
    damaged = [seed for seed, path in files.items() if path.exists() and not runs.whole(path)]
    lines = [_line(method, damaged, "damaged: cut short or altered since")] if damaged else []
    if not absent:
        return lines
    earlier = _last_table(Path(results) / study.name / "runs.csv").get(method.id)
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
    shown = ", ".join(map(str, seeds[:_FEW])) + (", ..." if len(seeds) > _FEW else "")
    count = f"{len(seeds)} runs (seeds {shown})" if len(seeds) > 1 else f"1 run (seed {shown})"
    return f"To train: {method.id}, {count}: {why}"


def _last_table(path: Path) -> dict[str, dict[str, Any]]:
    """Method -> regularizer, digest and seeds, as a study's runs.csv has them; nothing if it cannot be read."""
    methods: dict[str, dict[str, Any]] = {}
    try:
        with open(path, encoding="utf-8", newline="") as stream:
            for row in csv.DictReader(stream):
                entry = {"regularizer": row["regularizer"], "digest": row["digest"], "seeds": set()}
                methods.setdefault(row["method"], entry)["seeds"].add(int(row["seed"]))
    except (OSError, KeyError, TypeError, ValueError):
        return {}
    return methods


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
