"""Sign flips and the crossed bootstrap, against other programs, brute force, and their own promises."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from regatlas import resampling
from regatlas.resampling import crossed_bootstrap, seeds_needed, sign_flips

NAN = float("nan")
differences = st.integers(-40, 40).map(lambda n: n / 16)  # exact in binary, so that ties are ties


def statistic(values):
    size = np.sqrt(np.sum(values**2, axis=0))
    return np.abs(values.sum(axis=0)) / np.where(size, size, 1)


def brute_force(values):
    """Single-step max-T by trying every flip, [methods]."""
    flips = [np.array(signs)[:, None] for signs in itertools.product((1, -1), repeat=len(values))]
    largest = np.array([statistic(signs * values).max() for signs in flips])
    return np.array([np.mean(largest >= one - 1e-9) for one in statistic(values)])


@given(st.lists(differences, min_size=6, max_size=9))
@settings(max_examples=40, deadline=None)
def test_one_method_agrees_with_scipy(values):
    values = np.array(values)
    oracle = stats.permutation_test(
        (values,), np.sum, permutation_type="samples", n_resamples=np.inf, alternative="two-sided"
    )
    assert sign_flips(values[:, None]).p[0] == pytest.approx(oracle.pvalue, abs=1e-12)


@given(st.integers(6, 7), st.integers(1, 4), st.randoms(use_true_random=False))
@settings(max_examples=25, deadline=None)
def test_several_methods_agree_with_brute_force(seeds, methods, random):
    values = np.array([[random.randint(-20, 25) / 8 for _ in range(methods)] for _ in range(seeds)])
    found = sign_flips(values)
    assert found.p == pytest.approx(brute_force(values), abs=1e-12)
    assert np.all((found.low <= values.mean(axis=0)) & (values.mean(axis=0) <= found.high))


def accepted(values, candidate, alpha):
    """Whether the exact sign-flip test of one method accepts a mean difference of ``candidate``."""
    return brute_force((values - candidate)[:, None])[0] >= alpha


@given(st.lists(differences, min_size=6, max_size=8, unique=True), st.sampled_from([0.8, 0.9, 0.95]))
@settings(max_examples=20, deadline=None)
def test_the_interval_of_one_method_is_what_the_test_accepts(values, level):
    values = np.array(values)
    found = sign_flips(values[:, None], level)
    low, high = found.low[0], found.high[0]
    step = 1e-6
    assert accepted(values, low + step, 1 - level) and accepted(values, high - step, 1 - level)
    assert not accepted(values, low - step, 1 - level) and not accepted(values, high + step, 1 - level)


def test_six_seeds_by_hand():
    # 2 of the 64 flips leave all six alike in sign: p is 1/32, and the interval goes from the least to the largest.
    values = np.array([0.2, 0.1, 0.4, 0.3, 0.6, 0.5])[:, None]
    found = sign_flips(values)
    assert found.p[0] == 1 / 32 and (found.low[0], found.high[0]) == pytest.approx((0.1, 0.6))
    assert sign_flips(-values).high[0] == pytest.approx(-0.1)


def test_more_methods_make_larger_p_values_and_wider_intervals():
    values = np.random.default_rng(3).normal(0.6, 1, (9, 5))
    alone, together = sign_flips(values[:, :1]), sign_flips(values)
    assert together.p[0] > alone.p[0]
    assert together.low[0] < alone.low[0] and together.high[0] > alone.high[0]
    copies = sign_flips(np.repeat(values[:, :1], 5, axis=1))  # the same method again asks nothing new
    assert copies.p == pytest.approx([alone.p[0]] * 5)


def test_fewer_seeds_than_needed_decide_nothing_and_disturb_nobody():
    assert [seeds_needed(level) for level in (0.8, 0.9, 0.95, 0.99)] == [4, 5, 6, 8]
    assert seeds_needed(0.9375) == 6  # 2^-4 is not below 1 - level
    values = np.random.default_rng(0).normal(3, 1, (7, 3))
    values[2:, 1] = NAN
    found = sign_flips(values)
    without = sign_flips(values[:, [0, 2]])
    assert np.isnan([found.p[1], found.low[1], found.high[1]]).all()
    for name in ("p", "low", "high"):
        assert getattr(found, name)[[0, 2]].tolist() == getattr(without, name).tolist()
    for seeds in range(6):
        assert np.isnan(np.array(sign_flips(values[:seeds, :1]))).all()
    assert np.isfinite(np.array(sign_flips(values[:6, :1]))).all()
    assert np.array(sign_flips(np.zeros((7, 0)))).shape == (3, 0)


def test_a_method_that_lacks_a_seed_is_tested_with_those_it_has():
    values = np.random.default_rng(1).normal(1, 1, (8, 1))
    with_gap = np.insert(values, 3, NAN, axis=0)
    assert np.array(sign_flips(with_gap)) == pytest.approx(np.array(sign_flips(values)))


def test_an_interval_beside_a_method_with_more_seeds_is_what_the_test_accepts():
    values = np.random.default_rng(2).normal(1, 1, (12, 2))
    values[6:, 0] = NAN
    found = sign_flips(values)
    flips = [np.array(signs) for signs in itertools.product((1, -1), repeat=12)]
    rest = values[:, 1] - values[:, 1].mean()
    others = np.array([statistic((signs * rest)[:, None])[0] for signs in flips])

    def share(candidate):
        mine = values[:6, 0] - candidate
        own = np.array([statistic((signs[:6] * mine)[:, None])[0] for signs in flips])
        return np.mean(np.maximum(own, others) >= statistic(mine[:, None])[0] - 1e-9)

    for end, outwards in ((found.low[0], -1e-6), (found.high[0], 1e-6)):
        assert share(end - outwards) >= 0.05 > share(end + outwards)


def test_differences_that_are_all_equal():
    found = sign_flips(np.stack([np.zeros(6), np.full(6, 0.1)], axis=1))
    assert found.p.tolist() == [1, 1 / 32]
    other = np.random.default_rng(0).normal(1, 1, (10, 1))
    beside, alone = sign_flips(np.hstack([other, np.full((10, 1), 0.3)])), sign_flips(other)
    ends = alone.low[0], alone.high[0]
    assert (beside.low[0], beside.high[0]) == pytest.approx(ends)  # what does not vary widens no other's
    assert found.low == pytest.approx([0, 0.1]) and found.high == pytest.approx([0, 0.1])


def test_many_seeds_take_random_flips_that_agree_with_all_flips(monkeypatch):
    values = np.random.default_rng(5).normal(0.55, 1, (14, 3))
    exact = sign_flips(values)
    monkeypatch.setattr(resampling, "ENUMERATED", 13)
    found, again = sign_flips(values), sign_flips(values)
    assert found.p == pytest.approx(exact.p, abs=0.01) and (found.p != exact.p).any()
    assert np.array(found).tolist() == np.array(again).tolist()
    for name in ("low", "high"):
        assert getattr(found, name) == pytest.approx(getattr(exact, name), abs=0.05)
    assert sign_flips(np.repeat(values, 3, axis=0) + 100).p == pytest.approx([1 / 20_001] * 3)  # never zero


@pytest.mark.parametrize(("seeds", "methods", "shape"), [(8, 5, "normal"), (10, 3, "heavy")])
def test_the_family_wise_error_is_what_it_says(seeds, methods, shape):
    """1,000 studies in which no method differs: about 5 % of them have a false rejection."""
    rng = np.random.default_rng(20)
    draw = rng.standard_normal if shape == "normal" else lambda size: rng.standard_t(2, size)
    rejected = covered = 0
    for _ in range(1000):
        common = draw((seeds, 1))  # the baseline's noise is in every difference
        found = sign_flips(draw((seeds, methods)) - common)
        rejected += (found.p < 0.05).any()
        covered += ((found.low <= 0) & (found.high >= 0)).all()
    assert 0.025 < rejected / 1000 < 0.066  # three standard errors about 0.03 to 0.05, as p-values are discrete
    assert 0.925 < covered / 1000 < 0.985


def test_true_differences_are_covered_all_at_once():
    rng = np.random.default_rng(4)
    centre = np.array([0.0, 1.0, -30.0, 0.3])
    false = covered = 0
    for _ in range(600):
        found = sign_flips(centre + rng.standard_normal((9, 4)) + rng.standard_normal((9, 1)))
        false += found.p[0] < 0.05
        covered += ((found.low <= centre) & (centre <= found.high)).all()
    assert false / 600 < 0.075
    assert 0.92 < covered / 600 < 0.985


# The crossed bootstrap


def test_the_bootstrap_against_a_plain_loop():
    rng = np.random.default_rng(8)
    cells = rng.integers(-1, 2, (5, 40)) + (np.arange(5)[:, None] == 0)
    means = []
    for _ in range(4000):
        rows, columns = rng.integers(0, 5, 5), rng.integers(0, 40, 40)
        means.append(cells[np.ix_(rows, columns)].mean())
    assert crossed_bootstrap([cells])[0] == pytest.approx(np.quantile(means, [0.025, 0.975]), abs=0.02)


def test_the_bootstrap_knows_both_sources():
    rng = np.random.default_rng(2)
    alike = np.repeat(rng.integers(-1, 2, (1, 400)), 8, axis=0)  # seeds do not differ
    low, high = crossed_bootstrap([alike])[0]
    assert (high - low) / 3.92 == pytest.approx(alike[0].std() / 20, rel=0.08)
    apart = np.repeat(np.array([[1], [-1]] * 15), 50, axis=1)  # images do not differ
    low, high = crossed_bootstrap([apart])[0]
    assert (high - low) / 3.92 == pytest.approx(1 / np.sqrt(30), rel=0.08)
    narrow, wide = crossed_bootstrap([alike], 0.5)[0], crossed_bootstrap([alike], 0.99)[0]
    assert wide[0] < narrow[0] < narrow[1] < wide[1]


def test_the_bootstrap_covers_the_truth():
    """Seeds and images as random effects: the interval is of both, and errs to the wide side."""
    rng = np.random.default_rng(6)
    covered = 0
    for _ in range(120):
        seed, image = rng.normal(0, 0.3, (12, 1)), rng.normal(0, 0.5, (1, 60))
        cells = (rng.random((12, 60)) < stats.norm.cdf(seed + image)).astype(int) * 2 - 1
        low, high = crossed_bootstrap([cells])[0]
        covered += low <= 0 <= high
    assert covered >= 105


def test_the_bootstrap_of_few_seeds_and_of_different_numbers():
    rng = np.random.default_rng(0)
    several = [rng.integers(-1, 2, (seeds, 30)) for seeds in (0, 1, 4, 2)]
    found = crossed_bootstrap(several)
    assert np.isnan(found).all(axis=1).tolist() == [True, True, False, False]
    assert found.tolist()[2:] == crossed_bootstrap(several).tolist()[2:]  # the same numbers again
    assert crossed_bootstrap([]).shape == (0, 2) and np.isnan(crossed_bootstrap(several[:2])).all()
