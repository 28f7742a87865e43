"""Training against the post's recipe, written once more in plain numpy and double precision."""

import functools
import itertools
import re

import numpy as np
import pytest
import tensorflow as tf

from regatlas import course, runs, training
from regatlas.course import best_of, evaluation_steps, mislabelled
from regatlas.losses import LOSSES
from regatlas.networks import initial
from regatlas.optimizers import OPTIMIZERS, learning_rates
from regatlas.randomness import Random, key_of
from regatlas.regularizers.dropout import Dropout
from regatlas.regularizers.gaussian import Gaussian, bump
from regatlas.regularizers.l2 import L2
from regatlas.regularizers.none import NoRegularization
from regatlas.regularizers.weight_norm import WeightNorm
from regatlas.streams import BatchOrder, generator
from regatlas.training import BLOCK, Trainer

PIXELS, CLASSES, BATCH, STEPS = 12, 3, 4, 35
METHODS = {
    "none": (NoRegularization, {}),
    "l2": (L2, {"strength": 0.3}),
    "weight_norm": (WeightNorm, {"radius": 1.0}),
    "gaussian": (Gaussian, {"noise_scale": 0.5}),
    "dropout": (Dropout, {"keep_probability": 0.5, "active_at_test": False}),
    "dropout_at_test": (Dropout, {"keep_probability": 0.5, "active_at_test": True}),
    "dropout_of_nothing": (Dropout, {"keep_probability": 1.0, "active_at_test": False}),
    "l2_of_nothing": (L2, {"strength": 0.0}),
}


def examples(rng, count):
    """Images of three patterns in noise, and which pattern each shows."""
    patterns = np.random.default_rng(99).integers(0, 256, (CLASSES, PIXELS))
    labels = rng.integers(0, CLASSES, count).astype(np.uint8)
    return np.clip(patterns[labels] + rng.normal(0, 60, (count, PIXELS)), 0, 255).astype(np.uint8), labels


def prepared():
    rng = np.random.default_rng(5)
    data = {"image_shape": np.array([3, 4]), "classes": np.array(CLASSES)}
    for part, count in (("train", 50), ("validation", 30), ("test", 60)):
        data[f"{part}_images"], data[f"{part}_labels"] = examples(rng, count)
    worse = [[examples(rng, 20)[0] for _ in range(2)] for _ in range(3)]
    data |= {"corrupted_images": np.array(worse), "corrupted_labels": data["test_labels"][:20]}
    return data


DATA = prepared()


def settings(network=None, **recipe):
    base = {"loss": "squared_error", "optimizer": "adam", "momentum": 0.9, "schedule": "constant"}
    base |= {"learning_rate": 0.01, "batch_size": BATCH, "steps": STEPS, "evaluate_every": 7, "label_noise": 0.0}
    base |= {"permuted_pixels": False}
    return {
        "network": {"hidden": [], "bias": False, "initial_stddev": 0.075} | (network or {}),
        # 42 of the 50 examples: an incomplete last batch, and eight that training must not see
        "training": base | {"train_size": 42} | recipe,
    }


def trainer(name, network=None, data=DATA, **recipe):
    kind, own = METHODS[name]
    return Trainer(settings(network, **recipe), data, kind(**own))


def fresh(name, seed=0, network=None, **recipe):
    return trainer(name, network, **recipe).run(seed)


def drawn(draw, seed, purpose, block):
    """What ``draw`` takes from the random numbers of a block of steps, as the training graph does."""
    compiled = tf.function(lambda key, counter: draw(Random(key, purpose, counter)), jit_compile=True)
    return compiled(tf.constant(key_of(seed)), tf.constant(block, tf.int64)).numpy()


@functools.cache
def trained(name):
    """One run of a method that tests share: read it, never change it."""
    return fresh(name)


