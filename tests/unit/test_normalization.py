"""Normalized layers, targets and gradients against numpy, and what batch normalization carries along."""

import re

import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose, assert_array_equal

from regatlas import registry
from regatlas.errors import UserError
from regatlas.randomness import Random, key_of
from regatlas.regularizers.base import Task, Unsuitable
from regatlas.regularizers.batch_norm import EPSILON, BatchNorm
from regatlas.regularizers.gradient_clipping import GradientClipping
from regatlas.regularizers.gradient_noise import GradientNoise
from regatlas.regularizers.label_smoothing import LabelSmoothing
from regatlas.regularizers.layer_norm import LayerNorm
from regatlas.study import resolve

SHAPES = ((5, 7), (4, 5), (3, 4))


def told(regularizer, batch=6):
    regularizer.task = Task(SHAPES, (1, 7), 3, 100, batch, 50)
    return regularizer


def normalized(h, scale, shift, axis):
    centred = h - h.mean(axis, keepdims=True)
    return scale * centred / np.sqrt((centred**2).mean(axis, keepdims=True) + EPSILON) + shift


def scaled(rng):
    """Scales and shifts of the two hidden layers."""
    named = {f"scale_{layer}": rng.normal(size=units) for layer, (units, _) in enumerate(SHAPES[:-1])}
    return named | {f"shift_{layer}": rng.normal(size=units) for layer, (units, _) in enumerate(SHAPES[:-1])}


@pytest.mark.parametrize(("kind", "axis"), [(BatchNorm, 0), (LayerNorm, 1)])
def test_hidden_sums_are_normalized_scaled_and_shifted(kind, axis):
    rng = np.random.default_rng(0)
    variables, method = scaled(rng), told(kind())
    for layer, (units, _) in enumerate(SHAPES[:-1]):
        h, upstream = rng.normal(2, 3, (6, units)), rng.normal(size=(6, units))
        scale, shift = variables[f"scale_{layer}"], variables[f"shift_{layer}"]
        given = tf.constant(h)
        with tf.GradientTape() as tape:
            tape.watch(given)
            seen = method.preactivations(given, layer, variables, None)
        assert_allclose(seen, normalized(h, scale, shift, axis), rtol=1e-6)
        found = tape.gradient(seen, given, output_gradients=tf.constant(upstream)).numpy()
        for place in [(0, 0), (3, 2), (5, 3)]:
            change = np.zeros_like(h)
            change[place] = 1e-6
            up, down = (upstream * normalized(h + s * change, scale, shift, axis) for s in (1, -1))
            assert_allclose(found[place], (up - down).sum() / 2e-6, atol=1e-6)


@pytest.mark.parametrize("kind", [BatchNorm, LayerNorm])
def test_scales_start_at_one_and_shifts_at_zero_for_hidden_layers_only(kind):
    variables = told(kind()).variables({"kernel_0": np.ones((5, 7), np.float32)})
    assert {name: value.tolist() for name, value in variables.items() if name != "kernel_0"} == {
        "scale_0": [1] * 5, "scale_1": [1] * 4, "shift_0": [0] * 5, "shift_1": [0] * 4
    }  # fmt: skip
    assert {value.dtype for value in variables.values()} == {np.dtype(np.float32)}


def test_batch_norms_running_statistics_are_a_mean_first_and_fade_later():
    rng, method = np.random.default_rng(1), told(BatchNorm(momentum=0.75))
    variables = {name: value.astype(np.float32) for name, value in scaled(rng).items()}
    buffers = method.buffers({})
    batches = [[rng.normal(1, 2, (6, units)).astype(np.float32) for units, _ in SHAPES[:-1]] for _ in range(8)]
    by_hand = None
    for step, batch in enumerate(batches):
        for layer, h in enumerate(batch):
            method.preactivations(tf.constant(h), layer, variables, None)
        buffers = method.after_step(buffers, variables, tf.constant(step, tf.int64))
        seen = {f"running_mean_{layer}": h.mean(0) for layer, h in enumerate(batch)}
        seen |= {f"running_variance_{layer}": h.var(0, ddof=1) for layer, h in enumerate(batch)}
        new = max(1 / (step + 1), 0.25)
        by_hand = {n: new * v + (1 - new) * (by_hand[n] if by_hand else 0) for n, v in seen.items()}
        if step == 3:  # so far nothing has faded
            assert_allclose(buffers["running_mean_1"], np.mean([h[1].mean(0) for h in batches[:4]], 0), rtol=1e-5)
    for name, value in by_hand.items():
        assert_allclose(buffers[name], value, rtol=1e-5)
    h = batches[0][1]
    expected = variables["scale_1"] * (h - by_hand["running_mean_1"]) / np.sqrt(by_hand["running_variance_1"] + EPSILON)
    assert_allclose(
        method.preactivations(tf.constant(h), 1, variables, buffers),
        expected + variables["shift_1"],
        rtol=1e-4,
        atol=1e-5,
    )
    kept = method.evaluated(variables, buffers)
    assert kept.keys() == {*variables, *buffers}
    assert all(kept[name] is buffers[name] for name in buffers)


