"""Several regularizers in one method: each hook of one after the other's, in the order in which they are named."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from regatlas.networks import Parameters
from regatlas.regularizers.base import Random, Regularizer, Task, Tensors, Unsuitable


def combined(parts: Sequence[Regularizer]) -> Regularizer:
    """The regularizer that does what all parts do; the part itself if it is the only one.

    Raises:
        Unsuitable: a part leaves its noise on in evaluation, which the others could not, or two replace ``inputs``.
    """
    if len(parts) == 1:
        return parts[0]
    for part in parts:
        if part.noise_in_evaluation:
            raise Unsuitable(f"{part.title}: its noise cannot stay on in evaluation when it is combined with others")
    if sum(type(part).inputs is not Regularizer.inputs for part in parts) > 1:
        raise Unsuitable(f"{' and '.join(part.title for part in parts)}: only one of them may turn pixels into inputs")
    return Combination(parts)


class Combination(Regularizer):
    """Chains the hooks of its parts. Buffers have the number of their part in front of their name."""

    def __init__(self, parts: Sequence[Regularizer]):
        self.parts = list(parts)

    @property
    def task(self) -> Task:
        return self.parts[0].task

    @task.setter
    def task(self, task: Task) -> None:
        for part in self.parts:
            part.task = task

    @property
    def patience(self) -> int | None:
        return min((part.patience for part in self.parts if part.patience is not None), default=None)

    def variables(self, network: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """The variables of all parts.

        Raises:
            Unsuitable: two parts train a variable of the same name beside the network's own.
        """
        own, variables, trains = set(network), network, {}
        for part in self.parts:
            found = part.variables(variables)
            for name in sorted(found.keys() - own):
                if found[name] is variables.get(name):
                    continue
                if name in trains:
                    raise Unsuitable(f"{trains[name]} and {part.title} cannot act together: both train {name!r}")
                trains[name] = part.title
            variables = found
        return variables

    def buffers(self, variables: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        every = ((place, part.buffers(variables)) for place, part in enumerate(self.parts))
        return {f"{place}.{name}": value for place, buffers in every for name, value in buffers.items()}

    def noise(self, random: Random, first_step: tf.Tensor, steps: int, batch: int) -> list[Any]:
        return [part.noise(random, first_step, steps, batch) for part in self.parts]

    def images(self, pixels: tf.Tensor, noise: list[Any]) -> tf.Tensor:
        for place, part in enumerate(self.parts):
            pixels = part.images(pixels, noise[place])
        return pixels

    def inputs(self, pixels: tf.Tensor, noise: list[Any] | None) -> tf.Tensor:
        own = [place for place, part in enumerate(self.parts) if type(part).inputs is not Regularizer.inputs]
        place = own[0] if own else 0
        return self.parts[place].inputs(pixels, _of(noise, place))

    def examples(self, x: tf.Tensor, y: tf.Tensor, noise: list[Any]) -> tuple[tf.Tensor, tf.Tensor]:
        for place, part in enumerate(self.parts):
            x, y = part.examples(x, y, noise[place])
        return x, y

    def parameters(self, parameters: Parameters, variables: Tensors, noise: list[Any] | None) -> Parameters:
        for place, part in enumerate(self.parts):
            parameters = part.parameters(parameters, _own(variables, place), _of(noise, place))
        return parameters

    def preactivations(self, hidden: tf.Tensor, layer: int, variables: Tensors, buffers: Tensors | None) -> tf.Tensor:
        for place, part in enumerate(self.parts):
            hidden = part.preactivations(hidden, layer, variables, None if buffers is None else _own(buffers, place))
        return hidden

    def activations(self, hidden: tf.Tensor, layer: int, noise: list[Any]) -> tf.Tensor:
        for place, part in enumerate(self.parts):
            hidden = part.activations(hidden, layer, noise[place])
        return hidden

    def loss(
        self, compute: Callable[[tf.Tensor], tf.Tensor], x: tf.Tensor, variables: Tensors, noise: list[Any]
    ) -> tf.Tensor:
        for place, part in enumerate(self.parts):
            compute = _loss_of(part, compute, variables, noise[place])
        return compute(x)

    def penalty(self, variables: Tensors, parameters: Parameters, logits: tf.Tensor) -> tf.Tensor | None:
        every = [
            part.penalty(_own(variables, place), parameters, logits) for place, part in enumerate(self.parts)
        ]  # fmt: skip
        found = [penalty for penalty in every if penalty is not None]
        return tf.add_n(found) if found else None

    def gradients(self, compute: Callable[[Tensors], Tensors], variables: Tensors, noise: list[Any]) -> Tensors:
        for place, part in enumerate(self.parts):
            compute = _gradients_of(part, compute, noise[place])
        return compute(variables)

    def after_update(self, variables: Tensors, learning_rate: tf.Tensor) -> Tensors:
        for part in self.parts:
            variables = part.after_update(variables, learning_rate)
        return variables

    def after_step(self, buffers: Tensors, variables: Tensors, step: tf.Tensor) -> Tensors:
        every = (
            (place, part.after_step(_only(buffers, place), variables, step)) for place, part in enumerate(self.parts)
        )
        return {f"{place}.{name}": value for place, own in every for name, value in own.items()}

    def evaluated(self, variables: Tensors, buffers: Tensors) -> Tensors:
        for place, part in enumerate(self.parts):
            variables = part.evaluated(variables, _only(buffers, place))
        return variables


def _of(noise: list[Any] | None, place: int) -> Any:
    return None if noise is None else noise[place]


def _only(tensors: Tensors, place: int) -> Tensors:
    """The buffers of one part under their own names."""
    return {name.partition(".")[2]: value for name, value in tensors.items() if name.partition(".")[0] == str(place)}


def _own(tensors: Tensors, place: int) -> Tensors:
    """Everything, and the buffers of one part under their own names."""
    return tensors | _only(tensors, place)


def _loss_of(part: Regularizer, compute: Callable, variables: Tensors, noise: Any) -> Callable:
    return lambda x: part.loss(compute, x, variables, noise)


def _gradients_of(part: Regularizer, compute: Callable, noise: Any) -> Callable:
    return lambda variables: part.gradients(compute, variables, noise)
