"""Every contender of the benchmarks computes what the engine computes; nothing here depends on how fast."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml

from benchmarks import hidden, peers, report, scale, study_cost, timing, whole_run, workload
from benchmarks.timing import Timed
from regatlas import runs, study

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
    report.write(
        {"methods": [Timed("none", [50.0], beside=[50.0]), Timed("l2", [60.0], beside=[40.0])]}, about, tmp_path
    )
    text = report.write({"study": [study_cost.Cost("second", 5, 2, 10, 10, 2.5)]}, about, tmp_path)
    assert "| `l2` | 60.0 (60.0 to 60.0) | 1.50 (1.50 to 1.50) |" in text
    assert "| second | 5 | 2 | 10 | 10 | 2.5 |" in text and "first" not in text


def test_the_methods_of_a_large_study_differ_and_are_valid():
    config = yaml.safe_load((ROOT / "config/config.yaml").read_text(encoding="utf-8"))
    config["methods"] = scale.many_methods(100)
    config["compare"] = list(config["methods"])
    assert len({method.digest for method in study.resolve(config).methods}) == 100


def test_the_cost_of_a_large_study_is_measured_from_training_to_report(tmp_path):
    """The real thing: two methods, two seeds, a few steps, noise as data; of the programs one of each kind."""
    wanted = {"collect", "report", "figure_weights"}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scale, "STEPS", 20)
        patch.setattr(workload, "PREPARED", tmp_path / "absent.npz")
        project = scale.ScaledStudy(tmp_path, 2, 2)
        every = project.programs
        patch.setattr(project, "programs", lambda: [(name, line) for name, line in every() if name in wanted])
        results = [*project.overhead(), *project.at(2)]
    named = {result.name: result for result in results}
    assert {*(f"`{name}`" for name in wanted), "nothing to do", "dry run, one seed more"} <= named.keys()
    assert [named[f"training, {way}"].runs for way in ("in a shell loop", "by the workflow")] == [2, 2]
    assert all(result.seconds > 0 and result.megabytes > 1 for result in results)
    (one, other) = (
        runs.read(tmp_path / "results/runs" / path)  # `read` refuses what is not whole
        for path in sorted(
            str(p.relative_to(tmp_path / "results/runs")) for p in tmp_path.glob("results/runs/none/*/*.npz")
        )
    )
    assert (one.metadata["seed"], other.metadata["seed"]) == (0, 1)
    assert one.metadata["digest"] == other.metadata["digest"]
    assert 0 < np.abs(one.kernels[0] - other.kernels[0]).max() < 0.5 * np.abs(one.kernels[0]).max()
    assert "1 of 2" not in project.said and "seed 2" in project.said  # the dry run tells what one seed more would train
    table = report.scale_table(results)
    assert "| `collect` |" in table and "the workflow adds" in table


def test_the_overhead_of_a_job_is_what_surrounds_its_process_more_than_in_the_loop():
    loop = scale.Scaled("training, in a shell loop", 10, 20.0, 1, inside=15.0)
    jobs = scale.Scaled("training, by the workflow", 10, 33.0, 1, inside=25.0)
    assert scale.overhead([jobs, loop]) == pytest.approx(0.3)
    assert scale.overhead([loop]) is None
    rows = [scale.Scaled("nothing to do", size, seconds, 100) for size, seconds in ((1000, 2.5), (10_000, 10.0))]
    table = report.scale_table([loop, jobs, *rows])
    assert "| nothing to do | 2.5 | 10.0 | 100 | 100 |" in table and "adds 0.30 s" in table


def test_each_page_gets_its_own_tables(tmp_path, monkeypatch):
    about = {**report.machine(), "steps": 10, "rounds": 1, "study_cores": 2, "methods": 100}
    parts = {"study": [study_cost.Cost("first", 5, 2, 10, 10, 1.5)], "scale": [scale.Scaled("nothing to do", 9, 1, 2)]}
    report.write(parts, about, tmp_path)
    pages = {tmp_path / "a.md": ("study",), tmp_path / "b.md": ("scale",)}
    for page in pages:
        page.write_text(f"{report.BEGIN}{report.END}")
    monkeypatch.setattr(report, "PAGES", pages)
    report.into_pages(tmp_path)
    first, second = (page.read_text() for page in pages)
    assert "| first |" in first and "nothing to do" not in first
    assert "| nothing to do |" in second and "| first |" not in second and "100 methods" in second


def test_hidden_layers_are_timed_beside_their_products(monkeypatch):
    monkeypatch.setattr(timing, "in_turn", in_this_process)
    monkeypatch.setattr(workload, "read", lambda: workload.noise(200))
    results = hidden.compare(steps=2, rounds=2)
    assert [(result.name, len(result.microseconds)) for result in results] == [
        ("engine", 2), ("bare", 2), ("graph", 2), ("compiled", 2)
    ]  # fmt: skip
    timed = [Timed("engine", [4000.0, 5000.0]), Timed("graph", [3000.0, 4000.0])]
    assert "| 3.50 (3.00 to 4.00) | 0.78 (0.75 to 0.80) |" in report.hidden_table(timed)
    timed[0].problem = "failed"
    assert "3.50" not in report.hidden_table(timed)  # nothing else is taken for the engine


def in_this_process(contenders, results, steps, rounds):
    for name, contender in contenders.items():
        results[name].microseconds += [1e6 * contender()[0] / steps for _ in range(rounds)]


def test_a_whole_run_is_timed_in_its_phases(tmp_path, monkeypatch):
    monkeypatch.setattr(workload, "PREPARED", tmp_path / "absent.npz")
    one, other = whole_run.measure(names=("none",), rounds=2, steps=40)
    for run in (one, other):
        assert run.first_step > run.steps > 0 and run.evaluation > 0 and run.megabytes > 100
        assert run.total > run.first_step + run.steps
    rows = [whole_run.Run("none", 2.0, 4.0, 1.0, 10.0, 600.0), whole_run.Run("none", 2.0, 4.0, 1.0, 5.0, 650.0)]
    assert "| 7.5 (5.0 to 10.0) | 15 (10 to 20) | 650 |" in report.run_table(rows)
