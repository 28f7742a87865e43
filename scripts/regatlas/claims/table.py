"""Claims about the post's setting and its table: data, bias, convergence, accuracies, runtimes, extreme weights."""

import dataclasses
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import special

from regatlas.claims.claim import (
    IMAGES,
    PERCENT,
    POINTS,
    REFUTED,
    SIDE_BY_SIDE,
    SUPPORTED,
    TIMES,
    UNDECIDED,
    WRONG,
    Answer,
    Lacking,
    Measurement,
    claim,
    every,
    mean,
    say,
    within,
)
from regatlas.claims.evidence import Evidence, Study
from regatlas.claims.studies import POSTS
from regatlas.numbers import count, known, listing, number, some
from regatlas.statistics import NAN, Interval, tell_spread

_MARGIN = 0.2  # points: differences up to this do not matter
_LOSS = 1.0  # percent of the training loss
_DECIMALS = 2  # that published weights and runtimes have at least


@claim(
    2,
    "MNIST has",
    "60k training examples",
    "Training images of every run, counted, against those of the training file.",
    "how",
)
def training_images(evidence: Evidence) -> Answer:
    used = evidence.own.finished["train_size"]
    if not len(used):
        raise Lacking(f"no run of the study {evidence.own.name} finished")
    file = int(evidence.sample.file_size)
    count = Measurement("images trained on", float(used.max()), n=len(used), unit=IMAGES, of="runs")
    all_of_them = bool((used == file).all())
    return Answer(
        SUPPORTED if all_of_them else WRONG,
        f"the training file has {file:,} images, and the runs, like the post's notebooks, "
        + ("use all of them" if all_of_them else f"train on {int(used.max()):,} of them"),
        (count,),
    )


@claim(
    3,
    "The network has",
    "no bias because meh",
    f"Test accuracy with a bias minus without, paired by seed, t interval against a margin of {_MARGIN} points.",
    "ladder#comparison controls#comparison",
    "ladder controls",
)
def bias(evidence: Evidence) -> Answer:
    found = []
    for study, without, with_bias, where in (
        ("ladder", "loss_none", "bias_none", "at the post's learning rate and length, with cross-entropy"),
        ("controls", "none_without_bias", "none", "ten epochs with cross-entropy"),
    ):
        if evidence.has(study, without, with_bias):
            one = evidence.others[study]
            found.append(one.difference(f"bias, {where}", with_bias, without, "test_accuracy", POINTS, 100))
    if not found:
        evidence.study("ladder")
        raise Lacking("no study has one network with and without bias")
    verdict = within(found[0], _MARGIN)
    return Answer(
        verdict,
        f"a bias changes test accuracy by {found[0].text()}"
        + say(
            verdict,
            f", which is less than {_MARGIN} points either way",
            f", which is more than {_MARGIN} points",
            f", which may or may not be less than {_MARGIN} points either way" if known(found[0].low) else "",
        ),
        tuple(found),
    )


@claim(
    4,
    "150,000 iterations are",
    "well beyond convergence",
    "Least-squares slope over the last third of each run's learning curve, as change over that third; t interval over "
    f"seeds. Converged: accuracy moves by less than {_MARGIN} points and the training loss by less than {_LOSS:g} %; "
    "refuted if a method's loss still falls by more.",
    "figure-learning_curves",
)
def convergence(evidence: Evidence) -> Answer:
    own = evidence.own
    if own.methods and (steps := int(own.table["steps"].max())) != POSTS["training"]["steps"]:
        raise Lacking(f"the study {own.name} trains for {count(steps, 'step')}")
    accuracies, losses = [], []
    for method in own.methods:
        drifts = [drift(curve) for curve in selected_curves(own, method)]
        if not np.isfinite(drifts).all():
            raise Lacking(f"the study {own.name} has too few evaluations in the last third of its runs")
        accuracies.append(
            mean(f"{own.label(method)}: change of the test accuracy", [a for a, _ in drifts], POINTS, 100)
        )
        losses.append(mean(f"{own.label(method)}: change of the training loss", [b for _, b in drifts], PERCENT, 100))
    if not accuracies:
        raise Lacking(f"no run of the study {own.name} finished")
    names = [own.label(method) for method in own.methods]
    falling = [f"{name} ({found:.1f} %)" for name, found in zip(names, losses, strict=True) if found.high < -_LOSS]
    flat = every(*(within(found, _MARGIN) for found in accuracies), *(within(found, _LOSS) for found in losses))
    verdict = REFUTED if falling else flat
    most = max(accuracies, key=lambda found: abs(found.value))
    steepest = max(losses, key=lambda found: abs(found.value))
    return Answer(
        verdict,
        "over the last third of training the mean test accuracy of no method moves by more than "
        f"{number(abs(most.value), '.2f')} points ({most.what.partition(':')[0]}), "
        + (
            f"but the training loss still falls for {listing(falling)}"
            if falling
            else f"and no training loss changes by {_LOSS:g} %"
            if every(*(within(found, _LOSS) for found in losses)) == SUPPORTED
            else f"and the training loss changes most for {steepest.what.partition(':')[0]} ({steepest:+.1f} %)"
        ),
        (*losses, *accuracies),
    )


