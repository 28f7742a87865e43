"""Losses of a batch. Each takes logits and targets, both [batch, classes], and returns a scalar."""

import tensorflow as tf


def squared_error(logits: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
    """The post's: half the squared distance of the probabilities, divided by classes x batch."""
    return tf.reduce_sum(tf.square(tf.nn.softmax(logits) - y)) * (0.5 / (y.shape[0] * y.shape[1]))


def cross_entropy(logits: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
    """The mean cross-entropy of the targets and the probabilities, in nats."""
    return tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(y, logits))


LOSSES = {"squared_error": squared_error, "cross_entropy": cross_entropy}
