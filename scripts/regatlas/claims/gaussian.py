"""Claims about the post's Gaussian weight regularization and its rigorous relatives."""

import dataclasses
import itertools
import math
from collections.abc import Callable, Sequence

import numpy as np
from scipy import special

from regatlas import geometry
from regatlas.claims import pixels
from regatlas.claims.claim import (
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
    above,
    agree,
    below,
    claim,
    mean,
    say,
    within,
)
from regatlas.claims.evidence import Evidence, Study
from regatlas.numbers import known, number
from regatlas.statistics import paired_ratio

_CLOSE = 0.5  # points of accuracy: nearly the same, as the post's footnote says
_HALF = 0.5**0.5  # a cosine at which half of the squared length is shared
_RELATIVES = ("weight_noise", "adaptive_weight_noise", "bayes_by_backprop")
_TIME = "microseconds_per_step"
_PARTS = {  # of what gaussian adds to none
    "gaussian_without_noise": "twice the parameters, no noise",
    "weight_noise": "noise, once the parameters",
}
_PRUNED = (0.9, 0.5, 0.75, 0.95)  # shares of the weights; the first one decides


@claim(
    13,
    "The code is said to",
    "draw each weight from a Gaussian distribution",
    "The code, checked on the stored runs: the weights are the values of a bump at 0, exp(-mu² / (2 sigma⁴)) / (√(2π) "
    "sigma), up to rounding; of draws about as many would be negative as the centres are.",
    "disagreements methods",
)
def drawn(evidence: Evidence) -> Answer:
    own = evidence.own
    errors, negative, centres = [], [], []
    for seed in own.seeds("gaussian"):
        run = own.run("gaussian", seed)
        if not {"trained_kernel_0", "trained_log_sigma_0"} <= run.arrays.keys():
            raise Lacking("the runs of gaussian hold no trained centres and widths")
        centre, log_sigma = (run.arrays[f"trained_{name}_0"].astype(np.float64) for name in ("kernel", "log_sigma"))
        bump = np.exp(-0.5 * (centre * np.exp(-2 * log_sigma)) ** 2 - log_sigma) / math.sqrt(2 * math.pi)
        errors.append(float(np.abs(bump - run.kernels[0]).max()))
        negative.append(float(np.mean(run.kernels[0] < 0)))
        centres.append(float(np.mean(centre < 0)))
    found = mean("share of negative weights", negative, PERCENT, 100)
    of_centres = mean("share of negative centres", centres, PERCENT, 100)
    worst = Measurement("largest distance of a weight from the bump's formula", max(errors), n=len(errors))
    is_bump = worst.value < 1e-3
    return Answer(
        WRONG if is_bump else UNDECIDED,
        f"a weight is {'the height of a bump' if is_bump else 'not what the formula of the bump gives'} (largest "
        f"deviation {worst.value:.1g}), not a sample: {of_centres:.0f} % of the centres are negative and {found:.0f} % "
        "of the weights",
        (found, of_centres, worst),
    )


@claim(
    14,
    "With Gaussian weights,",
    "the weights look far different from those of the other models",
    "Cosine of gaussian's and none's weights, paired by seed, t interval: raw, and row-centred, which is all that "
    f"softmax sees and what decides; far different: below {_HALF:.2f}, less than half of the squared length in common.",
    "figure-weights_own_scale_one_seed",
)
def different(evidence: Evidence) -> Answer:
    own = evidence.own
    raw, centred, others = [], [], []
    for seed in own.seeds("gaussian", "none"):
        one, other = own.kernel("gaussian", seed), own.kernel("none", seed)
        raw.append(pixels.cosine(one, other))
        live = evidence.reference.live
        centred.append(pixels.cosines(one[live], other[live]))
        if "dropout" in own and seed in own.values("dropout", "test_accuracy"):
            others.append(pixels.cosines(own.kernel("dropout", seed)[live], other[live]))
    found = mean("cosine with none, row-centred, pixels lit in 5 % of the images or more", centred)
    as_drawn = mean("cosine with none, raw", raw)
    measurements = [found, as_drawn]
    if others:
        measurements.append(mean("for scale: dropout's cosine with none, row-centred", others))
    verdict = below(found, _HALF)
    return Answer(
        verdict,
        f"as they are drawn the weights have a cosine of {as_drawn:.2f} with none's, but without each pixel's mean "
        f"over the digits, which no prediction depends on, it is {found:.2f}",
        tuple(measurements),
    )


