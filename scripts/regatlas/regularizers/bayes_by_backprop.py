"""Bayes by Backprop: a normal distribution for each weight, trained against a prior with a spike and a slab."""

import math

import numpy as np
import tensorflow as tf

from regatlas.networks import Parameters
from regatlas.regularizers.base import Random, Regularizer, Setting
from regatlas.sums import total


class BayesByBackprop(Regularizer):
    """Blundell et al. 2015: one sample of the weights a batch, the divergence from the prior estimated at it.

    The kernels are the means mu; ``rho_<l>`` with sigma = log(1 + exp(rho)) are trained beside them. Of the divergence,
    the entropy of the posterior is in closed form: same gradient, less variance than sampling it too. Every batch has
    the same share of it: KL / N beside the mean loss. Biases are trained as they are; evaluation is at the means.
    """

    title = "Bayes by Backprop"
    formula = (
        r"W \sim q = \mathcal{N}(\mu, \sigma^2), \quad L(W) + \frac{c}{N} \mathrm{KL}(q \Vert p),"
        r" \quad p = \pi \mathcal{N}(0, \sigma_1^2) + (1 - \pi) \mathcal{N}(0, \sigma_2^2)"
    )
    citation = "Blundell, Cornebise, Kavukcuoglu, Wierstra 2015, ICML"
    acts_on = "weights"

    prior_mix = Setting(0.5, above=0.0, below=1.0, doc="pi, the share of the prior's first part")
    prior_sigma_1 = Setting(0.37, above=0.0, doc="sigma_1, the standard deviation of the prior's first part")
    prior_sigma_2 = Setting(0.0025, above=0.0, doc="sigma_2, the standard deviation of the prior's second part")
    initial_sigma = Setting(0.02, above=0.0, high=100.0, doc="sigma of every weight at the start")
    kl_weight = Setting(1.0, low=0.0, doc="c, multiplies the divergence; 1 is variational inference")

    def variables(self, network: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        start = np.float32(math.log(math.expm1(self.initial_sigma)))
        shapes = enumerate(self.task.kernel_shapes)
        return network | {f"rho_{layer}": np.full(shape, start, np.float32) for layer, shape in shapes}

    def noise(self, random: Random, first_step: tf.Tensor, steps: int, batch: int) -> list[tf.Tensor]:
        return [random.normal([steps, *shape]) for shape in self.task.kernel_shapes]

    def parameters(self, parameters: Parameters, variables: dict, noise: list[tf.Tensor] | None) -> Parameters:
        if noise is None:
            return parameters
        kernels = [self._drawn(layer, mu, variables, noise) for layer, mu in enumerate(parameters.kernels)]
        return Parameters(kernels, parameters.biases)

    def _drawn(self, layer: int, mu: tf.Tensor, variables: dict, noise: list[tf.Tensor]) -> tf.Tensor:
        """A layer's sample of the posterior."""
        return mu + tf.math.softplus(variables[f"rho_{layer}"]) * noise[layer]

    def loss(self, compute, x: tf.Tensor, variables: dict, noise: list[tf.Tensor]) -> tf.Tensor:
        """The divergence is no ``penalty``, which sees weights that other regularizers have changed since."""
        prior = self.prior_mix, self.prior_sigma_1, self.prior_sigma_2
        divergence = tf.add_n([
            total(
                -entropy(tf.math.softplus(variables[f"rho_{layer}"]))
                - log_mixture(self._drawn(layer, variables[f"kernel_{layer}"], variables, noise), *prior)
            )
            for layer in range(len(self.task.kernel_shapes))
        ])  # fmt: skip
        return compute(x) + self.kl_weight / self.task.train_size * divergence


def entropy(sigma: tf.Tensor) -> tf.Tensor:
    """Of a normal distribution, elementwise, in nats."""
    return tf.math.log(sigma) + 0.5 * (1 + math.log(2 * math.pi))


def log_mixture(w: tf.Tensor, mix: float, sigma_1: float, sigma_2: float) -> tf.Tensor:
    """The logarithm of the prior's density, elementwise (equation 7)."""
    narrow, wide = (
        math.log(share / (sigma * math.sqrt(2 * math.pi))) - tf.square(w) * (0.5 / sigma**2)
        for sigma, share in sorted([(sigma_1, mix), (sigma_2, 1 - mix)])
    )
    return wide + tf.math.softplus(narrow - wide)
