"""The page about all studies: what each asked and found, and every method in every study as one table."""

import dataclasses
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import yaml
from markupsafe import Markup

from regatlas import configfiles, datasets, decisions, numbers, studies
from regatlas.errors import UserError
from regatlas.grids import RECIPE
from regatlas.numbers import known
from regatlas.report.bidi import isolated
from regatlas.report.templates import template
from regatlas.tables import read_csv

_PAGE = Path(__file__).parent / "atlas_page"
_NAMED = 3  # methods of one decision that a sentence names; of more it gives the ends
_COLUMNS = ("method", "label", "values", "seeds", "test_accuracy", "decision", "undecidable")
_DIFFERENCES = tuple(f"{name}{end}" for name in ("difference", "difference_simultaneous") for end in ("_low", "_high"))
_NOT_SETTINGS = ("regularizer", "label", "published", "training", "baseline")


@dataclasses.dataclass(frozen=True)
class Study:
    """A study as its tables tell it; ``config`` is the resolved one, empty if it is not there."""

    name: str
    config: Mapping[str, Any]
    rows: dict[str, dict[str, Any]]  # method -> its row of comparison.csv
    runs: int | None
    trained: str  # the day its last run was finished, or ""
    has_report: bool

    @property
    def title(self) -> str:
        return text(self.config, "report", "title") or self.name

    @property
    def question(self) -> str:
        return text(self.config, "report", "question")

    @property
    def data(self) -> str:
        """The data set's name as the study's report has it."""
        name = text(self.config, "dataset", "name")
        known_title = datasets.KNOWN[name].title if name in datasets.KNOWN else name
        return text(self.config, "dataset", "title") or known_title

    @property
    def link(self) -> str:
        """The report's address, relative to the folder of all results; '' without a report."""
        return quote(f"{self.name}/{studies.REPORT}") if self.has_report else ""

    @property
    def others(self) -> list[dict[str, Any]]:
        """The rows of the methods that are compared with another."""
        return [row for row in self.rows.values() if row["baseline"]]

    @property
    def baselines(self) -> list[dict[str, Any]]:
        """The rows of the methods that others are compared with; of all methods if none is."""
        return [self.rows[name] for name in dict.fromkeys(row["baseline"] for row in self.others)] or [
            *self.rows.values()
        ]

    @property
    def facts(self) -> list[tuple[str, str]]:
        """Name and value of what the study is, as far as it is known."""
        hidden = part(self.config, "network", "hidden")
        seeds = sorted({row["seeds"] for row in self.rows.values() if known(row["seeds"])})
        level, margin = part(self.config, "statistics", "level"), part(self.config, "statistics", "margin")
        steps, images = part(self.config, "training", "steps"), part(self.config, "training", "train_size")
        found = [
            ("Data", self.data),
            (
                "Network",
                "" if hidden is None else f"hidden: {numbers.setting(hidden)}" if hidden else "one layer",
            ),
            ("Training", f"{steps:,} steps, {images:,} images" if known(steps) and known(images) else ""),
            ("Runs", "" if self.runs is None else f"{self.runs:,}"),
            ("Seeds a method", " to ".join(f"{seed}" for seed in dict.fromkeys([*seeds[:1], *seeds[-1:]]))),
            ("Decided at", f"{100 * level:g}{numbers.SPACE}%" if known(level) else ""),
            ("Margin", f"{100 * margin:g} points" if known(margin) else ""),
            ("Trained", self.trained),
        ]
        return [(name, value) for name, value in found if value]


def part(config: Any, *keys: str) -> Any:
    """The value under nested keys, or None where there is none."""
    for key in keys:
        config = config.get(key) if isinstance(config, Mapping) else None
    return config


def text(config: Any, *keys: str) -> str:
    """``part``, if it is a text, else ''."""
    value = part(config, *keys)
    return value if isinstance(value, str) else ""


def read(folder: Path) -> Study:
    """A study from its folder. Only its comparison must be there.

    Raises:
        UserError: one of its files is damaged or not of this workflow's making.
    """
    try:
        return _read(folder)
    except OSError as error:
        raise UserError(f"{error.filename or folder}: {error.strerror or error}") from None
    except (TypeError, ValueError, OverflowError) as error:  # what pandas says of a number that is none
        raise UserError(f"{folder}: not tables of this workflow ({error})") from None


def _read(folder: Path) -> Study:
    path = folder / studies.COMPARISON
    table = read_csv(path, (*_COLUMNS, "difference", *_DIFFERENCES))
    records = table.astype(object).where(table.notna(), None).to_dict("records")
    rows = {row["method"]: row for row in records}
    for row in records:
        if row["decision"] not in ("", *decisions.SIGNS):
            raise UserError(f"{path}: no decision is called {row['decision'][:80]!r}")
        row["values"] = _mapping(row["values"] or "{}", path)
        row["label"] = isolated(row["label"])
    if "baseline" not in table:  # an old one, in which the row without a decision is the only baseline's
        against = next((row["method"] for row in records if not row["decision"]), "")
        for row in records:
            row["baseline"] = against if row["decision"] else ""
    against = {row["baseline"] for row in records}
    lacking = [row for row in records if row["baseline"] and known(row["difference"]) and not row["decision"]]
    if len(rows) < len(records) or "" not in against or not against <= {"", *rows} or lacking:
        raise UserError(f"{path}: not a comparison of methods with a baseline")
    count, trained = None, ""
    if (folder / studies.RUNS).exists():
        runs = read_csv(folder / studies.RUNS, ["finished_at"])
        count, trained = len(runs), max((moment[:10] for moment in runs["finished_at"]), default="")
    config = {}
    if (folder / studies.CONFIG).exists():
        configfiles.check(folder / studies.CONFIG)
        config = yaml.safe_load((folder / studies.CONFIG).read_text(encoding="utf-8")) or {}
    return Study(folder.name, config, rows, count, trained, (folder / studies.REPORT).is_file())


