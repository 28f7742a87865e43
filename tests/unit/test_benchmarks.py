"""Every contender of the benchmarks computes what the engine computes; nothing here depends on how fast."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks import peers, report, study_cost, timing, workload
from benchmarks.timing import Timed

ROOT = Path(__file__).parents[2]
STEPS = 30
PEERS = [name for name in peers.PEERS if name != peers.ENGINE]


@pytest.fixture(scope="module")
def work():
    """100 images: the order passes through the training set several times."""
    return workload.make(STEPS, workload.noise(100))


@pytest.fixture(scope="module")
def trained(work):
    return peers.load(peers.ENGINE)(work)[1]


@pytest.mark.parametrize("name", PEERS)
def test_a_peer_has_the_engines_weights(name, work, trained):
    if reason := peers.missing(name):
        pytest.skip(reason)
    seconds, weights = peers.load(name)(work)
    assert seconds > 0
    assert np.abs(trained - work.initial).max() > 1e-3  # or everything would agree
    np.testing.assert_allclose(weights, trained, rtol=0, atol=2e-6)
    assert timing.check(weights, trained)[1] is None


@pytest.mark.parametrize("constant, value", [("BETA_1", 0.91), ("BETA_2", 0.99), ("EPSILON", 1e-6)])
def test_a_peer_with_another_constant_is_refused(constant, value, work, trained, monkeypatch):
    from benchmarks.peers import numpy_loop

    monkeypatch.setattr(numpy_loop, constant, value)
    problem = timing.check(numpy_loop.train(work)[1], trained)[1]
    assert problem.startswith("refused: it computes something else, its weights differ by ")


def test_weights_that_are_no_numbers_are_refused(trained):
    assert timing.check(np.full_like(trained, np.nan), trained)[1].startswith("refused")
    assert timing.check(trained, None)[1].startswith("refused")


def test_a_missing_peer_is_skipped_and_named(monkeypatch):
    monkeypatch.setitem(peers.PEERS, "absent", peers.Peer("Absent", ("json", "no_such_module")))
    monkeypatch.setitem(peers.PEERS, "uncompiled", peers.Peer("Uncompiled", ("$no-such-compiler",)))
    assert peers.missing("numpy_loop") is None
    results = timing.compare_peers(["absent", "uncompiled"], steps=1, rounds=1)
    assert [result.problem for result in results] == [
        "skipped: no_such_module is not installed",
        "skipped: no-such-compiler is not installed",
    ]
    assert "- Absent: skipped: no_such_module is not installed." in report.peers_table(results)


def test_the_table_pairs_rounds_and_shows_no_refused_peer():
    engine = Timed("engine", [10.0, 20.0, 40.0], 0.0)
    slower = Timed("numpy_loop", [30.0, 40.0, 120.0], 1e-7)
    wrong = Timed("pytorch", [1.0, 1.0, 1.0], 0.5, "refused: it computes something else")
    table = report.peers_table([slower, engine, wrong])
    assert "| numpy | 40.0 (30.0 to 120.0) | 3.00 | 1e-07 |" in table  # 3, 2, 3 times the engine
    assert table.index("Regularization Atlas |") < table.index("numpy |")
    assert "| PyTorch |" not in table and "- PyTorch: refused: it computes something else." in table


def test_the_readme_gets_the_tables_between_its_markers(tmp_path):
    page = tmp_path / "README.md"
    page.write_text(f"before\n{report.BEGIN}old\n{report.END}after\n")
    report.into_page("new\n", page)
    assert page.read_text() == f"before\n{report.BEGIN}new\n{report.END}after\n"
    page.write_text("no markers")
    with pytest.raises(SystemExit, match="are missing"):
        report.into_page("new\n", page)
    assert page.read_text() == "no markers"


def test_the_program_writes_its_files(tmp_path):
    """The real thing: contenders in processes of their own, few steps."""
    command = [sys.executable, "-m", "benchmarks", "peers", "--peers", "numpy_loop", "--steps", "20", "--rounds", "2"]
    done = subprocess.run(
        [*command, "--out", str(tmp_path)], cwd=ROOT, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    measured = json.loads((tmp_path / "results.json").read_text())["peers"]["results"]
    assert {entry["name"]: len(entry["microseconds"]) for entry in measured} == {"engine": 2, "numpy_loop": 2}
    assert (tmp_path / "results.md").read_text() in done.stdout
    assert (tmp_path / "peers.png").read_bytes().startswith(b"\x89PNG")


def test_a_part_that_is_not_measured_keeps_its_results(tmp_path):
    about = {**report.machine(), "steps": 10, "rounds": 1, "study_cores": 2}
    report.write({"study": [study_cost.Cost("first", 5, 2, 10, 10, 1.5)]}, about, tmp_path)
    report.write({"methods": [Timed("none", [50.0]), Timed("l2", [60.0])]}, about, tmp_path)
    text = report.write({"study": [study_cost.Cost("second", 5, 2, 10, 10, 2.5)]}, about, tmp_path)
    assert "| `l2` | 60.0 (60.0 to 60.0) | 1.20 (1.20 to 1.20) |" in text
    assert "| second | 5 | 2 | 10 | 10 | 2.5 |" in text and "first" not in text
