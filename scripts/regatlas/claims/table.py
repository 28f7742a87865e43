"""Claims about the post's setting and its table: data, bias, convergence, accuracies, runtimes, extreme weights."""

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd
from scipy import special

from regatlas.claims.claim import (
    COUNT,
    IMAGES,
    PERCENT,
    POINTS,
    REFUTED,
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
from regatlas.report.numbers import known, listing, number
from regatlas.statistics import NAN, Interval

_MARGIN = 0.2  # points: differences up to this do not matter
_LOSS = 1.0  # percent of the training loss
_QUARTER = 1.25  # a ratio up to which runtimes agree
_ROUNDING = 0.005  # of published weights and runtimes, which have two decimals


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
        f"a bias changes test accuracy by {found[0].text()}, "
        + say(
            verdict,
            f"which is within {_MARGIN} points of nothing",
            f"which is more than {_MARGIN} points",
            f"and the interval does not lie on one side of {_MARGIN} points",
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
    accuracies, losses = [], []
    for method in own.methods:
        drifts = [drift(curve) for curve in selected_curves(own, method)]
        accuracies.append(
            mean(f"{own.label(method)}: change of the test accuracy", [a for a, _ in drifts], POINTS, 100)
        )
        losses.append(mean(f"{own.label(method)}: change of the training loss", [b for _, b in drifts], PERCENT, 100))
    if not accuracies:
        raise Lacking(f"no run of the study {own.name} finished")
    names = [own.label(method) for method in own.methods]
    falling = [f"{name} ({found:.1f} %)" for name, found in zip(names, losses, strict=True) if found.high < -_LOSS]
    flat = every(*(within(found, _MARGIN) for found in accuracies), *(within(found, _LOSS) for found in losses))
    most = max(accuracies, key=lambda found: abs(found.value))
    return Answer(
        REFUTED if falling else flat,
        "over the last third of training the mean test accuracy of no method moves by more than "
        f"{number(abs(most.value), '.2f')} points ({most.what.partition(':')[0]}), "
        + (
            f"but the training loss still falls for {listing(falling)}"
            if falling
            else "and no training loss falls by much"
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
    if len(values) < 2:
        return Interval()
    half = special.stdtrit(len(values) - 1, (1 + level) / 2) * np.std(values, ddof=1) * np.sqrt(1 + 1 / len(values))
    return Interval(float(values.mean()), float(values.mean() - half), float(values.mean() + half))


def reproduced(
    own: Study, columns: Iterable[str], rounding: float, scale: float = 1, unit: str = ""
) -> tuple[str, list[str], list[Measurement]]:
    """Whether every published value of these columns could be one more seed's; the misses, and the ranges.

    All ranges together hold with 95 %: each is widened by Bonferroni's correction, and by the rounding in print.
    """
    cells = [
        (method, column, published)
        for method in own.methods
        for column in columns
        if known(published := own.row(method)[f"published_{column}"])
    ]
    if not cells:
        raise Lacking(f"no method of the study {own.name} has a published value that was measured")
    ranges, misses, unknown = [], [], False
    for method, column, published in cells:
        values = list(own.values(method, column).values())
        found = one_more(values, 1 - 0.05 / len(cells))
        name = own.label(method) + (f", {column.removeprefix('weight_')}" if column.startswith("weight_") else "")
        what = f"{name} (published {number(published * scale, '.4g')})"
        ranges.append(Measurement(what, *(value * scale for value in found), len(values), unit))
        inside = found.low - rounding <= published <= found.high + rounding
        if not known(found.low):
            unknown = True
        elif not inside:
            misses.append(f"{name} ({number(found.mean * scale, '.4g')} against {number(published * scale, '.4g')})")
    return REFUTED if misses else UNDECIDED if unknown else SUPPORTED, misses, ranges


@claim(
    24,
    "The table gives test accuracies of",
    "93.2%, 89.5%, 91.5%, 76.0%, 71.1%",
    "Each published accuracy against the range in which one more seed falls (95 % for all rows together, normal "
    "theory): the post has one seed.",
    "published figure-accuracy",
)
def table_accuracies(evidence: Evidence) -> Answer:
    verdict, misses, ranges = reproduced(evidence.own, ["test_accuracy"], 0.0005, 100, PERCENT)
    hits = Measurement("published accuracies that one more seed may have", len(ranges) - len(misses), unit=COUNT)
    return Answer(verdict, _counted(hits, ranges, misses), (_among(hits, ranges), *ranges))


@claim(
    26,
    "The table gives smallest and largest weights of",
    "-1.95, -1.42, ≈0, -0.062, -0.05; 1.64, 1.18, 0.80, 0.094, 0.08",
    "Each published extreme weight against the range in which one more seed falls (95 % for all of them together, "
    "normal theory), rounding in print allowed for.",
    "published figure-weight_distribution",
)
def table_weights(evidence: Evidence) -> Answer:
    verdict, misses, ranges = reproduced(evidence.own, ["weight_min", "weight_max"], _ROUNDING)
    hits = Measurement("published weights that one more seed may have", len(ranges) - len(misses), unit=COUNT)
    return Answer(verdict, _counted(hits, ranges, misses), (_among(hits, ranges), *ranges))


@claim(
    25,
    "The table gives runtimes of",
    "1.00, 1.49, 1.85, 1.25, 1.58",
    "Time of a training step over the baseline's, paired by seed, geometric mean and t interval, against the "
    "published ratio: refuted if one is outside, supported if every interval lies within a quarter of it. Runs "
    "trained side by side disturb each other's times.",
    "figure-runtime published",
)
def table_runtimes(evidence: Evidence) -> Answer:
    own = evidence.own
    ratios, misses, unknown = [], [], False
    for method in own.methods:
        row = own.row(method)
        published = row["published_relative_runtime"]
        if not known(published) or not row["baseline"]:
            continue
        ends = row["relative_runtime"], row["relative_runtime_low"], row["relative_runtime_high"]
        what = f"{own.label(method)} (published {number(published, '.2f')})"
        ratios.append(Measurement(what, *ends, int(row["seeds"]), TIMES))
        unknown |= not (published / _QUARTER <= ends[1] and ends[2] <= published * _QUARTER)
        if ends[2] + _ROUNDING < published or published < ends[1] - _ROUNDING:
            misses.append(f"{own.label(method)} ({number(ends[0], '.2f')} against {number(published, '.2f')})")
    if not ratios:
        raise Lacking(f"no method of the study {own.name} has a published runtime that was measured")
    hits = Measurement("published ratios that the measured interval holds", len(ratios) - len(misses), unit=COUNT)
    verdict = REFUTED if misses else UNDECIDED if unknown else SUPPORTED
    widest = max(ratios, key=lambda found: found.high / found.low if found.low > 0 else 0)
    why = (
        f"{_counted(hits, ratios, misses)}, with other code on another machine; the widest interval is {widest.text()}"
    )
    return Answer(verdict, why, (_among(hits, ratios), *ratios))


def _among(hits: Measurement, all_: Sequence[Measurement]) -> Measurement:
    return Measurement(f"{hits.what}, of {len(all_)}", hits.value, unit=hits.unit, n=max((m.n or 0) for m in all_))


def _counted(hits: Measurement, all_: Sequence[Measurement], misses: Sequence[str]) -> str:
    text = f"{int(hits.value)} of {len(all_)} published values lie where another seed or run could"
    return text + (f"; not so {listing(misses)}" if misses else "")
