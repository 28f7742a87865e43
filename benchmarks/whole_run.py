"""One run of the default study by the program that trains: its start, its steps, its evaluations, its memory."""

import dataclasses
import json
import re
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
ROUNDS, STEPS, EVERY = 3, 150_000, 1000  # as the default study


@dataclasses.dataclass
class Run:
    """One round. Seconds are wall clock; ``first_step`` and ``total`` count from the start of the process."""

    name: str
    first_step: float
    steps: float
    evaluation: float
    total: float
    megabytes: float


def measure(names: tuple[str, ...] = ("none", "dropout"), rounds: int = ROUNDS, steps: int = STEPS) -> list[Run]:
    """Train each method ``rounds`` times in turn, as long as the default study does."""
    from benchmarks import workload
    from regatlas import files

    results = []
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        data = workload.PREPARED
        if not data.is_file():
            data = Path(folder) / "noise.npz"
            files.write_npz(data, workload.noise(55_000) | {"checksum": "noise"})
        checksum = str(files.read_npz(data, ["checksum"])["checksum"])
        methods = workload.methods(steps)
        for turn in range(rounds):
            for name in names:
                settings = {**methods[name].settings, "data": checksum}
                settings["training"] = {**settings["training"], "evaluate_every": EVERY}
                call = ["--spec", json.dumps({"settings": settings, "seed": 0}), "--data", str(data)]
                call += ["--out", str(Path(folder) / f"{name}-{turn}.npz")]
                done = subprocess.run(
                    [sys.executable, "-m", "benchmarks.whole_run", str(time.time()), *call],
                    cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True,
                )  # fmt: skip
                results.append(Run(name, **json.loads(done.stdout)))
                print(f"run {turn + 1} of {rounds}: {name:12} {results[-1].total:.1f} s", file=sys.stderr)
    return results


def main() -> None:
    """Be ``scripts/train.py`` and say when what was done. The first argument is when this process was started."""
    sys.path[:0] = [str(ROOT / "scripts")]
    import train

    begun, sys.argv[1:] = float(sys.argv[1]), sys.argv[2:]
    spent: dict[str, list[float]] = {"advance": [], "logits": []}  # seconds of each call
    ended: list[float] = []  # when they were done; the first is the first step

    def watched(call, name: str):
        def timed(*arguments):
            start = time.time()
            found = call(*arguments)
            found[0].numpy()  # it may have come back before the work was done
            spent[name].append(time.time() - start)
            ended.append(time.time())
            return found

        return timed

    class Watched(train.Training):  # which imports TensorFlow when its flags are set, and not before
        def __init__(self, options):
            super().__init__(options)
            self.trainer.advance = watched(self.trainer.advance, "advance")
            self.trainer.logits = {kind: watched(call, "logits") for kind, call in self.trainer.logits.items()}

    train.Training = Watched
    train.main()
    steps, evaluation = sum(spent["advance"][1:]), sum(spent["logits"])
    print(json.dumps({
        "first_step": ended[0] - begun, "steps": steps, "evaluation": evaluation,
        "total": time.time() - begun, "megabytes": _peak(),
    }))  # fmt: skip


def _peak() -> float:
    """The largest resident set of this process, in MB. Linux counts in ``ru_maxrss`` that of its parent, too."""
    status = Path("/proc/self/status")
    if status.is_file():
        return int(re.search(r"VmHWM:\s+(\d+)", status.read_text())[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2


if __name__ == "__main__":
    main()
