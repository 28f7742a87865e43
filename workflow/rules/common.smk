# The resolved study and what the rules ask of it. Every cluster job parses this: nothing heavy is imported here.
import json
import os
import shlex
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError

ROOT = Path(workflow.basedir).parent
SCRIPTS = ROOT / "scripts"
sys.path.insert(0, str(SCRIPTS))

from regatlas import fingerprint, runs
from regatlas.errors import UserError
from regatlas.study import resolve

# Jobs run with the Python that runs Snakemake, whether or not its environment is activated.
os.environ.update(PATH=os.pathsep.join([os.path.dirname(sys.executable), *os.get_exec_path()]))
# Where the jobs find the programs; no parameter, because moving the project must not re-run anything.
os.environ.update(REGATLAS_SCRIPTS=str(SCRIPTS))
os.environ.setdefault("REGATLAS_COMMAND", shlex.join(["snakemake", *sys.argv[1:]]))

try:
    STUDY = resolve(config)
except UserError as error:
    raise WorkflowError(f"The config is not valid.\n{error}")

DATA = f"results/data/{STUDY.dataset.name}"
RESULTS = f"results/{STUDY.name}"
FIGURES = f"{RESULTS}/figures"
METHODS = {(method.regularizer, method.digest): method for method in STUDY.methods}


def canonical(value):
    """A parameter that is the same text exactly when it means the same; as a function, so that braces stay braces."""
    return lambda wildcards: fingerprint.canonical(value)


def code(script):
    """Changes when a script, or a module it imports, changes in more than comments and layout."""
    return fingerprint.code([SCRIPTS / script])


def run_files():
    return [
        str(runs.path("results/runs", method.regularizer, method.digest, seed))
        for method in STUDY.methods
        for seed in STUDY.seeds
    ]


def folder_of_output(wildcards, output):
    return os.path.dirname(output[0])


def train_spec(wildcards):
    method = METHODS[wildcards.regularizer, wildcards.digest]
    return fingerprint.canonical({"settings": method.settings, "seed": int(wildcards.seed)})


def data_of_a_missing_run(wildcards):
    run = runs.path("results/runs", wildcards.regularizer, wildcards.digest, wildcards.seed)
    return [] if run.exists() else f"{DATA}/prepared.npz"


def plugin(wildcards):
    path = METHODS[wildcards.regularizer, wildcards.digest].declaration.path
    return [] if SCRIPTS in path.parents else ["--plugin", str(path)]


def figure(name, title, category="Figures"):
    return report(
        f"{FIGURES}/{name}.svg",
        caption=f"../report/{name}.rst",
        category=category,
        labels={"figure": title},
    )
