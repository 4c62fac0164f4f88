"""Shapes as the FORBILD phantoms give them: lengths in cm, x to the patient's right, y to the front, z to the head.

Boxes and cylinders have whole lengths there, ellipsoids half axes; a clip keeps what lies below or above an offset
along a normal. Patient coordinates here run to the left and to the back, so that a FORBILD point is turned by 180°
about z, never mirrored.
"""

from __future__ import annotations

from math import hypot
from typing import Final

import numpy as np

from phantomsim.phantoms.objects.inserts import Point
from phantomsim.physics.shapes import UPRIGHT, Rotation, Shape, along, box, cone, cylinder, ellipsoid

CM: Final = 1e-2


def position(x: float, y: float, z: float) -> Point:
    """Return a FORBILD point as (z, y, x) [mm], for truth tables."""
    return (10 * z + 0.0, -10 * y + 0.0, -10 * x + 0.0)


def ball(centre: Point, radius: float) -> Shape:
    """Return a ball."""
    return ellipsoid(_metres(centre), (radius * CM,) * 3)


def solid_ellipsoid(centre: Point, half_axes: Point, rotation: Rotation = UPRIGHT) -> Shape:
    """Return an ellipsoid with half axes along its x, y and z."""
    return ellipsoid(_metres(centre), _lengths(half_axes), rotation)


def block(centre: Point, edges: Point) -> Shape:
    """Return a box with edges along x, y and z."""
    return box(_metres(centre), _lengths(edges, 0.5))


def tube(centre: Point, radius: float, length: float, axis: Point = (0.0, 0.0, 1.0)) -> Shape:
    """Return a round cylinder."""
    rotation = UPRIGHT if axis == (0.0, 0.0, 1.0) else along(_direction(axis))
    return cylinder(_metres(centre), (length / 2 * CM, radius * CM, radius * CM), rotation)


def spike(centre: Point, radii: tuple[float, float], length: float) -> Shape:
    """Return a cone along y, with the radii of its back and its front end."""
    back, front = radii
    return cone(
        _metres(centre), (length / 2 * CM, back * CM, back * CM), front / back, along(_direction((0.0, 1.0, 0.0)))
    )


def oval_tube(centre: Point, half_axes: tuple[float, float], length: float, rotation: Rotation = UPRIGHT) -> Shape:
    """Return an elliptic cylinder with half axes along its x and y."""
    x, y = half_axes
    return cylinder(_metres(centre), _lengths((x, y, length / 2)), rotation)


def frame(*, z: Point, x: Point) -> Rotation:
    """Return the rotation whose z and x axes point along FORBILD directions; they must be at right angles."""
    axis, side = (np.asarray(_direction(v), dtype=np.float64) for v in (z, x))
    axis /= np.linalg.norm(axis)
    side -= axis * (axis @ side)
    side /= np.linalg.norm(side)
    columns = np.column_stack([axis, np.cross(side, axis), side])
    rows = [(float(a), float(b), float(c)) for a, b, c in columns]
    return (rows[0], rows[1], rows[2])


def below(shape: Shape, normal: Point, offset: float) -> Shape:
    """Return the part of a shape below an offset [cm] along a normal (x, y, z), which is made a unit vector."""
    return shape.clipped(_direction(normal), offset * CM)


def above(shape: Shape, normal: Point, offset: float) -> Shape:
    """Return the part of a shape above an offset [cm] along a normal (x, y, z), which is made a unit vector."""
    x, y, z = normal
    return below(shape, (-x, -y, -z), -offset)


def offset_of(normal: Point, point: Point) -> float:
    """Return the offset [cm] of the plane with this normal through a point (x, y, z)."""
    return sum(a * b for a, b in zip(normal, point, strict=True)) / hypot(*normal)


def _direction(vector: Point) -> Point:
    x, y, z = vector
    return (z, -y, -x)


def _metres(point: Point) -> Point:
    z, y, x = position(*point)
    return (1e-3 * z, 1e-3 * y, 1e-3 * x)


def _lengths(xyz: Point, scale: float = 1.0) -> Point:
    x, y, z = (scale * CM * length for length in xyz)
    return (z, y, x)
