"""Learning rates and optimizers.

An optimizer is a pure function of weights, gradient and moments, so that XLA makes one loop of it. Moments are arrays
of the weights' shape that start at zero.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-8


class Adam:
    """Kingma & Ba 2015, with the bias correction in the step size, as at the end of their section 2."""

    moments = 2

    def __init__(self, recipe: Mapping[str, Any]):
        pass

    def step_sizes(self, rates: np.ndarray, steps: np.ndarray) -> np.ndarray:
        """The bias-corrected step size of each update (numbered from 0), float64 [steps]."""
        t = steps.astype(np.float64) + 1
        return rates * np.sqrt(1 - BETA_2**t) / (1 - BETA_1**t)

    def update(self, weights: tf.Tensor, gradient: tf.Tensor, moments: list[tf.Tensor], step_size: tf.Tensor):
        """The weights after one update, and the list of their new moments, all of the weights' shape."""
        m = moments[0] + (1 - BETA_1) * (gradient - moments[0])
        v = moments[1] + (1 - BETA_2) * (tf.square(gradient) - moments[1])
        # the square root without a processor's slow instruction for it; the least keeps 0 x infinity away
        root = v * tf.math.rsqrt(tf.maximum(v, 1e-36))
        return weights - step_size * m / (root + EPSILON), [m, v]


class SGD:
    """Stochastic gradient descent with momentum (Sutskever et al. 2013, equations 1 and 2, the classical kind).

    The velocity is of gradients and the learning rate multiplies it: where a schedule lowers the rate, that acts on the
    velocity gathered before, too.
    """

    moments = 1

    def __init__(self, recipe: Mapping[str, Any]):
        self.momentum = recipe["momentum"]

    def step_sizes(self, rates: np.ndarray, steps: np.ndarray) -> np.ndarray:
        """The learning rates themselves."""
        return rates

    def update(self, weights: tf.Tensor, gradient: tf.Tensor, moments: list[tf.Tensor], step_size: tf.Tensor):
        """The weights after one update, and a list with the velocity, of the weights' shape."""
        velocity = self.momentum * moments[0] + gradient
        return weights - step_size * velocity, [velocity]


OPTIMIZERS = {"adam": Adam, "sgd": SGD}


def learning_rates(recipe: Mapping[str, Any], steps: np.ndarray) -> np.ndarray:
    """The learning rate of each update (numbered from 0), float64 [steps].

    ``constant``; ``step``, a tenth after half of the run and a hundredth after three quarters; ``cosine``, down to
    zero along half a cosine (Loshchilov & Hutter 2017, equation 5, without restarts).
    """
    done = steps.astype(np.float64) / recipe["steps"]
    factor = {
        "constant": np.ones_like(done),
        "step": np.where(done < 0.5, 1.0, np.where(done < 0.75, 0.1, 0.01)),
        "cosine": 0.5 * (1 + np.cos(np.pi * done)),
    }[recipe["schedule"]]
    return recipe["learning_rate"] * factor
