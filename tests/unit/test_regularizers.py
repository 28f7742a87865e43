import itertools
import math

import numpy as np
import pytest
import tensorflow as tf

from regatlas.networks import Parameters, forward, initial
from regatlas.randomness import Random, key_of
from regatlas.regularizers.base import Regularizer, Task
from regatlas.regularizers.dropout import Dropout
from regatlas.regularizers.gaussian import Gaussian, bump, round_trip
from regatlas.regularizers.l2 import L2
from regatlas.regularizers.none import NoRegularization
from regatlas.regularizers.shifts import Shifts
from regatlas.regularizers.weight_norm import WeightNorm

SHAPES = [(5, 4), (4, 3)]


@pytest.fixture
def rng():
    return np.random.default_rng(11)


@pytest.fixture
def variables(rng):
    """Float64 kernels and biases, so that finite differences are exact enough."""
    named = {f"kernel_{layer}": tf.Variable(rng.normal(size=shape)) for layer, shape in enumerate(SHAPES)}
    return named | {f"bias_{layer}": tf.Variable(rng.normal(size=shape[1])) for layer, shape in enumerate(SHAPES)}


def own(variables):
    """The network's own parameters."""
    return Parameters(
        [value for name, value in variables.items() if name.startswith("kernel_")],
        [value for name, value in variables.items() if name.startswith("bias_")],
    )


def told(regularizer, shapes=((3, 5),), batch=4):
    """A regularizer that knows what it is to train."""
    regularizer.task = Task(tuple(shapes), (1, shapes[0][1]), shapes[-1][0], 100, batch, 50)
    return regularizer


def noise_of(regularizer, seed=0, block=0, first=0, steps=3, batch=4, purpose="training"):
    """The noise of a block of steps, as the training graph draws it."""

    @tf.function(jit_compile=True)
    def drawn(key, counter, first):
        return regularizer.noise(Random(key, purpose, counter), first, steps, batch)

    return drawn(tf.constant(key_of(seed)), *(tf.constant(number, tf.int64) for number in (block, first)))


def differences(function, array, step=1e-6):
    """Gradient of a scalar function of an array by central differences."""
    slope = np.empty_like(array)
    for place in np.ndindex(array.shape):
        up, down = array.copy(), array.copy()
        up[place] += step
        down[place] -= step
        slope[place] = (function(up) - function(down)) / (2 * step)
    return slope


def written_bump(x, mu, log_sigma):
    """The weight as the post's notebook writes it, sigma entering twice."""
    sigma = np.exp(log_sigma)
    z = ((x - mu) / sigma) ** 2
    return np.exp(-z / (2 * sigma**2)) / (np.sqrt(2 * np.pi) * sigma)


def untouched(regularizer, hooks):
    return all(getattr(type(regularizer), hook) is getattr(Regularizer, hook) for hook in hooks)


def test_each_acts_where_it_says_and_nowhere_else():
    hooks = {name for name, hook in vars(Regularizer).items() if callable(hook) and not name.startswith("_")}
    assert hooks >= {"variables", "noise", "images", "examples", "parameters", "penalty", "gradients", "after_update"}
    touched = {
        NoRegularization: set(),
        L2: {"penalty"},
        WeightNorm: {"variables", "parameters"},  # it looks whether they have a direction
        Dropout: {"noise", "examples", "activations"},
        Gaussian: {"variables", "noise", "parameters"},
        Shifts: {"noise", "images"},
    }
    for regularizer, own in touched.items():
        assert {hook for hook in hooks if not untouched(regularizer(), [hook])} == own
    assert not any(regularizer().noise_in_evaluation for regularizer in (NoRegularization, L2, WeightNorm, Gaussian))


