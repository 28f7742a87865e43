"""Event files that TensorBoard shows while runs are trained: ``tensorboard --logdir results/runs``."""

import contextlib
import json
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import tensorflow as tf
from google.protobuf.message import DecodeError

_SHOWN = ("train_loss", "validation_accuracy", "test_accuracy")  # attributes of a Progress
_Event, _Summary = tf.compat.v1.Event, tf.compat.v1.Summary


class Events:
    """Writes what a run reports to one event file. A disk that cannot take it does not end the run.

    Args:
        folder: the run's folder of event files.
        settings: shown beside the curves, because the run's name there is a digest.
        step: updates the run has done when it goes on from a saved state, else 0. Of an interrupted run's events
            those up to this step stay, so that every step is there once.
        say: called with what went wrong.
    """

    def __init__(self, folder: Path, settings: Mapping[str, Any], step: int, say: Callable[[str], None]):
        self.say = say
        self._writer: tf.io.TFRecordWriter | None = None
        # a new name: a TensorBoard that watches the folder would not notice that a file's beginning has changed
        path = folder / f"events.out.tfevents.{time.time_ns()}"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            before = sorted(folder.glob("events.out.tfevents.*"))
            self._writer = tf.io.TFRecordWriter(str(path))
            self._write(_Event(wall_time=time.time(), file_version="brain.Event:2"))
            self._write(_Event(wall_time=time.time(), summary=_Summary(value=[_text("settings", settings)])))
            for earlier in before:
                for event in _scalars(earlier):
                    if event.step <= step:
                        self._write(event)
            self._writer.flush()
            for earlier in before:
                earlier.unlink(missing_ok=True)
        except (OSError, tf.errors.OpError) as error:
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)
            self._give_up(error)

    def __call__(self, progress: Any) -> None:
        """Write an evaluation, at once: whoever looks sees it, and a kill leaves whole events."""
        if self._writer is None:
            return
        values = [_Summary.Value(tag=name, simple_value=getattr(progress, name)) for name in _SHOWN]
        try:
            self._write(_Event(wall_time=time.time(), step=progress.step, summary=_Summary(value=values)))
            self._writer.flush()
        except tf.errors.OpError as error:
            self._give_up(error)

    def _write(self, event: Any) -> None:
        self._writer.write(event.SerializeToString())

    def _give_up(self, error: Exception) -> None:
        self._writer = None
        self.say(f"no more events for TensorBoard: {getattr(error, 'message', error)}")


def _text(tag: str, settings: Mapping[str, Any]) -> Any:
    """Settings as a text that TensorBoard sets like code."""
    shown = "    " + json.dumps(settings, indent=2, sort_keys=True).replace("\n", "\n    ")
    return _Summary.Value(
        tag=tag,
        metadata=tf.compat.v1.SummaryMetadata(plugin_data=tf.compat.v1.SummaryMetadata.PluginData(plugin_name="text")),
        tensor=tf.make_tensor_proto(shown),
    )


def _scalars(path: Path) -> Iterator[Any]:
    """The evaluations in an event file, as far as it can be read: a kill or a full disk may have cut it short."""
    try:
        for record in tf.data.TFRecordDataset(str(path)).as_numpy_iterator():
            event = _Event.FromString(record)
            if event.step:
                yield event
    except (tf.errors.OpError, DecodeError):
        return
