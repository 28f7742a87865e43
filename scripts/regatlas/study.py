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

from regatlas import configfiles, datasets, fingerprint, grids, registry
from regatlas.errors import UserError, clip, few, nearest, short
from regatlas.palette import assign_colors

SCHEMA = Path(__file__).parents[2] / "workflow" / "schemas" / "config.schema.yaml"
RESERVED = ("data", "reference", "runs", "logs", "atlas.html", "readme.md")  # in small letters
# keys of the study's training that change no result
NOT_OF_A_RUN = ("checkpoint_minutes", "runs_per_process", "tensorboard")
_SHOWN = 5  # complaints in one message; more would scroll the first one away
_LARGEST = 2**63 - 1
_MOST_STEPS = 1_000_000_000  # as the schema's
_MOST_EVALUATIONS = 100_000  # of one run, so that it stays a file of some megabytes
_TYPES = {
    "object": "a mapping (key: value)", "null": "null", "array": "a list", "string": "text", "number": "a number",
    "integer": "a whole number", "boolean": "true or false",
}  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Point:
    """One choice of a method's settings. ``settings`` is everything a run's numbers depend on but the seed."""

    values: dict[str, Any]  # of the settings that vary over the method's grid; empty without a grid
    settings: dict[str, Any]

    @functools.cached_property
    def digest(self) -> str:
        """The hash of the settings: the same whether the point came from a grid or was written alone."""
        return fingerprint.of(self.settings)


@dataclasses.dataclass(frozen=True)
class Method:
    """A row of the table. ``grid`` maps the settings that vary to their values, ``points`` are in its order."""

    id: str
    label: str
    color: str
    declaration: registry.Declaration
    grid: dict[str, list[Any]]
    points: tuple[Point, ...]
    published: dict[str, Any] | None
    baseline: str  # the id of the method it is compared with

    @property
    def regularizer(self) -> str:
        return self.declaration.name

    @property
    def point(self) -> Point:
        """The only point of a method without a grid; ValueError for one with several."""
        (point,) = self.points
        return point

    @property
    def settings(self) -> dict[str, Any]:
        """Those of the only point."""
        return self.point.settings

    @property
    def digest(self) -> str:
        """That of the only point."""
        return self.point.digest


@dataclasses.dataclass(frozen=True)
class Study:
    """A resolved study; ``config`` is the complete config, ``methods`` the compared ones in the table's order."""

    name: str
    config: dict[str, Any]
    dataset: datasets.DataSet
    methods: tuple[Method, ...]
    seeds: tuple[int, ...]
    baseline: str

    @property
    def tuned(self) -> bool:
        """Whether a method has a grid."""
        return any(len(method.points) > 1 for method in self.methods)


@functools.cache
def schema() -> dict[str, Any]:
    """The schema of a config. In a method's training recipe a list may stand for each value: a grid."""
    whole = yaml.safe_load(SCHEMA.read_text(encoding="utf-8"))
    recipe = whole["$defs"]["training"]
    own = {key: _or_values(part) for key, part in recipe["properties"].items()}
    method, network = whole["$defs"]["method"]["properties"], whole["$defs"]["network"]
    method["training"] = {**recipe, "properties": own}
    # what a method leaves out of its network is the study's
    own = {key: {k: v for k, v in part.items() if k != "default"} for key, part in network["properties"].items()}
    method["network"] = {**network, "properties": own}
    return whole


def _or_values(part: dict[str, Any]) -> dict[str, Any]:
    """The schema's part of one value, or of a list of several."""
    if "$ref" in part or part.get("type") in ("array", "object"):
        return part
    values = {"minItems": 1, "uniqueItems": True, "items": part}
    return {"if": {"type": "array"}, "then": values, "else": part}


