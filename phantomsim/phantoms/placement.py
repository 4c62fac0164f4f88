"""Random placement: lesions inside their hosts, clear of borders, of other parts and of each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from phantomsim.phantoms.lesions.forms import build
from phantomsim.phantoms.lesions.search import GAP, Ground, find_place, touches
from phantomsim.phantoms.lesions.spec import Lesions
from phantomsim.phantoms.ranges import PositiveRange, Range, between, integer_between
from phantomsim.phantoms.scene import Part
from phantomsim.physics.errors import RecipeError
from phantomsim.physics.rng import Key
from phantomsim.physics.shapes import ellipsoid

__all__ = ["GAP", "Lesions", "PositiveRange", "Range", "between", "integer_between", "place_lesions", "touches"]


def place_lesions(
    lesions: Lesions, parts: Sequence[Part], hosts: Sequence[str], key: Key
) -> tuple[list[Part], tuple[dict[str, Any], ...]]:
    """Place lesions inside parts of the given names, clear of their borders, of later parts, and of each other.

    The diameter of the ball around a lesion is drawn first; then positions are tried until one is free, in hosts taken
    at random; where none is found, a lattice of points in each host is searched. Last the lesion is built in its ball.

    Parameters
    ----------
    lesions
        How many, how large, of what form and matter.
    parts
        The scene so far, from the lowest to the topmost.
    hosts
        Names of the parts that may hold a lesion.
    key
        Stream to draw from; lesion i is the same whatever the number of lesions.

    Returns
    -------
        The lesions, to be put on top of the scene, and a row of the truth table for each: host, place and
        ``diameter_mm`` of the ball that holds it; form, tissue, uptake and enhancement; ``volume_mm3`` of all of it
        with the ``equivalent_diameter_mm`` of a ball as large, and of what is ``inside`` it; how many lobes, spicules
        and calcifications.

    Raises
    ------
    RecipeError
        If a lesion finds no place.
    """
    ground = Ground.of([part.shape for part in parts], 1e-3 * lesions.depth_mm)
    homes = [i for i, part in enumerate(parts) if part.name in hosts]
    placed: list[Part] = []
    rows: list[dict[str, Any]] = []
    for number in range(lesions.count):
        stream = key.fold("lesion", number)
        diameter = 1e-3 * between(stream.fold("diameter"), lesions.diameter_mm)
        found = find_place(ground, homes, diameter / 2 + GAP, stream.fold("place"))
        if found is None:
            raise RecipeError(
                f"no place for a lesion of {1e3 * diameter:.1f} mm inside {' or '.join(sorted(set(hosts)))}: "
                "ask for fewer or smaller lesions"
            )
        home, centre = found
        ground = replace(ground, taken=(*ground.taken, ellipsoid(centre, (diameter / 2,) * 3)))
        lesion = build(lesions, centre, diameter / 2, stream.fold("form"))
        placed += lesion.parts
        rows.append(
            {
                "part": "lesion",
                "host": parts[home].name,
                "centre_mm": [1e3 * c for c in centre],
                "diameter_mm": 1e3 * diameter,
                **lesion.row,
            }
        )
    return placed, tuple(rows)
