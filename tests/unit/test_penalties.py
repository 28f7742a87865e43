"""Penalties, shrinkage and constraints against numpy and scipy: closed forms, differences, optima found another way."""

import numpy as np
import pytest
import scipy.optimize
import tensorflow as tf
from numpy.testing import assert_allclose

from regatlas.losses import cross_entropy
from regatlas.networks import Parameters
from regatlas.regularizers.base import Task, Unsuitable
from regatlas.regularizers.confidence_penalty import ConfidencePenalty
from regatlas.regularizers.elastic_net import ElasticNet
from regatlas.regularizers.l1 import L1
from regatlas.regularizers.l2 import L2
from regatlas.regularizers.max_norm import MaxNorm
from regatlas.regularizers.norm_constraint import NormConstraint
from regatlas.regularizers.smoothness import Smoothness
from regatlas.regularizers.spectral_norm import SpectralNorm, power_iteration, singular_vectors
from regatlas.regularizers.spectral_penalty import SpectralPenalty
from regatlas.regularizers.weight_decay import WeightDecay
from regatlas.regularizers.weight_norm import WeightNorm
from regatlas.regularizers.weight_normalization import WeightNormalization

SHAPES = ((5, 12), (3, 5))  # [out, in]; the first layer's units are images of 3 x 4 pixels


def told(regularizer, momentum=0.0, shapes=SHAPES):
    regularizer.task = Task(shapes, (3, 4), shapes[-1][0], 100, 4, 50, momentum)
    return regularizer


def drawn(seed=3, dtype=np.float64):
    """Kernels and biases by name."""
    rng = np.random.default_rng(seed)
    named = {f"kernel_{layer}": rng.normal(size=shape).astype(dtype) for layer, shape in enumerate(SHAPES)}
    return named | {f"bias_{layer}": rng.normal(size=shape[0]).astype(dtype) for layer, shape in enumerate(SHAPES)}


def tensors(arrays):
    return {name: tf.constant(value) for name, value in arrays.items()}


def own(variables):
    kernels, biases = ([v for n, v in variables.items() if n.startswith(kind)] for kind in ("kernel_", "bias_"))
    return Parameters(kernels, biases)


def slope(function, array, step=1e-6):
    """Gradient of a scalar function of an array by central differences."""
    found = np.empty_like(array)
    for place in np.ndindex(array.shape):
        change = np.zeros_like(array)
        change[place] = step
        found[place] = (function(array + change) - function(array - change)) / (2 * step)
    return found


def penalty_and_gradients(regularizer, arrays, buffers=None, logits=None):
    variables = tensors(arrays)
    with tf.GradientTape() as tape:
        tape.watch(variables)
        value = regularizer.penalty({**tensors(buffers or {}), **variables}, own(variables), logits)
    return value.numpy(), tape.gradient(value, variables)


def soft(a, threshold):
    return np.sign(a) * np.maximum(np.abs(a) - threshold, 0)


@pytest.mark.parametrize("strength", [0.0, 0.3, 5.0])
def test_l1_thresholds_kernels_by_learning_rate_times_strength(strength):
    arrays = drawn()
    after = told(L1(strength=strength)).after_update(tensors(arrays), 0.5)
    for name, value in arrays.items():
        assert_allclose(after[name], soft(value, 0.5 * strength) if "kernel" in name else value, atol=1e-12)
    if strength == 5.0:
        assert np.count_nonzero(after["kernel_0"]) < after["kernel_0"].numpy().size
        assert {0.0} == set(after["kernel_0"].numpy()[np.abs(arrays["kernel_0"]) <= 2.5])


@pytest.mark.parametrize("momentum", [0.0, 0.8])
def test_l1_by_descent_finds_the_lasso_with_its_exact_zeros(momentum):
    """The minimum of 1/2 ||A w - b||^2 + s sum |w|, by scipy over the positive and the negative part."""
    rng = np.random.default_rng(0)
    a, b, strength = rng.normal(size=(30, 12)), rng.normal(size=30), 6.0
    method = told(L1(strength=strength), momentum)
    variables, velocity = {"kernel_0": tf.zeros([1, 12], tf.float64)}, 0.0
    for _ in range(2000):
        w = variables["kernel_0"].numpy()
        velocity = momentum * velocity + (a @ w[0] - b) @ a
        variables = method.after_update({"kernel_0": tf.constant(w - 0.002 * velocity)}, 0.002)

    def objective(parts):
        rest = a @ (parts[:12] - parts[12:]) - b
        slope = a.T @ rest
        return rest @ rest / 2 + strength * parts.sum(), np.concatenate([slope, -slope]) + strength

    found = scipy.optimize.minimize(
        objective,
        np.zeros(24),
        jac=True,
        bounds=[(0, None)] * 24,
        method="L-BFGS-B",
        options={"ftol": 1e-15, "gtol": 1e-10},
    )
    lasso, w = found.x[:12] - found.x[12:], variables["kernel_0"].numpy()[0]
    assert_allclose(w, lasso, atol=1e-5)
    assert 0 < np.count_nonzero(w == 0) < 12
    np.testing.assert_array_equal(w == 0, np.abs(lasso) < 1e-7)


