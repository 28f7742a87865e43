"""Reproducible random tensors inside a compiled graph."""

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from regatlas.streams import generator


class Random:
    """The same key, purpose and counter give the same numbers; every call gives others than the call before.

    The key is a tensor, so that one compiled graph serves every seed. The generator is the counter-based Threefry
    (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3") as XLA has it: it needs a graph compiled with
    ``jit_compile=True``. Draw for many steps at once: what a step draws for itself is computed anew at each use.

    Args:
        key: int64 scalar, the run's (``key_of``).
        purpose: what the numbers are for.
        counter: int64 scalar, the number of the block of steps, say.
    """

    def __init__(self, key: tf.Tensor, purpose: str, counter: tf.Tensor):
        self._key, self._purpose, self._counter = key, purpose, tf.cast(counter, tf.int64)
        self._sites = generator(0, purpose)

    def unchanging(self) -> "Random":
        """Numbers of the run's own, the same whatever the counter."""
        return Random(self._key, f"{self._purpose}, unchanging", tf.constant(0, tf.int64))

    def bits(self, shape: list[int]) -> tf.Tensor:
        """Uniform bits, uint32 of ``shape``."""
        return self._once(shape, tf.uint32, lambda bits: bits)

    def uniform(self, shape: list[int]) -> tf.Tensor:
        """Uniform numbers between 0 and 1, both excluded; float32 of ``shape``."""
        return self._once(shape, tf.float32, _between_0_and_1)

    def normal(self, shape: list[int]) -> tf.Tensor:
        """Standard normal numbers by the inverse of their distribution function, float32 of ``shape``."""
        root = np.float32(np.sqrt(2))
        return self._once(shape, tf.float32, lambda bits: root * tf.math.erfinv(2 * _between_0_and_1(bits) - 1))

    def keep(self, shape: list[int], probability: float) -> tf.Tensor:
        """True with ``probability``; bool of ``shape``.

        To 1/65,536; exact for 1/2, which takes a bit of the generator, and for multiples of 1/256, which take eight.
        """
        if probability == 1:
            return tf.ones(shape, tf.bool)
        width = 1 if probability == 0.5 else 8 if float(probability * 256).is_integer() else 16
        *outer, size = shape
        words = self.bits([*outer, -(-size * width // 32), 1])
        places = _word(np.arange(0, 32, width))
        numbers = tf.bitwise.bitwise_and(tf.bitwise.right_shift(words, places), _word(2**width - 1))
        numbers = tf.reshape(numbers, [*outer, words.shape[-2] * (32 // width)])[..., :size]
        return numbers < _word(round(probability * 2**width))

    def _once(self, shape: list[int], kind: tf.DType, turn: Callable[[tf.Tensor], tf.Tensor]) -> tf.Tensor:
        """``turn`` of random bits, uint32 of ``shape``, in memory.

        Left to itself, XLA draws a number anew in every operation that uses it, which costs many times as much. It
        does not look into a loop that, as far as it knows, may not run at all.
        """
        site = tf.constant(int(self._sites.integers(2**62)), tf.int64)  # another for every call, fixed while tracing
        seed = tf.stack([tf.bitwise.bitwise_xor(self._key, site), self._counter])

        def draw(done: tf.Tensor, _: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            bits = tf.random.stateless_uniform(shape, seed, minval=None, maxval=None, dtype=tf.uint32, alg="threefry")
            return tf.constant(True), turn(bits)

        never = self._key < 0  # no key is
        return tf.while_loop(lambda done, _: ~done, draw, (never, tf.zeros(shape, kind)))[1]


def key_of(seed: int) -> np.int64:
    """The key of a run's random numbers."""
    return generator(seed, "noise").integers(2**62)


def _between_0_and_1(bits: tf.Tensor) -> tf.Tensor:
    return (tf.cast(tf.bitwise.right_shift(bits, _word(9)), tf.float32) + 0.5) * 2.0**-23


def _word(value: int | np.ndarray) -> tf.Tensor:
    return tf.constant(value, tf.uint32)
