"""Images moved, rotated and bent, against numpy and scipy on the same displacements."""

import numpy as np
import pytest
import tensorflow as tf
from scipy import ndimage, stats
from test_regularizers import noise_of

from regatlas.interpolation import bilinear, grid
from regatlas.randomness import Random, key_of
from regatlas.regularizers.affine import Affine, places
from regatlas.regularizers.base import Task
from regatlas.regularizers.elastic import Elastic, smoothed
from regatlas.regularizers.shifts import Shifts, moved

HEIGHT, WIDTH, BATCH = 9, 7, 6


def told(method, shape=(HEIGHT, WIDTH)):
    method.task = Task(((3, shape[0] * shape[1]),), shape, 3, 100, BATCH, 50)
    return method


@pytest.fixture
def images():
    return np.random.default_rng(5).uniform(0, 1, (BATCH, HEIGHT, WIDTH)).astype(np.float32)


def flat(images):
    return tf.constant(images.reshape(len(images), -1))


def read(images, rows, columns):
    """scipy's bilinear interpolation of images that are 0 beyond their edges."""
    read = [
        ndimage.map_coordinates(image.astype(float), [r, c], order=1, mode="grid-constant", cval=0)
        for image, r, c in zip(images, rows, columns, strict=True)
    ]
    return np.array(read).reshape(len(images), -1)


def rolled(image, down, right):
    """The image moved with numpy.roll, and zero where it came in on the other side."""
    image = np.roll(image, (down, right), (0, 1))
    height, width = image.shape
    image[: max(down, 0)] = 0
    image[height + min(down, 0) :] = 0
    image[:, : max(right, 0)] = 0
    image[:, width + min(right, 0) :] = 0
    return image


def test_a_shift_is_numpys_roll_with_zeros():
    image = np.random.default_rng(5).uniform(0.1, 1, (HEIGHT, WIDTH)).astype(np.float32)
    by = np.array([(down, right) for down in range(-3, 4) for right in range(-3, 4)], np.int32)
    found = moved(flat(np.repeat(image[None], len(by), 0)), tf.constant(by), image.shape).numpy()
    for one, (down, right) in zip(found, by, strict=True):
        np.testing.assert_array_equal(one.reshape(image.shape), rolled(image.copy(), down, right))


def test_images_may_leave_the_picture(images):
    by = tf.constant([(12, 0), (0, 12), (-12, 0), (0, -12), (8, 0), (0, 0)])
    found = moved(flat(images), by, images.shape[1:]).numpy().reshape(images.shape)
    assert (found[:4] == 0).all()
    np.testing.assert_array_equal(found[4][8], images[4][0])
    np.testing.assert_array_equal(found[5], images[5])


def test_shifts_are_uniform_for_each_image_and_direction(images):
    method = told(Shifts(pixels=2))
    noise = noise_of(method, steps=500, batch=BATCH)
    counts = np.stack([np.bincount(noise.numpy()[..., axis].ravel() + 2, minlength=5) for axis in (0, 1)])
    assert counts.shape == (2, 5)
    assert stats.chisquare(counts, axis=1).pvalue.min() > 1e-3
    assert abs(np.corrcoef(noise.numpy().reshape(-1, 2).T)[0, 1]) < 5 / np.sqrt(3000)
    x, y = flat(images), tf.ones([BATCH, 3])
    found, same = method.examples(x, y, noise[0])
    expected = [rolled(image.copy(), *by) for image, by in zip(images, noise[0].numpy(), strict=True)]
    np.testing.assert_array_equal(found, np.reshape(expected, (BATCH, -1)))
    assert same is y


@pytest.mark.parametrize("method", [Shifts(pixels=0), Elastic(sigma=4.0, alpha=0.0)])
def test_augmentation_by_nothing_is_the_identity(method, images):
    assert told(method).noise(None, None, 3, BATCH) is None
    x, y = flat(images), tf.ones([BATCH, 3])
    assert method.examples(x, y, None) == (x, y)


@pytest.mark.parametrize("reach", [0.4, 3.0, 40.0])
def test_resampling_is_scipys(images, reach):
    rng = np.random.default_rng(6)
    rows, columns = (places + rng.normal(0, reach, images.shape).astype(np.float32) for places in grid(HEIGHT, WIDTH))
    found = bilinear(flat(images), tf.constant(rows), tf.constant(columns))
    np.testing.assert_allclose(found, read(images, rows, columns), atol=2e-6)


def test_xla_compiles_the_same_images(images):
    rng = np.random.default_rng(6)
    rows, columns = (tf.constant(rng.uniform(-2, 9, images.shape), tf.float32) for _ in range(2))
    by = tf.constant(rng.integers(-2, 3, (BATCH, 2)), tf.int32)

    def both(x):
        return bilinear(x, rows, columns), moved(x, by, images.shape[1:])

    compiled = tf.function(both, jit_compile=True)(flat(images))
    for found, expected in zip(compiled, both(flat(images)), strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-6)


