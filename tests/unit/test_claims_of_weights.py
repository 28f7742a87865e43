"""Claims that look at weights and images: their measures against hand-made networks, and verdicts that turn."""

import json
import re

import numpy as np
import pandas as pd
import pytest
from claiming import CLASSES, PIXELS, SEEDS, data, evidence, measured_against, study, write_run
from scipy import stats

from regatlas import geometry, streams
from regatlas.claims import catalogue, gaussian, images, overfitting, pixels, relations, shrinkage
from regatlas.claims.claim import OPINION, REFUTED, SUPPORTED, UNDECIDED, UNMEASURED, WRONG

RNG = np.random.default_rng(1)
REFERENCE = measured_against()
TEMPLATE = REFERENCE.template * 4
NOISE = [RNG.standard_normal((PIXELS, CLASSES)) for _ in SEEDS]
BY_NUMBER = {one.number: one for one in catalogue.CATALOGUE}


def ask(number, own, *others):
    return catalogue.row(BY_NUMBER[number], evidence(own, *others))


def posts(folder, name="post", **kernels):
    """A study whose methods have these weights: a function of the seed's number, or a list of such, one a point."""
    methods = {}
    for method, makes in kernels.items():
        points = makes if isinstance(makes, list) else [makes]
        norms = [[float(np.linalg.norm(make(seed))) for seed in SEEDS] for make in points]
        methods[method] = [{"weight_norm": norm} for norm in norms]
        for point, make in enumerate(points):
            for seed in SEEDS:
                write_run(folder, method, seed, make(seed), point)
    return study(name, methods, root=folder)


def template(size=1.0, noise=0.0):
    return lambda seed: size * TEMPLATE + noise * NOISE[seed]


def noise(size=1.0):
    return lambda seed: size * NOISE[seed]


# measures


def test_rank_correlation_is_spearmans_mean_over_columns():
    a, b = RNG.integers(0, 9, (40, 2)), RNG.integers(0, 9, (40, 2))
    expected = np.mean([stats.spearmanr(a[:, i], b[:, i]).statistic for i in range(2)])
    assert pixels.rank_correlation(a, b) == pytest.approx(expected)
    assert np.isnan(pixels.rank_correlation(np.ones((5, 1)), np.arange(5)[:, None]))


def test_shares_and_accuracies_of_a_small_network():
    kernel = np.array([[3.0, -3.0], [1.0, -1.0], [-1.0, 1.0]])
    bias, x = np.zeros(2), np.array([[1, 1, 0], [0, 0, 1]], np.float32)
    # first image: |3|, |1| of the predicted logit; second: one pixel alone
    assert pixels.largest_share(kernel, bias, x) == pytest.approx((0.75 + 1) / 2)
    labels = np.array([0, 1])
    assert pixels.accuracy(kernel, bias, x, labels) == 1
    assert pixels.accuracy(kernel, np.array([-9.0, 9.0]), x, labels) == 0.5
    deviation = np.array([1.0, 1.0, 9.0])  # the third pixel is used most
    assert pixels.without_the_most_used(kernel, bias, x, labels, deviation, 0) == 1
    assert pixels.without_the_most_used(kernel, bias, x, labels, deviation, 1) == 0.5  # a tie goes to class 0
    assert pixels.with_missing(kernel, bias, x, labels, 0.0) == 1
    assert pixels.with_missing(kernel, bias, x, labels, 1.0) == 0.5
    assert pixels.effect(kernel, x) == pytest.approx(np.array([[1.5, 1.5], [0.5, 0.5], [0.5, 0.5]]))


def test_cosine_and_distance_do_not_see_a_pixels_mean():
    one = NOISE[0]
    moved = one + RNG.standard_normal((PIXELS, 1)) * 5
    assert pixels.cosine(one, moved) < 0.6 and pixels.cosines(one, moved) == pytest.approx(1)
    assert pixels.apart(one, moved) == pytest.approx(0, abs=1e-12)
    centred = geometry.row_centred(one)
    assert pixels.apart(one, 3 * one) == pytest.approx(1) and pixels.cosine(centred, -centred) == pytest.approx(-1)
    assert np.isnan(pixels.cosine(one, 0 * one))


