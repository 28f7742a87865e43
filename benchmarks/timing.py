"""Contenders timed in turn, each in a process of its own that has one core and one thread."""

import contextlib
import dataclasses
import functools
import multiprocessing
import os
import statistics
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor

import numpy as np

from benchmarks import peers, workload

# Read by the contenders' libraries while they load, so set before the processes start.
ONE_THREAD = {
    **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"), "1"),
    **dict.fromkeys(("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "NPROC"), "1"),
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false --xla_cpu_enable_concurrency_optimized_scheduler=false "
    "--xla_cpu_prefer_vector_width=512",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "JAX_PLATFORMS": "cpu",
    "KERAS_BACKEND": "tensorflow",
}
# Rounding alone makes 1e-6 after 5,000 steps.
TOLERANCE = 1e-5
GROUP = 5  # methods at once: a process has 0.7 GB


@dataclasses.dataclass
class Timed:
    """A contender's rounds; ``problem`` says why there are none."""

    name: str
    microseconds: list[float] = dataclasses.field(default_factory=list)  # per step, one a round
    difference: float | None = None  # largest, between its weights and the reference's
    problem: str | None = None
    beside: list[float] = dataclasses.field(default_factory=list)  # those of `none` in the same rounds, of a method

    @property
    def median(self) -> float:
        return statistics.median(self.microseconds)

    def relative_to(self, other: "Timed") -> list[float]:
        """Round by round: what else the machine does falls on both."""
        return [mine / base for mine, base in zip(self.microseconds, other.microseconds, strict=True)]

    def ratios(self) -> list[float]:
        """Round by round over ``beside``, as far as that was measured."""
        return [mine / base for mine, base in zip(self.microseconds, self.beside, strict=False)]


def compare_peers(names: Iterable[str], steps: int, rounds: int) -> list[Timed]:
    """Time peers; one whose weights are not the engine's is refused, one that is not installed skipped."""
    results = {name: Timed(name) for name in names}
    for name, result in results.items():
        if reason := peers.missing(name):
            result.problem = f"skipped: {reason}"
    ready = {name: functools.partial(_peer, name, steps) for name in results if not results[name].problem}
    weights = _in_turn(ready, results, steps, rounds)
    reference = weights.get(peers.ENGINE)
    for name, own in weights.items():
        results[name].difference, problem = check(own, reference)
        results[name].problem = results[name].problem or problem
    return list(results.values())


def check(weights: np.ndarray, reference: np.ndarray | None) -> tuple[float | None, str | None]:
    """The largest difference to the engine's weights, and what is wrong with it or None."""
    if reference is None:
        return None, "refused: no weights of the engine to hold its weights against"
    difference = float(np.abs(weights - reference).max())
    if difference <= TOLERANCE:  # false for a NaN too
        return difference, None
    return difference, f"refused: it computes something else, its weights differ by {difference:.1e}"


def compare_methods(steps: int, rounds: int) -> list[Timed]:
    """Time the engine with every regularizer of the library, a few at once beside `none`: each is a process."""
    names = [name for name in workload.methods(steps) if name != "none"]
    done = []
    for first in range(0, len(names), GROUP):
        group = names[first : first + GROUP]
        results = {name: Timed(name) for name in ("none", *group)}
        _in_turn({name: functools.partial(_method, name, steps) for name in results}, results, steps, rounds)
        for result in results.values():
            result.beside = results["none"].microseconds
        done += [result for name, result in results.items() if name != "none" or not done]
    return done


def _in_turn(
    contenders: dict[str, Callable], results: dict[str, Timed], steps: int, rounds: int
) -> dict[str, np.ndarray]:
    """Fill in the times of ``rounds`` rounds; returns the last weights of those that did not fail."""
    weights = {}
    before = dict(os.environ)
    os.environ.update(ONE_THREAD)
    with contextlib.ExitStack() as stack:
        stack.callback(_restore, before)
        context = multiprocessing.get_context("spawn")
        workers = {
            name: stack.enter_context(ProcessPoolExecutor(1, mp_context=context, initializer=_one_core))
            for name in contenders
        }
        for turn in range(rounds):
            for name, contender in contenders.items():
                if results[name].problem:
                    continue
                try:
                    seconds, weights[name] = workers[name].submit(contender).result()
                except Exception as error:  # a contender that fails is shown as such, the others go on
                    results[name].problem = f"failed: {type(error).__name__}: {error}".splitlines()[0]
                    weights.pop(name, None)
                else:
                    results[name].microseconds.append(1e6 * seconds / steps)
                told = results[name].problem or f"{results[name].microseconds[-1]:8.1f} µs a step"
                print(f"round {turn + 1} of {rounds}: {name:12} {told}", file=sys.stderr)
    return weights


def _restore(environment: dict[str, str]) -> None:
    os.environ.clear()
    os.environ.update(environment)


def _one_core() -> None:
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


_workload = functools.lru_cache(maxsize=1)(workload.make)


def _peer(name: str, steps: int) -> tuple[float, np.ndarray]:
    return peers.load(name)(_workload(steps))


def _method(name: str, steps: int) -> tuple[float, np.ndarray]:
    return peers.load(peers.ENGINE)(_workload(steps), name)
