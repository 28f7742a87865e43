"""Images moved, rotated and bent, against numpy and scipy on the same displacements."""

import numpy as np
import pytest
import tensorflow as tf
from scipy import ndimage, stats
from test_regularizers import noise_of

from regatlas import interpolation
from regatlas.interpolation import bilinear, grid, squares
from regatlas.randomness import in_memory
from regatlas.regularizers.affine import Affine, places
from regatlas.regularizers.base import Task
from regatlas.regularizers.elastic import Elastic, fields, modes
from regatlas.regularizers.shifts import Shifts

HEIGHT, WIDTH, BATCH = 9, 7, 6


def told(method, shape=(HEIGHT, WIDTH)):
    method.task = Task(((3, shape[0] * shape[1]),), shape, 3, 100, BATCH, 50)
    return method


@pytest.fixture
def images():
    return np.random.default_rng(5).integers(0, 256, (BATCH, HEIGHT, WIDTH), np.uint8)


def flat(images):
    return tf.constant(images.reshape(len(images), -1))


def read(images, rows, columns):
    """scipy's bilinear interpolation of images that are 0 beyond their edges."""
    read = [
        ndimage.map_coordinates(image.astype(float), [r, c], order=1, mode="grid-constant", cval=0)
        for image, r, c in zip(images.reshape(len(rows), HEIGHT, WIDTH), rows, columns, strict=True)
    ]
    return np.array(read)


def assert_rounded(found, expected, slack):
    """Bytes that are the nearest to what is expected, but for ``slack``, and are not the same throughout."""
    assert found.dtype == np.uint8 and len(np.unique(found)) > 4
    np.testing.assert_allclose(np.asarray(found, float), expected, rtol=0, atol=0.5 + slack)


def moved(images, by, most, image_shape):
    """``interpolation.moved``, compiled as in training."""
    return tf.function(lambda x, by: interpolation.moved(x, by, most, image_shape), jit_compile=True)(images, by)


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
    image = np.random.default_rng(5).integers(1, 256, (HEIGHT, WIDTH), np.uint8)
    by = np.array([(down, right) for down in range(-3, 4) for right in range(-3, 4)], np.int32)
    found = moved(flat(np.repeat(image[None], len(by), 0)), tf.constant(by), 3, image.shape).numpy()
    for one, (down, right) in zip(found, by, strict=True):
        np.testing.assert_array_equal(one.reshape(image.shape), rolled(image.copy(), down, right))


def test_images_may_leave_the_picture(images):
    by = tf.constant([(12, 0), (0, 12), (-12, 0), (0, -12), (8, 0), (0, 0)])
    found = moved(flat(images), by, 12, images.shape[1:]).numpy().reshape(images.shape)
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
    found = tf.function(method.images, jit_compile=True)(flat(images), noise[0])
    expected = [rolled(image.copy(), *by) for image, by in zip(images, noise[0].numpy(), strict=True)]
    np.testing.assert_array_equal(found, np.reshape(expected, (BATCH, -1)))


@pytest.mark.parametrize("method", [Shifts(pixels=0), Elastic(sigma=4.0, alpha=0.0)])
def test_augmentation_by_nothing_is_the_identity(method, images):
    assert told(method).noise(None, None, 3, BATCH) is None
    x = flat(images)
    assert method.images(x, None) is x


@pytest.mark.parametrize("reach", [0.4, 3.0, 40.0])
def test_resampling_is_scipys(images, reach):
    rng = np.random.default_rng(6)
    rows, columns = (grid(HEIGHT, WIDTH)[:, None] + rng.normal(0, reach, (2, BATCH, HEIGHT * WIDTH))).astype(np.float32)
    found = bilinear(flat(images), tf.constant(rows), tf.constant(columns), (HEIGHT, WIDTH)).numpy()
    expected = read(images, rows, columns)
    assert_rounded(found, expected, 1e-3)
    inside = expected > 0.5
    assert abs(np.mean(found[inside] - expected[inside])) < 4 * np.sqrt(1 / 12 / inside.sum())  # rounded to the nearest


@pytest.mark.parametrize("shape", [(1, 63), (63, 1), (2, 2), (1, 1)])
def test_resampling_of_images_of_one_row_or_column_is_scipys(shape):
    rng = np.random.default_rng(6)
    images = rng.integers(0, 256, (3, shape[0] * shape[1]), np.uint8)
    rows, columns = (grid(*shape)[:, None] + rng.normal(0, 1, (2, *images.shape))).astype(np.float32)
    found = bilinear(tf.constant(images), tf.constant(rows), tf.constant(columns), shape).numpy()
    for one, image, row, column in zip(found, images, rows, columns, strict=True):
        expected = ndimage.map_coordinates(
            image.reshape(shape).astype(float), [row, column], order=1, mode="grid-constant"
        )
        np.testing.assert_allclose(one.astype(float), expected, rtol=0, atol=0.501)


