"""Losses that need the inputs: against the derivatives of one softmax layer, written out."""

import numpy as np
import pytest
import tensorflow as tf
from test_averages import written_loss
from test_regularizers import differences
from test_training import BATCH, CLASSES, DATA, PIXELS, settings, softmax

from regatlas.losses import LOSSES
from regatlas.networks import initial
from regatlas.regularizers.adversarial import Adversarial
from regatlas.regularizers.base import Regularizer
from regatlas.regularizers.input_gradient import InputGradient
from regatlas.streams import BatchOrder
from regatlas.training import Trainer

METHODS = {
    "input_gradient": (InputGradient, {"strength": 3.0}),
    "adversarial": (Adversarial, {"epsilon": 0.2, "clean_share": 0.3}),
}


def objective(name, kernel, x, y):
    """What is minimized for weights [in, out], inputs and targets: numpy, double precision."""

    def loss(x):
        return -np.log((softmax(x @ kernel) * y).sum(1)).mean()

    by_x = (softmax(x @ kernel) - y) @ kernel.T  # of each example's own loss
    if name == "input_gradient":
        return loss(x) + 3.0 / 2 * (by_x**2).sum(1).mean()
    return 0.3 * loss(x) + 0.7 * loss(x + 0.2 * np.sign(by_x))


@pytest.mark.parametrize("name", METHODS)
def test_what_is_minimized_is_as_written(name):
    rng = np.random.default_rng(4)
    x, kernel, y = rng.uniform(size=(8, 6)), rng.normal(size=(6, 4)), np.eye(4)[rng.integers(0, 4, 8)]
    kind, own = METHODS[name]

    def compute(at):
        logits = tf.matmul(kernel, at, transpose_a=True, transpose_b=True)
        return tf.reduce_sum(LOSSES["cross_entropy"](logits, tf.constant(y.T)))

    found = kind(**own).loss(compute, tf.constant(x), {}, None)
    np.testing.assert_allclose(found, objective(name, kernel, x, y), rtol=1e-10)
    assert abs(float(found) - float(compute(tf.constant(x)))) > 0.01


@pytest.mark.parametrize(
    "method", [Regularizer(), InputGradient(strength=0.0), Adversarial(epsilon=0.0, clean_share=0.5)]
)
def test_at_strength_0_the_loss_is_the_datas_and_computed_once(method):
    asked = []
    x = tf.ones([2, 3])
    found = method.loss(lambda at: (asked.append(at), tf.reduce_sum(at**2))[1], x, {}, None)
    assert len(asked) == 1 and asked[0] is x
    assert float(found) == 6


@pytest.mark.parametrize("name", METHODS)
def test_a_step_is_along_the_gradient_and_reports_the_datas_loss(name):
    kind, own = METHODS[name]
    recipe = {"loss": "cross_entropy", "optimizer": "sgd", "momentum": 0.0, "learning_rate": 0.5, "steps": 1}
    run = Trainer(settings(**recipe), DATA, kind(**own)).run(0)
    start = initial(settings()["network"], PIXELS, CLASSES, 0).kernels[0].T.astype(float)
    rows = BatchOrder(0, 42, BATCH).steps(0, 1)[0]
    x, y = DATA["train_images"][rows] / 255, np.eye(CLASSES)[DATA["train_labels"][rows]]
    step = 0.5 * differences(lambda kernel: objective(name, kernel, x, y), start)
    np.testing.assert_allclose(run.arrays["kernel_0"], start - step, atol=1e-5)
    assert np.abs(step - 0.5 * differences(written_loss, start)).max() > 1e-3
    assert run.arrays["curve_train_loss"][0] == pytest.approx(written_loss(start), abs=1e-5)
