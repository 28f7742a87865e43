"""Adversarial training: half of the loss is that of images moved in the direction that hurts most."""

import tensorflow as tf

from regatlas.regularizers.base import Regularizer, Setting


class Adversarial(Regularizer):
    """Goodfellow et al. 2015, section 6: the fast gradient sign method. The moved pixels may leave 0 to 1, as there.

    The direction is taken as given: no gradient goes through it.
    """

    title = "Adversarial training"
    formula = r"a L(x) + (1 - a) L(x + \epsilon \, \mathrm{sign} \nabla_x L(x))"
    citation = "Goodfellow, Shlens, Szegedy 2015, ICLR"
    acts_on = "inputs"

    epsilon = Setting(0.1, low=0.0, off=0.0, doc="how far every pixel is moved; pixels are 0 to 1")
    clean_share = Setting(0.5, low=0.0, high=1.0, doc="a, the share of the unmoved images in the loss")

    def loss(self, compute, x: tf.Tensor, variables: dict, noise: None) -> tf.Tensor:
        with tf.GradientTape() as tape:
            tape.watch(x)
            clean = compute(x)
        if not self.epsilon:
            return clean
        moved = x + self.epsilon * tf.sign(tf.stop_gradient(tape.gradient(clean, x)))
        return self.clean_share * clean + (1 - self.clean_share) * compute(moved)
