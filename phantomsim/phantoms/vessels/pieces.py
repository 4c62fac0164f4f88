"""Tubes as chains of cones and discs, for scenes.

Between the places where a tube is cut it is a truncated cone, and a thin disc in each cut fills the wedge on the
outside of the bend. The cuts are so close that chain and tube differ by about `TOLERANCE` of the radius.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from phantomsim.phantoms.vessels.frames import cross, frames
from phantomsim.physics.flow.tube import Tube
from phantomsim.physics.grid import Triple
from phantomsim.physics.shapes import Rotation, Shape, cone, cylinder

Float64 = npt.NDArray[np.float64]

TOLERANCE: Final = 0.015
STRAIGHT: Final = 1e-3
"""Corners of fewer radians need no disc."""


def cuts(tube: Tube, low: float = 0.0, high: float = 1.0, *, healthy: bool = False) -> Float64:
    """Return parameters (cut) at which to cut a tube, its ends included.

    A chord of length h leaves its arc by κ h² / 8, and a cone a radius by |r″| h² / 8: the density of cuts is
    √((κ + |r″|) / (8 · tolerance · r)).
    """
    u = np.linspace(low, high, 121)
    _, first, second = tube.curve(u)
    r, slope = tube.healthy(u) if healthy else tube.radius(u)
    speed = np.linalg.norm(first, axis=1)
    curvature = np.sqrt((cross(first, second) ** 2).sum(axis=1)) / speed**3
    swelling = np.abs(np.gradient(slope / speed, u)) / speed
    density = np.sqrt((curvature + swelling) / (8 * TOLERANCE * r)) * speed + 1e-9
    count = np.concatenate([[0.0], np.cumsum((density[1:] + density[:-1]) / 2 * np.diff(u))])
    n = max(int(np.ceil(count[-1])), 1)
    return np.asarray(np.interp(np.linspace(0, count[-1], n + 1), count, u))


def chain(tube: Tube, u: Float64, radii: Float64) -> list[Shape]:
    """Return the cones between cuts of a tube, and the discs in the inner cuts.

    Parameters
    ----------
    tube
        Gives the centreline.
    u
        Parameters of the cuts (cut), rising.
    radii
        Radius at each cut (cut) [m].
    """
    places = tube.curve(u)[0]
    steps = np.diff(places, axis=0)
    lengths = np.sqrt((steps**2).sum(axis=1))
    turned = frames(steps)
    tangents = turned[:, :, 0]
    corner = np.sqrt((cross(tangents[1:], tangents[:-1]) ** 2).sum(axis=1))  # the sine of the angle
    across = frames(tangents[1:] + tangents[:-1])
    shapes: list[Shape] = []
    for i, length in enumerate(lengths):
        wide, ratio = float(radii[i]), float(radii[i + 1] / radii[i])
        middle, axes = _triple((places[i] + places[i + 1]) / 2), (float(length) / 2, wide, wide)
        rotation = _rotation(turned[i])
        if abs(ratio - 1) < 1e-9:
            shapes.append(cylinder(middle, axes, rotation))
        else:
            shapes.append(cone(middle, axes, ratio, rotation))
        if i and corner[i - 1] > STRAIGHT:
            thin = 0.51 * wide * float(corner[i - 1])
            shapes.append(cylinder(_triple(places[i]), (thin, wide, wide), _rotation(across[i - 1])))
    return shapes


def _triple(v: Float64) -> Triple:
    return (float(v[0]), float(v[1]), float(v[2]))


def _rotation(matrix: Float64) -> Rotation:
    return (_triple(matrix[0]), _triple(matrix[1]), _triple(matrix[2]))
