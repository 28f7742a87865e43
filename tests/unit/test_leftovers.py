"""What may be removed from results/: what nothing refers to, after a look, and never by mistake."""

import json
import re
import shutil
from pathlib import Path

import pytest
import yaml

import prune
from regatlas import leftovers, locks, runs
from regatlas.errors import UserError
from regatlas.study import resolve

ROOT = Path(__file__).parents[2]
OLD = "0123456789abcdef"  # a digest that no study has


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """A project's folder with the default config and no results."""
    (tmp_path / "config").mkdir()
    shutil.copy(ROOT / "config" / "config.yaml", tmp_path / "config")
    (tmp_path / "results").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def study():
    return resolve(yaml.safe_load((ROOT / "config" / "config.yaml").read_text(encoding="utf-8")))


def made(regularizer: str, digest: str, seed: int, kind: str = "npz") -> Path:
    """A file of a run, as small as it gets."""
    path = runs.path("results/runs", regularizer, digest, seed)
    path = {
        "npz": path,
        "lock": runs.lock_path(path),
        "checkpoint": runs.checkpoint_path(path),
        "damaged": path.with_name(f"seed-{seed}.17.damaged"),
        "part": path.with_name(f".{path.name}.x_1.part"),
        "part of a checkpoint": path.with_name(f".{runs.checkpoint_path(path).name}.x_1.part"),
        "events": runs.events_folder(path) / "events.out.tfevents.17",
        "log": Path("results/logs/train", regularizer, digest, f"seed-{seed}.log"),
        "log of a damaged one": Path("results/logs/set_aside", regularizer, digest, f"seed-{seed}.17.log"),
    }[kind]
    return written(path)


def written(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("x")
    return path


def there() -> set[Path]:
    return {path for path in Path("results").rglob("*") if path.is_file() and path.name != ".lock"}


def call(monkeypatch, *arguments: str) -> None:
    monkeypatch.setattr("sys.argv", ["prune.py", *arguments])
    prune.main()


def test_without_remove_nothing_is_removed(folder, study, monkeypatch, capsys):
    kept = made("l2", study.methods[3].digest, 0)
    old = made("l2", OLD, 4)
    call(monkeypatch)
    told = capsys.readouterr().out
    assert there() == {kept, old}
    assert f"results/runs/l2/{OLD}: seeds 4" in told and "1 run that no study refers to" in told
    assert "Nothing was removed" in told
    assert str(kept.parent) not in told


def test_remove_takes_what_nothing_refers_to_and_no_more(folder, study, monkeypatch, capsys):
    method = study.methods[0]
    assert 7 not in study.seeds
    wanted = method.regularizer, method.digest, study.seeds[1]
    kept = [
        made(*wanted),
        made(*wanted, "log"),
        made(*wanted, "events"),
        made(*wanted, "log of a damaged one"),
        made(method.regularizer, method.digest, study.seeds[0], "checkpoint"),  # of a run that is still to be finished
        written(Path("results/runs/none") / method.digest / "notes.txt"),
        written(Path("results/runs") / method.regularizer / OLD / "seed-4.npz.txt"),
        written(Path("results/runs") / method.regularizer / OLD / "tensorboard" / "mine" / "events.out.tfevents.17"),
        written(Path("results/post/report.html")),
        written(Path("results/data/mnist/prepared.npz")),
        written(Path("results/README.md")),
    ]
    everything = ("npz", "lock", "checkpoint", "damaged", "part", "part of a checkpoint", "log", "log of a damaged one")
    for kind in (*everything, "events"):
        made("l2", OLD, 4, kind)
        made(method.regularizer, method.digest, 7, kind)  # the method is wanted, the seed is not
    for kind in ("damaged", "part", "part of a checkpoint", "lock", "checkpoint"):
        made(*wanted, kind)  # the run itself is there
    for part in ("post/.runs.csv.x.part", "post/figures/.a.svg.x.part", "data/mnist/raw/.t10k.x.part"):
        written(Path("results") / part)
    call(monkeypatch, "--remove")
    assert there() == set(kept)
    assert not Path("results/runs/l2").exists() and not Path("results/logs/train/l2").exists()
    assert "2 runs that no study refers to" in capsys.readouterr().out
    call(monkeypatch, "--remove")
    assert there() == set(kept)


def test_a_run_counts_that_another_config_or_a_table_refers_to(folder, monkeypatch):
    other = {"study": "mine", "seeds": [8], "methods": {"l2": {"strength": 0.5}}, "compare": ["none", "l2"]}
    inside = [Path("config") / name for name in ("mine.yaml", "other.yml", "tabs.json", "a/b/deep.yaml")]
    Path("config/a/b").mkdir(parents=True)
    for number, path in enumerate([*inside, Path("elsewhere.yaml")]):
        other["methods"]["l2"]["strength"] = 0.5 + number
        path.write_text(json.dumps(other, indent="\t") if path.suffix == ".json" else yaml.safe_dump(other))
    mine = {resolve(prune.read(path)).methods[1].digest for path in inside}
    elsewhere = resolve(prune.read(Path("elsewhere.yaml"))).methods[1].digest
    assert len(mine | {elsewhere}) == 5
    kept = {*(made("l2", digest, 8) for digest in mine), made("dropout", OLD, 3)}
    table = written(Path("results/finished/runs.csv"))
    table.write_text(f"method,seed,digest,regularizer\nd,3,{OLD},dropout\n")
    outside = made("l2", elsewhere, 8)
    call(monkeypatch, "--remove", "--configfile", "elsewhere.yaml")
    assert there() == {*kept, table, outside}
    call(monkeypatch, "--remove")
    assert there() == {*kept, table}


@pytest.mark.parametrize("content", ["sedes: [1]", "seeds: [1", "- a list", "compare: [nothing]"])
def test_a_config_that_is_not_valid_stops_it(folder, monkeypatch, content):
    old = made("l2", OLD, 4)
    Path("config/broken.yaml").write_text(content)
    with pytest.raises(UserError, match=r"(?s)^config/broken\.yaml(, line 1)?: .*\nNothing was removed") as caught:
        call(monkeypatch, "--remove")
    assert str(caught.value).partition("\n")[0].count("broken") == 1
    assert there() == {old}


@pytest.mark.parametrize(("name", "expected"), [("mien.yaml", "no such file"), (".", "Is a directory")])
def test_a_config_that_is_not_there_stops_it(folder, monkeypatch, name, expected):
    old = made("l2", OLD, 4)
    with pytest.raises(UserError, match=f"{re.escape(str(Path('config', name)))}: {expected}"):
        call(monkeypatch, "--remove", "--configfile", f"config/{name}")
    assert there() == {old}


def test_a_default_config_that_is_not_there_stops_it(folder, monkeypatch):
    old = made("l2", OLD, 4)
    Path("config/config.yaml").rename("config/mine.yaml")
    call(monkeypatch)  # a whole study needs no other
    Path("config/part.yaml").write_text("seeds: [1]")
    with pytest.raises(UserError, match=r"config/config\.yaml: no such file\nNothing .* config/part\.yaml refers"):
        call(monkeypatch, "--remove")
    assert there() == {old}


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("method,seed\na,1\n", "no column digest, regularizer"),
        ("", "no column digest, method, regularizer, seed"),
        ("method,seed,digest,regularizer\nd,x,y,z\n", "invalid literal"),
        (None, "Is a directory"),
    ],
)
def test_a_table_that_cannot_be_read_stops_it(folder, monkeypatch, content, expected):
    old, table = made("l2", OLD, 4), Path("results/mine/runs.csv")
    table.mkdir(parents=True) if content is None else written(table).write_text(content)
    with pytest.raises(UserError, match=rf"results/mine/runs\.csv: not a table of runs \({expected}.* delete it and"):
        call(monkeypatch, "--remove")
    assert old.exists() and table.exists()


