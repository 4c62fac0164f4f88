"""A recipe as plain data: what TOML may hold, where in it something stands, and the nearest name to a wrong one."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from typing import Any, Final

from phantomsim.physics.errors import RecipeError

Path = tuple[str | int, ...]
"""Where a value stands: ``("scan", "ct", "tube", "kvp")``, a number for a place in a list."""

DEEPEST: Final = 24
"""Levels of tables and lists; a recipe needs six, and what walks it recurses."""

LARGEST: Final = 2**63 - 1
"""Largest whole number of TOML."""

_BARE = re.compile(r"[A-Za-z0-9_-]{1,64}")


def dotted(path: Path) -> str:
    """Write a path as recipes do: ``scan.ct.tube.kvp``, ``pair[0].input``; never with a line break in it."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            text += ("." if text else "") + _key(step)
    return text


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else shown(name)


def shown(value: Any) -> str:
    """Write a value on one short line, as TOML or nearly so."""
    if isinstance(value, dict):
        text = "{ " + ", ".join(f"{_key(key)} = {shown(entry)}" for key, entry in list(value.items())[:9]) + " }"
    elif isinstance(value, list | tuple):
        text = "[" + ", ".join(shown(entry) for entry in value[:9]) + "]"
    elif isinstance(value, float):
        text = f"{value:.10g}"
    else:
        text = json.dumps(value, default=str)
    return text if len(text) <= 60 else text[:57] + "..."


def complaint(path: Path, value: Any, remedy: str) -> RecipeError:
    """Return the error for one wrong value: its path, the value and what would be right."""
    return RecipeError(f"{dotted(path)} = {shown(value)}: {remedy}")


def nearest(name: str, known: Iterable[str]) -> str:
    """Return ``did you mean 'x'?``, or the first known names where none is near, or that there are none."""
    names = list(known)
    if close := get_close_matches(name, names, 1):
        return f"did you mean {close[0]!r}?"
    if not names:
        return "there are none here"
    return "known: " + ", ".join(names[:12]) + (", ..." if len(names) > 12 else "")


def check_plain(node: Any, path: Path = ()) -> None:
    """Refuse what no recipe holds: dates, NaN, infinities, whole numbers beyond 64 bits, structures without end.

    Raises
    ------
    RecipeError
        With the path of the value.
    """
    if len(path) > DEEPEST:
        raise RecipeError(f"{dotted(path[:4])}...: tables and lists may be nested {DEEPEST} deep, not more")
    if isinstance(node, dict):
        for key, value in node.items():
            check_plain(value, (*path, key))
    elif isinstance(node, list):
        for place, value in enumerate(node):
            check_plain(value, (*path, place))
    elif isinstance(node, float) and not math.isfinite(node):
        raise complaint(path, node, "should be a finite number")
    elif isinstance(node, int) and abs(node) > LARGEST:
        raise RecipeError(f"{dotted(path)}: whole numbers end at {LARGEST} (64 bits)")
    elif not isinstance(node, str | int | float):
        raise complaint(path, node, "dates and times have no place in a recipe")


def leaves(node: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Yield the path and value of everything in a tree that is neither a table nor a list."""
    if isinstance(node, dict):
        for key, value in node.items():
            yield from leaves(value, (*path, key))
    elif isinstance(node, list):
        for place, value in enumerate(node):
            yield from leaves(value, (*path, place))
    else:
        yield path, node


def merged(inherited: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    """Lay the own fields of a twin over those that it inherits; a table of another kind replaces the whole table."""
    result = dict(inherited)
    for name, value in own.items():
        before = result.get(name)
        if (
            isinstance(before, dict)
            and isinstance(value, dict)
            and value.get("kind", before.get("kind")) == before.get("kind")
        ):
            result[name] = merged(before, value)
        else:
            result[name] = value
    return result
