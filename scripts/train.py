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
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

STARTED = time.perf_counter()
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # before TensorFlow is imported
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")  # XLA does the work: this only says in the log that it is on
os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")  # it then does not import Keras: a second and 80 MB for nothing

from regatlas import arguments, datasets, files, fingerprint, locks, machine, plugins, registry, runs  # noqa: E402
from regatlas.checkpoints import Checkpoint  # noqa: E402
from regatlas.errors import UserError, run  # noqa: E402

gc.disable()  # importing and tracing make many objects and little garbage: looking for it took a tenth of a run

_EVERY = 1.0  # seconds between two lines of the log


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--spec", type=json.loads, required=True, help="JSON: settings and seed")
    parser.add_argument(
        "--plugins", type=arguments.spec, default=[], help="JSON: files of regularizers that are not the library's"
    )
    parser.add_argument("--data", type=Path, required=True, help="the prepared data")
    parser.add_argument("--threads", type=int, default=1, help="threads TensorFlow may use")
    parser.add_argument("--checkpoint-minutes", type=float, default=5, help="time between two checkpoints")
    parser.add_argument("--tensorboard", action="store_true", help="write event files for TensorBoard beside the run")
    parser.add_argument("--out", type=Path, required=True, help="where to write the run")
    parser.add_argument(
        "--also", type=lambda text: [int(seed) for seed in text.split()], nargs="?", default=[], const=[],
        metavar="SEEDS",
        help="seeds to train in the same process and to leave beside the run, where their own jobs find them",
    )  # fmt: skip
    options = parser.parse_args()
    # a training whose Snakemake was killed goes on; two would be twice the work and not a bit more
    with locks.held(runs.lock_path(options.out), lambda holder: say(f"{holder} trains this very run: waiting for it")):
        if is_run(options.out, options.spec):
            say("the run is there: nothing to train")
            Checkpoint(runs.checkpoint_path(options.out), options.checkpoint_minutes, say).remove()
        elif is_run(runs.ready_path(options.out), options.spec):
            runs.ready_path(options.out).replace(options.out)
            say("trained together with another seed")
        else:
            training = Training(options)
            training.write(options.spec["seed"], options.out)
            for seed in options.also:
                train_beside(training, seed, options.out)


def say(text: str) -> None:
    """A line of the log. One that a full disk does not take is no reason to lose the run."""
    with contextlib.suppress(OSError):
        print(text, file=sys.stderr, flush=True)


def is_run(path: Path, spec: dict) -> bool:
    """Whether a file holds the wanted run. Another process wrote it, as Snakemake removes the output of a job first."""
    try:
        metadata = runs.read(path).metadata
    except UserError:
        return False
    return (metadata["settings"], metadata["seed"]) == (spec["settings"], spec["seed"])


def train_beside(training: "Training", seed: int, out: Path) -> None:
    """Train another seed, unless it is at work or done elsewhere. Whatever fails is left to that seed's own job."""
    path = out.with_name(runs.file_name(seed))
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(locks.held(runs.lock_path(path)))
        except locks.Held:
            return
        ready = runs.ready_path(path)
        if path.exists() or is_run(ready, {**training.spec, "seed": seed}):
            return
        say(f"seed {seed}, in the same process")
        try:
            training.write(seed, path, ready)
        except Exception as error:
            say(f"seed {seed}: {type(error).__name__}: {error}; its own job will try again")