def softmax(z):
    e = np.exp(z - z.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


def posts_recipe(name, steps=STEPS, seed=0, learning_rate=0.01):
    """The post's training for one layer without bias: effective weights, their variables, each step's data loss."""
    start = initial(settings()["network"], PIXELS, CLASSES, seed).kernels[0].T.astype(float)
    order = BatchOrder(seed, 42, BATCH).steps(0, steps + BLOCK)
    vector = 0.5 * drawn(lambda random: random.unchanging().normal([start.size]), seed, "training", 0)
    variables = [start, start.copy()] if name == "gaussian" else [start]
    m, v = [np.zeros_like(w) for w in variables], [np.zeros_like(w) for w in variables]
    losses, keep = [], METHODS[name][1].get("keep_probability")

    def weights(x):
        if name == "weight_norm":
            return variables[0] / np.sqrt((variables[0] ** 2).sum())
        if name == "gaussian":
            sigma = np.exp(variables[1])
            z = ((x - variables[0]) / sigma) ** 2
            return np.exp(-z / (2 * sigma**2)) / (np.sqrt(2 * np.pi) * sigma)
        return variables[0]

    for step in range(steps):
        if step % BLOCK == 0 and name.startswith("dropout"):
            draw = functools.partial(Random.keep, shape=[BLOCK, BATCH, PIXELS], probability=keep)
            masks = drawn(draw, seed, "training", step // BLOCK)
        x = DATA["train_images"][order[step]] / 255
        y = np.eye(CLASSES)[DATA["train_labels"][order[step]]]
        if name.startswith("dropout"):
            x = x * masks[step % BLOCK] / keep
        vector = np.concatenate([vector[-2:-1], vector[:-1]])
        noise = vector.reshape(start.shape)
        w = weights(noise)
        p = softmax(x @ w)
        losses.append(((y - p) ** 2).sum() / 2 / (CLASSES * BATCH))
        by_p = (p - y) / (CLASSES * BATCH)
        by_w = x.T @ (p * (by_p - (by_p * p).sum(1, keepdims=True)))
        gradients = [by_w]
        if name == "l2":
            gradients = [by_w + 0.3 * w]
        if name == "weight_norm":
            norm = np.sqrt((variables[0] ** 2).sum())
            gradients = [by_w / norm - variables[0] * (variables[0] * by_w).sum() / norm**3]
        if name == "gaussian":
            distance, sigma = noise - variables[0], np.exp(variables[1])
            gradients = [by_w * w * distance / sigma**4, by_w * w * (2 * distance**2 / sigma**4 - 1)]
        for i, g in enumerate(gradients):
            m[i] = 0.9 * m[i] + 0.1 * g
            v[i] = 0.999 * v[i] + 0.001 * g**2
            rate = learning_rate * np.sqrt(1 - 0.999 ** (step + 1)) / (1 - 0.9 ** (step + 1))
            variables[i] = variables[i] - rate * m[i] / (np.sqrt(v[i]) + 1e-8)
    return weights(np.zeros_like(start)), variables, np.array(losses)


@pytest.mark.parametrize("classes", [4, 40])
@pytest.mark.parametrize("name", ["squared_error", "cross_entropy"])
def test_a_loss_and_its_gradient_by_the_logits(name, classes):
    rng = np.random.default_rng(1)
    logits, y = rng.normal(size=(6, classes)) * 2, np.eye(classes)[rng.integers(0, classes, 6)]

    def value(z):
        if name == "squared_error":
            return ((y - softmax(z)) ** 2).sum() / 2 / y.size
        return -np.log((softmax(z) * y).sum(1)).mean()

    z = tf.constant(logits)
    with tf.GradientTape() as tape:
        tape.watch(z)
        loss = tf.reduce_sum(LOSSES[name](tf.transpose(z), tf.constant(y.T)))
    np.testing.assert_allclose(loss, value(logits), rtol=1e-12)
    slope = np.empty_like(logits)
    for place in np.ndindex(logits.shape):
        change = np.zeros_like(logits)
        change[place] = 1e-6
        slope[place] = (value(logits + change) - value(logits - change)) / 2e-6
    np.testing.assert_allclose(tape.gradient(loss, z), slope, atol=1e-9)


def test_adams_step_sizes_correct_the_bias():
    t = np.arange(1, 200)
    expected = 0.003 * np.sqrt(1 - 0.999**t) / (1 - 0.9**t)
    sizes = OPTIMIZERS["adam"]({}).step_sizes(np.full(199, 0.003), np.arange(199))
    np.testing.assert_allclose(sizes, expected, rtol=1e-6)


def test_momentum_accumulates_gradients_as_written_out():
    sgd = OPTIMIZERS["sgd"]({"momentum": 0.9})
    weights, moments = tf.constant([1.0, -2.0]), [tf.zeros(2)]
    by_hand, velocity = np.array([1.0, -2.0]), np.zeros(2)
    for rate, gradient in [(0.1, [1.0, 2.0]), (0.1, [0.5, -1.0]), (0.01, [3.0, 0.0])]:
        weights, moments = sgd.update(weights, tf.constant(gradient), moments, tf.constant(rate))
        velocity = 0.9 * velocity + gradient
        by_hand = by_hand - rate * velocity
    np.testing.assert_allclose(weights, by_hand, rtol=1e-6)


@pytest.mark.parametrize(("optimizer", "momentum"), [("adam", 0.0), ("sgd", 0.9)])
def test_a_method_is_told_the_momentum_of_sgd_alone(optimizer, momentum):
    assert trainer("none", optimizer=optimizer).regularizer.task.momentum == momentum


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ("constant", [1, 1, 1, 1, 1]),
        ("step", [1, 1, 0.1, 0.01, 0.01]),
        ("cosine", [1, 0.853553, 0.5, 0.146447, 0.0061558]),
    ],
)
def test_learning_rates_follow_their_schedule(schedule, expected):
    rates = learning_rates({"learning_rate": 0.2, "schedule": schedule, "steps": 40}, np.array([0, 10, 20, 30, 38]))
    np.testing.assert_allclose(rates, 0.2 * np.array(expected), rtol=1e-4)


