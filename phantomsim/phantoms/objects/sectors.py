"""Rods in sectors of a circle: the pattern of Derenzo and Jaszczak."""

from __future__ import annotations

from collections.abc import Sequence
from math import cos, hypot, pi, sin, sqrt, tan

Place = tuple[float, float]


def sector_rods(diameter: float, pitch: float, radius: float, angle: float, n_sectors: int) -> list[Place]:
    """Return the axes of equal rods that fill one sector of a circle.

    Rods stand on a triangular lattice of which one axis runs across the sector. The first rod stands where its
    clearance from the sector's sides, and so that of all rods, is half the gap between rods or more.

    Parameters
    ----------
    diameter, pitch
        Of the rods, and the distance between their axes.
    radius
        Of the circle that holds all rods.
    angle
        Of the sector's middle, from x towards y [rad].
    n_sectors
        Sectors in the circle.

    Returns
    -------
        Axes (y, x), in the unit of the lengths.
    """
    half, step = pi / n_sectors, pitch * sqrt(3) / 2
    side = pitch / 2  # an axis is that far from a side: half a gap beside the rod
    first = side / sin(half)
    n_rows = max(0, int((radius - diameter / 2 - first) / step) + 1)
    places = []
    for row in range(n_rows):
        along = first + row * step
        n_across = int((along * tan(half) - side / cos(half)) / (pitch / 2) + 1e-9)
        for i in range(-n_across, n_across + 1):
            across = i * pitch / 2
            if (i - row) % 2 == 0 and hypot(along, across) + diameter / 2 <= radius:
                places.append((along * sin(angle) + across * cos(angle), along * cos(angle) - across * sin(angle)))
    return places


def sectors(diameters: Sequence[float], ratio: float, radius: float) -> list[tuple[float, float, Place]]:
    """Return every rod of a circle with one sector a diameter, the first sector's middle at the top.

    Parameters
    ----------
    diameters
        Of the rods of each sector.
    ratio
        Distance between axes over diameter.
    radius
        Of the circle that holds all rods.

    Returns
    -------
        Diameter, pitch and axis (y, x) of each rod.
    """
    rods = []
    for i, diameter in enumerate(diameters):
        angle = 2 * pi * i / len(diameters) - pi / 2
        places = sector_rods(diameter, ratio * diameter, radius, angle, len(diameters))
        rods += [(diameter, ratio * diameter, place) for place in places]
    return rods
