"""A study: a config checked, completed with defaults, and turned into methods with a digest each.

Runs while the workflow is planned: standard library, PyYAML and jsonschema only.
"""

import dataclasses
import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from regatlas import configschema, datasets, fingerprint, grids, registry
from regatlas.errors import UserError, clip, few, nearest, short
from regatlas.palette import assign_colors

_MOST_STEPS = 1_000_000_000  # as the schema's
_MOST_EVALUATIONS = 100_000  # of one run, so that it stays a file of some megabytes


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


def resolve(config: Any) -> Study:
    """Check a config and complete it.

    Raises:
        UserError: anything wrong with it, named by key, with what was found and what is allowed.
    """
    config = configschema.completed(config)
    dataset = datasets.resolve(config["dataset"])
    if dataset.images is not None:
        dataset.check_validation_size(dataset.images)
    methods = _methods(config, dataset)
    for position, name in enumerate(config["compare"]):
        if name not in methods:
            raise UserError(f"compare[{position}]: no method {short(name)} is defined; {_defined(name, methods)}")
    _check_baselines(config, methods)
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
            raise UserError(f"figures.colors.{clip(str(name))}: no such method; {_defined(name, methods)}")
    return Study(
        name=config["study"],
        config=config,
        dataset=dataset,
        methods=compared,
        seeds=tuple(config["seeds"]),
        baseline=config["baseline"],
    )


def _defined(name: Any, methods: Mapping[str, Method]) -> str:
    return f"defined are: {', '.join(methods)}{nearest(name, methods)}"


def _methods(config: dict[str, Any], dataset: datasets.DataSet) -> dict[str, Method]:
    """All methods that a config defines; its entries of them are written anew, in full."""
    paths = registry.available(config["plugins"])
    colors = assign_colors(config["methods"], config["figures"]["colors"])
    shared = {"data": datasets.checksum(dataset), "tensorflow": fingerprint.tensorflow_version()}
    engine = fingerprint.code([fingerprint.PACKAGE / name for name in ("training.py", "corruptions.py")])
    read = functools.cache(lambda names: _regularizer({name: paths[name] for name in names}))
    methods = {}
    for name, given in config["methods"].items():
        where = f"methods.{name}"
        declaration, code = read(_named(given["regularizer"], paths, where))
        own, grid = _own_settings(name, given, declaration)
        varies = {key: values for key, values in grid.items() if len(values) > 1}
        points = []
        for values in grids.points(grid):
            recipe = {
                key: values.get(f"{grids.RECIPE}{key}", value) for key, value in given.get("training", {}).items()
            }
            settings = {
                **shared,
                "network": {**config["network"], **given.get("network", {})},
                "training": _training(recipe, config["training"], where, dataset),
                "regularizer": {
                    "name": declaration.name,
                    "settings": {key: values.get(key, value) for key, value in own.items()},
                },
                "code": {"engine": engine, "regularizer": code},
            }
            _check_suits(declaration, settings, where)
            points.append(Point({key: values[key] for key in varies}, settings))
        published = given.get("published")
        low, high = ((published or {}).get(f"weight_{end}") for end in ("min", "max"))
        if low is not None and high is not None and low > high:
            raise UserError(f"{where}.published: weight_min {low:g} is larger than weight_max {high:g}")
        methods[name] = Method(
            name, given.get("label", name), colors[name], declaration, varies, tuple(points), published,
            baseline=given.get("baseline", config["baseline"]),
        )  # fmt: skip
        config["methods"][name] = _in_full(given, own, methods[name], config)
    return methods


def _named(regularizer: str | list[str], paths: Mapping[str, Path], where: str) -> tuple[str, ...]:
    """The names of the regularizers that act together in a method."""
    names = tuple(regularizer) if isinstance(regularizer, list) else (regularizer,)
    for name in names:
        if name not in paths:
            raise UserError(
                f"{where}.regularizer: no regularizer {short(name)}; known are: {', '.join(paths)}"
                f"{nearest(name, paths)}"
            )
    return names


