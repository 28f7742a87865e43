"""Random numbers of the training graph: their distributions, and what they depend on."""

import numpy as np
import pytest
import tensorflow as tf

from regatlas.randomness import Random, key_of


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
    others = [drawn(draw), drawn(draw, seed=4), drawn(draw, purpose="other"), drawn(lambda random: random.normal([50]))]
    assert len({other.tobytes() for other in others}) == 4


def test_keys_of_seeds_differ_and_are_not_negative():
    keys = [int(key_of(seed)) for seed in range(1000)]
    assert len(set(keys)) == 1000
    assert min(keys) >= 0
