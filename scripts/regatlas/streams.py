"""Separate random streams for everything a seed decides on the host, so that no use shifts another.

The same seed gives every method the same initial weights and the same batch order: comparisons are paired.
"""

import hashlib
from collections.abc import Sequence

import numpy as np


def generator(seed: int, purpose: str, index: int = 0) -> np.random.Generator:
    """The generator of one purpose ("initial weights", "batch order", ...); ``index`` numbers its parts."""
    key = int.from_bytes(hashlib.sha256(purpose.encode()).digest()[:4], "big")
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, key, index])))


def truncated_normal(rng: np.random.Generator, shape: Sequence[int], stddev: float) -> np.ndarray:
    """Normal with mean 0, redrawn where it falls outside two standard deviations; float32 of ``shape``."""
    values = rng.standard_normal(shape)
    while (outside := np.abs(values) > 2).any():
        values[outside] = rng.standard_normal(int(outside.sum()))
    return (stddev * values).astype(np.float32)


def initial_weights(seed: int, layer: int, shape: Sequence[int], stddev: float) -> np.ndarray:
    """The kernel of a layer before the first step, float32 [in, out]; pixels as the network sees them."""
    return truncated_normal(generator(seed, "initial weights", layer), shape, stddev)


def pixel_order(count: int) -> np.ndarray:
    """The order of pixels that are permuted, the same for all runs: place in the network -> pixel, [count]."""
    return generator(0, "permuted pixels").permutation(count)


class BatchOrder:
    """Which examples each step sees: reshuffled every epoch, the incomplete last batch dropped."""

    def __init__(self, seed: int, examples: int, batch_size: int):
        self.seed, self.examples, self.batch_size = seed, examples, batch_size
        self.batches_per_epoch = examples // batch_size
        self._epoch, self._permutation = -1, np.empty(0, np.int32)

    def steps(self, first: int, count: int) -> np.ndarray:
        """Example indices of steps ``first`` .. ``first + count - 1``, int32 [count, batch_size]."""
        indices = np.empty((count, self.batch_size), np.int32)
        done = 0
        while done < count:
            epoch, batch = divmod(first + done, self.batches_per_epoch)
            if epoch != self._epoch:
                self._epoch = epoch
                order = generator(self.seed, "batch order", epoch).permutation(self.examples)
                used = self.batches_per_epoch * self.batch_size
                self._permutation = order[:used].astype(np.int32).reshape(-1, self.batch_size)
            take = min(count - done, self.batches_per_epoch - batch)
            indices[done : done + take] = self._permutation[batch : batch + take]
            done += take
        return indices