@pytest.mark.parametrize(
    ("steps", "every", "expected"),
    [(35, 7, [1, 7, 14, 21, 28, 35]), (10, 4, [1, 4, 8, 10]), (3, 1000, [1, 3]), (1, 1, [1]), (3, 1, [1, 2, 3])],
)
def test_a_run_is_evaluated_at_the_first_every_so_many_and_the_last_step(steps, every, expected):
    assert evaluation_steps(steps, every) == expected


@pytest.mark.parametrize("name", ["none", "l2", "weight_norm", "gaussian", "dropout"])
def test_training_follows_the_posts_recipe(name):
    assert STEPS % BLOCK
    run = trained(name)
    weights, variables, losses = posts_recipe(name)
    assert (run.status, run.steps_done, run.message) == ("finished", STEPS, "")
    np.testing.assert_allclose(run.arrays["kernel_0"], weights, atol=1e-5)
    if name == "gaussian":
        np.testing.assert_allclose(run.arrays["trained_kernel_0"], variables[0], atol=1e-5)
        np.testing.assert_allclose(run.arrays["trained_log_sigma_0"], variables[1], atol=1e-5)
    means = [part.mean() for part in np.split(losses, run.arrays["curve_step"][:-1])]
    np.testing.assert_allclose(run.arrays["curve_train_loss"], means, atol=1e-6)
    # the recipe has moved the weights far more than the tolerance
    assert np.abs(run.arrays["kernel_0"] - posts_recipe(name, steps=0)[0]).max() > 0.01


