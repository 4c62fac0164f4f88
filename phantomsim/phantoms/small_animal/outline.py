"""Outside of a small animal: skin, fat and muscle of trunk, head, limbs and tail, a tumour on the flank, the bed."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import sqrt
from typing import Final

import numpy as np

from phantomsim.phantoms.scene import Part
from phantomsim.phantoms.small_animal.frame import SIDES, chain, oval, rod
from phantomsim.physics.grid import Triple
from phantomsim.physics.shapes import Shape, box, cylinder, turn
from phantomsim.tissues import get

SKIN: Final = 0.5
"""Thickness of the skin [mm]."""
JOINT: Final[Triple] = (20.0, 0.2, 0.0)
NECK: Final[Triple] = (20.0, -2.7, 0.0)
"""Where the neck begins in the drawing of the head, and where that comes to lie in the body [mm]."""
ABDOMEN: Final[tuple[Triple, Triple]] = ((-12.0, -0.3, 0.0), (25.0, 9.6, 11.2))
TRUNK: Final[tuple[tuple[Triple, Triple], ...]] = (
    ABDOMEN,
    ((-31.0, -0.6, 0.0), (14.0, 8.2, 9.0)),
    ((-22.0, -2.6, -5.2), (13.5, 6.0, 6.2)),
    ((-22.0, -2.6, 5.2), (13.5, 6.0, 6.2)),
    ((6.0, -1.2, 0.0), (17.5, 8.2, 8.9)),
    ((16.5, -1.6, 0.0), (11.0, 6.4, 7.6)),
)
"""Muscles of the trunk: abdomen, rump, both flanks, chest, shoulders."""
HEAD: Final[tuple[tuple[Triple, Triple], ...]] = (
    ((28.5, 0.1, 0.0), (9.8, 5.6, 6.4)),
    ((30.5, -2.2, 0.0), (7.5, 4.2, 5.6)),
    ((37.0, -1.5, 0.0), (8.0, 3.6, 3.5)),
)
SHOULDER: Final[Triple] = (18.0, -2.8, 5.8)
ELBOW: Final[Triple] = (11.0, -6.0, 8.2)
WRIST: Final[Triple] = (20.0, -8.2, 7.2)
FINGERS: Final[Triple] = (24.5, -9.0, 7.0)
HIP: Final[Triple] = (-36.5, 0.2, 4.9)
KNEE: Final[Triple] = (-26.0, -5.2, 10.0)
ANKLE: Final[Triple] = (-40.5, -7.0, 10.8)
TOES: Final[Triple] = (-28.5, -8.6, 12.4)


def at(place: Triple, side: int) -> Triple:
    """Return a place of the left side, or its mirror image."""
    return (place[0], place[1], side * place[2])


def limbs(margin: float) -> list[Shape]:
    """Return the muscles of arms and legs, grown by a margin [mm]."""
    found = []
    for side in SIDES:
        arm = [at(place, side) for place in (SHOULDER, ELBOW, WRIST, FINGERS)]
        leg = [at(place, side) for place in (HIP, KNEE, ANKLE, TOES)]
        found += chain(arm, [2.2 + margin, 1.15 + margin, 0.6 + margin])
        found += chain(leg, [4.0 + margin, 1.6 + margin, 0.7 + margin])
        calf = tuple(0.68 * a + 0.32 * b for a, b in zip(leg[1], leg[2], strict=True))
        found.append(oval((calf[0], calf[1], calf[2]), (5.2, 2.5, 2.3), grow=margin))
    return found


def trunk(margin: float) -> list[Shape]:
    """Return the muscles of the trunk, grown by a margin [mm]."""
    return [oval(centre, semi_axes, grow=margin) for centre, semi_axes in TRUNK]


def head(margin: float) -> list[Shape]:
    """Return the muscles of the head, grown by a margin [mm]."""
    return [oval(centre, semi_axes, grow=margin) for centre, semi_axes in HEAD]


def ears() -> list[Shape]:
    """Return the ears."""
    return [oval((23.5, 5.4, side * 6.4), (4.4, 3.6, 0.45), turn("z", -side * 0.75)) for side in SIDES]


def tail(length: float) -> list[Triple]:
    """Return places along the axis of a tail of a length, from its root to its tip [mm]."""
    n = 24
    return [(-43.5 - length * i / n, 1.0 - 8.0 * min(1.0, 2.0 * i / n) ** 1.2, 0.0) for i in range(n + 1)]


def tail_radii(n: int) -> list[float]:
    """Return the outer radii of n pieces of a tail [mm]."""
    return [1.9 - 1.3 * sqrt((i + 0.5) / n) for i in range(n)]


def tumour(diameter: float, side: int, z: float) -> tuple[Triple, Triple]:
    """Return middle and semi-axes of a tumour under the skin of a flank [mm], two thirds of it over the muscle."""
    centre, semi_axes = np.asarray(ABDOMEN[0]), np.asarray(ABDOMEN[1])
    along = (z - centre[0]) / semi_axes[0]
    ray = np.array([along, 0.62 * sqrt(1 - along**2), side * 0.785 * sqrt(1 - along**2)])
    surface, normal = centre + semi_axes * ray, ray / semi_axes
    middle = surface + (0.16 * diameter) * normal / np.linalg.norm(normal)
    return (float(middle[0]), float(middle[1]), float(middle[2])), (0.56 * diameter, 0.47 * diameter, 0.475 * diameter)


def bed(parts: Sequence[Part], scale: float) -> list[Part]:
    """Return a shallow trough of acrylic glass under the lowest skin of an animal that is laid down.

    It is what is left of a wide tube when its upper part is air again, and goes below all else.
    """
    skins = [part.shape for part in parts if part.name == "skin"]
    low = min(shape.centre[1] - shape.half_extent[1] for shape in skins)
    bottom, top = (f([s.centre[0] + k * s.half_extent[0] for s in skins]) for f, k in ((min, -1), (max, 1)))
    middle, half = (bottom + top) / 2, (top - bottom) / 2 + 5e-3 * scale
    radius, wall, wide = 0.060 * scale, 0.0012 * scale, 0.0205 * scale
    axis = low + radius - 0.0012 * scale  # the feet stand a little higher than the belly on its sides
    rim = axis - sqrt(radius**2 - wide**2)
    gap = radius + wall
    tube = [cylinder((middle, axis, 0.0), (half, r, r)) for r in (radius + wall, radius)]
    above = box((middle, rim + 2 * gap, 0.0), (2 * half, 2 * gap, 2 * gap))
    return [Part(tube[0], get("pmma"), "bed"), Part(tube[1], get("air"), "bed"), Part(above, get("air"), "bed")]


def skins(fat: float, length: float) -> tuple[list[Shape], list[Shape]]:
    """Return the skin of the body with limbs and tail, and that of the head with ears."""
    body = trunk(fat + SKIN) + limbs(0.3 * fat + SKIN)
    places = tail(length)
    body += [rod(a, b, r) for (a, b), r in zip(pairwise(places), tail_radii(len(places) - 1), strict=True)]
    return body, head(0.35 * fat + SKIN) + ears()