def test_top_overlap():
    one, other = np.arange(10.0)[:, None], np.arange(10.0)[:, None]
    assert images.top_overlap(one, other, 3) == 1 and images.top_overlap(one, -other, 3) == 0
    assert images.top_overlap(one, -other, 6) == pytest.approx(2 / 6)


def test_the_share_of_initial_noise(tmp_path):
    start = lambda seed: streams.truncated_normal(  # noqa: E731
        streams.generator(seed, "initial weights", 0), (PIXELS, CLASSES), 0.075
    )
    own = posts(tmp_path, none=start, l2=lambda seed: start(seed) + TEMPLATE, dropout=template())
    assert np.allclose(own.initial("none", 2), start(2))
    assert images.noise_share(evidence(own), own, "none", 0) == pytest.approx((1, 1), abs=1e-6)
    everywhere = geometry.neighbours(np.ones(PIXELS, bool), REFERENCE.image_shape)
    share, _ = images.noise_share(evidence(own), own, "l2", 0)
    sums = [images.roughness_sum(kernel, everywhere) for kernel in (TEMPLATE, start(0) + TEMPLATE)]
    assert share == pytest.approx(1 - sums[0] / sums[1], abs=1e-5)


def test_quarters_are_of_each_class():
    given = np.array([[0.0], [3.0], [1.0], [2.0], [9.0], [5.0], [6.0], [8.0]])
    labels = np.array([0, 0, 0, 0, 1, 1, 1, 1])
    assert shrinkage.quarters(given, labels, np.array([[0.0, 5.0]])).tolist() == [0, 3, 1, 2, 3, 0, 1, 2]


def test_widths_of_weights():
    assert gaussian.sigma({"trained_log_sigma_0": np.log([0.5])}) == pytest.approx(0.5)
    assert gaussian.sigma({"trained_rho_0": np.log(np.expm1([0.2]))}) == pytest.approx(0.2)
    kept = gaussian.keep_largest(np.array([[1.0, -4.0], [3.0, 2.0]]), np.array([[4.0, 1.0], [2.0, 3.0]]), 0.5)
    assert kept.tolist() == [[1, 0], [0, 2]]


def test_correlation_within_points_takes_their_means_off():
    up = {"weight_norm": [1.0, 2, 3, 4, 5], "accuracy_gap": [0.1, 0.2, 0.3, 0.4, 0.5]}
    down = {"weight_norm": [11.0, 12, 13, 14, 15], "accuracy_gap": [0.95, 0.94, 0.93, 0.92, 0.91]}
    own = study("fair", {"a": up, "b": down})
    assert relations.within_points(own, "weight_norm", "accuracy_gap").value == pytest.approx(0, abs=1e-9)
    assert relations.within_points(study("fair", {"a": up}), "weight_norm", "accuracy_gap").value > 0.999
    points = [{"weight_norm": float(n), "accuracy_gap": float(n**2)} for n in range(1, 8)]
    found = relations.over_points(study("fair", {"a": points}), "weight_norm", "accuracy_gap")
    assert found.value == pytest.approx(1) and found.n == 7 and found.low < found.value
    many = {
        name: [{**one, "weight_norm": one["weight_norm"] + 10 * i} for one in points]
        for i, name in enumerate("abcdefg")
    }
    found = relations.over_points(study("fair", many), "weight_norm", "accuracy_gap")
    assert found.n == 49 and 0 < found.low < found.value < found.high < 1
    assert relations.by_seed(study("fair", {"a": points}), "a", "weight_norm", "accuracy_gap") == [pytest.approx(1)] * 5


