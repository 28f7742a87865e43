"""Test images made worse in twelve ways, each in three severities.

Chosen after Hendrycks and Dietterich 2019 (ICLR, "Benchmarking neural network robustness to common corruptions and
perturbations") and MNIST-C of Mu and Gilmer 2019 (arXiv 1906.02337), with what an image of a few grey pixels can
suffer.
"""

from collections.abc import Callable

import numpy as np
from scipy import ndimage

SEVERITIES = 3
MOST = 2000  # images taken, evenly from the whole test set: the second half of MNIST's is harder than the first
_SEED = 20160725  # of the random ones; any other would do


def corrupted(images: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Corrupted images and the labels of the originals.

    Args:
        images: uint8 [n, height, width], 0 to 255.
        labels: [n].

    Returns:
        Images, uint8 [kinds, severities, taken, height, width], and labels [taken]. The same for the same images.
    """
    taken = min(len(images), MOST)
    taken = np.arange(taken) * len(images) // taken
    images, labels = images[taken], labels[taken]
    made = np.empty((len(KINDS), SEVERITIES, *images.shape), np.uint8)
    for place, kind in enumerate(KINDS.values()):
        for severity in range(SEVERITIES):
            rng = np.random.default_rng([_SEED, place, severity])
            worse = kind(images.astype(np.float32) / 255, severity, rng)
            made[place, severity] = np.rint(np.clip(worse, 0, 1) * 255)
    return made, labels


def _gaussian_noise(x: np.ndarray, severity: int, rng: np.random.Generator) -> np.ndarray:
    return x + (0.1, 0.2, 0.4)[severity] * rng.standard_normal(x.shape, np.float32)


def _impulse_noise(x: np.ndarray, severity: int, rng: np.random.Generator) -> np.ndarray:
    drawn = rng.random(x.shape, np.float32)
    share = (0.05, 0.1, 0.2)[severity]
    return np.where(drawn < share / 2, 0, np.where(drawn < share, 1, x))


def _missing_pixels(x: np.ndarray, severity: int, rng: np.random.Generator) -> np.ndarray:
    return x * (rng.random(x.shape, np.float32) >= (0.2, 0.4, 0.6)[severity])


def _blur(x: np.ndarray, severity: int, rng: np.random.Generator) -> np.ndarray:
    sigma = (0.7, 1.2, 2.0)[severity]
    return ndimage.gaussian_filter(x, (0, sigma, sigma))


def _motion_blur(x: np.ndarray, severity: int, rng: np.random.Generator) -> np.ndarray:
    return ndimage.uniform_filter1d(x, (3, 5, 9)[severity], axis=2, mode="constant")


def _pixelate(x: np.ndarray, severity: int, rng: np.random.Generator) -> np.ndarray:
    """Squares of pixels with their mean."""
    size, (height, width) = (2, 4, 7)[severity], x.shape[1:]
    padded = np.pad(x, [(0, 0), (0, -height % size), (0, -width % size)], mode="edge")
    blocks = padded.reshape(len(x), padded.shape[1] // size, size, padded.shape[2] // size, size).mean((2, 4))
    return blocks.repeat(size, 1).repeat(size, 2)[:, :height, :width]


def _contrast(x: np.ndarray, severity: int, rng: np.random.Generator) -> np.ndarray:
    mean = x.mean((1, 2), keepdims=True)
    return mean + (0.5, 0.3, 0.15)[severity] * (x - mean)


def _brightness(x: np.ndarray, severity: int, rng: np.random.Generator) -> np.ndarray:
    return x + (0.1, 0.25, 0.5)[severity]


def _rotation(x: np.ndarray, severity: int, rng: np.random.Generator) -> np.ndarray:
    return _both_ways(x, lambda part, sign: ndimage.rotate(
        part, sign * (10, 20, 35)[severity], axes=(1, 2), reshape=False, order=1
    ))  # fmt: skip


def _translation(x: np.ndarray, severity: int, rng: np.random.Generator) -> np.ndarray:
    """By whole pixels, each image in one of four directions."""
    distance, moved = (1, 2, 4)[severity], np.empty_like(x)
    for place, direction in enumerate(((0, 1), (1, 0), (0, -1), (-1, 0))):
        moved[place::4] = ndimage.shift(x[place::4], (0, *(distance * along for along in direction)), order=0)
    return moved


def _shear(x: np.ndarray, severity: int, rng: np.random.Generator) -> np.ndarray:
    """Columns moved for each row from the middle one."""
    amount, middle = (0.2, 0.4, 0.7)[severity], (x.shape[1] - 1) / 2

    def sheared(part: np.ndarray, sign: int) -> np.ndarray:
        matrix = np.array([[1, 0, 0], [0, 1, 0], [0, sign * amount, 1]])
        return ndimage.affine_transform(part, matrix, (0, 0, -sign * amount * middle), order=1)

    return _both_ways(x, sheared)


def _occlusion(x: np.ndarray, severity: int, rng: np.random.Generator) -> np.ndarray:
    """A grey square somewhere in the middle half."""
    height, width = x.shape[1:]
    size = max(1, round((0.15, 0.25, 0.4)[severity] * min(height, width)))
    hidden = x.copy()
    for image in hidden:
        top, left = (int(rng.integers(side // 4, max(side * 3 // 4 - size, side // 4) + 1)) for side in (height, width))
        image[top : top + size, left : left + size] = 0.5
    return hidden


def _both_ways(x: np.ndarray, change: Callable[[np.ndarray, int], np.ndarray]) -> np.ndarray:
    """Every other image changed to one side, the others to the other."""
    made = np.empty_like(x)
    for place, sign in enumerate((1, -1)):
        made[place::2] = change(x[place::2], sign)
    return made


KINDS: dict[str, Callable[[np.ndarray, int, np.random.Generator], np.ndarray]] = {
    "gaussian_noise": _gaussian_noise,
    "impulse_noise": _impulse_noise,
    "missing_pixels": _missing_pixels,
    "blur": _blur,
    "motion_blur": _motion_blur,
    "pixelate": _pixelate,
    "contrast": _contrast,
    "brightness": _brightness,
    "rotation": _rotation,
    "translation": _translation,
    "shear": _shear,
    "occlusion": _occlusion,
}
