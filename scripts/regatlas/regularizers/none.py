"""No regularization: the network and its data term, nothing else."""

from regatlas.regularizers.base import Regularizer


class NoRegularization(Regularizer):
    """The baseline of every comparison."""

    title = "No regularization"
    formula = r"L(W)"
    citation = ""
    acts_on = "nothing"
