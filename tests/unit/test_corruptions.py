"""Corrupted test images, held against what each kind must do to images made for it."""

import numpy as np
import pytest

from regatlas.corruptions import KINDS, MOST, SEVERITIES, corrupted

PLACE = {kind: place for place, kind in enumerate(KINDS)}


def digits(count=40, side=28):
    """A bright cross, somewhere near the middle, on black."""
    images = np.zeros((count, side, side), np.uint8)
    for number, image in enumerate(images):
        row, column = 12 + number % 4, 14 - number % 3
        image[row, column - 5 : column + 6] = 200
        image[row - 7 : row + 8, column] = 250
    return images


@pytest.fixture(scope="module")
def made():
    return corrupted(digits(), np.arange(40))[0]


def test_twelve_kinds_in_three_severities_the_same_each_time(made):
    again, labels = corrupted(digits(), np.arange(40))
    assert made.shape == (12, SEVERITIES, 40, 28, 28) and made.dtype == np.uint8
    assert again.tobytes() == made.tobytes() and labels.tolist() == list(range(40))


def test_every_severity_moves_further_from_the_original(made):
    distance = np.abs(made.astype(float) - digits()).mean((2, 3, 4))
    assert (distance[:, 0] > 0).all()
    assert (np.diff(distance, axis=1) > 0).all(), dict(zip(KINDS, distance.tolist(), strict=True))


def test_moved_images_keep_their_ink_and_translation_its_shape(made):
    ink = digits().sum((1, 2))
    for kind in ("translation", "rotation", "shear", "blur", "motion_blur", "pixelate"):
        kept = made[PLACE[kind]].sum((2, 3), dtype=float) / ink
        assert kept.min() > 0.85 and kept.max() < 1.15, (kind, kept.min(), kept.max())
    moved = made[PLACE["translation"], 1]
    np.testing.assert_array_equal(moved[0], np.roll(digits()[0], 2, axis=1))
    np.testing.assert_array_equal(moved[3], np.roll(digits()[3], -2, axis=0))


def test_motion_is_along_the_rows():
    image = np.zeros((1, 28, 28), np.uint8)
    image[0, 14] = 200
    blurred = corrupted(image, np.zeros(1, int))[0][PLACE["motion_blur"], :, 0]
    assert (blurred[:, 14, 5:-5] == 200).all() and not np.delete(blurred, 14, axis=1).any()


def test_images_are_turned_and_sheared_both_ways():
    """The first and the second of two images alike, and alike in a mirror, become each other's mirror images."""
    images = np.zeros((2, 27, 27), np.uint8)
    images[:, 13, 8:19] = images[:, 6:21, 13] = 200
    made = corrupted(images, np.zeros(2, int))[0].astype(int)
    for kind in ("rotation", "shear"):
        one, other = made[PLACE[kind], 1]
        np.testing.assert_allclose(one, other[:, ::-1], atol=1)
        assert np.abs(one - other).max() > 50


def test_missing_pixels_are_black_and_the_others_as_they_were(made):
    original = digits()
    missing = made[PLACE["missing_pixels"], 1]
    lit = original > 0
    assert set(np.unique(missing[lit] == original[lit])) == {False, True}
    assert ((missing == 0) | (missing == original)).all()
    assert (missing[lit] == 0).mean() == pytest.approx(0.4, abs=0.05)


def test_impulses_are_black_or_white(made):
    changed = made[PLACE["impulse_noise"], 2] != digits()
    assert set(np.unique(made[PLACE["impulse_noise"], 2][changed])) == {0, 255}


def test_occluded_pixels_are_grey(made):
    occluded = made[PLACE["occlusion"], 2]
    assert set(np.unique(occluded[occluded != digits()])) == {128}


def test_contrast_and_brightness_of_a_pixel(made):
    image = digits()[0].astype(float)
    expected = image.mean() + 0.3 * (image - image.mean())
    np.testing.assert_allclose(made[PLACE["contrast"], 1, 0], expected, atol=0.51)
    np.testing.assert_allclose(made[PLACE["brightness"], 2, 0], np.minimum(image + 127.5, 255), atol=0.51)


def test_pixels_are_rounded_not_cut(made):
    assert set(np.unique(made[PLACE["brightness"], 1])) == {64, 255}  # 0 + 63.75, and more than white


def test_images_are_corrupted_each_by_itself():
    images = np.stack([np.full((9, 9), shade, np.uint8) for shade in (40, 200)])
    made, _ = corrupted(images, np.zeros(2, int))
    for kind in ("contrast", "blur", "pixelate"):  # leave an even image as it is
        np.testing.assert_array_equal(made[PLACE[kind]], np.broadcast_to(images, (SEVERITIES, *images.shape)), kind)


@pytest.mark.parametrize("count", [MOST - 1, MOST, MOST + 1, 2 * MOST - 1, 2 * MOST, 3 * MOST - 1, 5 * MOST])
def test_of_many_images_some_are_taken_evenly(count):
    images = np.zeros((count, 1, 1), np.uint8)
    made, labels = corrupted(images, np.arange(count))
    assert made.shape[2] == len(labels) == min(count, MOST)
    apart = count / len(labels)
    assert np.abs(labels - apart * np.arange(len(labels))).max() < 1  # to the last one


@pytest.mark.parametrize("shape", [(1, 1), (2, 3), (1, 9), (5, 2)])
def test_images_of_any_size(shape):
    images = np.full((3, *shape), 100, np.uint8)
    assert corrupted(images, np.zeros(3, int))[0].shape == (12, 3, 3, *shape)