def test_places_that_are_no_number_or_far_away_read_nothing_beyond_the_images(images):
    compiled = tf.function(lambda *given: bilinear(*given, (HEIGHT, WIDTH)), jit_compile=True)
    for far in (np.nan, np.inf, -np.inf, 1e30, -1e30):
        rows, columns = (np.repeat(axis[None], BATCH, 0) for axis in grid(HEIGHT, WIDTH))
        rows[0, 0] = columns[1, 5] = far
        found, expected = compiled(flat(images), rows, columns).numpy(), flat(images).numpy()
        if np.isnan(far):
            found[0, 0] = found[1, 5] = 0
        expected[0, 0] = expected[1, 5] = 0
        np.testing.assert_array_equal(found, expected)


def test_a_word_holds_four_pixels(images):
    found = squares(flat(images), (HEIGHT, WIDTH)).numpy()
    for place, number in ((0, 0), (5 * HEIGHT * WIDTH + 7 * WIDTH + 5, -1)):
        image, row, column = np.unravel_index(place, images.shape)
        around = images[image, row : row + 2, column : column + 2].ravel()
        assert found[number].tobytes() == around.tobytes()


def test_xla_compiles_the_same_images(images):
    rng = np.random.default_rng(6)
    rows, columns = (tf.constant(rng.uniform(-2, 9, (BATCH, HEIGHT * WIDTH)), tf.float32) for _ in range(2))

    def resampled(x):
        return bilinear(x, rows, columns, (HEIGHT, WIDTH))

    found, expected = tf.function(resampled, jit_compile=True)(flat(images)).numpy(), resampled(flat(images)).numpy()
    assert (found != expected).mean() < 0.01  # mixtures that lie between two bytes
    np.testing.assert_allclose(found.astype(float), expected.astype(float), rtol=0, atol=1)


def test_what_is_in_memory_is_what_was_computed():
    def doubled(x):
        return in_memory(lambda: 2 * x, x[0] < 9)

    for function in (doubled, tf.function(doubled), tf.function(doubled, jit_compile=True)):
        np.testing.assert_array_equal(function(tf.constant([1.0, 5.0])), [2.0, 10.0])


def test_affine_without_amounts_is_the_identity(images):
    method = told(Affine(rotation=0.0, scale=0.0, shear=0.0, shift=0.0))
    found = method.images(flat(images), noise_of(method, batch=BATCH)[0])
    np.testing.assert_array_equal(found, flat(images))


def test_affine_is_scipys_affine_transform(images):
    """Rotation, then shear and scale, about the centre, then a shift; as a matrix and an offset, with scipy."""
    method = told(Affine(rotation=40.0, scale=0.3, shear=0.5, shift=2.0))
    noise = noise_of(method, batch=BATCH)[0]
    found = method.images(flat(images), noise).numpy()
    centre = np.array([(HEIGHT - 1) / 2, (WIDTH - 1) / 2])
    for image, one, amounts in zip(images, found, noise.numpy().astype(float), strict=True):
        angle, scale, shear = np.deg2rad(40 * amounts[0]), 1 + 0.3 * amounts[1], 0.5 * amounts[2]
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        matrix = np.array([[1, 0], [shear, 1]]) @ turn / scale
        offset = centre + 2 * amounts[3:] - matrix @ centre
        expected = ndimage.affine_transform(image.astype(float), matrix, offset, order=1, mode="grid-constant")
        assert_rounded(one.reshape(HEIGHT, WIDTH), expected, 2e-3)


def test_affines_places_are_a_matrix_about_the_centre():
    rng = np.random.default_rng(7)
    angle, scale, shear, down, right = rng.uniform([-3, 0.5, -1, -9, -9], [3, 2, 1, 9, 9], (BATCH, 5)).T
    shift = np.stack([down, right], 1)
    given = (tf.constant(value, tf.float32) for value in (angle, scale, shear, shift))
    found = np.stack(places((HEIGHT, WIDTH), *given), 1)
    centre = np.array([(HEIGHT - 1) / 2, (WIDTH - 1) / 2])
    offset = np.mgrid[:HEIGHT, :WIDTH].reshape(2, -1) - centre[:, None]
    for one, a, c, s, by in zip(found, angle, scale, shear, shift, strict=True):
        turned = np.array([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]]) @ offset / c
        expected = np.array([[1, 0], [s, 1]]) @ turned + (centre + by)[:, None]
        np.testing.assert_allclose(one, expected, atol=1e-4)