def selected_curves(study: Study, method: str) -> list[pd.DataFrame]:
    """The learning curve of every finished run of a method's selected point, by seed."""
    if study.curves is None:
        raise Lacking(f"the study {study.name} has no learning curves")
    rows = study.rows(method)
    keys = rows[["seed", "point"]].itertuples(index=False)
    mine = study.curves[study.curves["method"] == method]
    return [mine[(mine["seed"] == seed) & (mine["point"] == point)].sort_values("step") for seed, point in keys]


def drift(curve: pd.DataFrame) -> tuple[float, float]:
    """How much test accuracy, and the training loss as a share of itself, change over the last third of a curve.

    The fitted line's change; NaN for a curve of fewer than three evaluations there.
    """
    last = curve[curve["step"] > curve["step"].max() * 2 / 3]
    if len(last) < 3:
        return NAN, NAN
    steps = last["step"].to_numpy(float)
    length = steps[-1] - steps[0]
    accuracy, loss = (np.polyfit(steps, last[name].to_numpy(float), 1)[0] for name in ("test_accuracy", "train_loss"))
    return float(accuracy * length), float(loss * length / last["train_loss"].mean())


def one_more(values: Sequence[float], level: float) -> Interval:
    """Where one more seed's value lies with this probability, if values are normal: mean +- t s sqrt(1 + 1/n)."""
    values = np.asarray(values, dtype=np.float64)
    values = values[np.isfinite(values)]
    if not tell_spread(values):
        return Interval(*values[:1])
    half = special.stdtrit(len(values) - 1, (1 + level) / 2) * np.std(values, ddof=1) * np.sqrt(1 + 1 / len(values))
    return Interval(float(values.mean()), float(values.mean() - half), float(values.mean() + half))


def rounding(published: float, decimals: int = _DECIMALS) -> float:
    """Half a unit of the last decimal of a published value that was printed with so many at least."""
    printed = np.format_float_positional(published, trim="-").partition(".")[2]
    return 0.5 * 10.0 ** -max(len(printed), decimals)


class Cell(NamedTuple):
    """A published value, and what was measured to hold it against."""

    name: str
    published: float
    found: Measurement
    low: float  # between which the published value may lie
    high: float
    wide: bool  # whether the interval is too wide to support it


def held_against(cells: Sequence[Cell], what: str, inside: str, too_wide: str, form: str) -> Answer:
    """Refuted if a published value lies outside, supported if all lie inside intervals that are not too wide.

    Args:
        what: what the number of values inside is called.
        inside, too_wide: words for where a value lies, and for what an interval does that tells nothing.
        form: of the values in words.
    """
    measured = [cell for cell in cells if known(cell.found.low)]
    misses = [cell for cell in measured if not cell.low <= cell.published <= cell.high]
    wide = [cell for cell in measured if cell.wide and cell not in misses]
    hits = len(measured) - len(misses)
    why = (
        f"{hits} of {count(len(measured), 'published value')} {'lies' if hits == 1 else 'lie'} {inside}"
        if measured
        else f"no interval to hold {count(len(cells), 'published value')} against, which takes two measured seeds"
    )
    if misses:
        text = [f"{one.name} ({number(one.found.value, form)} against {number(one.published, form)})" for one in misses]
        why += f"; not so {listing(text)}"
    if wide:
        why += f"; too wide to tell ({too_wide}): {some([cell.name for cell in wide], 3)}"
    if 0 < len(measured) < len(cells):
        left = len(cells) - len(measured)
        why += f"; {left} {'has' if left == 1 else 'have'} no interval"
    supported = len(measured) == len(cells) and not wide
    ranges = [cell.found for cell in cells]
    counted = Measurement(
        what, hits if measured else NAN, n=max(found.n or 0 for found in ranges), unit=f"of {len(measured)}"
    )
    verdict = REFUTED if misses else SUPPORTED if supported else UNDECIDED
    return Answer(verdict, why, (counted, *ranges))


