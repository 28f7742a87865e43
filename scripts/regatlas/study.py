"""A study: a config checked, completed with defaults, and turned into methods with a digest each.

Runs while the workflow is planned: standard library, PyYAML and jsonschema only.
"""

import dataclasses
import functools
import math
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from regatlas import configfiles, datasets, fingerprint, registry
from regatlas.errors import UserError, clip, few, nearest, short
from regatlas.palette import assign_colors

SCHEMA = Path(__file__).parents[2] / "workflow" / "schemas" / "config.schema.yaml"
RESERVED = ("data", "reference", "runs", "logs")
NOT_OF_A_RUN = ("checkpoint_minutes", "runs_per_process")  # keys of the study's training that change no result
_SHOWN = 5  # complaints in one message; more would scroll the first one away
_LARGEST = 2**63 - 1
_MOST_EVALUATIONS = 100_000  # of one run, so that it stays a file of some megabytes
_TYPES = {
    "object": "a mapping (key: value)", "array": "a list", "string": "text", "number": "a number",
    "integer": "a whole number", "boolean": "true or false",
}  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Method:
    """A row of the table. ``settings`` is everything a run's numbers depend on but the seed; ``digest`` its hash."""

    id: str
    label: str
    color: str
    declaration: registry.Declaration
    settings: dict[str, Any]
    published: dict[str, float] | None

    @property
    def regularizer(self) -> str:
        return self.declaration.name

    @functools.cached_property
    def digest(self) -> str:
        return fingerprint.of(self.settings)


@dataclasses.dataclass(frozen=True)
class Study:
    """A resolved study; ``config`` is the complete config, ``methods`` the compared ones in the table's order."""

    name: str
    config: dict[str, Any]
    dataset: datasets.DataSet
    methods: tuple[Method, ...]
    seeds: tuple[int, ...]
    baseline: str


@functools.cache
def schema() -> dict[str, Any]:
    """The schema of a config."""
    return yaml.safe_load(SCHEMA.read_text(encoding="utf-8"))


def resolve(config: Any) -> Study:
    """Check a config and complete it.

    Raises:
        UserError: anything wrong with it, named by key, with what was found and what is allowed.
    """
    config = _complete(schema(), _valid(config))
    dataset = datasets.resolve(config["dataset"])
    paths = registry.available(config["plugins"])
    colors = assign_colors(config["methods"], config["figures"]["colors"])
    shared = {
        "data": datasets.checksum(dataset),
        "network": config["network"],
        "tensorflow": fingerprint.tensorflow_version(),
    }
    engine = fingerprint.code([fingerprint.PACKAGE / "training.py"])
    read = functools.cache(lambda name: _regularizer(name, paths[name]))
    beside = schema()["$defs"]["method"]["properties"]  # the keys of a method that are not its regularizer's
    methods = {}
    for name, given in config["methods"].items():
        where = f"methods.{name}"
        regularizer = given["regularizer"]
        if regularizer not in paths:
            raise UserError(
                f"{where}.regularizer: no regularizer {short(regularizer)}; known are: {', '.join(paths)}"
                f"{nearest(regularizer, paths)}"
            )
        declaration, code = read(regularizer)
        own = {key: value for key, value in given.items() if key not in beside}
        own = declaration.resolve(own, where, beside)
        settings = {
            **shared,
            "training": _training(given, config["training"], where, dataset.training_images),
            "regularizer": {"name": regularizer, "settings": own},
            "code": {"engine": engine, "regularizer": code},
        }
        label, published = given.get("label", name), given.get("published")
        methods[name] = Method(name, label, colors[name], declaration, settings, published)
        # in full and once, however it was written: what the report shows of it must not depend on that
        differs = {key: settings["training"][key] for key in given.get("training", {})}
        differs = {key: value for key, value in differs.items() if value != config["training"][key]}
        config["methods"][name] = {"regularizer": regularizer, "label": label, **own} | {
            key: value for key, value in (("training", differs), ("published", published)) if value
        }
    for position, name in enumerate(config["compare"]):
        if name not in methods:
            known = ", ".join(methods)
            raise UserError(
                f"compare[{position}]: no method {short(name)} is defined; defined are: {known}{nearest(name, methods)}"
            )
    baseline = config["baseline"]
    if baseline not in config["compare"]:
        raise UserError(
            f"baseline: {short(baseline)} is not among the compared methods: {', '.join(config['compare'])}"
            f"{nearest(baseline, config['compare'])}"
        )
    figures = config["figures"]
    figures.setdefault("seed", config["seeds"][0])
    if figures["seed"] not in config["seeds"]:
        raise UserError(f"figures.seed: {figures['seed']} is not among the seeds: {few(config['seeds'])}")
    for name in figures["colors"]:
        if name not in methods:
            raise UserError(
                f"figures.colors.{clip(str(name))}: no such method; defined are: {', '.join(methods)}"
                f"{nearest(name, methods)}"
            )
    return Study(
        name=config["study"],
        config=config,
        dataset=dataset,
        methods=tuple(methods[name] for name in config["compare"]),
        seeds=tuple(config["seeds"]),
        baseline=baseline,
    )