@pytest.mark.parametrize("momentum", [0.0, 0.8])
def test_elastic_net_is_the_minimum_of_its_proximal_problem(momentum):
    arrays, (s1, s2, rate) = drawn(), (0.7, 2.0, 0.3)
    after = told(ElasticNet(l1=s1, l2=s2), momentum).after_update(tensors(arrays), rate * (1 - momentum))
    for name, value in arrays.items():
        if "bias" in name:
            assert_allclose(after[name], value)
            continue
        for before, found in zip(value.ravel(), after[name].numpy().ravel(), strict=True):
            cost = lambda w, b=before: (w - b) ** 2 / (2 * rate) + s1 * abs(w) + s2 / 2 * w**2  # noqa: E731
            assert_allclose(found, scipy.optimize.minimize_scalar(cost, tol=1e-12).x, atol=1e-6)


def test_weight_decay_takes_the_share_off_the_kernels_alone():
    arrays = drawn()
    after = told(WeightDecay(decay=0.4)).after_update(tensors(arrays), 0.1)
    for name, value in arrays.items():
        assert_allclose(after[name], value * (0.96 if "kernel" in name else 1), rtol=1e-12)


def test_max_norm_projects_each_unit_onto_the_ball():
    arrays = drawn()
    after = told(MaxNorm(limit=3.0)).after_update(tensors(arrays), 0.1)
    assert {np.linalg.norm(row) > 3 for row in arrays["kernel_0"]} == {True, False}
    for name in ("kernel_0", "kernel_1"):
        for before, row in zip(arrays[name], after[name].numpy(), strict=True):
            nearest = scipy.optimize.minimize(
                lambda w, b=before: ((w - b) ** 2).sum(), before / 9, jac=lambda w, b=before: 2 * (w - b),
                constraints={"type": "ineq", "fun": lambda w: 9 - (w**2).sum(), "jac": lambda w: -2 * w},
                method="SLSQP", tol=1e-12,
            )  # fmt: skip
            assert_allclose(row, nearest.x, atol=1e-5)
            if np.linalg.norm(before) <= 3:
                np.testing.assert_array_equal(row, before)
    np.testing.assert_array_equal(after["bias_0"], arrays["bias_0"])


@pytest.mark.parametrize(
    ("method", "reference"),
    [
        (NormConstraint(radius=2.5, per="matrix"), lambda v, g: 2.5 * v / np.linalg.norm(v)),
        (NormConstraint(radius=2.5, per="unit"), lambda v, g: 2.5 * v / np.linalg.norm(v, axis=1, keepdims=True)),
        (WeightNormalization(), lambda v, g: g[:, None] * v / np.linalg.norm(v, axis=1, keepdims=True)),
    ],
    ids=["matrix", "unit", "learned"],
)
def test_a_reparametrization_and_its_gradient(method, reference):
    rng = np.random.default_rng(5)
    arrays = drawn() | {f"gain_{layer}": rng.normal(size=units) for layer, (units, _) in enumerate(SHAPES)}
    upstream = [rng.normal(size=shape) for shape in SHAPES]
    variables = tensors(arrays)
    with tf.GradientTape() as tape:
        tape.watch(variables)
        seen = told(method).parameters(own(variables), variables, None)
        value = tf.add_n([tf.reduce_sum(u * kernel) for u, kernel in zip(upstream, seen.kernels, strict=True)])
    gradients = tape.gradient(value, variables)
    for layer, u in enumerate(upstream):
        v, g = arrays[f"kernel_{layer}"], arrays[f"gain_{layer}"]
        assert_allclose(seen.kernels[layer], reference(v, g), rtol=1e-12)
        by_v = slope(lambda a, g=g, u=u: (u * reference(a, g)).sum(), v)
        assert_allclose(gradients[f"kernel_{layer}"], by_v, atol=1e-7)
        if isinstance(method, WeightNormalization):
            by_g = slope(lambda a, v=v, u=u: (u * reference(v, a)).sum(), g)
            assert_allclose(gradients[f"gain_{layer}"], by_g, atol=1e-7)
        assert seen.biases[layer] is variables[f"bias_{layer}"]


def test_weight_normalization_starts_as_the_network_without_it():
    network, method = drawn(dtype=np.float32), told(WeightNormalization())
    variables = method.variables(network)
    assert set(variables) == {*network, "gain_0", "gain_1"}
    seen = method.parameters(own(network), variables, None)
    for kernel, before in zip(seen.kernels, own(network).kernels, strict=True):
        assert_allclose(kernel, before, rtol=1e-5)


