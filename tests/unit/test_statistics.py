import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.weightstats import DescrStatsW

from regatlas.statistics import jackknife, paired_difference, paired_ratio, t_interval

accuracies = st.lists(st.integers(0, 10_000).map(lambda right: right / 10_000), min_size=2, max_size=12)


def spread(values):
    return np.ptp(values) > 1e-9


def test_t_interval_by_hand():
    # Mean 2, sd 1, n 3: half-width t(.975, 2) / sqrt(3), t(.975, 2) = 4.302653 from a printed table.
    assert t_interval([1, 2, 3]) == pytest.approx((2, 2 - 4.302653 / 3**0.5, 2 + 4.302653 / 3**0.5))


@given(accuracies.filter(spread), st.sampled_from([0.9, 0.95, 0.99]))
def test_t_interval_agrees_with_statsmodels(values, level):
    described = DescrStatsW(values)
    expected = described.mean, *described.tconfint_mean(1 - level)
    assert t_interval(values, level) == pytest.approx(expected, abs=1e-9)


def test_t_interval_of_none_one_and_equal_values():
    assert all(map(math.isnan, t_interval([])))
    mean, low, high = t_interval([0.9])
    assert mean == 0.9 and math.isnan(low) and math.isnan(high)
    assert t_interval([0.1] * 3) == (0.1, 0.1, 0.1)  # 0.1 + 0.1 + 0.1 is more than 0.3 in binary
    mean, low, high = t_interval([0.9, 0.9])  # two may agree by chance
    assert mean == 0.9 and math.isnan(low) and math.isnan(high)


def test_t_interval_leaves_out_what_is_not_a_number():
    assert t_interval([1, float("nan"), 2, float("inf"), 3]) == t_interval([1, 2, 3])


def test_coverage_of_the_t_interval_is_what_it_says():
    samples = np.random.default_rng(0).normal(5, 2, (2000, 4))
    covered = [low <= 5 <= high for _, low, high in map(t_interval, samples)]
    assert np.mean(covered) == pytest.approx(0.95, abs=0.015)


@given(accuracies, st.data())
def test_paired_difference_agrees_with_scipy(ours, data):
    theirs = data.draw(st.lists(st.sampled_from(ours), min_size=len(ours), max_size=len(ours)))
    if not spread(np.subtract(ours, theirs)):
        return
    interval, p = paired_difference(dict(enumerate(ours)), dict(enumerate(theirs)))
    oracle = stats.ttest_rel(ours, theirs)
    assert p == pytest.approx(oracle.pvalue, rel=1e-6)
    limits = oracle.confidence_interval(0.95)
    expected = np.mean(ours) - np.mean(theirs), limits.low, limits.high
    assert interval == pytest.approx(expected, abs=1e-9)


def test_only_seeds_that_both_have_are_paired():
    ours = {3: 0.7, 0: 0.9, 7: 0.1, 1: 0.8, 2: float("nan")}
    theirs = {1: 0.75, 0: 0.8, 3: 0.68, 2: 0.5, 9: 0.2}
    interval, p = paired_difference(ours, theirs)
    oracle = stats.ttest_rel([0.9, 0.8, 0.7], [0.8, 0.75, 0.68])
    assert interval.mean == pytest.approx(0.17 / 3)
    assert p == pytest.approx(oracle.pvalue)


def test_pairing_is_sharper_than_comparing_means():
    # Seeds differ much, methods little and always the same way.
    theirs = {0: 0.90, 1: 0.92, 2: 0.94, 3: 0.96}
    ours = {0: 0.911, 1: 0.930, 2: 0.951, 3: 0.970}
    assert paired_difference(ours, theirs)[1] < 0.001
    assert stats.ttest_ind(list(ours.values()), list(theirs.values())).pvalue > 0.5


def test_differences_of_few_or_equal_seeds():
    interval, p = paired_difference({}, {0: 0.9})
    assert all(map(math.isnan, (*interval, p)))
    interval, p = paired_difference({0: 0.75, 5: 0.3}, {0: 0.5})
    assert interval.mean == 0.25 and all(map(math.isnan, (interval.low, interval.high, p)))
    three = {0: 0.5, 1: 0.75, 2: 0.625}
    assert paired_difference(three, three) == ((0, 0, 0), 1)
    assert paired_difference(three, {0: 0.25, 1: 0.5, 2: 0.375}) == ((0.25, 0.25, 0.25), 0)


def test_two_equal_differences_tell_nothing_of_their_spread():
    same, p = paired_difference({0: 0.5, 1: 0.75}, {0: 0.5, 1: 0.75})
    assert same.mean == 0 and math.isnan(same.low) and math.isnan(same.high) and p == 1
    for ours, theirs in (({0: 0.5, 1: 0.75}, {0: 0.25, 1: 0.5}), ({0: 0.901, 1: 0.911}, {0: 0.9, 1: 0.91})):
        interval, p = paired_difference(ours, theirs)  # the second pair differs by rounding alone
        assert interval.mean == pytest.approx(ours[0] - theirs[0]) and all(map(math.isnan, (*interval[1:], p)))


@given(st.lists(st.integers(0, 1000).map(float), min_size=3, max_size=12))
def test_the_jackknife_of_a_mean_is_its_t_interval(values):
    without = [np.mean(values[:i] + values[i + 1 :]) for i in range(len(values))]
    assert jackknife(np.mean(values), without) == pytest.approx(t_interval(values), abs=1e-6)


def test_the_jackknife_needs_three_units_that_can_each_be_left_out():
    for without in ([], [1.0], [1.0, 2.0], [1.0, 2.0, float("nan")]):
        value, low, high = jackknife(1.5, without)
        assert value == 1.5 and math.isnan(low) and math.isnan(high)


def test_paired_ratio_by_hand():
    # Ratios 1 and 4: geometric mean 2; logs 0 and ln 4, half-width t(.975, 1) ln(4) / 2, t = 12.7062.
    half = 12.7062 * math.log(4) / 2
    expected = 2, 2 * math.exp(-half), 2 * math.exp(half)
    assert paired_ratio({0: 30, 1: 40}, {0: 30, 1: 10}) == pytest.approx(expected, rel=1e-4)


@given(st.lists(st.tuples(*[st.floats(1, 1000)] * 2), min_size=2, max_size=8))
def test_paired_ratio_turned_round_is_its_reciprocal(times):
    ours, theirs = (dict(enumerate(values)) for values in zip(*times, strict=True))
    mean, low, high = paired_ratio(ours, theirs)
    back = paired_ratio(theirs, ours)
    if math.isnan(low):
        assert len(times) == 2 and np.ptp([one / other for one, other in times]) < 1e-4
    else:
        assert low <= mean * (1 + 1e-9) and mean <= high * (1 + 1e-9)
    logs = np.log([mean, high, low])
    assert np.log(back) == pytest.approx(-logs, abs=1e-6, nan_ok=True)


@pytest.mark.filterwarnings("error")
def test_paired_ratio_leaves_out_seeds_without_a_time():
    ours, theirs = {0: 30.0, 1: 0.0, 2: float("nan"), 3: 60.0}, {0: 15.0, 1: 10.0, 2: 10.0, 4: 1.0}
    mean, low, high = paired_ratio(ours, theirs)
    assert mean == pytest.approx(2) and math.isnan(low) and math.isnan(high)
    assert all(map(math.isnan, paired_ratio({0: 1.0}, {1: 1.0})))