def test_affine_turns_enlarges_and_moves_the_ways_it_says():
    image = np.random.default_rng(5).integers(1, 256, (1, 8, 8), np.uint8)
    none, one = tf.constant([0.0]), tf.constant([1.0])

    def at(angle=none, scale=one, shear=none, shift=((0.0, 0.0),)):
        read_at = places((8, 8), angle, scale, shear, tf.constant(shift))
        return bilinear(flat(image), *read_at, (8, 8)).numpy().reshape(8, 8)

    np.testing.assert_array_equal(at(angle=tf.constant([np.pi / 2], tf.float32)), np.rot90(image[0], -1))
    np.testing.assert_array_equal(at(shift=((0.0, 1.0),))[:, :-1], image[0][:, 1:])
    half = at(scale=tf.constant([0.5]))
    assert (half[:2] == 0).all() and half[2:6, 2:6].all()  # half as large
    np.testing.assert_array_equal(at(shear=tf.constant([2.0]))[4, :-1], image[0][4, 1:])


def test_affines_amounts_are_uniform(images):
    noise = noise_of(told(Affine(rotation=1.0, scale=0.1, shear=0.1, shift=1.0)), steps=500, batch=BATCH).numpy()
    for amount in noise.reshape(-1, 5).T:
        assert stats.kstest(amount, stats.uniform(-1, 2).cdf).pvalue > 1e-3


def smoothing(size, sigma):
    """scipy's convolution with a Gaussian along an axis, as a matrix."""
    return ndimage.gaussian_filter1d(np.eye(size), sigma, axis=0, mode="constant", truncate=4)


def test_modes_are_the_same_whichever_sign_an_eigenvector_has(monkeypatch):
    expected, eigh = modes(28, 4.0), np.linalg.eigh
    monkeypatch.setattr(np.linalg, "eigh", lambda matrix: (eigh(matrix)[0], -eigh(matrix)[1]))
    np.testing.assert_array_equal(modes(28, 4.0), expected)


@pytest.mark.parametrize(("sigma", "most", "lost"), [(0.7, 28, 1e-6), (2.0, 16, 1e-3), (4.0, 8, 1e-3), (60.0, 2, 1e-3)])
def test_a_sum_of_few_modes_has_the_covariance_of_smoothed_noise(sigma, most, lost):
    """Noise that is independent, smoothed by G, has the covariance G G'; of the variance ``lost`` may be missing."""
    found, expected = modes(28, sigma).astype(float), smoothing(28, sigma)
    assert found.shape[0] == 28 and found.shape[1] <= most
    variance = (expected @ expected.T).max()
    np.testing.assert_allclose(found @ found.T, expected @ expected.T, rtol=0, atol=lost * variance)


@pytest.mark.parametrize("sigma", [0.7, 2.0, 4.0])
def test_fields_are_modes_down_and_across_in_the_order_of_the_pixels(sigma):
    image_shape = (HEIGHT, WIDTH)
    down, across = (modes(size, sigma) for size in image_shape)
    numbers = np.random.default_rng(6).standard_normal((down.shape[1], 2, BATCH, across.shape[1])).astype(np.float32)
    found = fields(tf.constant(numbers), sigma, image_shape)
    expected = np.einsum("hi,ibkj,wj->bkhw", down, numbers, across).reshape(2, BATCH, -1)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_elastic_reads_images_at_smooth_displacements(images):
    method = told(Elastic(sigma=2.0, alpha=20.0))
    noise = noise_of(method, batch=BATCH)[0]
    found = method.images(flat(images), noise).numpy()
    down, right = method._displacements(noise).numpy()
    assert np.abs(down).max() > 1
    rows, columns = grid(HEIGHT, WIDTH)
    assert_rounded(found, read(images, rows + down, columns + right), 1e-2)


def test_displacements_have_the_covariance_of_smoothed_uniform_numbers():
    """Everywhere, also near the edges, and for both directions; neighbours go together as they should."""
    method = told(Elastic(sigma=2.0, alpha=5.0))
    noise = noise_of(method, steps=400, batch=BATCH)
    found = np.stack([method._displacements(step).numpy() for step in noise])
    found = np.moveaxis(found, 1, 0).reshape(2, -1, HEIGHT * WIDTH)
    each = np.kron(smoothing(HEIGHT, 2.0), smoothing(WIDTH, 2.0))
    expected = each @ each.T * 5**2 * stats.uniform(-1, 2).var()
    for direction in found:
        np.testing.assert_allclose(np.cov(direction.T), expected, atol=0.1 * expected.max())
    assert abs(np.corrcoef(found[0].ravel(), found[1].ravel())[0, 1]) < 0.02


def test_simards_numbers_move_a_pixel_by_one_and_a_half():
    method = told(Elastic(sigma=4.0, alpha=34.0), (40, 40))
    noise = noise_of(method, steps=1, batch=200)[0]
    middle = method._displacements(noise).numpy()[:, :, 20 * 40 + 20]
    assert middle.std() == pytest.approx(1.4, abs=0.15)
