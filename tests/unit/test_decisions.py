import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.proportion import proportion_confint
from statsmodels.stats.weightstats import ttost_paired

from regatlas.decisions import decide, equivalence, probability_better, undecidable

NAN = float("nan")
accuracies = st.lists(st.floats(0.5, 1, width=32), min_size=2, max_size=10)


@given(accuracies, st.floats(1e-3, 0.2), st.integers(0, 1000))
def test_equivalence_agrees_with_statsmodels(values, margin, number):
    values = np.array(values)
    other = values + np.random.default_rng(number).normal(0, 0.01, len(values))
    assume(np.ptp(values - other) > 1e-6)
    expected, _, _ = ttost_paired(values, other, -margin, margin)
    assert equivalence(values - other, margin) == pytest.approx(expected, rel=1e-6, abs=1e-12)


def test_equivalence_of_few_or_equal_values():
    assert math.isnan(equivalence(np.array([]), 0.1)) and math.isnan(equivalence(np.array([0.0]), 0.1))
    assert equivalence(np.zeros(3), 0.1) == 0 and equivalence(np.full(3, -0.2), 0.1) == 1
    assert equivalence(np.full(3, 0.1), 0.1) == 1  # at the margin is not within it
    for two in ([0.0, 0.0], [0.001, 0.001], [0.901 - 0.9, 0.911 - 0.91]):  # which may agree by chance
        assert math.isnan(equivalence(np.array(two), 0.1))


def test_equivalence_is_refused_as_often_as_it_says_at_the_margin():
    samples = np.random.default_rng(1).normal(0.02, 0.01, (4000, 8))
    assert np.mean([equivalence(sample, 0.02) < 0.05 for sample in samples]) == pytest.approx(0.05, abs=0.011)


@given(st.integers(0, 30), st.integers(0, 30), st.sampled_from([0.9, 0.95]))
def test_the_probability_of_being_better_agrees_with_statsmodels(wins, losses, level):
    assume(wins + losses)
    found = probability_better(np.array([1.0] * wins + [-0.5] * losses), level)
    low, high = proportion_confint(wins, wins + losses, 1 - level, "wilson")
    assert found == pytest.approx((wins / (wins + losses), low, high), abs=1e-12)


def test_ties_count_half():
    assert probability_better(np.array([0.0, 0.0, 1.0, -1.0])) == probability_better(np.array([1.0, 1.0, -1.0, -1.0]))
    assert probability_better(np.array([0.0])).mean == 0.5
    assert all(map(math.isnan, probability_better(np.array([]))))


def row(low, high, p, equivalent):
    names = ("difference_simultaneous_low", "difference_simultaneous_high", "p_adjusted", "p_equivalent")
    return dict(zip(names, (low, high, p, equivalent), strict=True))


@pytest.mark.parametrize(
    ("given_row", "level", "expected"),
    [
        (row(0.01, 0.02, 0.03, 0.9), 0.95, "better"),
        (row(-0.02, -0.01, 0.03, 0.9), 0.95, "worse"),
        (row(0.001, 0.0015, 0.03, 0.001), 0.95, "better"),  # small, and still better
        (row(-0.01, 0.02, 0.03, 0.9), 0.95, "undecided"),  # the interval holds zero
        (row(0.01, 0.02, 0.07, 0.9), 0.95, "undecided"),  # the p-value is too large
        (row(0.01, 0.02, 0.07, 0.9), 0.9, "better"),
        (row(-0.001, 0.001, 0.8, 0.01), 0.95, "equivalent"),
        (row(-0.001, 0.001, 0.8, 0.07), 0.95, "undecided"),
        (row(-0.001, 0.001, 0.8, 0.07), 0.9, "equivalent"),
        (row(NAN, NAN, NAN, 0.01), 0.95, "equivalent"),
        (row(NAN, NAN, NAN, NAN), 0.95, "undecided"),
    ],
)
def test_decisions(given_row, level, expected):
    assert decide(given_row, level) == expected


def test_what_too_few_seeds_cannot_decide():
    assert undecidable(6) == undecidable(5, 0.9) == ""
    assert "needs 6 seeds" in undecidable(5) and "there are 5" in undecidable(5) and "0.0625" in undecidable(5)
    assert undecidable(0).endswith("there are 0")
    assert undecidable(1).endswith(
        "and there is 1, so 1 is the smallest p-value that a sign-flip test of 1 seed can give"
    )
    smallest = stats.permutation_test((np.arange(1.0, 6),), np.sum, permutation_type="samples", n_resamples=np.inf)
    assert smallest.pvalue == 0.0625
