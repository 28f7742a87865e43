"""Noise on inputs, targets, hidden units and weights."""

import numpy as np
import pytest
import tensorflow as tf
from scipy import stats
from test_regularizers import noise_of, told

from regatlas.networks import Parameters
from regatlas.regularizers.dropconnect import DropConnect
from regatlas.regularizers.dropout import Dropout
from regatlas.regularizers.gaussian_dropout import GaussianDropout
from regatlas.regularizers.input_noise import InputNoise
from regatlas.regularizers.mixup import CELLS, Mixup, beta, mixed
from regatlas.regularizers.weight_noise import WeightNoise

DEEP = [(40, 30), (20, 40), (3, 20)]


def dropout(**settings):
    return Dropout(**{"keep_probability": 1.0, "hidden_keep_probability": 1.0, "active_at_test": False} | settings)


@pytest.fixture
def parameters():
    rng = np.random.default_rng(3)
    kernels = [tf.constant(rng.normal(size=shape).astype(np.float32)) for shape in DEEP]
    return Parameters(kernels, [tf.ones(shape[0]) for shape in DEEP])


@pytest.mark.parametrize("keep", [0.5, 0.8])
def test_dropout_treats_hidden_units_as_it_does_pixels(keep):
    method = told(dropout(hidden_keep_probability=keep), DEEP)
    noise = noise_of(method, steps=20, batch=50)
    assert noise[0] is None
    for layer, width in enumerate([40, 20]):
        hidden = np.random.default_rng(0).uniform(0.1, 1, (20, 50, width)).astype(np.float32)
        one_step = [None if part is None else part[7] for part in noise]
        ratio = method.activations(tf.constant(hidden[7]), layer, one_step).numpy() / hidden[7]
        np.testing.assert_allclose(ratio[ratio != 0], 1 / keep, rtol=1e-6)
        kept = noise[layer + 1].numpy()
        assert kept.shape == hidden.shape
        np.testing.assert_array_equal(kept[7], ratio != 0)
        assert abs(kept.mean() - keep) < 5 * np.sqrt(keep * (1 - keep) / kept.size)


@pytest.mark.parametrize(
    "method", [dropout(), GaussianDropout(rate=0.0, hidden_rate=0.0), InputNoise(stddev=0.0), Mixup(alpha=0.0)]
)
def test_no_noise_on_the_examples_is_the_identity(method):
    noise = told(method, DEEP).noise(None, tf.constant(0, tf.int64), 3, 4)
    assert noise in (None, [None] * 3)
    x, y, hidden = tf.ones([4, 30]), tf.ones([4, 3]), tf.ones([4, 40])
    assert method.examples(x, y, noise) == (x, y)
    assert method.activations(hidden, 0, noise) is hidden


@pytest.mark.parametrize("method", [DropConnect(keep_probability=1.0), WeightNoise(stddev=0.0)])
def test_no_noise_on_the_weights_is_the_identity(method, parameters):
    noise = told(method, DEEP).noise(None, tf.constant(0, tf.int64), 3, 4)
    assert noise is None
    assert method.parameters(parameters, {}, noise) is parameters


@pytest.mark.parametrize("method", [DropConnect(keep_probability=0.5), WeightNoise(stddev=0.1)])
def test_evaluation_sees_the_weights_without_noise(method, parameters):
    assert told(method, DEEP).parameters(parameters, {}, None) is parameters
    assert not method.noise_in_evaluation


@pytest.mark.parametrize("rate", [0.2, 0.5])
def test_gaussian_dropout_multiplies_by_normal_numbers_of_dropouts_variance(rate):
    method = told(GaussianDropout(rate=rate, hidden_rate=rate / 2), DEEP)
    noise = [part[0] for part in noise_of(method, batch=500)]
    x, y = tf.fill([500, 30], 2.0), tf.ones([500, 3])
    factors, same = method.examples(x, y, noise)
    assert same is y
    assert stats.kstest(factors.numpy().ravel() / 2, stats.norm(1, np.sqrt(rate / (1 - rate))).cdf).pvalue > 1e-3
    for layer, width in enumerate([40, 20]):
        factors = method.activations(tf.fill([500, width], 2.0), layer, noise).numpy().ravel() / 2
        deviation = np.sqrt(rate / 2 / (1 - rate / 2))
        assert stats.kstest(factors, stats.norm(1, deviation).cdf).pvalue > 1e-3


