"""Fully connected networks: their initial parameters (numpy) and their forward pass (TensorFlow).

Parameters are two lists, one entry a layer: ``kernels`` [out, in], a row a unit, and, where the network has them,
``biases`` [out]. With long rows the products of a small last layer take half the time (a run's file has [in, out]).
"""

import itertools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from regatlas.streams import generator, truncated_normal

NARROW = 32  # units: the product of a layer with fewer of them is faster the other way round


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
        truncated_normal(generator(seed, "initial weights", layer), shape, settings["initial_stddev"]).T.copy()
        for layer, shape in enumerate(itertools.pairwise(widths))
    ]
    biases = [np.zeros(width, np.float32) for width in widths[1:]] if settings["bias"] else []
    return Parameters(kernels, biases)


def forward(
    x: tf.Tensor, parameters: Parameters, activations: Callable[[tf.Tensor, int], tf.Tensor] | None = None
) -> tf.Tensor:
    """Logits [batch, classes] of inputs [batch, features]; hidden layers are ReLU.

    Args:
        activations: what a regularizer does to the output [batch, width] of hidden layer 0, 1, ...
    """
    last = len(parameters.kernels) - 1
    for layer, kernel in enumerate(parameters.kernels):
        if kernel.shape[0] <= NARROW:
            x = tf.transpose(tf.matmul(kernel, x, transpose_b=True))
        else:
            x = tf.matmul(x, kernel, transpose_b=True)
        if parameters.biases:
            x = tf.nn.bias_add(x, parameters.biases[layer])
        if layer < last:
            x = tf.nn.relu(x)
            if activations is not None:
                x = activations(x, layer)
    return x
