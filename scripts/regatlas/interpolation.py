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
    above, left = tf.floor(rows), tf.floor(columns)
    down, right = rows - above, columns - left
    above, left = tf.cast(above, tf.int32), tf.cast(left, tf.int32)
    upper, lower = (
        pixels(x, above, left, row, 0) * (1 - right) + pixels(x, above, left, row, 1) * right for row in (0, 1)
    )
    return tf.reshape(upper * (1 - down) + lower * down, x.shape)


def pixels(x: tf.Tensor, rows: tf.Tensor, columns: tf.Tensor, down: int = 0, right: int = 0) -> tf.Tensor:
    """Images [batch, height * width] read ``down`` and ``right`` of int32 rows and columns, [batch, height, width].

    Beyond the image there is 0. A frame of zeros around it would be simpler, but XLA draws that anew for each pixel.
    """
    batch, height, width = rows.shape
    first = tf.range(batch)[:, None, None] * (height * width) + rows * width + columns
    place = tf.clip_by_value(first + (down * width + right), 0, batch * height * width - 1)
    rows, columns = rows + down, columns + right
    inside = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
    return tf.where(inside, tf.gather(tf.reshape(x, [-1]), place), 0.0)
