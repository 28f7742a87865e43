"""Images read at places between pixels, in operations that XLA compiles on every device."""

import numpy as np
import tensorflow as tf


def grid(height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Row and column of every pixel, float32 [height, width] each."""
    return tuple(np.mgrid[:height, :width].astype(np.float32))


def bilinear(x: tf.Tensor, rows: tf.Tensor, columns: tf.Tensor) -> tf.Tensor:
    """Images [batch, height * width] read at ``rows`` and ``columns``, each [batch, height, width], in pixels.

    Between pixels the four around are mixed bilinearly; beyond the image there is 0. Same shape as ``x``.
    """
    batch, height, width = rows.shape
    padded = tf.pad(tf.reshape(x, [batch, height, width]), [(0, 0), (1, 1), (1, 1)])
    flat, stride = tf.reshape(padded, [-1]), width + 2
    rows = tf.clip_by_value(rows + 1, 0.0, height + 1.0)
    columns = tf.clip_by_value(columns + 1, 0.0, width + 1.0)
    above, left = tf.minimum(tf.floor(rows), height), tf.minimum(tf.floor(columns), width)
    down, right = rows - above, columns - left
    first = tf.range(batch)[:, None, None] * ((height + 2) * stride)
    place = first + tf.cast(above * stride + left, tf.int32)
    upper = tf.gather(flat, place) * (1 - right) + tf.gather(flat, place + 1) * right
    place += stride
    lower = tf.gather(flat, place) * (1 - right) + tf.gather(flat, place + 1) * right
    return tf.reshape(upper * (1 - down) + lower * down, x.shape)
