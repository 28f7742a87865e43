"""Which regularizers there are and what each declares, read from the source without running it.

Reading keeps TensorFlow's two seconds out of everything that only needs to know a default, runs no user's code
while a workflow is being planned, and gives the same answer as importing because declarations are literals.
"""

import ast
import dataclasses
import difflib
import functools
import importlib.util
import math
import os
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from regatlas import plugins
from regatlas.errors import UserError, clip, nearest, short
from regatlas.fingerprint import SHOWN_TEXTS

LIBRARY = Path(__file__).parent / "regularizers"
NEEDS = ("needs_hidden", "needs_direction", "needs_batch")
PLACES = ("nothing", "inputs", "targets", "weights", "activations", "loss", "gradient", "update", "evaluation")
OF_A_METHOD = ("regularizer", "label", "training", "network", "baseline", "published")  # its other keys in a config
_UNSEEDED = re.compile(
    r"import (random|secrets)(\.\w+)?|(.*\.)?(default_rng|SeedSequence)\(\)"
    r"|(np|numpy)\.random\.(?!default_rng|Generator|PCG64|Philox|SeedSequence)\w+"
    r"|(tf|tensorflow)\.random\.(?!stateless_)\w+"
)
_LIMITS = ("low", "high", "above", "below")


@dataclasses.dataclass(frozen=True)
class Setting:
    """A declared setting; ``type`` is the type of its default. Limits are None where there is none."""

    name: str
    default: Any
    doc: str = ""
    choices: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    above: float | None = None
    below: float | None = None
    off: float | None = None

    @property
    def allowed(self) -> str:
        """The allowed values, in words."""
        if isinstance(self.default, bool):
            return "true or false"
        if isinstance(self.default, str):
            return "one of " + ", ".join(self.choices) if self.choices else "text"
        kind = "a whole number" if isinstance(self.default, int) else "a number"
        signs = {"low": "at least", "above": "above", "high": "at most", "below": "below"}
        limits = [f"{sign} {getattr(self, key):g}" for key, sign in signs.items() if getattr(self, key) is not None]
        return " ".join([kind, " and ".join(limits)]).strip()

    def check(self, value: Any, where: str) -> Any:
        """``value`` in the declared type, so that 1 and 1.0 are the same setting.

        Raises:
            UserError: wrong type or out of range.
        """
        kind = type(self.default)
        numeric = kind in (int, float)
        value = number(value, "integer" if kind is int else "number") if numeric else value
        fits = type(value) is kind
        if fits and numeric:
            fits = (
                math.isfinite(value)
                and (self.low is None or value >= self.low)
                and (self.high is None or value <= self.high)
                and (self.above is None or value > self.above)
                and (self.below is None or value < self.below)
            )
        if self.choices:
            fits = fits and value in self.choices
        if not fits:
            hint = text_number(value) if numeric else ""
            hint = nearest(value, self.choices) if self.choices else hint
            raise UserError(f"{where}: found {short(value)}, allowed is {self.allowed}{hint}")
        return value


_EXPONENT = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)[eE][-+]?\d+")


def number(value: Any, kind: str) -> Any:
    """``value``, if it means one, as a number of a kind, "number" or "integer"; else as it is.

    YAML 1.1 reads 1e-4, without a point or a sign, as text. 1 and 1.0 are the same number, and one of the two comes
    out. Text in quotes without an exponent stays text: somebody meant it.
    """
    if isinstance(value, str) and _EXPONENT.fullmatch(value):
        value = float(value)
    if type(value) is int and kind == "number":
        return float(value) if abs(value) <= sys.float_info.max else value
    if type(value) is float and kind == "integer" and value.is_integer():
        return int(value)
    return value


def text_number(value: Any) -> str:
    """A hint for a number in quotes; '' for anything else."""
    try:
        float(value if isinstance(value, str) else "")
    except ValueError:
        return ""
    return " (it is text: write it without quotes, and not inside --config, which makes text of it)"


