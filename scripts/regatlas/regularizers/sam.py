"""Sharpness-aware minimization: the gradient where the loss is about the highest in a ball around the weights."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from regatlas.regularizers.base import Regularizer, Setting
from regatlas.sums import total


class SAM(Regularizer):
    """Foret et al. 2021, equations 2 and 3; a step takes two gradients."""

    title = "Sharpness-aware minimization"
    formula = r"g \leftarrow \nabla L\left(W + \rho \, \frac{\nabla L(W)}{\lVert \nabla L(W) \rVert_2}\right)"
    citation = "Foret, Kleiner, Mobahi, Neyshabur 2021, ICLR"
    acts_on = "gradient"

    rho = Setting(0.05, low=0.0, off=0.0, doc="the distance at which the gradient is taken")

    def gradients(self, compute: Callable, variables: dict, noise: Any) -> dict:
        here = compute(variables)
        if not self.rho:
            return here
        norm = tf.sqrt(tf.add_n([total(tf.square(gradient)) for gradient in here.values()]))
        scale = self.rho / tf.maximum(norm, 1e-12)
        return compute({name: value + scale * here[name] for name, value in variables.items()})