def test_affine_without_amounts_is_the_identity(images):
    method = told(Affine(rotation=0.0, scale=0.0, shear=0.0, shift=0.0))
    found = method.examples(flat(images), None, noise_of(method, batch=BATCH)[0])[0]
    np.testing.assert_array_equal(found, flat(images))


def test_affine_is_scipys_affine_transform(images):
    """Rotation, then shear and scale, about the centre, then a shift; as a matrix and an offset, with scipy."""
    method = told(Affine(rotation=40.0, scale=0.3, shear=0.5, shift=2.0))
    noise = noise_of(method, batch=BATCH)[0]
    found = method.examples(flat(images), None, noise)[0].numpy()
    centre = np.array([(HEIGHT - 1) / 2, (WIDTH - 1) / 2])
    for image, one, amounts in zip(images, found, noise.numpy().astype(float), strict=True):
        angle, scale, shear = np.deg2rad(40 * amounts[0]), 1 + 0.3 * amounts[1], 0.5 * amounts[2]
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        matrix = np.array([[1, 0], [shear, 1]]) @ turn / scale
        offset = centre + 2 * amounts[3:] - matrix @ centre
        expected = ndimage.affine_transform(image.astype(float), matrix, offset, order=1, mode="grid-constant")
        np.testing.assert_allclose(one.reshape(HEIGHT, WIDTH), expected, atol=1e-5)


def test_affine_turns_enlarges_and_moves_the_ways_it_says():
    image = np.random.default_rng(5).uniform(0, 1, (1, 8, 8)).astype(np.float32)
    none, one = tf.constant([0.0]), tf.constant([1.0])

    def at(angle=none, scale=one, shear=none, shift=((0.0, 0.0),)):
        return bilinear(flat(image), *places((8, 8), angle, scale, shear, tf.constant(shift))).numpy().reshape(8, 8)

    np.testing.assert_allclose(at(angle=tf.constant([np.pi / 2], tf.float32)), np.rot90(image[0], -1), atol=1e-5)
    np.testing.assert_allclose(at(shift=((0.0, 1.0),))[:, :-1], image[0][:, 1:], atol=1e-6)
    half = at(scale=tf.constant([0.5]))
    assert (half[:2] == 0).all() and half[2:6, 2:6].all()  # half as large
    np.testing.assert_allclose(at(shear=tf.constant([2.0]))[4, :-1], image[0][4, 1:], atol=1e-6)


def test_affines_amounts_are_uniform(images):
    noise = noise_of(told(Affine(rotation=1.0, scale=0.1, shear=0.1, shift=1.0)), steps=500, batch=BATCH).numpy()
    for amount in noise.reshape(-1, 5).T:
        assert stats.kstest(amount, stats.uniform(-1, 2).cdf).pvalue > 1e-3


@pytest.mark.parametrize("sigma", [0.7, 2.0, 4.0])
def test_smoothing_is_scipys(sigma):
    field = np.random.default_rng(6).uniform(-1, 1, (HEIGHT, 2, 3, WIDTH)).astype(np.float32)
    found = smoothed(tf.constant(field), sigma)
    expected = ndimage.gaussian_filter(
        np.moveaxis(field, 0, 2).astype(float), sigma, axes=(2, 3), mode="constant", truncate=4
    )
    assert found.shape == (2, 3, HEIGHT, WIDTH)
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_elastic_reads_images_at_smooth_displacements(images):
    method = told(Elastic(sigma=2.0, alpha=20.0))
    noise = [part[0] for part in noise_of(method, batch=BATCH)]
    random = Random(tf.constant(key_of(0)), "training", tf.constant(0, tf.int64))
    drawn = 2 * random.uniform([HEIGHT, 2, 3, BATCH, WIDTH]).numpy()[:, :, 0] - 1
    assert stats.kstest(drawn.ravel(), stats.uniform(-1, 2).cdf).pvalue > 1e-3
    found = method.examples(flat(images), None, noise)[0]
    field = np.moveaxis(drawn, 0, 2).astype(float)
    down, right = 20 * ndimage.gaussian_filter(field, 2.0, axes=(2, 3), mode="constant", truncate=4)
    assert np.abs(down).max() > 1
    rows, columns = grid(HEIGHT, WIDTH)
    np.testing.assert_allclose(found, read(images, rows + down, columns + right), atol=1e-4)


def test_simards_numbers_move_a_pixel_by_one_and_a_half():
    noise = noise_of(told(Elastic(sigma=4.0, alpha=34.0), (40, 40)), steps=1, batch=200)
    middle = np.stack(noise)[:, 0, :, 20, 20]
    assert middle.std() == pytest.approx(1.4, abs=0.15)
