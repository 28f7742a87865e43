"""From four raw files to the arrays everything else reads.

A raw file is IDX, .npy or .npz, plain or gzipped; which one, its content says. Images are whole numbers from 0 to 255
[n, height, width], labels whole numbers [n] from 0.
"""

import gzip
import io
from pathlib import Path

import numpy as np

from regatlas import idx
from regatlas.corruptions import corrupted
from regatlas.datasets import DataSet, RawFile, checksum
from regatlas.errors import UserError, clip, few, nearest
from regatlas.raw import verified

_MOST_CLASSES = 255


def prepare(dataset: DataSet, folder: str | Path) -> dict[str, np.ndarray]:
    """The prepared arrays of the data set whose raw files are in ``folder``.

    Returns:
        train_images, validation_images, test_images: uint8 [n, height * width], 0 to 255;
        train_labels, validation_labels, test_labels: uint8 [n];
        corrupted_images: uint8 [kinds, severities, n, height * width] and corrupted_labels: uint8 [n], of some of the
        test images, see ``regatlas.corruptions``;
        image_shape: int64 [2], height and width; classes: int64 []; checksum: the data set's, a text [].
        The validation set is the front of the training file; the training set is the rest.

    Raises:
        UserError: a raw file is not what the data set says, or the four do not go together.
    """
    folder = Path(folder)
    arrays = {}
    for file in dataset.files:
        if not verified(file, folder):
            raise UserError(f"{folder / file.name}: missing or altered (SHA-256); delete it and run this again")
        arrays[file.role] = read(file, folder)
    train_images, train_labels, test_images, test_labels = arrays.values()
    _check_together(dataset, arrays)
    classes = _count_classes(dataset, {"train_labels": train_labels, "test_labels": test_labels})
    held_out = dataset.validation_size
    dataset.check_validation_size(len(train_images))
    _check_classes(dataset, train_labels, test_labels, classes)
    worse, labels_of_worse = corrupted(test_images, test_labels)
    train, test = train_images.reshape(len(train_images), -1), test_images.reshape(len(test_images), -1)
    return {
        "train_images": train[held_out:],
        "train_labels": train_labels[held_out:].astype(np.uint8),
        "validation_images": train[:held_out],
        "validation_labels": train_labels[:held_out].astype(np.uint8),
        "test_images": test,
        "test_labels": test_labels.astype(np.uint8),
        "corrupted_images": worse.reshape(*worse.shape[:3], -1),
        "corrupted_labels": labels_of_worse.astype(np.uint8),
        "image_shape": np.array(train_images.shape[1:], np.int64),
        "classes": np.array(classes, np.int64),
        "checksum": np.array(checksum(dataset)),
    }


def read(file: RawFile, folder: Path) -> np.ndarray:
    """One raw file: uint8 images [n, height, width] or integer labels [n].

    Raises:
        UserError: the file is damaged, of a format that is not known, or holds something else.
    """
    name = f"dataset.{file.role}: {file.path or file.url or folder / file.name}"
    content = (folder / file.name).read_bytes()
    dimensions = 3 if file.role.endswith("images") else 1
    try:
        if content[:2] == b"\x1f\x8b":
            content = gzip.decompress(content)
        if content[:4] == b"PK\x03\x04":
            array = _from_npz(content, file, name)
        elif content[:6] == b"\x93NUMPY":
            array = np.load(io.BytesIO(content), allow_pickle=False)
        else:
            return idx.parse(content, dimensions, name)
    except UserError:
        raise
    except Exception as error:  # on damaged bytes numpy, zipfile and gzip raise almost anything
        raise UserError(f"{name}: damaged, or not a file of numbers ({clip(str(error), 200)})") from None
    if array.ndim != dimensions or array.size == 0:
        expected = "images as [n, height, width]" if dimensions == 3 else "labels as [n]"
        raise UserError(f"{name}: an array of shape {list(array.shape)} found, expected {expected}")
    if array.dtype.kind not in "iu":
        what = "pixels" if dimensions == 3 else "labels"
        wanted = " from 0 to 255, such as uint8" if dimensions == 3 else ""
        raise UserError(f"{name}: {what} of type {array.dtype} found, expected whole numbers{wanted}")
    if dimensions == 3 and array.dtype != np.uint8:
        lowest, highest = int(array.min()), int(array.max())
        if lowest < 0 or highest > 255:
            raise UserError(f"{name}: pixels from {lowest} to {highest} found, expected whole numbers from 0 to 255")
        array = array.astype(np.uint8)
    return np.ascontiguousarray(array)


