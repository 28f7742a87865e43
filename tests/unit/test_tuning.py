"""Selection: by validation accuracy alone, ties and diverged runs included."""

import inspect
import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from regatlas import measurements, tuning
from regatlas.tables import METRICS, RUN_COLUMNS, TUNING_COLUMNS, selected_runs, typed

NAN = float("nan")
accuracies = st.one_of(st.just(NAN), st.integers(0, 20).map(lambda n: n / 20))


@pytest.mark.parametrize(
    ("validation", "expected"),
    [
        ([[0.5, 0.7], [0.9, 0.6]], 1),
        ([[0.5, 0.7], [0.7, 0.5], [0.6, 0.6]], 0),  # a tie: the first in the grid's order
        ([[0.1, 0.2, 0.6], [0.3, 0.3, 0.3]], 0),  # one in exact numbers, not in binary
        ([[0.1, 0.7, 0.4], [0.4, 0.4, 0.4]], 0),  # ... and where the second is the larger one in binary
        ([[0.5, 0.5], [NAN, 0.9]], 0),  # a diverged run rules a point out ...
        ([[NAN, 0.5], [NAN, 0.9]], 1),  # ... unless every point has one
        ([[NAN, NAN], [NAN, 0.1]], 1),
        ([[NAN], [NAN]], 0),
        ([[0.3]], 0),
    ],
)
def test_the_best_mean_is_selected(validation, expected):
    assert tuning.select(np.array(validation)) == expected


@given(st.lists(st.lists(accuracies, min_size=3, max_size=3), min_size=1, max_size=6))
def test_selection_against_brute_force(validation):
    whole = [row for row in validation if not np.isnan(row).any()]
    means = [np.nanmean(row) if not np.isnan(row).all() and (not whole or row in whole) else -1.0 for row in validation]
    found = tuning.select(np.array(validation))
    assert means[found] == pytest.approx(max(means))
    assert all(mean < means[found] - 1e-13 for mean in means[:found])


def row(method, point, seed, validation, test, values=None, status="finished"):
    values = {"strength": 10.0**-point} if values is None else values
    known = {"validation_accuracy": validation, "test_accuracy": test} if status == "finished" else {}
    metrics = dict.fromkeys(METRICS, 0.5 if known else None)
    return dict.fromkeys(RUN_COLUMNS) | metrics | known | {
        "method": method, "point": point, "seed": seed, "values": json.dumps(values), "status": status, "selected": 0,
    }  # fmt: skip


def test_what_selects_gets_no_test_result():
    """Neither by its signature nor by what it is called with; so whatever the tests say, the choice is the same."""
    assert list(inspect.signature(tuning.select).parameters) == ["validation"]
    assert list(inspect.signature(tuning.selected).parameters) == ["methods", "points", "validation"]
    rows = [row("l2", point, seed, 0.9 - 0.1 * point, 0.1 * point) for point in (0, 1, 2) for seed in (0, 1)]
    expected = measurements._select(rows)
    assert expected.tolist() == [True] * 2 + [False] * 4
    withheld = [
        {key: "unreadable" if key.startswith("test") else value for key, value in entry.items()} for entry in rows
    ]
    assert measurements._select(withheld).tolist() == expected.tolist()
    without = [{key: value for key, value in entry.items() if not key.startswith("test")} for entry in rows]
    assert measurements._select(without).tolist() == expected.tolist()


def test_every_method_has_its_own_selection():
    rows = [row("b", 0, 0, 0.1, 0), row("a", 0, 0, 0.3, 0), row("a", 1, 0, 0.4, 0), row("b", 1, 0, 0.05, 0)]
    assert measurements._select(rows).tolist() == [True, False, True, False]


def test_a_point_with_fewer_runs_counts_as_one_with_diverged_runs():
    rows = [row("a", 0, seed, 0.3, 0) for seed in (0, 1, 2)] + [row("a", 1, 2, 0.4, 0)]
    assert measurements._select(rows).tolist() == [True, True, True, False]
    assert measurements._select(rows[1:]).tolist() == [True, True, False]
    assert measurements._select(rows[3:]).tolist() == [True]


def test_the_summary_of_points():
    rows = [row("l2", p, s, 0.6 + 0.1 * (p == 1) + 0.01 * s, 0.4 + p / 10) for p in (0, 1, 2) for s in (0, 1, 2)]
    rows += [row("l2", 3, s, 0.99, 0.9, status="diverged" if s == 1 else "finished") for s in (0, 1, 2)]
    rows += [row("none", 0, s, 0.5, 0.5, {}) for s in (0, 1, 2)]
    for entry, mine in zip(rows, measurements._select(rows), strict=True):
        entry["selected"] = int(mine)
    table = typed(pd.DataFrame(rows, columns=RUN_COLUMNS))
    found = tuning.summary(table)
    assert list(found.columns) == TUNING_COLUMNS
    assert list(zip(found["method"], found["point"], strict=True)) == [*(("l2", p) for p in range(4)), ("none", 0)]
    assert found["selected"].tolist() == [0, 1, 0, 0, 1] and found["at_edge"].tolist() == [0] * 5
    assert found["seeds"].tolist() == [3, 3, 3, 2, 3] and found["diverged"].tolist() == [0, 0, 0, 1, 0]
    one = found.iloc[1]
    assert one["validation_accuracy"] == pytest.approx(0.71) and one["test_accuracy"] == pytest.approx(0.5)
    half = 4.302653 * 0.01 / np.sqrt(3)
    assert one["validation_accuracy_high"] - 0.71 == pytest.approx(half, rel=1e-5)
    assert set(zip(selected_runs(table)["method"], selected_runs(table)["point"], strict=True)) == {
        ("l2", 1),
        ("none", 0),
    }


@pytest.mark.parametrize(("best", "at_edge"), [(0, 1), (1, 0), (2, 1)])
def test_the_edge_of_a_grid(best, at_edge):
    rows = [
        row("l2", point, 0, 0.5 + 0.1 * (point == best), 0.5) | {"selected": int(point == best)} for point in range(3)
    ]
    found = tuning.summary(typed(pd.DataFrame(rows, columns=RUN_COLUMNS)))
    assert found["at_edge"].tolist() == [at_edge * (point == best) for point in range(3)]
