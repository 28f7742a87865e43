"""What a study of 1,000 and of 10,000 runs costs beside its training: time and memory of each part of the workflow.

One run of each method is trained; the runs of the other seeds are copies of it with numbers of their own, written as
the training writes them. Training 10,000 runs would take hours and measure TensorFlow's import.
"""

import copy
import dataclasses
import json
import os
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.study_cost import Study
from regatlas import runs, study

STEPS = 150  # each of them evaluated: learning curves as long as the default study's
BASELINE = {"none": {"regularizer": "none", "label": "No regularization"}}


@dataclasses.dataclass
class Scaled:
    """A call that was measured in a study of so many runs."""

    name: str
    methods: int
    seeds: int
    seconds: float
    megabytes: float | None = None  # the largest process at its peak
    made: str = ""  # what it wrote, in words

    @property
    def runs(self) -> int:
        return self.methods * self.seeds


def methods(count: int) -> dict[str, dict[str, Any]]:
    """The baseline and methods of four kinds, each with a strength of its own."""
    made = dict(BASELINE)
    for number in range(count - 1):
        strength = 10 ** (-4 + 4 * number / max(count - 1, 1))
        kind, own, label = (
            ("l2", {"strength": strength}, f"L2 {strength:.3g}"),
            ("dropout", {"keep_probability": 1 - 0.9 * strength}, f"Dropout, keeping {1 - 0.9 * strength:.4f}"),
            ("gaussian", {"noise_scale": strength}, f"Gaussian weights, noise {strength:.3g}"),
            ("weight_norm", {"training": {"learning_rate": strength}}, f"Weight normalization, rate {strength:.3g}"),
        )[number % 4]
        made[f"{kind}_{number:03}"] = {"regularizer": kind, "label": label, **own}
    return made