@pytest.mark.parametrize("name", ["none", "gaussian", "dropout"])
def test_what_a_run_reports_is_what_its_weights_do(name):
    run = trained(name)
    p = softmax(DATA["test_images"] / 255 @ run.arrays["kernel_0"].astype(float))
    labels = DATA["test_labels"]
    np.testing.assert_array_equal(run.arrays["test_predicted"], p.argmax(1))
    np.testing.assert_array_equal(run.arrays["test_predicted_noise_off"], p.argmax(1))
    np.testing.assert_allclose(run.arrays["test_confidence"], p.max(1), atol=1e-5)
    np.testing.assert_allclose(run.arrays["test_probability"], p[np.arange(60), labels], atol=1e-5)
    accuracy = {"test": (p.argmax(1) == labels).mean()}
    for part, count in (("train", 42), ("validation", 30)):
        logits = DATA[f"{part}_images"][:count] / 255 @ run.arrays["kernel_0"].astype(float)
        accuracy[part] = (logits.argmax(1) == DATA[f"{part}_labels"][:count]).mean()
    for part, expected in accuracy.items():
        assert run.metrics[f"{part}_accuracy"] == pytest.approx(expected, abs=1e-6)
    assert run.metrics["test_accuracy_noise_off"] == run.metrics["test_accuracy"]
    assert run.metrics["train_loss"] == run.arrays["curve_train_loss"][-1]
    assert run.arrays["curve_validation_accuracy"][-1] == pytest.approx(accuracy["validation"], abs=1e-6)
    assert run.arrays["curve_test_accuracy"][-1] == pytest.approx(accuracy["test"], abs=1e-6)
    assert run.arrays["curve_step"].tolist() == [1, 7, 14, 21, 28, 35]
    assert run.parameters == PIXELS * CLASSES * (2 if name == "gaussian" else 1)
    assert run.train_seconds > 0


def test_dropout_left_on_while_testing_changes_the_reported_accuracy_alone():
    off, on = trained("dropout"), trained("dropout_at_test")
    assert on.arrays["kernel_0"].tobytes() == off.arrays["kernel_0"].tobytes()
    np.testing.assert_array_equal(on.arrays["test_predicted_noise_off"], off.arrays["test_predicted"])
    assert on.metrics["test_accuracy_noise_off"] == off.metrics["test_accuracy"]
    assert (on.arrays["test_predicted"] != off.arrays["test_predicted"]).any()
    assert on.metrics["test_accuracy"] == (on.arrays["test_predicted"] == DATA["test_labels"]).mean()
    assert on.arrays["curve_test_accuracy"][-1] == pytest.approx(on.metrics["test_accuracy"], abs=1e-6)


@pytest.mark.parametrize("name", ["gaussian", "dropout_at_test"])
def test_a_seed_gives_the_same_bytes_again(name):
    again = fresh(name)
    for key, array in trained(name).arrays.items():
        assert again.arrays[key].tobytes() == array.tobytes(), key
    assert again.metrics == trained(name).metrics


@pytest.mark.parametrize("name", ["none", "dropout"])
def test_another_seed_gives_other_weights(name):
    other = fresh(name, seed=1)
    assert other.arrays["kernel_0"].tobytes() != trained(name).arrays["kernel_0"].tobytes()


@pytest.mark.parametrize("name", ["dropout_of_nothing", "l2_of_nothing"])
def test_all_methods_share_initial_weights_and_batch_order(name):
    np.testing.assert_array_equal(trained(name).arrays["kernel_0"], trained("none").arrays["kernel_0"])
    np.testing.assert_allclose(
        trained(name).arrays["curve_train_loss"], trained("none").arrays["curve_train_loss"], rtol=1e-6
    )


@pytest.mark.parametrize("name", ["dropout", "gaussian"])
def test_how_often_a_run_is_evaluated_does_not_change_its_weights(name):
    other = fresh(name, evaluate_every=5)
    assert other.arrays["curve_step"].tolist() == [1, 5, 10, 15, 20, 25, 30, 35]
    for key in [key for key in other.arrays if key.startswith(("kernel", "trained", "test"))]:
        assert other.arrays[key].tobytes() == trained(name).arrays[key].tobytes(), key


def test_a_curve_of_two_points_has_the_losses_of_all_steps():
    whole = fresh("dropout", evaluate_every=1000)
    assert whole.arrays["kernel_0"].tobytes() == trained("dropout").arrays["kernel_0"].tobytes()
    assert whole.microseconds_per_step > 0
    losses = posts_recipe("dropout")[2]
    np.testing.assert_allclose(whole.arrays["curve_train_loss"], [losses[0], losses[1:].mean()], atol=1e-6)


