"""The namespace of products: what may be named where, and in which order it can be made."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import Final

from phantomsim.dataset.recipe.tree import Path, complaint, dotted, nearest
from phantomsim.physics.errors import RecipeError

NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")
"""Names of products, variants, grids and noise streams: they become folders, attributes and parts of keys."""


@dataclass(frozen=True)
class Reference:
    """A product, or one variable of it.

    Parameters
    ----------
    product
        Name with its section: ``"take.low"``.
    variable
        ``"reading"`` in ``"take.low.reading"``; None for all variables.
    """

    product: str
    variable: str | None = None

    @classmethod
    def parse(cls, text: str) -> Reference:
        """Split ``"take.low.reading"`` into product and variable."""
        section, _, rest = text.partition(".")
        name, _, variable = rest.partition(".")
        return cls(f"{section}.{name}", variable or None)


def check_names(section: str, names: Iterable[str]) -> None:
    """Refuse names that could not be a folder on every system.

    Raises
    ------
    RecipeError
        With the path of the name.
    """
    for name in names:
        if not NAME.fullmatch(name):
            raise RecipeError(
                f"{section}.{dotted((name,))}: names are up to 40 lower-case letters, digits and _, a letter first"
            )


def check_reference(text: str, known: Collection[str], path: Path) -> Reference:
    """Read the name of a product.

    Raises
    ------
    RecipeError
        If there is no such product, naming the nearest.
    """
    reference = Reference.parse(text)
    if reference.product not in known or (reference.variable and not NAME.fullmatch(reference.variable)):
        raise complaint(path, text, f"no such product; {nearest(text, known)}")
    return reference


def in_order(needs: Mapping[str, Iterable[str]]) -> list[str]:
    """Return names so that each comes after those it needs.

    Raises
    ------
    RecipeError
        If names need each other in a circle.
    """
    try:
        return list(TopologicalSorter({name: list(needed) for name, needed in needs.items()}).static_order())
    except CycleError as error:
        circle = " -> ".join(error.args[1][::-1])
        raise RecipeError(f"{error.args[1][0]}: made of itself: {circle}") from None
