"""What a regularizer is: a class that overrides the places of a training step where it acts.

The places, in the order of a step: the images, the examples (inputs and targets), the weights the forward pass sees,
the activations, the loss (a penalty), the gradients, the variables after the update, and what is evaluated. Every hook
but the one it needs may be left alone; an untouched hook costs nothing. Hooks that see tensors run once, while
TensorFlow traces the training graph, and XLA compiles what they do: they must be made of TensorFlow operations on
shapes that are known, and return what has changed.
"""

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from regatlas.networks import Parameters
from regatlas.randomness import Random

__all__ = ["Parameters", "Random", "Regularizer", "Setting", "Task", "Unsuitable"]


class Unsuitable(ValueError):
    """What a method is to be trained with does not suit it; the message says what is wrong and what helps."""


class Setting:
    """A number, switch or word that a configuration may set, with its default and its allowed range.

    Declared in literals as ``strength = Setting(0.01, low=0.0, doc="multiplies half the sum of squares")``; the
    type is the default's (an integer is accepted for a float). On an instance the attribute is the value itself.

    ``off`` is the value that turns the method off: with every ``off`` that it declares, its weights are those of
    ``none`` to float rounding (tests/unit/test_contract.py holds it to that).
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
        off: float | None = None,
        doc: str = "",
    ):
        self.default, self.doc, self.choices, self.off = default, doc, choices, off
        self.low, self.high, self.above, self.below = low, high, above, below


@dataclasses.dataclass(frozen=True)
class Task:
    """What is trained, for a regularizer that needs to know."""

    kernel_shapes: tuple[tuple[int, int], ...]  # [out, in] of each layer, first layer first
    image_shape: tuple[int, int]
    classes: int
    train_size: int
    batch_size: int
    steps: int
    momentum: float = 0.0  # of stochastic gradient descent; Adam's counts as 0

    @property
    def features(self) -> int:
        """Pixels of an image."""
        return self.kernel_shapes[0][1]


Tensors = dict[str, tf.Tensor]


class Regularizer:
    """The base of all regularizers; as it stands it changes nothing.

    Class attributes, all literals: ``title``, ``formula`` (LaTeX), ``citation``, ``acts_on`` (nothing, inputs, targets,
    weights, activations, loss, gradient, update or evaluation), ``needs_hidden``, ``needs_direction`` and
    ``needs_batch`` where they apply, and any number of ``Setting``. The first line of the module's docstring says in a
    sentence what the method does; the README's table shows it.

    Variables are what is trained, by name: ``kernel_<l>`` [out, in] and ``bias_<l>`` [out] of each layer, and what
    ``variables`` adds. Buffers are what a run carries along without training it.
    """

    title = ""
    formula = ""
    citation = ""
    acts_on = ""
    #: What it cannot do without, so that a study without it is refused: hidden layers; weights that do not all start at
    #: 0; batches of two examples or more.
    needs_hidden = needs_direction = needs_batch = False

    #: Whether evaluation leaves the noise on; a regularizer that offers this overrides it. Validation and test images
    #: are evaluated together: its noise must not mix the examples of a batch.
    noise_in_evaluation = False
    #: How many evaluations without a better validation accuracy end the run; the best one's weights are kept.
    patience: int | None = None
    #: What is trained; set before any hook is called.
    task: Task

    def __init__(self, **settings: Any):
        for name, value in settings.items():
            setattr(self, name, value)

    def variables(self, network: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """The variables to train at their start, float32 arrays by name, given those of the network."""
        return network

    def buffers(self, variables: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """The buffers at their start, arrays of any shape by name, given the variables at theirs."""
        return {}

    def noise(self, random: Random, first_step: tf.Tensor, steps: int, batch: int) -> Any:
        """All random numbers that consecutive steps need: a tensor or a nest of them, each [steps, ...], or None.

        Args:
            first_step: int64 scalar, the first of the ``steps``; 0 is the first step of the run. In an evaluation that
                leaves the noise on it numbers the evaluated images and is no step: do not schedule by it.
            batch: examples in a step.
        """
        return None

    def images(self, pixels: tf.Tensor, noise: Any) -> tf.Tensor:
        """The images of a step, uint8 [batch, features], given and returned; ``noise`` is the step's.

        Also those of an evaluation that leaves the noise on, and of no other.
        """
        return pixels

    def inputs(self, pixels: tf.Tensor, noise: Any) -> tf.Tensor:
        """Inputs [batch, features], float32 in 0..1, of pixels, uint8 in 0..255; ``noise`` is the step's.

        Also those of every evaluation; ``noise`` is None when the noise is off.
        """
        return tf.cast(pixels, tf.float32) * (1 / 255)

    def examples(self, x: tf.Tensor, y: tf.Tensor, noise: Any) -> tuple[tf.Tensor, tf.Tensor]:
        """Inputs [batch, features] and targets [batch, classes] as training sees them."""
        return x, y

    def parameters(self, parameters: Parameters, variables: Tensors, noise: Any) -> Parameters:
        """The parameters a forward pass sees, given the variables' own; ``noise`` is None when the noise is off.

        Args:
            variables: the variables and, beside them, the buffers.
        """
        return parameters

    def preactivations(self, hidden: tf.Tensor, layer: int, variables: Tensors, buffers: Tensors | None) -> tf.Tensor:
        """The sums [batch, width] of hidden layer 0, 1, ... before the ReLU; ``buffers`` is None in training."""
        return hidden

    def activations(self, hidden: tf.Tensor, layer: int, noise: Any) -> tf.Tensor:
        """The output [batch, width] of hidden layer 0, 1, ... as training sees it."""
        return hidden

    def loss(
        self, compute: Callable[[tf.Tensor], tf.Tensor], x: tf.Tensor, variables: Tensors, noise: Any
    ) -> tf.Tensor:
        """What is minimized but for the penalty, a scalar.

        ``compute`` gives the mean data loss of the batch at any inputs [batch, features], its targets and weights
        being what they are; the first loss asked for is the one that a run reports.
        """
        return compute(x)

    def penalty(self, variables: Tensors, parameters: Parameters, logits: tf.Tensor) -> tf.Tensor | None:
        """A scalar added to the mean data loss of a batch with ``logits`` [batch, classes], or None.

        Args:
            variables: the variables and, beside them, the buffers.
        """
        return None

    def gradients(self, compute: Callable[[Tensors], Tensors], variables: Tensors, noise: Any) -> Tensors:
        """The gradients handed to the optimizer, by variable; ``compute`` gives those of the loss at any variables."""
        return compute(variables)

    def after_update(self, variables: Tensors, learning_rate: tf.Tensor) -> Tensors:
        """The variables once the optimizer has moved them; ``learning_rate``, a float32 scalar, is the schedule's."""
        return variables

    def after_step(self, buffers: Tensors, variables: Tensors, step: tf.Tensor) -> Tensors:
        """The buffers after update number ``step`` (int64 scalar, from 0), given the variables after it."""
        return buffers

    def evaluated(self, variables: Tensors, buffers: Tensors) -> Tensors:
        """The variables that are evaluated and kept."""
        return variables
