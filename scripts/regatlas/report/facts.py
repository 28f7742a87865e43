"""What the report says of a study beside its tables: findings, lost runs, where it comes from."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from regatlas.numbers import bounds, count, known, listing, number, percent, seeds, some

_NAMED = 8  # methods that a sentence names
_FEW = 3  # of each decision, if there are more in all
_PROJECT = Path(__file__).resolve().parents[3]


def findings(rows: Sequence[Mapping[str, Any]], reference: str) -> list[str]:
    """Sentences with the study's numbers: accuracy, decided differences to the reference, noise or cost."""
    finished = [row for row in rows if known(row["test_accuracy"])]
    if not finished:
        return ["No run finished, so there is nothing to compare."]
    said = [_accuracies(finished), _differences(finished, reference), _agreement_or_cost(rows)]
    return [sentence for sentence in said if sentence]


def _accuracies(rows: Sequence[Mapping[str, Any]]) -> str:
    best, worst = (pick(rows, key=lambda row: row["test_accuracy"]) for pick in (max, min))
    if best is worst:
        return f"{best['label']} has a mean test accuracy of {percent(best['test_accuracy'])} %."
    return (
        f"Mean test accuracy goes from {percent(worst['test_accuracy'])} % ({worst['label']}) "
        f"to {percent(best['test_accuracy'])} % ({best['label']})."
    )


def _differences(rows: Sequence[Mapping[str, Any]], reference: str) -> str:
    others = [row for row in rows if known(row["difference"])]
    if not others:
        return f"There is no other method to compare with {reference}."
    parts = []
    for decision in ("better", "worse", "equivalent"):
        if group := [row for row in others if row["decision"] == decision]:
            most = _NAMED if len(others) <= _NAMED else _FEW
            parts.append(_group(group, f"{'is' if len(group) == 1 else 'are'} {decision}", most))
    if parts:
        return f"Against {reference}, seed by seed: {'; '.join(parts)}."
    some_points = some(f"{row['label']} {_difference(row)}" for row in others)
    repeated = any(known(row["difference_low"]) for row in others)
    why = "" if repeated else "; one common seed gives no interval"
    noun, verb = ("differences", "are") if len(others) > 1 else ("difference", "is")
    return f"Seed by seed, the {noun} to {reference} in points {verb} {some_points}{why}."


def _group(group: Sequence[Mapping[str, Any]], verb: str, most: int) -> str:
    """Methods of one decision, each with its difference; of more than ``most`` the lowest and the highest."""
    if len(group) <= most:
        values = (f"{row['label']} ({percent(row['difference'], '+.2f')} points)" for row in group)
        return f"{listing(values)} {verb}"
    ends = sorted(group, key=lambda row: row["difference"])
    values = (f"{row['label']} {percent(row['difference'], '+.2f')}" for row in (ends[0], ends[-1]))
    return f"{len(group)} methods {verb} (from {' to '.join(values)} points)"


def _difference(row: Mapping[str, Any]) -> str:
    """A difference with the interval that decides, or that of the t-test, in points."""
    interval = bounds(row, "difference_simultaneous", "+.2f", 100) or bounds(row, "difference", "+.2f", 100)
    return f"{percent(row['difference'], '+.2f')} {interval}".strip()


def still_open(rows: Sequence[Mapping[str, Any]]) -> str:
    """Which differences are undecided and, where there are too few seeds to decide any, that this is why; or ''.

    Differences are given unless the findings gave them, which they do if nothing at all is decided.
    """
    compared = [row for row in rows if known(row["difference"])]
    group = [row for row in compared if row["decision"] == "undecided"]
    if not group:
        return ""
    if len(group) == len(compared):
        said = "all of these differences" if len(group) > 1 else "this difference"
    elif len(group) > _NAMED:
        widest = max(group, key=lambda row: abs(row["difference"]))
        said = f"{len(group)} methods, the largest difference being {_difference(widest)} points ({widest['label']})"
    else:
        said = listing(f"{row['label']} ({_difference(row)} points)" for row in group)
    return f"{said}.{_too_few(group)}"


def _too_few(group: Sequence[Mapping[str, Any]]) -> str:
    """A sentence for each number of seeds that is too small to decide; it names its methods where others have more."""
    reasons: dict[str, list[str]] = {}
    for row in group:
        if row["undecidable"]:
            reasons.setdefault(row["undecidable"], []).append(row["label"])
    sentences = []
    for reason, labels in reasons.items():
        none = "No method can" if len(labels) == len(group) else f"{some(labels)} cannot"
        sentences.append(f" {none} be called {reason}.")
    return "".join(sentences)


def _agreement_or_cost(rows: Sequence[Mapping[str, Any]]) -> str:
    noisy = [row for row in rows if noise_gap(row)]
    published = [row for row in rows if row["verdict"] and not row["verdict"].startswith("not comparable")]
    parts = []
    if published:
        good = sum(row["verdict"] == "reproduced" for row in published)
        which = f"{good} of the {len(published)} published rows could"
        if len(published) == 1:
            which = "the one published row could" + ("" if good else " not")
        parts.append(f"{which} be reproduced within the tolerance")
    for row in noisy[:1]:
        parts.append(
            f"switching the noise of {row['label']} off while testing, with the same training, moves its accuracy "
            f"from {percent(row['test_accuracy'])} % to {percent(row['test_accuracy_noise_off'])} %"
        )
    text = ", and ".join(parts) or _slowest(rows)
    return f"{text[0].upper()}{text[1:]}." if text else ""


