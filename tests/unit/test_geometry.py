import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from regatlas import geometry

SHAPE = (6, 5)
ALL = np.ones(30, bool)


def rough(kernel, live=ALL, shape=SHAPE):
    return geometry.roughness(kernel, live, geometry.neighbours(live, shape))


def random(seed, *shape):
    return np.random.default_rng(seed).standard_normal(shape)


def test_live_pixels_are_on_in_at_least_a_twentieth():
    images = np.zeros((140, 3), np.uint8)
    images[:7, 0] = 1  # just 5 %, which 0.05 * 140 in binary exceeds
    images[:6, 1] = 255
    assert geometry.live_pixels(images).tolist() == [True, False, False]


def test_never_lit_pixels_are_zero_in_every_image():
    images = np.array([[0, 1, 0], [0, 0, 255]], np.uint8)
    assert geometry.never_lit(images).tolist() == [True, False, False]


def test_row_centring_takes_away_what_softmax_does_not_see():
    kernel = random(0, 30, 10).astype(np.float32)
    centred = geometry.row_centred(kernel)
    assert centred.dtype == np.float64
    assert np.abs(centred.sum(axis=1)).max() < 1e-12
    images = random(1, 4, 30)
    difference = images @ kernel - images @ centred
    assert np.ptp(difference, axis=1).max() < 1e-5  # the same for every class


def test_the_spectrum_of_white_noise_is_flat_and_of_a_wave_has_one_ring():
    live = np.ones(24 * 24, bool)
    noise = geometry.power_spectrum(random(0, 24 * 24, 500), live, (24, 24))
    assert len(noise) == 12 and np.abs(noise - 1).max() < 0.15
    wave = np.sin(2 * np.pi * 3 * np.arange(24) / 24)  # three cycles from left to right
    spectrum = geometry.power_spectrum(np.tile(wave, 24)[:, None], live, (24, 24))
    assert spectrum.argmax() == 2 and spectrum[2] > 1
    assert np.delete(spectrum, 2).max() < 1e-20


def test_the_spectrum_does_not_see_scale_mean_or_pixels_that_are_not_live():
    live = np.ones(20 * 30, bool)
    live[::7] = False
    kernel = random(1, 20 * 30, 4)
    spectrum = geometry.power_spectrum(kernel, live, (20, 30))
    other = np.where(live[:, None], 3 * kernel + 5, 1e6)
    assert len(spectrum) == 10 and np.allclose(geometry.power_spectrum(other, live, (20, 30)), spectrum)


def test_a_constant_image_has_no_spectrum():
    assert np.isnan(geometry.power_spectrum(np.ones((30, 2)), ALL, SHAPE)).all()
    assert np.isnan(geometry.power_spectrum(random(0, 30, 2), ~ALL, SHAPE)).all()


def test_neighbours_share_an_edge_and_are_both_live():
    live = np.array([True, True, False, True, True, True])  # a 2 x 3 grid: 0 1 . / 3 4 5
    pairs = geometry.neighbours(live, (2, 3))
    assert {tuple(pair) for pair in pairs.tolist()} == {(0, 1), (3, 4), (4, 5), (0, 3), (1, 4)}


def test_roughness_by_hand():
    # Two units, so that centring [w, -w] changes nothing. On a line of 0 1 3: squared differences 1 and 4,
    # mean 2.5; variance over n - 1: ((4/3)^2 + (1/3)^2 + (5/3)^2) / 2 = 7/3.
    weights = np.array([0.0, 1.0, 3.0])
    kernel = np.stack([weights, -weights], axis=1)
    assert rough(kernel, np.ones(3, bool), (1, 3)) == pytest.approx(2.5 / (2 * 7 / 3))


def test_roughness_averaged_over_all_arrangements_is_one():
    weights = [0.3, -1.2, 0.8, 2.5, -0.1, 0.4]
    found = [
        rough(np.stack([w, -w], axis=1), np.ones(6, bool), (2, 3))
        for w in map(np.array, itertools.permutations(weights))
    ]
    assert np.mean(found) == pytest.approx(1)


def test_roughness_of_noise_a_ramp_a_constant_and_a_checkerboard():
    noise = random(2, 40 * 40, 10)
    everywhere = np.ones(1600, bool)
    assert rough(noise, everywhere, (40, 40)) == pytest.approx(1, abs=0.03)
    row, column = np.indices((40, 40)).reshape(2, -1)
    ramp = np.outer(row + column, np.arange(10))
    assert 0 < rough(ramp, everywhere, (40, 40)) < 0.01
    assert rough(np.tile(np.arange(10.0), (1600, 1)), everywhere, (40, 40)) == 0
    board = np.outer((row + column) % 2, np.arange(10))
    assert rough(board, everywhere, (40, 40)) == pytest.approx(2, abs=0.01)


