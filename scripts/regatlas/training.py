"""The training engine: a whole run inside one compiled TensorFlow graph.

Between two evaluations the host makes a single call: batches are gathered, augmented, differentiated and applied in
a ``tf.while_loop`` over blocks of ``BLOCK`` unrolled steps. A block gathers its images at once, draws its noise with
one generator call, and applies Adam as one fused kernel.
"""

import dataclasses
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from regatlas.losses import LOSSES
from regatlas.networks import forward, initial
from regatlas.regularizers.base import Random, Regularizer
from regatlas.streams import BatchOrder

BLOCK = 10  # steps unrolled in one pass of the graph's loop: more no longer pays, the images leave the cache
PART = 1000  # steps of one call: what a checkpoint may have to wait for
AT_ONCE = 500  # images evaluated in one go: their inputs fit the cache
_PART_EXAMPLES = 1 << 24  # ... fewer with large batches, whose order would fill the memory
BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-8


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
    """A run's numbers; ``arrays`` are those of ``regatlas.runs``."""

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


def adam_rates(learning_rate: float, steps: np.ndarray) -> np.ndarray:
    """Adam's bias-corrected step size of each update (from 0), float32 (Kingma & Ba 2015, end of section 2)."""
    t = steps.astype(np.float64) + 1
    return (learning_rate * np.sqrt(1 - BETA_2**t) / (1 - BETA_1**t)).astype(np.float32)


