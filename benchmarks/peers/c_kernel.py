"""The loop in C (`kernel.c`), compiled for this machine: the lower bound."""

import ctypes
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.workload import Workload

LANES = 16  # as in kernel.c
FLAGS = ["-O3", "-march=native", "-ffast-math", "-fPIC"]


def train(work: Workload):
    features, classes = work.initial.shape
    if features % LANES or work.batch_size % 2:
        raise ValueError(f"kernel.c wants features in multiples of {LANES} and an even batch")
    sizes = {"BATCH": work.batch_size, "FEATURES": features, "CLASSES": classes}
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder) / "kernel.so"
        defined = [f"-D{name}={size}" for name, size in sizes.items()]
        source = Path(__file__).with_name("kernel.c")
        compiled = library.with_suffix(".o")
        subprocess.run(["cc", *FLAGS, *defined, "-c", str(source), "-o", str(compiled)], check=True)
        # linked without -ffast-math, which would turn off subnormal numbers in the whole process
        subprocess.run(["cc", "-shared", str(compiled), "-o", str(library), "-lm"], check=True)
        kernel = ctypes.CDLL(str(library)).train
    blocks = features // LANES, LANES, classes
    w, m, v = (aligned((blocks[0], classes, LANES)) for _ in range(3))
    w[:] = work.initial.reshape(blocks).transpose(0, 2, 1)
    arrays = [np.ascontiguousarray(array) for array in (work.images, work.labels, work.order, work.rates)]
    inputs = [ctypes.c_void_p(array.ctypes.data) for array in arrays]
    state = [ctypes.c_void_p(array.ctypes.data) for array in (w, m, v)]
    begun = time.perf_counter()
    kernel(*inputs, ctypes.c_int64(work.steps), *state)
    return time.perf_counter() - begun, w.transpose(0, 2, 1).reshape(features, classes)


def aligned(shape: tuple[int, ...]) -> np.ndarray:
    """Zeros, float32, at an address that whole vectors can be loaded from."""
    size = int(np.prod(shape))
    memory = np.zeros(size + LANES, np.float32)
    first = -memory.ctypes.data % (4 * LANES) // 4
    return memory[first : first + size].reshape(shape)
