"""Losses of a batch. Each takes logits and targets, both [classes, batch], and returns its examples' shares, [batch].

The loss is the sum of the shares. A column an example: with the batch along the rows XLA's product that makes the
logits, and all that is done to them along the classes, take a sixth less of a step. Maxima and sums over the classes
are written out, class by class: XLA makes one loop in whole vectors of them and of what follows, where a reduction is a
loop of its own and the exponentials after it are taken one by one. Softmax has its gradient by hand so that TensorFlow
does not put those of the classes together again.
"""

import functools
from collections.abc import Callable

import tensorflow as tf

_MANY = 32  # classes: XLA takes the exponentials anew for each class that is written out


def _over_classes(combine: Callable[[tf.Tensor, tf.Tensor], tf.Tensor], values: tf.Tensor) -> tf.Tensor:
    """Values [classes, batch] combined by ``tf.maximum`` or ``tf.add``, [batch]."""
    if values.shape[0] > _MANY:
        return (tf.reduce_max if combine is tf.maximum else tf.reduce_sum)(values, 0)
    return functools.reduce(combine, tf.unstack(values))


@tf.custom_gradient
def log_softmax(logits: tf.Tensor) -> tuple[tf.Tensor, Callable[[tf.Tensor], tf.Tensor]]:
    """The logarithm of the classes' probabilities, [classes, batch]."""
    shifted = logits - _over_classes(tf.maximum, logits)
    found = shifted - tf.math.log(_over_classes(tf.add, tf.exp(shifted)))
    return found, lambda upstream: upstream - tf.exp(found) * tf.reduce_sum(upstream, 0)


@tf.custom_gradient
def softmax(logits: tf.Tensor) -> tuple[tf.Tensor, Callable[[tf.Tensor], tf.Tensor]]:
    """The classes' probabilities, [classes, batch]."""
    powers = tf.exp(logits - _over_classes(tf.maximum, logits))
    found = powers / _over_classes(tf.add, powers)
    return found, lambda upstream: found * (upstream - tf.reduce_sum(upstream * found, 0))


def squared_error(logits: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
    """The post's: half the squared distance of the probabilities, divided by classes x batch."""
    return tf.reduce_sum(tf.square(softmax(logits) - y), 0) * (0.5 / (y.shape[0] * y.shape[1]))


def cross_entropy(logits: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
    """The cross-entropy of the targets and the probabilities, in nats; the sum is the batch's mean."""
    return tf.reduce_sum(y * log_softmax(logits), 0) * (-1 / y.shape[1])


LOSSES = {"squared_error": squared_error, "cross_entropy": cross_entropy}
