"""Why runs have to be trained, in words: what differs from the runs the study's last table was made of."""

import json
from collections.abc import Container, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from regatlas import configfiles, fingerprint, grids, runs
from regatlas.errors import UserError, few
from regatlas.study import Method, Point, Study


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
    why: dict[tuple[str, tuple[int, ...]], list[Point]] = {}  # reason and seeds -> the points they hold for
    told: dict[str, str] = {}
    for point in method.points:
        files = {seed: runs.path(root, method.regularizer, point.digest, seed) for seed in study.seeds}
        absent = [seed for seed, path in files.items() if not path.exists()]
        broken = [seed for seed, path in files.items() if str(path) in damaged]
        reasons = [("damaged: cut short or altered since", broken)] if broken else []
        reasons += _reasons(study, Path(results), point, absent, last.get(method.id), told) if absent else []
        for reason, seeds in reasons:
            why.setdefault((reason, tuple(seeds)), []).append(point)
    return [_line(method, points, seeds, reason) for (reason, seeds), points in why.items()]


def _reasons(
    study: Study,
    results: Path,
    point: Point,
    absent: list[int],
    earlier: Mapping[str, Any] | None,
    told: dict[str, str],
) -> list[tuple[str, list[int]]]:
    """Why the runs of a point are absent, each reason with its seeds; ``told`` keeps what was read of old runs."""
    if earlier is None:
        return [("new in this study", absent)]
    if point.digest in earlier["points"]:
        had = earlier["points"][point.digest]
        new, lost = [seed for seed in absent if seed not in had], [seed for seed in absent if seed in had]
        found = [("new seeds" if len(new) > 1 else "new seed", new)] if new else []
        return found + ([("the file is no longer there", lost)] if lost else [])
    digest = earlier["values"].get(fingerprint.canonical(point.values))
    if digest is None:
        return [("new in its grid" if point.values else "it had a grid before", absent)]
    if "changed" not in told:  # what differs at equal values differs at all of them
        before = _settings(results / "runs", earlier["regularizer"], digest, earlier["points"][digest])
        data = []
        if before and before["data"] != point.settings["data"]:
            data = changes_of_data(results / study.name / "config.yaml", study.config["dataset"])
        words = "; ".join(changes(before, point.settings, data)) if before else ""
        told["changed"] = words or "its settings changed (the earlier runs are gone)"
    return [(told["changed"], absent)]


def last_table(path: Path) -> dict[str, dict[str, Any]]:
    """What a study's runs.csv was made of; nothing if it cannot be read.

    Method -> ``regularizer``, ``points``: digest -> seeds, and ``values``: a point's values, as JSON -> its digest.
    """
    methods: dict[str, dict[str, Any]] = {}
    try:
        for row in runs.listed(path):
            entry = methods.setdefault(row.method, {"regularizer": row.regularizer, "points": {}, "values": {}})
            entry["points"].setdefault(row.digest, set()).add(row.seed)
            entry["values"][row.values] = row.digest
    except (OSError, UserError):
        return {}
    return methods


def changes(
    before: Mapping[str, Any], now: Mapping[str, Any], data: Sequence[str] = ("the data changed",)
) -> list[str]:
    """What differs between two runs' settings, in words; ``data`` are those for other data."""
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
            words += data
        elif key.startswith("regularizer.settings."):
            words += [] if other else [_change(key.removeprefix("regularizer.settings."), old.get(key), new.get(key))]
        else:
            words.append(_change("regularizer" if key == "regularizer.name" else key, old.get(key), new.get(key)))
    return words


def changes_of_data(config: Path, now: Mapping[str, Any]) -> list[str]:
    """What differs between the key ``dataset`` of a study's config when its report was written and now, in words."""
    try:
        before = configfiles.read(config)["dataset"]
        old, new = dict(_flat(before)), dict(_flat(now))
    except (UserError, OSError, KeyError, TypeError):
        return ["the data changed"]
    differ = [key for key in sorted(old | new) if old.get(key) != new.get(key)]
    words = [_change(f"dataset.{key}", old.get(key), new.get(key)) for key in differ]
    return words or ["a file of the data set changed"]


def _change(name: str, old: Any, new: Any) -> str:
    return f"{name} was {json.dumps(old)}, is {json.dumps(new)}"


def _line(method: Method, points: list[Point], seeds: tuple[int, ...], why: str) -> str:
    of, total = "", len(points) * len(seeds)
    if len(points) > 1:
        of = f", {len(points)} points"
    elif points[0].values:
        of = f" with {grids.words(points[0].values)}"
    which = f"seed{'s' * (len(seeds) > 1)} {few(seeds)}"
    return f"To train: {method.id}{of}, {total} run{'s' * (total > 1)} ({which}): {why}"


def _settings(root: Path, regularizer: str, digest: str, seeds: set[int]) -> dict[str, Any] | None:
    """The settings that a point's runs were trained with, from the first of them that can be read."""
    for seed in sorted(seeds):
        try:
            return runs.read(runs.path(root, regularizer, digest, seed)).metadata["settings"]
        except (UserError, KeyError):
            continue
    return None


def _flat(value: Any, where: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _flat(item, f"{where}.{key}" if where else key)
    else:
        yield where, value
