"""Claims about dropout."""

from regatlas.claims import pixels
from regatlas.claims.claim import (
    PERCENT,
    POINTS,
    WRONG,
    Answer,
    above,
    agree,
    below,
    claim,
    mean,
    say,
)
from regatlas.claims.evidence import Evidence, Study
from regatlas.numbers import known, number

_MISSING = (0.25, 0.5, 0.75)  # shares of pixels
_MOST_USED = (10, 50, 100)  # pixels


@claim(
    9,
    "At each training step, dropout",
    "clamps some weights to 0",
    "The code: dropout acts on the inputs. Beside it the share of dropout's trained weights that are 0.",
    "disagreements methods",
)
def clamps(evidence: Evidence) -> Answer:
    zeros = evidence.own.mean("share of dropout's weights that are 0", "dropout", "sparsity")
    return Answer(
        WRONG,
        "dropout acts on the inputs: it zeroes pixels of an image, and with a pixel all of its weights have no "
        f"say in that step, but no weight is changed ({number(zeros.value * 100, '.1f')} % of the trained ones are 0)",
        (zeros,),
    )


@claim(
    10,
    "Dropout makes the model",
    "distribute computations across the entire network",
    "Participation ratio (over how large a share of pixels a digit's weights spread), dropout minus none, paired by "
    "seed, t interval, in the post's study and, if the study controls was run, with cross-entropy; and test accuracy "
    "with half of the pixels missing at random, noise off. They decide if they agree.",
    "methods controls#methods",
    "controls",
)
def distributes(evidence: Evidence) -> Answer:
    own = evidence.own
    spread = own.difference("participation ratio, dropout minus none", "dropout", "none", "participation_ratio")
    labels, images = evidence.test_labels, evidence.test_images
    robust = []
    for share in _MISSING:
        seeds = own.seeds("dropout", "none")
        gains = [
            pixels.with_missing(*own.one_layer("dropout", seed), images, labels, share)
            - pixels.with_missing(*own.one_layer("none", seed), images, labels, share)
            for seed in seeds
        ]
        robust.append(
            mean(
                f"accuracy with {number(share * 100, 'g')} % of the pixels missing, dropout minus none",
                gains,
                POINTS,
                100,
            )
        )
    spreads = [spread]
    if evidence.has("controls", "dropout", "none"):
        words = "participation ratio, dropout minus none, with cross-entropy (controls)"
        spreads.append(evidence.others["controls"].difference(words, "dropout", "none", "participation_ratio"))
    return Answer(
        agree(*map(above, spreads), above(robust[1])),
        f"dropout changes the participation ratio of a digit's weights by {spread:+.3f}"
        + (f" ({spreads[1]:+.3f} with cross-entropy)" if len(spreads) > 1 else "")
        + say(above(spread), ", to more pixels", ", to fewer pixels", "")
        + f", and with {number(_MISSING[1] * 100, 'g')} % of the pixels missing its accuracy differs by "
        f"{robust[1].text()} from none's",
        (*spreads, *robust),
    )


@claim(
    11,
    "With dropout",
    "these 'weight images' are much smoother",
    "Roughness, dropout minus none, paired by seed, t interval, below 0.",
    "figure-weights_own_scale_one_seed methods",
)
def smoother(evidence: Evidence) -> Answer:
    return _smoother(evidence.own, "dropout", "none")


def _smoother(study: Study, method: str, baseline: str) -> Answer:
    found = study.difference(f"roughness, {method} minus {baseline}", method, baseline, "roughness")
    one, other = (study.mean(f"roughness, {name}", name, "roughness") for name in (method, baseline))
    verdict = below(found)
    undecided = ", which the seeds do not tell apart" if known(found.low) else ""
    return Answer(
        verdict,
        f"roughness is {one:.3f} with {study.label(method)} and {other:.3f} with {study.label(baseline)}"
        + say(verdict, ", so the weights are smoother", ", so the weights are rougher", undecided),
        (found, one, other),
    )


@claim(
    12,
    "Dropout keeps the model from",
    "placing too much trust in any one of its input features",
    "Largest share that one pixel has in the predicted digit's logit (mean over test images), dropout minus none, "
    "paired by seed, t interval, below 0; and accuracy after blanking the most used pixels.",
    "methods",
)
def trust(evidence: Evidence) -> Answer:
    own, images, labels = evidence.own, evidence.test_images, evidence.test_labels
    deviation, seeds = evidence.reference.pixel_stddev, own.seeds("dropout", "none")
    networks = {name: [own.one_layer(name, seed) for seed in seeds] for name in ("dropout", "none")}
    shares = {name: [pixels.largest_share(*network, images) for network in networks[name]] for name in networks}
    found = mean(
        "largest share of one pixel, dropout minus none",
        [a - b for a, b in zip(shares["dropout"], shares["none"], strict=True)],
        POINTS,
        100,
    )
    parts = [mean(f"largest share of one pixel, {name}", values, PERCENT, 100) for name, values in shares.items()]
    for count in _MOST_USED:
        after = {
            name: [
                pixels.without_the_most_used(*network, images, labels, deviation, count) for network in networks[name]
            ]
            for name in networks
        }
        gains = [a - b for a, b in zip(after["dropout"], after["none"], strict=True)]
        parts.append(mean(f"accuracy without its {count} most used pixels, dropout minus none", gains, POINTS, 100))
    verdict = below(found)
    return Answer(
        verdict,
        f"the pixel that counts most makes up {parts[0]:.3f} % of a logit with dropout and {parts[1]:.3f} % without, "
        f"and blanking its {_MOST_USED[1]} most used pixels makes its accuracy differ from none's by {parts[3].text()}",
        (found, *parts),
    )


@claim(
    32,
    "Dropout will",
    "smooth out multilayer networks in the same way it does here",
    "Roughness of the first layer's weights with two hidden layers, dropout minus none, paired by seed, t interval, "
    "below 0: dropout of pixels and hidden units, and of hidden units alone.",
    "mlp#methods",
    "mlp",
)
def multilayer(evidence: Evidence) -> Answer:
    mlp = evidence.study("mlp")
    both = _smoother(mlp, "dropout", "none")
    found = list(both.measurements)
    hidden = (
        mlp.difference("roughness, dropout of hidden units alone minus none", "dropout_hidden", "none", "roughness")
        if "dropout_hidden" in mlp
        else None
    )
    why = f"with two hidden layers {both.why}"
    if hidden:
        found.append(hidden)
        why += f"; dropout of hidden units alone changes it by {hidden:+.3f}"
    if "none" in evidence.own and "dropout" in evidence.own:
        one = evidence.own.difference(
            "roughness without hidden layers, dropout minus none", "dropout", "none", "roughness"
        )
        found.append(one)
        why += f"; without hidden layers dropout changes it by {one:+.3f}"
    return Answer(both.verdict, why, tuple(found))