def test_no_regularization_hands_everything_on(variables):
    none, parameters = NoRegularization(), own(variables)
    assert none.parameters(parameters, variables, None) is parameters
    assert none.penalty(variables, parameters, None) is None
    assert none.gradients(lambda at: (at, "gradients"), variables, None) == (variables, "gradients")
    assert none.noise(None, tf.constant(0, tf.int64), 3, 4) is None
    assert none.after_update(variables, 0.1) is none.variables(variables) is none.evaluated(variables, {}) is variables
    assert none.buffers(variables) == none.after_step({}, variables, 0) == {}
    x, y = tf.ones([2, 3]), tf.ones([2, 4])
    assert none.examples(x, y, None) == (x, y)
    assert none.images(x, None) is x
    assert none.loss(lambda at: (at, "loss"), x, variables, None) == (x, "loss")
    assert none.activations(x, 0, None) is none.preactivations(x, 0, variables, None) is x
    np.testing.assert_allclose(none.inputs(tf.constant([[0, 51, 255]], tf.uint8), None), [[0, 0.2, 1]], rtol=1e-6)


def test_l2_is_half_the_sum_of_squared_kernels_without_the_biases(variables):
    l2 = L2(strength=0.3)
    with tf.GradientTape() as tape:
        penalty = l2.penalty(variables, own(variables), None)
    kernels = [variables[f"kernel_{layer}"].numpy() for layer in (0, 1)]
    np.testing.assert_allclose(penalty, 0.15 * sum((kernel**2).sum() for kernel in kernels), rtol=1e-12)
    gradients = tape.gradient(penalty, variables)
    for layer, kernel in enumerate(kernels):
        expected = differences(lambda k: 0.15 * (k**2).sum(), kernel)
        np.testing.assert_allclose(gradients[f"kernel_{layer}"], expected, atol=1e-8)
        assert gradients[f"bias_{layer}"] is None


@pytest.mark.parametrize("radius", [1.0, 2.5])
def test_weight_norm_fixes_the_norm_of_the_whole_kernel(variables, rng, radius):
    method = WeightNorm(radius=radius)
    upstream = [rng.normal(size=shape) for shape in SHAPES]
    with tf.GradientTape() as tape:
        parameters = method.parameters(own(variables), variables, None)
        value = tf.add_n([tf.reduce_sum(u * kernel) for u, kernel in zip(upstream, parameters.kernels, strict=True)])
    gradients = tape.gradient(value, variables)
    for layer in (0, 1):
        v = variables[f"kernel_{layer}"].numpy()
        np.testing.assert_allclose(parameters.kernels[layer], radius * v / np.sqrt((v**2).sum()), rtol=1e-12)
        expected = differences(lambda k, u=upstream[layer]: (u * radius * k / np.sqrt((k**2).sum())).sum(), v)
        np.testing.assert_allclose(gradients[f"kernel_{layer}"], expected, atol=1e-7)
        assert parameters.biases[layer] is variables[f"bias_{layer}"]


def test_the_bump_is_the_posts_formula(rng):
    x, mu, log_sigma = rng.normal(size=(3, 6, 5))
    np.testing.assert_allclose(
        bump(x, tf.constant(mu), tf.constant(log_sigma)), written_bump(x, mu, log_sigma), rtol=1e-12
    )


def test_the_bumps_gradient_is_that_of_the_formula(rng):
    x, mu, log_sigma, upstream = rng.normal(size=(4, 6, 5)) * 0.8
    with tf.GradientTape() as tape:
        centre, width = tf.Variable(mu), tf.Variable(log_sigma)
        value = bump(tf.constant(x), centre, width)
    by_mu, by_width = tape.gradient(value, [centre, width], output_gradients=tf.constant(upstream))
    expected = differences(lambda m: (upstream * written_bump(x, m, log_sigma)).sum(), mu)
    np.testing.assert_allclose(by_mu, expected, atol=1e-6 * np.abs(expected).max())
    expected = differences(lambda s: (upstream * written_bump(x, mu, s)).sum(), log_sigma)
    np.testing.assert_allclose(by_width, expected, atol=1e-6 * np.abs(expected).max())


