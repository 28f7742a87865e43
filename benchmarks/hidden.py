"""A step of a network with hidden layers: by the engine, and its matrix products alone in a bare TensorFlow loop."""

import functools
import itertools
import time

from benchmarks import timing, workload
from benchmarks.timing import Timed

WIDTHS, BATCH_SIZE = [400, 400], 128
NAMES = {
    "engine": "Regularization Atlas",
    "graph": "its eight products alone, TensorFlow's own kernels",
    "compiled": "its eight products alone, XLA",
}


def fewer(steps: int) -> int:
    """How many steps to time where the peers take ``steps``: each takes a hundred times as long."""
    return max(steps // 10, 1)


def compare(steps: int, rounds: int) -> list[Timed]:
    """Time the engine and the products that no step can do without: forward, back, and the weights' gradients."""
    contenders = {"engine": functools.partial(_engine, steps)}
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


def _products(steps: int, compiled: bool) -> tuple[float, None]:
    import tensorflow as tf

    widths = [784, *WIDTHS, 10]
    weights = [tf.random.normal(shape, stddev=0.05) for shape in itertools.pairwise(widths)]

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
        begin = (number, tf.random.stateless_uniform([BATCH_SIZE, widths[0]], [0, 0]), *map(tf.zeros_like, weights))
        return tf.while_loop(lambda number, *_: number < count, step, begin)[1:]

    loop(tf.constant(0), tf.constant(1))
    begun = time.perf_counter()
    loop(tf.constant(0), tf.constant(steps))[-1].numpy()
    return time.perf_counter() - begun, None