class Training:
    """TensorFlow with the study's data and one compiled method, for one seed after the other."""

    def __init__(self, options: argparse.Namespace):
        self.spec, self.minutes, self.tensorboard = options.spec, options.checkpoint_minutes, options.tensorboard
        settings = self.spec["settings"]
        data = read_data(options.data, settings)
        one_thread = "--xla_cpu_multi_thread_eigen=false" if options.threads == 1 else ""
        # the order of operations that keeps several threads busy costs one of them time; vectors as long as they come
        flags = ["--xla_cpu_enable_concurrency_optimized_scheduler=false", "--xla_cpu_prefer_vector_width=512"]
        os.environ["XLA_FLAGS"] = " ".join(filter(None, [os.environ.get("XLA_FLAGS", ""), one_thread, *flags]))
        logging.getLogger("tensorflow").setLevel(logging.ERROR)
        import numpy
        import tensorflow

        tensorflow.config.threading.set_intra_op_parallelism_threads(options.threads)
        tensorflow.config.threading.set_inter_op_parallelism_threads(1)
        from regatlas.training import Trainer

        name, chosen = settings["regularizer"]["name"], settings["regularizer"]["settings"]
        self.plugins = [Path(path) for path in options.plugins]
        paths = registry.available() | {path.stem: path for path in self.plugins}
        parts = [registry.declaration(part, paths[part]) for part in name.split("+")]
        regularizers = [
            registry.load(part.path, part.class_name)(**registry.settings_of(part, parts, chosen)) for part in parts
        ]
        with self._of_the_method():
            self.trainer = Trainer(settings, data, *regularizers)
        self.versions = {
            "python": platform.python_version(), "numpy": numpy.__version__, "tensorflow": tensorflow.__version__
        }  # fmt: skip
        self.begun = STARTED

    @contextlib.contextmanager
    def _of_the_method(self) -> Iterator[None]:
        """Tell what does not suit a regularizer, and what a plugin does wrong, as theirs."""
        from regatlas.regularizers.base import Unsuitable

        try:
            with plugins.at_work(self.plugins):
                yield
        except Unsuitable as error:
            name = self.spec["settings"]["regularizer"]["name"]
            raise UserError(f"regularizer {name.replace('+', ', ')}: {error}") from None

    def write(self, seed: int, path: Path, target: Path | None = None) -> None:
        """Train and write a run, going on from its checkpoint if there is one.

        Args:
            path: the run's file, beside which its checkpoint lies.
            target: where to write it, if not there.
        """
        checkpoint = Checkpoint(runs.checkpoint_path(path), self.minutes, say)
        target = target or path
        files.remove_parts(target)
        files.remove_parts(checkpoint.path)
        saved = checkpoint.load()
        if saved is not None:
            say(f"going on from step {int(saved['step']):,}")
        reports = [Log()]
        if self.tensorboard:
            from regatlas.tensorboard import Events

            reports.append(Events(runs.events_folder(path), self.spec["settings"], say))
        tell_all = lambda progress: [tell(progress) for tell in reports]  # noqa: E731
        with self._of_the_method():
            result = self.trainer.run(seed, tell_all, saved, checkpoint.offer)
        now = time.perf_counter()
        metadata = {
            "settings": self.spec["settings"],
            "digest": fingerprint.of(self.spec["settings"]),
            "seed": seed,
            "status": result.status,
            "message": result.message,
            "metrics": result.metrics,
            "parameters": result.parameters,
            "steps_done": result.steps_done,
            "train_seconds": result.train_seconds,
            "microseconds_per_step": result.microseconds_per_step,
            "total_seconds": now - self.begun,
            "finished_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "versions": self.versions,
            "machine": machine.describe(),
        }
        self.begun = now
        runs.write(target, metadata, result.arrays)
        checkpoint.remove()
        if result.status == "diverged":
            say(f"diverged: {result.message}; the run is stored as such and left out of every mean")
        else:
            shown = ", ".join(f"{name} {value:.4f}" for name, value in result.metrics.items())
            say(f"finished in {metadata['total_seconds']:.1f} s: {shown}")


def read_data(path: Path, settings: dict) -> dict:
    """The prepared arrays, checked to be the ones the settings were made for."""
    data = files.map_npz(path)
    datasets.check_prepared(path, data.pop("checksum"), settings["data"])
    available, wanted = len(data["train_images"]), settings["training"]["train_size"]
    if wanted > available:
        raise UserError(f"training.train_size: found {wanted}, the data set has {available} images to train on")
    return data


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