def test_of_few_methods_the_interval_is_fishers():
    gaps = [1.0, 3.0, 2.0, 5.0, 4.0, 7.0, 6.0]
    points = [{"weight_norm": [norm] * 5, "accuracy_gap": [gap] * 5} for norm, gap in enumerate(gaps, 1)]
    found = relations.over_points(study("fair", {"a": points}), "weight_norm", "accuracy_gap")
    r = stats.spearmanr(range(7), gaps).statistic
    half = 1.959964 * np.sqrt((1 + r**2 / 2) / (7 - 3))  # Bonett & Wright 2000
    ends = np.tanh(np.arctanh(r) + np.array([0, -half, half]))
    assert [found.value, found.low, found.high] == pytest.approx(ends.tolist())


def test_points_that_share_their_seeds_are_not_so_many_runs():
    """Twenty points whose seeds move alike tell no more than one of them."""
    rng = np.random.default_rng(3)
    excluded = []
    for _ in range(20):
        moves = {"weight_norm": 10 + rng.standard_normal(6), "accuracy_gap": 0.1 + 0.01 * rng.standard_normal(6)}
        own = study("fair", {"a": [moves] * 20}, seeds=range(6))
        found = relations.within_points(own, "weight_norm", "accuracy_gap")
        excluded.append(found.low > 0 or found.high < 0)
        assert found.n == 120 and found.low < found.value < found.high
    assert np.mean(excluded) <= 0.2
    two = study("fair", {"a": {"weight_norm": [1.0, 2.0], "accuracy_gap": [0.1, 0.2]}}, seeds=(0, 1))
    assert np.isnan(relations.within_points(two, "weight_norm", "accuracy_gap").low)


def test_components_of_a_known_sum():
    methods, points, seeds = {"a": 2.0, "b": -2.0}, (0.5, -0.5), (0.3, -0.3, 0.0)
    table = pd.DataFrame(
        {(m, p): [90 + methods[m] + points[p] + s for s in seeds] for m in methods for p in (0, 1)},
        index=pd.Index([0, 1, 2], name="seed"),
    ).rename_axis(columns=["method", "point"])
    found = overfitting.components(table, 10_000)
    assert found["method"] == pytest.approx(2) and found["point of the grid"] == pytest.approx(0.5)
    assert overfitting.by_method(table)["spread"].tolist() == pytest.approx([1, 1])
    assert found["seed"] == pytest.approx(0.3)  # sqrt(sum of squares 4 x 0.18 / (2 x 4))
    assert found["test images"] == pytest.approx(0.3, rel=0.05)  # sqrt(0.9 x 0.1 / 10,000)


# verdicts


def test_a_columns_largest_weights_and_the_pixels_that_matter(tmp_path):
    """A number added to a pixel's weights is seen in the image and has no effect."""
    rng = np.random.default_rng(2)
    size = np.exp(3 * rng.standard_normal((PIXELS, 1)))
    plain = size * np.array([1, -1, 1, -1])
    added = 1000 * rng.standard_normal((PIXELS, 1))
    assert ask(5, posts(tmp_path / "a", none=lambda seed: plain))["verdict"] == SUPPORTED
    row = ask(5, posts(tmp_path / "b", none=lambda seed: plain + added))
    assert row["verdict"] == REFUTED and re.search(r"deviation it is (0\.9|1\.0)", row["why"])


def test_shadows_of_digits(tmp_path):
    own = posts(tmp_path / "a", none=template(noise=0.1))
    assert ask(8, own)["verdict"] == SUPPORTED
    own = posts(tmp_path / "b", none=lambda seed: np.roll(TEMPLATE, 1, axis=1))  # every digit looks like another
    row = ask(8, own)
    assert row["verdict"] == REFUTED and "0 of 4 columns" in row["why"]


def test_one_digit_that_looks_like_another_leaves_its_shadow_undecided(tmp_path):
    own = posts(tmp_path, none=lambda seed: TEMPLATE[:, [0, 1, 2, 0]] + 0.01 * NOISE[seed])
    row = ask(8, own)
    assert row["verdict"] == UNDECIDED and "3 of 4 columns" in row["why"], row["why"]


