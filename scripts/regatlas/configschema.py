"""What a config may hold: its schema, the defaults it fills in, and what is said of what it does not allow."""

import functools
import math
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from regatlas import configfiles, registry
from regatlas.errors import UserError, clip, nearest, short

SCHEMA = Path(__file__).parents[2] / "workflow" / "schemas" / "config.schema.yaml"
RESERVED = ("data", "reference", "runs", "logs", "atlas.html", "readme.md")  # in small letters
# keys of the study's training that change no result
NOT_OF_A_RUN = ("checkpoint_minutes", "runs_per_process", "tensorboard")
_SHOWN = 5  # complaints in one message; more would scroll the first one away
_LARGEST = 2**63 - 1
_TYPES = {
    "object": "a mapping (key: value)", "null": "null", "array": "a list", "string": "text", "number": "a number",
    "integer": "a whole number", "boolean": "true or false",
}  # fmt: skip


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


def completed(config: Any) -> dict[str, Any]:
    """A copy of ``config`` with every default filled in.

    Raises:
        UserError: the schema does not allow all of it.
    """
    return _complete(schema(), _valid(config))


def elsewhere(key: Any, method: str = "") -> str:
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
            f"{inside}{clip(str(key))}: no such key{elsewhere(key, method) or nearest(key, known)}"
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


def _where(path: Any) -> str:
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f"{'.' if text else ''}{clip(str(part))}"
    return text


def _kind(value: Any) -> str:
    return "nothing" if value is None else f"{type(value).__name__} {short(value)}"
