"""Averages of iterates, the sharpness-aware gradient, early stopping."""

import numpy as np
import pytest
import tensorflow as tf
from test_regularizers import differences, told
from test_training import BATCH, CLASSES, DATA, PIXELS, settings, softmax

from regatlas.networks import initial
from regatlas.regularizers.early_stopping import EarlyStopping
from regatlas.regularizers.ema import EMA
from regatlas.regularizers.sam import SAM
from regatlas.regularizers.swa import SWA
from regatlas.streams import BatchOrder
from regatlas.training import Trainer

STEPS = 50  # those that ``told`` tells of


def iterates(rng):
    """Variables before training and after each step."""
    shapes = {"kernel_0": (3, 5), "bias_0": (3,)}
    walk = {name: np.cumsum(rng.normal(size=(STEPS + 1, *shape)), 0) for name, shape in shapes.items()}
    return [{name: values[step].astype(np.float32) for name, values in walk.items()} for step in range(STEPS + 1)]


def followed(method, walk, steps=STEPS):
    """What is evaluated after so many steps."""
    buffers = {name: tf.constant(value) for name, value in method.buffers(walk[0]).items()}
    for step in range(steps):
        buffers = method.after_step(buffers, walk[step + 1], tf.constant(step, tf.int64))
    return method.evaluated(walk[steps], buffers)


def exponential(values, decay):
    """The mean by its definition: from 1 / t on, no weight is smaller than 1 - decay."""
    mean = np.zeros_like(values[0])
    for t, value in enumerate(values, 1):
        kept = min(decay, 1 - 1 / t)
        mean = kept * mean + (1 - kept) * value
    return mean


@pytest.mark.parametrize("decay", [0.0, 0.5, 0.9, 0.99])
def test_ema_is_the_mean_by_its_recursion(decay):
    walk = iterates(np.random.default_rng(1))
    found = followed(told(EMA(decay=decay)), walk)
    assert set(found) == set(walk[0])
    for name, value in found.items():
        np.testing.assert_allclose(value, exponential([one[name] for one in walk[1:]], decay), atol=1e-4)
    if decay == 0.99:  # fewer iterates than 1 / (1 - decay): a plain mean
        np.testing.assert_allclose(found["bias_0"], np.mean([one["bias_0"] for one in walk[1:]], 0), atol=1e-4)
    if decay == 0:
        np.testing.assert_allclose(found["kernel_0"], walk[-1]["kernel_0"], atol=1e-5)


@pytest.mark.parametrize(
    ("begin", "every", "counted"),
    [
        (0.75, 4, [38, 42, 46, 50]),
        (0.76, 4, [38, 42, 46, 50]),
        (0.77, 4, [42, 46, 50]),
        (0.0, 1, range(1, 51)),
        (1.0, 7, [50]),
        (0.5, 100, [50]),
    ],
)
def test_swa_is_the_plain_mean_of_the_iterates_that_count(begin, every, counted):
    walk = iterates(np.random.default_rng(2))
    found = followed(told(SWA(begin=begin, every=every)), walk)
    assert set(found) == set(walk[0])
    for name, value in found.items():
        np.testing.assert_allclose(value, np.mean([walk[t][name] for t in counted], 0), atol=1e-4)


