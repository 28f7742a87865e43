# The resolved study and what the rules ask of it. Every cluster job parses this: nothing heavy is imported here.
import functools
import json
import logging
import os
import shlex
import signal
import tempfile
import threading

from snakemake.logging import logger

from regatlas import fingerprint, folders, locks, reasons, runs, studies
from regatlas.claims import studies as claimed
from regatlas.errors import advice
from regatlas.files import write_text
from regatlas.study import resolve

# Jobs run with the Python that runs Snakemake, whether or not its environment is activated.
os.environ.update(PATH=os.pathsep.join([os.path.dirname(sys.executable), *os.get_exec_path()]))
# Where the jobs find the programs; no parameter, because moving the project must not re-run anything.
os.environ.update(REGATLAS_SCRIPTS=str(SCRIPTS))
os.environ.setdefault("REGATLAS_COMMAND", shlex.join(["snakemake", *sys.argv[1:]]))

logging.raiseExceptions = False  # a full disk gets one message, not a traceback for each line of Snakemake's own log

cores = workflow.resource_settings.cores
if cores is not None and cores < 1:  # Snakemake waits for ever with none, and crashes with fewer
    raise WorkflowError(f"--cores: found {cores}, allowed is 1 or more, or all")

try:
    STUDY = resolve(config)
except UserError as error:
    raise WorkflowError(f"The config is not valid.\n{error}")
config.update(STUDY.config)  # with every default filled in, as Snakemake's own report states it

# Report on the runs that are there, and train none.
PARTIAL = os.environ.get("REGATLAS_PARTIAL", "0")
if PARTIAL not in ("", "0", "1"):
    raise WorkflowError(f"REGATLAS_PARTIAL: found {PARTIAL!r}, allowed are 1 (yes) and 0 (no)")
PARTIAL = PARTIAL == "1"

DATA = f"results/data/{STUDY.dataset.name}"
# Named after what they depend on, like a run: they stay when the data they were made from are fetched again.
REFERENCE, SAMPLE = (
    f"results/reference/{STUDY.dataset.name}-{kind}"
    + fingerprint.of([STUDY.methods[0].points[0].settings["data"], fingerprint.code([SCRIPTS / script])])
    + ".npz"
    for kind, script in (("", "reference.py"), ("sample-", "sample.py"))
)
RESULTS = f"results/{STUDY.name}"
FIGURES = f"{RESULTS}/figures"
FOLDERS = [
    "results",
    RESULTS,
    *(f"results/{name}" for name in ("data", "logs", "reference", "runs")),
    DATA,
    FIGURES,
]
POINTS = {(method.regularizer, point.digest): (method, point) for method in STUDY.methods for point in method.points}

FOLLOWS_TRAIN_SIZE = ("train_size", "steps", "evaluate_every")  # with epochs, the others follow the first

LONG_SPECS = {}


def canonical(value):
    """A parameter that is the same text exactly when it means the same; as a function, so that braces stay braces.

    What is too long for a command line, in which Linux takes 128 KiB, is written to a file when the jobs start.
    """
    text = fingerprint.canonical(value).replace("<", "\\u003c")  # the same JSON, and no tag in Snakemake's own report
    if len(shlex.quote(text)) > 100_000:
        path = f"{RESULTS}/logs/spec-{fingerprint.of(value)}.json"
        LONG_SPECS[path] = text
        text = f"@{path}"
    return lambda wildcards: text


def write_long_specs():
    for path, text in LONG_SPECS.items():
        write_text(path, text)


def code(script):
    """Changes when a script, or a module it imports, changes in more than comments and layout.

    As a function, so that a job on a node does not read the code of the others.
    """
    return lambda wildcards: fingerprint.code([SCRIPTS / script])


def run_file(regularizer, digest, seed):
    return str(runs.path("results/runs", regularizer, digest, seed))


@functools.cache
def run_files():
    """Every point with every seed, of a partial study those that are there; methods may have points in common."""
    files = [run_file(regularizer, digest, seed) for regularizer, digest in POINTS for seed in STUDY.seeds]
    return [file for file in files if os.path.exists(file) and not damaged_path(file)] if PARTIAL else files