@claim(
    15,
    "With Gaussian weights,",
    "the test accuracy is still quite high (91.5%)",
    f"Test accuracy, gaussian minus none, paired by seed, t interval; quite high: less than {_CLOSE} points lower "
    "(“nearly the same accuracy as the unregularized model”). At its own learning rate, ten times the others', and, "
    "which decides, at the same one.",
    "comparison ladder#comparison",
    "ladder",
)
def quite_high(evidence: Evidence) -> Answer:
    return _close(evidence, "test_accuracy", "test accuracy")


@claim(
    16,
    "With Gaussian weights,",
    "the model approaches the same training accuracy as the unregularized version",
    f"Training accuracy, gaussian minus none, paired by seed, t interval against a margin of {_CLOSE} points. At its "
    "own learning rate, ten times the others', and, which decides, at the same one.",
    "methods ladder#methods",
    "ladder",
)
def same_training_accuracy(evidence: Evidence) -> Answer:
    return _close(evidence, "train_accuracy", "training accuracy")


def _close(evidence: Evidence, column: str, words: str) -> Answer:
    own, what = evidence.own, f"{words}, gaussian minus none, at"
    found = [own.difference(f"{what} ten times the learning rate", "gaussian", "none", column, POINTS, 100)]
    means = [own.mean(f"{words}, {name}", name, column, PERCENT, 100) for name in ("gaussian", "none")]
    why = f"gaussian's {words} is {means[0]:.2f} % at ten times the learning rate, none's {means[1]:.2f} %"
    if not evidence.has("ladder", "rate_gaussian", "post_none"):
        why += f" ({found[0].text()}); no study that was run has both at the same one, which would decide"
        return Answer(UNDECIDED, why, (*found, *means))
    ladder = evidence.others["ladder"]
    equal = ladder.difference(f"{what} the same learning rate", "rate_gaussian", "post_none", column, POINTS, 100)
    verdict = within(equal, _CLOSE) if column == "train_accuracy" else above(equal, -_CLOSE)
    near = f"within {_CLOSE} points of" if column == "train_accuracy" else f"at most {_CLOSE} points below"
    near = "above" if column == "test_accuracy" and equal.low > 0 else near
    far = f"more than {_CLOSE} points {'below' if equal.value < 0 else 'above'}"
    compared = say(verdict, f"is {near}", f"is {far}", f"may or may not be {near}") + f" none's ({equal.text()})"
    why += f"; at the same learning rate it {compared if known(equal.low) else f'differs by {equal.text()}'}"
    return Answer(verdict, why, (equal, *found, *means))


@claim(
    28,
    "Gaussian weight regularization",
    "ends up optimizing twice as many parameters which also roughly doubles runtime",
    "Time of a step over that of none, paired by seed, geometric mean and t interval: twice the parameters without "
    "noise, noise with once the parameters, and both. Supported if the parameters alone take more than half of what "
    "gaussian adds, and noise alone less; refuted if the parameters take less. These times come from runs trained side "
    "by side and not from a quiet machine: only an interval that is more than a quarter away from that half counts.",
    "controls#figure-runtime",
    "controls",
)
def doubled(evidence: Evidence) -> Answer:
    own = evidence.own
    counts = [own.rows(method)["parameters"].max() for method in ("gaussian", "none")]
    parameters = Measurement("parameters, over none's", float(counts[0] / counts[1]), unit=TIMES)
    both = ratio(own, "gaussian", "both, in the post's study")
    controls = evidence.study("controls")
    alone, noise = (ratio(controls, name, what) for name, what in _PARTS.items())
    together = ratio(controls, "gaussian", "both")
    times = {name: controls.values(name, _TIME) for name in ("none", "gaussian", *_PARTS)}
    seeds = controls.seeds(*times)
    half = {seed: (times["none"][seed] + times["gaussian"][seed]) / 2 for seed in seeds}
    over_half = [
        Measurement(
            f"{what}: time over that of none and half of what gaussian adds",
            *paired_ratio(times[name], half),
            len(seeds),
            TIMES,
        )
        for name, what in _PARTS.items()
    ]
    verdict = beyond(over_half[0]) if together.low > 1 else UNDECIDED
    if verdict == SUPPORTED and beyond(over_half[1]) != REFUTED:
        verdict = UNDECIDED
    return Answer(
        verdict,
        f"with {parameters:.2f} times the parameters a step takes {both:.2f} times as long as none's; in the controls "
        f"gaussian takes {together:.2f}, its parameters without the noise {alone:.2f} and noise without more "
        f"parameters {noise:.2f} times"
        + ("; times taken side by side leave open which of the two it is" if verdict == UNDECIDED else ""),
        (*over_half, alone, noise, together, both, parameters),
    )


