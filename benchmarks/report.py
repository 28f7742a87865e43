"""The results as files: raw numbers as JSON, tables as Markdown, one figure, and the block in the README."""

import dataclasses
import importlib.metadata
import json
import platform
import statistics
import textwrap
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from benchmarks import hidden, peers, whole_run
from benchmarks.peers import ENGINE, PEERS
from benchmarks.scale import Scaled, overhead
from benchmarks.study_cost import Cost
from benchmarks.timing import Timed
from benchmarks.workload import PREPARED, ROOT
from regatlas.figures.style import INK, look, save_png
from regatlas.files import write_text
from regatlas.machine import describe

FOLDER = ROOT / "benchmarks/results"
README = ROOT / "README.md"
BEGIN, END = "<!-- benchmark:begin -->\n", "<!-- benchmark:end -->\n"
PACKAGES = ("numpy", "tensorflow", "tensorflow-cpu", "keras", "jax", "torch")
OWN, OTHER = "#0072b2", "#8a8a8a"


def machine() -> dict:
    """Processor, cores, system, date and the versions of what is installed."""
    versions = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return {
        **describe(),
        "date": datetime.now(UTC).date().isoformat(), "versions": versions,
        "data": "MNIST" if PREPARED.is_file() else "noise of MNIST's shape",
    }  # fmt: skip


def write(parts: dict[str, list], about: dict, folder: Path = FOLDER) -> str:
    """Write every file; a part that was not measured now keeps what an earlier call wrote. Returns the Markdown.

    Args:
        parts: for each of ``PARTS`` that was measured, what its ``measure`` returned.
        about: the conditions of these parts, as from `machine`, with steps, rounds and study_cores.
    """
    path = folder / "results.json"
    raw = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    raw |= {name: {"about": about, "results": list(map(dataclasses.asdict, part))} for name, part in parts.items()}
    raw = {name: raw[name] for name in PARTS if name in raw}
    write_text(path, json.dumps(raw, indent=1) + "\n")
    if "peers" in raw:
        draw([Timed(**entry) for entry in raw["peers"]["results"]], folder / "peers.png")
    text = markdown(raw)
    write_text(folder / "results.md", text)
    return text


def markdown(raw: Mapping[str, dict], names: Iterable[str] = ()) -> str:
    """The tables of all parts in results.json, or of the named ones, with their conditions."""
    text = ""
    for name in names or raw:
        if name in raw:
            kind, table, conditions = PARTS[name]
            about = textwrap.fill(conditions(raw[name]["about"]), 120, break_on_hyphens=False)
            text += f"{table([kind(**entry) for entry in raw[name]['results']])}\n{about}\n\n"
    return text


def where(about: dict) -> str:
    return f"{about['date']}, {about['processor']}, {about['cores']} cores, {about['data']}"


def step_conditions(about: dict) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in about["versions"].items())
    return (
        f"Medians of {about['rounds']} rounds of {about['steps']:,} steps (fastest to slowest round); each "
        f"contender on one core and one thread. {where(about)}; {versions}."
    )


def study_conditions(about: dict) -> str:
    return f"`snakemake --cores {about['study_cores']}`, once each, the data already there. {where(about)}."


def spread(values: list[float], digits: int) -> str:
    low, middle, high = (f"{pick(values):.{digits}f}" for pick in (min, statistics.median, max))
    return f"{middle} ({low} to {high})"


