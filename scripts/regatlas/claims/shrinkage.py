"""Claims about the L2 penalty and weight normalization: priors, unusual examples, and whether the two are one."""

import dataclasses
import itertools
from typing import NamedTuple

import numpy as np
import pandas as pd

from regatlas import geometry
from regatlas.claims import pixels
from regatlas.claims.claim import (
    PERCENT,
    POINTS,
    REFUTED,
    SUPPORTED,
    UNDECIDED,
    Answer,
    Lacking,
    Measurement,
    above,
    below,
    claim,
    every,
    mean,
    say,
    within,
)
from regatlas.claims.evidence import Evidence, Study
from regatlas.numbers import number

_MARGIN = 0.2  # points of accuracy: differences up to this do not matter
_SAME = 0.99  # a cosine above which weights count as the same up to their length
_CLOSE_NORMS = 1.02  # a ratio of norms up to which they match
# Ids of L2 and of a fixed norm that a study trains by one recipe; "matched" ones have the norm that L2 ends with.
_PAIRS = (
    ("l2", "norm_matched"),
    ("l2", "norm_constraint"),
    ("post_l2", "matched_weight_norm"),
    ("post_l2", "post_weight_norm"),
    ("recipe_l2", "recipe_weight_norm"),
    ("tuned_l2", "tuned_weight_norm"),
)
_NEAR = 0.1  # of the norm: solutions nearer than this are one


@claim(
    18,
    "L2 regularization biases the model towards the prior",
    "since we initialize weights to very small values and L2 regression keeps these values small",
    "Distance of row-centred weights trained with the same seed from different starts (zero, usual, wide), over their "
    f"norm; t interval; the start plays no part if it is below {_NEAR}. The same without penalty, for scale.",
    "controls#weights",
    "controls",
)
def prior(evidence: Evidence) -> Answer:
    controls = evidence.study("controls")
    found = {}
    for method in ("l2", "none"):
        starts = [name for name in (f"{method}_zero_start", method, f"{method}_wide_start") if name in controls]
        for one, other in itertools.combinations(starts, 2):
            seeds = controls.seeds(one, other)
            far = [pixels.apart(controls.kernel(one, seed), controls.kernel(other, seed)) for seed in seeds]
            what = f"{controls.label(one)} to {controls.label(other)}"
            found.setdefault(method, []).append(mean(what, far))
    if "l2" not in found:
        raise Lacking("the study controls has no two starts of L2 that finished")
    far = max(found["l2"], key=lambda one: one.value)
    verdict = above(far, _NEAR)
    scale = max(found.get("none", []), key=lambda one: one.value, default=None)
    return Answer(
        verdict,
        f"from starts of 0 to the wide one, L2 ends at most {number(far.value * 100, '.1f')} % of its norm apart"
        + (f" (none: {number(scale.value * 100, '.0f')} %)" if scale else "")
        + say(
            verdict,
            ", so the start leaves a mark",
            ", the same solution whatever the start: the prior is the penalty, not the initial values",
            ", which does not decide",
        ),
        (far, *(one for group in found.values() for one in group if one is not far)),
    )


@claim(
    21,
    "With the L2 penalty",
    "the test accuracy is low because messy/unusual examples don't fit the template well",
    "Errors of L2 minus those of none, by quarter of the test images in distance to their class's mean image, t "
    "intervals over seeds; unusual examples are the reason if the most typical quarter is not worse by more than a "
    "point. And L2's training accuracy minus its test accuracy.",
    "methods",
)
def messy(evidence: Evidence) -> Answer:
    own, labels = evidence.own, evidence.test_labels
    quarter = quarters(evidence.test_images, labels, class_means(evidence))
    excess: list[list[float]] = [[], [], [], []]
    for seed in own.seeds("l2", "none"):
        wrong = [own.run(method, seed).arrays["test_predicted_noise_off"] != labels for method in ("l2", "none")]
        for place, found in enumerate(excess):
            found.append(float(np.mean(wrong[0][quarter == place]) - np.mean(wrong[1][quarter == place])))
    words = ("most typical", "second", "third", "most unusual")
    parts = [
        mean(f"more errors of L2, {word} quarter", values, POINTS, 100)
        for word, values in zip(words, excess, strict=True)
    ]
    gap = own.mean("L2: training minus test accuracy", "l2", "accuracy_gap", POINTS, 100)
    verdict = below(parts[0], 1)
    return Answer(
        verdict,
        f"L2 makes {parts[0]:.1f} points more errors than none in the quarter of images nearest to their class's mean "
        f"and {parts[3]:.1f} in the farthest, and its training accuracy minus its test accuracy is {gap.text()}"
        + say(
            verdict, ": typical images fit", ": it fails on typical images too, seen or not", ", which does not decide"
        ),
        (parts[0], *parts[1:], gap),
    )