def test_a_table_without_rows_wants_nothing(folder, monkeypatch):
    old, table = made("l2", OLD, 4), written(Path("results/mine/runs.csv"))
    table.write_text("method,seed,digest,regularizer\n")
    call(monkeypatch, "--remove")
    assert there() == {table} and not old.exists()


def test_a_snakemake_at_work_stops_it(folder, monkeypatch):
    old = made("l2", OLD, 4)
    with (
        locks.take("results/.lock"),
        pytest.raises(UserError, match=r"a snakemake is at work in this folder \(process"),
    ):
        call(monkeypatch, "--remove")
    assert there() == {old}


def test_a_training_that_goes_on_without_its_snakemake_keeps_its_files(folder, monkeypatch):
    files = {made("l2", OLD, 4, kind) for kind in ("lock", "checkpoint", "part", "part of a checkpoint", "log")}
    made("l2", OLD, 5)
    lock = next(path for path in files if path.suffix == ".lock")
    with locks.take(lock):
        call(monkeypatch, "--remove")
        assert there() == files
    call(monkeypatch, "--remove")
    assert there() == set()


def test_a_link_into_a_cache_goes_and_the_cache_stays(folder, monkeypatch):
    cached = written(Path("cache/entry"))
    run = runs.path("results/runs", "l2", OLD, 4)
    run.parent.mkdir(parents=True)
    run.symlink_to(cached.resolve())
    call(monkeypatch, "--remove")
    assert cached.exists() and not run.is_symlink()


def test_nothing_to_remove(folder, study, monkeypatch, capsys):
    made("l2", study.methods[3].digest, 0)
    call(monkeypatch, "--remove")
    assert "there is nothing to remove" in capsys.readouterr().out


def test_without_results_it_says_where_to_call_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match="results: no such folder"):
        call(monkeypatch)


def test_the_size_is_that_of_the_files(folder):
    made("l2", OLD, 4)
    made("l2", OLD, 4, "log")
    assert leftovers.find(Path("results"), []).size == 2
