"""A step of a network with hidden layers: by the engine, in a bare TensorFlow loop, and its matrix products alone."""

import functools
import itertools
import time

from benchmarks import timing, workload
from benchmarks.timing import Timed
from benchmarks.workload import BETA_1, BETA_2, EPSILON

WIDTHS, BATCH_SIZE = [400, 400], 128
LAYERS = [784, *WIDTHS, 10]
NAMES = {
    "engine": "Regularization Atlas",
    "bare": "the same step in plain TensorFlow, with its fused Adam",
    "graph": "its eight products alone, TensorFlow's own kernels",
    "compiled": "its eight products alone, XLA",
}


def fewer(steps: int) -> int:
    """How many steps to time where the peers take ``steps``: each takes a hundred times as long."""
    return max(steps // 10, 1)


def compare(steps: int, rounds: int) -> list[Timed]:
    """Time the engine, a bare step, and the products that no step can do without: forward, back, for the gradients."""
    contenders = {"engine": functools.partial(_engine, steps), "bare": functools.partial(_bare, steps)}
    contenders |= {name: functools.partial(_products, steps, name == "compiled") for name in ("graph", "compiled")}
    results = {name: Timed(name) for name in contenders}
    timing.in_turn(contenders, results, steps, rounds)
    return list(results.values())


def _engine(steps: int) -> tuple[float, None]:
    from regatlas.regularizers.none import NoRegularization
    from regatlas.training import Trainer

    settings, data = workload.methods(steps)["none"].settings, workload.read()
    recipe = {**settings["training"], "batch_size": BATCH_SIZE, "train_size": len(data["train_images"])}
    network = {**settings["network"], "hidden": WIDTHS}
    trainer = Trainer({"network": network, "training": recipe}, data, NoRegularization())
    return trainer.run(workload.SEED).train_seconds, None


def _bare(steps: int) -> tuple[float, None]:
    """A step as one would write it by hand, in a loop that TensorFlow runs operation by operation."""
    import tensorflow as tf

    data, rate = workload.read(), workload.methods(steps)["none"].settings["training"]["learning_rate"]
    images, labels = (
        tf.constant(data["train_images"].reshape(-1, LAYERS[0])),
        tf.constant(data["train_labels"], tf.int32),
    )
    order = tf.random.stateless_uniform([steps, BATCH_SIZE], [0, 0], 0, len(images), tf.int32)
    weights = [tf.Variable(tf.random.normal(shape, stddev=0.05)) for shape in itertools.pairwise(LAYERS)]
    moments = [[tf.Variable(tf.zeros_like(weight)) for weight in weights] for _ in range(2)]

    def step(number: tf.Tensor) -> tuple[tf.Tensor]:
        x = tf.cast(tf.gather(images, order[number]), tf.float32) * (1 / 255)
        y = tf.one_hot(tf.gather(labels, order[number]), LAYERS[-1])
        with tf.GradientTape() as tape:
            for weight in weights[:-1]:
                x = tf.nn.relu(x @ weight)
            loss = tf.reduce_mean(tf.square(tf.nn.softmax(x @ weights[-1]) - y)) / 2
        powers = [tf.pow(beta, tf.cast(number + 1, tf.float32)) for beta in (BETA_1, BETA_2)]
        updated = [
            tf.raw_ops.ResourceApplyAdam(
                var=weight.handle, m=m.handle, v=v.handle, beta1_power=powers[0], beta2_power=powers[1],
                lr=rate, beta1=BETA_1, beta2=BETA_2, epsilon=EPSILON, grad=gradient,
            )
            for weight, m, v, gradient in zip(weights, *moments, tape.gradient(loss, weights), strict=True)
        ]  # fmt: skip
        with tf.control_dependencies(updated):
            return (number + 1,)

    @tf.function(autograph=False)
    def loop(count: tf.Tensor) -> tf.Tensor:
        return tf.while_loop(lambda number: number < count, step, [tf.constant(0)])[0]

    loop(tf.constant(1))
    begun = time.perf_counter()
    loop(tf.constant(steps)).numpy()
    return time.perf_counter() - begun, None


def _products(steps: int, compiled: bool) -> tuple[float, None]:
    import tensorflow as tf

    weights = [tf.random.normal(shape, stddev=0.05) for shape in itertools.pairwise(LAYERS)]

    def step(number: tf.Tensor, x: tf.Tensor, *gradients: tf.Tensor):
        seen = [x]
        for weight in weights:
            seen.append(tf.matmul(seen[-1], weight))
        back, gradients = seen.pop(), []
        for weight in reversed(weights):
            gradients.append(tf.matmul(seen.pop(), back, transpose_a=True))
            if seen:
                back = tf.matmul(back, weight, transpose_b=True)
        # the next step depends on this one, so that none is left out
        return number + 1, x * (1 + 1e-30 * gradients[-1][0, 0]), *reversed(gradients)

    @tf.function(autograph=False, jit_compile=compiled)
    def loop(number: tf.Tensor, count: tf.Tensor):
        begin = (number, tf.random.stateless_uniform([BATCH_SIZE, LAYERS[0]], [0, 0]), *map(tf.zeros_like, weights))
        return tf.while_loop(lambda number, *_: number < count, step, begin)[1:]

    loop(tf.constant(0), tf.constant(1))
    begun = time.perf_counter()
    loop(tf.constant(0), tf.constant(steps))[-1].numpy()
    return time.perf_counter() - begun, None
