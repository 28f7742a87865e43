"""What the pages say, held against the schema, the regularizers and the requirements."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from regatlas import datasets, registry, tables
from regatlas.study import resolve

ROOT = Path(__file__).parents[2]
SCHEMA = yaml.safe_load((ROOT / "workflow/schemas/config.schema.yaml").read_text(encoding="utf-8"))
README = (ROOT / "README.md").read_text(encoding="utf-8")
CONFIG_README = (ROOT / "config/README.md").read_text(encoding="utf-8")
PAGES = [
    "README.md", "CHANGELOG.md", "config/README.md", "results/README.md", "benchmarks/README.md",
    "workflow/profiles/README.md", "docs/scale.md", "docs/findings.md",
]  # fmt: skip
# By construction, so that this file does not hold what it forbids.
REGISTRIES = [
    ".".join(parts)
    for parts in (
        ("pypi", "org"), ("pypi", "python", "org"), ("pythonhosted", "org"), ("registry", "npmjs", "org"),
        ("registry", "yarnpkg", "com"), ("deb", "debian", "org"), ("repo", "anaconda", "com"),
        ("conda", "anaconda", "org"),
    )
]  # fmt: skip
TEXTS = {".py", ".smk", ".md", ".yaml", ".yml", ".toml", ".txt", ".cff", ".rst", ".j2", ".css", ".js", ".sh", ".in", ""}
SKIPPED = {"results", "node_modules"}


def rows(page: str) -> list[list[str]]:
    """The cells of every table row of a page, trimmed."""
    return [
        [cell.strip() for cell in line.strip().strip("|").split("|")]
        for line in page.splitlines()
        if line.startswith("| ")
    ]


def schema_keys(part: dict, prefix: str = "") -> dict[str, tuple[object, bool]]:
    """Dotted key -> (default or None, required) of every key below a part of the schema."""
    found = {}
    for name, inner in part.get("properties", {}).items():
        if "$ref" in inner:
            inner = {**SCHEMA["$defs"][inner["$ref"].rpartition("/")[2]], **inner}
        key = f"{prefix}{name}"
        found[key] = (inner.get("default"), name in part.get("required", []))
        if key == "methods":
            found |= schema_keys(SCHEMA["$defs"]["method"], "methods.<id>.")
        elif not key.endswith((">.training", ">.network")):  # the same keys as the study's
            found |= schema_keys(inner, f"{key}.")
    return found


def repository_files() -> list[Path]:
    """Every text file a clone would hold: no results, no hidden work folders of tools."""
    hidden = {".ci", ".github"}
    found = []
    for top in ROOT.iterdir():
        if top.name in SKIPPED or (top.is_dir() and top.name.startswith(".") and top.name not in hidden):
            continue
        found += [top] if top.is_file() else [path for path in top.rglob("*") if path.is_file()]
    return [path for path in found if path.suffix in TEXTS and "__pycache__" not in path.parts]


def requirement(line: str) -> str:
    """A requirement without spaces and with one kind of quotes, so that two spellings compare."""
    return re.sub(r"\s", "", line).replace('"', "'")


def package(line: str) -> str:
    return re.match(r"[\w.-]+", line.strip())[0].lower()


@pytest.mark.parametrize("key", schema_keys(SCHEMA))
def test_every_key_of_the_schema_is_described_with_its_default(key):
    default, required = schema_keys(SCHEMA)[key]
    described = {row[0].strip("`"): row for row in rows(CONFIG_README)}
    assert key in described
    cell = described[key][2]
    if required:
        assert cell == "required"
    elif default is not None:
        assert yaml.safe_load(cell.strip("`")) == default
    else:
        assert "`" not in cell  # no default is claimed where there is none
    assert described[key][-1]


def test_no_described_key_is_unknown():
    shown = {row[0].strip("`") for row in rows(CONFIG_README) if len(row) == 5 and row[0].startswith("`")}
    regularizers = set(registry.available())
    own = {f"dataset.{key}" for key in {*datasets._KNOWN_KEYS, *datasets._OWN_KEYS}}
    assert shown - regularizers == set(schema_keys(SCHEMA)) | own


def test_every_key_of_a_file_of_ones_own_is_described():
    assert set(datasets._FILE_KEYS) <= {row[0].strip("`") for row in rows(CONFIG_README)}


def test_the_table_of_methods_is_that_of_the_library():
    done = subprocess.run(
        [sys.executable, "scripts/methods_table.py"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    shown = README.partition("<!-- methods:begin -->\n")[2].partition("<!-- methods:end -->")[0]
    assert shown == done.stdout, "python scripts/methods_table.py --write"
    assert {row[0].strip("`") for row in rows(done.stdout)[2:]} == set(registry.available())


@pytest.mark.parametrize("name", registry.available())
def test_every_regularizer_is_described_with_its_settings(name):
    declared = registry.declaration(name, registry.available()[name])
    table = [row for row in rows(CONFIG_README) if row[0] == f"`{name}`"]
    assert [f"`{name}`", declared.title, declared.acts_on, declared.citation] in table
    described = {row[1].strip("`"): row for row in table if len(row) == 5}
    assert set(described) == set(declared.settings)
    for setting in declared.settings.values():
        assert yaml.safe_load(described[setting.name][2].strip("`")) == setting.default
        assert described[setting.name][3] == setting.allowed


def test_the_default_config_holds_known_keys_and_resolves():
    config = yaml.safe_load((ROOT / "config/config.yaml").read_text(encoding="utf-8"))
    assert set(config) <= set(SCHEMA["properties"])
    study = resolve(config)
    assert [method.id for method in study.methods] == config["compare"]


def test_environment_yml_has_the_pins_of_requirements_txt():
    dependencies = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))["dependencies"]
    lines = next(entry["pip"] for entry in dependencies if isinstance(entry, dict))
    given = {package(line): requirement(line) for line in lines}
    text = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    locked = dict(re.findall(r"^([\w.-]+)==([^\s;\\]+)", text, re.MULTILINE))
    assert {name: line.partition("==")[2].partition(";")[0] for name, line in given.items()} == {
        name: locked[name] for name in given
    }
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    assert set(given) == {package(line) for line in project}
    assert {name: line.partition(";")[2] for name, line in given.items()} == {
        package(line): requirement(line).partition(";")[2] for line in project
    }


def test_the_plugin_of_the_readme_is_a_regularizer(tmp_path):
    section = README.partition("<!-- plugin:begin -->")[2].partition("<!-- plugin:end -->")[0]
    source = re.search(r"```python\n(.*?)```", section, re.DOTALL)[1]
    config = next(block for block in re.findall(r"```yaml\n(.*?)```", README, re.DOTALL) if "plugins:" in block)
    config = yaml.safe_load(config)
    path = tmp_path / config["plugins"][0]
    path.write_text(source, encoding="utf-8")
    default = yaml.safe_load((ROOT / "config/config.yaml").read_text(encoding="utf-8"))
    merged = {**default, **config, "plugins": [str(path)], "methods": {**default["methods"], **config["methods"]}}
    method = next(method for method in resolve(merged).methods if method.regularizer == path.stem)
    assert method.settings["regularizer"]["settings"] == {"share": 0.5}
    assert method.declaration.formula and method.declaration.citation
    np, tf = pytest.importorskip("numpy"), pytest.importorskip("tensorflow")
    regularizer = registry.load(path, method.declaration.class_name)(share=0.5)
    given = {"kernel_0": tf.constant([[1.0, 3.0], [0.0, 2.0]]), "bias_0": tf.constant([5.0])}
    gradients = regularizer.gradients(lambda variables: dict(variables), given, None)
    np.testing.assert_allclose(gradients["kernel_0"], [[0.0, 2.0], [-0.5, 1.5]])
    np.testing.assert_allclose(gradients["bias_0"], [5.0])


@pytest.mark.parametrize(
    "block", [b for b in re.findall(r"```yaml\n(.*?)```", README, re.DOTALL) if "plugins" not in b]
)
def test_the_configs_of_the_readme_resolve_over_the_default(block, tmp_path, monkeypatch):
    config = yaml.safe_load((ROOT / "config/config.yaml").read_text(encoding="utf-8"))
    monkeypatch.chdir(tmp_path)
    for key, value in yaml.safe_load(block).items():
        if key == "methods":
            for name, method in value.items():
                config[key][name] = {**config[key].get(name, {}), **method}
        else:
            config[key] = value
    for file in (value for value in config["dataset"].values() if str(value).endswith(".npy")):
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).write_bytes(b"")
    resolve(config)


def test_no_file_names_a_registry():
    pattern = re.compile("|".join(map(re.escape, REGISTRIES)) + r"|^--(extra-)?index-url", re.MULTILINE)
    files = repository_files()
    assert {ROOT / "README.md", ROOT / "requirements.txt", ROOT / ".ci/run"} <= set(files)
    found = {}
    for path in files:
        match = pattern.search(path.read_text(encoding="utf-8", errors="replace"))
        if match:
            found[str(path.relative_to(ROOT))] = match[0]
    assert not found


@pytest.mark.parametrize("page", PAGES)
def test_links_of_the_pages_lead_somewhere(page):
    def anchors(text: str) -> set[str]:
        headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
        return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}

    text = (ROOT / page).read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        file, _, anchor = target.partition("#")
        if "://" in target:
            continue
        led = (ROOT / page).parent / file if file else ROOT / page
        assert led.exists(), target
        assert not anchor or anchor in anchors(led.read_text(encoding="utf-8")), target


def test_the_readme_names_what_it_is_and_keeps_its_markers():
    assert "snakemake" in README and "workflow" in README
    for marker in (
        "results:begin",
        "results:end",
        "plugin:begin",
        "plugin:end",
        "benchmark:begin",
        "benchmark:end",
        "methods:begin",
        "methods:end",
    ):
        assert README.count(f"<!-- {marker} -->") == 1
    for folder in re.findall(r"^([\w/]+?/)\s{2,}", README, re.MULTILINE):
        if folder != "docs/":
            assert (ROOT / folder).is_dir(), folder


@pytest.mark.parametrize("page", PAGES)
def test_lines_of_the_pages_are_short(page):
    lines = (ROOT / page).read_text(encoding="utf-8").splitlines()
    assert not [line for line in lines if len(line) > 120 and not line.startswith("|")]


@pytest.mark.parametrize(
    ("table", "columns"),
    [
        ("runs.csv", tables.RUN_COLUMNS),
        ("curves.csv", tables.CURVE_COLUMNS),
        ("tuning.csv", tables.TUNING_COLUMNS),
        ("comparison.csv", tables.COMPARISON_COLUMNS),
        ("claims.csv", tables.CLAIM_COLUMNS),
    ],
)
def test_every_column_of_a_table_is_described(table, columns):
    page = (ROOT / "results/README.md").read_text(encoding="utf-8").partition("## Columns")[2]
    section = re.split(r"^`(?=[a-z]+\.(?:csv|npz)`)", page, flags=re.MULTILINE)
    (mine,) = [part for part in section if part.startswith(f"{table}`")]
    described = [name for row in rows(mine) for name in re.findall(r"`(\w+)`", row[0])]
    assert sorted(described) == sorted(columns)
