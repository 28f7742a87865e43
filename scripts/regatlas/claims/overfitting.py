"""Claims about overfitting, hyperparameters, and how much regularization matters."""

import dataclasses

import numpy as np
import pandas as pd

from regatlas.claims import relations
from regatlas.claims.claim import (
    OPINION,
    POINTS,
    Answer,
    Lacking,
    Measurement,
    above,
    claim,
    every,
    mean,
    say,
)
from regatlas.claims.evidence import Evidence, Study
from regatlas.numbers import count, known, number
from regatlas.statistics import NAN, Interval, jackknife

_HUGE = 1.0  # points of test accuracy
_CHOOSER = "early_stopping"  # which keeps the evaluation with the best validation accuracy
_WEAK = 0.3  # a correlation that explains less than a tenth of the variance
_SIZES = (500, 1000, 5000, 55000)
_METHODS = 6  # from which they are a sample that can be drawn anew
_SPREAD = "best to worst setting of a method, median over methods"
_DEVIATIONS = {  # components of the test accuracy, in words
    "method": "standard deviation between methods",
    "point of the grid": "standard deviation between the settings of a method",
    "seed": "standard deviation between seeds",
    "test images": "standard deviation between samples of test images",
}
_DRAWS = 500  # of the bootstrap
_SEED = 20160725  # of it; any other would do
_GAINS = (
    ("test_accuracy", "test accuracy", POINTS, 100),
    ("test_nll", "NLL", "", 1),
    ("test_ece", "ECE", "", 1),
    ("accuracy_gap", "train-test gap", POINTS, 100),
)


@claim(
    1,
    "Regularization",
    "has a huge impact on deep models",
    "The method best by validation accuracy, tuned, minus none, tuned, paired by seed, t intervals: with two hidden "
    f"layers, which decides (huge: more than {_HUGE:g} point of test accuracy), without hidden layers, and there on "
    "fewer training images. One hidden layer was not measured. The best is not sought among early stopping, whose "
    "validation accuracy is the best of many evaluations.",
    "mlp#comparison fair#comparison small-data#figure-data_sizes",
    "mlp fair small-data",
)
def impact(evidence: Evidence) -> Answer:
    mlp = evidence.study("mlp")
    deep, label = gains(mlp, "two hidden layers", "none", [method for method in mlp.methods if method != "none"])
    found = list(deep)
    if "fair" in evidence.others:
        fair = evidence.others["fair"]
        shallow, _ = gains(fair, "no hidden layer", "none", [method for method in fair.methods if method != "none"])
        found += shallow
    small = []
    if "small-data" in evidence.others:
        study = evidence.others["small-data"]
        for size in _SIZES:
            others = [method for method in study.methods if method.endswith(f"_{size}") and method != f"none_{size}"]
            if f"none_{size}" in study and others:
                group, _ = gains(study, f"no hidden layer, {size:,} images", f"none_{size}", others)
                found += group
                small.append((size, group[0]))
    verdict = above(deep[0], _HUGE)
    errors = 1 - mlp.row("none")["test_accuracy"]
    return Answer(
        verdict,
        f"with two hidden layers the best method ({label}) changes test accuracy by {deep[0].text()}, "
        f"{number(deep[0].value / errors, '.0f')} % of the errors that none makes"
        + (
            f"; without hidden layers the best changes it by {found[len(deep)].text()}"
            if len(found) > len(deep) and "fair" in evidence.others
            else ""
        )
        + (f", on {small[0][0]:,} images {small[0][1].text()}" if small else ""),
        tuple(found),
    )


def gains(study: Study, where: str, baseline: str, methods: list[str]) -> tuple[list[Measurement], str]:
    """What the method best by validation accuracy changes against the baseline, and its label.

    A method that chooses among a run's evaluations by that accuracy shows the largest of many and is not sought among.
    """
    methods = [method for method in methods if _CHOOSER not in study.rows(method)["regularizer"].iloc[0].split("+")]
    if not methods:
        raise Lacking(f"the study {study.name} has no other method than {baseline} that finished")
    best = max(methods, key=lambda method: study.rows(method)["validation_accuracy"].mean())
    label = study.label(best)
    return [
        study.difference(f"{where}, {label}: {words} minus none's", best, baseline, column, unit, scale)
        for column, words, unit, scale in _GAINS
    ], label


