"""The contenders. Each is a module here with one function,

    train(work: Workload) -> (seconds, weights)

which makes ``work.steps`` updates and returns the seconds of the loop alone - nothing imported, compiled or converted
beforehand - and the trained weights [features, classes].
"""

import importlib
import importlib.util
import shutil
from collections.abc import Callable
from typing import NamedTuple


class Peer(NamedTuple):
    """``needs`` are Python modules, or a program as ``$name``."""

    label: str
    needs: tuple[str, ...]


ENGINE = "engine"
LOWER_BOUND = "c_kernel"
PEERS = {  # in the table's order
    LOWER_BOUND: Peer("hand-written C", ("$cc",)),
    ENGINE: Peer("Regularization Atlas", ("tensorflow",)),
    "numpy_loop": Peer("numpy", ("numpy",)),
    "jax_scan": Peer("JAX, `lax.scan`", ("jax",)),
    "pytorch": Peer("PyTorch", ("torch",)),
    "post_loop": Peer("the post's loop, one session call a step", ("tensorflow",)),
    "keras_many": Peer("Keras `fit`, 100 steps a call", ("keras", "tensorflow")),
    "keras_fit": Peer("Keras `fit`", ("keras", "tensorflow")),
}


def missing(name: str) -> str | None:
    """Why a peer cannot run here, as `torch is not installed`; None if it can."""
    for need in PEERS[name].needs:
        there = shutil.which(need[1:]) if need.startswith("$") else importlib.util.find_spec(need)
        if there is None:
            return f"{need.lstrip('$')} is not installed"
    return None


def load(name: str) -> Callable:
    """The peer's ``train``; this imports what it needs."""
    return importlib.import_module(f"{__name__}.{name}").train
