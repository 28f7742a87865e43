"""A Slurm of one node on this machine, from Debian's packages: real daemons, no accounting, nothing but loopback."""

import contextlib
import os
import platform
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import psutil

CONF = Path("/etc/slurm/slurm.conf")  # elsewhere the plugin's inner srun does not find it
_AS_MUNGE = ("runuser", "-u", "munge", "--")
_MARK = "# Written by the tests of Regularization Atlas, which remove it at their end.\n"
_TEMPLATE = """ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
CryptoType=crypto/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SlurmdParameters=config_overrides
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill
KillWait=2
MinJobAge=86400
ReturnToService=2
NodeName={host} NodeAddr=127.0.0.1 CPUs=16 RealMemory=64000 State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES MaxTime=12:00:00 State=UP
"""


def ask(*command: str) -> str:
    """The output of a command, which must succeed."""
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout


def wait_until(happened: Callable[[], object], seconds: float = 30) -> None:
    until = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < until, f"waited {seconds} s in vain"
        time.sleep(0.1)


def _gone(pid: int) -> bool:
    """Whether a process has ended, be it that nobody has asked for its exit code yet."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


class OneNode:
    """The daemons, their configuration and what the tests do to them."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.host = platform.node().partition(".")[0]
        self.own_munge = False

    def start(self) -> None:
        """Write the configuration and start the daemons.

        Raises:
            RuntimeError: a Slurm is configured and answers here; it is left alone.
        """
        if CONF.exists() and not CONF.read_text().startswith(_MARK):
            if subprocess.run(["scontrol", "ping"], capture_output=True, timeout=60).returncode == 0:
                raise RuntimeError(f"{CONF}: a Slurm is at work on this machine, which the tests leave alone")
            shutil.move(CONF, self.folder / "slurm.conf.before")
        for name in ("state", "spool"):
            (self.folder / name).mkdir()
        CONF.parent.mkdir(exist_ok=True)
        CONF.write_text(_MARK + _TEMPLATE.format(host=self.host, folder=self.folder))
        if subprocess.run(["munge", "--no-input"], capture_output=True).returncode:
            Path("/run/munge").mkdir(mode=0o755, exist_ok=True)
            shutil.chown("/run/munge", "munge", "munge")
            ask(*_AS_MUNGE, "munged")
            self.own_munge = True
        self.start_controller()
        ask("slurmd")
        wait_until(lambda: self.state() == "idle")

    def start_controller(self) -> None:
        ask("slurmctld")

    def stop_controller(self) -> None:
        self._end("slurmctld")

    def stop(self) -> None:
        """End the daemons and put everything back as it was."""
        subprocess.run(["scancel", "--user=root", "--full"], capture_output=True, timeout=60)
        for daemon in ("slurmd", "slurmctld"):
            self._end(daemon)
        if self.own_munge:
            subprocess.run([*_AS_MUNGE, "munged", "--stop"], capture_output=True, timeout=60)
        CONF.unlink(missing_ok=True)
        if (self.folder / "slurm.conf.before").exists():
            shutil.move(self.folder / "slurm.conf.before", CONF)

    def _end(self, daemon: str) -> None:
        with contextlib.suppress(OSError, ValueError):
            pid = int((self.folder / f"{daemon}.pid").read_text())
            os.kill(pid, signal.SIGTERM)
            wait_until(lambda: _gone(pid))

    def state(self) -> str:
        """The node's state: idle, mixed, draining, drained, ..."""
        return ask("sinfo", "--noheader", "--format=%T").strip()

    def drain(self) -> None:
        ask("scontrol", "update", f"NodeName={self.host}", "State=DRAIN", "Reason=test")

    def resume(self) -> None:
        ask("scontrol", "update", f"NodeName={self.host}", "State=RESUME")

    def jobs(self, *states: str) -> dict[str, str]:
        """Id -> state of the jobs that the controller remembers, of all states or of the given ones."""
        wanted = ",".join(states) or "all"
        lines = ask("squeue", "--noheader", f"--states={wanted}", "--format=%i %T").splitlines()
        return dict(line.split() for line in lines)

    def submitted_for(self, folder: Path) -> dict[str, str]:
        """Id -> state of the jobs of one project."""
        lines = ask("squeue", "--noheader", "--states=all", "--format=%i %T %Z").splitlines()
        return {job: state for job, state, place in map(str.split, lines) if Path(place) == folder}
