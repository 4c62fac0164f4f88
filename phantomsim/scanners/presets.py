"""Scanners by name: what a recipe takes of a known machine where its scan gives no field of its own."""

from __future__ import annotations

import tomllib
from copy import deepcopy
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from typing import Any

from phantomsim.physics.errors import RecipeError

Table = dict[str, Any]


@cache
def _file() -> dict[str, Table]:
    return tomllib.loads((files("phantomsim.scanners") / "presets.toml").read_text("utf-8"))


def names() -> list[str]:
    """Return the name of every preset, in the order of the table."""
    return list(_file())


def summary(name: str) -> str:
    """Return what a preset is and where its numbers come from."""
    return f"{_file()[name]['about']} ({_file()[name]['source']})"


def fields(name: str) -> Table:
    """Return the fields of a scan by the name of its preset.

    Raises
    ------
    RecipeError
        If there is none of that name, naming the nearest one.
    """
    if name not in _file():
        near = get_close_matches(name, names(), 1, cutoff=0.4)
        hint = f"did you mean {near[0]!r}?" if near else f"known presets: {', '.join(names())}"
        raise RecipeError(f"no such preset; {hint}")
    return {key: deepcopy(value) for key, value in _file()[name].items() if key not in ("about", "source")}
