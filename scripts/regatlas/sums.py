"""Sums over whole arrays, as XLA does them fast on the CPU."""

import tensorflow as tf


def total(values: tf.Tensor) -> tf.Tensor:
    """The sum of all entries: the last axis as a product of vectors, since XLA adds up one by one."""
    by_column = tf.reduce_sum(values, range(values.shape.rank - 1))
    return tf.tensordot(by_column, tf.ones_like(by_column), 1)