def _regularizer(name: str, path: Path) -> tuple[registry.Declaration, str]:
    """What a regularizer declares, and the hash of its code."""
    return registry.declaration(name, path), fingerprint.code([path])


def _referred(part: Mapping[str, Any]) -> Mapping[str, Any]:
    """A schema's part with what it refers to."""
    return {**schema()["$defs"][part["$ref"].rpartition("/")[2]], **part} if "$ref" in part else part


def _numbers(part: Mapping[str, Any], value: Any) -> Any:
    """``value`` with 1e-4, which YAML reads as text, as the number it means wherever a schema's part wants a number."""
    part = _referred(part)
    if isinstance(value, Mapping):
        known, others = part.get("properties", {}), part.get("additionalProperties", {})
        inner = lambda key: known.get(key, others if isinstance(others, Mapping) else {})  # noqa: E731
        return {key: _numbers(inner(key), item) for key, item in value.items()}
    if isinstance(value, list):
        return [_numbers(part.get("items", {}), item) for item in value]
    return registry.number(value, part["type"]) if part.get("type") in ("number", "integer") else value


def _training(given: dict[str, Any], study: dict[str, Any], where: str, images: int | None) -> dict[str, Any]:
    """The training recipe of a method: the study's with the method's own keys. ``images``: how many there are."""
    own = given.get("training", {})
    for key in NOT_OF_A_RUN:
        if key in own:
            raise UserError(f"{where}.training.{key}: it is the same for all methods; set it in the study's training")
    training = {key: value for key, value in {**study, **own}.items() if key not in NOT_OF_A_RUN}
    where = f"{where}.training" if own else "training"
    if training["batch_size"] > training["train_size"]:
        raise UserError(
            f"{where}: batch_size {training['batch_size']} is larger than train_size {training['train_size']}"
        )
    if images is not None and training["train_size"] > images:
        raise UserError(
            f"{where}: train_size {training['train_size']} is larger than the training set, which has {max(images, 0)} "
            "images after the validation images"
        )
    evaluations = -(-training["steps"] // training["evaluate_every"])
    if evaluations > _MOST_EVALUATIONS:
        raise UserError(
            f"{where}: evaluate_every {training['evaluate_every']} makes {evaluations:,} evaluations of "
            f"{training['steps']:,} steps, allowed are {_MOST_EVALUATIONS:,}: "
            f"write evaluate_every: {-(-training['steps'] // _MOST_EVALUATIONS)} or more"
        )
    return training


def _complete(part: Mapping[str, Any], value: Any) -> Any:
    """``value`` with the defaults of a schema's part filled in, as a copy."""
    part = _referred(part)
    if isinstance(value, Mapping):
        known = part.get("properties", {})
        filled = {key: _complete(known.get(key, {}), item) for key, item in value.items()}
        if "regularizer" not in known:  # a method's training holds only what differs from the study's
            for key, inner in known.items():
                if key not in filled and "default" in inner:
                    filled[key] = _complete(inner, inner["default"])
        return filled
    return list(value) if isinstance(value, list) else value


def _valid(config: Any) -> dict[str, Any]:
    """``config`` with numbers as such, if the schema allows all of it."""
    import jsonschema

    if not isinstance(config, Mapping):
        raise UserError(f"the config must be a mapping (key: value), found {_kind(config)}")
    for where, value in configfiles.leaves(config):
        _check_leaf(where, value)
    if str(config.get("study")).lower() in RESERVED:  # not all file systems tell "Runs" from "runs"
        raise UserError(f"study: {config['study']!r} is a folder of the workflow's own in results/; take another name")
    config = _numbers(schema(), config)
    validator = jsonschema.Draft202012Validator(schema())
    errors = sorted(validator.iter_errors(config), key=lambda error: [str(part) for part in error.absolute_path])
    if errors:
        complaints = list(dict.fromkeys(map(_complaint, errors)))  # several missing keys are one complaint
        lines = complaints[:_SHOWN]
        if len(complaints) > _SHOWN:
            lines.append(f"... and {len(complaints) - _SHOWN} more")
        raise UserError("\n".join(lines))
    return config


def _check_leaf(where: str, value: Any) -> None:
    """Refuse what no key allows: it would only fail later, in a file or a figure."""
    if isinstance(value, float) and not math.isfinite(value):
        raise UserError(f"{where}: found {value}, allowed is a finite number")
    if isinstance(value, int) and abs(value) > _LARGEST:
        raise UserError(f"{where}: found a whole number beyond {_LARGEST}; write a large number as 1.0e+30")
    if isinstance(value, str):
        for char in value:
            if unicodedata.category(char) in ("Cc", "Cs"):
                raise UserError(f"{where}: found {short(value)}; allowed is text on one line, without {short(char)}")


def _complaint(error: Any) -> str:
    """One sentence for a jsonschema error."""
    where, found = _where(error.absolute_path), error.instance
    if error.validator == "additionalProperties" and error.validator_value is False:
        known = list(error.schema["properties"])
        unknown = [key for key in found if key not in known]
        inside = f"{where}." if where else ""
        hints = [f"{inside}{clip(str(key))}: no such key{nearest(key, known)}" for key in unknown[:_SHOWN]]
        more = [f"and {len(unknown) - _SHOWN} more"] if len(unknown) > _SHOWN else []
        return f"{'; '.join(hints + more)}; known are: {', '.join(known)}"
    if error.validator == "required":
        missing = [key for key in error.validator_value if key not in found]
        return f"{where or 'the config'}: lacks {', '.join(map(repr, missing))}"
    if error.validator == "type":
        hint = registry.text_number(found) if error.validator_value in ("number", "integer") else ""
        return f"{where}: found {short(found)}, allowed is {_TYPES[error.validator_value]}{hint}"
    if error.validator == "enum":
        allowed = ", ".join(repr(value) for value in error.validator_value)
        return f"{where}: found {short(found)}, allowed is one of {allowed}{nearest(found, error.validator_value)}"
    if error.validator == "pattern" and error.validator_value.startswith("^#"):
        return f"{where}: found {short(found)}, allowed is a colour like #0072b2"
    if error.validator == "pattern":
        return f"{where}: found {short(found)}, allowed are at most 64 letters, digits, '_', '-' and '.'"
    limits = {
        "minimum": "is at least {}", "maximum": "is at most {}", "exclusiveMinimum": "is above {}",
        "minItems": "are at least {} items", "maxItems": "are at most {} items",
        "minLength": "are at least {} characters", "maxLength": "are at most {} characters",
        "minProperties": "are at least {} entries",
    }  # fmt: skip
    if error.validator in limits:
        return f"{where}: found {short(found)}, allowed {limits[error.validator].format(error.validator_value)}"
    if error.validator == "uniqueItems":
        twice = [item for position, item in enumerate(found) if item in found[:position]]
        return f"{where}: {short(twice[0])} stands there twice"
    return f"{where}: {error.message}"


def _where(path: Any) -> str:
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f"{'.' if text else ''}{clip(str(part))}"
    return text


def _kind(value: Any) -> str:
    return "nothing" if value is None else f"{type(value).__name__} {short(value)}"
