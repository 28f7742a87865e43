"""Reproducible random tensors inside a compiled graph."""

import math
from collections.abc import Callable, Sequence

import numpy as np
import tensorflow as tf

from regatlas.streams import generator

# Salmon et al. 2011, section 3.3, table 1
_ROTATIONS = (13, 15, 26, 6, 17, 29, 16, 24)
_PARITY = 0x1BD11BDA
_ROUNDS = 13

# powers of m from the 0th: log2(m) - (m - 1) to 0.0007 for m from 1 to 2
_LOG2 = (-1.1536233, 2.0478882, -1.0518770, 0.15824893)
# powers of log2(1 - x^2): the normal quantile of (1 + x) / 2, divided by x
_QUANTILE = (1.2523980, -0.22807546, 0.0083952476, 0.0016001264, 8.9864396e-05, 1.8261149e-06)


class Random:
    """The same key, purpose and counter give the same numbers; every call gives others than the call before.

    The key is a tensor, so that one compiled graph serves every seed. The generator is the counter-based Threefry-2x32
    (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3") with 13 rounds, the fewest that pass all tests
    of BigCrush, written out because XLA's own takes four times as long. Draw for many steps at once.

    Args:
        key: int64 scalar, the run's (``key_of``).
        purpose: what the numbers are for.
        counter: int64 scalar, the number of the block of steps, say.
    """

    def __init__(self, key: tf.Tensor, purpose: str, counter: tf.Tensor):
        self._key, self._purpose, self._counter = key, purpose, tf.cast(counter, tf.int64)
        self._sites, self._unchanging = generator(0, purpose), 0

    def unchanging(self) -> "Random":
        """Numbers of the run's own, the same whatever the counter; others for each call."""
        self._unchanging += 1
        which = f" {self._unchanging}" if self._unchanging > 1 else ""
        return Random(self._key, f"{self._purpose}, unchanging{which}", tf.constant(0, tf.int64))

    def bits(self, shape: list[int]) -> tf.Tensor:
        """Uniform bits, uint32 of ``shape``, in memory.

        Left to itself, XLA draws a number anew in every operation that uses it, which costs many times as much. Both
        words of a counter lie side by side, so that it computes them together: one after the other it would compute
        both twice.
        """
        site = tf.constant(int(self._sites.integers(2**62)), tf.int64)  # another for every call, fixed while tracing
        pairs = -(-math.prod(shape) // 2)

        def draw() -> tf.Tensor:
            key = threefry(_halves(tf.bitwise.bitwise_xor(self._key, site)), _halves(self._counter))
            words = threefry(key, (tf.cast(tf.range(pairs), tf.uint32), tf.zeros([pairs], tf.uint32)))
            return tf.where([[True, False]], words[0][:, None], words[1][:, None])

        return _filled(shape, in_memory(draw, self._key >= 0))  # as every key is

    def uniform(self, shape: list[int]) -> tf.Tensor:
        """Uniform numbers between 0 and 1, both excluded; float32 of ``shape``."""
        return (tf.cast(tf.bitwise.right_shift(self.bits(shape), _word(9)), tf.float32) + 0.5) * 2.0**-23

    def normal(self, shape: list[int]) -> tf.Tensor:
        """Standard normal numbers, float32 of ``shape``: one of 65,536 that are equally probable.

        The largest is 4.3. They are the distribution's quantiles to 0.0004, their variance is 1 to 0.0001.
        """
        words = self.bits([-(-math.prod(shape) // 2)])
        return _filled(shape, normal_quantile(_half_words(words)))

    def packed_normal(self, shape: list[int]) -> tf.Tensor:
        """As ``normal`` for [steps, batch, ...], but two to a word, uint32 [steps, batch / 2 rounded up, ...].

        ``unpacked_normal`` makes a step's numbers of them wherever they are used. That takes less than to write them
        to memory and read them; no less, and no more, where they are used twice, as a hidden layer's are.
        """
        steps, batch, *rest = shape
        return self.bits([steps, -(-batch // 2), *rest])

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


def key_of(seed: int) -> np.int64:
    """The key of a run's random numbers."""
    return generator(seed, "noise").integers(2**62)


Pair = tuple[tf.Tensor, tf.Tensor]


def threefry(key: Pair, counter: Pair) -> Pair:
    """Two words for each counter; key and counter are two words each, all uint32 of shapes that broadcast."""
    keys = [*key, tf.bitwise.bitwise_xor(tf.bitwise.bitwise_xor(*key), _word(_PARITY))]
    first, second = counter[0] + keys[0], counter[1] + keys[1]
    for number in range(_ROUNDS):
        rotation = _ROTATIONS[number % 8]
        first += second
        second = tf.bitwise.bitwise_or(
            tf.bitwise.left_shift(second, _word(rotation)), tf.bitwise.right_shift(second, _word(32 - rotation))
        )
        second = tf.bitwise.bitwise_xor(second, first)
        if number % 4 == 3:
            turn = number // 4 + 1
            first, second = first + keys[turn % 3], second + keys[(turn + 1) % 3] + _word(turn)
    return first, second


def normal_quantile(number: tf.Tensor, stddev: float = 1.0) -> tf.Tensor:
    """The quantile at (number + 1/2) / 65,536, for uint32 below 65,536, of the normal distribution with mean 0.

    A polynomial in a logarithm, as in Giles 2010, "Approximating the erfinv function", with a logarithm no more precise
    than needed: exponent and mantissa of a float, read as an integer, are one but for a small correction.
    """
    x = tf.cast(tf.cast(number, tf.int32), tf.float32) * 2.0**-15 + (2.0**-16 - 1)
    y = 1 - x * x
    bits = tf.bitcast(y, tf.int32)
    mantissa = tf.bitcast(tf.bitwise.bitwise_or(tf.bitwise.bitwise_and(bits, 0x7FFFFF), 0x3F800000), tf.float32)
    log2 = tf.cast(bits, tf.float32) * 2.0**-23 + (_polynomial(_LOG2, mantissa) - 127)
    return x * _polynomial([stddev * c for c in _QUANTILE], log2)


def unpacked_normal(words: tf.Tensor, batch: int, stddev: float = 1.0) -> tf.Tensor:
    """A step's normal numbers, float32 [batch, ...], of the words that ``Random.packed_normal`` drew for it."""
    return normal_quantile(tf.reshape(_half_words(words), [-1, *words.shape[1:]])[:batch], stddev)


def in_memory(compute: Callable[[], tf.Tensor], always: tf.Tensor) -> tf.Tensor:
    """What a function computes, written to memory.

    Left to itself, XLA computes a tensor anew in whatever reads it. It does not look into a branch that may not be
    taken.

    Args:
        compute: a function of no arguments.
        always: a scalar that is true, though XLA cannot know it; were it false, zeros would come out.
    """
    return tf.cond(always, compute, lambda: tf.zeros_like(compute()))


def _half_words(words: tf.Tensor) -> tf.Tensor:
    """The lower and the upper 16 bits of words [...], uint32 [2, ...]."""
    places = tf.reshape(_word([0, 16]), [2] + [1] * words.shape.rank)
    return tf.bitwise.bitwise_and(tf.bitwise.right_shift(words, places), _word(0xFFFF))


def _polynomial(coefficients: Sequence[float], x: tf.Tensor) -> tf.Tensor:
    """The value of the polynomial with these coefficients, that of the 0th power first."""
    value = tf.constant(coefficients[-1], tf.float32)
    for coefficient in coefficients[-2::-1]:
        value = value * x + coefficient
    return value


def _filled(shape: list[int], numbers: tf.Tensor) -> tf.Tensor:
    """The first of the numbers, as many as ``shape`` holds."""
    return tf.reshape(tf.reshape(numbers, [-1])[: math.prod(shape)], shape)


def _halves(number: tf.Tensor) -> Pair:
    """The lower and the upper word of an int64 scalar."""
    low, high = tf.unstack(tf.bitcast(number, tf.uint32))
    return low, high


def _word(value: int | np.ndarray) -> tf.Tensor:
    return tf.constant(value, tf.uint32)
