"""The frame that a small animal is drawn in: an atlas in millimetres, and how it is bent, scaled and laid down.

Atlas coordinates are (z, y, x) [mm]: x to the animal's left, y to its back, z to its nose, the origin in the middle of
a mouse of some 25 g and 90 mm from nose to rump. A mouse lies on its belly, so that its bed is at negative y. Places
and sizes are round figures after micro-CT pictures of mice, from memory, grade C; the masses of the organs, to which
their sizes are then set, have their sources in `phantomsim.phantoms.small_animal.species`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from math import dist, sqrt
from typing import Final

import numpy as np

from phantomsim.phantoms.scene import Part
from phantomsim.physics.grid import Triple
from phantomsim.physics.shapes import UPRIGHT, Rotation, Shape, capsule, ellipsoid, turn
from phantomsim.tissues import get

SIDES: Final = (-1, 1)
"""Right and left: the sign of x."""
HALF: Final = 45.0
"""Half the length from nose to rump in the atlas [mm]."""
SPINE: Final = (
    (-46.0, -40.0, -34.0, -26.0, -18.0, -8.0, 0.0, 6.0, 12.0, 18.0, 22.0),
    (0.0, 1.7, 3.2, 4.5, 5.2, 5.1, 4.0, 2.6, 0.8, -1.4, -2.6),
)
"""Heights z and positions y of the middles of the vertebral bodies [mm]."""


def spine(z: float) -> float:
    """Return the position y of the middle of the vertebral bodies at a height z [mm]."""
    return float(np.interp(z, *SPINE))


def oval(centre: Triple, semi_axes: Triple, rotation: Rotation = UPRIGHT, *, grow: float = 0.0) -> Shape:
    """Return an ellipsoid of the atlas, its semi-axes grown by a margin [mm]."""
    z, y, x = (1e-3 * (a + grow) for a in semi_axes)
    return ellipsoid(_metres(centre), (z, y, x), rotation)


def rod(start: Triple, end: Triple, radius: float, *, flat: float = 1.0) -> Shape:
    """Return a capsule with the ends of its axis at two places [mm]; `flat` is its breadth along x over its depth."""
    z, y, x = ((a + b) / 2 for a, b in zip(start, end, strict=True))
    half = dist(start, end) / 2 + radius
    sizes = (1e-3 * half, 1e-3 * radius / flat**0.5, 1e-3 * radius * flat**0.5)
    return capsule(_metres((z, y, x)), sizes, _lying_along(start, end))


def _lying_along(start: Triple, end: Triple) -> Rotation:
    """Return the rotation that takes local z to the way from one place to another, and local x near x or z."""
    length = dist(start, end)
    a, b, c = ((q - p) / length for p, q in zip(start, end, strict=True))
    if abs(c) < 0.95:
        norm = sqrt(1 - c * c)
        d, e, f = -a * c / norm, -b * c / norm, norm
    else:
        norm = sqrt(1 - a * a)
        d, e, f = norm, -a * b / norm, -a * c / norm
    return ((a, e * c - f * b, d), (b, f * a - d * c, e), (c, d * b - e * a, f))


def chain(places: Sequence[Triple], radii: Sequence[float]) -> list[Shape]:
    """Return a capsule between each pair of neighbouring places, one radius for each [mm]."""
    return [rod(a, b, radius) for (a, b), radius in zip(pairwise(places), radii, strict=True)]


def fill(shapes: Sequence[Shape], tissue: str, name: str) -> list[Part]:
    """Return shapes of one tissue and name."""
    return [Part(shape, get(tissue), name) for shape in shapes]


def swollen(parts: Sequence[Part], factor: float, about: Triple, to: Triple | None = None) -> list[Part]:
    """Return parts larger by a factor, about a place of the atlas [mm] that stays where it is, or moves to another."""
    fixed = 1e-3 * np.asarray(about)
    target = fixed if to is None else 1e-3 * np.asarray(to)
    centres = target + factor * (np.array([part.shape.centre for part in parts]) - fixed)
    return [_moved(p, c, factor, p.shape.rotation) for p, c in zip(parts, centres.tolist(), strict=True)]


def laid_down(parts: Sequence[Part], scale: float, bend: float, level: float, roll: float) -> list[Part]:
    """Return parts of the atlas bent, scaled, shifted along z and rolled about it.

    Parameters
    ----------
    scale
        Length in the animal over length in the atlas.
    bend
        Angle between the axes of head and rump, positive with both to the left [rad].
    level
        Height of the atlas that comes to lie at z = 0 [m].
    roll
        Turn about z, from the left to the back [rad].
    """
    curve = 1e3 * bend / (4 * HALF)  # the midline becomes x = curve z², of slope ±bend / 2 at nose and rump
    z, y, x = np.array([part.shape.centre for part in parts]).T
    angle = np.arctan(2 * curve * z)
    sin, cos, zero = np.sin(angle), np.cos(angle), np.zeros(len(parts))
    centres = np.column_stack([z - x * sin - level, y, curve * z * z + x * cos])
    bent = np.array([[cos, zero, -sin], [zero, zero + 1, zero], [sin, zero, cos]]).transpose(2, 0, 1)
    rolled = np.asarray(turn("z", -roll))
    rotations = rolled @ bent @ np.array([part.shape.rotation for part in parts])
    places = (scale * centres @ rolled.T).tolist()
    return [_moved(p, c, scale, r) for p, c, r in zip(parts, places, rotations.tolist(), strict=True)]


def _moved(part: Part, centre: Sequence[float], factor: float, rotation: Sequence[Sequence[float]]) -> Part:
    """Return a part with another centre [m] and rotation, larger by a factor."""
    shape = part.shape
    (z, y, x), (a, b, c), (first, second, third) = shape.semi_axes, centre, rotation
    turned: Rotation = (tuple(first), tuple(second), tuple(third))  # type: ignore[assignment]
    moved = replace(shape, centre=(a, b, c), semi_axes=(factor * z, factor * y, factor * x), rotation=turned)
    return Part(moved, part.tissue, part.name)


def _metres(place: Triple) -> Triple:
    z, y, x = place
    return (1e-3 * z, 1e-3 * y, 1e-3 * x)
