"""Claims about the weight images: what a column of weights shows, and the texture without regularization."""

import json

import numpy as np

from regatlas import geometry
from regatlas.claims import pixels, relations
from regatlas.claims.claim import (
    COUNT,
    POINTS,
    REFUTED,
    SUPPORTED,
    UNDECIDED,
    Answer,
    Lacking,
    above,
    below,
    claim,
    every,
    mean,
    say,
)
from regatlas.claims.evidence import Evidence, Study
from regatlas.grids import words
from regatlas.numbers import count, known, number

_HALF = 0.5**0.5  # a correlation that explains half of the variance
_TOP = 50  # pixels


@claim(
    5,
    "A digit's column of weights, drawn as an image, shows",
    "which pixels are the most important",
    "Spearman correlation over pixels of |weight| with how much blanking the pixel moves the digit's logit (mean over "
    f"test images, logits less their mean), mean over digits, t interval over seeds; important: above {_HALF:.2f}, "
    "half of the ranks' variance.",
    "figure-weights_own_scale_one_seed weights",
)
def importance(evidence: Evidence) -> Answer:
    own, images = evidence.own, evidence.test_images
    deviation, live = evidence.reference.pixel_stddev, evidence.reference.live
    raw, lit, scaled, tops = [], [], [], []
    for seed in own.seeds("none"):
        kernel, _ = own.one_layer("none", seed)
        effect = pixels.effect(kernel, images)
        raw.append(pixels.rank_correlation(np.abs(kernel), effect))
        lit.append(pixels.rank_correlation(np.abs(kernel)[live], effect[live]))
        scaled.append(pixels.rank_correlation(np.abs(geometry.row_centred(kernel)) * deviation[:, None], effect))
        tops.append(top_overlap(np.abs(kernel), effect))
    found = mean("rank correlation of |weight| and the pixel's effect", raw)
    better = mean("the same of |row-centred weight| x deviation of the pixel", scaled)
    often = mean("the same of |weight|, pixels lit in 5 % of the images or more", lit)
    top = mean(f"share of the {_TOP} largest |weights| that are among the {_TOP} largest effects", tops)
    verdict = above(found, _HALF)
    return Answer(
        verdict,
        f"ranked by the size of their weights, pixels {say(verdict, 'come', 'do not come', 'do not clearly come')} in "
        f"the order of their effect (correlation {found:.2f}; by row-centred weight times the pixel's deviation it is "
        f"{better:.2f}), and of the {_TOP} largest weights {number(top.value * 100, '.0f')} % are among the {_TOP} "
        "pixels that matter most",
        (found, often, better, top),
    )


def top_overlap(one: np.ndarray, other: np.ndarray, count: int = _TOP) -> float:
    """The share of each column's ``count`` largest entries that both have, averaged over the columns."""
    count = min(count, len(one))
    tops = [[set(np.argsort(-column, kind="stable")[:count]) for column in table.T] for table in (one, other)]
    return float(np.mean([len(a & b) / count for a, b in zip(*tops, strict=True)]))


