"""How good a network's predictions are, from what a run keeps of every test image."""

import numpy as np

_SMALLEST = float(np.finfo(np.float32).tiny)


def accuracy(predicted: np.ndarray, labels: np.ndarray) -> float:
    """The fraction of images whose predicted class, [images], is their label, [images]."""
    return float(np.mean(predicted == labels))


def negative_log_likelihood(probability: np.ndarray) -> float:
    """The mean of -log p in nats, p the probability given to the true class, [images].

    A probability below the smallest normal float32, 1.2e-38, counts as that: the probabilities were stored
    as float32, and one that fell to 0 there would make the mean infinite.
    """
    return float(-np.mean(np.log(np.maximum(probability.astype(np.float64), _SMALLEST))))


def expected_calibration_error(confidence: np.ndarray, correct: np.ndarray, bins: int = 15) -> float:
    """The mean gap between confidence and accuracy, over equal-width bins weighted by their size.

    A bin includes its upper end; 0 belongs to the first bin. Guo et al. 2017, "On calibration of modern
    neural networks", section 2, equation 3.

    Args:
        confidence: the probability of the predicted class, [images].
        correct: whether the predicted class is the true one, [images].
        bins: the number of bins.
    """
    confidence = confidence.astype(np.float64)
    which = np.clip(np.ceil(confidence * bins) - 1, 0, bins - 1).astype(np.int64)
    gap = np.bincount(which, confidence - correct, minlength=bins)
    return float(np.sum(np.abs(gap)) / len(confidence))
