"""The course of one run: steps and evaluations in turn, which evaluation counts, and what is kept in the end.

This is the host's part. What it calls is compiled: ``Trainer.advance`` makes steps and ``Trainer.logits`` evaluate.
"""

import dataclasses
import math
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

from regatlas import streams
from regatlas.optimizers import learning_rates
from regatlas.randomness import key_of

if TYPE_CHECKING:
    from regatlas.training import Trainer

PARTS = ("train", "curve", "corrupted")  # images evaluated together; the curve's are those of validation and test


@dataclasses.dataclass
class Progress:
    """Where a run stands at an evaluation. Accuracies are fractions, seconds are of the loop alone."""

    step: int
    steps: int
    train_loss: float
    validation_accuracy: float
    test_accuracy: float
    seconds: float


@dataclasses.dataclass
class Result:
    """A run's numbers; ``arrays`` and ``metrics`` are those of ``regatlas.runs``.

    ``train_seconds`` are of the loop alone; ``microseconds_per_step`` is the median over its calls, None if none was
    long enough.
    """

    status: str
    message: str
    arrays: dict[str, np.ndarray]
    metrics: dict[str, float | None]
    parameters: int
    steps_done: int
    train_seconds: float
    microseconds_per_step: float | None


def evaluation_steps(steps: int, every: int) -> list[int]:
    """After which update a run is evaluated: the first, every ``every``-th, the last."""
    return sorted({1, *range(every, steps + 1, every), steps})


def best_of(validation: Sequence[float], patience: int | None) -> tuple[int, bool]:
    """Which of the evaluations so far counts, by its validation accuracy, and whether the run ends with the last one.

    Without patience it is the last. With it, the first with the best validation accuracy, and the run ends when
    ``patience`` evaluations in a row have not been better (Prechelt 1998, section 2.2, with a count of evaluations).
    """
    last = len(validation) - 1
    if patience is None or last < 0:
        return last, False
    best = max(range(len(validation)), key=lambda place: (validation[place], -place))
    return best, last - best >= patience


def mislabelled(labels: np.ndarray, share: float, classes: int, seed: int) -> np.ndarray:
    """Labels [n] of which a share, drawn by the seed, is replaced by another class, each with the same probability."""
    rng, wrong = streams.generator(seed, "label noise"), labels.copy()
    which = rng.permutation(len(labels))[: round(share * len(labels))]
    wrong[which] = (labels[which] + rng.integers(1, classes, len(which))) % classes
    return wrong