@claim(
    7,
    "Without regularization, the weight images have",
    "a salt-and-pepper texture which suggests overfitting",
    "Spearman correlation of roughness and train-test gap over all settings of all methods (means over seeds, "
    "jackknife over methods) of the study fair, or of this one without it, which decides. Beside it the share of the "
    "texture that is initial noise: 1 - T(W - W0) / T(W), T the sum of squared differences of neighbouring row-centred "
    "weights; and a start from zero.",
    "methods weights fair#methods controls#methods",
    "fair controls",
)
def texture(evidence: Evidence) -> Answer:
    own = evidence.own
    source = evidence.others.get("fair", own)
    related = relations.over_points(source, "roughness", "accuracy_gap")
    if not known(related.value):
        raise Lacking(f"the study {source.name} has no two settings that differ in roughness and train-test gap")
    noise, noise_live = zip(*(noise_share(evidence, own, "none", seed) for seed in own.seeds("none")), strict=True)
    left = mean("share of the texture that is initial noise, all pixels", noise)
    left_live = mean("the same, pixels lit in 5 % of the images or more", noise_live)
    found = [related, left, left_live, own.mean("roughness without regularization", "none", "roughness")]
    control = ""
    if evidence.has("controls", "none", "none_zero_start"):
        controls, starts = evidence.others["controls"], ("none_zero_start", "none")
        rougher = controls.difference("roughness, start from zero minus start from noise", *starts, "roughness")
        gap = controls.difference(
            "train-test gap, start from zero minus start from noise", *starts, "accuracy_gap", POINTS, 100
        )
        found += [rougher, gap]
        control = f", and a start from zero changes roughness by {rougher:+.3f} and the gap by {gap.text()}"
    verdict = above(related)
    return Answer(
        verdict,
        f"over {count(related.n, 'setting')} of methods a rougher texture "
        + say(verdict, "goes", "does not go", "does not clearly go")
        + f" with a larger gap (correlation {related:.2f}), but {number(left.value * 100, '.0f')} % of the texture "
        f"({number(left_live.value * 100, '.0f')} % where pixels are often lit) is what the weights began "
        f"with{control}",
        tuple(found),
    )


def noise_share(evidence: Evidence, study: Study, method: str, seed: int) -> tuple[float, float]:
    """The share of the texture that is initial noise, over all pixels and over live ones."""
    reference = evidence.reference
    kernel, start = study.kernel(method, seed), study.initial(method, seed)
    everywhere = geometry.neighbours(np.ones_like(reference.live), reference.image_shape)
    shares = []
    for pairs in (everywhere, reference.pairs):
        whole = roughness_sum(kernel, pairs)
        shares.append(1 - roughness_sum(kernel - start, pairs) / whole if whole else np.nan)
    return shares[0], shares[1]


def roughness_sum(kernel: np.ndarray, pairs: np.ndarray) -> float:
    """The sum of squared differences of neighbouring row-centred weights; pairs of pixel numbers, [pairs, 2]."""
    weights = geometry.row_centred(kernel)
    return float(np.sum((weights[pairs[:, 0]] - weights[pairs[:, 1]]) ** 2))


@claim(
    8,
    "Without regularization still",
    "the shadows of each of the digits are clearly visible",
    "Correlation of the weights with the digits' mean images, t interval over seeds, above 0; and how many of the "
    "digits' columns correlate more with their own mean image than with any other.",
    "figure-weights_own_scale_one_seed methods",
)
def shadows(evidence: Evidence) -> Answer:
    own, reference = evidence.own, evidence.reference
    found = own.mean("correlation with the mean images", "none", "template_correlation")
    hits = [
        recognized(own.kernel("none", seed)[reference.live], reference.template[reference.live])
        for seed in own.seeds("none")
    ]
    classes = reference.template.shape[1]
    right = mean(f"digits recognized in their weights, of {classes}", hits, COUNT)
    verdict = every(
        above(found), SUPPORTED if np.mean(hits) > classes - 1 else UNDECIDED if np.mean(hits) > 1 else REFUTED
    )
    return Answer(
        verdict,
        f"the weights correlate with the digits' mean images by {found.text()}, and {right:.3g} of {classes} columns "
        "correlate most with their own digit's",
        (found, right),
    )


def recognized(weights: np.ndarray, template: np.ndarray) -> int:
    """How many columns of row-centred weights correlate most with the template of the same class."""
    weights = geometry.row_centred(weights)
    with np.errstate(invalid="ignore"):
        both = np.corrcoef(weights.T, template.T)[: weights.shape[1], weights.shape[1] :]
    return int(np.sum(np.nan_to_num(both, nan=-1).argmax(axis=1) == np.arange(len(both))))


