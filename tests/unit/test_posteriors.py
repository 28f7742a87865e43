"""Weights with a distribution: divergences against Monte Carlo and quadrature, and what they do in training."""

import numpy as np
import pytest
import tensorflow as tf
from scipy import integrate, optimize, stats
from test_regularizers import differences, noise_of, told

from regatlas.combination import combined
from regatlas.networks import Parameters
from regatlas.regularizers import adaptive_weight_noise, variational_dropout
from regatlas.regularizers.adaptive_weight_noise import AdaptiveWeightNoise
from regatlas.regularizers.bayes_by_backprop import BayesByBackprop, log_mixture
from regatlas.regularizers.dropconnect import DropConnect
from regatlas.regularizers.norm_constraint import NormConstraint
from regatlas.regularizers.variational_dropout import VariationalDropout, log_alpha

SHAPES = [(4, 5), (3, 4)]
N = 100  # the training examples that ``told`` tells of
PRIOR = {"prior_mix": 0.25, "prior_sigma_1": 0.8, "prior_sigma_2": 0.05}


def adaptive(**settings):
    return told(AdaptiveWeightNoise(**{"initial_sigma": 0.02, "kl_weight": 1.0} | settings), SHAPES)


def bayes(shapes=SHAPES, **settings):
    return told(BayesByBackprop(**PRIOR | {"initial_sigma": 0.02, "kl_weight": 1.0} | settings), shapes)


def variational(**settings):
    base = {"kl_weight": 1.0, "warm_up": 0.25, "threshold": 3.0, "initial_log_sigma2": -10.0}
    return told(VariationalDropout(**base | settings), SHAPES)


METHODS = {"log_sigma": adaptive, "rho": bayes, "log_sigma2": variational}
SIGMA = {"log_sigma": np.exp, "rho": lambda rho: np.log1p(np.exp(rho)), "log_sigma2": lambda s: np.exp(s / 2)}


@pytest.fixture
def rng():
    return np.random.default_rng(7)


def network(rng):
    start = {f"kernel_{layer}": rng.normal(size=shape).astype(np.float32) for layer, shape in enumerate(SHAPES)}
    return start | {"bias_0": np.ones(4, np.float32), "bias_1": np.ones(3, np.float32)}


def parts(variables):
    return Parameters([variables["kernel_0"], variables["kernel_1"]], [variables["bias_0"], variables["bias_1"]])


@pytest.mark.parametrize(
    ("name", "settings", "sigma"),
    [
        ("log_sigma", {"initial_sigma": 0.3}, 0.3),
        ("rho", {"initial_sigma": 0.3}, 0.3),
        ("log_sigma2", {"initial_log_sigma2": -4.0, "threshold": 50.0}, np.exp(-2)),
    ],
)
def test_weights_are_drawn_around_the_kernels_and_evaluated_at_them(rng, name, settings, sigma):
    method, start = METHODS[name](**settings), network(rng)
    variables = method.variables(start)
    assert list(variables) == [*start, f"{name}_0", f"{name}_1"]
    assert all(value.dtype == np.float32 for value in variables.values())
    drawn = noise_of(method, steps=2000)
    for layer, shape in enumerate(SHAPES):
        np.testing.assert_allclose(SIGMA[name](variables[f"{name}_{layer}"]), np.full(shape, sigma), rtol=1e-5)
        seen = method.parameters(parts(variables), variables, drawn)  # of all steps at once
        ratio = (seen.kernels[layer].numpy() - start[f"kernel_{layer}"]) / sigma
        assert stats.kstest(ratio[:, 0].ravel(), stats.norm.cdf).pvalue > 1e-3
        assert seen.biases[layer] is variables[f"bias_{layer}"]
    still = method.parameters(parts(variables), variables, None)
    np.testing.assert_array_equal(still.kernels[0], start["kernel_0"])