def test_gaussian_trains_a_centre_and_a_width_equal_at_the_start():
    network = {"kernel_0": np.ones((4, 5)), "kernel_1": np.zeros((3, 4)), "bias_0": np.zeros(4), "bias_1": np.zeros(3)}
    variables = told(Gaussian(noise_scale=0.5), [(4, 5), (3, 4)]).variables(network)
    assert list(variables) == ["kernel_0", "kernel_1", "bias_0", "bias_1", "log_sigma_0", "log_sigma_1"]
    for layer in (0, 1):
        np.testing.assert_array_equal(variables[f"log_sigma_{layer}"], network[f"kernel_{layer}"])
        assert not np.shares_memory(variables[f"log_sigma_{layer}"], network[f"kernel_{layer}"])


@pytest.mark.parametrize(
    ("shape", "blocks"), [((3, 3), [10, 1, 7, 10, 1, 1, 10] * 5), ((9, 1), [7] * 5), ((10, 30), [10] * 110)]
)
def test_the_noise_vector_moves_on_one_place_a_step(shape, blocks):
    """The rule, literally: the old last but one comes to the front, the old last is dropped. Past a whole period."""
    size = math.prod(shape)
    original = np.random.default_rng(4).standard_normal(size).astype(np.float32)
    compiled = tf.function(lambda begins: round_trip(tf.constant(original), begins, shape), jit_compile=True)
    vector, step = list(original), 0
    assert sum(blocks) > size
    for steps in blocks:
        for seen in compiled(-(step + 1) - tf.range(steps, dtype=tf.int64)).numpy():
            vector = [vector[-2], *vector[:-1]]
            np.testing.assert_array_equal(seen.T.ravel(), vector)
        step += steps


def test_gaussians_noise_is_one_vector_of_the_seed_and_lies_over_the_kernels_as_in_out():
    method = told(Gaussian(noise_scale=0.5), [(4, 5), (3, 4)])
    first, later = noise_of(method), noise_of(method, block=7, first=0)
    for layer, shape in enumerate([(3, 4, 5), (3, 3, 4)]):
        assert first[layer].shape == shape
        np.testing.assert_array_equal(first[layer], later[layer])  # whatever the block
    flat = [np.concatenate([part[step].numpy().T.ravel() for part in first]) for step in range(3)]
    for before, after in itertools.pairwise(flat):
        np.testing.assert_array_equal(after[1:], before[:-1])
    assert np.abs(np.concatenate(flat)).max() < 0.5 * 6
    other = noise_of(method, seed=1)
    assert not np.array_equal(first[0], other[0])


def test_gaussian_reads_the_bump_at_the_noise_in_training_and_at_zero_in_evaluation():
    method = told(Gaussian(noise_scale=0.5), [(4, 5), (3, 4)])
    start = initial({"hidden": [4], "bias": True, "initial_stddev": 0.3}, 5, 3, seed=2)
    variables = method.variables({f"kernel_{layer}": kernel for layer, kernel in enumerate(start.kernels)})
    noise = [part[0] for part in noise_of(method, first=7)]
    on, off = method.parameters(start, variables, noise), method.parameters(start, variables, None)
    first = [part.numpy().astype(float) for part in noise]
    for layer, kernel in enumerate(start.kernels):
        kernel = kernel.astype(float)
        np.testing.assert_allclose(on.kernels[layer], written_bump(first[layer], kernel, kernel), rtol=1e-5)
        np.testing.assert_allclose(off.kernels[layer], written_bump(0.0, kernel, kernel), rtol=1e-5)
        assert np.abs(on.kernels[layer] - off.kernels[layer]).max() > 0.01
    assert len(on.biases) == 2


