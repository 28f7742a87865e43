"""One run of a method of the default study, evaluation included, for a profiler to watch; see benchmarks/README.md."""

import argparse
import gc
import os
import sys
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1] / folder) for folder in ("", "scripts")]

from benchmarks import peers, timing, workload  # noqa: E402


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--method", default="none", help="default: none")
    parser.add_argument("--steps", type=int, default=150_000, help="default: 150000")
    parser.add_argument("--evaluate-every", type=int, default=1000, help="default: 1000")
    options = parser.parse_args()
    os.environ.update(
        timing.ONE_THREAD, TF_USE_LEGACY_KERAS="1", TF_ENABLE_ONEDNN_OPTS="0"
    )  # and gc: as scripts/train.py
    gc.disable()
    begun = time.perf_counter()
    work = workload.make(options.steps)
    read = time.perf_counter()
    train = peers.load(peers.ENGINE)
    loaded = time.perf_counter()
    loop, _ = train(work, options.method, options.evaluate_every)
    rest = time.perf_counter() - loaded - loop
    print(
        f"{options.method}: read data {read - begun:.1f} s, import TensorFlow {loaded - read:.1f} s, "
        f"loop {loop:.1f} s ({1e6 * loop / options.steps:.1f} µs a step), tracing and evaluation {rest:.1f} s"
    )


if __name__ == "__main__":
    main()