def table(header: list[str], rows: list[list[str]]) -> str:
    """A Markdown table, numbers flush right."""
    lines = [header, [":---", *["---:"] * (len(header) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def with_notes(text: str, notes: list[str]) -> str:
    return "\n".join([text, *notes, ""]) if notes else text


def peers_table(results: list[Timed]) -> str:
    """Fastest first; what was skipped or refused stands below the table."""
    done = sorted((result for result in results if not result.problem), key=lambda result: result.median)
    bases = [result for name in (peers.LOWER_BOUND, peers.ENGINE) for result in done if result.name == name]
    header = [
        "One training step",
        "µs",
        *(f"relative to {PEERS[base.name].label}" for base in bases),
        "weights differ by",
    ]
    rows = [
        [
            PEERS[result.name].label,
            spread(result.microseconds, 1),
            *(f"{statistics.median(result.relative_to(base)):.2f}" for base in bases),
            f"{result.difference:.0e}" if result.difference else "-",
        ]
        for result in done
    ]
    notes = [f"- {PEERS[result.name].label}: {result.problem}." for result in results if result.problem]
    return with_notes(table(header, rows), notes)


def methods_table(results: list[Timed]) -> str:
    """The fastest relative to `none` first."""
    done = [(result, result.ratios()) for result in results if not result.problem]
    rows = [
        [f"`{result.name}`", spread(result.microseconds, 1), spread(ratios, 2) if ratios else "-"]
        for result, ratios in sorted(done, key=lambda entry: statistics.median(entry[1] or [0]))
    ]
    notes = [f"- `{result.name}`: {result.problem}." for result in results if result.problem]
    return with_notes(table(["Method", "µs a step", "relative to `none`"], rows), notes)


def hidden_table(results: list[Timed]) -> str:
    """The engine's rate relative to that of each loop of products alone."""
    (engine,) = (result for result in results if result.name == ENGINE)
    rows = []
    for result in results:
        if not (result.problem or engine.problem):
            rate = "-" if result is engine else spread(result.relative_to(engine), 2)
            rows.append([hidden.NAMES[result.name], spread([us / 1000 for us in result.microseconds], 2), rate])
    widths = ", ".join(map(str, hidden.WIDTHS))
    header = [f"One step, hidden layers of {widths}, batches of {hidden.BATCH_SIZE}", "ms", "the engine's rate to this"]
    notes = [f"- {hidden.NAMES[result.name]}: {result.problem}." for result in results if result.problem]
    return with_notes(table(header, rows), notes)


def run_table(results: list[whole_run.Run]) -> str:
    """A row a method: medians of its rounds, with their spread."""
    rows = []
    for name in dict.fromkeys(result.name for result in results):
        rounds = [result for result in results if result.name == name]
        columns = ("first_step", "steps", "evaluation", "total")
        seconds = [spread([getattr(result, column) for result in rounds], 1) for column in columns]
        share = spread([100 * result.evaluation / result.total for result in rounds], 0)
        rows.append([f"`{name}`", *seconds, share, f"{max(result.megabytes for result in rounds):.0f}"])
    header = ["One run", "to its first step: s", "its steps: s", "evaluations: s", "in all: s", "evaluations: %", "MB"]
    return table(header, rows)


def hidden_conditions(about: dict) -> str:
    return step_conditions({**about, "steps": hidden.fewer(about["steps"])})


def run_conditions(about: dict) -> str:
    length = f"{whole_run.STEPS:,} steps, an evaluation every {whole_run.EVERY:,}"
    return f"{whole_run.ROUNDS} rounds of {length}; MB: the largest resident set. {where(about)}."


def study_table(costs: list[Cost]) -> str:
    rows = [
        [cost.name, str(cost.methods), str(cost.seeds), f"{cost.steps:,}", str(cost.trained), f"{cost.seconds:.1f}"]
        for cost in costs
    ]
    return table(["Whole study", "methods", "seeds", "steps", "runs trained", "seconds"], rows)


def scale_table(results: list[Scaled]) -> str:
    """A row a call, a column for each number of runs; first the overhead of a job."""
    sizes = sorted({result.runs for result in results if not result.name.startswith("training")})
    header = [
        "Part of the workflow",
        *(f"{size:,} runs: s" for size in sizes),
        *(f"{size:,} runs: MB" for size in sizes),
    ]
    by_name: dict[str, dict[int, Scaled]] = {}
    for result in results:
        by_name.setdefault(result.name, {})[result.runs] = result
    rows = []
    for name, calls in by_name.items():
        if not name.startswith("training"):
            seconds = [f"{calls[size].seconds:.1f}" if size in calls else "-" for size in sizes]
            megabytes = [f"{calls[size].megabytes:.0f}" if size in calls else "-" for size in sizes]
            rows.append([name, *seconds, *megabytes])
    notes = [
        f"- {name}, one core, {call.runs:,} runs: {call.seconds:.1f} s, of which the training processes "
        f"{call.inside:.1f} s."
        for name, calls in by_name.items()
        for call in calls.values()
        if name.startswith("training")
    ]
    if (added := overhead(results)) is not None:
        notes.append(f"- So the workflow adds {added:.2f} s to a job, its own start and plan included.")
    return with_notes(table(header, rows), notes)


def scale_conditions(about: dict) -> str:
    call = f"`snakemake --cores {about['study_cores']}`, once each, {about['methods']} methods"
    return f"{call}. MB: the largest process. {where(about)}."


def draw(results: list[Timed], path: Path) -> None:
    """A point a contender at its median, on a line from its fastest round to its slowest; logarithmic scale."""
    done = sorted((result for result in results if not result.problem), key=lambda result: result.median)
    with look():
        figure = Figure(figsize=(7, 0.8 + 0.34 * len(done)), layout="constrained")
        axes = figure.subplots()
        for row, result in enumerate(done):
            color = OWN if result.name == peers.ENGINE else OTHER
            axes.plot([min(result.microseconds), max(result.microseconds)], [row, row], color=color)
            axes.plot(result.median, row, "o", color=color, markersize=7)
            axes.text(1.15 * max(result.microseconds), row, f"{result.median:.0f} µs", va="center")
        axes.set_yticks(range(len(done)), [PEERS[result.name].label.replace("`", "") for result in done])
        axes.invert_yaxis()
        axes.set_xscale("log")
        axes.set_xlim(right=2 * max(max(result.microseconds) for result in done))
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.grid(axis="y", color=INK, alpha=0.15, linewidth=0.6)
        axes.set_xlabel("Time per training step (microseconds, logarithmic)")
        described = "; ".join(f"{PEERS[result.name].label} {result.median:.1f}" for result in done)
        save_png(figure, path, "Time per training step", f"Microseconds, medians: {described}.", 160)


def into_page(text: str, path: Path) -> None:
    """Put the tables between a page's markers."""
    page = path.read_text(encoding="utf-8")
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise SystemExit(f"{path}: the lines {BEGIN.strip()} and {END.strip()} are missing")
    write_text(path, f"{before}{begin}{text}{end}{after}")


def into_pages(folder: Path = FOLDER) -> None:
    """Put what ``write`` left in a folder into the pages that show it."""
    raw = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    for page, names in PAGES.items():
        if text := markdown(raw, names):
            into_page(text, page)


PARTS = {  # what a part's results are, its table, and what is said under it
    "peers": (Timed, peers_table, step_conditions),
    "methods": (Timed, methods_table, step_conditions),
    "hidden": (Timed, hidden_table, hidden_conditions),
    "run": (whole_run.Run, run_table, run_conditions),
    "study": (Cost, study_table, study_conditions),
    "scale": (Scaled, scale_table, scale_conditions),
}
PAGES = {  # which part stands where
    README: ("peers", "methods", "study"),
    ROOT / "benchmarks/README.md": ("hidden", "run"),
    ROOT / "docs/scale.md": ("scale",),
}
USUAL = [part for part in PARTS if part != "scale"]  # the parts measured if none is named
