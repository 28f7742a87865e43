"""Random numbers of the training graph: their distributions, and what they depend on."""

import numpy as np
import pytest
import scipy.stats
import tensorflow as tf

from regatlas.randomness import Random, key_of, normal_quantile, threefry, unpacked_normal


def drawn(draw, seed=3, purpose="test", counter=0):
    compiled = tf.function(lambda key, counter: draw(Random(key, purpose, counter)), jit_compile=True)
    return tf.nest.map_structure(np.array, compiled(tf.constant(key_of(seed)), tf.constant(counter, tf.int64)))


def test_numbers_have_their_distributions_and_differ_from_call_to_call():
    first, second, numbers, mask = drawn(
        lambda random: (
            random.normal([200, 300]), random.normal([200, 300]), random.uniform([200, 300]), random.keep([30, 40], 0.5)
        )
    )  # fmt: skip
    assert abs(first.mean()) < 0.02
    assert abs(first.std() - 1) < 0.02
    assert abs((first**4).mean() - 3) < 0.15 and 3.5 < np.abs(first).max() < 6
    assert abs(np.corrcoef(first.ravel(), second.ravel())[0, 1]) < 0.02
    assert numbers.min() > 0 and numbers.max() < 1
    assert abs(np.histogram(numbers, 20, (0, 1))[0] - 3000).max() < 6 * np.sqrt(3000)
    assert mask.dtype == bool and set(np.unique(mask)) == {False, True}


@pytest.mark.parametrize("draw", [lambda r: r.normal([50]), lambda r: r.keep([7, 33], 0.5), lambda r: r.uniform([9])])
def test_numbers_are_those_of_key_purpose_and_counter(draw):
    assert drawn(draw).tobytes() == drawn(draw).tobytes()
    others = [drawn(draw, seed=4), drawn(draw, purpose="other"), drawn(draw, counter=1), drawn(draw)]
    assert len({other.tobytes() for other in others}) == 4


def test_unchanging_numbers_are_those_of_key_and_purpose_alone():
    def draw(random):
        return random.unchanging().normal([50])

    assert drawn(draw, counter=0).tobytes() == drawn(draw, counter=9).tobytes()

    def second(random):
        random.unchanging()
        return draw(random)

    others = [drawn(draw), drawn(draw, seed=4), drawn(draw, purpose="other"), drawn(lambda random: random.normal([50]))]
    others.append(drawn(second))
    assert len({other.tobytes() for other in others}) == 5


def test_keys_of_seeds_differ_and_are_not_negative():
    keys = [int(key_of(seed)) for seed in range(1000)]
    assert len(set(keys)) == 1000
    assert min(keys) >= 0


@pytest.mark.parametrize(
    "key, counter, words",
    [
        ([0, 0], [0, 0], [0x9D1C5EC6, 0x8BD50731]),
        ([0xFFFFFFFF] * 2, [0xFFFFFFFF] * 2, [0xFD36D048, 0x2D17272C]),
        ([0x13198A2E, 0x03707344], [0x243F6A88, 0x85A308D3], [0xBA3E4725, 0xF27D669E]),
    ],
)
def test_threefry_gives_the_words_of_its_authors(key, counter, words):
    """The known answers of Random123, the library of Salmon et al. 2011, for 13 rounds."""
    found = threefry(*(tuple(tf.constant(word, tf.uint32) for word in pair) for pair in (key, counter)))
    assert [int(word) for word in found] == words


def test_normal_numbers_are_quantiles_of_the_normal_distribution():
    numbers = np.arange(1 << 16)
    found = tf.function(normal_quantile, jit_compile=True)(tf.constant(numbers, tf.uint32)).numpy()
    assert np.abs(found - scipy.stats.norm.ppf((numbers + 0.5) / len(numbers))).max() < 4e-4
    assert abs((found.astype(float) ** 2).mean() - 1) < 1.1e-4
    assert (found == -found[::-1]).all()


@pytest.mark.parametrize("shape", [[1], [7], [3, 5], [2, 3, 4]])
def test_any_shape_is_filled_with_numbers_of_its_own(shape):
    for numbers in drawn(lambda random: (random.bits(shape), random.uniform(shape), random.normal(shape))):
        assert numbers.shape == tuple(shape)
        assert len(np.unique(numbers)) == numbers.size


@pytest.mark.parametrize("batch", [1, 2, 7])
def test_packed_normal_numbers_are_a_half_word_each(batch):
    """Of a step's words the lower halves, then the upper ones, as far as the batch needs them."""
    words = drawn(lambda random: random.packed_normal([3, batch, 5]))
    assert words.shape == (3, -(-batch // 2), 5)
    halves = np.concatenate([words[2] & 0xFFFF, words[2] >> 16])[:batch]
    found = unpacked_normal(tf.constant(words[2]), batch, 0.3).numpy()
    assert found.shape == (batch, 5)
    assert np.allclose(found, 0.3 * scipy.stats.norm.ppf((halves + 0.5) / (1 << 16)), rtol=0, atol=2e-4)
    assert len(np.unique(halves)) == halves.size


def test_normal_numbers_are_independent_of_their_neighbours():
    """Of those beside them, from the same counter, and of those half a draw away, from the same word or its twin."""
    numbers = drawn(lambda random: random.normal([400_000]))
    for lag in (1, 2, 100_000, 199_999, 200_000, 200_001, 300_000):
        for power in (1, 2):
            values = numbers**power - (numbers**power).mean()
            correlation = (values[lag:] * values[:-lag]).mean() / values.var()
            assert abs(correlation) < 5 / np.sqrt(len(values) - lag)
