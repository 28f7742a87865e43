"""Early stopping: the run ends when the validation accuracy has not improved for a while."""

from regatlas.regularizers.base import Regularizer, Setting


class EarlyStopping(Regularizer):
    """Prechelt 1998, with patience: the weights of the evaluation with the best validation accuracy are kept."""

    title = "Early stopping"
    formula = r"t^* = \mathrm{argmax}_{t} \; A_{\mathrm{validation}}(W_t)"
    citation = "Prechelt 1998, Early Stopping - But When?, in: Neural Networks: Tricks of the Trade"
    acts_on = "evaluation"

    patience = Setting(5, low=1, doc="evaluations without a better validation accuracy that end the run")
