"""What a regularizer is: a class that overrides the places of a training step where it acts.

The places, in the order of a step: the examples (inputs and targets), the kernels the forward pass sees, the
activations, the loss (a penalty), the gradients, the variables after the update. Every hook but the one it needs
may be left alone; an untouched hook costs nothing. All of them run while TensorFlow traces the training graph, once,
so they must be made of TensorFlow operations.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from regatlas.networks import Parameters
from regatlas.streams import generator


class Setting:
    """A number, switch or word that a configuration may set, with its default and its allowed range.

    Declared in literals as ``strength = Setting(0.01, low=0.0, doc="multiplies half the sum of squares")``; the
    type is the default's (an integer is accepted for a float). On an instance the attribute is the value itself.
    """

    def __init__(
        self,
        default: float | int | bool | str,
        *,
        low: float | None = None,
        high: float | None = None,
        above: float | None = None,
        below: float | None = None,
        choices: tuple[str, ...] = (),
        doc: str = "",
    ):
        self.default, self.doc, self.choices = default, doc, choices
        self.low, self.high, self.above, self.below = low, high, above, below


class Random:
    """Reproducible random tensors inside a graph: the same seed, purpose and counter give the same numbers.

    The counter is that of a block of steps. Hooks that see a block at once draw for all its steps. Those that see one
    step get its part of what the first step's call has drawn for all: a call a step would cost many times as much.

    Args:
        steps: of a block, for hooks that see one step; None draws what is asked for and nothing more.
    """

    def __init__(self, seed: int, purpose: str, counter: tf.Tensor | int, steps: int | None = None):
        self._keys = generator(seed, purpose)
        self._counter = tf.cast(counter, tf.int64)
        self._steps, self._step, self._calls = steps, 0, 0
        self._drawn: list[tf.Tensor] = []

    def of_step(self, step: tf.Tensor | int) -> "Random":
        """The same numbers again, from the first call on, but those of another step of the block."""
        self._step, self._calls = step, 0
        return self

    def normal(self, shape: list[Any]) -> tf.Tensor:
        """Standard normal numbers, float32 of ``shape``."""
        return self._draw(shape, lambda shape, seed: tf.random.stateless_normal(shape, seed, alg="philox"))

    def uniform(self, shape: list[Any]) -> tf.Tensor:
        """Uniform numbers in 0..1, float32 of ``shape``."""
        return self._draw(shape, lambda shape, seed: tf.random.stateless_uniform(shape, seed, alg="philox"))

    def keep(self, shape: list[Any], probability: float) -> tf.Tensor:
        """A mask of bytes: 255, all bits set, with ``probability``, else 0; uint8 of ``shape``.

        To 1/65,536; exact for 1/2, which takes a bit of the generator, and for multiples of 1/256, which take eight.
        """
        if probability == 1:
            return tf.fill(shape, tf.constant(255, tf.uint8))
        return self._draw(shape, lambda shape, seed: _mask(shape, seed, probability))

    def _draw(self, shape: list[Any], make: Callable[[Any, tf.Tensor], tf.Tensor]) -> tf.Tensor:
        if self._calls == len(self._drawn):
            key = int(self._keys.integers(2**62))  # a new one for every call site, fixed while tracing
            seed = tf.stack([tf.constant(key, tf.int64), self._counter])
            whole = shape if self._steps is None else tf.concat([[self._steps], shape], 0)
            self._drawn.append(make(whole, seed))
        drawn = self._drawn[self._calls]
        self._calls += 1
        return drawn if self._steps is None else drawn[self._step]


def _mask(shape: Any, seed: tf.Tensor, probability: float) -> tf.Tensor:
    """Bytes 255 with ``probability``, else 0; made four at a time, as words, which is several times faster."""
    size = tf.reduce_prod(shape)

    def words(count: tf.Tensor) -> tf.Tensor:
        return tf.random.stateless_uniform([count], seed, minval=None, maxval=None, dtype=tf.uint32, alg="philox")

    if probability == 0.5:  # each of the eight bits of every byte
        drawn = words((size + 31) // 32)
        places = [tf.bitwise.right_shift(drawn, tf.constant(place, tf.uint32)) for place in range(8)]
        ones = tf.bitwise.bitwise_and(tf.concat(places, 0), tf.constant(0x01010101, tf.uint32))
    else:
        exact = float(probability * 256).is_integer()
        drawn = words((size + 3) // 4 if exact else (size + 3) // 4 * 2)
        numbers = tf.bitcast(drawn, tf.uint8 if exact else tf.uint16)
        below = tf.cast(numbers < round(probability * (256 if exact else 65536)), tf.uint8)
        ones = tf.bitcast(tf.reshape(below, [-1, 4]), tf.uint32)
    mask = tf.bitcast(ones * tf.constant(255, tf.uint32), tf.uint8)
    return tf.reshape(tf.reshape(mask, [-1])[:size], shape)


class Regularizer:
    """The idea of regularizing nothing, to derive from.

    Class attributes, all literals: ``title``, ``formula`` (LaTeX), ``citation``, ``acts_on`` (what it touches, in
    words of the list above), and any number of ``Setting``.
    """

    title = ""
    formula = ""
    citation = ""
    acts_on = ""

    def __init__(self, **settings: Any):
        for name, value in settings.items():
            setattr(self, name, value)

    #: Whether evaluation leaves the noise on; a regularizer that offers this overrides it.
    noise_in_evaluation = False

    def variables(self, initial: Parameters, seed: int) -> dict[str, np.ndarray]:
        """The variables to train, float32, by name; by default the network's own parameters."""
        named = {f"kernel_{layer}": kernel for layer, kernel in enumerate(initial.kernels)}
        return named | {f"bias_{layer}": bias for layer, bias in enumerate(initial.biases)}

    def noise(self, random: Random, first_step: tf.Tensor, steps: int) -> list[Any]:
        """What each of ``steps`` consecutive steps needs of noise on the weights, one entry a step.

        Args:
            first_step: int64 scalar, 0 for the first step of the run.
        """
        return [None] * steps

    def inputs(self, pixels: tf.Tensor, random: Random) -> tf.Tensor:
        """Inputs [steps, batch, features], float32 in 0..1, of pixels, uint8 in 0..255."""
        return tf.cast(pixels, tf.float32) * (1 / 255)

    def examples(self, x: tf.Tensor, y: tf.Tensor, random: Random) -> tuple[tf.Tensor, tf.Tensor]:
        """Inputs [steps, batch, features] in 0..1 and targets [steps, batch, classes] as training sees them."""
        return x, y

    def parameters(self, variables: dict[str, Any], noise: Any) -> Parameters:
        """The parameters a forward pass sees; ``noise`` is None when the noise is off."""
        return Parameters(
            [value for name, value in variables.items() if name.startswith("kernel_")],
            [value for name, value in variables.items() if name.startswith("bias_")],
        )

    def activations(self, hidden: tf.Tensor, layer: int, random: Random) -> tf.Tensor:
        """The output [batch, width] of hidden layer 0, 1, ... as training sees it."""
        return hidden

    def penalty(self, variables: dict[str, Any], parameters: Parameters) -> tf.Tensor | None:
        """A scalar added to the mean data loss, or None."""
        return None

    def gradients(self, gradients: dict[str, tf.Tensor], variables: dict[str, Any]) -> dict[str, tf.Tensor]:
        """The gradients handed to the optimizer, by variable name."""
        return gradients

    def after_update(self, variables: dict[str, Any], learning_rate: tf.Tensor) -> None:
        """Change the variables in place once the optimizer has moved them."""
