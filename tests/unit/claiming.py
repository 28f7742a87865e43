"""Made-up studies for the tests of claims: tables with given values, and run files with given weights."""

import functools
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from regatlas import reference, runs
from regatlas.claims import sample
from regatlas.claims.evidence import Evidence, Study
from regatlas.comparison import compare
from regatlas.tables import CURVE_COLUMNS, RUN_COLUMNS, typed

SEEDS = (0, 1, 2, 3, 4)
SIDE, CLASSES, PER_CLASS = 6, 4, 30
PIXELS = SIDE * SIDE
PLAIN = {"test_accuracy": 0.93, "train_accuracy": 0.94, "validation_accuracy": 0.93, "accuracy_gap": 0.01}
PLAIN |= {"test_nll": 0.3, "test_ece": 0.02, "roughness": 0.3, "template_correlation": 0.5, "weight_norm": 10.0}
PLAIN |= {"participation_ratio": 0.3, "sparsity": 0.0, "microseconds_per_step": 30.0, "parameters": 7840}
PLAIN |= {"weight_min": -2.0, "weight_max": 1.5, "train_size": 55000, "steps": 150_000}
WOBBLE = np.array([0.4, -0.3, 0.1, -0.2, 0.0])  # what a seed adds, in units of a column's size


def table(methods: Mapping[str, Mapping | Sequence[Mapping]], seeds: Sequence[int] = SEEDS) -> pd.DataFrame:
    """runs.csv: method -> the columns that differ from PLAIN, or a list of them, one a point, the first selected.

    A value is that of every seed but for a small wobble, the same for all methods; a list has one for each seed. A
    column "spread" multiplies the wobble; "diverged" lists seeds.
    """
    rows = []
    for method, points in methods.items():
        for point, given in enumerate(points if isinstance(points, Sequence) else [points]):
            for place, seed in enumerate(seeds):
                columns = {**PLAIN, **given}
                spread, diverged = columns.pop("spread", 1.0), columns.pop("diverged", ())
                row = {"method": method, "seed": seed, "digest": f"{method}-{point}", "point": point}
                row |= {"values": f'{{"strength":{point}}}', "selected": int(point == 0), "regularizer": method}
                row |= {"status": "diverged" if seed in diverged else "finished"}
                for name, value in columns.items():
                    if isinstance(value, Sequence | np.ndarray) and not isinstance(value, str):
                        value = value[place]
                    elif isinstance(value, float) and name not in ("sparsity",):
                        value = value + 0.001 * spread * abs(value) * WOBBLE[place % len(WOBBLE)]
                    row[name] = None if seed in diverged else value
                rows.append(row)
    return typed(pd.DataFrame(rows, columns=RUN_COLUMNS))


def study(
    name: str,
    methods: Mapping[str, Mapping | Sequence[Mapping]],
    seeds: Sequence[int] = SEEDS,
    published: Mapping[str, Mapping] | None = None,
    curves: pd.DataFrame | None = None,
    root: Path | None = None,
    labels: Mapping[str, str] | None = None,
) -> Study:
    """A study of such methods, compared with the first one."""
    frame, first = table(methods, seeds), next(iter(methods))
    entries = [
        {"id": key, "label": (labels or {}).get(key, key), "baseline": first, "published": (published or {}).get(key)}
        for key in methods
    ]
    return Study(name, frame, compare(entries, frame), curves, root)


def curves(methods: Mapping[str, tuple[float, float]], seeds: Sequence[int] = SEEDS) -> pd.DataFrame:
    """curves.csv: method -> by how much accuracy and loss, 0.9 and 0.5 in the end, change over the whole run."""
    steps = np.arange(0, 3001, 100)
    rows = [
        {"method": method, "seed": seed, "step": step, "point": 0, "validation_accuracy": 0.9}
        | {"test_accuracy": 0.9 + up * (step / 3000 - 1), "train_loss": 0.5 + down * (step / 3000 - 1)}
        for method, (up, down) in methods.items()
        for seed in seeds
        for step in steps
    ]
    return typed(pd.DataFrame(rows, columns=CURVE_COLUMNS))


@functools.cache
def data() -> dict[str, np.ndarray]:
    """Images of four classes, each a block of bright pixels in its own quarter, with noise; the corner is never lit."""
    rng = np.random.default_rng(0)
    labels = np.tile(np.arange(CLASSES), PER_CLASS)
    images = rng.integers(0, 60, (len(labels), SIDE, SIDE))
    for label, (top, left) in enumerate(((0, 0), (0, 3), (3, 0), (3, 3))):
        images[labels == label, top : top + 3, left : left + 3] += 150
    images[:, 0, 0] = 0
    flat = images.reshape(len(labels), PIXELS).astype(np.uint8)
    labels = labels.astype(np.uint8)
    return {
        **{"train_images": flat, "train_labels": labels, "test_images": flat[::-1], "test_labels": labels[::-1]},
        **{"validation_labels": labels[:20], "image_shape": np.array([SIDE, SIDE]), "classes": np.array(CLASSES)},
    }


def write_run(root: Path, method: str, seed: int, kernel: np.ndarray, point: int = 0, **arrays: np.ndarray) -> None:
    """A run file of a method's point as the tables above name it; predictions are those of the weights."""
    given = data()
    if len(kernel) == PIXELS and kernel.shape[1] == CLASSES:
        predicted = (given["test_images"] / 255 @ kernel).argmax(axis=1).astype(np.uint8)
        arrays = {"test_predicted_noise_off": predicted, "test_predicted": predicted, **arrays}
    settings = {"network": {"initial_stddev": 0.075}, "training": {"permuted_pixels": False}}
    metadata = {"settings": settings, "seed": seed, "digest": f"{method}-{point}"}
    arrays = {"kernel_0": kernel.astype(np.float32), **arrays}
    runs.write(runs.path(root, method, f"{method}-{point}", seed), metadata, arrays)


def evidence(own: Study, *others: Study) -> Evidence:
    """Evidence with the images and the reference of ``data``."""
    return Evidence(own, {other.name: other for other in others}, sample.make(data()), measured_against())


@functools.cache
def measured_against() -> reference.Reference:
    return reference.make(data())