@claim(
    19,
    "With the L2 penalty",
    "these 'weight images' are very smooth and the digits are clear",
    "Roughness and correlation with the digits' mean images, L2 minus none, paired by seed, t intervals; over "
    "strengths the means of each point.",
    "figure-weights_own_scale_one_seed methods fair#figure-strength_paths",
    "fair",
)
def l2_images(evidence: Evidence) -> Answer:
    own = evidence.own
    smoother = own.difference("roughness, L2 minus none", "l2", "none", "roughness")
    clearer = own.difference("template correlation, L2 minus none", "l2", "none", "template_correlation")
    rough, clear = (
        own.mean("roughness", "l2", "roughness"),
        own.mean("template correlation", "l2", "template_correlation"),
    )
    found = [smoother, clearer, rough, clear]
    if evidence.has("fair", "l2"):
        tuned = evidence.others["fair"].finished
        for values, mine in tuned[tuned["method"] == "l2"].groupby("values", sort=False):
            where = f"in the study fair, {words(json.loads(values))}".removesuffix(", ")
            found.append(mean(f"roughness {where}", mine["roughness"]))
            found.append(mean(f"template correlation {where}", mine["template_correlation"]))
    verdict = every(below(smoother), above(clearer))
    return Answer(
        verdict,
        f"roughness is {rough:.3f} ({smoother:+.3f} against none, 1 being noise), and the weights correlate with the "
        f"digits' mean images by {clear:.2f} ({clearer:+.2f})",
        tuple(found),
    )


@claim(
    20,
    "With the L2 penalty",
    "the model has a better representation of how each digit appears",
    "Correlation of the weights with the digits' mean images, L2 minus none, paired by seed, t interval.",
    "methods figure-weights_own_scale_mean",
)
def l2_templates(evidence: Evidence) -> Answer:
    own = evidence.own
    found = own.difference("template correlation, L2 minus none", "l2", "none", "template_correlation")
    verdict = above(found)
    accuracy = own.difference("test accuracy, L2 minus none", "l2", "none", "test_accuracy", POINTS, 100)
    return Answer(
        verdict,
        f"the correlation of L2's weights with the mean images differs by {found:+.2f} from that of none's, and its "
        f"test accuracy by {accuracy.text()}"
        + (
            ": "
            + say(verdict, "better pictures", "worse pictures", "no clearly other pictures")
            + " and "
            + say(below(accuracy), "worse classifiers", "better classifiers", "no clearly other classifiers")
            if known(found.low) and known(accuracy.low)
            else ""
        ),
        (found, accuracy),
    )


@claim(
    29,
    "L2 regularization and weight normalization",
    "are designed to keep all weights small",
    "99th percentile of |weight| and the largest |weight| over those of none, paired by seed, t intervals, all below "
    "0.5.",
    "figure-weight_distribution",
)
def small_weights(evidence: Evidence) -> Answer:
    own = evidence.own
    found, verdicts = [], []
    for method in ("l2", "weight_norm"):
        seeds = own.seeds(method, "none")
        sizes = [[np.abs(own.kernel(name, seed)) for name in (method, "none")] for seed in seeds]
        quantile = mean(
            f"{own.label(method)}: 99th percentile over that of none",
            [np.quantile(a, 0.99) / np.quantile(b, 0.99) for a, b in sizes],
        )
        largest = mean(f"{own.label(method)}: largest over that of none", [a.max() / b.max() for a, b in sizes])
        found += [quantile, largest]
        verdicts += [below(quantile, 0.5), below(largest, 0.5)]
    return Answer(
        every(*verdicts),
        f"the 99th percentile of |weight| is {number(found[0].value * 100, '.1f')} % of none's with L2 and "
        f"{number(found[2].value * 100, '.1f')} % with weight normalization, the largest "
        f"{number(found[1].value * 100, '.1f')} % and {number(found[3].value * 100, '.1f')} %",
        tuple(found),
    )