def folder_of_output(wildcards, output):
    return os.path.dirname(output[0])


def point_of(wildcards):
    """The method and the point that a run belongs to."""
    try:
        return POINTS[wildcards.regularizer, wildcards.digest]
    except KeyError:
        raise WorkflowError(
            f"{wildcards.regularizer}/{wildcards.digest}: no method of this study has this digest; its methods are: "
            + ", ".join(f"{method.id} {regularizer}/{digest}" for (regularizer, digest), (method, _) in POINTS.items())
        )


def train_spec(wildcards):
    _, point = point_of(wildcards)
    return fingerprint.canonical({"settings": point.settings, "seed": int(wildcards.seed)})


def run_of(wildcards, seed):
    return run_file(wildcards.regularizer, wildcards.digest, seed)


def to_train_together(wildcards):
    """The seeds, this one among them, that are missing and that one process is to train."""
    seed, size = int(wildcards.seed), STUDY.config["training"]["runs_per_process"]
    if size == 1 or seed not in STUDY.seeds:
        return [seed]
    first = STUDY.seeds.index(seed) // size * size  # not by what is missing: that changes while the study runs
    missing = lambda run: not os.path.exists(run) or damaged_path(run)  # noqa: E731
    return [other for other in STUDY.seeds[first : first + size] if other == seed or missing(run_of(wildcards, other))]


def trained_beside(wildcards):
    """The seeds that the job's process trains besides its own."""
    if workflow.is_main_process and workflow.non_local_exec:
        return ""  # the node asks again; here the jobs that one submission groups may not differ in a text
    return " ".join(str(seed) for seed in to_train_together(wildcards) if seed != int(wildcards.seed))


def minutes_to_train(wildcards, attempt):
    """An hour a run, and for those that an earlier job of their process has trained no more than one."""
    together = to_train_together(wildcards)
    return 60 * attempt * (len(together) if together[0] == int(wildcards.seed) else 1)


def needed_to_train(wildcards):
    """The data if the run is missing, its damaged file, moved out of the way, if that is what is there.

    Of seeds that one process trains, the first leaves the others' runs for their jobs, which wait for it.
    """
    run = run_of(wildcards, wildcards.seed)
    damaged = damaged_path(run)
    if os.path.exists(run) and not damaged:
        return []
    tell_why(point_of(wildcards)[0])
    first = to_train_together(wildcards)[0]
    before = [run_of(wildcards, first)] if workflow.is_main_process and first != int(wildcards.seed) else []
    return [f"{DATA}/prepared.npz", *([damaged] if damaged else []), *before]


@functools.cache
def collected():
    """When `collect` has last read the runs, in nanoseconds; 0 if it never has."""
    table = Path(f"{RESULTS}/runs.csv")
    return table.stat().st_mtime_ns if table.exists() else 0


@functools.cache
def damaged_path(run):
    """Where a run's file is put if `collect` has not read it since it was touched and it is not whole; else None.

    Of one run, because a job on a cluster plans its own run alone, and there are as many such jobs as runs.
    """
    run = Path(run)
    touched = run.exists() and run.stat().st_mtime_ns > collected()
    return str(runs.damaged_path(run)) if touched and not runs.whole(run) else None


@functools.cache
def damaged_runs():
    """Run file -> where it is put, of all runs of the study that are damaged."""
    return {run: path for run in run_files() if (path := damaged_path(run))}


@functools.cache
def last_table():
    return reasons.last_table(f"{RESULTS}/runs.csv")


TOLD = set()


def tell_why(method):
    """Say once a method why its runs have to be trained."""
    if workflow.is_main_process and method.id not in TOLD:
        TOLD.add(method.id)
        own = [run_file(method.regularizer, point.digest, seed) for point in method.points for seed in STUDY.seeds]
        damaged = [run for run in own if damaged_path(run)]
        for line in reasons.to_train(STUDY, "results", method, damaged, last_table()):
            logger.info(line)


