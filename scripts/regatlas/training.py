"""The training engine: steps by the thousand inside one graph that XLA compiles, the same for every seed.

Between two evaluations the host (``regatlas.course``) makes a few calls of ``Trainer.advance``. The graph holds two
loops: one over blocks of steps, which gathers a block's images and draws its noise, and in it one over the steps of the
block. Weights and moments go in and come out as a nest of tensors, so that a run's whole state is there to save,
restore or replace.
"""

import functools
import math
import mmap
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from regatlas import streams
from regatlas.combination import combined
from regatlas.course import Course, Progress, Result, evaluation_steps
from regatlas.losses import LOSSES
from regatlas.networks import Parameters, forward, initial
from regatlas.optimizers import OPTIMIZERS
from regatlas.randomness import Random
from regatlas.regularizers.base import Regularizer, Task

PART = 1000  # steps of one call: what a checkpoint may have to wait for
BLOCK_BYTES = 1 << 19  # of images gathered at once and of their noise: they stay in the cache
BLOCK = 20  # ... but no more steps than this
AT_ONCE = 128  # images evaluated in one go: whole vectors, and their inputs stay in the cache
GROUP = 60  # ... and how often in one call at most, as a call has its own copy of what it evaluates
_PART_EXAMPLES = 1 << 24  # of one call: the order of more would fill the memory

State = dict[str, Any]  # "variables" and "buffers" by name, "moments": a list by variable


