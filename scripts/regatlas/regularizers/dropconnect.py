"""DropConnect: single weights, not units, are zeroed with a probability."""

import tensorflow as tf

from regatlas.networks import Parameters
from regatlas.regularizers.base import Random, Regularizer, Setting


class DropConnect(Regularizer):
    """Wan et al. 2013, on the kernels of all layers.

    One mask for all examples of a batch, where the paper has one for each: that would take a product of its own for
    every example. Kept weights are scaled up, and evaluation uses the weights themselves, the mask's mean, where the
    paper samples from a normal distribution fitted to the sums.
    """

    title = "DropConnect"
    formula = r"\tilde W = W \odot M / k, \quad M_{ij} \sim \mathrm{Bernoulli}(k)"
    citation = "Wan, Zeiler, Zhang, LeCun, Fergus 2013, ICML"
    acts_on = "weights"

    keep_probability = Setting(0.5, low=0.01, high=1.0, off=1.0, doc="k, the probability that a weight is kept")

    def noise(self, random: Random, first_step: tf.Tensor, steps: int, batch: int) -> list[tf.Tensor] | None:
        if self.keep_probability == 1:
            return None
        return [random.keep([steps, *shape], self.keep_probability) for shape in self.task.kernel_shapes]

    def parameters(self, parameters: Parameters, variables: dict, noise: list[tf.Tensor] | None) -> Parameters:
        if noise is None:
            return parameters
        scale = 1 / self.keep_probability
        kernels = [tf.where(kept, kernel * scale, 0.0) for kept, kernel in zip(noise, parameters.kernels, strict=True)]
        return Parameters(kernels, parameters.biases)