def test_swa_evaluates_the_weights_themselves_before_it_averages():
    walk, method = iterates(np.random.default_rng(2)), told(SWA(begin=0.75, every=4))
    for steps, expected in ((37, walk[37]), (38, walk[38]), (41, walk[38])):
        np.testing.assert_allclose(followed(method, walk, steps)["kernel_0"], expected["kernel_0"], atol=1e-5)


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        (EMA(decay=0.9), lambda seen: exponential(seen, 0.9)),
        (SWA(begin=0.5, every=5), lambda seen: np.mean([seen[t - 1] for t in (20, 25, 30, 35)], 0)),
    ],
)
def test_a_run_keeps_and_evaluates_the_mean_of_its_iterates(method, expected):
    states = []
    trainer = Trainer(settings(evaluate_every=1), DATA, method)
    run = trainer.run(0, save=lambda state: states.append(state()))
    leaves = len(tf.nest.flatten(trainer.start(0)))
    states = [tf.nest.pack_sequence_as(trainer.start(0), [s[f"state_{i}"] for i in range(leaves)]) for s in states]
    assert len(states) == 35
    mean = expected([state["variables"]["kernel_0"] for state in states]).T
    np.testing.assert_allclose(run.arrays["kernel_0"], mean, atol=1e-6)
    assert np.abs(run.arrays["kernel_0"] - states[-1]["variables"]["kernel_0"].T).max() > 1e-3
    np.testing.assert_array_equal(run.arrays["test_predicted"], (DATA["test_images"] / 255 @ mean).argmax(1))


def test_sam_takes_the_gradient_at_the_radius_in_the_gradients_direction():
    rng = np.random.default_rng(3)
    variables = {"kernel_0": rng.normal(size=(3, 4)), "bias_0": rng.normal(size=3)}
    curvature = {name: rng.uniform(1, 3, value.shape) for name, value in variables.items()}
    asked = []

    def compute(at):
        asked.append({name: np.asarray(value) for name, value in at.items()})
        return {name: tf.constant(curvature[name] * np.asarray(value)) for name, value in at.items()}

    found = SAM(rho=0.3).gradients(compute, {name: tf.constant(value) for name, value in variables.items()}, None)
    here = {name: curvature[name] * value for name, value in variables.items()}
    norm = np.sqrt(sum((g**2).sum() for g in here.values()))
    for name, value in variables.items():
        np.testing.assert_allclose(asked[0][name], value)
        np.testing.assert_allclose(found[name], curvature[name] * (value + 0.3 * here[name] / norm), rtol=1e-12)
    assert np.sqrt(sum(((asked[1][n] - asked[0][n]) ** 2).sum() for n in variables)) == pytest.approx(0.3)


def test_sam_of_radius_0_takes_one_gradient_and_one_of_length_0_does_no_harm():
    asked = []
    variables = {"kernel_0": tf.ones([2, 2])}
    assert SAM(rho=0.0).gradients(lambda at: (asked.append(at), at)[1], variables, None) is variables
    assert asked == [variables]
    flat = SAM(rho=0.1).gradients(lambda at: {"kernel_0": 0 * at["kernel_0"]}, variables, None)
    np.testing.assert_array_equal(flat["kernel_0"], np.zeros((2, 2)))


def written_loss(kernel, step=0):
    """Cross-entropy of the first batch in double precision; kernel [in, out]."""
    rows = BatchOrder(0, 42, BATCH).steps(step, 1)[0]
    x, y = DATA["train_images"][rows] / 255, np.eye(CLASSES)[DATA["train_labels"][rows]]
    return -np.log((softmax(x @ kernel) * y).sum(1)).mean()


def test_a_step_of_sam_is_a_step_along_the_gradient_there():
    recipe = {"loss": "cross_entropy", "optimizer": "sgd", "momentum": 0.0, "learning_rate": 0.5, "steps": 1}
    run = Trainer(settings(**recipe), DATA, SAM(rho=0.5)).run(0)
    start = initial(settings()["network"], PIXELS, CLASSES, 0).kernels[0].T.astype(float)
    gradient = differences(written_loss, start)
    there = differences(written_loss, start + 0.5 * gradient / np.sqrt((gradient**2).sum()))
    np.testing.assert_allclose(run.arrays["kernel_0"], start - 0.5 * there, atol=1e-5)
    assert np.abs(there - gradient).max() > 1e-3
    assert run.arrays["curve_train_loss"][0] == pytest.approx(written_loss(start), abs=1e-5)


def test_early_stopping_tells_the_engine_its_patience():
    assert EarlyStopping(patience=3).patience == 3
    assert SAM(rho=0.1).patience is None