@pytest.mark.parametrize(("spread", "expected"), [(0.4, SUPPORTED), (0.2, UNDECIDED)])
def test_dropout_distributes(tmp_path, spread, expected):
    """One pixel a digit is nothing to rely on when half of them are missing."""
    one_pixel = np.zeros((PIXELS, CLASSES))
    one_pixel[[7, 10, 25, 28], range(CLASSES)] = 9
    for seed in SEEDS:
        write_run(tmp_path, "none", seed, one_pixel)
        write_run(tmp_path, "dropout", seed, TEMPLATE)
    row = ask(10, study("post", {"none": {}, "dropout": {"participation_ratio": spread}}, root=tmp_path))
    assert row["verdict"] == expected, row["why"]
    row = ask(12, study("post", {"none": {}, "dropout": {}}, root=tmp_path))
    assert row["verdict"] == SUPPORTED and row["unit"] == "points"  # a difference of percentages
    assert re.search(r"\d\.\d{3} % of a logit with dropout and \d+\.\d{3} % without", row["why"])
    swapped = {"none": "dropout", "dropout": "none"}
    for seed in SEEDS:
        for name, other in swapped.items():
            write_run(tmp_path / "swapped", name, seed, {"none": one_pixel, "dropout": TEMPLATE}[other])
    row = ask(12, study("post", {"none": {}, "dropout": {}}, root=tmp_path / "swapped"))
    assert row["verdict"] == REFUTED


def test_accuracy_with_half_of_the_pixels_missing_decides(tmp_path, monkeypatch):
    gains = {0.25: -0.1, 0.5: 0.1, 0.75: -0.1}

    def accuracy(kernel, bias, images, labels, share):
        return 0.5 + gains[share] * bool(kernel.max() > 50)

    monkeypatch.setattr(pixels, "with_missing", accuracy)
    for seed in SEEDS:
        write_run(tmp_path, "none", seed, TEMPLATE)
        write_run(tmp_path, "dropout", seed, np.full((PIXELS, CLASSES), 99.0))
    own = study("post", {"none": {}, "dropout": {"participation_ratio": 0.4}}, root=tmp_path)
    assert ask(10, own)["verdict"] == SUPPORTED


def test_gaussians_weights_are_a_bump_and_look_like_nones(tmp_path):
    for seed in SEEDS:
        centre, log_sigma = NOISE[seed] * 0.1, NOISE[seed] * 0.1
        bump = np.exp(-0.5 * (centre / np.exp(log_sigma) ** 2) ** 2 - log_sigma) / np.sqrt(2 * np.pi)
        write_run(tmp_path, "gaussian", seed, bump, trained_kernel_0=centre, trained_log_sigma_0=log_sigma)
        write_run(tmp_path, "none", seed, bump - bump.mean(axis=1, keepdims=True))
    own = study("post", {"none": {}, "gaussian": {}}, root=tmp_path)
    assert ask(13, own)["verdict"] == WRONG
    row = ask(14, own)
    assert row["verdict"] == REFUTED and row["value"] == pytest.approx(1)
    row = ask(30, own)
    assert row["verdict"] == SUPPORTED and "% are negative" in row["why"] and row["value"] > 0
    assert "No weight is negative (the smallest is 0." in row["why"]
    for seed in SEEDS:
        write_run(tmp_path / "other", "gaussian", seed, NOISE[seed])
        write_run(tmp_path / "other", "none", seed, TEMPLATE)
    own = study("post", {"none": {}, "gaussian": {}}, root=tmp_path / "other")
    assert ask(13, own)["verdict"] == UNMEASURED  # no centres and widths
    assert ask(14, own)["verdict"] == SUPPORTED and ask(30, own)["verdict"] == REFUTED


def test_weights_that_round_to_0_are_counted(tmp_path):
    for seed in SEEDS:
        kernel = np.abs(NOISE[seed]) + 0.1
        kernel.flat[: 2 * (seed == 3)] = 0
        write_run(tmp_path, "gaussian", seed, kernel)
    row = ask(30, study("post", {"gaussian": {}}, root=tmp_path))
    assert row["verdict"] == SUPPORTED and f"(2 of {5 * PIXELS * CLASSES} are 0 by rounding)" in row["why"]