@pytest.mark.parametrize("name", ["none", "gaussian", "dropout_at_test"])
def test_seeds_trained_one_after_the_other_have_the_bytes_of_each_alone(name):
    together = trainer(name)
    for seed in (3, 0, 1):
        run, alone = together.run(seed), trained(name) if seed == 0 else fresh(name, seed)
        assert run.arrays.keys() == alone.arrays.keys()
        for array in alone.arrays:
            assert run.arrays[array].tobytes() == alone.arrays[array].tobytes(), array
        assert run.metrics == alone.metrics


def test_the_graph_is_compiled_once_for_all_seeds_and_parts(monkeypatch):
    monkeypatch.setattr(training, "PART", BLOCK)
    one, traced = trainer("dropout_at_test"), []
    hook = one.regularizer.examples
    monkeypatch.setattr(one.regularizer, "examples", lambda *a: (traced.append(1), hook(*a))[1])
    shapes = {}  # a compiled function does not notice others, and computes with those it was traced with

    def watched(name, call):
        def watching(*arguments):
            shapes.setdefault(name, set()).add(tuple(tuple(t.shape) for t in tf.nest.flatten(arguments)))
            return call(*arguments)

        return watching

    one.advance = watched("advance", one.advance)
    one.logits = {noisy: watched(noisy, call) for noisy, call in one.logits.items()}
    one.run(0)
    assert len(traced) == 2  # for training and for evaluation with noise
    one.run(1)
    assert len(traced) == 2
    assert {name: len(those) for name, those in shapes.items()} == {"advance": 1, True: 1, False: 1}


@pytest.mark.parametrize("name", ["none", "dropout"])
def test_evaluation_in_many_pieces_is_that_in_one(name, monkeypatch):
    monkeypatch.setattr(training, "AT_ONCE", 8)
    monkeypatch.setattr(training, "GROUP", 5)
    assert trainer(name).chunks == 4
    whole, pieces = trained(name), fresh(name)  # 90 images: three calls of four pieces, one with validation and test
    for array, expected in whole.arrays.items():
        np.testing.assert_allclose(pieces.arrays[array], expected, rtol=1e-5, atol=1e-6, err_msg=array)
    assert pieces.metrics == pytest.approx(whole.metrics, rel=1e-5)


def test_images_are_changed_in_training_and_in_evaluation_if_the_noise_stays_on():
    class Negative(Dropout):
        def images(self, pixels, noise):
            return 255 - pixels

    negatives = {name: 255 - value if name.endswith("_images") else value for name, value in DATA.items()}
    expected = trainer("none", data=negatives).run(0).arrays
    found = Trainer(settings(), DATA, Negative(keep_probability=1.0, active_at_test=True)).run(0).arrays
    np.testing.assert_array_equal(found["kernel_0"], expected["kernel_0"])
    np.testing.assert_array_equal(found["test_predicted"], expected["test_predicted"])
    assert (found["test_predicted_noise_off"] != found["test_predicted"]).any()


def test_every_piece_of_an_evaluation_has_noise_of_its_own(monkeypatch):
    monkeypatch.setattr(training, "AT_ONCE", 8)
    monkeypatch.setattr(training, "GROUP", 3)
    alike = DATA | {"test_images": np.full_like(DATA["test_images"], 200)}
    confidence = trainer("dropout_at_test", data=alike).run(0).arrays["test_confidence"]
    assert len(np.unique(confidence)) > 40  # of 60; one noise for all pieces leaves 8, one for all calls 24


@pytest.mark.parametrize("name", ["none", "gaussian", "dropout_at_test"])
def test_a_run_goes_on_from_any_saved_state_with_the_same_bytes(name, monkeypatch):
    monkeypatch.setattr(training, "PART", BLOCK)  # also between two evaluations
    states = []
    whole = trainer(name, evaluate_every=25).run(0, save=lambda state: states.append(state()))
    assert [int(state["step"]) for state in states] == [1, 20, 25, 35]
    restarted = trainer(name, evaluate_every=25)
    for state in states:
        continued = restarted.run(0, saved=state)
        assert continued.arrays.keys() == whole.arrays.keys()
        for array in whole.arrays:
            assert continued.arrays[array].tobytes() == whole.arrays[array].tobytes(), array
        assert continued.metrics == whole.metrics
        assert continued.train_seconds > state["seconds"] - 1e-12


