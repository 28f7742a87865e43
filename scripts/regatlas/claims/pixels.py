"""What one-layer networks do with pixels: how much each one moves a logit, and what is left without some of them."""

import numpy as np

from regatlas.geometry import row_centred


def accuracy(kernel: np.ndarray, bias: np.ndarray, images: np.ndarray, labels: np.ndarray) -> float:
    """Accuracy of a one-layer network; images [n, pixels] from 0 to 1."""
    return float(np.mean((images @ kernel.astype(np.float32) + bias.astype(np.float32)).argmax(axis=1) == labels))


def effect(kernel: np.ndarray, images: np.ndarray) -> np.ndarray:
    """How much blanking a pixel moves each logit, on average over the images: |weight| x mean pixel; [pixels, classes].

    Logits less their mean over the classes, which is all that softmax sees.
    """
    return np.abs(row_centred(kernel)) * images.mean(axis=0, dtype=np.float64)[:, None]


def ranks(values: np.ndarray) -> np.ndarray:
    """The ranks of a column's values, equal values sharing their mean rank."""
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(count)
    return (last - (count - 1) / 2)[place]


def rank_correlation(one: np.ndarray, other: np.ndarray) -> float:
    """Spearman's correlation of two columns, averaged over the columns of [pixels, classes]; NaN where constant."""
    found = []
    for a, b in zip(one.T, other.T, strict=True):
        a, b = ranks(a), ranks(b)
        if np.ptp(a) and np.ptp(b):
            found.append(np.corrcoef(a, b)[0, 1])
    return float(np.mean(found)) if found else float("nan")


def largest_share(kernel: np.ndarray, bias: np.ndarray, images: np.ndarray) -> float:
    """Of what pixels put into the predicted class's logit, in absolute values, the share of the largest one.

    Averaged over the images; row-centred weights.
    """
    predicted = (images @ kernel.astype(np.float32) + bias.astype(np.float32)).argmax(axis=1)
    weights = np.abs(row_centred(kernel)).astype(np.float32)
    shares = []
    for label in np.unique(predicted):
        parts = images[predicted == label] * weights[:, label]
        whole = parts.sum(axis=1)
        shares.append(parts.max(axis=1)[whole > 0] / whole[whole > 0])
    shares = np.concatenate(shares)
    return float(shares.mean()) if len(shares) else float("nan")


def without_the_most_used(
    kernel: np.ndarray, bias: np.ndarray, images: np.ndarray, labels: np.ndarray, deviation: np.ndarray, count: int
) -> float:
    """Accuracy when the pixels are blanked that the network uses most: sum over classes of |weight| x deviation."""
    used = (np.abs(row_centred(kernel)) * deviation[:, None]).sum(axis=1)
    left = kernel.copy()
    left[np.argsort(-used, kind="stable")[:count]] = 0
    return accuracy(left, bias, images, labels)


def with_missing(
    kernel: np.ndarray, bias: np.ndarray, images: np.ndarray, labels: np.ndarray, share: float, seed: int = 20160725
) -> float:
    """Accuracy when each pixel of each image is blanked with this probability; the same pixels for every network."""
    kept = np.random.default_rng(seed).random(images.shape, np.float32) >= share
    return accuracy(kernel, bias, images * kept, labels)


def cosine(one: np.ndarray, other: np.ndarray) -> float:
    """The cosine of two arrays as vectors; NaN if one is 0."""
    size = np.sqrt(np.sum(one**2) * np.sum(other**2))
    return float(np.sum(one * other) / size) if size else float("nan")


def cosines(one: np.ndarray, other: np.ndarray) -> float:
    """``cosine`` of row-centred weights [pixels, classes]."""
    return cosine(row_centred(one), row_centred(other))


def apart(one: np.ndarray, other: np.ndarray) -> float:
    """The distance of row-centred weights over the mean of their norms."""
    one, other = row_centred(one), row_centred(other)
    size = (np.linalg.norm(one) + np.linalg.norm(other)) / 2
    return float(np.linalg.norm(one - other) / size) if size else float("nan")