@dataclasses.dataclass(frozen=True)
class Declaration:
    """What a regularizer's module declares."""

    name: str
    path: Path
    class_name: str
    title: str
    formula: str
    citation: str
    acts_on: str
    settings: Mapping[str, Setting]
    needs: frozenset[str] = frozenset()  # those of NEEDS that are True
    parts: tuple["Declaration", ...] = ()  # of a combination, in the order named

    @property
    def paths(self) -> list[Path]:
        """The files behind it."""
        return [part.path for part in self.parts or (self,)]

    def resolve(
        self, given: Mapping[str, Any], where: str, beside: Iterable[str] = (),
        elsewhere: Callable[[str], str] = lambda name: "",
    ) -> dict[str, Any]:  # fmt: skip
        """All settings, the given ones checked, the others at their default; sorted by name.

        Raises:
            UserError: unknown name, wrong type or out of range; ``where`` leads the message, ``beside`` are keys that
                may stand there too, so that a misspelt one is recognized, and ``elsewhere`` says where one belongs.
        """
        for name in given:
            if name not in self.settings:
                known = ", ".join(self.settings) or "none"
                raise UserError(
                    f"{where}.{clip(str(name))}: regularizer {self.name!r} has no such setting; "
                    f"its settings are: {known}{elsewhere(name) or nearest(name, [*self.settings, *beside])}"
                )
        return {
            name: setting.check(given.get(name, setting.default), f"{where}.{name}")
            for name, setting in sorted(self.settings.items())
        }


def combination(parts: Sequence[Declaration]) -> Declaration:
    """What several regularizers in one method declare together.

    A setting keeps its name if only one of them has it, and else is ``<regularizer>.<setting>``.
    """
    together = lambda texts, sign: sign.join(dict.fromkeys(filter(None, texts)))  # noqa: E731
    return Declaration(
        name="+".join(part.name for part in parts),
        path=parts[0].path,
        class_name="",
        title=together((part.title for part in parts), " + "),
        formula=together((part.formula for part in parts), r", \quad "),
        citation=together((part.citation for part in parts), "; "),
        acts_on=together((part.acts_on for part in parts), ", "),
        settings={_full(name, part, parts): setting for part in parts for name, setting in part.settings.items()},
        needs=frozenset().union(*(part.needs for part in parts)),
        parts=tuple(parts),
    )


def settings_of(part: Declaration, parts: Sequence[Declaration], settings: Mapping[str, Any]) -> dict[str, Any]:
    """A part's own settings, by its own names, among those of the combination."""
    return {name: settings[_full(name, part, parts)] for name in part.settings}


def _full(name: str, part: Declaration, parts: Sequence[Declaration]) -> str:
    shared = sum(name in other.settings for other in parts) > 1
    return f"{part.name}.{name}" if shared else name


def available(files: Iterable[str | Path] = ()) -> dict[str, Path]:
    """Name -> file of every regularizer: the library's, then the user's own ``files``.

    Raises:
        UserError: a plugin is missing, is no Python file, or takes a name that is taken.
    """
    found = {path.stem: path for path in sorted(LIBRARY.glob("*.py")) if path.stem not in ("__init__", "base")}
    for plugin in (Path(os.path.expanduser(plugin)) for plugin in files):
        if str(plugin).startswith("-"):  # a program would take it for an option
            raise UserError(f"plugins: {clip(str(plugin), 400)}: a path may not start with '-'; write the whole path")
        if not os.path.isfile(plugin):  # unlike Path.is_file, False for a name that is too long
            raise UserError(f"plugins: {clip(str(plugin), 400)}: no such file")
        if plugin.suffix != ".py" or not plugin.stem.isidentifier():
            raise UserError(f"plugins: {plugin}: expected a Python file named like its regularizer, my_method.py")
        if plugin.stem in found:
            raise UserError(f"plugins: {plugin}: the name {plugin.stem!r} is taken by {found[plugin.stem]}; rename it")
        found[plugin.stem] = plugin
    return found