def _regularizer(paths: Mapping[str, Path]) -> tuple[registry.Declaration, str]:
    """What a regularizer, or several together, declare, and the hash of their code."""
    parts = [registry.declaration(name, path) for name, path in paths.items()]
    return parts[0] if len(parts) == 1 else registry.combination(parts), fingerprint.code(paths.values())


def _own_settings(
    name: str, given: Mapping[str, Any], declaration: registry.Declaration
) -> tuple[dict[str, Any], dict[str, list[Any]]]:
    """A method's settings of its regularizer, with the first value of each list, and the lists: its grid."""
    where, beside = f"methods.{name}", configschema.schema()["$defs"]["method"]["properties"]
    own = {key: value for key, value in given.items() if key not in beside}
    grid = _grid(given, own, declaration, where)
    own = declaration.resolve(
        {key: grid.get(key, [value])[0] for key, value in own.items()},
        where, beside, functools.partial(configschema.elsewhere, method=name),
    )  # fmt: skip
    if f"{grids.RECIPE}steps" in grid and "epochs" in given["training"]:
        raise UserError(f"{where}.training.steps: epochs beside them count, and no value of steps does; leave one out")
    return own, grid


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


def _check_suits(declaration: registry.Declaration, settings: Mapping[str, Any], where: str) -> None:
    """Refuse what can be seen not to suit a regularizer; what else does not, its first step says."""
    needs, network = declaration.needs, settings["network"]
    if "needs_hidden" in needs and not network["hidden"]:
        raise UserError(
            f"{where}.regularizer: {declaration.name!r} acts on hidden layers, and network.hidden is []: "
            "give the network hidden layers, such as hidden: [400], or take another regularizer"
        )
    names = [part.name for part in declaration.parts or (declaration,)]
    if len(names) > 1 and settings["regularizer"]["settings"].get("active_at_test") is True:
        raise UserError(
            f"{where}.active_at_test: found True, allowed is False in a list ({', '.join(names)}), in which no noise "
            "can stay on in evaluation; write it, because a key left out keeps its value in config/config.yaml"
        )
    if "needs_direction" in needs and network["initial_stddev"] == 0:
        raise UserError(
            f"{where}: found initial_stddev 0 in the network; {declaration.name} needs more, as weights that are all 0 "
            "have no direction"
        )
    if "needs_batch" in needs and settings["training"]["batch_size"] < 2:
        raise UserError(f"{where}: found batch_size 1; {declaration.name} needs 2 or more, for there to be a variance")


def _check_baselines(config: Mapping[str, Any], methods: Mapping[str, Method]) -> None:
    """Refuse baselines that are not compared, or that another method is the baseline of."""
    first, compared = config["baseline"], config["compare"]
    named = {"baseline": first, **{f"methods.{name}.baseline": methods[name].baseline for name in compared}}
    for where, baseline in named.items():
        if baseline not in compared:
            raise UserError(
                f"{where}: {short(baseline)} is not among the compared methods: {', '.join(compared)}"
                f"{nearest(baseline, compared)}"
            )
    if methods[first].baseline != first:
        raise UserError(
            f"methods.{first}.baseline: found {short(methods[first].baseline)}, but {first!r} is the study's baseline, "
            "which is compared with no other method: leave it out, or name another baseline of the study"
        )


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


def _training(
    own: dict[str, Any], study: dict[str, Any], where: str, dataset: datasets.DataSet
) -> dict[str, Any]:  # fmt: skip
    """The training recipe of a point: the study's with the method's own keys."""
    for key in configschema.NOT_OF_A_RUN:
        if key in own:
            raise UserError(f"{where}.training.{key}: it is the same for all methods; set it in the study's training")
    training = {key: value for key, value in {**study, **own}.items() if key not in configschema.NOT_OF_A_RUN}
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