def test_long_stretches_are_trained_in_parts_with_the_same_weights(monkeypatch):
    whole = fresh("none", evaluate_every=1000)
    monkeypatch.setattr(training, "PART", BLOCK)
    parts = fresh("none", evaluate_every=1000)
    assert whole.arrays["kernel_0"].tobytes() == parts.arrays["kernel_0"].tobytes()
    losses = (result.arrays["curve_train_loss"] for result in (whole, parts))
    np.testing.assert_allclose(*losses, rtol=1e-6)


def test_examples_beyond_the_training_size_are_not_seen():
    data = DATA | {"train_images": DATA["train_images"].copy(), "train_labels": DATA["train_labels"].copy()}
    data["train_images"][42:] = 0
    data["train_labels"][42:] = 0
    run = trainer("none", data=data).run(0)
    assert run.arrays["kernel_0"].tobytes() == trained("none").arrays["kernel_0"].tobytes()
    assert run.metrics == trained("none").metrics


def test_the_accuracy_on_a_large_training_set_counts_every_example():
    images, labels = examples(np.random.default_rng(8), 5003)
    labels[5000:] = (labels[5000:] + 1) % CLASSES  # the last, small part is wrong more often than the rest
    data = DATA | {"train_images": images, "train_labels": labels}
    run = trainer("none", data=data, train_size=5003).run(0)
    right = ((images / 255 @ run.arrays["kernel_0"].astype(float)).argmax(1) == labels).sum()
    assert run.metrics["train_accuracy"] == pytest.approx(right / 5003, abs=1e-6)


def test_progress_is_reported_after_every_evaluation():
    seen = []
    run = trainer("none", steps=12, evaluate_every=5).run(0, seen.append)
    assert [progress.step for progress in seen] == [1, 5, 10, 12]
    assert {progress.steps for progress in seen} == {12}
    assert [progress.train_loss for progress in seen] == run.arrays["curve_train_loss"].tolist()
    assert [progress.test_accuracy for progress in seen] == run.arrays["curve_test_accuracy"].tolist()
    assert seen[-1].seconds == run.train_seconds
    assert all(a.seconds < b.seconds for a, b in itertools.pairwise(seen))


def test_compiling_is_not_in_the_measured_time(monkeypatch):
    clock, real = [0.0], training._compiled

    def slow_at_first(function):
        compiled, waits = real(function), [1000.0]

        def call(*arguments):
            clock[0] += waits.pop() if waits else 0.001
            return compiled(*arguments)

        return call

    monkeypatch.setattr(training, "_compiled", slow_at_first)
    monkeypatch.setattr(course.time, "perf_counter", lambda: clock[0])
    assert fresh("none").train_seconds < 1


def test_a_huge_learning_rate_diverges_without_an_exception():
    run = fresh("gaussian", learning_rate=1000.0)
    assert run.status == "diverged"
    assert "no longer finite" in run.message
    assert run.metrics == {}
    assert run.steps_done == run.arrays["curve_step"][-1] < STEPS
    assert "test_predicted" not in run.arrays


def test_data_that_is_not_a_number_diverges_at_the_first_evaluation():
    images = DATA["train_images"].astype(np.float32)
    images[:, 0] = np.nan
    run = trainer("none", data=DATA | {"train_images": images}).run(0)
    assert (run.status, run.steps_done) == ("diverged", 1)
    assert "step 1" in run.message
    assert np.isnan(run.arrays["kernel_0"]).any()


@pytest.mark.parametrize("learning_rate", [1e39, 3e38])  # more than float32 has; weights too large for the logits
def test_weights_or_logits_that_are_not_finite_after_the_last_step_diverge(learning_rate):
    """The last step's loss is of the weights before it."""
    with np.errstate(over="ignore"):
        run = fresh("none", steps=1, learning_rate=learning_rate)
    assert run.status == "diverged" and run.metrics == {}