def ratio(study: Study, method: str, what: str, baseline: str = "none") -> Measurement:
    """The time of a step over the baseline's, paired by seed."""
    seeds = study.seeds(method, baseline)
    return Measurement(
        what, *paired_ratio(*(study.values(name, _TIME) for name in (method, baseline))), len(seeds), TIMES
    )


def beyond(found: Measurement) -> str:
    """Supported if a time is longer by more than times taken side by side are off, refuted if shorter by more."""
    return SUPPORTED if found.low > SIDE_BY_SIDE else REFUTED if found.high < 1 / SIDE_BY_SIDE else UNDECIDED


@claim(
    30,
    "Gaussian weight regularization produces",
    "an exclusively positive weight matrix",
    "The smallest weight of every seed: raw, which decides (positive: none is negative, as the smallest heights of a "
    "bump round to 0), and row-centred, which is all that softmax sees.",
    "figure-weight_distribution disagreements",
)
def positive(evidence: Evidence) -> Answer:
    own = evidence.own
    seeds = own.seeds("gaussian")
    kernels = [own.kernel("gaussian", seed) for seed in seeds]
    smallest = Measurement("smallest weight of all seeds", min(float(kernel.min()) for kernel in kernels), n=len(seeds))
    centred = [geometry.row_centred(kernel) for kernel in kernels]
    below_mean = mean(
        "share of weights below their pixel's mean", [np.mean(kernel < 0) for kernel in centred], PERCENT, 100
    )
    least = mean("smallest weight, row-centred", [kernel.min() for kernel in centred])
    verdict = SUPPORTED if smallest.value >= 0 else REFUTED
    zeros, weights = sum(int(np.sum(kernel == 0)) for kernel in kernels), sum(kernel.size for kernel in kernels)
    rounded = f"{zeros:,} of {weights:,} {'is' if zeros == 1 else 'are'} 0 by rounding"
    return Answer(
        verdict,
        say(verdict, "no weight is negative", "there are negative weights", "")
        + f" ({rounded if zeros and verdict == SUPPORTED else f'the smallest is {smallest:.2g}'}), but that means "
        "nothing: without each pixel's mean over the digits, "
        f"which changes no prediction, the smallest is {least:.2f} and {below_mean:.0f} % are negative",
        (smallest, least, below_mean),
    )


@claim(
    34,
    "Gaussian weight regularization offers",
    "a promising avenue for further investigation",
    "Its rigorous relatives (weight noise, adaptive weight noise, Bayes by Backprop) minus none, each tuned with as "
    "many points, paired by seed, t intervals: NLL, and accuracy after pruning 90 % of the weights by |mean| / sigma, "
    "of none by |row-centred weight| x deviation of the pixel. Promising if one has a lower NLL and one stands "
    "pruning better (Holm within each of the two), not if none does either. Beside it accuracy, ECE and time.",
    "fair#calibration fair#comparison",
    "fair",
)
def promising(evidence: Evidence) -> Answer:
    fair = evidence.study("fair")
    relatives = [method for method in _RELATIVES if method in fair]
    if not relatives:
        raise Lacking("the study fair has no relative of gaussian that finished")
    found: dict[str, list[Measurement]] = {"nll": [], "pruned": [], "cost": [], "other": []}
    for method in relatives:
        label = fair.label(method)
        found["nll"].append(fair.difference(f"{label}: NLL minus none's", method, "none", "test_nll"))
        what = f"{label}: test accuracy minus none's"
        found["other"].append(fair.difference(what, method, "none", "test_accuracy", POINTS, 100))
        found["other"].append(fair.difference(f"{label}: ECE minus none's", method, "none", "test_ece"))
        found["cost"].append(ratio(fair, method, f"{label}: time of a step over none's"))
        if method != "weight_noise":  # its sigma is the same for all weights
            decisive, *others = _pruned(evidence, fair, method)
            found["pruned"].append(decisive)
            found["other"] += others
    verdict = agree(_any(below, found["nll"]), _any(above, found["pruned"]))
    found["nll"].sort(key=lambda one: one.value)
    best = found["nll"][0]
    sturdiest = max(found["pruned"], key=lambda one: one.value, default=None)
    costs = sorted(one.value for one in found["cost"])
    return Answer(
        verdict,
        f"of its relatives {best.what.partition(':')[0]} has the lowest NLL, {best:+.4f} against none's"
        + (
            f"; with 90 % of the weights pruned {sturdiest.what.partition(':')[0]} is the most accurate, by "
            f"{sturdiest.text()} against none"
            if sturdiest
            else ""
        )
        + f"; a step takes {' to '.join(dict.fromkeys(number(cost, '.1f') for cost in (costs[0], costs[-1])))} times "
        "as long as none's",
        tuple(itertools.chain(*found.values())),
    )


