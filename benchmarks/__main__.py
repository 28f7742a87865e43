"""Time the training engine beside other ways to train the same network, its methods, and whole studies.

Writes benchmarks/results/: results.json (every round), results.md (tables), peers.png (figure).
"""

import argparse
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "scripts"))


def main() -> int:
    from benchmarks import hidden, peers, report, scale, study_cost, timing, whole_run

    parser = argparse.ArgumentParser("benchmarks", description=__doc__)
    parser.add_argument(
        "parts", nargs="*", choices=report.PARTS, metavar="PART",
        help=f"of {', '.join(report.PARTS)}; default: {', '.join(report.USUAL)}. "
        "Parts not measured keep their last results.",
    )  # fmt: skip
    parser.add_argument(
        "--peers", nargs="+", choices=peers.PEERS, default=list(peers.PEERS), metavar="NAME",
        help=f"of {', '.join(peers.PEERS)}; default: all",
    )  # fmt: skip
    parser.add_argument("--steps", type=int, default=5000, help="training steps in a round (default: 5000)")
    parser.add_argument("--rounds", type=int, default=5, help="rounds, each contender once in each (default: 5)")
    parser.add_argument("--study-steps", type=int, default=10_000, help="steps of a run of a study (default: 10000)")
    parser.add_argument("--methods", type=int, default=100, help="of the studies of `scale` (default: 100)")
    parser.add_argument(
        "--seeds", type=int, nargs="+", default=[10, 100], help="of the studies of `scale` (default: 10 100)"
    )
    parser.add_argument("--cores", type=int, default=min(2, os.cpu_count()), help="of a study (default: 2)")
    parser.add_argument("--out", type=Path, default=report.FOLDER, help="where to write the results")
    parser.add_argument("--readme", action="store_true", help="put the tables into the pages that show them")
    options = parser.parse_args()
    measure = {
        "peers": lambda: timing.compare_peers(
            dict.fromkeys([peers.ENGINE, *options.peers]), options.steps, options.rounds
        ),
        "methods": lambda: timing.compare_methods(options.steps, options.rounds),
        "hidden": lambda: hidden.compare(hidden.fewer(options.steps), options.rounds),
        "run": whole_run.measure,
        "study": lambda: study_cost.measure(options.study_steps, options.cores),
        "scale": lambda: scale.measure(options.methods, options.seeds, options.cores),
    }
    results = {part: measure[part]() for part in options.parts or report.USUAL}
    about = {**report.machine(), "steps": options.steps, "rounds": options.rounds, "study_cores": options.cores}
    about["methods"] = options.methods
    print(report.write(results, about, options.out))
    if options.readme:
        report.into_pages(options.out)
    timed = [entry for part in ("peers", "methods", "hidden") for entry in results.get(part, [])]
    return any(entry.problem and not entry.problem.startswith("skipped") for entry in timed)


if __name__ == "__main__":
    sys.exit(main())