def test_hidden_layers_with_biases_learn():
    run = fresh("l2_of_nothing", network={"hidden": [8, 6], "bias": True}, steps=400, evaluate_every=100)
    assert [run.arrays[f"kernel_{layer}"].shape for layer in range(3)] == [(12, 8), (8, 6), (6, 3)]
    assert [run.arrays[f"bias_{layer}"].shape for layer in range(3)] == [(8,), (6,), (3,)]
    assert all((run.arrays[f"bias_{layer}"] != 0).any() for layer in range(3))
    assert run.parameters == 12 * 8 + 8 + 8 * 6 + 6 + 6 * 3 + 3
    assert run.metrics["test_accuracy"] > 0.8
    x = DATA["test_images"] / 255
    for layer in range(3):
        x = np.maximum(x, 0) if layer else x
        x = x @ run.arrays[f"kernel_{layer}"] + run.arrays[f"bias_{layer}"]
    np.testing.assert_array_equal(run.arrays["test_predicted"], x.argmax(1))


def test_cross_entropy_learns():
    run = fresh("none", loss="cross_entropy", steps=200, evaluate_every=100)
    assert run.metrics["test_accuracy"] > 0.8
    assert run.arrays["curve_train_loss"][-1] < 0.7 * run.arrays["curve_train_loss"][0]
    # the first loss is that of almost equal probabilities, in nats
    assert run.arrays["curve_train_loss"][0] == pytest.approx(np.log(3), abs=0.3)


@pytest.mark.parametrize(
    ("accuracies", "patience", "expected"),
    [
        ([], 2, (-1, False)),
        ([0.5, 0.9, 0.8], None, (2, False)),
        ([0.5, 0.9, 0.8], 2, (1, False)),
        ([0.5, 0.9, 0.8, 0.9], 2, (1, True)),
        ([0.5, 0.9, 0.8, 0.95], 2, (3, False)),
        ([0.9, 0.1], 1, (0, True)),
    ],
)
def test_patience_counts_evaluations_that_are_not_better(accuracies, patience, expected):
    assert best_of(accuracies, patience) == expected


def test_a_run_with_patience_ends_early_and_keeps_its_best_weights():
    recipe = {"steps": 400, "evaluate_every": 4, "learning_rate": 0.3}  # too fast: validation accuracy goes up and down
    patient = trainer("none", **recipe)
    patient.regularizer.patience = 5
    run, states = patient.run(0), []
    best, stop = best_of(run.arrays["curve_validation_accuracy"], 5)
    assert stop and run.steps_done == run.arrays["curve_step"][-1] < 400
    assert len(run.arrays["curve_step"]) - 1 - best == 5
    assert run.metrics["validation_accuracy"] == run.arrays["curve_validation_accuracy"].max()
    assert run.metrics["test_accuracy"] == pytest.approx(run.arrays["curve_test_accuracy"][best])
    assert best < len(run.arrays["curve_step"]) - 1
    assert run.metrics["train_loss"] == run.arrays["curve_train_loss"][best]
    until = fresh("none", **recipe | {"steps": int(run.arrays["curve_step"][best])})
    assert run.arrays["kernel_0"].tobytes() == until.arrays["kernel_0"].tobytes()
    patient.run(0, save=lambda state: states.append(state()))
    for state in states[1::7]:
        continued = patient.run(0, saved=state)
        for array in run.arrays:
            assert continued.arrays[array].tobytes() == run.arrays[array].tobytes(), array


def test_label_noise_replaces_the_share_by_other_classes_and_by_the_seed():
    labels = np.arange(10_000).astype(np.uint8) % 5
    wrong = mislabelled(labels, 0.3, 5, seed=1)
    assert (wrong != labels).sum() == 3000
    assert np.array_equal(np.bincount(wrong, minlength=5) > 1800, [True] * 5) and wrong.max() == 4
    assert np.array_equal(wrong, mislabelled(labels, 0.3, 5, seed=1))
    assert not np.array_equal(wrong, mislabelled(labels, 0.3, 5, seed=2))
    assert np.array_equal(mislabelled(labels, 0.0, 5, seed=1), labels)


