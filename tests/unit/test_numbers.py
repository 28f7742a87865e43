"""Numbers as tables and sentences show them."""

import math

import pytest

from regatlas import numbers
from regatlas.numbers import DASH, MINUS, SPACE


@pytest.mark.parametrize(
    ("value", "form", "scale", "text"),
    [
        (-0.5, ".1f", 1, f"{MINUS}0.5"),
        (-0.001, ".2f", 1, "0.00"),
        (0.00001, "+.2f", 100, "0.00"),
        (0.145, "g", 100, "14.5"),
        (0.00035, ".3g", 100, "0.035"),
        (1e-20, ".1e", 1, f"1.0e{MINUS}20"),
        (None, ".2f", 100, DASH),
        (math.nan, ".2f", 1, DASH),
        (math.inf, ".2f", 1, DASH),
    ],
)
def test_a_number(value, form, scale, text):
    assert numbers.number(value, form, scale) == text


def test_a_fraction_is_rounded_in_percent_as_the_decimal_it_is():
    assert f"{0.00035 * 100:.2f}" == "0.03"  # the product is 0.034999999999999996
    row = {"accuracy": 0.00035, "accuracy_low": 0.0, "accuracy_high": 0.0007}
    assert numbers.percent(0.00035) == "0.04"
    assert numbers.bounds(row, "accuracy", ".2f", 100) == f"[0.00,{SPACE}0.07]"
    assert numbers.half_width(row, "accuracy") == f"0.04{SPACE}±{SPACE}0.04"