@pytest.mark.parametrize(
    ("method", "by_unit"),
    [
        (WeightNormalization(), True),
        (NormConstraint(radius=1.0, per="unit"), True),
        (NormConstraint(radius=1.0, per="matrix"), False),
        (WeightNorm(radius=1.0), False),
        (SpectralNorm(radius=1.0), False),
    ],
    ids=["weight_normalization", "unit", "matrix", "weight_norm", "spectral_norm"],
)
def test_weights_without_a_direction_are_refused_where_they_need_one(method, by_unit):
    network = drawn(dtype=np.float32)
    refused = pytest.raises(Unsuitable, match=r"no direction: set network.initial_stddev above 0")
    for zeros in (0, 1, 3):  # of the last layer's three units
        network["kernel_1"][:zeros] = 0
        if zeros == 3 or (by_unit and zeros):
            with refused:
                told(method).variables(network)
        else:
            found = told(method).variables(network)
            assert all(found[own] is value for own, value in network.items())


def test_the_singular_vectors_are_numpys_and_a_power_iteration_leads_to_them():
    arrays = drawn(dtype=np.float32)
    left = {f"singular_{layer}": np.linalg.svd(arrays[f"kernel_{layer}"])[0][:, 0] for layer in (0, 1)}
    exact = singular_vectors(arrays)
    other = {name: np.roll(vector, 1) for name, vector in exact.items()} | {"other": np.ones(2)}
    for _ in range(20):
        other = power_iteration(other, tensors(arrays))
    for name, vector in left.items():
        assert_allclose(abs(vector @ exact[name]), 1, atol=1e-6)
        assert_allclose(abs(vector @ other[name].numpy()), 1, atol=1e-5)
    assert other["other"].tolist() == [1, 1]
    still = power_iteration(exact, {f"kernel_{layer}": tf.zeros(shape) for layer, shape in enumerate(SHAPES)})
    assert_allclose(still["singular_0"], exact["singular_0"])  # weights of zero have no direction to lead to


@pytest.mark.parametrize("method", [SpectralNorm(radius=2.0), SpectralPenalty(strength=0.3)])
def test_the_singular_vectors_follow_the_weights_of_a_run(method):
    buffers, after = told(method).buffers(drawn(dtype=np.float32)), drawn(seed=4, dtype=np.float32)
    for step in range(20):
        buffers = method.after_step(buffers, tensors(after), tf.constant(step))
    for layer in (0, 1):
        left = np.linalg.svd(after[f"kernel_{layer}"])[0][:, 0]
        assert_allclose(abs(left @ buffers[f"singular_{layer}"].numpy()), 1, atol=1e-4)


def test_spectral_normalization_is_the_kernel_over_its_largest_singular_value():
    arrays, method = drawn(), told(SpectralNorm(radius=2.0))
    buffers = {name: value.astype(float) for name, value in method.buffers(arrays).items()}
    upstream, variables = np.random.default_rng(1).normal(size=SHAPES[0]), tensors(arrays)
    with tf.GradientTape() as tape:
        tape.watch(variables)
        seen = method.parameters(own(variables), variables | tensors(buffers), None)
        value = tf.reduce_sum(upstream * seen.kernels[0])
    for kernel, before in zip(seen.kernels, own(arrays).kernels, strict=True):
        assert_allclose(kernel, 2 * before / np.linalg.norm(before, 2), rtol=1e-6)
    by_kernel = slope(lambda v: (upstream * 2 * v / np.linalg.norm(v, 2)).sum(), arrays["kernel_0"])
    assert_allclose(tape.gradient(value, variables)["kernel_0"], by_kernel, atol=1e-6)


def test_the_spectral_penalty_is_half_the_squared_largest_singular_values():
    arrays, method = drawn(), told(SpectralPenalty(strength=0.3))
    buffers = {name: value.astype(float) for name, value in method.buffers(arrays).items()}
    value, gradients = penalty_and_gradients(method, arrays, buffers)
    assert_allclose(value, 0.15 * sum(np.linalg.norm(kernel, 2) ** 2 for kernel in own(arrays).kernels), rtol=1e-6)
    for name in ("kernel_0", "kernel_1"):
        by_kernel = slope(lambda v: 0.15 * np.linalg.norm(v, 2) ** 2, arrays[name])
        assert_allclose(gradients[name], by_kernel, atol=1e-5)


