"""Variational dropout: the dropout rate of each weight is learned; weights that are all noise are pruned."""

import numpy as np
import tensorflow as tf

from regatlas.networks import Parameters
from regatlas.regularizers.base import Random, Regularizer, Setting
from regatlas.sums import total


class VariationalDropout(Regularizer):
    """Kingma et al. 2015 with the divergence and the parameters of Molchanov et al. 2017, who make it sparse.

    A weight is W ~ N(theta, sigma^2) and alpha = sigma^2 / theta^2. The kernels are theta; ``log_sigma2_<l>`` are
    trained beside them. One sample of the weights a batch, where the papers sample the sums of each example: same
    mean of the gradient, more variance. The divergence is weighted 0 at the first step and in full after ``warm_up``
    of the run. Evaluation is at theta, and at 0 where log alpha is above ``threshold``.
    """

    title = "Variational dropout"
    formula = (
        r"W \sim q = \mathcal{N}(\theta, \alpha \theta^2), \quad L(W) + \frac{c}{N} \mathrm{KL}(q \Vert p),"
        r" \quad p(|W|) \propto 1 / |W|"
    )
    citation = "Kingma, Salimans, Welling 2015, NeurIPS 28; Molchanov, Ashukha, Vetrov 2017, ICML"
    acts_on = "weights"

    kl_weight = Setting(1.0, low=0.0, doc="c, multiplies the divergence; 1 is variational inference")
    warm_up = Setting(0.25, low=0.0, high=1.0, doc="part of the run over which c rises from 0 to its value")
    threshold = Setting(3.0, doc="weights with a larger log alpha are 0 in evaluation")
    initial_log_sigma2 = Setting(-10.0, low=-50.0, high=50.0, doc="log sigma^2 of every weight at the start")

    def variables(self, network: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        shapes, start = enumerate(self.task.kernel_shapes), np.float32(self.initial_log_sigma2)
        return network | {f"log_sigma2_{layer}": np.full(shape, start, np.float32) for layer, shape in shapes}

    def noise(self, random: Random, first_step: tf.Tensor, steps: int, batch: int) -> dict[str, tf.Tensor | list]:
        """Standard normal numbers, and how far the warm-up is."""
        step = tf.cast(first_step + tf.range(steps, dtype=tf.int64), tf.float32)
        length = max(1.0, self.warm_up * self.task.steps)
        warmth = tf.minimum(step / length, 1.0) if self.warm_up else tf.ones_like(step)
        return {"normal": [random.normal([steps, *shape]) for shape in self.task.kernel_shapes], "warmth": warmth}

    def parameters(self, parameters: Parameters, variables: dict, noise: dict | None) -> Parameters:
        kernels = []
        for layer, theta in enumerate(parameters.kernels):
            log_sigma2 = variables[f"log_sigma2_{layer}"]
            if noise is None:
                alpha = log_alpha(variables[f"kernel_{layer}"], log_sigma2)  # of which the divergence is trained
                kernels.append(tf.where(alpha > self.threshold, 0.0, theta))
            else:
                kernels.append(theta + tf.exp(0.5 * log_sigma2) * noise["normal"][layer])
        return Parameters(kernels, parameters.biases)

    def loss(self, compute, x: tf.Tensor, variables: dict, noise: dict) -> tf.Tensor:
        of_layers = [
            total(divergence(log_alpha(variables[f"kernel_{layer}"], variables[f"log_sigma2_{layer}"])))
            for layer in range(len(self.task.kernel_shapes))
        ]
        return compute(x) + self.kl_weight / self.task.train_size * noise["warmth"] * tf.add_n(of_layers)


def log_alpha(theta: tf.Tensor, log_sigma2: tf.Tensor) -> tf.Tensor:
    """The logarithm of the noise's variance over the squared weight."""
    return log_sigma2 - tf.math.log(tf.square(theta) + 1e-8)


def divergence(log_alpha: tf.Tensor) -> tf.Tensor:
    """KL of N(theta, alpha theta^2) from the log-uniform prior, elementwise, 0 for infinite alpha, in nats.

    Molchanov et al. 2017, equation 14: fitted, and within 0.01 or so of the true one.
    """
    k1, k2, k3 = 0.63576, 1.87320, 1.48695
    return k1 * tf.sigmoid(-(k2 + k3 * log_alpha)) + 0.5 * tf.math.softplus(-log_alpha)
