"""What every contender trains: the post's network without regularization, on the same batches from the same start."""

import dataclasses
import functools
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from regatlas import registry, study
from regatlas.files import read_npz
from regatlas.streams import BatchOrder, generator, truncated_normal

ROOT = Path(__file__).resolve().parents[1]
PREPARED = ROOT / "results/data/mnist/prepared.npz"
SEED = 0
BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-8


@dataclasses.dataclass(frozen=True)
class Workload:
    """One training; ``steps`` updates of ``batch_size`` images each."""

    images: np.ndarray  # uint8 [n, features], 0 to 255; trained on as 0 to 1
    labels: np.ndarray  # uint8 [n]
    order: np.ndarray  # int32 [steps, batch_size]: the rows of each step's batch
    initial: np.ndarray  # float32 [features, classes]
    learning_rate: float
    settings: dict[str, Any]  # the same, as the engine takes it
    data: dict[str, np.ndarray]

    @property
    def steps(self) -> int:
        return len(self.order)

    @property
    def batch_size(self) -> int:
        return self.order.shape[1]

    @property
    def classes(self) -> int:
        return self.initial.shape[1]

    @functools.cached_property
    def rates(self) -> np.ndarray:
        """Adam's bias-corrected step size of each update, float32 [steps]."""
        t = np.arange(1, self.steps + 1)
        return (self.learning_rate * np.sqrt(1 - BETA_2**t) / (1 - BETA_1**t)).astype(np.float32)

    @functools.cached_property
    def pixels(self) -> np.ndarray:
        """The images as most programs hold them: float32 [n, features], 0 to 1."""
        return self.images.astype(np.float32) / 255

    @functools.cached_property
    def targets(self) -> np.ndarray:
        """One-hot labels, float32 [n, classes]."""
        return np.eye(self.classes, dtype=np.float32)[self.labels]


def make(steps: int, data: dict[str, np.ndarray] | None = None) -> Workload:
    """The default study's method `none`, ``steps`` updates long; on ``data``, by default what ``read`` finds."""
    data = read() if data is None else data
    settings = methods(steps)["none"].settings
    recipe, stddev = settings["training"], settings["network"]["initial_stddev"]
    size = min(recipe["train_size"], len(data["train_images"]))
    images, labels = data["train_images"][:size], data["train_labels"][:size]
    shape = images.shape[1], int(data["classes"])
    return Workload(
        images=images,
        labels=labels,
        order=BatchOrder(SEED, size, recipe["batch_size"]).steps(0, steps),
        initial=truncated_normal(generator(SEED, "initial weights", 0), shape, stddev),
        learning_rate=recipe["learning_rate"],
        settings={**settings, "training": {**recipe, "train_size": size}},
        data=data,
    )


def methods(steps: int) -> dict[str, study.Method]:
    """The default study's methods and, with their defaults, the library's other regularizers that need no hidden layer.

    Evaluated only at their end: evaluation is no part of what is timed.
    """
    config = yaml.safe_load((ROOT / "config/config.yaml").read_text(encoding="utf-8"))
    config["training"] |= {"steps": steps, "evaluate_every": steps}
    used = {config["methods"][name]["regularizer"] for name in config["compare"]}
    for name, path in registry.available().items():
        if name not in used and "needs_hidden" not in registry.declaration(name, path).needs:
            config["methods"][name] = {"regularizer": name}
            config["compare"].append(name)
    return {method.id: method for method in study.resolve(config).methods}


def read() -> dict[str, np.ndarray]:
    """MNIST as the workflow prepared it or, where it has not yet, noise of the same shape."""
    return read_npz(PREPARED) if PREPARED.is_file() else noise(55_000)


def noise(images: int) -> dict[str, np.ndarray]:
    """Prepared arrays of MNIST's shape with random content."""
    rng = np.random.default_rng(0)
    data = {"classes": np.array(10), "image_shape": np.array([28, 28])}
    for part, count in (("train", images), ("validation", 100), ("test", 100)):
        data[f"{part}_images"] = rng.integers(0, 256, (count, 784), np.uint8)
        data[f"{part}_labels"] = rng.integers(0, 10, count, np.uint8)
    return data | {"corrupted_images": data["test_images"][None, None], "corrupted_labels": data["test_labels"]}