class Trainer:
    """One method's graph, traced and compiled once, and the runs made with it.

    Args:
        settings: sections ``network`` (hidden, bias, initial_stddev) and ``training`` (loss, optimizer, momentum,
            learning_rate, schedule, batch_size, steps, evaluate_every, train_size, label_noise, permuted_pixels),
            all resolved.
        data: the prepared arrays (see ``regatlas.prepare``).
        regularizers: act together, in this order.
    """

    def __init__(self, settings: Mapping[str, Any], data: Mapping[str, np.ndarray], *regularizers: Regularizer):
        regularizer = combined(regularizers)
        self.network, self.recipe, self.regularizer, self.data = (
            settings["network"], settings["training"], regularizer, data
        )  # fmt: skip
        self.classes, self.features = int(data["classes"]), data["train_images"].shape[1]
        self.batch_size = self.recipe["batch_size"]
        self.loss, self.optimizer = LOSSES[self.recipe["loss"]], OPTIMIZERS[self.recipe["optimizer"]](self.recipe)
        self.pixels = _Pixels(self.features, self.recipe["permuted_pixels"])
        images = {part: data[f"{part}_images"].reshape(-1, self.features) for part in ("train", "corrupted")}
        images["train"] = images["train"][: self.recipe["train_size"]]
        images["curve"] = np.concatenate([data["validation_images"], data["test_images"]])
        images = {part: self.pixels.seen(those) for part, those in images.items()}
        self.images = _tensor(images["train"])
        shapes = [kernel.shape for kernel in initial(self.network, self.features, self.classes, 0).kernels]
        regularizer.task = Task(
            tuple(shapes), tuple(data["image_shape"].tolist()), self.classes,
            len(self.images), self.batch_size, self.recipe["steps"],
            self.recipe["momentum"] if self.recipe["optimizer"] == "sgd" else 0.0,
        )  # fmt: skip
        self.block = max(1, min(BLOCK, BLOCK_BYTES // (self.batch_size * self.features + self._noise_bytes())))
        self.part = max(min(PART, _PART_EXAMPLES // self.batch_size) // self.block, 1) * self.block
        self.advance = _compiled(self._advance)
        noisy = regularizer.noise_in_evaluation
        self.logits = {kind: _compiled(functools.partial(self._logits, noisy=kind)) for kind in {noisy, False}}
        chunks = math.ceil(len(images["curve"]) / AT_ONCE)
        calls = math.ceil(chunks / GROUP)
        self.chunks = math.ceil(chunks / calls)  # of every call, so that it is compiled once
        self.groups = {part: functools.partial(_groups, those, self.chunks, noisy) for part, those in images.items()}
        self.groups["curve"] = functools.partial(iter, list(self.groups["curve"]()))  # evaluated again and again

    def _noise_bytes(self) -> int:
        """The size of a step's noise."""
        with tf.Graph().as_default():
            zero = tf.constant(0, tf.int64)
            noise = self.regularizer.noise(Random(zero, "size", zero), zero, BLOCK, self.batch_size)
            parts = [part for part in tf.nest.flatten(noise) if part is not None]
            return sum(math.prod(part.shape[1:]) * part.dtype.size for part in parts)

    def start(self, seed: int) -> State:
        """The state of a run before its first step."""
        parameters = initial(self.network, self.features, self.classes, seed)
        variables = {f"kernel_{layer}": kernel for layer, kernel in enumerate(parameters.kernels)}
        variables |= {f"bias_{layer}": bias for layer, bias in enumerate(parameters.biases)}
        variables = self.regularizer.variables(variables)
        moments = {name: [np.zeros_like(value)] * self.optimizer.moments for name, value in variables.items()}
        state = {"variables": variables, "moments": moments, "buffers": self.regularizer.buffers(variables)}
        return tf.nest.map_structure(tf.constant, state)

    def _examples(self, pixels: tf.Tensor, y: tf.Tensor, noise: Any) -> tuple[tf.Tensor, tf.Tensor]:
        """Inputs and targets of pixels and labels, as a step with this noise sees them."""
        hooks = self.regularizer
        return hooks.examples(hooks.inputs(hooks.images(pixels, noise), noise), y, noise)

    def parameters(self, variables: dict[str, tf.Tensor], buffers: dict[str, tf.Tensor], noise: Any) -> Parameters:
        """What the forward pass sees of the variables."""
        kernels, biases = ([v for n, v in variables.items() if n.startswith(kind)] for kind in ("kernel_", "bias_"))
        return self.regularizer.parameters(Parameters(kernels, biases), {**buffers, **variables}, noise)

    def _advance(
        self, state: State, images: tf.Tensor, labels: tf.Tensor, order: tf.Tensor, rates: tf.Tensor,
        key: tf.Tensor, base: tf.Tensor, first: tf.Tensor, end: tf.Tensor,
    ) -> tuple[tf.Tensor, State]:  # fmt: skip
        """Steps ``first`` .. ``end - 1``, counted from step ``base`` of the run, which begins a block.

        Rows of ``order`` are blocks, rows of ``rates`` are steps; the first row is that of step ``base``. Returns the
        sum of the steps' losses and the state after them.
        """

        def block(step: tf.Tensor, total: tf.Tensor, state: State):
            row, place = step // self.block, step % self.block
            rows, begin = order[row], step - place
            pixels = tf.reshape(tf.gather(images, rows), [self.block, self.batch_size, self.features])
            truth = tf.reshape(tf.gather(labels, rows), [self.block, self.batch_size])
            targets = tf.one_hot(truth, self.classes, axis=1)
            random = Random(key, "training", base // self.block + row)
            noise = self.regularizer.noise(random, base + begin, self.block, self.batch_size)

            def one(step: tf.Tensor, total: tf.Tensor, state: State):
                place = step - begin
                of_step = tf.nest.map_structure(lambda drawn: None if drawn is None else drawn[place], noise)
                y = tf.transpose(targets[place])
                loss, state = self._update(state, pixels[place], y, of_step, rates[step], base + step)
                return step + 1, total + loss, state

            until = tf.minimum(begin + self.block, end)
            return tf.while_loop(lambda step, *_: step < until, one, (step, total, state))

        total = tf.zeros([self.batch_size])
        _, total, state = tf.while_loop(lambda step, *_: step < end, block, (first, total, state))
        return tf.reduce_sum(total), state

    def _update(
        self, state: State, pixels: tf.Tensor, y: tf.Tensor, noise: Any, rates: tf.Tensor, step: tf.Tensor
    ) -> tuple[tf.Tensor, State]:
        """One step: the loss it saw, without any penalty, by example [batch], and the state after it.

        Args:
            rates: the optimizer's step size and the learning rate of the schedule.
        """
        hooks = self.regularizer
        x, y = self._examples(pixels, y, noise)
        losses, buffers = [], state["buffers"]

        def gradients(variables: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
            with tf.GradientTape() as tape:
                tape.watch(variables)
                parameters, seen = self.parameters(variables, buffers, noise), []

                def data_loss(inputs: tf.Tensor) -> tf.Tensor:
                    logits = forward(
                        inputs, parameters,
                        lambda hidden, layer: hooks.activations(hidden, layer, noise),
                        lambda hidden, layer: hooks.preactivations(hidden, layer, variables, None),
                    )  # fmt: skip
                    seen.append(logits)
                    losses.append(self.loss(logits, tf.transpose(y)))
                    return tf.reduce_sum(losses[-1])

                loss = hooks.loss(data_loss, x, variables, noise)
                penalty = hooks.penalty({**buffers, **variables}, parameters, tf.transpose(seen[0]))
                minimized = loss if penalty is None else loss + penalty
            return tape.gradient(minimized, variables, unconnected_gradients=tf.UnconnectedGradients.ZERO)

        variables, moments = {}, {}
        for name, gradient in hooks.gradients(gradients, state["variables"], noise).items():
            variables[name], moments[name] = self.optimizer.update(
                state["variables"][name], gradient, state["moments"][name], rates[0]
            )
        variables = hooks.after_update(variables, rates[1])
        buffers = hooks.after_step(buffers, variables, step)
        return losses[0], {"variables": variables, "moments": moments, "buffers": buffers}

    def _logits(
        self, state: State, images: tf.Tensor, key: tf.Tensor, counter: tf.Tensor, noisy: bool
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Logits [images, classes] and predicted classes [images] of one of ``_groups``.

        Args:
            counter: numbers the group among all that the run evaluates, for its noise.
        """
        hooks = self.regularizer
        variables, buffers = hooks.evaluated(state["variables"], state["buffers"]), state["buffers"]
        before = lambda hidden, layer: hooks.preactivations(hidden, layer, variables, buffers)  # noqa: E731

        def some(chunk: tf.Tensor, logits: tf.Tensor, predicted: tf.Tensor):
            pixels = images[chunk] if hooks.noise_in_evaluation else tf.transpose(images[chunk])
            if noisy:
                random = Random(key, "evaluation", counter * self.chunks + chunk)
                drawn = hooks.noise(random, counter, 1, AT_ONCE)
                noise = tf.nest.map_structure(lambda part: None if part is None else part[0], drawn)
                x, _ = self._examples(pixels, tf.zeros([AT_ONCE, self.classes]), noise)
                after = lambda hidden, layer: hooks.activations(hidden, layer, noise)  # noqa: E731
                found = forward(x, self.parameters(variables, buffers, noise), after, before)
            else:
                x = hooks.inputs(pixels, None)
                found = forward(x, self.parameters(variables, buffers, None), preactivations=before)
            place = chunk[None, None]
            return (
                chunk + 1,
                tf.tensor_scatter_nd_update(logits, place, found[None]),
                tf.tensor_scatter_nd_update(predicted, place, tf.argmax(found, 0, tf.int32)[None]),
            )

        empty = tf.zeros([self.chunks, self.classes, AT_ONCE]), tf.zeros([self.chunks, AT_ONCE], tf.int32)
        found = tf.while_loop(lambda chunk, *_: chunk < self.chunks, some, (tf.constant(0, tf.int64), *empty))[1:]
        return tf.reshape(tf.transpose(found[0], [0, 2, 1]), [-1, self.classes]), tf.reshape(found[1], [-1])

    def run(
        self,
        seed: int,
        report: Callable[[Progress], None] = lambda progress: None,
        saved: Mapping[str, np.ndarray] | None = None,
        save: Callable[[Callable[[], dict[str, np.ndarray]]], None] = lambda state: None,
    ) -> Result:
        """Train one network and evaluate it on the way.

        Args:
            seed: decides initial weights, batch order and noise.
            report: called with a ``Progress`` after every evaluation.
            saved: the state of an interrupted run with the same seed, to go on from; the result is the same.
            save: called now and then with a function that returns the state, to be kept or not.

        Returns:
            A ``Result``. A loss, weight or logit that is no longer finite raises nothing: its ``status`` is "diverged".
        """
        course = Course(self, seed)
        if saved is not None:
            course.restore(saved)
        for until in evaluation_steps(self.recipe["steps"], self.recipe["evaluate_every"])[len(course.curve) :]:
            if course.chosen()[1]:
                break
            while course.step < until:
                course.advance(min(course.step // self.part * self.part + self.part, until))
                save(course.saved)
            report(course.evaluate())
            if course.diverged:
                break
        return course.result()


class _Pixels:
    """The order in which a network sees the pixels: their own, or one drawn once for all runs.

    Out of order they have the same numbers and no neighbours: a control for whatever knows space.
    """

    def __init__(self, count: int, permuted: bool):
        self.order = streams.pixel_order(count) if permuted else None

    def seen(self, images: np.ndarray) -> np.ndarray:
        """Images [n, pixels] as the network sees them."""
        return images if self.order is None else images[:, self.order]

    def in_place(self, array: np.ndarray) -> np.ndarray:
        """An array [pixels, units] with each row at its pixel; any other array of the first layer as it is."""
        if self.order is None or array.ndim != 2 or len(array) != len(self.order):
            return array
        placed = np.empty_like(array)
        placed[self.order] = array
        return placed


def _compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function compiled by XLA when it is first called. Later calls must have tensors of the same shapes.

    They are not looked at again, as ``tf.function`` would at every call: another shape gives wrong numbers.
    """
    traced, compiled = tf.function(lambda *given: function(*given), autograph=False, jit_compile=True), []

    def call(*arguments: Any) -> Any:
        if not compiled:
            compiled.append(traced.get_concrete_function(*arguments))
        return compiled[0](*arguments)

    return call


def _groups(images: np.ndarray, chunks: int, by_image: bool) -> Iterator[tf.Tensor]:
    """Images [n, features] as groups [chunks, AT_ONCE, features], the last one filled up with zeros.

    If not ``by_image`` then as [chunks, features, AT_ONCE]: the first product takes a third less, but noise would have
    to be turned.
    """
    size = chunks * AT_ONCE
    for first in range(0, len(images), size):
        part = images[first : first + size]
        group = part if len(part) == size else np.pad(part, [(0, size - len(part)), (0, 0)])
        group = group.reshape(chunks, AT_ONCE, -1)
        group = tf.constant(group if by_image else np.ascontiguousarray(group.transpose(0, 2, 1)))
        _let_go(images)
        yield group


def _let_go(array: np.ndarray) -> None:
    """Take an array that lies in a mapped file out of memory, until it is used again; a change of it is lost."""
    while isinstance(array, np.ndarray):
        array = array.base
    if isinstance(array, mmap.mmap):
        array.madvise(mmap.MADV_DONTNEED)


def _tensor(array: np.ndarray) -> tf.Tensor:
    """A tensor of a large array, in the array's own memory if it fits: ``tf.constant`` would copy it twice."""
    fit = array.flags.c_contiguous and array.flags.writeable and array.ctypes.data % 64 == 0
    return tf.experimental.dlpack.from_dlpack(array.__dlpack__()) if fit else tf.constant(array)
