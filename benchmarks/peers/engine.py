"""The project's own engine, as a run of the workflow calls it."""

from benchmarks import workload
from benchmarks.workload import Workload
from regatlas import registry
from regatlas.training import Trainer


def train(work: Workload, method: str = "none", evaluate_every: int | None = None):
    chosen = workload.methods(work.steps)[method]
    kind = registry.load(chosen.declaration.path, chosen.declaration.class_name)
    regularizer = kind(**chosen.settings["regularizer"]["settings"])
    recipe = {**chosen.settings["training"], "train_size": len(work.images)}
    recipe["evaluate_every"] = evaluate_every or work.steps
    result = Trainer({**chosen.settings, "training": recipe}, work.data, regularizer).run(workload.SEED)
    return result.train_seconds, result.arrays["kernel_0"]