@claim(
    6,
    "The model can easily overfit by large weights",
    "Provided the dataset is small",
    "Without regularization, by number of training images at the same learning rate and steps: train-test gap and "
    "norm of the weights, smallest minus largest set, paired by seed, t intervals; both must be above 0.",
    "small-data#figure-data_sizes",
    "small-data",
)
def small_data(evidence: Evidence) -> Answer:
    study = evidence.study("small-data")
    sizes = [size for size in _SIZES if f"none_{size}" in study]
    if len(sizes) < 2:
        raise Lacking("the study small-data has no two sizes of none that finished")
    finished, point = study.finished, middle_point(study, [f"none_{size}" for size in sizes])
    runs = {
        size: finished[(finished["method"] == f"none_{size}") & (finished["values"] == point)].set_index("seed")
        for size in sizes
    }
    few, many = runs[sizes[0]], runs[sizes[-1]]
    gap = mean(
        "train-test gap, smallest minus largest set", (few["accuracy_gap"] - many["accuracy_gap"]).dropna(), POINTS, 100
    )
    norm = mean("norm, smallest minus largest set", (few["weight_norm"] - many["weight_norm"]).dropna())
    parts = []
    for size, table in runs.items():
        parts.append(mean(f"train-test gap, {size:,} images", table["accuracy_gap"], POINTS, 100))
        parts.append(mean(f"norm, {size:,} images", table["weight_norm"]))
    verdict = every(above(gap), above(norm))
    return Answer(
        verdict,
        f"from {sizes[-1]:,} to {sizes[0]:,} images the gap goes from {number(parts[-2].value, '.2f')} to "
        f"{parts[0]:.2f} points, while the norm of the weights goes from {number(parts[-1].value, '.1f')} to "
        f"{parts[1]:.1f}"
        + say(
            above(norm),
            ": weights are larger",
            ": the model overfits with smaller weights",
            ", not clearly up or down" if known(norm.low) else "",
        ),
        (gap, norm, *parts),
    )


