"""Adaptive weight noise: the width of each weight's noise is learned, against the price of describing the weights."""

import math

import numpy as np
import tensorflow as tf

from regatlas.networks import Parameters
from regatlas.regularizers.base import Random, Regularizer, Setting
from regatlas.sums import total


class AdaptiveWeightNoise(Regularizer):
    """Graves 2011: variational inference with a diagonal normal posterior N(mu, sigma^2) over the kernels.

    The prior, one normal distribution for all kernels, is at its optimum, which has a closed form (section 4.2). The
    kernels are the means mu; ``log_sigma_<l>`` are trained beside them. One sample of the weights a batch, gradients
    through the sample (Graves approximates those of sigma by squared gradients); evaluation at the means. With the
    cross-entropy, loss + KL / N is the description length in nats of an example.
    """

    title = "Adaptive weight noise"
    formula = (
        r"W \sim q = \mathcal{N}(\mu, \sigma^2), \quad L(W) + \frac{c}{N} \mathrm{KL}(q \Vert p),"
        r" \quad p = \mathcal{N}(m, v)"
    )
    citation = "Graves 2011, NeurIPS 24"
    acts_on = "weights"

    initial_sigma = Setting(0.02, above=0.0, high=100.0, doc="sigma of every weight at the start")
    kl_weight = Setting(1.0, low=0.0, doc="c, multiplies the divergence; 1 is variational inference")

    def variables(self, network: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        start = np.float32(math.log(self.initial_sigma))
        shapes = enumerate(self.task.kernel_shapes)
        return network | {f"log_sigma_{layer}": np.full(shape, start, np.float32) for layer, shape in shapes}

    def noise(self, random: Random, first_step: tf.Tensor, steps: int, batch: int) -> list[tf.Tensor]:
        return [random.normal([steps, *shape]) for shape in self.task.kernel_shapes]

    def parameters(self, parameters: Parameters, variables: dict, noise: list[tf.Tensor] | None) -> Parameters:
        if noise is None:
            return parameters
        kernels = [
            mu + tf.exp(variables[f"log_sigma_{layer}"]) * noise[layer] for layer, mu in enumerate(parameters.kernels)
        ]
        return Parameters(kernels, parameters.biases)

    def penalty(self, variables: dict, parameters: Parameters, logits: tf.Tensor) -> tf.Tensor:
        layers = range(len(self.task.kernel_shapes))
        means = [variables[f"kernel_{layer}"] for layer in layers]
        return (
            self.kl_weight
            / self.task.train_size
            * divergence(means, [variables[f"log_sigma_{layer}"] for layer in layers])
        )


def divergence(means: list[tf.Tensor], log_sigmas: list[tf.Tensor]) -> tf.Tensor:
    """KL of N(mu, sigma^2) from the normal prior that makes it smallest, summed over all weights, in nats.

    That prior has the mean of the mu, and as variance the mean of sigma^2 + (mu - mean)^2: what is left is the
    logarithm of prior over posterior deviation.
    """
    count = sum(math.prod(mu.shape) for mu in means)
    mean = tf.add_n([total(mu) for mu in means]) / count
    spread = [
        total(tf.square(mu - mean) + tf.exp(2 * log_sigma)) for mu, log_sigma in zip(means, log_sigmas, strict=True)
    ]
    return 0.5 * count * tf.math.log(tf.add_n(spread) / count) - tf.add_n([total(values) for values in log_sigmas])
