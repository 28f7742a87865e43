"""Mirrors, and what happens when nothing helps."""

import gzip
import json
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from serving import CONTENT, FIRST, QUICK, complete, download, refusal

from regatlas import datasets, raw, sources, transfer
from regatlas.datasets import Source
from regatlas.errors import UserError

SCRIPTS = Path(__file__).parents[2] / "scripts"
pytestmark = pytest.mark.usefixtures("no_settings")


def test_a_good_mirror(server, tmp_path, capsys):
    download(tmp_path / "raw", server.good)
    assert complete(tmp_path / "raw")
    assert "4 files verified" in capsys.readouterr().err


def test_files_that_are_there_are_kept_and_wrong_ones_replaced(server, tmp_path):
    names = list(CONTENT)
    (tmp_path / names[0]).write_bytes(CONTENT[names[0]])
    (tmp_path / names[1]).write_bytes(CONTENT[names[1]][:-1])
    before = (tmp_path / names[0]).stat()
    download(tmp_path, server.good)
    assert complete(tmp_path)
    assert (tmp_path / names[0]).stat() == before
    assert [path for path, _ in server.requests] == [f"/good/{name}.gz" for name in names[1:]]
    server.requests.clear()
    download(tmp_path, server.good)
    assert not server.requests and len(server.asked) == 1