def test_batch_norms_running_statistics_are_those_of_a_steps_first_forward_pass():
    """A second pass of a step is one at moved inputs or weights, as ``adversarial`` and ``sam`` make it."""
    rng, method = np.random.default_rng(2), told(BatchNorm(momentum=0.5))
    variables = {name: value.astype(np.float32) for name, value in scaled(rng).items()}
    buffers, means = method.buffers({}), []
    for step in range(2):
        first, second = (rng.normal(size=(6, SHAPES[0][0])).astype(np.float32) for _ in range(2))
        for h in (first, second):
            method.preactivations(tf.constant(h), 0, variables, None)
        buffers = method.after_step(buffers, variables, tf.constant(step, tf.int64))
        means.append(first.mean(0))
    assert_allclose(buffers["running_mean_0"], np.mean(means, 0), rtol=1e-5)


def test_batch_norm_refuses_batches_of_one():
    with pytest.raises(Unsuitable, match="batch_size: found 1; a variance needs two examples"):
        told(BatchNorm(), batch=1).variables({})


@pytest.mark.parametrize("name", ["batch_norm", "layer_norm"])
def test_a_network_without_hidden_layers_is_refused_while_planning(name):
    config = {"study": "x", "methods": {"none": {"regularizer": "none"}, "mine": {"regularizer": name}}}
    config |= {"compare": ["none", "mine"], "dataset": {"name": "mnist"}}
    expected = f"methods.mine.regularizer: '{name}' acts on hidden layers, and network.hidden is []"
    with pytest.raises(UserError, match=re.escape(expected)):
        resolve(config)
    study = resolve(config | {"network": {"hidden": [20]}})
    assert ["needs_hidden" in method.declaration.needs for method in study.methods] == [False, True]


@pytest.mark.parametrize("name", ["norm_constraint", "spectral_norm", "weight_norm", "weight_normalization"])
def test_a_start_without_direction_is_refused_while_planning(name):
    config = {"study": "x", "methods": {"none": {"regularizer": "none"}, "mine": {"regularizer": name}}}
    config |= {"compare": ["none", "mine"], "dataset": {"name": "mnist"}, "network": {"initial_stddev": 0}}
    with pytest.raises(UserError, match=f"methods.mine: found initial_stddev 0 in the network; {name} needs more"):
        resolve(config)
    config["methods"]["mine"]["network"] = {"initial_stddev": 0.1}
    assert resolve(config).methods[0].settings["network"]["initial_stddev"] == 0


@pytest.mark.parametrize("key", registry.NEEDS)
def test_what_is_needed_is_true_or_false(tmp_path, key):
    path = tmp_path / "mine.py"
    path.write_text(f"class A(Regularizer):\n    title = 'A'\n    {key} = 'yes'")
    with pytest.raises(UserError, match=f"mine.py, line 3: {key} must be True or False"):
        registry.declaration("mine", path)


@pytest.mark.parametrize("amount", [0.0, 0.2])
def test_label_smoothing_mixes_targets_with_the_uniform_distribution(amount):
    y = np.eye(3, dtype=np.float32)[[0, 2, 1, 1]]
    x, found = told(LabelSmoothing(amount=amount)).examples("x", tf.constant(y), None)
    assert x == "x"
    assert_allclose(found, (1 - amount) * y + amount * np.full((4, 3), 1 / 3), rtol=1e-6)
    assert_allclose(tf.reduce_sum(found, 1), np.ones(4), rtol=1e-6)


@pytest.mark.parametrize("limit", [0.5, 1e3])
def test_gradient_clipping_shortens_all_gradients_together(limit):
    rng = np.random.default_rng(2)
    arrays = {"kernel_0": rng.normal(size=(5, 7)), "bias_0": rng.normal(size=5), "gain_0": rng.normal(size=5)}
    found = GradientClipping(limit=limit).gradients(
        lambda at: {name: tf.constant(value) for name, value in at.items()}, arrays, None
    )
    norm = np.sqrt(sum((value**2).sum() for value in arrays.values()))
    assert 0.5 < norm < 1e3
    for name, value in arrays.items():
        assert_allclose(found[name], value * min(1, limit / norm), rtol=1e-12)


def test_gradient_noise_is_normal_with_a_variance_that_falls_with_the_step():
    method = told(GradientNoise(variance=0.3, decay=0.55))

    @tf.function(jit_compile=True)
    def drawn(key, counter, first):
        return method.noise(Random(key, "training", counter), first, 400, 4)

    noise = drawn(tf.constant(key_of(0)), tf.constant(3, tf.int64), tf.constant(1200, tf.int64))
    assert {name: value.shape[1:] for name, value in noise["normal"].items()} == {
        f"{kind}_{layer}": tf.TensorShape(shape if kind == "kernel" else shape[:1])
        for layer, shape in enumerate(SHAPES)
        for kind in ("kernel", "bias")
    }
    steps = np.arange(1200, 1600)
    assert_allclose(noise["deviation"], np.sqrt(0.3 / (1 + steps) ** 0.55), rtol=1e-5)
    standard = np.concatenate([value.numpy().ravel() for value in noise["normal"].values()])
    count = standard.size
    assert abs(standard.mean()) < 5 / np.sqrt(count)
    assert abs(standard.var() - 1) < 5 * np.sqrt(2 / count)
    assert abs((standard**4).mean() - 3) < 5 * np.sqrt(96 / count)
    of_step = tf.nest.map_structure(lambda value: value[7], noise)
    found = method.gradients(lambda at: {**at}, {"kernel_0": tf.ones([5, 7]), "gain_0": tf.ones(5)}, of_step)
    assert_allclose(found["kernel_0"], 1 + of_step["deviation"] * of_step["normal"]["kernel_0"])
    assert_array_equal(found["gain_0"], np.ones(5))
