"""A user's own regularizer at work: what its hooks raise or return wrongly is said in one line that names the file.

The hooks are watched while TensorFlow traces the training graph, which happens once, so it costs no step anything.
"""

import contextlib
import functools
import os
import re
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from regatlas.errors import UserError, clip, short

_LONGEST = 300  # characters of another's message


def failure(error: BaseException, path: Path, line: int | str = "?") -> str:
    """What went wrong in a plugin, with the line of it that was at work, or else the ``line`` that is given."""
    trace = error.__traceback__
    while trace is not None:
        if os.path.abspath(trace.tb_frame.f_code.co_filename) == os.path.abspath(path):
            line = trace.tb_lineno
        trace = trace.tb_next
    text = " ".join(str(error).split())
    return f"{path}, line {line}: {type(error).__name__}: {clip(text, _LONGEST)}"


@contextlib.contextmanager
def at_work(paths: Sequence[Path]) -> Iterator[None]:
    """Tell what TensorFlow itself does not take, of what plugins made of its operations, as theirs."""
    try:
        yield
    except Exception as error:
        of_tensorflow = type(error).__module__.startswith("tensorflow") or isinstance(error, TypeError | ValueError)
        if not paths or not of_tensorflow or type(error).__name__ in ("Unsuitable", "ResourceExhaustedError"):
            raise
        text = str(error)
        places = [
            f"{path}, line {line[1]}" for path in paths if (line := re.search(rf'{path.name}", line (\d+)', text))
        ]
        where = " or ".join(places[:1] or map(str, paths))
        if unknown := re.search(r"No registered '(\w+)' OpKernel for XLA", text):
            raise UserError(f"{where}: XLA, which compiles the training, has no operation {unknown[1]}") from None
        text = clip(" ".join(text.split()), _LONGEST)
        raise UserError(f"{where}: TensorFlow does not take what it makes: {type(error).__name__}: {text}") from None


def watched(regularizer: type, path: Path) -> type:
    """The class, its own hooks replaced by such that raise UserError for what they raise or return wrongly."""
    for name, rule in {"__init__": lambda *_: "", **_RULES}.items():
        hook = vars(regularizer).get(name)
        if isinstance(hook, types.FunctionType):
            setattr(regularizer, name, _watched(hook, rule, path))
    return regularizer


def _watched(hook: Callable, rule: Callable[..., str], path: Path) -> Callable:
    @functools.wraps(hook)
    def watching(self: Any, *arguments: Any, **settings: Any) -> Any:
        try:
            found = hook(self, *arguments, **settings)
        except (UserError, MemoryError):
            raise
        except (Exception, SystemExit) as error:
            raise UserError(failure(error, path, hook.__code__.co_firstlineno)) from None
        if wanted := rule(found, *arguments):
            place = f"{path}, line {hook.__code__.co_firstlineno}"
            raise UserError(f"{place}: {hook.__name__} must return {wanted}, found {_described(found)}")
        return found

    return watching


# Each rule takes what a hook returned and what it was given. It says what it should have returned, or nothing.


def _variables(found: Any, network: Mapping[str, Any]) -> str:
    fits = isinstance(found, Mapping) and all(getattr(value, "dtype", None) == "float32" for value in found.values())
    return "" if fits and _like(found, network, more=True) else f"float32 arrays by name, with {_described(network)}"


def _buffers(found: Any, variables: Mapping[str, Any]) -> str:
    fits = isinstance(found, Mapping) and all(hasattr(value, "dtype") for value in found.values())
    return "" if fits else "a mapping from names to arrays"


def _noise(found: Any, random: Any, first_step: Any, steps: int, batch: int) -> str:
    import tensorflow as tf

    leaves = [leaf for leaf in tf.nest.flatten(found) if leaf is not None]
    fits = all(tf.is_tensor(leaf) and leaf.shape.rank and leaf.shape[0] == steps for leaf in leaves)
    return "" if fits else f"None or tensors [steps, ...], here with {steps} steps"


def _images(found: Any, pixels: Any, noise: Any) -> str:
    return "" if _like(found, pixels) else _described(pixels)