PACKED = gzip.compress(CONTENT[FIRST])
BAD = {
    "nothing": (b"", "0 of 20,000 bytes"),
    "garbage": (b"\x00garbage", "8 of 20,000 bytes"),
    "truncated": (PACKED[:300], "truncated or damaged gzip"),
    "truncated, plain": (CONTENT[FIRST][:-1], "19,999 of 20,000 bytes"),
    "page": (b"\n<!DOCTYPE html><p>Sign in</p>", "web page"),
    "other content of the right size": (gzip.compress(bytes(20_000)), "wrong content"),
    "bomb": (gzip.compress(bytes(10_000_000)), "more than 20,000 bytes"),
    "too long": (bytes(50_000), "more than 21,200 bytes"),
    "damaged": (PACKED[:100] + bytes([PACKED[100] ^ 1]) + PACKED[101:], "damaged|wrong content"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_not_the_file_is_never_taken_and_the_next_mirror_is(server, tmp_path, capsys, case):
    content, reason = BAD[case]
    server.pages[f"/bad/{FIRST}.gz"] = content
    bad = Source("mirror", f"{server.url}/bad/")
    line = refusal(tmp_path, bad)
    assert line.startswith(f"  mirror {server.url}/bad/: {FIRST}: ")
    assert any(part in line for part in reason.split("|")), line
    assert not (tmp_path / FIRST).exists()
    assert [path for path, _ in server.requests].count(f"/bad/{FIRST}.gz") == 1  # it would not get better
    download(tmp_path, bad, server.good)
    assert complete(tmp_path)
    told = capsys.readouterr().err.splitlines()
    assert any(line.startswith("  not from here: ") for line in told)


def test_a_bomb_is_not_unpacked():
    assert len(raw.unpack(gzip.compress(bytes(1_000_000)), 100)) == 101


def test_a_file_that_is_missing_is_not_asked_for_again(server, tmp_path):
    assert "404" in refusal(tmp_path, Source("mirror", f"{server.url}/none/"))
    assert len(server.requests) == 1


def test_a_server_that_recovers_is_asked_again(server, tmp_path):
    answers = iter([500, 503])

    def behave(handler):
        status = next(answers, 200)
        handler.reply(PACKED if status == 200 else b"busy", status)

    server.behaviour[f"/good/{FIRST}.gz"] = behave
    download(tmp_path, server.good)
    assert complete(tmp_path)
    assert [path for path, _ in server.requests].count(f"/good/{FIRST}.gz") == 3


def test_a_server_that_does_not_recover_is_given_up_after_longer_and_longer_pauses(server, tmp_path, monkeypatch):
    server.behaviour[f"/good/{FIRST}.gz"] = lambda handler: handler.reply(b"busy", 503)
    pauses = []
    monkeypatch.setattr(transfer.time, "sleep", pauses.append)
    assert "503" in refusal(tmp_path, server.good)
    assert len(server.requests) == QUICK.attempts
    assert pauses == [0.01, 0.02]


def test_a_server_that_hangs_is_given_up(server, tmp_path):
    server.behaviour[f"/good/{FIRST}.gz"] = lambda handler: server.released.wait(10)
    start = time.monotonic()
    assert "no answer in time" in refusal(tmp_path, server.good)
    assert time.monotonic() - start < 5


def test_all_mirrors_that_give_no_sign_of_life_cost_one_wait(server, tmp_path):
    server.mute = True
    mirrors = [Source("mirror", f"{server.url}/{name}/") for name in "abcdefgh"]
    start = time.monotonic()
    assert "no sign of life" in refusal(tmp_path, *mirrors)
    assert time.monotonic() - start < 3 * QUICK.connect
    assert not server.requests


def test_a_refused_connection_and_an_unknown_host_fail_at_once(tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    start = time.monotonic()
    assert "refused" in refusal(tmp_path, Source("mirror", f"http://127.0.0.1:{port}/"))
    assert "not known here" in refusal(tmp_path, Source("mirror", "http://no-such-host.invalid/"))
    assert time.monotonic() - start < 2


def serve_the_rest(handler):
    start = int(handler.headers.get("Range", "bytes=0-")[6:-1])
    if start >= len(PACKED):
        handler.reply(b"", 416)
    elif start:
        where = f"bytes {start}-{len(PACKED) - 1}/{len(PACKED)}"
        handler.reply(PACKED[start:], 206, Content_Range=where)
    else:
        handler.reply(PACKED)


def test_a_connection_that_breaks_off_is_resumed(server, tmp_path):
    def behave(handler):
        if "Range" in handler.headers:
            serve_the_rest(handler)
        else:
            handler.reply(PACKED[:10_000], claimed=len(PACKED))

    server.behaviour[f"/good/{FIRST}.gz"] = behave
    download(tmp_path, server.good)
    assert complete(tmp_path)
    first, second = [start for path, start in server.requests if FIRST in path]
    assert first is None
    assert 5_000 < int(second[6:-1]) <= 10_000


def test_a_download_that_was_given_up_is_resumed_by_the_next(server, tmp_path):
    server.behaviour[f"/good/{FIRST}.gz"] = lambda handler: handler.reply(PACKED[:10_000], claimed=len(PACKED))
    assert "broke off" in refusal(tmp_path, server.good)
    assert FIRST not in {path.name for path in tmp_path.iterdir()}
    server.requests.clear()
    server.behaviour[f"/good/{FIRST}.gz"] = serve_the_rest
    download(tmp_path, server.good)
    assert complete(tmp_path)
    assert int(server.requests[0][1][6:-1]) > 5_000


@pytest.mark.parametrize("beginning", [PACKED[:200], b"an older file" * 99, PACKED, PACKED + b"more"])
@pytest.mark.parametrize("server_resumes", [True, False])
def test_whatever_an_earlier_attempt_left_the_file_is_right(server, tmp_path, beginning, server_resumes):
    page = f"/good/{FIRST}.gz"
    server.behaviour[page] = serve_the_rest if server_resumes else lambda handler: handler.reply(PACKED)
    partial = f".{FIRST}.{server.url.split('/')[2].replace(':', '.')}.partial"
    (tmp_path / partial).write_bytes(beginning)
    download(tmp_path, server.good)
    assert complete(tmp_path)
    assert server.requests[0][1] == f"bytes={len(beginning)}-"  # the left-over was found


def test_a_bad_mirror_is_given_up_whatever_an_earlier_attempt_left(server, tmp_path):
    server.pages[f"/good/{FIRST}.gz"] = b"bad"
    partial = f".{FIRST}.{server.url.split('/')[2].replace(':', '.')}.partial"
    (tmp_path / partial).write_bytes(b"worse")
    assert "3 of 20,000 bytes" in refusal(tmp_path, server.good)


def test_when_all_fails_each_reason_and_the_way_out_are_told(server, tmp_path):
    mnist = datasets.resolve({"name": "mnist"})
    origins = [Source("folder", str(tmp_path / "none")), Source("mirror", f"{server.url}/none/")]
    with pytest.raises(UserError) as caught:
        sources.download(mnist, tmp_path / "raw", origins, QUICK)
    lines = str(caught.value).splitlines()
    assert lines[0] == "no source has the data set 'mnist':"
    assert lines[1] == f"  folder {tmp_path / 'none'}: no such folder"
    assert lines[2].startswith(f"  mirror {server.url}/none/: train-images-idx3-ubyte: the server answered 404")
    assert "{name: mnist, path: FOLDER}" in lines[3] and "REGATLAS_DATA" in lines[3]
    assert lines[4].split() == [
        "train-images-idx3-ubyte",
        *("47,040,016", "bytes,", "SHA-256"),
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    ]
    assert len(lines) == 8


def test_the_program(tmp_path):
    settings = {"name": "mine"}
    for role in datasets.ROLES:
        (tmp_path / role).write_bytes(role.encode())
        settings[role] = str(tmp_path / role)
    command = [sys.executable, SCRIPTS / "download.py", "--out", tmp_path / "raw", "--spec"]
    subprocess.run([*command, json.dumps(settings)], check=True)
    assert {path.name: path.read_text() for path in (tmp_path / "raw").iterdir()} == {r: r for r in datasets.ROLES}
    done = subprocess.run([*command, '{"name": "mnits"}'], capture_output=True, text=True)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "did you mean 'mnist'" in done.stderr