def plugin(wildcards):
    paths = point_of(wildcards)[0].declaration.paths
    return [part for path in paths if SCRIPTS not in path.parents for part in ("--plugin", str(path))]


def other_studies(wildcards):
    """The folders of the studies beside this one that have been run, of those that claims look at."""
    return [f"results/{name}" for name in claimed.present("results", but=STUDY.name)]


def tables_of_other_studies(wildcards):
    return [f"{folder}/{table}" for folder in other_studies(wildcards) for table in claimed.TABLES]


@functools.cache
def families():
    """Ids of methods that differ in the number of training images, and in what follows from it, alone; largest first."""
    alike = {}
    for method in STUDY.methods:
        rest = [
            point.settings
            | {"training": {k: v for k, v in point.settings["training"].items() if k not in FOLLOWS_TRAIN_SIZE}}
            for point in method.points
        ]
        alike.setdefault(fingerprint.canonical(rest), []).append(method)
    size = lambda method: method.points[0].settings["training"]["train_size"]  # noqa: E731
    found = [sorted(methods, key=size, reverse=True) for methods in alike.values() if len(set(map(size, methods))) > 1]
    return [[method.id for method in methods] for methods in found]


def figure(name, category="Figures", **labels):
    return report(
        f"{FIGURES}/{name}.svg",
        caption=f"../report/{name}.rst",
        category=category,
        labels=labels,
    )


LOCKFILE = Path("results/.lock")


def other_snakemake():
    """Who works in this folder, and since when; the second also says whether somebody has begun since."""
    return locks.holder(LOCKFILE), LOCKFILE.stat().st_mtime_ns if LOCKFILE.exists() else 0


def lock_results():
    """Keep a second snakemake out for as long as the returned stream lives; the kernel ends it, also after a kill -9.

    One that was at work while this one planned has made files that the plan does not know: then the plan is void.
    """
    try:
        before = AT_WORK[0] or other_snakemake() != AT_WORK
        lock = locks.take(LOCKFILE)
        folders.check_writable(FOLDERS)
    except locks.Held as holder:
        raise WorkflowError(
            f"Another snakemake is at work in this folder ({holder}), so this one leaves. "
            "Wait until it has finished, or stop it."
        )
    except UserError as error:
        raise WorkflowError(str(error))
    except OSError as error:
        raise WorkflowError(
            f"results cannot be written: {error.strerror}. The study needs a folder that can be written."
        )
    if before:
        raise WorkflowError(
            "Another snakemake has just finished in this folder, so what was planned is out of date. "
            "Give the same command again."
        )
    return lock


if workflow.is_main_process:
    try:
        folders.check(FOLDERS)
        of_a_plugin = workflow.storage_settings.default_storage_provider is not None  # then the cache is no folder
        if workflow.workflow_settings.cache is not None and not of_a_plugin:
            folders.check_cache(os.environ.get("SNAKEMAKE_OUTPUT_CACHE", ""))
        AT_WORK = other_snakemake()  # before the plan is made
    except UserError as error:
        raise WorkflowError(str(error))
    if PARTIAL and not run_files():
        raise WorkflowError(f"REGATLAS_PARTIAL=1: no run of the study {STUDY.name} is there; train some first")


def answer_sigterm_in_a_thread():
    """Snakemake's own answer waits for locks that the main thread, which is interrupted for it, may hold: for ever."""
    answer = signal.getsignal(signal.SIGTERM)
    if callable(answer):
        signal.signal(signal.SIGTERM, lambda *given: threading.Thread(target=answer, args=given, daemon=True).start())


onstart:
    global LOCK  # a local name would end with this block, and the lock with it
    LOCK = lock_results()
    answer_sigterm_in_a_thread()
    write_long_specs()


def say_what_is_wrong_with_the_disk():
    """The logs of the failed jobs cannot, if it is full."""
    try:
        with tempfile.TemporaryFile(dir="results") as probe:
            probe.write(bytes(1 << 20))
    except OSError as error:
        logger.error(f"results: {advice(error) or error.strerror}")


onerror:
    say_what_is_wrong_with_the_disk()