def resolve(config: Any) -> Study:
    """Check a config and complete it.

    Raises:
        UserError: anything wrong with it, named by key, with what was found and what is allowed.
    """
    config = _complete(schema(), _valid(config))
    dataset = datasets.resolve(config["dataset"])
    if dataset.images is not None:
        dataset.check_validation_size(dataset.images)
    paths = registry.available(config["plugins"])
    colors = assign_colors(config["methods"], config["figures"]["colors"])
    shared = {"data": datasets.checksum(dataset), "tensorflow": fingerprint.tensorflow_version()}
    engine = fingerprint.code([fingerprint.PACKAGE / name for name in ("training.py", "corruptions.py")])
    read = functools.cache(lambda names: _regularizer({name: paths[name] for name in names}))
    beside = schema()["$defs"]["method"]["properties"]  # the keys of a method that are not its regularizer's
    methods = {}
    for name, given in config["methods"].items():
        where = f"methods.{name}"
        named = given["regularizer"]
        named = tuple(named) if isinstance(named, list) else (named,)
        for one in named:
            if one not in paths:
                raise UserError(
                    f"{where}.regularizer: no regularizer {short(one)}; known are: {', '.join(paths)}"
                    f"{nearest(one, paths)}"
                )
        declaration, code = read(named)
        own = {key: value for key, value in given.items() if key not in beside}
        grid = _grid(given, own, declaration, where)
        own = declaration.resolve(
            {key: grid.get(key, [value])[0] for key, value in own.items()},
            where, beside, functools.partial(_elsewhere, method=name),
        )  # fmt: skip
        if f"{grids.RECIPE}steps" in grid and "epochs" in given["training"]:
            raise UserError(
                f"{where}.training.steps: epochs beside them count, and no value of steps does; leave one out"
            )
        network = {**config["network"], **given.get("network", {})}
        if declaration.needs_hidden and not network["hidden"]:
            raise UserError(
                f"{where}.regularizer: {declaration.name!r} acts on hidden layers, and network.hidden is []: "
                "give the network hidden layers, such as hidden: [400], or take another regularizer"
            )
        varies = {key: values for key, values in grid.items() if len(values) > 1}
        points = []
        for values in grids.points(grid):
            recipe = {
                key: values.get(f"{grids.RECIPE}{key}", value) for key, value in given.get("training", {}).items()
            }
            settings = {
                **shared,
                "network": network,
                "training": _training(recipe, config["training"], where, dataset),
                "regularizer": {
                    "name": declaration.name,
                    "settings": {key: values.get(key, value) for key, value in own.items()},
                },
                "code": {"engine": engine, "regularizer": code},
            }
            _check_together(declaration, settings, where)
            points.append(Point({key: values[key] for key in varies}, settings))
        label, published = given.get("label", name), given.get("published")
        against = given.get("baseline", config["baseline"])
        low, high = ((published or {}).get(f"weight_{end}") for end in ("min", "max"))
        if low is not None and high is not None and low > high:
            raise UserError(f"{where}.published: weight_min {low:g} is larger than weight_max {high:g}")
        methods[name] = Method(name, label, colors[name], declaration, varies, tuple(points), published, against)
        config["methods"][name] = _in_full(given, own, methods[name], config)
    for position, name in enumerate(config["compare"]):
        if name not in methods:
            known = ", ".join(methods)
            raise UserError(
                f"compare[{position}]: no method {short(name)} is defined; defined are: {known}{nearest(name, methods)}"
            )
    for where, baseline in [
        ("baseline", config["baseline"]),
        *((f"methods.{name}.baseline", methods[name].baseline) for name in config["compare"]),
    ]:
        if baseline not in config["compare"]:
            raise UserError(
                f"{where}: {short(baseline)} is not among the compared methods: {', '.join(config['compare'])}"
                f"{nearest(baseline, config['compare'])}"
            )
    first = config["baseline"]
    if methods[first].baseline != first:
        raise UserError(
            f"methods.{first}.baseline: found {short(methods[first].baseline)}, but {first!r} is the study's baseline, "
            "which is compared with no other method: leave it out, or name another baseline of the study"
        )
    compared = tuple(methods[name] for name in config["compare"])
    _check_labels(compared)
    _check_points(compared, config["tuning"]["unequal"])
    if "epochs" in config["training"]:  # as the report states it
        config["training"]["steps"] = _steps(config["training"]["epochs"], config["training"])
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
        methods=compared,
        seeds=tuple(config["seeds"]),
        baseline=config["baseline"],
    )


def _regularizer(paths: Mapping[str, Path]) -> tuple[registry.Declaration, str]:
    """What a regularizer, or several together, declare, and the hash of their code."""
    parts = [registry.declaration(name, path) for name, path in paths.items()]
    return parts[0] if len(parts) == 1 else registry.combination(parts), fingerprint.code(paths.values())


def _grid(
    given: Mapping[str, Any], own: Mapping[str, Any], declaration: registry.Declaration, where: str
) -> dict[str, list[Any]]:
    """The settings that a method names in lists, checked; the values of a recipe's have been by the schema."""
    grid = grids.named(given, {key: declaration.settings.get(key) for key in own})
    for key, values in grid.items():
        if key in declaration.settings:
            check = declaration.settings[key].check
            grid[key] = [check(value, f"{where}.{key}[{position}]") for position, value in enumerate(values)]
    grids.check(grid, where)
    return grid