def test_the_smoothness_penalty_sums_over_pairs_of_neighbours_on_the_grid():
    arrays = drawn()
    value, gradients = penalty_and_gradients(told(Smoothness(strength=0.2)), arrays)

    def written(kernel):
        pairs = [(r, c, r, c + 1) for r in range(3) for c in range(3)] + [
            (r, c, r + 1, c) for r in range(2) for c in range(4)
        ]
        return 0.2 * sum((unit[r * 4 + c] - unit[s * 4 + d]) ** 2 for unit in kernel for r, c, s, d in pairs)

    assert_allclose(value, written(arrays["kernel_0"]), rtol=1e-12)
    assert_allclose(gradients["kernel_0"], slope(written, arrays["kernel_0"]), atol=1e-7)
    assert gradients["kernel_1"] is None
    flat = arrays | {"kernel_0": np.ones((5, 12))}
    assert penalty_and_gradients(told(Smoothness(strength=0.2)), flat)[0] == 0


def test_the_confidence_penalty_is_minus_the_mean_entropy():
    from scipy.special import softmax
    from scipy.stats import entropy

    logits = np.random.default_rng(2).normal(size=(4, 3)) * 2
    mean_entropy = lambda z: entropy(softmax(z, axis=1), axis=1).mean()  # noqa: E731
    given = tf.constant(logits)
    with tf.GradientTape() as tape:
        tape.watch(given)
        value = ConfidencePenalty(strength=0.5).penalty({}, Parameters([], []), given)
    assert_allclose(value, -0.5 * mean_entropy(logits), rtol=1e-12)
    assert_allclose(tape.gradient(value, given), slope(lambda z: -0.5 * mean_entropy(z), logits), atol=1e-8)


def test_l2_and_a_norm_ball_of_its_solutions_radius_have_the_same_solution():
    """Softmax regression on random data: the penalized minimum by scipy, then the minimum on the sphere."""
    rng = np.random.default_rng(4)
    x, y, s = rng.normal(size=(40, 12)), np.eye(3)[rng.integers(0, 3, 40)], 0.05
    shape = (3, 12)

    def loss(w):
        z = x @ w.reshape(shape).T
        p = np.exp(z - z.max(1, keepdims=True))
        p /= p.sum(1, keepdims=True)
        return -np.log((p * y).sum(1)).mean(), ((p - y).T @ x / 40)

    def penalized(w):
        value, gradient = loss(w)
        return value + s / 2 * w @ w, gradient.ravel() + s * w

    options = {"gtol": 1e-10, "ftol": 1e-16, "maxiter": 2000}
    best = scipy.optimize.minimize(penalized, np.zeros(36), jac=True, method="L-BFGS-B", options=options).x.reshape(
        shape
    )
    method = told(NormConstraint(radius=float(np.linalg.norm(best)), per="matrix"), shapes=(shape,))

    def on_the_sphere(v):
        v = tf.constant(v.reshape(shape))
        with tf.GradientTape() as tape:
            tape.watch(v)
            kernel = method.parameters(Parameters([v], []), {}, None).kernels[0]
        value, by_kernel = loss(kernel.numpy())
        return value, tape.gradient(kernel, v, output_gradients=tf.constant(by_kernel)).numpy().ravel()

    found = scipy.optimize.minimize(on_the_sphere, rng.normal(size=36), jac=True, method="L-BFGS-B", options=options)
    kernel = method.parameters(Parameters([tf.constant(found.x.reshape(shape))], []), {}, None).kernels[0]
    assert_allclose(kernel, best, atol=1e-4)


def test_l2_without_end_leaves_the_class_means():
    """A penalty far stronger than the data: the weights are small, and the gradient at 0 says where they go.

    That is the mean over the examples of (target - 1 / K) x, in proportion the mean of each class less that of all if
    the classes are of one size. The minimum is scipy's, over the library's own loss and penalty.
    """
    rng = np.random.default_rng(5)
    labels = np.repeat([0, 1, 2], 20)
    x, y = rng.random((60, 12)) + np.eye(3, 12)[labels], np.eye(3)[labels]
    template = np.stack([x[labels == k].mean(0) - x.mean(0) for k in range(3)])
    method = L2(strength=1e4)

    def minimized(w):
        kernel = tf.constant(w.reshape(3, 12) / method.strength)  # of a size that suits scipy
        with tf.GradientTape() as tape:
            tape.watch(kernel)
            logits = tf.matmul(kernel, tf.constant(x), transpose_b=True)
            loss = tf.reduce_sum(cross_entropy(logits, tf.constant(y.T)))
            value = loss + method.penalty({}, Parameters([kernel], []), None)
        return (value.numpy() - np.log(3)) * method.strength, tape.gradient(value, kernel).numpy().ravel()

    found = scipy.optimize.minimize(minimized, np.zeros(36), jac=True, method="L-BFGS-B", options={"gtol": 1e-12})
    assert_allclose(found.x.reshape(3, 12), template / 3, atol=1e-3)
    assert np.corrcoef(found.x, template.ravel())[0, 1] > 0.999999
