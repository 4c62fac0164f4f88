"""The recipes that come with phantomsim: one folder of ``datasets/`` for each learning problem."""

from __future__ import annotations

import os
from os import PathLike
from pathlib import Path

import phantomsim
from phantomsim.dataset.recipe.tree import nearest
from phantomsim.physics.errors import RecipeError


def folder() -> Path:
    """Return the folder of the shipped recipes: inside an installed package, or beside it in a checkout."""
    package = Path(phantomsim.__file__).parent
    installed = package / "datasets"
    return installed if installed.is_dir() else package.parent / "datasets"


def names() -> list[str]:
    """Return the names of the shipped recipes, sorted."""
    return sorted(path.parent.name for path in folder().glob("*/recipe.toml"))


def summary(name: str) -> str:
    """Return the first line of a shipped recipe, a comment that says what it is."""
    return (folder() / name / "recipe.toml").read_text(encoding="utf-8").partition("\n")[0].lstrip("# ")


def find(source: str | PathLike[str]) -> Path:
    """Return the file of a recipe given as a file, as a folder, or as the name of a shipped one.

    Raises
    ------
    RecipeError
        If there is none, naming the nearest shipped one.
    """
    path = Path(source)
    if path.is_file():
        return path
    if (path / "recipe.toml").is_file():
        return path / "recipe.toml"
    text = os.fspath(source)
    if text in names():
        return folder() / text / "recipe.toml"
    raise RecipeError(f"{text}: neither a file nor a shipped recipe; {nearest(text, names())}")