def test_l2_forgets_its_start_or_does_not(tmp_path):
    own = study("post", {"none": {}})
    forgets = dict.fromkeys(("l2", "l2_zero_start", "l2_wide_start"), template())
    row = ask(18, own, posts(tmp_path / "a", "controls", **forgets))
    assert row["verdict"] == REFUTED and row["value"] == pytest.approx(0)
    keeps = {"l2": template(), "l2_zero_start": template(), "l2_wide_start": template(noise=1)}
    assert ask(18, own, posts(tmp_path / "b", "controls", **keeps))["verdict"] == SUPPORTED
    assert ask(18, own, posts(tmp_path / "c", "controls", none=noise()))["verdict"] == UNMEASURED


def test_whether_l2_fails_on_typical_images(tmp_path):
    labels, means = data()["test_labels"], data()["train_images"].mean(axis=0)
    found = evidence(study("post", {"none": {}}))
    quarter = shrinkage.quarters(found.test_images, labels, shrinkage.class_means(found))
    assert shrinkage.class_means(found).mean(axis=1) == pytest.approx(means / 255, abs=1e-6)  # classes of one size
    for folder, wrong, expected in (("a", quarter == 3, SUPPORTED), ("b", quarter >= 0, REFUTED)):
        for seed in SEEDS:
            write_run(tmp_path / folder, "none", seed, TEMPLATE, test_predicted_noise_off=labels)
            mistaken = np.where(wrong, (labels + 1) % CLASSES, labels).astype(np.uint8)
            write_run(tmp_path / folder, "l2", seed, TEMPLATE, test_predicted_noise_off=mistaken)
        own = study("post", {"none": {}, "l2": {"accuracy_gap": [0.0] * 5}}, root=tmp_path / folder)
        row = ask(21, own)
        assert row["verdict"] == expected, row["why"]


def test_l2_and_weight_normalization_at_their_own_norms_and_at_one(tmp_path):
    own = posts(tmp_path / "a", l2=template(2), weight_norm=template(1))
    row = ask(22, own)
    assert row["verdict"] == UNDECIDED and "no study that was run has them at equal norms" in row["why"]
    other = study("post", {"l2": {}, "weight_norm": {"test_accuracy": 0.7}}, root=tmp_path / "a")
    assert ask(22, other)["verdict"] == UNDECIDED  # other norms, other accuracy
    same = posts(tmp_path / "b", "ladder", post_l2=template(2), matched_weight_norm=[template(1), template(2.01)])
    row = ask(22, other, same)
    assert row["verdict"] == SUPPORTED and "at equal norms (study ladder)" in row["why"]
    pair = shrinkage.nearest(same)
    assert pair.other == ("matched_weight_norm", 1) and pair.ratio == pytest.approx(1.005, abs=1e-4)
    unlike = posts(tmp_path / "c", "ladder", post_l2=template(2), matched_weight_norm=template(1.5, noise=0.9))
    far = shrinkage.nearest(unlike).ratio > 1.02
    assert far and ask(22, other, unlike)["verdict"] == UNDECIDED
    sizes = np.linalg.norm(2 * TEMPLATE) / np.linalg.norm(NOISE, axis=(1, 2))
    other = posts(
        tmp_path / "d", "ladder", post_l2=template(2), matched_weight_norm=lambda seed: sizes[seed] * NOISE[seed]
    )
    assert ask(22, own, other)["verdict"] == REFUTED


def test_of_several_pairs_of_equal_norms_the_one_held_back_most_is_compared(tmp_path):
    two = posts(tmp_path, "fair", l2=[template(1), template(4)], norm_constraint=[template(1.01), template(4)])
    pair = shrinkage.nearest(two)
    assert (pair.one, pair.other) == (("l2", 0), ("norm_constraint", 0))


