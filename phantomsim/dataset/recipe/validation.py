"""Validate one table of a recipe against a Spec, and say what is wrong in words that name the field."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal, TypeVar, get_args, get_origin

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from phantomsim.dataset.recipe.tree import Path, dotted, nearest, shown
from phantomsim.physics.errors import RecipeError
from phantomsim.registry import Registry
from phantomsim.spec import Spec

S = TypeVar("S", bound=Spec)

MOST_ERRORS = 3
"""Errors of one table that are told; with a line for the rest the message stays under five lines."""


def validate(spec: type[S], table: Mapping[str, Any], path: Path, origins: Mapping[Path, Any] | None = None) -> S:
    """Return a table as a Spec, types strict: no text for a number, no 1 for true.

    Parameters
    ----------
    spec
        Class to validate against.
    table
        Fields and values, drawn.
    path
        Where the table stands in the recipe.
    origins
        Distributions that values were drawn from, by path, to be named beside a wrong draw.

    Raises
    ------
    RecipeError
        With path, value and remedy of up to three wrong fields, one a line.
    """
    try:
        return spec.model_validate_json(json.dumps(table), strict=True)
    except ValidationError as error:
        found = error.errors(include_url=False)
    lines = list(dict.fromkeys(_sentence(spec, table, path, detail, origins or {}) for detail in found))
    if len(lines) > MOST_ERRORS:
        lines[MOST_ERRORS:] = [f"and {len(lines) - MOST_ERRORS} more in {dotted(path)}"]
    raise RecipeError("\n".join(lines))


def validate_kind(
    registry: Registry, table: Mapping[str, Any], path: Path, origins: Mapping[Path, Any] | None = None
) -> Spec:
    """Return a table as the Spec that its ``kind`` names in a registry.

    Raises
    ------
    RecipeError
        If ``kind`` is missing or unknown, or as `validate`.
    """
    kind = table.get("kind")
    if kind is None:
        raise RecipeError(f"{dotted((*path, 'kind'))} is missing; one of: {', '.join(registry.kinds())}")
    if not isinstance(kind, str) or kind not in registry.kinds():
        raise RecipeError(f"{dotted((*path, 'kind'))} = {shown(kind)}: {nearest(str(kind), registry.kinds())}")
    try:
        spec = registry.get(kind)
    except RecipeError as error:
        raise RecipeError(f"{dotted((*path, 'kind'))} = {shown(kind)}: {error}") from None
    return validate(spec, table, path, origins)


def _sentence(
    spec: type[Spec], table: Mapping[str, Any], path: Path, detail: ErrorDetails, origins: Mapping[Path, Any]
) -> str:
    inside, parent = _in_table(table, detail["loc"], detail["type"] == "missing")
    where, value = dotted((*path, *inside)), detail["input"]
    match detail["type"]:
        case "missing" if isinstance(detail["loc"][-1], int):
            return f"{where} = {shown(value)}: value {detail['loc'][-1] + 1} is missing"
        case "missing":
            return f"{where} is missing"
        case "union_tag_not_found":
            return f"{where}.kind is missing"
        case "extra_forbidden":
            known = [name for name in _fields(spec, table, inside[:-1]) if name not in parent]
            return f"{where}: no such field here; {nearest(str(inside[-1]), known)}"
        case "union_tag_invalid":
            kinds = re.findall(r"'([^']*)'", detail["ctx"]["expected_tags"])
            return f"{where}.kind = {shown(value['kind'])}: {nearest(str(value['kind']), kinds)}"
        case "literal_error":
            options = re.findall(r"'([^']*)'", detail["ctx"]["expected"]) or [detail["ctx"]["expected"]]
            remedy = nearest(str(value), options)
        case _:
            remedy = " ".join(detail["msg"].removeprefix("Value error, ").removeprefix("Input ").split())
            remedy = remedy if len(remedy) <= 300 else remedy[:297] + "..."
    if isinstance(value, dict) and detail["type"] == "value_error":  # a rule over several fields
        return f"{where}: {remedy}"
    if detail["type"] in {"int_type", "int_from_float"} and isinstance(value, float):
        remedy = "should be a whole number; integers = [low, high] draws them"
    drawn = next((origins[at] for n in range(len(inside), -1, -1) if (at := (*path, *inside[:n])) in origins), None)
    if drawn is not None and not {"normal", "lognormal", "poisson"}.isdisjoint(drawn):
        remedy += "; min and max cut tails off"
    return f"{where} = {shown(value)}" + (f" (drawn from {shown(drawn)})" if drawn is not None else "") + f": {remedy}"


def _in_table(table: Any, location: tuple[int | str, ...], missing: bool) -> tuple[Path, Any]:
    """Drop the steps of a pydantic location that name a branch of a union, not a field; return also the last parent."""
    path: list[str | int] = []
    node, parent = table, table
    for place, step in enumerate(location):
        held = step in node if isinstance(node, dict) else isinstance(node, list) and step in range(len(node))
        if held or (missing and place == len(location) - 1 and isinstance(node, dict)):
            path.append(step)
            parent, node = node, node[step] if held else None
    return tuple(path), parent


def _fields(spec: type[Spec], table: Any, path: Path) -> Iterator[str]:
    """Yield the names of the fields that a Spec, or the Spec within it that `path` leads to, could hold."""
    specs, node = [spec], table
    for step in path:
        node = node[step]
        if isinstance(step, str):
            specs = [
                inner for s in specs if step in s.model_fields for inner in _specs(s.model_fields[step].annotation)
            ]
        kind = node.get("kind") if isinstance(node, dict) else None
        specs = [s for s in specs if kind in _kinds(s)] or specs
    for found in specs:
        yield from found.model_fields


def _specs(annotation: Any) -> list[type[Spec]]:
    if isinstance(annotation, type) and get_origin(annotation) is None and issubclass(annotation, Spec):
        return [annotation]
    return [spec for argument in get_args(annotation) for spec in _specs(argument)]


def _kinds(spec: type[Spec]) -> tuple[Any, ...]:
    field = spec.model_fields.get("kind")
    return get_args(field.annotation) if field is not None and get_origin(field.annotation) is Literal else ()
