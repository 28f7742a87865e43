"""What a layer's weights look like on the grid of pixels they belong to.

Images are uint8, [images, pixels]; kernels are [pixels, units], for one layer [pixels, classes].
Results that are undefined (no live pixels, no variation) are NaN.
"""

from collections.abc import Sequence

import numpy as np


def live_pixels(images: np.ndarray, share: float = 0.05) -> np.ndarray:
    """Which pixels are on (not 0) in at least ``share`` of the images; bool, [pixels]."""
    return np.count_nonzero(images, axis=0) / len(images) >= share


def never_lit(images: np.ndarray) -> np.ndarray:
    """Which pixels are 0 in every image, so that no gradient reaches their weights; bool, [pixels]."""
    return ~images.any(axis=0)


def pixel_stddev(images: np.ndarray) -> np.ndarray:
    """The standard deviation of each pixel over the images, pixels from 0 to 1; float64, [pixels]."""
    count = np.arange(256)
    histograms = np.stack([np.bincount(column, minlength=256) for column in images.T])
    mean = histograms @ count / len(images)
    return np.sqrt(np.maximum(histograms @ count**2 / len(images) - mean**2, 0)) / 255


def row_centred(kernel: np.ndarray) -> np.ndarray:
    """The kernel minus each pixel's mean over the units, float64: softmax does not see what is taken away."""
    kernel = kernel.astype(np.float64)
    return kernel - kernel.mean(axis=1, keepdims=True)


def neighbours(live: np.ndarray, image_shape: Sequence[int]) -> np.ndarray:
    """The pairs of live pixels that are beside or above each other; pixel numbers, [pairs, 2]."""
    grid = np.arange(live.size).reshape(image_shape)
    beside = np.stack([grid[:, :-1].ravel(), grid[:, 1:].ravel()], axis=1)
    above = np.stack([grid[:-1].ravel(), grid[1:].ravel()], axis=1)
    pairs = np.concatenate([beside, above])
    return pairs[live[pairs].all(axis=1)]


def roughness(kernel: np.ndarray, live: np.ndarray, pairs: np.ndarray) -> float:
    """How much neighbouring weights differ: 0 for a constant image, 1 expected of white noise, scale-free.

    The mean squared difference of neighbouring row-centred weights over twice the variance of the live ones,
    averaged over the units: Geary's ratio c. Geary 1954, "The contiguity ratio and statistical mapping", The
    Incorporated Statistician 5(3). With the variance over n - 1, the mean over all arrangements of the same
    weights is exactly 1.

    Args:
        kernel: [pixels, units], of the first layer.
        live: which pixels count, [pixels].
        pairs: ``neighbours(live, ...)``.
    """
    if not len(pairs):
        return float("nan")
    weights = row_centred(kernel)
    differences = np.mean((weights[pairs[:, 0]] - weights[pairs[:, 1]]) ** 2, axis=0)
    variance = np.var(weights[live], axis=0, ddof=1)
    ratio = np.divide(differences, 2 * variance, out=np.zeros_like(variance), where=differences != 0)
    return float(np.mean(ratio))


def templates(images: np.ndarray, labels: np.ndarray, classes: int) -> np.ndarray:
    """Each class's mean image minus the mean of all images, in [-1, 1]; [pixels, classes].

    The column of a class without images is NaN.
    """
    sums = np.stack([images[labels == c].sum(axis=0, dtype=np.int64) for c in range(classes)], axis=1)
    counts = np.bincount(labels, minlength=classes).astype(np.float64)
    means = np.divide(sums, counts, out=np.full(sums.shape, np.nan), where=counts > 0)
    return (means - sums.sum(axis=1, keepdims=True) / len(images)) / 255


def template_correlation(kernel: np.ndarray, live: np.ndarray, template: np.ndarray) -> float:
    """The correlation of the row-centred weights of the live pixels with the class templates.

    One correlation over all live pixels and classes together, not a mean of one per class.

    Args:
        kernel: [pixels, classes], of a network of one layer.
        live: which pixels count, [pixels].
        template: ``templates(...)``, [pixels, classes].
    """
    known = ~np.isnan(template).any(axis=0)
    weights = row_centred(kernel)[live][:, known]
    shapes = template[live][:, known]
    if not weights.size:
        return float("nan")
    weights = weights - weights.mean()
    shapes = shapes - shapes.mean()
    scale = np.sqrt(np.sum(weights**2) * np.sum(shapes**2))
    return float(np.sum(weights * shapes) / scale) if scale else float("nan")


def power_spectrum(kernel: np.ndarray, live: np.ndarray, image_shape: Sequence[int]) -> np.ndarray:
    """How the power of the weight images is spread over spatial frequencies, 1 for all of white noise; [rings].

    Ring k holds the frequencies of more than k and at most k + 1 cycles over the image's shorter side: the mean power
    in it over the mean power of all rings, averaged over the units. Pixels that are not live
    take the mean of those that are, so that neither their values nor the edge around them count for more than that.
    Schaaf, Hateren 1996, "Modelling the power spectra of natural images", Vision Research 36(17), section 2.

    Args:
        kernel: [pixels, units], of the first layer.
        live: which pixels count, [pixels].
        image_shape: height and width.
    """
    height, width = (int(side) for side in image_shape)
    rings = min(height, width) // 2
    weights = kernel.astype(np.float64).T
    means = weights[:, live].mean(axis=1, keepdims=True) if live.any() else np.zeros((len(weights), 1))
    images = np.where(live, weights - means, 0.0).reshape(-1, height, width)
    power = np.mean(np.abs(np.fft.fft2(images)) ** 2, axis=0)
    distance = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.fftfreq(width)[None]) * 2 * rings
    ring = np.ceil(distance - 1e-9).astype(int) - 1
    inside = (ring >= 0) & (ring < rings)
    count = np.bincount(ring[inside], minlength=rings)
    total = np.bincount(ring[inside], power[inside], minlength=rings)
    mean = total.sum() / max(count.sum(), 1)
    return np.divide(total, count * mean, out=np.full(rings, np.nan), where=(count > 0) & (mean > 0))


def weight_extremes(kernels: Sequence[np.ndarray]) -> tuple[float, float]:
    """The smallest and the largest weight of all layers."""
    return float(min(kernel.min() for kernel in kernels)), float(max(kernel.max() for kernel in kernels))


def weight_norm(kernels: Sequence[np.ndarray]) -> float:
    """The Frobenius norm of all layers' weights together."""
    return float(np.sqrt(sum(np.sum(kernel.astype(np.float64) ** 2) for kernel in kernels)))


def participation_ratio(kernel: np.ndarray, pixel_stddev: np.ndarray) -> float:
    """Over how large a share of the pixels the units spread what they use: 1 if all count alike, 1/n if one does.

    (sum a)^2 / (n sum a^2) of a = |row-centred weight| times the pixel's standard deviation, which is how much the
    pixel moves the unit; averaged over the units. Units that use no pixel do not count.

    Args:
        kernel: [pixels, units], of the first layer.
        pixel_stddev: [pixels].
    """
    used = np.abs(row_centred(kernel)) * pixel_stddev[:, None]
    squares = len(used) * np.sum(used**2, axis=0)
    ratios = np.sum(used, axis=0)[squares > 0] ** 2 / squares[squares > 0]
    return float(np.mean(ratios)) if len(ratios) else float("nan")


def sparsity(kernels: Sequence[np.ndarray]) -> float:
    """The share of weights that are exactly 0, of all layers together."""
    return float(1 - sum(map(np.count_nonzero, kernels)) / sum(kernel.size for kernel in kernels))