def test_roughness_sees_neither_dead_pixels_nor_scale_nor_what_softmax_does_not_see():
    kernel = random(3, 30, 4)
    live = random(4, 30) > -0.5
    changed = 7 * kernel + random(5, 30, 1)
    changed[~live] = 1e6
    assert rough(changed, live) == pytest.approx(rough(kernel, live))
    assert rough(kernel, live) != pytest.approx(rough(kernel))


def test_roughness_without_neighbours_is_undefined():
    live = np.zeros(30, bool)
    live[[0, 12]] = True
    assert np.isnan(rough(random(6, 30, 4), live))
    assert np.isnan(rough(random(6, 30, 4), np.zeros(30, bool)))


def test_templates_by_hand():
    images = np.array([[255, 0], [255, 51], [0, 51]], np.uint8)
    labels = np.array([0, 0, 1], np.uint8)
    # Class means (1, .1) and (0, .2); the mean of all (2/3, 2/15). No image of class 2.
    found = geometry.templates(images, labels, 3)
    assert found[:, :2] == pytest.approx(np.array([[1 / 3, -2 / 3], [-1 / 30, 1 / 15]]))
    assert np.isnan(found[:, 2]).all()


def test_templates_of_many_bright_images_do_not_overflow():
    images = np.full((70_000, 2), 255, np.uint8)
    labels = np.arange(70_000).astype(np.uint8) % 2
    assert geometry.templates(images, labels, 2).tolist() == [[0, 0], [0, 0]]


@given(st.integers(0, 1000))
def test_template_correlation_is_pearsons_over_live_pixels_of_all_classes(seed):
    kernel, template = random(seed, 30, 4), random(seed + 1, 30, 4)
    live = np.arange(30) % 3 > 0
    centred = kernel - kernel.mean(axis=1)[:, None]
    oracle = stats.pearsonr(centred[live].ravel(), template[live].ravel()).statistic
    assert geometry.template_correlation(kernel, live, template) == pytest.approx(oracle)


def test_template_correlation_of_the_template_itself_is_one():
    template = geometry.row_centred(random(8, 30, 4))
    kernel = 0.01 * template + random(9, 30, 1)  # other scale, other constant in each pixel
    assert geometry.template_correlation(kernel, ALL, template) == pytest.approx(1)
    assert geometry.template_correlation(-kernel, ALL, template) == pytest.approx(-1)


def test_template_correlation_leaves_out_a_class_without_images():
    kernel, template = random(10, 30, 4), random(11, 30, 4)
    missing = template.copy()
    missing[:, 2] = np.nan
    kept = [0, 1, 3]
    oracle = stats.pearsonr(geometry.row_centred(kernel)[:, kept].ravel(), template[:, kept].ravel()).statistic
    assert geometry.template_correlation(kernel, ALL, missing) == pytest.approx(oracle)


def test_template_correlation_without_variation_is_undefined():
    template = random(12, 30, 4)
    assert np.isnan(geometry.template_correlation(np.ones((30, 4), np.float32), ALL, template))
    assert np.isnan(geometry.template_correlation(random(13, 30, 4), ~ALL, template))


def test_extremes_and_norm_are_over_all_layers():
    kernels = [np.array([[3.0, -1.0]], np.float32), np.array([[0.5], [-4.0]], np.float32)]
    assert geometry.weight_extremes(kernels) == (-4, 3)
    assert geometry.weight_norm(kernels) == pytest.approx(np.sqrt(9 + 1 + 0.25 + 16))
    big = np.full((1000, 1000), 1e25, np.float32)  # squares beyond float32
    assert geometry.weight_norm([big]) == pytest.approx(1e28)


def test_participation_of_units_that_use_all_pixels_alike_half_of_them_or_one():
    sd = np.array([0.1, 0.2, 0.4, 0.5])
    alike = np.stack([1 / sd, -1 / sd], axis=1)  # centred already
    assert geometry.participation_ratio(alike, sd) == pytest.approx(1)
    half = alike * np.array([1, 1, 0, 0])[:, None]
    assert geometry.participation_ratio(half, sd) == pytest.approx(0.5)
    one = alike * np.array([0, 0, 0, 1])[:, None]
    assert geometry.participation_ratio(one, sd) == pytest.approx(0.25)
    assert geometry.participation_ratio(one + 7, sd) == pytest.approx(0.25)  # softmax does not see a row's constant
    assert np.isnan(geometry.participation_ratio(np.ones((4, 2)), sd))


def test_pixels_spread_as_numpy_says():
    images = np.random.default_rng(0).integers(0, 256, (50, 6)).astype(np.uint8)
    images[:, 2] = 9
    np.testing.assert_allclose(geometry.pixel_stddev(images), (images / 255).std(axis=0), atol=1e-12)


def test_only_exact_zeros_make_weights_sparse():
    assert geometry.sparsity([np.array([[0.0, 1e-30], [0.0, 2.0]]), np.ones((2, 2))]) == 0.25
