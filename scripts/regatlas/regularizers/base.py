"""What a regularizer is: a class that overrides the places of a training step where it acts.

The places, in the order of a step: the examples (inputs and targets), the kernels the forward pass sees, the
activations, the loss (a penalty), the gradients, the variables after the update. Every hook but the one it needs
may be left alone; an untouched hook costs nothing. All of them run while TensorFlow traces the training graph, once,
so they must be made of TensorFlow operations.
"""

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

    A regularizer draws for a whole block of steps at once: one call for many steps costs a fraction of many calls.
    """

    def __init__(self, seed: int, purpose: str, counter: tf.Tensor | int):
        self._keys = generator(seed, purpose)
        self._counter = tf.cast(counter, tf.int64)

    def _seed(self) -> tf.Tensor:
        key = int(self._keys.integers(2**62))  # a new one for every call site, fixed while tracing
        return tf.stack([tf.constant(key, tf.int64), self._counter])

    def bytes(self, shape: list[Any]) -> tf.Tensor:
        """Uniform random bytes, uint8 of ``shape``."""
        size = tf.reduce_prod(shape)
        words = tf.random.stateless_uniform(
            [(size + 3) // 4], self._seed(), minval=None, maxval=None, dtype=tf.uint32, alg="philox"
        )
        return tf.reshape(tf.reshape(tf.bitcast(words, tf.uint8), [-1])[:size], shape)

    def words(self, shape: list[Any]) -> tf.Tensor:
        """Uniform random 16-bit numbers, uint16 of ``shape``."""
        size = tf.reduce_prod(shape)
        words = tf.random.stateless_uniform(
            [(size + 1) // 2], self._seed(), minval=None, maxval=None, dtype=tf.uint32, alg="philox"
        )
        return tf.reshape(tf.reshape(tf.bitcast(words, tf.uint16), [-1])[:size], shape)

    def normal(self, shape: list[Any]) -> tf.Tensor:
        """Standard normal numbers, float32 of ``shape``."""
        return tf.random.stateless_normal(shape, self._seed(), alg="philox")

    def keep(self, shape: list[Any], probability: float) -> tf.Tensor:
        """True with ``probability`` (to 1/65,536; exact for multiples of 1/256, which need half the bits)."""
        if float(probability * 256).is_integer():
            return self.bytes(shape) < int(probability * 256) if probability < 1 else tf.fill(shape, True)
        return self.words(shape) < round(probability * 65536)


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