def _in_full(
    given: Mapping[str, Any], own: Mapping[str, Any], method: Method, config: Mapping[str, Any]
) -> dict[str, Any]:
    """What the resolved config holds of a method: in full and once, however it was written.

    What the report shows of it must not depend on that. Only grids keep the order in which they were written, which is
    that of the points.
    """
    grid, recipe = method.grid, method.points[0].settings["training"]
    training = {
        key: grid.get(f"{grids.RECIPE}{key}", recipe.get(key, value))
        for key, value in given.get("training", {}).items()
    }
    training = {key: value for key, value in training.items() if value != config["training"].get(key)}
    network = {key: value for key, value in given.get("network", {}).items() if value != config["network"][key]}
    named = [part.name for part in method.declaration.parts] or method.regularizer
    entry = {"regularizer": named, "label": method.label}
    entry |= {key: value for key, value in own.items() if key not in grid}
    for key in given:
        if key in grid:
            entry[key] = grid[key]
        elif key == "training" and training:
            entry[key] = training
        elif key == "network" and network:
            entry[key] = network
    if method.baseline != config["baseline"]:
        entry["baseline"] = method.baseline
    return entry | ({"published": method.published} if method.published else {})


def _check_together(declaration: registry.Declaration, settings: Mapping[str, Any], where: str) -> None:
    """Refuse what can be seen not to suit a regularizer; what else does not, its first step says."""
    names = [part.name for part in declaration.parts or (declaration,)]
    if len(names) > 1 and settings["regularizer"]["settings"].get("active_at_test") is True:
        raise UserError(
            f"{where}.active_at_test: found True, allowed is False in a list ({', '.join(names)}), in which no noise "
            "can stay on in evaluation; write it, because a key left out keeps its value in config/config.yaml"
        )
    if "batch_norm" in names and settings["training"]["batch_size"] < 2:
        raise UserError(f"{where}: found batch_size 1; batch_norm needs 2 or more, for there to be a variance")


def _check_labels(methods: tuple[Method, ...]) -> None:
    """Refuse labels that do not tell the compared methods apart."""
    shown: dict[str, Method] = {}
    for method in methods:
        label = " ".join(method.label.split())  # as tables show it
        other = next((other for other in methods if other is not method and label == other.id), None)
        other = other or shown.setdefault(label, method)
        if other is not method:
            raise UserError(
                f"methods.{method.id}.label: {short(label)} is the name of methods.{other.id}, too; "
                "compared methods need different ones"
            )


def _check_points(methods: tuple[Method, ...], unequal: bool) -> None:
    """Refuse a comparison in which one method was given more tries than another, unless the config says so."""
    most, least = (pick(methods, key=lambda method: len(method.points)) for pick in (max, min))
    many, few_ = len(most.points), len(least.points)
    if many > few_ and not unequal:
        raise UserError(
            f"methods.{least.id}: it has {few_} point{'s' * (few_ > 1)} and methods.{most.id} has {many}; methods are "
            f"compared with as many points each: give methods.{least.id} lists that span {many}, of its settings or of "
            "its training (training: {learning_rate: [...]}), or write tuning: {unequal: true}"
        )
    total = sum(len(method.points) for method in methods)
    if total > grids.MOST_IN_ALL:
        raise UserError(f"compare: its methods have {total:,} points, allowed are {grids.MOST_IN_ALL:,}")


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
        return [_numbers(part.get("then", part).get("items", {}), item) for item in value]
    part = part.get("else", part)
    return registry.number(value, part["type"]) if part.get("type") in ("number", "integer") else value