def reproduced(
    own: Study, columns: Iterable[str], trivial: float, decimals: int = _DECIMALS, scale: float = 1, unit: str = ""
) -> Answer:
    """Whether every published value of these columns could be one more seed's.

    All ranges together hold with 95 %: each is widened by Bonferroni's correction. One that also holds what the table
    says of another method, or the trivial value, is too wide to tell anything.

    Args:
        trivial: a value of these columns that would be no news.
        decimals: that the values were printed with, at least.
        scale: of the ranges and of the values in words.
    """
    published = {
        (method, column): value
        for method in own.methods
        for column in columns
        if known(value := own.row(method)[f"published_{column}"])
    }
    if not published:
        raise Lacking(f"no method of the study {own.name} has a published value that was measured")
    cells = []
    for (method, column), value in published.items():
        values = list(own.values(method, column).values())
        found = one_more(values, 1 - 0.05 / len(published))
        name = own.label(method) + (f" ({column.removeprefix('weight_')})" if column.startswith("weight_") else "")
        slack = rounding(value, decimals)
        others = {trivial, *(other for (_, same), other in published.items() if same == column)} - {value}
        cells.append(
            Cell(
                name,
                value * scale,
                Measurement(
                    f"{name}, published {number(value * scale, '.4g')}",
                    *(end * scale for end in found),
                    len(values),
                    unit,
                ),
                (found.low - slack) * scale,
                (found.high + slack) * scale,
                any(found.low <= other <= found.high for other in others),
            )
        )
    what = {"": "weights", PERCENT: "accuracies"}[unit]
    return held_against(
        cells,
        f"published {what} that one more seed may have",
        "where one more seed's could",
        f"holding another row's value or {number(trivial * scale, 'g')}{f' {unit}' if unit else ''} as well",
        ".4g",
    )


@claim(
    24,
    "The table gives test accuracies of",
    "93.2%, 89.5%, 91.5%, 76.0%, 71.1%",
    "Each published accuracy against the range in which one more seed falls (95 % for all rows together, normal "
    "theory): the post has one seed. Refuted if one lies outside; supported if all lie inside and no range is so wide "
    "that it holds another row's accuracy, or 100 %, as well.",
    "published figure-accuracy",
)
def table_accuracies(evidence: Evidence) -> Answer:
    return reproduced(evidence.own, ["test_accuracy"], 1.0, 3, 100, PERCENT)


@claim(
    26,
    "The table gives smallest and largest weights of",
    "-1.95, -1.42, ≈0, -0.062, -0.05; 1.64, 1.18, 0.80, 0.094, 0.08",
    "Each published extreme weight against the range in which one more seed falls (95 % for all of them together, "
    "normal theory), rounding in print allowed for. Refuted if one lies outside; supported if all lie inside and no "
    "range is so wide that it holds another row's weight, or 0, as well.",
    "published figure-weight_distribution",
)
def table_weights(evidence: Evidence) -> Answer:
    return reproduced(evidence.own, ["weight_min", "weight_max"], 0.0)


@claim(
    25,
    "The table gives runtimes of",
    "1.00, 1.49, 1.85, 1.25, 1.58",
    "Time of a training step over the baseline's, paired by seed, geometric mean and t interval, against the "
    "published ratio. These times come from runs trained side by side and not from a quiet machine: refuted if a "
    "published ratio is more than a quarter outside its interval, and else undecided.",
    "figure-runtime published",
)
def table_runtimes(evidence: Evidence) -> Answer:
    own = evidence.own
    cells = []
    for method in own.methods:
        row = own.row(method)
        published = row["published_relative_runtime"]
        if not known(published) or not row["baseline"]:
            continue
        ratio, low, high = (row[f"relative_runtime{end}"] for end in ("", "_low", "_high"))
        what = f"{own.label(method)}, published {number(published, '.2f')}"
        found = Measurement(what, ratio, low, high, int(row["seeds"]), TIMES)
        slack = rounding(published)
        cells.append(
            Cell(own.label(method), published, found, low / SIDE_BY_SIDE - slack, high * SIDE_BY_SIDE + slack, False)
        )
    if not cells:
        raise Lacking(f"no method of the study {own.name} has a published runtime that was measured")
    answer = held_against(
        cells,
        "published ratios in the measured interval or a quarter beyond",
        "in the measured interval or a quarter beyond, with other code on another machine",
        "",
        ".2f",
    )
    measured = [cell.found for cell in cells if known(cell.found.low)]
    widest = max(measured, key=lambda found: found.high / found.low if found.low > 0 else 0, default=None)
    why = answer.why + (f"; the widest interval is {widest.text()}" if widest else "")
    if answer.verdict == SUPPORTED:
        why += "; times taken side by side are too uncertain to say that they are right"
    verdict = REFUTED if answer.verdict == REFUTED else UNDECIDED
    return dataclasses.replace(answer, verdict=verdict, why=why)
