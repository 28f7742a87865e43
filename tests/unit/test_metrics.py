import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from regatlas import metrics

unit = st.floats(0, 1, width=32)
predictions = st.lists(st.tuples(unit, st.booleans()), min_size=1, max_size=60)


def test_accuracy_is_a_fraction():
    assert metrics.accuracy(np.array([1, 2, 3, 4], np.uint8), np.array([1, 2, 0, 4], np.uint8)) == 0.75


def test_negative_log_likelihood_by_hand():
    probability = np.array([1.0, 0.5, 0.25, 0.125], np.float32)
    assert metrics.negative_log_likelihood(probability) == pytest.approx(np.log(2) * (0 + 1 + 2 + 3) / 4)


def test_negative_log_likelihood_of_an_impossible_truth_is_finite_and_large():
    assert 80 < metrics.negative_log_likelihood(np.array([0.0], np.float32)) < 90


def test_calibration_error_by_hand():
    # Bin (9/15, 10/15]: confidence .61 and .65, one right: |1.26 - 1| = .26; bin (14/15, 1]: .95 right, .99
    # wrong: |1.94 - 1| = .94; bin (7/15, 8/15]: .5 wrong: .5. Sum over five images.
    confidence = np.array([0.61, 0.95, 0.65, 0.99, 0.5])
    correct = np.array([True, True, False, False, False])
    expected = (0.26 + 0.94 + 0.5) / 5
    assert metrics.expected_calibration_error(confidence, correct) == pytest.approx(expected)


def test_calibration_bins_include_their_upper_end():
    # With two bins 0.5 belongs to the first, where the two gaps cancel; with the last it would not.
    confidence, correct = np.array([0.25, 0.5]), np.array([True, False])
    assert metrics.expected_calibration_error(confidence, correct, bins=2) == pytest.approx(0.25 / 2)
    confidence = np.array([0.5, 0.75])
    assert metrics.expected_calibration_error(confidence, correct, bins=2) == pytest.approx((0.5 + 0.75) / 2)


def test_calibration_takes_a_confidence_of_zero_and_one_just_above_one():
    confidence = np.array([0.0, np.nextafter(np.float32(1), np.float32(2))], np.float32)
    assert metrics.expected_calibration_error(confidence, np.array([False, True])) == pytest.approx(0, abs=1e-6)


@given(predictions)
def test_calibration_error_agrees_with_its_definition(images):
    edges = np.arange(16) / 15
    total = 0.0
    for low, high in itertools.pairwise(edges):
        inside = [(c, right) for c, right in images if low < c <= high or (c == 0 and low == 0)]
        if inside:
            confidence, right = np.mean(inside, axis=0)
            total += len(inside) / len(images) * abs(right - confidence)
    confidence, correct = (np.array(values) for values in zip(*images, strict=True))
    assert metrics.expected_calibration_error(confidence, correct) == pytest.approx(total, abs=1e-9)


@given(predictions)
def test_calibration_error_is_bounded_by_the_overall_gap_and_one(images):
    confidence, correct = (np.array(values) for values in zip(*images, strict=True))
    error = metrics.expected_calibration_error(confidence, correct)
    assert abs(confidence.mean() - correct.mean()) - 1e-9 <= error <= 1 + 1e-9