def divergence_by_samples(rng, mu, sigma, log_prior, count=400_000):
    """Monte Carlo of KL(N(mu, sigma^2) || prior), summed over weights, and its standard error."""
    w = mu + sigma * rng.normal(size=(count, mu.size))
    samples = (stats.norm.logpdf(w, mu, sigma) - log_prior(w)).sum(1)
    return samples.mean(), samples.std() / np.sqrt(count)


def test_adaptive_weight_noises_divergence_is_that_of_the_best_normal_prior(rng):
    mu, log_sigma = rng.normal(0.3, 0.5, 6), rng.normal(-1, 0.5, 6)
    found = adaptive_weight_noise.divergence(
        [tf.constant(mu[:4].reshape(2, 2)), tf.constant(mu[4:].reshape(1, 2))],
        [tf.constant(log_sigma[:4].reshape(2, 2)), tf.constant(log_sigma[4:].reshape(1, 2))],
    ).numpy()
    sigma = np.exp(log_sigma)

    def at(prior):
        m, s = prior[0], np.exp(prior[1])
        return (np.log(s / sigma) + (sigma**2 + (mu - m) ** 2) / (2 * s**2) - 0.5).sum()

    best = optimize.minimize(at, [0.0, 0.0])
    assert found == pytest.approx(best.fun, abs=1e-6)
    m, s = best.x[0], np.exp(best.x[1])
    sampled, error = divergence_by_samples(rng, mu, sigma, lambda w: stats.norm.logpdf(w, m, s))
    assert abs(found - sampled) < 5 * error < 0.05


def test_adaptive_weight_noise_adds_a_share_of_the_divergence_to_the_loss(rng):
    method = adaptive(kl_weight=2.0, initial_sigma=0.1)
    variables = {name: tf.constant(value) for name, value in method.variables(network(rng)).items()}
    kl = adaptive_weight_noise.divergence(
        *([variables[f"{kind}_{i}"] for i in (0, 1)] for kind in ("kernel", "log_sigma"))
    )
    np.testing.assert_allclose(method.penalty(variables, parts(variables), None), 2 / N * kl, rtol=1e-6)
    assert float(adaptive(kl_weight=0.0).penalty(variables, parts(variables), None)) == 0


def test_the_mixtures_density_is_scipys():
    w = np.linspace(-3, 3, 101)
    expected = np.log(0.25 * stats.norm.pdf(w, 0, 0.8) + 0.75 * stats.norm.pdf(w, 0, 0.05))
    np.testing.assert_allclose(log_mixture(tf.constant(w), 0.25, 0.8, 0.05), expected, rtol=1e-12)
    np.testing.assert_allclose(log_mixture(tf.constant(w), 0.75, 0.05, 0.8), expected, rtol=1e-12)
    far = log_mixture(tf.constant([30.0]), 0.25, 0.37, 0.0025).numpy()  # no density left in float32
    np.testing.assert_allclose(far, np.log(0.25) + stats.norm.logpdf(30, 0, 0.37), rtol=1e-6)


def sampled_divergence(mu, sigma, count, seed=0):
    """N times what is added to the loss of weights of one mu and sigma, per weight, and its standard error."""
    method = bayes([(1, count)])
    rho = np.log(np.expm1(sigma))
    variables = {"kernel_0": tf.fill([1, count], np.float64(mu)), "rho_0": tf.fill([1, count], np.float64(rho))}
    epsilon = np.random.default_rng(seed).normal(size=(1, count))
    added = float(method.loss(lambda x: tf.constant(0.0, tf.float64), None, variables, [tf.constant(epsilon)]))
    densities = log_mixture(tf.constant(mu + sigma * epsilon), *PRIOR.values()).numpy()
    return added * N / count, densities.std() / np.sqrt(count)


@pytest.mark.parametrize(("mu", "sigma"), [(0.0, 0.05), (0.3, 0.2), (-1.0, 0.02)])
def test_bayes_by_backprops_sampled_divergence_is_right_on_average(mu, sigma):
    q = stats.norm(mu, sigma)

    def integrand(w):
        return q.pdf(w) * (q.logpdf(w) - float(log_mixture(tf.constant(w, tf.float64), *PRIOR.values())))

    exact = integrate.quad(integrand, mu - 9 * sigma, mu + 9 * sigma, limit=200)[0]
    found, error = sampled_divergence(mu, sigma, 200_000)
    assert abs(found - exact) < 5 * error < 0.05