def _inputs(found: Any, pixels: Any, noise: Any) -> str:
    wanted = _shape(pixels)
    return "" if (_kind(found), _shape(found)) == ("float32", wanted) else f"float32 {wanted}"


def _examples(found: Any, x: Any, y: Any, noise: Any) -> str:
    fits = isinstance(found, tuple) and len(found) == 2 and _like(found[0], x) and _like(found[1], y)
    return "" if fits else f"a pair, inputs and targets: ({_described(x)}, {_described(y)})"


def _parameters(found: Any, parameters: Any, variables: Any, noise: Any) -> str:
    fits = all(
        isinstance(part := getattr(found, name, None), list | tuple)
        and len(part) == len(getattr(parameters, name))
        and all(map(_like, part, getattr(parameters, name)))
        for name in ("kernels", "biases")
    )
    shapes = ", ".join(map(_described, [*parameters.kernels, *parameters.biases]))
    return "" if fits else f"Parameters(kernels, biases) of the shapes it was given: {shapes}"


def _hidden(found: Any, hidden: Any, *others: Any) -> str:
    return "" if _like(found, hidden) else _described(hidden)


def _loss(found: Any, *others: Any) -> str:
    return "" if _is_number(found) else "one number, a float32 tensor of shape []"


def _penalty(found: Any, *others: Any) -> str:
    fits = found is None or isinstance(found, int | float) or _is_number(found)
    return "" if fits else "one number, a float32 tensor of shape [], or None"


def _gradients(found: Any, compute: Any, variables: Mapping[str, Any], noise: Any) -> str:
    return _same(found, variables)


def _same(found: Any, given: Mapping[str, Any], *others: Any) -> str:
    return "" if isinstance(found, Mapping) and _like(found, given) else _described(given)


def _evaluated(found: Any, variables: Mapping[str, Any], buffers: Any) -> str:
    kernels = {name: value for name, value in variables.items() if name.startswith(("kernel_", "bias_"))}
    return "" if isinstance(found, Mapping) and _like(found, kernels, more=True) else _described(kernels)


_RULES: dict[str, Callable[..., str]] = {
    "variables": _variables, "buffers": _buffers, "noise": _noise, "images": _images, "inputs": _inputs,
    "examples": _examples, "parameters": _parameters, "preactivations": _hidden, "activations": _hidden, "loss": _loss,
    "penalty": _penalty, "gradients": _gradients, "after_update": _same, "after_step": _same, "evaluated": _evaluated,
}  # fmt: skip


def _is_number(value: Any) -> bool:
    return (_kind(value), _shape(value)) == ("float32", [])


def _shape(value: Any) -> list[int] | None:
    """The shape, or None for what has none or for a tensor whose number of dimensions is not known."""
    shape = getattr(value, "shape", None)
    return None if shape is None or getattr(shape, "rank", 0) is None else list(shape)


def _kind(value: Any) -> str:
    kind = getattr(value, "dtype", None)
    return str(getattr(kind, "name", kind))


def _like(found: Any, given: Any, more: bool = False) -> bool:
    """Whether tensors, or mappings of them, have the same names, types and shapes; ``more``: and perhaps others."""
    if not isinstance(given, Mapping):
        return _shape(given) is not None and (_kind(found), _shape(found)) == (_kind(given), _shape(given))
    names = found.keys() >= given.keys() if more else found.keys() == given.keys()
    return names and all(_like(found[name], given[name]) for name in given)


def _described(value: Any) -> str:
    """What something is, by types and shapes."""
    if isinstance(value, Mapping):
        return clip("{" + ", ".join(f"{name}: {_described(inner)}" for name, inner in value.items()) + "}", _LONGEST)
    if isinstance(value, tuple) and not hasattr(value, "_fields"):
        return f"({', '.join(map(_described, value))})"
    if hasattr(value, "_fields"):
        return f"{type(value).__name__}({', '.join(_described(tuple(part)) for part in value)})"
    if hasattr(value, "shape") and hasattr(value, "dtype"):
        return f"{_kind(value)} {'of a shape that is not known' if _shape(value) is None else _shape(value)}"
    return "nothing" if value is None else short(value)