class Course:
    """A run from its first step to its last, and where it stands.

    Args:
        trainer: of the method.
        seed: decides initial weights, batch order and noise.
    """

    def __init__(self, trainer: "Trainer", seed: int):
        self.trainer, self.recipe, self.data = trainer, trainer.recipe, trainer.data
        self.noisy = trainer.regularizer.noise_in_evaluation
        self.key = tf.constant(key_of(seed))
        size = len(trainer.images)
        self.order = streams.BatchOrder(seed, size, trainer.batch_size)
        self.validation = len(self.data["validation_labels"])
        share, labels = self.recipe["label_noise"], self.data["train_labels"][:size]
        self.truth = {
            "train": mislabelled(labels, share, trainer.classes, seed),
            "curve": np.concatenate([self.data["validation_labels"], self.data["test_labels"]]),
            "corrupted": np.tile(self.data["corrupted_labels"], math.prod(self.data["corrupted_images"].shape[:2])),
        }
        self.labels = tf.constant(self.truth["train"].astype(np.int32))
        self.state = self.best = trainer.start(seed)
        self.parameters = sum(math.prod(value.shape) for value in self.state["variables"].values())
        self.step, self.loss_sum, self.seconds = 0, 0.0, 0.0
        self.diverged = ""  # or how
        self.paces: list[float] = []  # seconds a step
        self.curve: list[tuple[int, float, float, float]] = []  # step, training loss, validation and test accuracy
        self._steps(1)  # traced and compiled outside the measured time; nothing of it is kept

    def advance(self, end: int) -> None:
        """Steps up to number ``end``, in one call."""
        loss, self.state, spent = self._steps(end)
        self.loss_sum += loss
        self.seconds += spent
        if end - self.step >= self.trainer.block:
            self.paces.append(spent / (end - self.step))
        self.step = end

    def _steps(self, end: int) -> tuple[float, dict[str, Any], float]:
        """The sum of the losses of the steps up to ``end``, the state after them, and the seconds they took."""
        trainer = self.trainer
        base = self.step // trainer.block * trainer.block
        numbers = np.arange(base, base + trainer.part)
        rates = learning_rates(self.recipe, numbers)
        arguments = [
            tf.constant(self.order.steps(base, trainer.part).reshape(-1, trainer.block * trainer.batch_size)),
            tf.constant(np.stack([trainer.optimizer.step_sizes(rates, numbers), rates], 1).astype(np.float32)),
            self.key, *(tf.constant(step, tf.int64) for step in (base, self.step - base, end - base)),
        ]  # fmt: skip
        begun = time.perf_counter()
        loss, after = trainer.advance(self.state, trainer.images, self.labels, *arguments)
        return float(loss), after, time.perf_counter() - begun

    def evaluate(self) -> Progress:
        """Evaluate validation and test images, and keep the state if it is the one that counts so far."""
        train_loss = self.loss_sum / (self.step - (self.curve[-1][0] if self.curve else 0))
        self.loss_sum = 0.0
        logits, predicted = self._logits("curve", self.noisy)
        right = predicted == self.truth["curve"]
        accuracies = float(right[: self.validation].mean()), float(right[self.validation :].mean())
        self.curve.append((self.step, train_loss, *accuracies))
        if not all(np.isfinite(value).all() for value in (train_loss, logits, *self.state["variables"].values())):
            self.diverged = f"the loss, a weight or a logit was no longer finite after step {self.step}"
        if self.chosen()[0] == len(self.curve) - 1:
            self.best = self.state
        return Progress(self.step, self.recipe["steps"], train_loss, *accuracies, self.seconds)

    def chosen(self) -> tuple[int, bool]:
        """The evaluation that counts and whether the run ends; of the curve it is given the validation alone."""
        return best_of([accuracy for _, _, accuracy, _ in self.curve], self.trainer.regularizer.patience)

    def _logits(self, part: str, noisy: bool) -> tuple[np.ndarray, np.ndarray]:
        """Logits [n, classes] and predicted classes [n] of a part's images after the steps done so far."""
        first = (self.step * len(PARTS) + PARTS.index(part)) << 24
        found = [
            self.trainer.logits[noisy](self.state, images, self.key, tf.constant(first + number, tf.int64))
            for number, images in enumerate(self.trainer.groups[part]())
        ]
        return tuple(np.concatenate(kind)[: len(self.truth[part])] for kind in zip(*found, strict=True))

    def saved(self) -> dict[str, np.ndarray]:
        """All that the rest of the run depends on, and what has been measured so far."""
        leaves = tf.nest.flatten([self.state, self.best])
        flat = {f"state_{place}": leaf.numpy() for place, leaf in enumerate(leaves)}
        counts = {"step": self.step, "loss": self.loss_sum, "seconds": self.seconds}
        measured = {"paces": np.array(self.paces), "curve": np.array(self.curve, np.float64).reshape(-1, 4)}
        return flat | {name: np.array(value) for name, value in counts.items()} | measured

    def restore(self, saved: Mapping[str, np.ndarray]) -> None:
        """Go on where ``saved`` was written."""
        both = [self.state, self.best]
        leaves = [tf.constant(saved[f"state_{place}"]) for place in range(len(tf.nest.flatten(both)))]
        self.state, self.best = tf.nest.pack_sequence_as(both, leaves)
        self.step, self.loss_sum, self.seconds = int(saved["step"]), float(saved["loss"]), float(saved["seconds"])
        self.paces = saved["paces"].tolist()
        self.curve = [(int(at), *values) for at, *values in saved["curve"].tolist()]

    def result(self) -> Result:
        """What is kept of the run: of the state that counts or, if it diverged, of the last one."""
        steps_done = self.step
        if not self.diverged:
            self.state = self.best
        self.step, train_loss, validation_accuracy, _ = self.curve[self.chosen()[0]]
        arrays = self._weights()
        names = ("step", "train_loss", "validation_accuracy", "test_accuracy")
        for name, values in zip(names, zip(*self.curve, strict=True), strict=True):
            arrays[f"curve_{name}"] = np.array(values, np.int64 if name == "step" else np.float64)
        metrics: dict[str, float | None] = {}
        if not self.diverged:
            found, metrics = self._measured()
            arrays |= found
            metrics |= {"validation_accuracy": validation_accuracy, "train_loss": train_loss}
        pace = float(np.median(self.paces)) * 1e6 if self.paces else None
        status = "diverged" if self.diverged else "finished"
        return Result(status, self.diverged, arrays, metrics, self.parameters, steps_done, self.seconds, pace)

    def _weights(self) -> dict[str, np.ndarray]:
        """The weights that evaluation uses, and the trained variables behind them."""
        trainer, buffers = self.trainer, self.state["buffers"]
        variables = trainer.regularizer.evaluated(self.state["variables"], buffers)
        seen = trainer.parameters(variables, buffers, None)
        arrays = {f"kernel_{layer}": np.asarray(kernel).T.copy() for layer, kernel in enumerate(seen.kernels)}
        arrays |= {f"bias_{layer}": np.asarray(bias) for layer, bias in enumerate(seen.biases)}
        arrays |= _trained(variables, arrays)
        return arrays | {name: trainer.pixels.in_place(value) for name, value in arrays.items() if name.endswith("_0")}

    def _measured(self) -> tuple[dict[str, np.ndarray], dict[str, float]]:
        """What is measured at the end: arrays of the test images, and metrics."""
        truth = self.data["test_labels"]
        logits, predicted = (found[self.validation :] for found in self._logits("curve", self.noisy))
        noise_off = self._logits("curve", False)[1][self.validation :] if self.noisy else predicted
        probability = tf.nn.softmax(logits).numpy()
        right = {part: self._logits(part, self.noisy)[1] == self.truth[part] for part in ("corrupted", "train")}
        arrays = {
            "test_predicted": predicted.astype(np.uint8),
            "test_confidence": probability.max(1),
            "test_probability": probability[np.arange(len(logits)), truth],
            "corrupted_accuracy": right["corrupted"].reshape(*self.data["corrupted_images"].shape[:2], -1).mean(2),
            "test_predicted_noise_off": noise_off.astype(np.uint8),
        }
        metrics = {
            "train_accuracy": float(right["train"].mean()),
            "test_accuracy": float((predicted == truth).mean()),
            "test_accuracy_noise_off": float((noise_off == truth).mean()),
            "test_brier": float(np.square(probability - np.eye(self.trainer.classes)[truth]).sum(1).mean()),
        }
        return arrays, metrics


def _trained(variables: Mapping[str, Any], evaluated: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The variables that are not evaluated as they are, kernels as [in, out]."""
    trained = {}
    for name, value in variables.items():
        value = np.asarray(value)
        value = value.T.copy() if value.ndim == 2 else value
        if not np.array_equal(evaluated.get(name), value):
            trained[f"trained_{name}"] = value
    return trained
