"""What others wrote - configs, data, archives, results of a shared folder - is read and shown, never run."""

import ast
import html
import io
import json
import os
import re
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
from shrunken import Project

from regatlas import files, packages, runs
from regatlas.datasets import RawFile
from regatlas.errors import UserError

ROOT = Path(__file__).parents[2]
SCRIPTS, WORKFLOW = ROOT / "scripts", ROOT / "workflow"
NASTY = "$(touch pwned) `touch pwned`; touch pwned # ' || \" {output} {{x}} ${HOME} \\ %s *"
TEXT = f"{NASTY} <script>alert(1)</script> &amp;"
FOLDER = "its $(touch pwned) `touch pwned`; touch pwned & 'a' \"b\" *"
PLUGIN = """
from regatlas.regularizers.base import Regularizer, Setting


class Mine(Regularizer):
    title = {text!r}
    citation = {text!r}
    formula = {text!r}
    acts_on = "loss"
    kind = Setting("a", choices=("a", {text!r}))

    def penalty(self, variables, parameters, logits):
        return 0.0
"""


@pytest.fixture(scope="module")
def hostile(made_once):
    """A finished study that holds such a text wherever a config can hold one, in a folder with such a name."""
    return made_once("hostile", make_hostile)


def make_hostile(folder):
    project = Project(folder.with_name(FOLDER))
    config = project.config
    dataset = config["dataset"]
    dataset["title"] = TEXT
    dataset["class_names"] = [f"{number} {TEXT}" for number in range(10)]
    (project.folder / "elsewhere").mkdir()
    for role in ("train_images", "train_labels", "test_images"):
        path = project.folder / f"{role} {NASTY}"
        (project.folder / f"{role}.npy").rename(path)
        dataset[role] = str(path) if role == "train_images" else {"path": path.name}
    labels = project.folder / "test_labels.npy"
    dataset["test_labels"] = {"url": f"https://localhost/{NASTY}", "sha256": files.sha256(labels)}
    labels.rename(project.folder / "elsewhere" / "test_labels")
    plugin = project.folder / NASTY / "mine.py"
    plugin.parent.mkdir()
    plugin.write_text(PLUGIN.format(text=TEXT))
    config["plugins"] = [str(plugin.relative_to(project.folder))]
    config["methods"] = {
        "none": {"regularizer": "none"},
        "mine": {"regularizer": "mine", "label": TEXT[:100], "kind": TEXT},
    }
    config |= {"compare": ["none", "mine"], "seeds": [0]}
    config["report"] |= {"title": TEXT, "author": TEXT}
    project.save()
    return project.ran(
        REGATLAS_DATA=str(project.folder / "elsewhere"), REGATLAS_COMMAND=TEXT, PYTHONDONTWRITEBYTECODE="1"
    )


def test_no_text_of_a_config_reaches_a_shell(hostile):
    assert not list(hostile.folder.parent.rglob("pwned"))


def test_the_report_shows_such_texts_as_they_are(hostile):
    page = hostile.result("report.html").read_text()
    assert page.count("<script") == 1 and "<script>alert" not in page
    shown = html.unescape(re.sub("<[^>]*>", "", page.replace("&quot;", '"')))
    for text in (TEXT, TEXT[:100]):
        assert shown.count(text) >= 2
    for figure in hostile.result("figures").glob("*.svg"):
        assert "<script" not in figure.read_text()


def test_snakemakes_own_report_shows_such_texts_as_they_are(hostile):
    hostile.ran("--report", "report.zip", REGATLAS_DATA=str(hostile.folder / "elsewhere"))
    with zipfile.ZipFile(hostile.folder / "report.zip") as archive:
        page = archive.read("report/report.html").decode()
    assert "<script>alert" not in page
    shown = json.JSONDecoder().raw_decode(page.partition("var workflow_desc = ")[2])[0]
    shown = html.unescape(re.sub("<[^>]*>", "", shown))
    assert TEXT in shown and f"{TEXT[:100]}: mine; kind {TEXT}" in shown and "system-message" not in shown
    assert not list(hostile.folder.parent.rglob("pwned"))