def test_bayes_by_backprops_gradient_is_that_of_equation_2_at_the_same_sample(rng):
    """Of log q(w) - log p(w) through the sample w = mu + sigma epsilon, written out and differenced."""
    method, epsilon = bayes([(2, 3)]), rng.normal(size=(2, 3))
    values = {"kernel_0": rng.normal(size=(2, 3)), "rho_0": rng.normal(-2, 0.5, (2, 3))}

    def written(mu, rho):
        sigma = np.log1p(np.exp(rho))
        w = mu + sigma * epsilon
        prior = np.log(0.25 * stats.norm.pdf(w, 0, 0.8) + 0.75 * stats.norm.pdf(w, 0, 0.05))
        return (stats.norm.logpdf(w, mu, sigma) - prior).sum() / N

    variables = {name: tf.Variable(value) for name, value in values.items()}
    with tf.GradientTape() as tape:
        added = method.loss(lambda x: tf.constant(0.0, tf.float64), None, variables, [tf.constant(epsilon)])
    found = tape.gradient(added, variables)
    by_mu = differences(lambda mu: written(mu, values["rho_0"]), values["kernel_0"])
    by_rho = differences(lambda rho: written(values["kernel_0"], rho), values["rho_0"])
    np.testing.assert_allclose(found["kernel_0"], by_mu, atol=1e-6)
    np.testing.assert_allclose(found["rho_0"], by_rho, atol=1e-6)


def test_variational_dropouts_divergence_is_close_to_the_exact_one(rng):
    """KL = E log(|w| / theta) - log(alpha) / 2 but for a constant, fixed by its limit 0 for infinite alpha."""
    z = rng.normal(size=400_000)
    limit = 0.5 * (np.euler_gamma + np.log(2))  # minus the mean of log|z|
    for value in (-8.0, -4.0, -2.0, 0.0, 1.0, 3.0, 6.0):
        samples = np.log(np.abs(1 + np.exp(value / 2) * z))
        error = samples.std() / np.sqrt(z.size)
        found = float(variational_dropout.divergence(tf.constant(value, tf.float64)))
        assert abs(found - (samples.mean() - 0.5 * value + limit)) < 0.02 + 5 * error
        assert error < 0.003


def test_variational_dropout_prunes_what_is_all_noise_in_evaluation_alone():
    theta = tf.constant([[0.1, 0.1, 0.1, 0.0, -2.0]] * 4)
    squared = 2 * np.log(np.abs([0.1, 0.1, 0.1, 1e-4, 2.0])) + np.array([2.9, 3.1, -5.0, 4.0, 3.1])
    variables = {"kernel_0": theta, "log_sigma2_0": tf.constant(np.tile(squared, (4, 1)), tf.float32)}
    method = variational()
    seen = method.parameters(Parameters([theta], []), variables, None).kernels[0]
    np.testing.assert_allclose(seen[0], [0.1, 0, 0.1, 0, 0])
    noise = {"normal": [tf.zeros([4, 5])]}
    np.testing.assert_array_equal(method.parameters(Parameters([theta], []), variables, noise).kernels[0], theta)
    np.testing.assert_allclose(log_alpha(theta, variables["log_sigma2_0"])[0, :3], [2.9, 3.1, -5], atol=1e-4)


def beside(method, other):
    """A posterior and what is beside it in a list, as one regularizer."""
    both = combined([method, other])
    both.task = method.task
    return both


OTHERS = {
    "dropconnect": lambda: DropConnect(keep_probability=0.5),
    "norm_constraint": lambda: NormConstraint(radius=100.0, per="matrix"),
}


