"""Distorted images: their pixels read at other places, in operations that XLA compiles on every device."""

import functools

import numpy as np
import tensorflow as tf

from regatlas.randomness import in_memory
from regatlas.windows import windows


def grid(height: int, width: int) -> np.ndarray:
    """Row and column of every pixel, float32 [2, height * width]."""
    return np.mgrid[:height, :width].reshape(2, -1).astype(np.float32)


def moved(images: tf.Tensor, by: tf.Tensor, most: int, image_shape: tuple[int, int]) -> tf.Tensor:
    """Images, uint8 [batch, pixels], moved down and right by int32 [batch, 2] pixels, ``most`` at most; 0 moves in.

    Each image is a window of itself in a frame of zeros. Compiled by XLA, the frame is never written.
    """
    batch, (height, width) = images.shape[0], image_shape
    framed = tf.pad(tf.reshape(images, [batch, height, width]), [[0, 0], [most, most], [most, most]])
    corners = tf.concat([tf.range(batch)[:, None], most - by], 1)
    return tf.reshape(windows(framed, corners, [1, height, width]), images.shape)


def bilinear(images: tf.Tensor, rows: tf.Tensor, columns: tf.Tensor, image_shape: tuple[int, int]) -> tf.Tensor:
    """Images, uint8 [batch, pixels], read at ``rows`` and ``columns``, float32 [batch, pixels] each, in pixels.

    Between pixels the four around are mixed bilinearly, and the mixture is rounded; beyond the image there is 0. All
    four are picked at once, as a word: a single byte would take as long. Images, places and words are each written to
    memory, as XLA reads single numbers where a loop picks from what it computes itself.
    """
    height, width = image_shape
    above, (upper, lower) = _around(rows, height)
    left, (before, after) = _around(columns, width)
    first = tf.cast(above * width + left, tf.int32) + tf.range(images.shape[0])[:, None] * (height * width)
    always = first[0, 0] >= 0  # as it lies in the image, which XLA does not know
    written = in_memory(lambda: tf.identity(images), always)
    four = in_memory(lambda: tf.gather(squares(written, image_shape), first), always)
    upper_left, upper_right, lower_left, lower_right = _bytes(four)
    mixed = (upper_left * before + upper_right * after) * upper + (lower_left * before + lower_right * after) * lower
    return tf.cast(mixed + 0.5, tf.uint8)


def squares(images: tf.Tensor, image_shape: tuple[int, int]) -> tf.Tensor:
    """Each pixel, the one to its right, the one below and the one below that: bytes of a word, the lowest first.

    uint32 [pixels of all images but the last few], for images, uint8 [batch, pixels]. Where there is no such pixel, the
    byte means nothing.
    """
    height, width = image_shape
    right, below = min(width, 2) - 1, (min(height, 2) - 1) * width
    words = tf.cast(tf.reshape(images, [-1]), tf.uint32)
    count = words.shape[0] - below - right
    parts = (words[place : place + count] for place in (0, right, below, below + right))
    placed = (tf.bitwise.left_shift(part, tf.constant(8 * number, tf.uint32)) for number, part in enumerate(parts))
    return functools.reduce(tf.bitwise.bitwise_or, placed)


def _around(places: tf.Tensor, size: int) -> tuple[tf.Tensor, list[tf.Tensor | float]]:
    """Along an axis, the first of the two pixels around each place, and the weights of both.

    A pixel at a distance d has the weight max(0, 1 - d). Beyond the image that is 0, whichever two pixels are taken.
    """
    first = tf.clip_by_value(tf.floor(places), 0, max(size - 2, 0))
    away = places - first
    return first, [tf.maximum(1 - tf.abs(away - pixel), 0) if pixel < size else 0.0 for pixel in (0, 1)]


def _bytes(words: tf.Tensor) -> list[tf.Tensor]:
    """The four bytes of each word as float32, the lowest first; by way of int32, from which there is an instruction."""
    shifted = (tf.bitwise.right_shift(words, tf.constant(8 * number, tf.uint32)) for number in range(4))
    lowest = (tf.bitwise.bitwise_and(word, tf.constant(255, tf.uint32)) for word in shifted)
    return [tf.cast(tf.cast(byte, tf.int32), tf.float32) for byte in lowest]