def declaration(name: str, path: Path) -> Declaration:
    """Read the declaration of the one regularizer class in a module.

    Raises:
        UserError: not Python, no such class or several, or a declaration that is not literal, that names a place or a
            setting that cannot be, or contradicts itself.
    """
    try:
        module = ast.parse(path.read_text(encoding="utf-8-sig"))
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:  # the last two: nested too deeply
        line = getattr(error, "lineno", None)
        raise UserError(
            f"{path}{f', line {line}' if line else ''}: not valid Python: {getattr(error, 'msg', error)}"
        ) from None
    classes = [
        node
        for node in module.body
        if isinstance(node, ast.ClassDef) and any(_last_name(base) == "Regularizer" for base in node.bases)
    ]
    if len(classes) != 1:
        names = ", ".join(node.name for node in classes) or "none"
        raise UserError(f"{path}: expected one class derived directly from Regularizer, found {names}")
    texts, settings, needs = dict.fromkeys(SHOWN_TEXTS, ""), {}, set()
    _check_methods(classes[0], path)
    for key, value in _assignments(classes[0]):
        if key in SHOWN_TEXTS:
            texts[key] = _literal(value, path)
            if not isinstance(texts[key], str):
                raise UserError(f"{path}, line {value.lineno}: {key} must be text")
            if key == "acts_on" and texts[key] not in PLACES:
                raise UserError(
                    f"{path}, line {value.lineno}: acts_on must be one of {', '.join(PLACES)}, "
                    f"found {short(texts[key])}{nearest(texts[key], PLACES)}"
                )
        elif key in NEEDS:
            needed = _literal(value, path)
            if not isinstance(needed, bool):
                raise UserError(f"{path}, line {value.lineno}: {key} must be True or False")
            needs |= {key} if needed else set()
        elif isinstance(value, ast.Call) and _last_name(value.func) == "Setting":
            if key in (*hooks(), *OF_A_METHOD, "task"):
                raise UserError(f"{path}, line {value.lineno}: a setting may not be called {key}; take another name")
            settings[key] = _setting(key, value, path)
    if not texts["title"]:
        raise UserError(f"{path}, line {classes[0].lineno}: class {classes[0].name} declares no title")
    if path.parent != LIBRARY:
        _check_acts(classes[0], path)
        _check_random(module, path)
    return Declaration(name, path, classes[0].name, **texts, settings=settings, needs=frozenset(needs))


