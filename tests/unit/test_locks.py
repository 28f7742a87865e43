"""Locks that keep processes apart and never outlive the process that holds them."""

import errno
import fcntl
import os
import subprocess
import sys
import threading

import pytest

from regatlas import locks

HOLD = """
import sys, time
from regatlas import locks
with locks.held(sys.argv[1], lambda holder: print("waits for", holder, flush=True)):
    print("holds", flush=True)
    sys.stdin.read()
"""
COUNT = """
import sys, time
from pathlib import Path
from regatlas import locks
lock, counter = map(Path, sys.argv[1:])
for _ in range(40):
    with locks.held(lock, lambda holder: None):
        value = int(counter.read_text())
        time.sleep(0.001)
        counter.write_text(str(value + 1))
"""


def start(code, *arguments):
    scripts = os.path.dirname(os.path.dirname(locks.__file__))
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": scripts},
    )  # fmt: skip


@pytest.fixture
def other(tmp_path):
    """A process that holds the lock ``tmp_path / "lock"``."""
    process = start(HOLD, tmp_path / "lock")
    assert process.stdout.readline() == "holds\n"
    yield process
    process.kill()
    process.communicate()


def test_a_lock_that_is_taken_says_by_whom(tmp_path, other):
    with pytest.raises(locks.Held, match=f"process {other.pid} on "):
        locks.take(tmp_path / "lock")
    assert locks.holder(tmp_path / "lock").startswith(f"process {other.pid} on ")


def test_who_asks_for_the_holder_is_not_taken_for_one(tmp_path):
    path = tmp_path / "lock"
    path.write_text("process 1 on a machine of the past")
    with open(path) as asking:
        fcntl.flock(asking, fcntl.LOCK_SH)
        threading.Timer(0.03, fcntl.flock, (asking, fcntl.LOCK_UN)).start()
        with locks.take(path):
            assert locks.holder(path).startswith(f"process {os.getpid()} on ")


def test_asking_for_the_holder_leaves_no_trace(tmp_path):
    path = tmp_path / "lock"
    assert locks.holder(path) is None
    assert not path.exists()
    path.write_text("process 1 on a machine of the past")
    before = path.stat().st_mtime_ns
    assert locks.holder(path) is None
    assert (path.stat().st_mtime_ns, path.read_text()) == (before, "process 1 on a machine of the past")


def test_a_lock_ends_with_a_holder_that_is_killed(tmp_path, other):
    other.kill()
    other.wait()
    with locks.take(tmp_path / "lock"):
        assert locks.holder(tmp_path / "lock").startswith(f"process {os.getpid()} on ")
    assert locks.holder(tmp_path / "lock") is None


def test_a_second_waits_and_the_file_goes_with_the_last(tmp_path, other):
    second = start(HOLD, tmp_path / "lock")
    try:
        assert second.stdout.readline().startswith(f"waits for process {other.pid} on ")
        other.communicate("")
        assert second.stdout.readline() == "holds\n"
        assert locks.holder(tmp_path / "lock").startswith(f"process {second.pid} on ")
        second.communicate("")
        assert not (tmp_path / "lock").exists()
    finally:
        second.kill()
        second.communicate()


def test_never_two_at_once_although_the_file_comes_and_goes(tmp_path):
    (tmp_path / "counter").write_text("0")
    processes = [start(COUNT, tmp_path / "lock", tmp_path / "counter") for _ in range(4)]
    assert [process.wait(60) for process in processes] == [0] * 4
    for process in processes:
        process.communicate()
    assert (tmp_path / "counter").read_text() == "160"


def test_a_block_that_fails_gives_the_lock_back(tmp_path):
    with pytest.raises(RuntimeError), locks.held(tmp_path / "lock", lambda holder: None):
        raise RuntimeError
    assert locks.holder(tmp_path / "lock") is None


def test_folders_on_the_way_are_made(tmp_path):
    with locks.take(tmp_path / "a" / "b" / "lock"):
        assert (tmp_path / "a" / "b" / "lock").exists()


def test_a_file_system_without_locks_is_no_obstacle(tmp_path, monkeypatch):
    def flock(stream, operation):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", flock)
    with locks.take(tmp_path / "lock"):
        pass
    assert locks.holder(tmp_path / "lock") is None


def test_any_other_error_is_not_hidden(tmp_path, monkeypatch):
    def flock(stream, operation):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(fcntl, "flock", flock)
    with pytest.raises(OSError, match="Input/output"):
        locks.take(tmp_path / "lock")


def test_a_full_disk_is_no_obstacle(tmp_path, monkeypatch):
    def write(descriptor, content):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", write)
    with locks.take(tmp_path / "lock"):
        assert locks.holder(tmp_path / "lock") == "another process"