def class_means(evidence: Evidence) -> np.ndarray:
    """The mean training image of every class, pixels from 0 to 1, [pixels, classes]."""
    return evidence.reference.template + evidence.sample.train_mean[:, None] / 255


def quarters(images: np.ndarray, labels: np.ndarray, means: np.ndarray) -> np.ndarray:
    """Of each image in which quarter of its class it is by distance to the class's mean: 0 nearest, 3 farthest."""
    place = np.zeros(len(images), np.int64)
    for label in np.unique(labels):
        mine = np.flatnonzero(labels == label)
        distance = np.linalg.norm(images[mine] - means[:, label], axis=1)
        place[mine[np.argsort(distance, kind="stable")]] = np.arange(len(mine)) * 4 // len(mine)
    return place


class Pair(NamedTuple):
    """A point of L2 and one of a fixed norm."""

    one: tuple[str, int]  # method and point
    other: tuple[str, int]
    ratio: float  # of the larger to the smaller mean norm
    norm: float  # of the point of L2
    fixed: float  # norm of the other


def nearest(study: Study) -> Pair | None:
    """The point of L2 and that of a fixed norm that can be compared best, or None if the study has no such pair.

    Of pairs whose mean norms match the one that is shrunk most, as networks that are hardly shrunk are all alike; if
    none match, the one whose norms are closest.
    """
    norms = study.finished.groupby(["method", "point"])["weight_norm"].mean()
    found = [
        Pair(one, other, float(np.exp(abs(np.log(norms[one] / norms[other])))), float(norms[one]), float(norms[other]))
        for one, other in itertools.product(norms.index, norms.index)
        if (one[0], other[0]) in _PAIRS
    ]
    matched = [pair for pair in found if pair.ratio <= _CLOSE_NORMS]
    if matched:
        return min(matched, key=lambda pair: pair.norm)
    return min(found, key=lambda pair: pair.ratio, default=None)


def compared(study: Study, one: tuple[str, int], other: tuple[str, int], live: np.ndarray | None) -> pd.DataFrame:
    """Of two points, by seed: cosine of the first layer's weights, agreement of predictions, differences.

    Args:
        live: which pixels count for the cosine; None for those of networks with hidden layers, taken as they are.
    """
    rows = {
        key: study.finished.query("method == @key[0] and point == @key[1]").set_index("seed") for key in (one, other)
    }
    seeds = sorted(set(rows[one].index) & set(rows[other].index))
    if not seeds:
        raise Lacking(f"{one[0]} and {other[0]} have no finished seed in common in the study {study.name}")
    found = {}
    for seed in seeds:
        a, b = (study.read(*rows[key].loc[seed, ["regularizer", "digest"]], seed) for key in (one, other))
        kernels = [run.kernels[0].astype(np.float64) for run in (a, b)]
        if live is not None and len(a.kernels) == 1:
            kernels = [geometry.row_centred(kernel)[live] for kernel in kernels]
        found[seed] = {
            "cosine": pixels.cosine(*kernels),
            "agreement": np.mean(a.arrays["test_predicted_noise_off"] == b.arrays["test_predicted_noise_off"]),
            **{
                name: rows[other].loc[seed, name] - rows[one].loc[seed, name] for name in ("test_accuracy", "roughness")
            },
        }
    return pd.DataFrame.from_dict(found, orient="index").astype(float)


def alike(found: pd.DataFrame, other: str = "fixed norm") -> list[Measurement]:
    """The means of what was ``compared``, but for the roughness; ``other``: words for what L2 was compared with."""
    return [
        mean("cosine of the first layer's weights", found["cosine"]),
        mean("same prediction", found["agreement"], PERCENT, 100),
        mean(f"test accuracy, {other} minus L2", found["test_accuracy"], POINTS, 100),
    ]