def _from_npz(content: bytes, file: RawFile, name: str) -> np.ndarray:
    with np.load(io.BytesIO(content), allow_pickle=False) as archive:
        key = file.array_among(archive.files)
        if key not in archive.files:
            raise UserError(
                f"{name}: it has no array {key!r}{nearest(key, archive.files)}; name one of "
                f"{', '.join(archive.files)} in `dataset.{file.role}.array`"
            )
        return archive[key]


def _check_together(dataset: DataSet, arrays: dict[str, np.ndarray]) -> None:
    for part in ("train", "test"):
        images, labels = len(arrays[f"{part}_images"]), len(arrays[f"{part}_labels"])
        if images != labels:
            raise UserError(
                f"dataset.{part}_images and dataset.{part}_labels do not go together: "
                f"{images:,} {part} images but {labels:,} {part} labels"
            )
    shape, other = arrays["train_images"].shape[1:], arrays["test_images"].shape[1:]
    if shape != other:
        raise UserError(
            f"dataset.train_images and dataset.test_images do not go together: training images are {_size(shape)}, "
            f"test images {_size(other)} pixels"
        )
    if dataset.image_shape and shape != dataset.image_shape:
        raise UserError(f"{dataset.name}: images are {_size(shape)} pixels, expected {_size(dataset.image_shape)}")


def _count_classes(dataset: DataSet, labels: dict[str, np.ndarray]) -> int:
    """One more than the largest label; ``labels`` by role. Names decide nothing: they may be written at any time."""
    lowest, low_role = min((int(part.min()), role) for role, part in labels.items())
    highest, high_role = max((int(part.max()), role) for role, part in labels.items())
    where = f"dataset.{low_role if lowest < 0 else high_role}"
    classes, names = highest + 1, len(dataset.class_names)
    if lowest < 0 or 0 < names < classes:
        allowed = f"0 to {names - 1} for its {names} class names" if names else "numbers that start at 0"
        raise UserError(f"{where}: labels from {lowest} to {highest} found, allowed are {allowed}")
    if not 2 <= classes <= _MOST_CLASSES:
        raise UserError(f"{where}: {classes} classes found, allowed are 2 to {_MOST_CLASSES}")
    return classes


def _check_classes(dataset: DataSet, train: np.ndarray, test: np.ndarray, classes: int) -> None:
    """Refuse classes that no network can learn, as no image to train on is of them.

    A name in the config that no image at all has does no harm.
    """
    held_out = dataset.validation_size
    absent = sorted({*range(classes)} - {*np.unique(train[held_out:]).tolist()})
    lack = lambda which: f"no training image of class{'es' * (len(which) > 1)} {few(which)}"  # noqa: E731
    held = [number for number in absent if number in train[:held_out]]
    if held:
        raise UserError(
            f"dataset.train_labels: {lack(held)}: all there are stand among the first {held_out:,}, which validation "
            "takes; shuffle images and labels together, or lower dataset.validation_size"
        )
    tested = [number for number in absent if number in test]
    if tested:
        raise UserError(f"dataset.test_labels: {lack(tested)}, which the test set has")
    if absent and not dataset.class_names:
        raise UserError(f"dataset.train_labels: {lack(absent)}; labels start at 0 and leave no number out")


def _size(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))
