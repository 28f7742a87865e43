"""Losses of a batch: the value, and the gradient by the logits that training starts from."""

from collections.abc import Callable
from typing import NamedTuple

import tensorflow as tf


class Loss(NamedTuple):
    """``value(logits, y)`` is a scalar, ``gradient(logits, y)`` is [batch, classes]; y are targets [batch, classes]."""

    value: Callable[[tf.Tensor, tf.Tensor], tf.Tensor]
    gradient: Callable[[tf.Tensor, tf.Tensor], tf.Tensor]


def _count(y: tf.Tensor) -> tf.Tensor:
    return tf.cast(tf.size(y), y.dtype)


def _squared_error(logits: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
    return tf.nn.l2_loss(tf.nn.softmax(logits) - y) / _count(y)


def _squared_error_gradient(logits: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
    p = tf.nn.softmax(logits)
    error = p - y
    return p * (error - tf.reduce_sum(error * p, 1, keepdims=True)) * (1 / (y.shape[0] * y.shape[1]))


def _cross_entropy(logits: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
    return tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(y, logits))


def _cross_entropy_gradient(logits: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
    return (tf.nn.softmax(logits) - y) * (1 / y.shape[0])


LOSSES = {
    # The post's: half the squared distance of the probabilities, divided by classes x batch.
    "squared_error": Loss(_squared_error, _squared_error_gradient),
    "cross_entropy": Loss(_cross_entropy, _cross_entropy_gradient),
}