def _any(rule: Callable[[Measurement], str], found: Sequence[Measurement]) -> str:
    """Supported if it holds of one of these, by an interval widened for the best of several; refuted if of none.

    The first step of Holm 1979, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of
    Statistics 6(2), which is all that "one of them" asks for. That it holds of none needs no correction.
    """
    if SUPPORTED in (rule(widened(one, len(found))) for one in found):
        return SUPPORTED
    return REFUTED if found and all(rule(one) == REFUTED for one in found) else UNDECIDED


def widened(found: Measurement, tests: int) -> Measurement:
    """A mean with a t interval of 95 %, with the interval that holds for so many tests together (Bonferroni)."""
    freedom = max((found.n or 0) - 1, 1)
    factor = special.stdtrit(freedom, 1 - 0.025 / tests) / special.stdtrit(freedom, 0.975)
    low, high = (found.value + factor * (end - found.value) for end in (found.low, found.high))
    return dataclasses.replace(found, low=low, high=high)


def _pruned(evidence: Evidence, study: Study, method: str) -> list[Measurement]:
    """Accuracy of a method pruned by |mean| / sigma minus that of none, pruned by what each weight does.

    The first is of the share that decides; the last is none pruned by |weight| alone.
    """
    images, labels = evidence.test_images, evidence.test_labels
    deviation = evidence.reference.pixel_stddev[:, None]
    gains: dict[float, list[float]] = {share: [] for share in _PRUNED}
    naive = []
    for seed in study.seeds(method, "none"):
        kernel, bias = study.one_layer(method, seed)
        plain, plain_bias = study.one_layer("none", seed)
        signal = np.abs(kernel) / sigma(study.run(method, seed).arrays)
        used = np.abs(geometry.row_centred(plain)) * deviation
        for share, gained in gains.items():
            one = pixels.accuracy(keep_largest(kernel, signal, share), bias, images, labels)
            gained.append(one - pixels.accuracy(keep_largest(plain, used, share), plain_bias, images, labels))
            if share == _PRUNED[0]:
                kept = keep_largest(plain, np.abs(plain), share)
                naive.append(one - pixels.accuracy(kept, plain_bias, images, labels))
    what = f"{study.label(method)}: accuracy with {{}} % of the weights pruned minus none's"
    return [
        *(mean(what.format(f"{100 * share:g}"), gained, POINTS, 100) for share, gained in gains.items()),
        mean(f"{what.format(f'{100 * _PRUNED[0]:g}')}, none by |weight| alone", naive, POINTS, 100),
    ]


def sigma(arrays: dict[str, np.ndarray]) -> np.ndarray:
    """The standard deviation of each weight of the first layer, of a run that learned them; Lacking if it has none."""
    if "trained_log_sigma_0" in arrays:
        return np.exp(arrays["trained_log_sigma_0"].astype(np.float64))
    if "trained_rho_0" in arrays:
        return np.logaddexp(0, arrays["trained_rho_0"].astype(np.float64))
    raise Lacking("a run holds no widths of its weights")


def keep_largest(kernel: np.ndarray, size: np.ndarray, share: float) -> np.ndarray:
    """The kernel with this share of its weights, those of the smallest size, set to 0."""
    count = round(share * kernel.size)
    left = kernel.copy().ravel()
    left[np.argsort(size.ravel(), kind="stable")[:count]] = 0
    return left.reshape(kernel.shape)
