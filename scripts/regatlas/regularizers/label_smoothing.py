"""Label smoothing: a share of each target is spread evenly over all classes."""

import tensorflow as tf

from regatlas.regularizers.base import Regularizer, Setting


class LabelSmoothing(Regularizer):
    """Szegedy et al. 2016, section 7, with the uniform distribution over the classes."""

    title = "Label smoothing"
    formula = r"\tilde y = (1 - \epsilon) \, y + \epsilon / K"
    citation = "Szegedy, Vanhoucke, Ioffe, Shlens, Wojna 2016, CVPR"
    acts_on = "targets"

    amount = Setting(0.1, low=0.0, below=1.0, off=0.0, doc="epsilon, the share that is spread")

    def examples(self, x: tf.Tensor, y: tf.Tensor, noise: None) -> tuple[tf.Tensor, tf.Tensor]:
        return x, (1 - self.amount) * y + self.amount / self.task.classes