def train(
    settings: Mapping[str, Any],
    data: Mapping[str, np.ndarray],
    seed: int,
    regularizer: Regularizer,
    report: Callable[[Progress], None] = lambda progress: None,
    saved: Mapping[str, np.ndarray] | None = None,
    save: Callable[[Callable[[], dict[str, np.ndarray]]], None] = lambda state: None,
) -> Result:
    """Train one network and evaluate it on the way.

    Args:
        settings: sections ``network`` (hidden, bias, initial_stddev) and ``training`` (loss, learning_rate,
            batch_size, steps, evaluate_every, train_size), all resolved.
        data: the prepared arrays (see ``regatlas.prepare``).
        seed: decides initial weights, batch order and noise.
        report: called after every evaluation.
        saved: the state of an interrupted run with the same arguments, to go on from; the result is the same.
        save: called now and then with a function that returns the state, to be kept or not.
    """
    recipe = settings["training"]
    classes, features = int(data["classes"]), data["train_images"].shape[1]
    batch_size, train_size = recipe["batch_size"], recipe["train_size"]
    loss = LOSSES[recipe["loss"]]
    images = tf.constant(data["train_images"][:train_size])
    truth = tf.constant(data["train_labels"][:train_size].astype(np.int32))

    start = regularizer.variables(initial(settings["network"], features, classes, seed), seed)
    variables = {name: tf.Variable(value, name=name) for name, value in start.items()}
    moments = {name: (tf.Variable(tf.zeros_like(v)), tf.Variable(tf.zeros_like(v))) for name, v in start.items()}

    def block(order: tf.Tensor, first_step: tf.Tensor):
        """What BLOCK steps need: inputs [BLOCK, batch, features], targets [BLOCK, batch, classes], noise, random."""
        count = first_step // BLOCK
        pixels = tf.reshape(tf.gather(images, order), [BLOCK, batch_size, features])
        x = regularizer.inputs(pixels, Random(seed, "inputs", count))
        y = tf.reshape(tf.one_hot(tf.gather(truth, order), classes), [BLOCK, batch_size, classes])
        x, y = regularizer.examples(x, y, Random(seed, "examples", count))
        noise = regularizer.noise(Random(seed, "weights", count), first_step, BLOCK)
        return x, y, noise, Random(seed, "activations", count, BLOCK)

    def update(x: tf.Tensor, y: tf.Tensor, noise: Any, random: Random, rate: tf.Tensor) -> tf.Tensor:
        """One step: changes the variables, returns the logits it saw."""
        with tf.GradientTape() as tape:
            parameters = regularizer.parameters(variables, noise)
            logits = forward(x, parameters, lambda hidden, layer: regularizer.activations(hidden, layer, random))
            penalty = regularizer.penalty(variables, parameters)
        outputs, seeds = [logits], [loss.gradient(logits, y)]
        if penalty is not None:
            outputs, seeds = [logits, penalty], [*seeds, tf.ones_like(penalty)]
        gradients = tape.gradient(outputs, variables, output_gradients=seeds)
        for name, gradient in regularizer.gradients(gradients, variables).items():
            m, v = moments[name]
            tf.raw_ops.ResourceApplyAdam(
                var=variables[name].handle, m=m.handle, v=v.handle, grad=gradient, lr=rate,
                beta1=BETA_1, beta2=BETA_2, epsilon=EPSILON,
                beta1_power=0.0, beta2_power=0.0,  # the bias correction is in the rate
            )  # fmt: skip
        regularizer.after_update(variables, rate)
        return logits

    number = tf.TensorSpec([], tf.int64)
    rows = [tf.TensorSpec([None, BLOCK * batch_size], tf.int32), tf.TensorSpec([None, BLOCK], tf.float32)]

    @tf.function(autograph=False, input_signature=[*rows, number, number, number])
    def advance(order: tf.Tensor, rates: tf.Tensor, base: tf.Tensor, first: tf.Tensor, end: tf.Tensor) -> tf.Tensor:
        """Steps ``first`` .. ``end - 1``; row 0 of ``order`` and ``rates`` is the block of step ``base``.

        Whole blocks run unrolled, the steps before and after them one by one, with the same noise either way.
        Returns the sum of the steps' losses.
        """

        def single(step: tf.Tensor, total: tf.Tensor):
            row, k = (step - base) // BLOCK, (step - base) % BLOCK
            x, y, noise, random = block(order[row], step - k)
            noise = tf.nest.map_structure(lambda *n: None if n[0] is None else tf.stack(n)[k], *noise)
            logits = update(x[k], y[k], noise, random.of_step(k), rates[row, k])
            return step + 1, total + loss.value(logits, y[k])

        def whole(step: tf.Tensor, total: tf.Tensor):
            row = (step - base) // BLOCK
            x, y, noise, random = block(order[row], step)
            steps = zip(tf.unstack(x), tf.unstack(y), noise, tf.unstack(rates[row]), strict=True)
            logits = [update(*xyn, random.of_step(k), rate) for k, (*xyn, rate) in enumerate(steps)]
            return step + BLOCK, total + BLOCK * loss.value(tf.concat(logits, 0), tf.reshape(y, [-1, classes]))

        state = (first, tf.constant(0.0))
        aligned = tf.minimum(-(-first // BLOCK) * BLOCK, end)
        state = tf.while_loop(lambda step, _: step < aligned, single, state, parallel_iterations=1)
        state = tf.while_loop(lambda step, _: step + BLOCK <= end, whole, state, parallel_iterations=1)
        return tf.while_loop(lambda step, _: step < end, single, state, parallel_iterations=1)[1]

    def evaluation(noisy: bool) -> Callable[[tf.Tensor, tf.Tensor], tf.Tensor]:
        """A function of images [n, features] and a counter that gives their logits, with or without the noise."""

        @tf.function(autograph=False, input_signature=[tf.TensorSpec([None, features], tf.uint8), number])
        def logits_of(pixels: tf.Tensor, counter: tf.Tensor) -> tf.Tensor:
            noise = regularizer.noise(Random(seed, "evaluated weights", counter), counter, 1)[0] if noisy else None
            parameters = regularizer.parameters(variables, noise)

            def some(first: tf.Tensor, found: tf.TensorArray):
                x = pixels[first : first + AT_ONCE]
                if not noisy:
                    logits = forward(Regularizer.inputs(regularizer, x, None), parameters)
                else:
                    random = Random(seed, "evaluated inputs", counter * 2**24 + first // AT_ONCE)
                    x = regularizer.inputs(x[None], random)
                    x = regularizer.examples(x, tf.zeros([1, tf.shape(x)[1], classes]), random)[0][0]
                    act = lambda hidden, layer: regularizer.activations(hidden, layer, random)  # noqa: E731
                    logits = forward(x, parameters, act)
                return first + AT_ONCE, found.write(tf.cast(first // AT_ONCE, tf.int32), logits)

            found = tf.TensorArray(tf.float32, 0, dynamic_size=True, infer_shape=False, element_shape=[None, classes])
            begin, end = tf.constant(0, tf.int64), tf.shape(pixels, tf.int64)[0]
            return tf.while_loop(lambda first, _: first < end, some, (begin, found), parallel_iterations=1)[1].concat()

        return logits_of

    def logits(part: str, noisy: bool) -> np.ndarray:
        """Logits [n, classes] of the training, validation or test images after the steps done so far."""
        counter = step * len(parts) + list(parts).index(part)
        return evaluate[noisy](parts[part], tf.constant(counter, tf.int64)).numpy()

    def accuracy(part: str) -> float:
        """The fraction of a part's images that get their class, evaluated as the method says."""
        return float((logits(part, noisy).argmax(1) == data[f"{part}_labels"][: len(parts[part])]).mean())

    parts = {"train": images} | {part: tf.constant(data[f"{part}_images"]) for part in ("validation", "test")}
    noisy = regularizer.noise_in_evaluation
    evaluate = {kind: evaluation(kind) for kind in {noisy, False}}
    order = BatchOrder(seed, len(images), batch_size)

    def run(first: int, end: int) -> tuple[float, float]:
        """Train steps first .. end - 1: the sum of their losses, and the seconds they took."""
        base = first // BLOCK * BLOCK
        count = -(-(end - base) // BLOCK) * BLOCK
        rows = tf.constant(order.steps(base, count).reshape(-1, BLOCK * batch_size))
        rates = adam_rates(recipe["learning_rate"], np.arange(base, base + count)).reshape(-1, BLOCK)
        where = [tf.constant(step, tf.int64) for step in (base, first, end)]
        begun = time.perf_counter()
        total = float(advance(rows, tf.constant(rates), *where))
        return total, time.perf_counter() - begun

    def state() -> dict[str, np.ndarray]:
        """Everything the rest of the run depends on, and what has been measured so far."""
        arrays = {f"variable_{name}": variable.numpy() for name, variable in variables.items()}
        for name, (m, v) in moments.items():
            arrays |= {f"m_{name}": m.numpy(), f"v_{name}": v.numpy()}
        counts = {"step": step, "loss": loss_sum, "seconds": seconds}
        measured = {"paces": np.array(paces), "curve": np.array(curve, np.float64).reshape(-1, 4)}
        return {**arrays, **{name: np.array(value) for name, value in counts.items()}, **measured}

    # Trace and compile outside the measured time: some steps of either kind, undone afterwards.
    run(0, BLOCK + 1)
    for name, value in start.items():
        zero = np.zeros_like(value)
        origin = (value, zero, zero) if saved is None else [saved[f"{kind}_{name}"] for kind in ("variable", "m", "v")]
        for variable, original in zip((variables[name], *moments[name]), origin, strict=True):
            variable.assign(original)
    curve: list[tuple[int, float, float, float]] = []
    step, loss_sum, seconds, paces, status, message = 0, 0.0, 0.0, [], "finished", ""
    if saved is not None:
        step, loss_sum, seconds = int(saved["step"]), float(saved["loss"]), float(saved["seconds"])
        paces = saved["paces"].tolist()
        curve = [(int(at), *values) for at, *values in saved["curve"].tolist()]
    part_steps = max(min(PART, _PART_EXAMPLES // batch_size) // BLOCK, 1) * BLOCK
    for until in evaluation_steps(recipe["steps"], recipe["evaluate_every"])[len(curve) :]:
        while step < until:
            end = min(step // part_steps * part_steps + part_steps, until)
            loss_of_part, spent = run(step, end)
            loss_sum += loss_of_part
            seconds += spent
            if end - step >= BLOCK:
                paces.append(spent / (end - step))
            step = end
            save(state)
        train_loss = loss_sum / (step - (curve[-1][0] if curve else 0))
        loss_sum = 0.0
        shown = accuracy("validation"), accuracy("test")
        curve.append((step, train_loss, *shown))
        report(Progress(step, recipe["steps"], train_loss, *shown, seconds))
        finite = np.isfinite(train_loss) and all(np.isfinite(v.numpy()).all() for v in variables.values())
        if not finite:
            status, message = "diverged", f"the loss or a weight was no longer finite after step {step}"
            break

    evaluated = regularizer.parameters(variables, None)
    arrays = {f"kernel_{layer}": np.asarray(kernel).T.copy() for layer, kernel in enumerate(evaluated.kernels)}
    arrays |= {f"bias_{layer}": np.asarray(bias) for layer, bias in enumerate(evaluated.biases)}
    arrays |= {f"trained_{name}": v.numpy() for name, v in variables.items() if name not in arrays}
    names = ("step", "train_loss", "validation_accuracy", "test_accuracy")
    for name, values in zip(names, zip(*curve, strict=True), strict=True):
        arrays[f"curve_{name}"] = np.array(values, np.int64 if name == "step" else np.float64)
    metrics: dict[str, float | None] = {}
    if status == "finished":
        labels = data["test_labels"]
        probability = tf.nn.softmax(logits("test", noisy)).numpy()
        noise_off = logits("test", False) if noisy else probability
        arrays["test_predicted"] = probability.argmax(1).astype(np.uint8)
        arrays["test_confidence"] = probability.max(1)
        arrays["test_probability"] = probability[np.arange(len(labels)), labels]
        arrays["test_predicted_noise_off"] = noise_off.argmax(1).astype(np.uint8)
        metrics = {
            "train_accuracy": accuracy("train"),
            "validation_accuracy": curve[-1][2],
            "test_accuracy": float((arrays["test_predicted"] == labels).mean()),
            "test_accuracy_noise_off": float((arrays["test_predicted_noise_off"] == labels).mean()),
            "train_loss": curve[-1][1],
        }
    parameters = sum(value.size for value in start.values())
    pace = float(np.median(paces)) * 1e6 if paces else None
    return Result(status, message, arrays, metrics, parameters, step, seconds, pace)