@pytest.mark.parametrize("keep", [0.5, 0.8, 0.3, 1.0, 1 / 256])
def test_dropout_keeps_the_share_and_scales_by_it(keep):
    method = told(Dropout(keep_probability=keep, active_at_test=False), [(3, 200)])
    noise = noise_of(method, seed=1, steps=10, batch=50)
    assert len(noise) == 1
    x = np.random.default_rng(0).uniform(0.1, 1, (10, 50, 200)).astype(np.float32)
    ratio = method.examples(tf.constant(x), None, noise)[0].numpy() / x
    kept = ratio != 0
    np.testing.assert_allclose(ratio[kept], 1 / keep, rtol=1e-6)
    deviation = np.sqrt(keep * (1 - keep) / kept.size)
    assert abs(kept.mean() - keep) <= 5 * deviation
    if keep == 0.5:  # independent of place, step and example
        for axes in [(0, 1), (0, 2), (1, 2)]:
            share = kept.mean(axes)
            assert np.abs(share - 0.5).max() < 6 * 0.5 / np.sqrt(kept.size / share.size)
        for other in (kept[:, :, 1:] == kept[:, :, :-1], kept[1:] == kept[:-1], kept[:, 1:] == kept[:, :-1]):
            assert abs(other.mean() - 0.5) < 5 * 0.5 / np.sqrt(other.size)


@pytest.mark.parametrize("keep", [0.5, 0.75, 0.3])
def test_dropouts_mask_is_the_seeds_and_the_blocks(keep):
    method = told(Dropout(keep_probability=keep, active_at_test=False), [(3, 101)])  # no multiple of a word

    def mask(**where):
        return noise_of(method, **where)[0].numpy().tobytes()

    assert mask(seed=1) == mask(seed=1)
    assert len({mask(seed=1), mask(seed=2), mask(seed=1, block=1), mask(seed=1, purpose="evaluation")}) == 4


@pytest.mark.parametrize("active", [False, True])
def test_dropout_is_on_in_evaluation_only_where_asked(active):
    assert Dropout(keep_probability=0.5, active_at_test=active).noise_in_evaluation is active


def test_the_forward_pass_is_affine_layers_with_relu_between(rng):
    shapes = [(50, 5), (3, 50)]
    kernels, biases = [rng.normal(size=shape) for shape in shapes], [rng.normal(size=shape[0]) for shape in shapes]
    x = rng.normal(size=(6, 5))
    expected = np.maximum(x @ kernels[0].T + biases[0], 0) @ kernels[1].T + biases[1]
    np.testing.assert_allclose(forward(tf.constant(x), Parameters(kernels, biases)), expected.T, rtol=1e-12)
    seen = []
    halved = forward(tf.constant(x), Parameters(kernels, []), lambda h, layer: (seen.append(layer), h / 2)[1])
    np.testing.assert_allclose(halved, (np.maximum(x @ kernels[0].T, 0) / 2 @ kernels[1].T).T, rtol=1e-12)
    assert seen == [0]
    shifted = forward(tf.constant(x), Parameters(kernels, []), preactivations=lambda h, layer: h - layer - 1)
    np.testing.assert_allclose(shifted, (np.maximum(x @ kernels[0].T - 1, 0) @ kernels[1].T).T, rtol=1e-12)


def test_initial_parameters_are_truncated_normal_and_a_layers_own():
    settings = {"hidden": [40, 30], "bias": True, "initial_stddev": 0.2}
    start = initial(settings, 50, 10, seed=5)
    assert [kernel.shape for kernel in start.kernels] == [(40, 50), (30, 40), (10, 30)]
    assert [bias.tolist() for bias in start.biases] == [[0] * 40, [0] * 30, [0] * 10]
    for kernel in start.kernels:
        assert kernel.dtype == np.float32
        assert 0.19 < np.abs(kernel).max() / 2 <= 0.2001
        assert abs(kernel.std() - 0.2 * 0.8796) < 0.012
    plain = initial(settings | {"bias": False}, 50, 10, seed=5)
    assert plain.biases == []
    np.testing.assert_array_equal(plain.kernels[1], start.kernels[1])