def middle_point(study: Study, methods: list[str]) -> str:
    """The values of the point in the middle of those that all methods have, as JSON text."""
    tables = [study.finished[study.finished["method"] == method] for method in methods]
    common = [
        value
        for value in tables[0]["values"].drop_duplicates()
        if all((table["values"] == value).any() for table in tables)
    ]
    if not common:
        raise Lacking(f"the methods {', '.join(methods)} have no point in common in the study {study.name}")
    return common[len(common) // 2]


@claim(
    17,
    "Large weights are",
    "the most obvious symptom of overfitting",
    "Correlation of the norm of the weights and the train-test gap over all settings of all methods (Spearman, means "
    "over seeds, jackknife over methods) of the study fair, or of this one without it, which decides. Beside it: over "
    "the strengths of L2; over the seeds of one setting (its mean taken off, pooled, jackknife over seeds); and "
    "roughness instead of the norm.",
    "methods fair#methods",
    "fair",
)
def symptom(evidence: Evidence) -> Answer:
    study = evidence.others.get("fair", evidence.own)
    across = relations.over_points(study, "weight_norm", "accuracy_gap")
    if not known(across.value):
        raise Lacking(f"the study {study.name} has no two settings that differ in norm and train-test gap")
    inside = relations.within_points(study, "weight_norm", "accuracy_gap")
    found = [across, inside, relations.over_points(study, "roughness", "accuracy_gap")]
    strengths = relations.by_seed(study, "l2", "weight_norm", "accuracy_gap")
    if any(map(known, strengths)):
        over = mean("the same over the strengths of L2", strengths)
        found.insert(1, dataclasses.replace(over, high=min(over.high, 1.0)))
    verdict = above(across)
    also = say(above(inside, _WEAK), "also tells", "hardly tells", "does not surely tell")
    return Answer(
        verdict,
        f"over {count(across.n, 'setting')} of methods norm and gap correlate by {across:.2f}"
        + (f", over the strengths of L2 by {found[1]:.2f}" if found[1] is not inside else "")
        + (f", and over the seeds of one setting by {inside.text()}" if known(inside.value) else "")
        + ": the norm "
        + say(verdict, "tells", "does not tell", "does not clearly tell")
        + " which settings overfit more"
        + (
            f", and of the seeds of one setting it {also} which do"
            if known(inside.low)
            else "; which seeds of one setting do takes three seeds to say"
        ),
        tuple(found),
    )


@claim(
    27,
    "Accuracy doesn't matter much at this stage because it",
    "changes dramatically as we alter hyperparameters",
    "Best minus worst setting of each method (means over seeds); dramatic: the median over methods is more than "
    f"{_HUGE:g} point, bootstrap over methods and seeds ({_METHODS} methods or more). Beside it the standard deviation "
    "of test accuracy due to method and setting (the same bootstrap), seed, and the sample of test images (binomial; "
    "both jackknife over seeds); also without the method of the largest difference, which dominates the first two.",
    "fair#figure-strength_paths",
    "fair",
)
def dramatic(evidence: Evidence) -> Answer:
    fair = evidence.study("fair")
    table = balanced(fair.finished)
    methods = table.columns.unique("method")
    if table.shape[0] < 2 or len(methods) < 2:
        raise Lacking("the study fair has too few finished runs to compare settings and seeds")
    images = evidence.reference.test_labels.size
    spreads = by_method(table)["spread"]
    widest = spreads.idxmax()
    spread, *parts = spread_and_components(table, images)
    found, where = [spread, *parts], ""
    if len(methods) > 2:
        _, *parts = spread_and_components(table.drop(columns=widest, level="method"), images)
        where = f"without {fair.label(widest)} "
        found += [dataclasses.replace(part, what=f"{part.what}, {where.strip()}") for part in parts]
    method, point, seed, sample = (number(part.value, ".2f") for part in parts)
    return Answer(
        above(spread, _HUGE),
        f"over {table.shape[1]} settings of {len(methods)} methods the median method's best and worst setting are "
        f"{spread:.2f} points apart; they are more than {_HUGE:g} point apart for "
        f"{count(int((spreads > _HUGE).sum()), 'method')}, and farthest for {fair.label(widest)} "
        f"({number(spreads[widest], '.2f')} points); {where}the standard deviation due to the method is {method}, to "
        f"the setting {point}, to the seed {seed}, and to the sample of test images {sample} points",
        tuple(found),
    )


def balanced(finished: pd.DataFrame) -> pd.DataFrame:
    """Test accuracy in points, a row a seed and a column (method, point), of the points that have all seeds."""
    table = finished.assign(accuracy=finished["test_accuracy"].astype(float) * 100)
    return table.pivot(index="seed", columns=["method", "point"], values="accuracy").dropna(axis=1)


def spread_and_components(table: pd.DataFrame, images: int) -> list[Measurement]:
    """The median over methods of best minus worst setting, and the ``components``, with their intervals.

    What differs between methods is bootstrapped over methods and seeds. What the seeds and images do is not: a seed
    that is drawn twice lowers the variance between seeds.
    """
    value = {_SPREAD: float(by_method(table)["spread"].median()), **components(table, images)}
    seeds, methods = len(table), table.columns.unique("method").size
    ends = {}
    if methods >= _METHODS:
        rng = np.random.default_rng(_SEED)
        draws = []
        for _ in range(_DRAWS):
            drawn = by_method(table.iloc[rng.integers(0, seeds, seeds)]).iloc[rng.integers(0, methods, methods)]
            draws.append({_SPREAD: drawn["spread"].median(), **_between(drawn)})
        ends = {name: np.quantile([draw[name] for draw in draws], (0.025, 0.975)) for name in draws[0]}
    ends |= {name: interval[1:] for name, interval in seeds_part(table, images).items()}
    return [
        Measurement(_DEVIATIONS.get(name, name), value[name], *ends.get(name, (NAN, NAN)), seeds, POINTS, size=True)
        for name in value
    ]


def seeds_part(table: pd.DataFrame, images: int) -> dict[str, Interval]:
    """The components of seeds and test images: jackknife over seeds, on logarithms as they are above 0."""
    all_, *without = (components(one, images) for one in (table, *(table.drop(index=seed) for seed in table.index)))
    with np.errstate(divide="ignore"):
        return {
            name: Interval(*np.exp(jackknife(np.log(all_[name]), np.log([one[name] for one in without]))))
            for name in ("seed", "test images")
        }


def by_method(table: pd.DataFrame) -> pd.DataFrame:
    """Of each method the mean of its points, their squared deviations summed, their number, and best minus worst."""
    methods = table.mean().groupby("method")
    squares = (methods.count() - 1) * methods.var().fillna(0)
    return pd.DataFrame(
        {"mean": methods.mean(), "squares": squares, "points": methods.count(), "spread": methods.max() - methods.min()}
    )


def _between(methods: pd.DataFrame) -> dict[str, float]:
    """Standard deviations between methods, and between the points of a method."""
    return {
        "method": float(methods["mean"].std(ddof=0)),
        "point of the grid": float(np.sqrt(methods["squares"].sum() / methods["points"].sum())),
    }


def components(table: pd.DataFrame, images: int) -> dict[str, float]:
    """Standard deviations in points: between methods, between a method's points, over seeds, of the test sample.

    Args:
        table: [seeds, points], columns (method, point).
        images: how many test images there are.
    """
    share = table.to_numpy() / 100
    residual = (table - table.mean()).to_numpy()  # what the seed changes, interaction with the point included
    return {
        **_between(by_method(table)),
        "seed": float(np.sqrt((residual**2).sum() / max((len(table) - 1) * table.shape[1], 1))),
        "test images": float(100 * np.sqrt(np.mean(share * (1 - share)) / images)),
    }


@claim(
    31,
    "Regularization is",
    "the easiest way to control what a model learns",
    "No number says what is easiest. Shown are sizes: the range over methods, over learning rates of none, and over "
    "numbers of training images, of test accuracy, roughness and template correlation (means over seeds).",
    "methods fair#figure-strength_paths small-data#figure-data_sizes",
    "fair small-data",
)
def easiest(evidence: Evidence) -> Answer:
    study = evidence.others.get("fair", evidence.own)
    selected = study.finished[study.finished["selected"] == 1]
    found = _ranges(selected, ["method"], f"methods ({study.name})")
    if "fair" in evidence.others:
        found += _ranges(study.finished[study.finished["method"] == "none"], ["point"], "learning rates of none")
    if "small-data" in evidence.others:
        small = evidence.others["small-data"].finished
        plain = small[(small["selected"] == 1) & small["method"].str.startswith("none_")]
        found += _ranges(plain, ["train_size"], "numbers of training images, none")
    if not found:
        raise Lacking(f"the study {study.name} has no two methods with an accuracy, roughness and template correlation")
    text = "; ".join(
        f"{group[0].what.rpartition(' over ')[2]}: {group[0]:.2f} points of accuracy, {group[1]:.2f} of roughness, "
        f"{group[2]:.2f} of template correlation"
        for group in (found[i : i + 3] for i in range(0, len(found), 3))
    )
    return Answer(OPINION, f"largest less smallest mean over {text}", tuple(found))


def _ranges(table: pd.DataFrame, by: list[str], words: str) -> list[Measurement]:
    """The largest less the smallest group mean of three columns; none of fewer than two groups that have all three."""
    columns = {"test_accuracy": (POINTS, 100), "roughness": ("", 1), "template_correlation": ("", 1)}
    means = table.groupby(by)[list(columns)].mean().astype(float).dropna()
    if len(means) < 2:
        return []
    return [
        Measurement(
            f"{column.replace('_', ' ')} over {words}",
            float(np.ptp(means[column])) * scale,
            n=len(means),
            unit=unit,
            of="groups",
            size=True,
        )
        for column, (unit, scale) in columns.items()
    ]