def _training(
    own: dict[str, Any], study: dict[str, Any], where: str, dataset: datasets.DataSet
) -> dict[str, Any]:  # fmt: skip
    """The training recipe of a point: the study's with the method's own keys."""
    for key in NOT_OF_A_RUN:
        if key in own:
            raise UserError(f"{where}.training.{key}: it is the same for all methods; set it in the study's training")
    training = {key: value for key, value in {**study, **own}.items() if key not in NOT_OF_A_RUN}
    where = f"{where}.training" if own else "training"
    epochs = training.pop("epochs", None)
    if epochs is not None and ("epochs" in own or "steps" not in own):
        training["steps"] = _steps(epochs, training)
        if training["steps"] > _MOST_STEPS:
            raise UserError(
                f"{where}.epochs: {epochs} are {training['steps']:,} steps, allowed are at most {_MOST_STEPS:,}"
            )
    if training["batch_size"] > training["train_size"]:
        raise UserError(
            f"{where}: batch_size {training['batch_size']} is larger than train_size {training['train_size']}"
        )
    images = dataset.training_images
    if images is not None and training["train_size"] > images:
        raise UserError(
            f"{where}: train_size {training['train_size']} is larger than the training set, which has {images} images "
            f"after the {dataset.validation_size} validation images: write train_size: {images}, or less"
        )
    evaluations = -(-training["steps"] // training["evaluate_every"])
    if evaluations > _MOST_EVALUATIONS:
        raise UserError(
            f"{where}: evaluate_every {training['evaluate_every']} makes {evaluations:,} evaluations of "
            f"{training['steps']:,} steps, allowed are {_MOST_EVALUATIONS:,}: "
            f"write evaluate_every: {-(-training['steps'] // _MOST_EVALUATIONS)} or more"
        )
    return training


def _steps(epochs: int, training: Mapping[str, Any]) -> int:
    """So many passes through the training images in updates."""
    return epochs * max(training["train_size"] // training["batch_size"], 1)


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
        raise UserError(f"study: {config['study']!r} is the workflow's own in results/; take another name")
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
        path = [*error.absolute_path, "", ""]
        method = str(path[1]) if path[0] == "methods" else ""
        hints = [
            f"{inside}{clip(str(key))}: no such key{_elsewhere(key, method) or nearest(key, known)}"
            for key in unknown[:_SHOWN]
        ]
        more = [f"and {len(unknown) - _SHOWN} more"] if len(unknown) > _SHOWN else []
        return f"{'; '.join(hints + more)}; known are: {', '.join(known)}"
    if error.validator == "required":
        missing = [key for key in error.validator_value if key not in found]
        return f"{where or 'the config'}: lacks {', '.join(map(repr, missing))}"
    if error.validator == "type":
        if isinstance(error.validator_value, list):
            allowed = " or ".join(_TYPES[kind] for kind in error.validator_value)
            return f"{where}: found {short(found)}, allowed is {allowed}"
        hint = registry.text_number(found) if error.validator_value in ("number", "integer") else ""
        return f"{where}: found {short(found)}, allowed is {_TYPES[error.validator_value]}{hint}"
    if error.validator == "enum":
        allowed = ", ".join(repr(value) for value in error.validator_value)
        return f"{where}: found {short(found)}, allowed is one of {allowed}{nearest(found, error.validator_value)}"
    if error.validator == "pattern" and error.validator_value.startswith("^#"):
        return f"{where}: found {short(found)}, allowed is a colour like #0072b2"
    if error.validator == "pattern" and error.validator_value == r"\S":
        return f"{where}: found {short(found)}, allowed is text with more than spaces in it"
    if error.validator == "pattern":
        return (
            f"{where}: found {short(found)}, allowed are at most 64 letters, digits, '_', '-' and '.', of which the "
            "first is a letter or a digit"
        )
    limits = {
        "minimum": "is at least {}", "maximum": "is at most {}", "exclusiveMinimum": "is above {}",
        "exclusiveMaximum": "is below {}",
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


def _elsewhere(key: Any, method: str = "") -> str:
    """Where a key belongs that does not stand in its own mapping, in words; '' if nowhere, or if that is no help."""
    if key in ("name", "seed"):  # `study` and `seeds` are rather meant
        return ""
    tops, of_a_method = schema()["properties"], schema()["$defs"]["method"]["properties"]
    inner = lambda whole, *parts: {part: _referred(whole[part])["properties"] for part in parts}  # noqa: E731
    places = {}
    if method and key not in NOT_OF_A_RUN:
        own = {"": of_a_method, **inner(of_a_method, "training", "network", "published")}
        places = {f"in methods.{method}.{part}".rstrip("."): known for part, known in own.items()}
    places["at the top level"] = tops
    whole = inner(tops, "training", "network", "dataset", "tuning", "statistics", "figures", "report")
    places |= {f"in {part}": known for part, known in whole.items()}
    return next((f" (it belongs {place})" for place, known in places.items() if key in known), "")


def _where(path: Any) -> str:
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f"{'.' if text else ''}{clip(str(part))}"
    return text


def _kind(value: Any) -> str:
    return "nothing" if value is None else f"{type(value).__name__} {short(value)}"