def _mapping(written: str, path: Path) -> dict[str, Any]:
    try:
        value = json.loads(written)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise UserError(f"{path}: not the values of a point: {written[:80]!r}")
    return value


def headline(study: Study) -> str:
    """What a study found, in one sentence with its numbers."""
    others = [row for row in study.others if known(row["difference"])]
    baselines = [row for row in study.baselines if known(row["test_accuracy"])]
    if not baselines:
        return "The baseline has no finished run, so nothing could be compared."
    reference = numbers.some(f"{row['label']} ({numbers.percent(row['test_accuracy'])} %)" for row in baselines)
    if not others:
        return f"{reference} stands alone: there is no other method with a finished run."
    said = []
    for word in decisions.SIGNS:
        if rows := [row for row in others if row["decision"] == word]:
            said.append(f"{len(rows)} {'is' if len(rows) == 1 else 'are'} {word} ({_named(rows)})")
    lost = len(study.others) - len(others)
    said += [f"{lost} {'has' if lost == 1 else 'have'} no finished run"] if lost else []
    return f"Of {numbers.count(len(study.others), 'method')} held against {reference}, {numbers.listing(said)}."


def _named(rows: Sequence[Mapping[str, Any]]) -> str:
    """The methods of one decision with their differences; of many the two ends."""
    shown = [f"{row['label']} {numbers.percent(row['difference'], '+.2f')}" for row in rows]
    if len(rows) > _NAMED:
        ends = sorted(range(len(rows)), key=lambda place: rows[place]["difference"])
        return f"from {shown[ends[0]]} to {shown[ends[-1]]} points"
    return f"{numbers.listing(shown)} points"


@dataclasses.dataclass(frozen=True)
class Line:
    """A method over all studies. ``settings`` are those that it has in all of them."""

    method: str
    labels: list[str]
    settings: dict[str, Any]
    differs: bool  # whether it has others, too: each cell holds its own
    cells: list[dict[str, Any] | None]  # a cell a study, None where the study has no such method


def matrix(found: Sequence[Study]) -> list[Line]:
    """A line for every method id. Which methods are one is decided by their id, which is what a study calls them; that
    the same id was set differently is shown, not hidden.
    """
    methods = dict.fromkeys(method for study in found for method in study.rows)
    lines = []
    for method in methods:
        cells = [_cell(study, method) if method in study.rows else None for study in found]
        there = [cell for cell in cells if cell]
        own = [cell["settings"] for cell in there]
        common = {key: value for key, value in own[0].items() if all(value == part(other, key) for other in own)}
        for cell in there:
            cell["settings"] = {key: value for key, value in cell["settings"].items() if key not in common}
        if common.get("regularizer") == method:
            del common["regularizer"]  # the row shows the id
        labels = list(dict.fromkeys(cell["label"] for cell in there))
        lines.append(Line(method, labels, common, any(cell["settings"] for cell in there), cells))
    return lines


def _cell(study: Study, method: str) -> dict[str, Any]:
    row = study.rows[method]
    cell = {"label": row["label"], "settings": _settings(study, method)}
    if not known(row["difference"] if row["baseline"] else row["test_accuracy"]):
        return {**cell, "kind": "lost"}
    if not row["baseline"]:
        return {**cell, "kind": "baseline", "accuracy": numbers.percent(row["test_accuracy"])}
    ends = "difference_simultaneous" if known(row["difference_simultaneous_low"]) else "difference"
    return {
        **cell,
        "kind": row["decision"],
        "difference": numbers.percent(row["difference"], "+.2f"),
        "interval": numbers.bounds(row, ends, "+.2f", 100),
        "against": study.rows[row["baseline"]]["label"] if len(study.baselines) > 1 else "",
        "link": f"{study.link}#comparison&methods={quote(row['baseline'])},{quote(method)}" if study.link else "",
        "too_few": row["decision"] == decisions.UNDECIDED and bool(row["undecidable"]),
    }


def _settings(study: Study, method: str) -> dict[str, Any]:
    """What a method was set to, with the values of the selected point of its grid; empty if that is not known."""
    entry = part(study.config, "methods", method)
    if not isinstance(entry, Mapping):
        return {}
    recipe = entry.get("training")
    own = {key: value for key, value in entry.items() if key not in _NOT_SETTINGS}
    own |= {f"{RECIPE}{key}": value for key, value in (recipe.items() if isinstance(recipe, Mapping) else ())}
    return {"regularizer": entry.get("regularizer"), **own, **study.rows[method]["values"]}


def render(folders: Iterable[Path]) -> str:
    """The page as HTML. A study that cannot be read is named on it and left out of the rest."""
    found, damaged = [], []
    for folder in folders:
        try:
            found.append(read(folder))
        except UserError as error:
            damaged.append((folder.name, str(error)))
    page = template(_PAGE, headline=lambda study: numbers.unbroken(headline(study)))
    return page.render(
        studies=found,
        damaged=damaged,
        lines=matrix(found),
        runs=sum(study.runs or 0 for study in found),
        signs=decisions.SIGNS,
        style=Markup((_PAGE / "style.css").read_text("utf-8")),
    )