def added_to_the_loss(method, variables, noise):
    """The part of what is minimized that is not the data's loss."""
    seen = method.parameters(parts(variables), variables, noise)
    penalty = method.penalty(variables, seen, None)
    return method.loss(lambda x: tf.constant(0.0), None, variables, noise) + (0.0 if penalty is None else penalty)


def of_step(noise, step):
    return tf.nest.map_structure(lambda drawn: None if drawn is None else drawn[step], noise)


@pytest.mark.parametrize("other", OTHERS)
def test_bayes_by_backprops_divergence_beside_another_is_that_of_its_own_posterior(rng, other):
    """Of another's kernels it would be far off: twice as large a weight is nothing the posterior draws."""
    draws = 300
    both = beside(bayes(), OTHERS[other]())
    variables = {name: tf.constant(value) for name, value in both.variables(network(rng)).items()}
    noise = noise_of(both, steps=draws)
    found = [N * float(added_to_the_loss(both, variables, of_step(noise, step))) for step in range(draws)]
    mu = np.concatenate([variables[f"kernel_{layer}"].numpy().ravel() for layer in (0, 1)]).astype(np.float64)

    def log_prior(w):
        return np.log(0.25 * stats.norm.pdf(w, 0, 0.8) + 0.75 * stats.norm.pdf(w, 0, 0.05))

    expected, _ = divergence_by_samples(rng, mu, 0.02, log_prior, count=20_000)
    assert abs(np.mean(found) - expected) < 5 * np.std(found) / np.sqrt(draws) < 0.5


@pytest.mark.parametrize("other", OTHERS)
@pytest.mark.parametrize("name", METHODS)
def test_beside_another_a_posterior_adds_what_it_adds_alone(rng, name, other):
    method = METHODS[name]()
    variables = {key: tf.constant(value) for key, value in method.variables(network(rng)).items()}
    both = beside(method, OTHERS[other]())
    noise = of_step(noise_of(both, steps=9), 8)
    np.testing.assert_allclose(
        added_to_the_loss(both, variables, noise), added_to_the_loss(method, variables, noise[0]), rtol=1e-6
    )


def test_variational_dropout_prunes_by_what_is_trained_whatever_comes_before_it(rng):
    """The divergence pushes log alpha of the trained kernels up; that of kernels a hundred times as long is lower."""
    method = variational(initial_log_sigma2=0.0)
    variables = {key: tf.constant(value) for key, value in method.variables(network(rng)).items()}
    kernels = [variables[f"kernel_{layer}"] for layer in (0, 1)]
    seen = method.parameters(Parameters([100 * kernel for kernel in kernels], []), variables, None).kernels
    for kernel, left in zip(kernels, seen, strict=True):
        pruned = -np.log(np.square(kernel)) > 3
        assert 0 < pruned.sum() < pruned.size
        np.testing.assert_array_equal(left, np.where(pruned, 0, 100 * kernel))


def test_variational_dropout_warms_its_divergence_up(rng):
    method = variational(warm_up=0.2, kl_weight=3.0)  # of 50 steps: ten
    warmth = np.concatenate([noise_of(method, first=first, steps=6)["warmth"] for first in (0, 6, 12)])
    np.testing.assert_allclose(warmth, np.minimum(np.arange(18) / 10, 1), rtol=1e-6)
    assert noise_of(variational(warm_up=0.0))["warmth"].numpy().tolist() == [1, 1, 1]
    variables = {name: tf.constant(value) for name, value in method.variables(network(rng)).items()}
    kl = sum(
        variational_dropout.divergence(log_alpha(variables[f"kernel_{i}"], variables[f"log_sigma2_{i}"])).numpy().sum()
        for i in (0, 1)
    )
    x = tf.ones([2, 5])
    for part in (0.0, 0.3, 1.0):
        noise = {"warmth": tf.constant(part)}
        loss = method.loss(lambda at: 0.5 + 0 * at[0, 0], x, variables, noise)
        np.testing.assert_allclose(loss, 0.5 + part * 3 / N * kl, rtol=1e-5)
