"""Commands that make nothing: list, init, validate, schema."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import typer

from phantomsim.commands.output import columns, tell
from phantomsim.dataset.recipe import Recipe, shipped
from phantomsim.physics.errors import RecipeError, ResourceError
from phantomsim.registry import PHANTOMS, RECONSTRUCTORS, SCANNERS
from phantomsim.scanners import presets


def list_kinds(as_json: bool) -> None:
    """Show every phantom, scanner, reconstructor, preset and shipped recipe with a line of help."""
    found: dict[str, Mapping[str, str]] = {
        f"{registry.noun}s": {kind: registry.summary(kind) for kind in registry.kinds()}
        for registry in (PHANTOMS, SCANNERS, RECONSTRUCTORS)
    }
    found["presets"] = {name: presets.summary(name) for name in presets.names()}
    found["recipes"] = {name: shipped.summary(name) for name in shipped.names()}
    width = max(len(name) for entries in found.values() for name in entries)
    text = "\n\n".join(
        "\n".join([title, *(f"  {name:<{width}}  {line}" for name, line in entries.items())])
        for title, entries in found.items()
    )
    tell(found, as_json, text)


def copy_recipe(name: str, to: Path | None) -> None:
    """Copy a shipped recipe.

    Raises
    ------
    RecipeError
        If there is no such recipe, or a file is in the way.
    ResourceError
        If it cannot be written.
    """
    text = shipped.find(name).read_text(encoding="utf-8")
    target = Path(f"{name}.toml") if to is None else to
    try:
        with target.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise RecipeError(f"{target}: there is a file of this name; give another with --out") from None
    except OSError as error:
        raise ResourceError(f"{target}: cannot be written: {error.strerror}") from None
    typer.echo(target)


def validate(source: str, as_json: bool) -> None:
    """Say what is in a recipe that is right."""
    recipe = Recipe.load(source)
    found = recipe.outline
    sections = {"scans": found.scans, "takes": found.takes, "images": found.images, "truths": found.truths}
    result = {
        "name": recipe.name,
        "digest": recipe.digest,
        "samples": recipe.samples,
        "splits": dict(recipe.splits),
        **{section: list(entries) for section, entries in sections.items()},
        "pairs": [[pair.input, pair.target] for pair in found.pairs],
    }
    shown = {name: ", ".join(value) for name, value in result.items() if isinstance(value, list) and name in sections}
    pairs = ", ".join(f"{pair.input} -> {pair.target}" for pair in found.pairs)
    rows = {"recipe": f"{recipe.name} is right", "digest": recipe.digest[:12], "samples": recipe.samples}
    tell(result, as_json, columns({**rows, **shown, "pairs": pairs}))


def schema() -> None:
    """Show the JSON Schema of recipes."""
    from phantomsim.dataset.recipe.schema import recipe_schema

    typer.echo(json.dumps(recipe_schema(), indent=1))
