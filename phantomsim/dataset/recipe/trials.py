"""Draws that stand for all draws of a recipe: if these are right, every sample's is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from phantomsim.dataset.recipe.distribution import Distribution
from phantomsim.dataset.recipe.drawn import DrawnRecipe, draw
from phantomsim.dataset.recipe.outline import Outline
from phantomsim.dataset.recipe.tree import Path, dotted, leaves
from phantomsim.physics.errors import RecipeError
from phantomsim.spec import Spec

MOST_CORNERS: Final = 4096

Place = tuple[Path, int]
"""Where a choice stands: its path, and how many choices stand around it at that very place."""


def corners(outline: Outline) -> Iterator[DrawnRecipe]:
    """Draw a recipe with all distributions at their low and at their high end, for each option of each choice.

    One choice departs from its first option at a time, with those that lead to it; the others stay at their first.

    Raises
    ------
    RecipeError
        If a draw is wrong, or if there are too many options to try.
    """
    waiting: list[dict[Place, int]] = [{}]
    seen: set[tuple[Any, ...]] = set()
    while waiting:
        forced = waiting.pop(0)
        for end in (0, 1):

            def pick(path: Path, depth: int, found: Distribution, end: int = end, forced: Any = forced) -> Any:
                if not found.options:
                    return found.ends[end]
                place = (path, depth)
                around = tuple((at, option) for at, option in forced.items() if path[: len(at[0])] == at[0])
                for option in range(1, len(found.options)):
                    if place not in forced and (around, place, option) not in seen:
                        seen.add((around, place, option))
                        waiting.append(forced | {place: option})
                return found.options[forced.get(place, 0)]

            yield draw(outline, pick)
        if len(seen) > MOST_CORNERS:
            raise RecipeError(f"recipe: its choices have more than {MOST_CORNERS} options in all; too many to check")


def check_shapes(drawn_recipes: Iterable[DrawnRecipe]) -> None:
    """Check that all arrays would have one shape in every sample and level.

    What shapes an array is a field of a scanner, take or method that counts, by its name: `is_count`.

    Raises
    ------
    RecipeError
        With the field that differs.
    """
    first: dict[Path, Any] | None = None
    for drawn in drawn_recipes:
        for counts in _counts(drawn):
            first = counts if first is None else first
            for path in first | counts:
                if first.get(path) != counts.get(path):
                    raise RecipeError(
                        f"{dotted(path)} = {counts.get(path)} in one sample or level and {first.get(path)} in another: "
                        "should be the same in all, for it shapes an array"
                    )


def _counts(drawn: DrawnRecipe) -> Iterator[dict[Path, Any]]:
    specs: dict[Path, Spec] = {("scan", name): scan.scanner for name, scan in drawn.scans.items()}
    specs |= {("image", name, "method"): image.method for name, image in drawn.images.items()}
    for level in range(max((len(take.levels) for take in drawn.takes.values()), default=1)):
        at = {("take", name): take.levels[min(level, len(take.levels) - 1)] for name, take in drawn.takes.items()}
        yield {
            (*prefix, *path): value
            for prefix, spec in (specs | at).items()
            for path, value in leaves(spec.model_dump())
            if is_count(str(path[-1]))
        }


def is_count(field: str) -> bool:
    """Whether a field shapes arrays, by its name: ``n_views``, ``n_columns``, ``keep_every``."""
    return field.startswith("n_") or field == "keep_every"