@pytest.mark.parametrize("keep", [0.5, 0.7])
def test_dropconnect_drops_single_weights_and_keeps_their_mean(keep, parameters):
    method = told(DropConnect(keep_probability=keep), DEEP)
    noise = noise_of(method, steps=50)
    seen = [method.parameters(parameters, {}, [part[step] for part in noise]) for step in range(50)]
    for layer, kernel in enumerate(parameters.kernels):
        ratio = np.array([one.kernels[layer] for one in seen]) / kernel.numpy()
        np.testing.assert_allclose(ratio[ratio != 0], 1 / keep, rtol=1e-5)
        assert abs((ratio != 0).mean() - keep) < 5 * np.sqrt(keep * (1 - keep) / ratio.size)
        assert (ratio.std(0) > 0).mean() > 0.99  # another mask for each step, for single weights
        assert len({(one != 0).tobytes() for one in ratio}) == 50
    assert seen[0].biases is parameters.biases


def test_weight_noise_is_normal_anew_for_each_step_and_not_on_biases(parameters):
    method = told(WeightNoise(stddev=0.3), DEEP)
    noise = noise_of(method, steps=4)
    seen = [method.parameters(parameters, {}, [part[step] for part in noise]) for step in range(4)]
    for layer, kernel in enumerate(parameters.kernels):
        added = np.array([(one.kernels[layer] - kernel).numpy() for one in seen])
        assert stats.kstest(added.ravel(), stats.norm(0, 0.3).cdf).pvalue > 1e-3
        assert np.abs(np.corrcoef(added.reshape(4, -1)) - np.eye(4)).max() < 5 / np.sqrt(kernel.numpy().size)
    assert seen[0].biases is parameters.biases


def test_input_noise_is_a_ridge_penalty_for_linear_least_squares():
    """Minimizing the mean of (y - (x + noise) w)^2 is minimizing that of (y - x w)^2 plus variance times w^2."""
    rng = np.random.default_rng(2)
    x = rng.uniform(0, 1, (20, 6)).astype(np.float32)
    y = x @ rng.normal(size=6) + 0.1 * rng.normal(size=20)
    method = told(InputNoise(stddev=0.4), [(1, 6)])
    noise = noise_of(method, steps=20_000, batch=20)
    every = tf.function(
        lambda noise: tf.map_fn(lambda drawn: method.examples(x, None, drawn)[0], noise, fn_output_signature=tf.float32)
    )
    noisy = every(noise).numpy().reshape(-1, 6).astype(float)
    found = np.linalg.lstsq(noisy, np.tile(y, 20_000), rcond=None)[0]
    expected = np.linalg.solve(x.T @ x / 20 + 0.4**2 * np.eye(6), x.T @ y / 20)
    np.testing.assert_allclose(found, expected, atol=0.01)
    assert np.abs(np.linalg.lstsq(x, y, rcond=None)[0] - expected).max() > 0.1


@pytest.mark.parametrize("alpha", [0.1, 0.4, 1.0, 8.0])
def test_mixups_shares_have_the_beta_distribution(alpha):
    """Kolmogorov and Smirnov's distance; not at 1 itself, to which float32 rounds a tenth of the numbers for 0.1."""
    law, places = stats.beta(alpha, alpha), np.linspace(0, 0.999, 2000)
    count = 40_000
    drawn = np.sort(noise_of(told(Mixup(alpha=alpha)), steps=count).numpy())
    distance = np.abs(np.searchsorted(drawn, places, "right") / count - law.cdf(places)).max()
    assert distance * np.sqrt(count) < 1.95  # one of a thousand right samples is farther
    uniform = np.linspace(0, 1, 100_003)[1:-1].astype(np.float32)
    table = beta(tf.constant(uniform), alpha).numpy()
    assert (np.diff(table) >= 0).all() and table.min() >= 0 and table.max() <= 1
    near = table < 0.999
    assert np.abs(law.cdf(table.astype(float)) - uniform)[near].max() < 1 / CELLS


def test_mixup_mixes_each_example_and_its_target_with_the_one_before():
    rng = np.random.default_rng(1)
    x, y = rng.uniform(size=(5, 7)).astype(np.float32), np.eye(5, dtype=np.float32)
    for share in (0.0, 0.3, 1.0):
        found = told(Mixup(alpha=0.2)).examples(tf.constant(x), tf.constant(y), tf.constant(share))
        for values, one in zip((x, y), found, strict=True):
            np.testing.assert_allclose(one, share * values + (1 - share) * np.roll(values, 1, 0), rtol=1e-6)
    np.testing.assert_array_equal(mixed(tf.constant(x), tf.constant(1.0)), x)