@pytest.mark.parametrize(
    ("accuracy", "similar", "different"), [(0.9301, SUPPORTED, REFUTED), (0.9, REFUTED, SUPPORTED)]
)
def test_with_hidden_layers(tmp_path, accuracy, similar, different):
    mlp = deep(tmp_path, {"test_accuracy": accuracy}, lambda seed: NOISE[seed] + 0.1 * NOISE[seed - 1])
    assert ask(33, study("post", {"none": {}}), mlp)["verdict"] == similar
    assert ask(23, study("post", {"none": {}}), mlp)["verdict"] == different


def deep(folder, fixed, kernel, plain=None):
    """The study mlp: columns and weights of the norm constraint, and weights of none; those of L2 are NOISE."""
    for seed in SEEDS:
        for method, make in {"none": plain or template(), "l2": noise(), "norm_constraint": kernel}.items():
            write_run(folder, method, seed, make(seed), kernel_1=NOISE[0][:CLASSES])
    return study("mlp", {"none": {}, "l2": {}, "norm_constraint": fixed}, root=folder)


def test_with_hidden_layers_equal_accuracies_are_not_enough(tmp_path):
    """Tuned networks all have about the same; the two must be nearer to each other than L2 is to none."""
    for folder, kernel, plain, expected in (
        ("all alike", noise(), noise(), UNDECIDED),
        ("the norm constraint like none", template(), template(), UNDECIDED),
        ("nearer to none", template(), lambda seed: NOISE[seed] + 0.1 * NOISE[seed - 1], REFUTED),
    ):
        row = ask(33, study("post", {"none": {}}), deep(tmp_path / folder, {}, kernel, plain))
        assert row["verdict"] == expected, (folder, row["why"])
    row = ask(33, study("post", {"none": {}}), deep(tmp_path / "far", {"weight_norm": 10.5}, noise()))
    assert row["verdict"] == UNDECIDED and "10.0 (L2) and 10.5" in row["why"] and "no two of their" in row["why"]
    alone = study("mlp", {"none": {}, "l2": {}}, root=tmp_path / "far")
    assert "both L2 and a norm constraint" in ask(23, study("post", {"none": {}}), alone)["why"]


def test_small_weights(tmp_path):
    own = posts(tmp_path / "a", none=noise(), l2=noise(0.1), weight_norm=noise(0.1))
    row = ask(29, own)
    assert row["verdict"] == SUPPORTED and row["value"] == pytest.approx(0.1)
    assert ask(29, posts(tmp_path / "b", none=noise(), l2=noise(0.1), weight_norm=noise(0.9)))["verdict"] == REFUTED


def test_texture_and_norm_against_the_gap(tmp_path):
    own = posts(tmp_path, none=template(noise=1))
    for size, number in (("roughness", 7), ("weight_norm", 17)):
        for sign, expected in ((1, SUPPORTED), (-1, REFUTED)):
            points = [
                {size: list(values), "accuracy_gap": list(0.5 + sign * 0.01 * values)}
                for values in np.arange(1, 9)[:, None] + 0.01 * np.arange(5)
            ]
            row = ask(number, own, study("fair", {"a": points}))
            assert row["verdict"] == expected, row["why"]


@pytest.mark.parametrize(("far", "expected"), [(0.95, SUPPORTED), (0.9295, REFUTED)])
def test_hyperparameters(far, expected):
    points = [{"test_accuracy": 0.93}, {"test_accuracy": far}]
    row = ask(27, study("post", {"none": {}}), study("fair", dict.fromkeys("abcdef", points)))
    assert row["verdict"] == expected, row["why"]
    assert row["n"] == len(SEEDS)
    names = [found["quantity"] for found in json.loads(row["measurements"])]
    assert sum(name.startswith("standard deviation between ") for name in names) == len(names) - 1
    assert "+" not in row["measurements"]  # a spread has no sign


