"""Event files that TensorBoard shows while runs are trained: ``tensorboard --logdir results/runs``."""

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

    Of a run that goes on from a saved state, earlier events stay up to the first evaluation that is reported again, so
    that every step is there once.

    Args:
        folder: the run's folder of event files.
        settings: shown beside the curves, because the run's name there is a digest.
        say: called with what went wrong.
    """

    def __init__(self, folder: Path, settings: Mapping[str, Any], say: Callable[[str], None]):
        self.folder, self.settings, self.say = folder, settings, say
        self._writer: tf.io.TFRecordWriter | None = None
        self._failed = False

    def __call__(self, progress: Any) -> None:
        """Write an evaluation, at once: whoever looks sees it, and a kill leaves whole events."""
        if self._failed:
            return
        values = [_Summary.Value(tag=name, simple_value=getattr(progress, name)) for name in _SHOWN]
        try:
            if self._writer is None:
                self._begin(progress.step)
            self._write(_Event(wall_time=time.time(), step=progress.step, summary=_Summary(value=values)))
            self._writer.flush()
        except (OSError, tf.errors.OpError) as error:
            self._failed = True
            self.say(f"no more events for TensorBoard: {getattr(error, 'message', error)}")

    def _begin(self, step: int) -> None:
        """A file that goes on from the earlier ones, which it then replaces: their events before ``step``."""
        self.folder.mkdir(parents=True, exist_ok=True)
        before = sorted(self.folder.glob("events.out.tfevents.*"))
        # a new name: a TensorBoard that watches the folder would not notice that a file's beginning has changed
        path = self.folder / f"events.out.tfevents.{time.time_ns()}"
        self._writer = tf.io.TFRecordWriter(str(path))
        try:
            self._write(_Event(wall_time=time.time(), file_version="brain.Event:2"))
            self._write(_Event(wall_time=time.time(), summary=_Summary(value=[_text("settings", self.settings)])))
            for earlier in before:
                for event in _evaluations(earlier):
                    if event.step < step:
                        self._write(event)
            self._writer.flush()
        except (OSError, tf.errors.OpError):
            path.unlink(missing_ok=True)
            raise
        for earlier in before:
            earlier.unlink(missing_ok=True)

    def _write(self, event: Any) -> None:
        self._writer.write(event.SerializeToString())


def _text(tag: str, settings: Mapping[str, Any]) -> Any:
    """Settings as a text that TensorBoard sets like code."""
    shown = "    " + json.dumps(settings, indent=2, sort_keys=True).replace("\n", "\n    ")
    return _Summary.Value(
        tag=tag,
        metadata=tf.compat.v1.SummaryMetadata(plugin_data=tf.compat.v1.SummaryMetadata.PluginData(plugin_name="text")),
        tensor=tf.make_tensor_proto(shown),
    )


def _evaluations(path: Path) -> Iterator[Any]:
    """The evaluations in an event file, as far as it can be read: a kill or a full disk may have cut it short."""
    try:
        for record in tf.data.TFRecordDataset(str(path)).as_numpy_iterator():
            event = _Event.FromString(record)
            if event.step:
                yield event
    except (tf.errors.OpError, DecodeError):
        return