class Bomb:
    """Unpickling it makes a folder."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return os.mkdir, (self.path,)


@pytest.mark.parametrize("form", ["npy", "npz"])
def test_pickled_objects_as_data_are_refused_and_not_run(project, form):
    bomb = np.array([Bomb(project.folder / "pwned")], dtype=object)
    path = project.folder / f"bomb.{form}"
    np.save(path, bomb) if form == "npy" else np.savez(path, train_labels=bomb)
    config = project.config["dataset"]["train_labels"]
    project.config["dataset"]["train_labels"] = path.name
    project.save()
    done = project.snakemake("results/data/small_digits/prepared.npz")
    project.config["dataset"]["train_labels"] = config
    project.save()
    assert done.returncode != 0
    assert f"error: dataset.train_labels: bomb.{form}: damaged, or not a file of numbers" in done.stdout
    assert not (project.folder / "pwned").exists()
    loaded = np.load(path, allow_pickle=True)  # so the bomb is a real one
    if form == "npz":
        loaded["train_labels"]
    assert (project.folder / "pwned").is_dir()
    (project.folder / "pwned").rmdir()


def test_pickled_objects_as_results_are_refused_and_not_run(tmp_path):
    np.savez(tmp_path / "seed-0.npz", metadata=np.array([Bomb(tmp_path / "pwned")], dtype=object))
    for read in (files.read_npz, runs.read):
        with pytest.raises(UserError, match="damaged or not a result"):
            read(tmp_path / "seed-0.npz")
    assert not (tmp_path / "pwned").exists()


def test_an_archive_cannot_write_outside_its_folder(tmp_path):
    wanted, evil = b"the file", b"evil"
    folder = tmp_path / "a" / "raw"
    folder.mkdir(parents=True)
    outside = tmp_path / "outside"
    with tarfile.open(tmp_path / "x.tar", "w") as tar:
        for name in ("../evil", str(outside), "wanted"):
            add(tar, name, tarfile.REGTYPE, evil)
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE):
            add(tar, "wanted", kind, link=str(outside))
            add(tar, "link", kind, link="../..")
            add(tar, "link/evil", tarfile.REGTYPE, evil)
        add(tar, "wanted", tarfile.FIFOTYPE)
        add(tar, "../../wanted", tarfile.REGTYPE, wanted)
    (tmp_path / "y").write_bytes(wanted)
    file = RawFile("test_labels", "wanted", files.sha256(tmp_path / "y"), len(wanted))
    before = sorted(tmp_path.rglob("*"))
    packages.take(tmp_path / "x.tar", [file], folder)
    assert sorted(tmp_path.rglob("*")) == sorted([*before, folder / "wanted"])
    assert (folder / "wanted").read_bytes() == wanted and not (folder / "wanted").is_symlink()


def add(tar, name, kind, content=b"", link=""):
    member = tarfile.TarInfo(name)
    member.type, member.size, member.linkname = kind, len(content), link
    tar.addfile(member, io.BytesIO(content))


FORBIDDEN_CALLS = {
    "eval", "exec", "compile", "__import__", "os.system", "os.popen", "yaml.load", "yaml.full_load", "yaml.unsafe_load",
}  # fmt: skip
FORBIDDEN_MODULES = {"pickle", "cPickle", "dill", "shelve", "marshal", "joblib", "code"}


@pytest.mark.parametrize("path", sorted(SCRIPTS.rglob("*.py")), ids=lambda path: str(path.relative_to(SCRIPTS)))
def test_no_program_can_run_what_it_reads(path):
    """A plugin is run, by its import: that is what it is for."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import | ast.ImportFrom):
            modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]
            assert not FORBIDDEN_MODULES & {module.partition(".")[0] for module in modules}
        elif isinstance(node, ast.Call):
            assert ast.unparse(node.func) not in FORBIDDEN_CALLS, f"line {node.lineno}"
            options = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
            assert options.get("shell", "False") == "False", f"line {node.lineno}"
            assert options.get("allow_pickle", "False") == "False", f"line {node.lineno}"
            if ast.unparse(node.func) == "np.load":
                assert options["allow_pickle"] == "False", f"line {node.lineno}"


@pytest.mark.parametrize("path", sorted(WORKFLOW.rglob("*.smk")), ids=lambda path: path.name)
def test_what_a_rule_puts_into_a_command_is_quoted(path):
    for command in re.findall(r"^    shell:\n((?: {8}.*\n)+)", path.read_text(), re.MULTILINE):
        placeholders = re.findall(r"(?<!{){([^{}]*)}", command)
        assert placeholders and all(part.endswith(":q") or part == "threads" for part in placeholders), command