@claim(
    22,
    "Normalizing the weight matrix",
    "has the same effect here as L2 regularization",
    f"Cosine of row-centred weights (the same: above {_SAME}), agreement of predictions, and the difference in test "
    f"accuracy (t interval against a margin of {_MARGIN} points), paired by seed: as the post has them, and at equal "
    f"norms, which decides (less than {(_CLOSE_NORMS - 1) * 100:.0f} % apart).",
    "figure-weights_own_scale_one_seed comparison ladder#comparison controls#comparison fair#comparison",
    "ladder controls fair",
)
def same_effect(evidence: Evidence) -> Answer:
    own, live = evidence.own, evidence.reference.live
    point = {name: (name, int(own.rows(name)["point"].iloc[0])) for name in ("l2", "weight_norm")}
    here = alike(compared(own, point["l2"], point["weight_norm"], live))
    norms = [own.mean(name, name, "weight_norm").value for name in ("l2", "weight_norm")]
    measurements = [_named(found, "as the post has them") for found in here]
    matched: dict[str, tuple[float, list[Measurement]]] = {}
    for name in ("ladder", "controls", "fair"):
        pair = nearest(evidence.others[name]) if name in evidence.others else None
        if pair:
            found = alike(compared(evidence.others[name], pair.one, pair.other, live))
            where = f"{pair.one[0]} and {pair.other[0]} of the study {name}, norms {(pair.ratio - 1) * 100:.1f} % apart"
            named = [_named(one, where) for one in found]
            measurements += named
            if pair.ratio <= _CLOSE_NORMS:
                matched[name] = pair.norm, named
    best = min(matched, key=lambda name: matched[name][0], default=None)
    decisive = matched[best][1] if best else []
    cosine, _, accuracy = decisive or here
    return Answer(
        every(above(cosine, _SAME), within(accuracy, _MARGIN)) if best else UNDECIDED,
        f"the post's two have a cosine of {here[0]:.4f} at norms of {number(norms[0], '.2f')} (L2) and "
        f"{number(norms[1], '.2f')}, and the second's test accuracy differs from L2's by {here[2].text()}"
        + (
            f"; at equal norms (study {best}) the cosine is {cosine:.4f} and the difference {accuracy.text()}"
            if best
            else "; no study that was run has them at equal norms, which would decide"
        ),
        (*decisive, *(one for one in measurements if one not in decisive)),
    )


def _named(found: Measurement, where: str) -> Measurement:
    return Measurement(f"{found.what}, {where}", *found.interval, found.n, found.unit)


_DEEP = (
    f"L2 and a norm constraint with two hidden layers, at norms less than {(_CLOSE_NORMS - 1) * 100:.0f} % apart "
    "(without such a pair nothing is decided), paired by seed, t intervals. Alike: test accuracies within "
    f"{_MARGIN} points, and more predictions in common than L2 has with none; not alike: if an interval says the "
    "contrary of either. Beside it the cosine of the first layer's weights, and its roughness. One and three hidden "
    "layers were not measured."
)


@claim(
    23,
    "But weight normalization",
    "is not equivalent to L2 regularization and may behave differently in wider/deeper models",
    _DEEP,
    "mlp#comparison",
    "mlp",
)
def not_equivalent(evidence: Evidence) -> Answer:
    found = _deep(evidence)
    return dataclasses.replace(found, verdict={SUPPORTED: REFUTED, REFUTED: SUPPORTED}.get(found.verdict, UNDECIDED))


@claim(
    33,
    "L2 regularization and weight normalization:",
    "the qualititive similarity we discovered here probably extends to larger models",
    _DEEP,
    "mlp#comparison",
    "mlp",
)
def similar(evidence: Evidence) -> Answer:
    return _deep(evidence)


def _deep(evidence: Evidence) -> Answer:
    """Whether L2 and the norm constraint are alike with hidden layers.

    Tuned networks all have about the same accuracy, so that alone says nothing: they must be nearer to each other than
    L2 is to none.
    """
    mlp = evidence.study("mlp")
    pair = nearest(mlp)
    if pair is None:
        raise Lacking("the study mlp has no finished runs of both L2 and a norm constraint")
    plain = "none", int(mlp.rows("none")["point"].iloc[0])
    near, far = compared(mlp, pair.one, pair.other, None), compared(mlp, pair.one, plain, None)
    cosine, agreement, accuracy = alike(near)
    closer, straighter = (
        mean(f"{what}, with the norm constraint minus with none", (near - far)[name].dropna(), unit, scale)
        for what, name, unit, scale in (
            ("predictions that L2 has in common", "agreement", POINTS, 100),
            ("cosine of L2's first layer", "cosine", "", 1),
        )
    )
    rough = mean("roughness of the first layer, fixed norm minus L2", near["roughness"])
    scale = [_named(one, "of L2 and none, for scale") for one in alike(far, "none")]
    matched = pair.ratio <= _CLOSE_NORMS
    verdict = every(within(accuracy, _MARGIN), above(closer)) if matched else UNDECIDED
    why = (
        f"with two hidden layers, at norms of {number(pair.norm, '.1f')} (L2) and {number(pair.fixed, '.1f')}, the "
        f"norm constraint's test accuracy differs from L2's by {accuracy.text()} and {agreement:.1f} % of the "
        f"predictions are the same (L2 and none: {scale[1]:.1f} %)"
    )
    if not matched:
        why += "; no two of their points have equal norms, so one is held back more than the other"
    return Answer(verdict, why, (closer, accuracy, agreement, cosine, straighter, rough, *scale))
