"""The project's own engine, as a run of the workflow calls it."""

from benchmarks import workload
from benchmarks.workload import Workload
from regatlas import registry, training


def train(work: Workload, method: str = "none", evaluate_every: int | None = None):
    chosen = workload.methods(work.steps)[method]
    kind = registry.load(chosen.declaration.path, chosen.declaration.class_name)
    regularizer = kind(**chosen.settings["regularizer"]["settings"])
    recipe = {**chosen.settings["training"], "train_size": len(work.images)}
    recipe["evaluate_every"] = evaluate_every or work.steps
    result = training.train({**chosen.settings, "training": recipe}, work.data, workload.SEED, regularizer)
    return result.train_seconds, result.arrays["kernel_0"]
