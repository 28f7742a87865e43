# The runs of the study: where they are, which are missing or damaged, and which are trained by one process.
import functools
import os

from snakemake.logging import logger

from regatlas import reasons, runs

POINTS = {(method.regularizer, point.digest): (method, point) for method in STUDY.methods for point in method.points}


def run_file(regularizer, digest, seed):
    return str(runs.path("results/runs", regularizer, digest, seed))


@functools.cache
def run_files():
    """Every point with every seed, of a partial study those that are there; methods may have points in common."""
    files = [run_file(regularizer, digest, seed) for regularizer, digest in POINTS for seed in STUDY.seeds]
    return [file for file in files if os.path.exists(file) and not damaged_path(file)] if PARTIAL else files


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


def plugins():
    """The files of the study's regularizers that are not the library's."""
    paths = {path for method in STUDY.methods for path in method.declaration.paths}
    return sorted(str(path) for path in paths if SCRIPTS not in path.parents)


if workflow.is_main_process and PARTIAL and not run_files():
    raise WorkflowError(f"REGATLAS_PARTIAL=1: no run of the study {STUDY.name} is there; train some first")