def _slowest(rows: Sequence[Mapping[str, Any]]) -> str:
    """Whose training step takes longest and, unless it is a baseline's, how much longer than its baseline's; or ''."""
    timed = [row for row in rows if known(row["microseconds_per_step"])]
    if not any(row["baseline"] for row in timed):
        return ""
    slow = max(timed, key=lambda row: row["microseconds_per_step"])
    said = f"the slowest training step is that of {slow['label']}"
    if slow["baseline"] and known(slow["relative_runtime"]):
        said += f", {number(slow['relative_runtime'], '.2f')} times its baseline's"
    return said


def noise_gap(row: Mapping[str, Any]) -> float | None:
    """What switching a method's noise off while testing adds to its accuracy (a fraction), or None."""
    off, on = row["test_accuracy_noise_off"], row["test_accuracy"]
    return off - on if known(off) and known(on) and abs(off - on) > 1e-12 else None


def missing(methods: Sequence[Mapping[str, Any]], seeds: Sequence[int], runs: pd.DataFrame) -> list[str]:
    """A sentence if runs of any point are not in runs.csv, of which ``runs`` is the frame."""
    wanted = {method["id"]: method.get("points", 1) * len(seeds) for method in methods}
    there = runs["method"].value_counts()
    lacking = {method: amount - there.get(method, 0) for method, amount in wanted.items()}
    lost = sum(amount for amount in lacking.values() if amount > 0)
    whole = sum(wanted.values())
    return [f"This report is of a part of the study: {lost:,} of {count(whole, 'run')} are missing."] if lost else []


def lost_runs(methods: Sequence[Mapping[str, Any]], wanted: Sequence[int], runs: pd.DataFrame) -> list[str]:
    """A sentence for the methods that lack the same runs, or lost them alike; of many sentences some."""
    found: dict[str, list[str]] = {}  # what is said -> of which methods
    for method in methods:
        mine = runs[runs["method"] == method["id"]]
        diverged = mine[mine["status"] != "finished"]
        if len(diverged):
            reasons = some(dict.fromkeys(text for text in diverged["message"] if text), 3)
            why = f" ({reasons})" if reasons else ""
            rest = "; the numbers are of the other runs" if len(diverged) < len(mine) else ", so there are no numbers"
            said = f"training diverged with {_seeds(diverged['seed'])}{why}{rest}."
            found.setdefault(said, []).append(method["label"])
        if missing_seeds := sorted(set(wanted) - set(mine["seed"])):
            found.setdefault(f"no run with {_seeds(missing_seeds)} is in the table.", []).append(method["label"])
    sentences = [f"{some(labels, _NAMED)}: {said}" for said, labels in found.items()]
    rest = sum(len(labels) for labels in list(found.values())[_NAMED:])
    return sentences[:_NAMED] + ([f"So it is, with other seeds, with {rest} other methods."] if rest else [])


def _seeds(values: Sequence[int]) -> str:
    return f"seed{'' if len(values) == 1 else 's'} {seeds(values)}"


def provenance(runs: pd.DataFrame) -> dict[str, Any]:
    """Versions, machines, commit, durations and the command behind a study."""
    moments = sorted(text[:19].replace("T", " ") for text in runs["finished_at"] if text)
    seconds = runs["total_seconds"].dropna()
    machines = runs[["system", "processor", "cores"]].drop_duplicates()
    return {
        "versions": {name: listing(sorted(set(runs[name]) - {""})) for name in ("python", "tensorflow", "numpy")},
        "machines": [
            f"{row.processor or 'unknown processor'}, {row.cores} cores, {row.system}" for row in machines.itertuples()
        ],
        "processors": sorted(set(runs["processor"])),
        "commit": commit(_PROJECT),
        "runs": len(runs),
        "seconds": float(seconds.sum()),
        "seconds_each": float(seconds.median()) if len(seconds) else None,
        "first": moments[0] if moments else "",
        "last": moments[-1] if moments else "",
        "command": os.environ.get("REGATLAS_COMMAND", ""),
    }


def commit(folder: Path) -> str:
    """The git commit of the code in ``folder``, and whether it had changes; in words if there is none."""
    top = _git(folder, "rev-parse", "--show-toplevel")
    if top is None or Path(top).resolve() != folder.resolve():
        return "not a git checkout"  # unpacked inside someone else's repository, perhaps
    head = _git(folder, "rev-parse", "HEAD")
    if head is None:
        return "a git checkout without a commit"
    return f"{head}, with uncommitted changes" if _git(folder, "status", "--porcelain") else head


def _git(folder: Path, *arguments: str) -> str | None:
    """What git answers, or None if it fails or is not installed."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    try:
        answer = subprocess.run(
            ["git", "-C", str(folder), *arguments],
            env={**environment, "GIT_OPTIONAL_LOCKS": "0"},
            capture_output=True,
            text=True,
            timeout=30,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return answer.stdout.strip()
