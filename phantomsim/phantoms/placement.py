"""Random placement: numbers in a range, and lesions inside their hosts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Final

import numpy as np
import numpy.typing as npt
from pydantic import Field, model_validator

from phantomsim.phantoms.scene import Part
from phantomsim.physics.errors import RecipeError
from phantomsim.physics.rng import Key, uniform
from phantomsim.physics.shapes import Shape, ellipsoid
from phantomsim.spec import Spec
from phantomsim.tissues import get

Range = tuple[float, float]
PositiveRange = tuple[Annotated[float, Field(gt=0, le=10000)], Annotated[float, Field(gt=0, le=10000)]]

TRIES: Final = 8000
GAP: Final = 5e-4
"""Distance between a lesion and the border of its host, or another lesion [m]."""


def between(key: Key, limits: Range) -> float:
    """Draw a number between two limits."""
    low, high = limits
    return low + (high - low) * float(uniform(key, 1, dtype=np.float64)[0])


def integer_between(key: Key, limits: tuple[int, int]) -> int:
    """Draw an integer from the first limit to the last, both included."""
    low, high = limits
    return low + int((high - low + 1) * float(uniform(key, 1, dtype=np.float64)[0]))


class Lesions(Spec):
    """Balls of another tissue inside organs."""

    count: int = Field(default=0, ge=0, le=1000)
    diameter_mm: PositiveRange = Field(default=(5.0, 20.0), description="smallest and largest")
    tissue: str = "tumor"
    iodine_mg_ml: float = Field(default=0.0, ge=0, le=50, description="iodine taken up by the lesion")
    depth_mm: float = Field(
        default=0.0,
        ge=0,
        le=10000,
        description="centres lie within this depth around z = 0; 0: the slice z = 0 cuts all in half",
    )

    @model_validator(mode="after")
    def _check(self) -> Lesions:
        get(self.tissue)
        if self.diameter_mm[0] > self.diameter_mm[1]:
            raise ValueError(f"diameter_mm must be [smallest, largest], got {list(self.diameter_mm)}")
        return self


def place_lesions(
    lesions: Lesions, parts: Sequence[Part], hosts: Sequence[str], key: Key
) -> tuple[list[Part], tuple[dict[str, Any], ...]]:
    """Place lesions inside parts of the given names, clear of their borders, of later parts, and of each other.

    A diameter is drawn first; then positions are tried until one is free, in hosts taken at random.

    Parameters
    ----------
    lesions
        How many, how large, of what.
    parts
        The scene so far, from the lowest to the topmost.
    hosts
        Names of the parts that may hold a lesion.
    key
        Stream to draw from; lesion i is the same whatever the number of lesions.

    Returns
    -------
        The lesions, to be put on top of the scene, and a row of the truth table for each.

    Raises
    ------
    RecipeError
        If a lesion finds no place.
    """
    tissue = get(lesions.tissue)
    if lesions.iodine_mg_ml:
        tissue = tissue.with_element("I", lesions.iodine_mg_ml)
    homes = [i for i, part in enumerate(parts) if part.name in hosts]
    placed: list[Part] = []
    rows: list[dict[str, Any]] = []
    for number in range(lesions.count):
        stream = key.fold("lesion", number)
        diameter = 1e-3 * between(stream.fold("diameter"), lesions.diameter_mm)
        fitting = [i for i in homes if parts[i].shape.inner_radius > diameter / 2 + GAP]
        draws = uniform(stream.fold("place"), (TRIES, 4), dtype=np.float64)
        for draw in draws if fitting else ():
            home = fitting[int(draw[0] * len(fitting))]
            centre = _candidate(parts[home].shape, diameter / 2 + GAP, draw[1:], 1e-3 * lesions.depth_mm)
            others = [part.shape for part in [*parts[home + 1 :], *placed]]
            if centre is not None and not touches(centre, diameter / 2 + GAP, others):
                break
        else:
            raise RecipeError(
                f"no place for a lesion of {1e3 * diameter:.1f} mm inside {' or '.join(sorted(set(hosts)))}: "
                "ask for fewer or smaller lesions"
            )
        z, y, x = (float(c) for c in centre)
        placed.append(Part(ellipsoid((z, y, x), (diameter / 2,) * 3), tissue, "lesion"))
        rows.append(
            {
                "part": "lesion",
                "host": parts[home].name,
                "centre_mm": [1e3 * z, 1e3 * y, 1e3 * x],
                "diameter_mm": 1e3 * diameter,
                "tissue": tissue.name,
            }
        )
    return placed, tuple(rows)


def _candidate(
    host: Shape, radius: float, draw: npt.NDArray[np.float64], depth: float
) -> npt.NDArray[np.float64] | None:
    """Return a point of the host's bounding box if the ball around it lies in the host.

    The host K is convex and holds a ball of its inner radius ρ, so that a ball of radius r around any point of
    (1 − r / ρ) K, the host shrunk about its centre, lies in K.
    """
    low, high = (np.asarray(host.centre) + sign * np.asarray(host.half_extent) for sign in (-1, 1))
    low[0], high[0] = max(low[0], -depth / 2), min(high[0], depth / 2)
    if low[0] > high[0]:
        return None
    point = low + draw * (high - low)
    grown = np.asarray(host.centre) + (point - host.centre) / (1 - radius / host.inner_radius)
    return point if host.holds(grown) else None


def touches(centre: npt.NDArray[np.float64], radius: float, shapes: Sequence[Shape]) -> bool:
    """Return whether a ball meets any of the shapes, by its surface and centre and by theirs."""
    points = centre + radius * _BALL
    for shape in shapes:
        apart = np.abs(np.asarray(shape.centre) - centre)
        if (apart > np.asarray(shape.half_extent) + radius).any():
            continue
        if shape.holds(points).any() or np.linalg.norm(apart) <= radius:
            return True
    return False


def _ball_points(n: int) -> npt.NDArray[np.float64]:
    """Return the centre of the unit ball and n points spread over its surface and over one of half the radius."""
    turn = np.pi * (1 + np.sqrt(5)) * np.arange(n)  # golden spiral
    z = 1 - (2 * np.arange(n) + 1) / n
    width = np.sqrt(1 - z**2)
    surface = np.column_stack([z, width * np.sin(turn), width * np.cos(turn)])
    return np.vstack([np.zeros(3), surface, surface / 2])


_BALL: Final = _ball_points(256)
