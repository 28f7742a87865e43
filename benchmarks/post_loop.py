"""The post's own way of training - one session call a step, fed with numpy batches - timed beside the engine.

    python benchmarks/post_loop.py [--steps 5000] [--rounds 5]

Both train the post's `none` (784 -> 10, batch 32, Adam) on one thread and on the same MNIST; rounds alternate, so that
whatever else the machine does falls on both. Prints microseconds a step (median, range) and the ratio. With --methods
every method of the default study is timed against `none` instead.
"""

import argparse
import os
import statistics
import sys
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "scripts"))

import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402
import yaml  # noqa: E402

from regatlas import registry, study  # noqa: E402
from regatlas.files import read_npz  # noqa: E402
from regatlas.training import train  # noqa: E402


def post_loop(data: dict, steps: int) -> float:
    """Seconds a step of the post's loop; TensorFlow 1's session and its unfused Adam formula as a graph."""
    v1 = tf.compat.v1
    with tf.Graph().as_default():
        x = v1.placeholder(tf.float32, [None, 784])
        y = v1.placeholder(tf.float32, [None, 10])
        weights = v1.get_variable("W", [784, 10], initializer=v1.truncated_normal_initializer(stddev=0.075, seed=1234))
        output = tf.nn.softmax(tf.matmul(x, weights))
        loss = tf.nn.l2_loss(y - output) / (10 * 32)
        update = v1.train.AdamOptimizer(1e-4).minimize(loss)
        images = data["train_images"].astype(np.float32) / 255  # as the tutorial's loader held them
        labels = np.eye(10, dtype=np.float32)[data["train_labels"]]
        options = v1.ConfigProto(intra_op_parallelism_threads=1, inter_op_parallelism_threads=1)
        with v1.Session(config=options) as session:
            session.run(v1.global_variables_initializer())
            order = np.random.default_rng(0).permutation(len(images))
            batches = [order[begin : begin + 32] for begin in range(0, len(order) - 31, 32)]
            for step in range(-50, steps):
                if step == 0:
                    begun = time.perf_counter()
                rows = batches[step % len(batches)]
                session.run([update, loss], {x: images[rows], y: labels[rows]})
            return (time.perf_counter() - begun) / steps


def engine(data: dict, method: study.Method, steps: int) -> float:
    """Seconds a step of this project's engine."""
    settings = {**method.settings, "training": {**method.settings["training"], "steps": steps, "evaluate_every": steps}}
    regularizer = registry.load(method.declaration.path, method.declaration.class_name)
    result = train(settings, data, 0, regularizer(**method.settings["regularizer"]["settings"]))
    return result.train_seconds / result.steps_done


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=5000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--methods", action="store_true", help="time every method against none, not the post's loop")
    options = parser.parse_args()
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    data = read_npz(ROOT / "results/data/mnist/prepared.npz")
    methods = study.resolve(yaml.safe_load((ROOT / "config/config.yaml").read_text())).methods
    contenders = {method.id: lambda method=method: engine(data, method, options.steps) for method in methods}
    if not options.methods:
        contenders = {"none": contenders["none"], "post's loop": lambda: post_loop(data, options.steps)}
    times = {name: [] for name in contenders}
    for _ in range(options.rounds):
        for name, contender in contenders.items():
            times[name].append(contender() * 1e6)
    for name, values in times.items():
        ratios = [value / base for value, base in zip(values, times["none"], strict=True)]
        print(
            f"{name:12} {statistics.median(values):7.1f} us a step ({min(values):.1f} .. {max(values):.1f}), "
            f"{statistics.median(ratios):5.2f} times none ({min(ratios):.2f} .. {max(ratios):.2f})"
        )


if __name__ == "__main__":
    main()
