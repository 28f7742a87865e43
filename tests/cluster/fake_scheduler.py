"""Stands in for the commands of PBS, Grid Engine and LSF: jobs are processes, with an environment of their own.

fake_scheduler.py FOLDER COMMAND ARGUMENTS...; FOLDER keeps the state. The system is told by the command and SGE_ROOT.
"""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil

COMMANDS = {"pbs": ("qsub", "qstat", "qdel"), "sge": ("qsub", "qstat", "qdel"), "lsf": ("bsub", "bjobs", "bkill")}
VARIABLE = {"pbs": "PBS_JOBID", "sge": "JOB_ID", "lsf": "LSB_JOBID"}
ANSWER = {"pbs": "{}", "sge": "{}", "lsf": "Job <{}> is submitted to default queue <normal>."}
GONE = {
    "pbs": "qstat: Unknown Job Id {}",
    "sge": "Following jobs do not exist:\n{}",
    "lsf": "Job <{}> is not found",
}  # fmt: skip


def install(folder: Path, system: str) -> dict[str, str]:
    """Put the commands of a system into a folder; returns the variables that make it the batch system."""
    bin_folder = folder / "bin"
    bin_folder.mkdir(parents=True)
    for name in COMMANDS[system]:
        path = bin_folder / name
        path.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{__file__}" "{folder}" {name} "$@"\n')
        path.chmod(0o755)
    return {"PATH": f"{bin_folder}:{os.environ['PATH']}"} | ({"SGE_ROOT": "/opt/sge"} if system == "sge" else {})


def submit(folder: Path, system: str, arguments: list[str]) -> None:
    number = len(list(folder.glob("*.json"))) + 1
    job = f"{number}.server" if system == "pbs" else str(number)
    with open(folder / f"{job}.txt", "wb") as log:
        # nothing of the caller's environment: a node need not have it
        process = subprocess.Popen(
            ["/bin/sh", arguments[-1]], env={"PATH": "/usr/bin:/bin", "HOME": "/", VARIABLE[system]: job}, cwd="/",
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
    (folder / f"{job}.json").write_text(json.dumps({"pid": process.pid, "arguments": arguments}))
    print(ANSWER[system].format(job))


def alive(folder: Path, job: str) -> int | None:
    """The process of a job, if it is running."""
    pid = json.loads((folder / f"{job}.json").read_text())["pid"]
    running = psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    return pid if running else None


def main() -> None:
    folder, command, *arguments = sys.argv[1:]
    folder = Path(folder)
    system = "lsf" if command.startswith("b") else "sge" if "SGE_ROOT" in os.environ else "pbs"
    if command in ("qsub", "bsub"):
        submit(folder, system, arguments)
    elif command in ("qdel", "bkill"):
        for job in arguments:
            if alive(folder, job):
                os.killpg(alive(folder, job), signal.SIGKILL)
    elif alive(folder, arguments[-1]):
        print("RUN" if system == "lsf" else f"{arguments[-1]} regatlas user 00:00:01 R workq")
    else:
        sys.exit(GONE[system].format(arguments[-1]))


if __name__ == "__main__":
    main()
