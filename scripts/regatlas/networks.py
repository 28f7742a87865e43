"""Fully connected networks: their initial parameters (numpy) and their forward pass (TensorFlow).

Parameters are two lists, one entry a layer: ``kernels`` [out, in], a row a unit, and, where the network has them,
``biases`` [out]. XLA's product for the gradient of a small last layer takes a fifth of the time with long rows (a run's
file has [in, out]).
"""

import itertools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from regatlas.streams import initial_weights


class Parameters(NamedTuple):
    """What a forward pass needs: ``kernels[l]`` is [out, in]; ``biases[l]`` is [out], or the list is empty."""

    kernels: list[Any]
    biases: list[Any]


def initial(settings: dict[str, Any], features: int, classes: int, seed: int) -> Parameters:
    """Initial float32 parameters: kernels truncated normal, biases zero.

    Args:
        settings: the ``network`` section: ``hidden`` (widths), ``bias``, ``initial_stddev``.
    """
    widths = [features, *settings["hidden"], classes]
    kernels = [
        initial_weights(seed, layer, shape, settings["initial_stddev"]).T.copy()
        for layer, shape in enumerate(itertools.pairwise(widths))
    ]
    biases = [np.zeros(width, np.float32) for width in widths[1:]] if settings["bias"] else []
    return Parameters(kernels, biases)


def forward(
    x: tf.Tensor,
    parameters: Parameters,
    activations: Callable[[tf.Tensor, int], tf.Tensor] = lambda hidden, layer: hidden,
    preactivations: Callable[[tf.Tensor, int], tf.Tensor] = lambda hidden, layer: hidden,
) -> tf.Tensor:
    """Logits [classes, batch] of inputs [batch, features]; hidden layers are ReLU.

    Args:
        activations: what a regularizer does to the output [batch, width] of hidden layer 0, 1, ...
        preactivations: the same before the ReLU.
    """
    *kernels, last = parameters.kernels
    for layer, kernel in enumerate(kernels):
        x = tf.matmul(x, kernel, transpose_b=True)
        if parameters.biases:
            x = x + parameters.biases[layer]
        x = activations(tf.nn.relu(preactivations(x, layer)), layer)
    logits = tf.matmul(last, x, transpose_b=True)
    return logits + parameters.biases[-1][:, None] if parameters.biases else logits
