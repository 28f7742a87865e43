"""Gradient clipping: a gradient that is too long is shortened to the limit, with its direction kept."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from regatlas.regularizers.base import Regularizer, Setting
from regatlas.sums import total


class GradientClipping(Regularizer):
    """Pascanu, Mikolov & Bengio 2013, algorithm 1: by the norm of all variables' gradients together."""

    title = "Gradient clipping"
    formula = r"g \leftarrow g \, \min(1, c / \lVert g \rVert)"
    citation = "Pascanu, Mikolov, Bengio 2013, ICML"
    acts_on = "gradient"

    limit = Setting(0.1, above=0.0, off=1.0e6, doc="c, the largest norm of the gradient")

    def gradients(self, compute: Callable, variables: dict, noise: Any) -> dict:
        gradients = compute(variables)
        square = tf.add_n([total(tf.square(gradient)) for gradient in gradients.values()])
        by = tf.minimum(self.limit * tf.math.rsqrt(square), 1)
        return {name: gradient * by for name, gradient in gradients.items()}