@functools.cache
def hooks() -> Mapping[str, tuple[str, ...]]:
    """The hooks of a regularizer, with the names of their arguments after ``self``."""
    module = ast.parse((LIBRARY / "base.py").read_text(encoding="utf-8"))
    base = next(node for node in module.body if isinstance(node, ast.ClassDef) and node.name == "Regularizer")
    methods = (node for node in base.body if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"))
    return {method.name: tuple(argument.arg for argument in method.args.args[1:]) for method in methods}


def load(path: Path, class_name: str) -> type:
    """Import a regularizer's module, wherever it lies, and return its class (this imports TensorFlow).

    The hooks of a user's own file are watched: ``regatlas.plugins``.

    Raises:
        UserError: the module fails while it is imported.
    """
    if path.parent == LIBRARY:
        return getattr(importlib.import_module(f"regatlas.regularizers.{path.stem}"), class_name)
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        raise UserError(plugins.failure(error, path)) from None
    return plugins.watched(getattr(module, class_name), path)


def _check_methods(node: ast.ClassDef, path: Path) -> None:
    """Refuse hooks that cannot be called and methods that look like a misspelt hook, which nobody would call."""
    for name, value in _assignments(node):
        if name in hooks() and isinstance(value, ast.Constant | ast.List | ast.Tuple | ast.Dict | ast.JoinedStr):
            raise UserError(f"{path}, line {value.lineno}: {name} must be a method, found {ast.unparse(value)}")
    for method in node.body:
        if not isinstance(method, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        where, arguments = f"{path}, line {method.lineno}", method.args
        if method.name in hooks():
            wanted, names = len(hooks()[method.name]) + 1, [a.arg for a in (*arguments.posonlyargs, *arguments.args)]
            required = len(names) - len(arguments.defaults)
            needed = any(default is None for default in arguments.kw_defaults)
            plain = isinstance(method, ast.FunctionDef) and not method.decorator_list
            if not plain or needed or required > wanted or (len(names) < wanted and not arguments.vararg):
                kind = "" if plain else " and be a plain method"
                raise UserError(
                    f"{where}: {method.name} must take (self, {', '.join(hooks()[method.name])}){kind}, "
                    f"found ({ast.unparse(arguments)})"
                )
        elif not method.name.startswith("_"):
            alike = difflib.get_close_matches(method.name, hooks(), n=1, cutoff=0.75)
            if alike:
                raise UserError(
                    f"{where}: {method.name} is no hook (did you mean {alike[0]!r}?); "
                    "a method of your own that is called like one needs another name or a leading _"
                )


def _check_acts(node: ast.ClassDef, path: Path) -> None:
    """Refuse a class of the user's that would train as ``none`` does, as nothing of it is ever called."""
    own = {part.name: part.lineno for part in node.body if isinstance(part, ast.FunctionDef)}
    defined = (part.name for part in ast.walk(node) if isinstance(part, ast.FunctionDef))  # also under an if
    acts = {*defined, *(name for name, _ in _assignments(node))} & {*hooks(), "patience"}
    if acts or len(node.bases) > 1 or node.decorator_list:  # hooks may also come from there
        return
    alike = [f"; {name} in line {line} is none{hint}" for name, line in own.items() if (hint := nearest(name, hooks()))]
    raise UserError(
        f"{path}, line {node.lineno}: class {node.name} has no hook, so it would do nothing{''.join(alike)}; "
        f"hooks are: {', '.join(hooks())}"
    )


def _check_random(module: ast.Module, path: Path) -> None:
    """Refuse random numbers that neither the run's seed decides nor one that is written down."""
    for node in ast.walk(module):
        if found := _unseeded(node):
            raise UserError(
                f"{path}, line {node.lineno}: {found}: the seed of a run does not decide such numbers, so a run could "
                "not be repeated; draw them from `random` in the hook `noise`"
            )


def _unseeded(node: ast.AST) -> str:
    """The source of random numbers that has no seed, or ''."""
    names = []
    if isinstance(node, ast.Import):
        names = [f"import {alias.name}" for alias in node.names]
    elif isinstance(node, ast.ImportFrom):
        names = [f"import {node.module}.{alias.name}" for alias in node.names]
    elif isinstance(node, ast.Attribute):
        names = [ast.unparse(node)]
    elif isinstance(node, ast.Call) and not (node.args or node.keywords):
        names = [f"{ast.unparse(node.func)}()"]
    return next(filter(_UNSEEDED.fullmatch, names), "")


def _assignments(node: ast.ClassDef) -> Iterable[tuple[str, ast.expr]]:
    for statement in node.body:
        if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
            target = statement.targets[0]
        elif isinstance(statement, ast.AnnAssign) and statement.value is not None:
            target = statement.target
        else:
            continue
        if isinstance(target, ast.Name):
            yield target.id, statement.value


def _last_name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def _literal(node: ast.expr, path: Path) -> Any:
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError):  # a call, a name; a list as a key
        raise UserError(f"{path}, line {node.lineno}: a declaration must be a literal") from None


def _setting(name: str, call: ast.Call, path: Path) -> Setting:
    values = {keyword.arg: _literal(keyword.value, path) for keyword in call.keywords}
    if len(call.args) == 1:
        values["default"] = _literal(call.args[0], path)
    kinds = {"default": (int, float, bool, str), "doc": (str,), "choices": (tuple, list)}
    kinds |= dict.fromkeys((*_LIMITS, "off"), (int, float))
    if (
        "default" not in values
        or len(call.args) > 1
        or any(type(value) not in kinds.get(key, ()) for key, value in values.items())
        or not all(isinstance(choice, str) for choice in values.get("choices", ()))
        or any(isinstance(value, int) and abs(value) >= 2**63 for value in values.values())
    ):
        raise UserError(
            f"{path}, line {call.lineno}: {name} must be Setting(default, low=, high=, above=, below=, choices=, off=,"
            " doc=) with a number, a truth value or a text as default, numbers as limits and off, and texts as choices"
        )
    setting = Setting(name, **values)
    for key in ("default", "off"):
        try:
            if (value := getattr(setting, key)) is not None:
                setting.check(value, key)
        except UserError as error:
            raise UserError(f"{path}, line {call.lineno}: {name} breaks its own limits: {error}") from None
    return setting
