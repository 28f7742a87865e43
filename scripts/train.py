"""Train one method with one seed and store the run as one file."""

import argparse
import contextlib
import gc
import json
import logging
import os
import platform
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

STARTED = time.perf_counter()
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # before TensorFlow is imported
os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")  # it then does not import Keras: a second and 80 MB for nothing

from regatlas import files, fingerprint, locks, machine, registry, runs  # noqa: E402
from regatlas.checkpoints import Checkpoint  # noqa: E402
from regatlas.errors import UserError, run  # noqa: E402

gc.disable()  # importing and tracing make many objects and little garbage: looking for it took a tenth of a run

_EVERY = 1.0  # seconds between two lines of the log


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--spec", type=json.loads, required=True, help="JSON: settings and seed")
    parser.add_argument("--plugin", type=Path, help="the regularizer's file, if it is not the library's")
    parser.add_argument("--data", type=Path, required=True, help="the prepared data")
    parser.add_argument("--threads", type=int, default=1, help="threads TensorFlow may use")
    parser.add_argument("--checkpoint-minutes", type=float, default=5, help="time between two checkpoints")
    parser.add_argument("--out", type=Path, required=True, help="where to write the run")
    options = parser.parse_args()
    # a training whose Snakemake was killed goes on; two would be twice the work and not a bit more
    with locks.held(runs.lock_path(options.out), lambda holder: say(f"{holder} trains this very run: waiting for it")):
        if is_there(options):
            say("the run is there: nothing to train")
            Checkpoint(runs.checkpoint_path(options.out), options.checkpoint_minutes, say).remove()
        else:
            train_and_write(options)


def say(text: str) -> None:
    """A line of the log. One that a full disk does not take is no reason to lose the run."""
    with contextlib.suppress(OSError):
        print(text, file=sys.stderr, flush=True)


def is_there(options: argparse.Namespace) -> bool:
    """Whether the wanted run is there: then another process wrote it, since Snakemake removes it before it calls."""
    try:
        metadata = runs.read(options.out).metadata
    except UserError:
        return False
    return (metadata["settings"], metadata["seed"]) == (options.spec["settings"], options.spec["seed"])


def train_and_write(options: argparse.Namespace) -> None:
    """Train and write the run, going on from a checkpoint if there is one."""
    settings, seed = options.spec["settings"], options.spec["seed"]
    checkpoint = Checkpoint(runs.checkpoint_path(options.out), options.checkpoint_minutes, say)
    files.remove_parts(options.out)
    files.remove_parts(checkpoint.path)
    data = read_data(options.data, settings)
    result, versions = train(settings, seed, data, options.plugin, options.threads, checkpoint)
    metadata = {
        "settings": settings,
        "digest": fingerprint.of(settings),
        "seed": seed,
        "status": result.status,
        "message": result.message,
        "metrics": result.metrics,
        "parameters": result.parameters,
        "steps_done": result.steps_done,
        "train_seconds": result.train_seconds,
        "microseconds_per_step": result.microseconds_per_step,
        "total_seconds": time.perf_counter() - STARTED,
        "finished_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": versions,
        "machine": machine.describe(),
    }
    runs.write(options.out, metadata, result.arrays)
    checkpoint.remove()
    if result.status == "diverged":
        say(f"diverged: {result.message}; the run is stored as such and left out of every mean")
    else:
        shown = ", ".join(f"{name} {value:.4f}" for name, value in result.metrics.items())
        say(f"finished in {metadata['total_seconds']:.1f} s: {shown}")


def read_data(path: Path, settings: dict) -> dict:
    """The prepared arrays, checked to be the ones the settings were made for."""
    data = files.map_npz(path)
    if str(data.pop("checksum")) != settings["data"]:
        raise UserError(f"{path}: made from other files than this study's; delete it and run again")
    available, wanted = len(data["train_images"]), settings["training"]["train_size"]
    if wanted > available:
        raise UserError(f"training.train_size: found {wanted}, the data set has {available} images to train on")
    return data


def train(settings: dict, seed: int, data: dict, plugin: Path | None, threads: int, checkpoint: Checkpoint):
    """Load TensorFlow with a fixed number of threads and train; returns the result and the versions used."""
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    import numpy
    import tensorflow

    tensorflow.config.threading.set_intra_op_parallelism_threads(threads)
    tensorflow.config.threading.set_inter_op_parallelism_threads(1)
    from regatlas.training import train as run_training

    name, chosen = settings["regularizer"]["name"], settings["regularizer"]["settings"]
    path = plugin or registry.available()[name]
    declaration = registry.declaration(name, path)
    regularizer = registry.load(path, declaration.class_name)(**chosen)
    saved = checkpoint.load()
    if saved is not None:
        say(f"going on from step {int(saved['step']):,}")
    result = run_training(settings, data, seed, regularizer, Log(), saved, checkpoint.offer)
    versions = {
        "python": platform.python_version(), "numpy": numpy.__version__, "tensorflow": tensorflow.__version__
    }  # fmt: skip
    return result, versions


class Log:
    """Writes a line of progress a second, and the last one."""

    def __init__(self) -> None:
        self.written = 0.0

    def __call__(self, progress) -> None:
        now = time.perf_counter()
        if now - self.written < _EVERY and progress.step < progress.steps:
            return
        self.written = now
        pace = progress.step / max(progress.seconds, 1e-9)
        say(
            f"step {progress.step:>9,} of {progress.steps:,}  loss {progress.train_loss:.5f}  "
            f"accuracy validation {progress.validation_accuracy:.4f} test {progress.test_accuracy:.4f}  "
            f"{pace:,.0f} steps/s  {(progress.steps - progress.step) / pace:.0f} s left"
        )


if __name__ == "__main__":
    run(main)
    gc.freeze()  # nor is it looked for at the end