def test_training_sees_the_wrong_labels_and_evaluation_the_right_ones():
    recipe = {"steps": 400, "evaluate_every": 400, "loss": "cross_entropy"}
    clean, noisy = fresh("none", **recipe), fresh("none", **recipe, label_noise=0.5)
    assert noisy.metrics["test_accuracy"] < clean.metrics["test_accuracy"]
    by_hand = mislabelled(DATA["train_labels"][:42], 0.5, CLASSES, 0)
    data = DATA | {"train_labels": np.concatenate([by_hand, DATA["train_labels"][42:]])}
    same = trainer("none", data=data, **recipe).run(0)
    assert same.arrays["kernel_0"].tobytes() == noisy.arrays["kernel_0"].tobytes()
    assert same.metrics == noisy.metrics


def test_permuted_pixels_train_the_same_network_on_pixels_in_another_order():
    """By hand: the images permuted before, the same start, and the kernel put back in place after."""
    order = generator(0, "permuted pixels").permutation(PIXELS)
    moved = {name: value[..., order] if name.endswith("_images") else value for name, value in DATA.items()}
    expected, found = trainer("l2", data=moved).run(3), trainer("l2", permuted_pixels=True).run(3)
    kernel = np.empty_like(expected.arrays["kernel_0"])
    kernel[order] = expected.arrays["kernel_0"]
    np.testing.assert_array_equal(found.arrays["kernel_0"], kernel)
    np.testing.assert_array_equal(found.arrays["test_predicted"], expected.arrays["test_predicted"])
    np.testing.assert_array_equal(found.arrays["corrupted_accuracy"], expected.arrays["corrupted_accuracy"])
    assert not np.array_equal(kernel, fresh("l2", 3).arrays["kernel_0"])


def test_all_that_a_method_trains_for_each_pixel_is_put_back_in_place():
    """The kernel that is evaluated is the bump of the variables that are kept, pixel by pixel."""
    arrays = trainer("gaussian", {"hidden": [PIXELS, 5], "bias": True}, permuted_pixels=True).run(3).arrays
    mu, log_sigma = arrays["trained_kernel_0"], arrays["trained_log_sigma_0"]
    np.testing.assert_allclose(bump(0.0, mu, log_sigma), arrays["kernel_0"], rtol=1e-5)


@pytest.mark.parametrize("rate", [0.01, 1e30])
def test_a_runs_arrays_and_metrics_are_those_that_are_documented(rate):
    run = fresh("gaussian", network={"hidden": [5], "bias": True}, learning_rate=rate)
    arrays, _, metrics = runs.__doc__.partition("``metadata`` is")
    arrays, metrics = (set(re.findall(r"``([a-z_<>]+)``", text)) for text in (arrays, metrics.partition(";")[0]))
    found = {re.sub("trained_.*", "trained_<name>", re.sub(r"_[01]$", "_<l>", name)) for name in run.arrays}
    assert run.status == ("finished" if rate < 1 else "diverged")
    of_finished = {name for name in arrays if name.startswith(("test_", "corrupted_"))}
    assert found == arrays - {"metadata"} - (of_finished if run.status == "diverged" else set())
    named = metrics - {"arrays", "settings", "digest", "seed", "status", "message", "metrics"}
    assert set(run.metrics) == (named if run.status == "finished" else set())


def test_corrupted_images_and_brier_score_by_hand():
    run = trained("l2")
    p = softmax(DATA["test_images"] / 255 @ run.arrays["kernel_0"].astype(float))
    expected = ((p - np.eye(CLASSES)[DATA["test_labels"]]) ** 2).sum(1).mean()
    assert run.metrics["test_brier"] == pytest.approx(expected, rel=1e-5)
    predicted = (DATA["corrupted_images"] / 255 @ run.arrays["kernel_0"].astype(float)).argmax(-1)
    found = run.arrays["corrupted_accuracy"]
    assert found.shape == (3, 2) and len(np.unique(found)) > 1
    np.testing.assert_array_equal(found, (predicted == DATA["corrupted_labels"]).mean(-1))
