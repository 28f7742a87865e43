"""Weight noise: normal numbers added to the weights in training."""

import tensorflow as tf

from regatlas.networks import Parameters
from regatlas.regularizers.base import Random, Regularizer, Setting


class WeightNoise(Regularizer):
    """Murray & Edwards 1994; as Graves 2013 has it: new noise for each batch, none in evaluation, none on biases."""

    title = "Weight noise"
    formula = r"\tilde W = W + \epsilon, \quad \epsilon_{ij} \sim \mathcal{N}(0, s^2)"
    citation = "Murray, Edwards 1994, IEEE Transactions on Neural Networks 5; Graves 2013, arXiv:1308.0850"
    acts_on = "weights"

    stddev = Setting(0.05, low=0.0, off=0.0, doc="s, the standard deviation of the noise")

    def noise(self, random: Random, first_step: tf.Tensor, steps: int, batch: int) -> list[tf.Tensor] | None:
        return [random.normal([steps, *shape]) for shape in self.task.kernel_shapes] if self.stddev else None

    def parameters(self, parameters: Parameters, variables: dict, noise: list[tf.Tensor] | None) -> Parameters:
        if noise is None:
            return parameters
        kernels = [kernel + self.stddev * drawn for kernel, drawn in zip(parameters.kernels, noise, strict=True)]
        return Parameters(kernels, parameters.biases)
