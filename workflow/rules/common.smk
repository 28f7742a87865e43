# The resolved study and what the rules ask of it. Every cluster job parses this: nothing heavy is imported here.
import base64
import functools
import logging
import os
import shlex

from regatlas import datasets, fingerprint, studies
from regatlas.claims import studies as claimed
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
RAW = [f"{DATA}/raw/{file.name}" for file in STUDY.dataset.files]
DATA_CHECKSUM = datasets.checksum(STUDY.dataset)
# Named after what they depend on, like a run: they stay when the data they were made from are fetched again.
REFERENCE, SAMPLE = (
    f"results/reference/{STUDY.dataset.name}-{kind}"
    + fingerprint.of([DATA_CHECKSUM, fingerprint.code([SCRIPTS / script])])
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
LONG_SPECS = {}
FORGOTTEN = Path(".snakemake/forgotten")
NAME_MAX = 255  # characters of a file's name; Snakemake cuts longer ones in pieces


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


def if_forgotten(path):
    """An input newer than ``path``, so that it is made again, if it is there and Snakemake's record of it is not.

    Without it no change of a parameter is seen, so that an edit would leave old results, which look like new ones.
    """
    name = base64.urlsafe_b64encode(path.encode()).decode()
    recorded = workflow.workflow_settings.persistence_backend.name != "FILE" or len(name) >= NAME_MAX
    if recorded or not os.path.exists(path) or os.path.exists(f".snakemake/metadata/{name}"):
        return []
    FORGOTTEN.parent.mkdir(exist_ok=True)
    FORGOTTEN.touch()
    return [str(FORGOTTEN)]


def folder_of_output(wildcards, output):
    return os.path.dirname(output[0])


def other_studies(wildcards):
    """The folders of the studies beside this one that have been run, of those that claims look at."""
    return [f"results/{name}" for name in claimed.present("results", but=STUDY.name)]


def tables_of_other_studies(wildcards):
    return [f"{folder}/{table}" for folder in other_studies(wildcards) for table in claimed.TABLES]


FOLLOWS_TRAIN_SIZE = ("train_size", "steps", "evaluate_every")  # with epochs, the others follow the first


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