def test_one_method_does_not_decide_that_hyperparameters_matter():
    near = [{"test_accuracy": 0.93}, {"test_accuracy": 0.928}]
    far = [{"test_accuracy": 0.93}, {"test_accuracy": 0.7}]
    fair = study("fair", {**dict.fromkeys("abcdefg", near), "h": far}, labels={"h": "The other"})
    row = ask(27, study("post", {"none": {}}), fair)
    assert row["verdict"] == REFUTED and row["value"] == pytest.approx(0.2, abs=0.01)
    assert "more than 1 point apart for 1 method, and farthest for The other (23.00 points)" in row["why"]
    assert "without The other the standard deviation due to the method is 0.00, to the setting 0.10" in row["why"]
    half = study("fair", dict.fromkeys("abcd", near) | dict.fromkeys("efgh", far))
    assert ask(27, study("post", {"none": {}}), half)["verdict"] == UNDECIDED
    few = ask(27, study("post", {"none": {}}), study("fair", dict.fromkeys("ab", far)))
    assert few["verdict"] == UNDECIDED  # two methods are no sample of them


def test_the_interval_of_the_seeds_part_is_around_it():
    """A bootstrap of seeds lies too low, as drawing a seed twice adds no variance."""
    rng = np.random.default_rng(5)
    columns = pd.MultiIndex.from_product([list("abcdefgh"), range(4)], names=["method", "point"])
    covered = []
    for _ in range(60):
        table = pd.DataFrame(92 + rng.normal(0, 0.1, (6, 32)), columns=columns)
        value, low, high = overfitting.seeds_part(table, 10_000)["seed"]
        assert low < value < high and (high / value) * (low / value) == pytest.approx(1)
        covered.append(low < 0.1 < high)
    assert np.mean(covered) > 0.85


def test_relatives_of_gaussian(tmp_path):
    signal = TEMPLATE + 0.05 * NOISE[0]
    for seed in SEEDS:
        write_run(tmp_path, "none", seed, signal)
        write_run(tmp_path, "bayes_by_backprop", seed, signal, trained_rho_0=np.full((PIXELS, CLASSES), -3.0))
    plain = study("post", {"none": {}})
    for width, signal_to_noise in (("wide", -(TEMPLATE**2)), ("narrow", np.abs(NOISE[0]))):
        for seed in SEEDS:
            # a width with which |mean| / sigma keeps the weights that matter, or any others
            sigma = np.abs(signal) / np.exp(signal_to_noise)
            rho = np.log(np.expm1(np.clip(sigma, 1e-6, 20)))
            write_run(tmp_path / width, "none", seed, signal)
            write_run(tmp_path / width, "bayes_by_backprop", seed, signal, trained_rho_0=rho)
    for width, nll, expected in (("wide", 0.35, REFUTED), ("wide", 0.25, UNDECIDED)):
        methods = {"none": {}, "bayes_by_backprop": {"test_nll": nll}}
        row = ask(34, plain, study("fair", methods, root=tmp_path / width))
        assert row["verdict"] == expected, row["why"]
        assert "90 % of the weights pruned" in row["measurements"]
    assert ask(34, plain, study("fair", {"none": {}}))["verdict"] == UNMEASURED


def test_sizes_of_an_opinion():
    fair = study("fair", {"none": [{}, {"test_accuracy": [0.9] * 5}], "l2": {"test_accuracy": [0.95] * 5}})
    small = study("small-data", {"none_500": {"train_size": 500, "test_accuracy": [0.8] * 5}, "none_55000": {}})
    row = ask(31, study("post", {"none": {}}), fair, small)
    assert row["verdict"] == OPINION and row["value"] == pytest.approx(2, abs=0.01)
    assert "13.0" in row["why"] and "+" not in row["measurements"]  # a range has no sign


def test_a_lost_run_file_is_said(tmp_path):
    own = posts(tmp_path, none=template())
    (tmp_path / "none" / "none-0" / "seed-3.npz").unlink()
    row = ask(8, own)
    assert row["verdict"] == UNMEASURED and "seed-3.npz: no such file" in row["why"]
