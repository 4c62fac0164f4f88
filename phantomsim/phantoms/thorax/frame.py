"""Measures of a thorax, and the two pleural cavities from which wall, ribs and lungs are laid out.

Lengths are metres; x points to the patient's left, y to the back, z to the head, and z = 0 is the carina, where the
trachea divides. Landmarks along z follow textbooks of sectional anatomy, rounded: apex of the lung 10 cm above the
carina, domes of the diaphragm 11 to 13 cm below it in full inspiration.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import cos, hypot, sin, sqrt

import numpy as np

from phantomsim.phantoms.scene import Part, ended
from phantomsim.physics.errors import RecipeError
from phantomsim.physics.grid import Triple
from phantomsim.physics.shapes import Shape, along, capsule, cone, cylinder, ellipsoid, turn

SIDES = (-1, 1)
"""Right and left, as the sign of x."""
SHOULDERS = 0.072
"""Height above which the trunk narrows to the neck [m]."""
TOP = 0.185
"""Where the neck is cut off, before the fifth vertebra of the neck [m]."""


@dataclass(frozen=True)
class Cavity:
    """One pleural cavity: an ellipsoid turned about z so that its front lies nearer to the middle.

    Parameters
    ----------
    centre, semi_axes
        Middle and semi-axes (z, y, x) [m].
    side
        −1 right, 1 left.
    tilt
        Angle by which the front leans to the middle [rad].
    """

    centre: Triple
    semi_axes: Triple
    side: int
    tilt: float

    def shape(self, margin: float = 0.0) -> Shape:
        """Return the ellipsoid grown by a margin [m]."""
        z, y, x = (a + margin for a in self.semi_axes)
        return ellipsoid(self.centre, (z, y, x), turn("z", -self.side * self.tilt))

    def rim(self, angle: float, z: float, margin: float) -> Triple:
        """Return the point at height z of the ellipsoid grown by a margin.

        Angles run from −π/2 in front over 0 at the side to π/2 behind.
        """
        height, depth, width = (a + margin for a in self.semi_axes)
        scale = sqrt(max(1 - ((z - self.centre[0]) / height) ** 2, 0.02))
        y, x = scale * depth * sin(angle), scale * width * cos(angle) * self.side
        lean = -self.side * self.tilt
        return (
            z,
            self.centre[1] + y * cos(lean) + x * sin(lean),
            self.centre[2] - y * sin(lean) + x * cos(lean),
        )

    def tangent(self, angle: float) -> float:
        """Return the angle by which `turn` about z lays a shape's x axis along the rim at an angle [rad]."""
        _, behind, aside = np.subtract(
            self.rim(angle + 0.01, self.centre[0], 0), self.rim(angle - 0.01, self.centre[0], 0)
        )
        return float(np.arctan2(behind, aside))


@dataclass(frozen=True)
class Thorax:
    """Outer measures of a thorax, from which all else follows.

    Parameters
    ----------
    width, depth
        Semi-axes of the skin's outline along x and y, without breasts and arms [m].
    fat
        Thickness of the fat under the skin [m].
    muscle
        Thickness of the muscles outside the ribs, as a factor of an average one [1].
    lung_height
        From the apex to the middle of the pleural ellipsoid [m].
    dome
        Position z of the top of the right diaphragm [m]; the left stands 1 cm lower.
    half_length
        How far the trunk reaches below the carina, and at most above it [m].
    """

    width: float
    depth: float
    fat: float
    muscle: float
    lung_height: float
    dome: float
    half_length: float

    @property
    def wall(self) -> tuple[float, float, float]:
        """Distance from the skin to the pleura at the side, before and behind [m]."""
        beneath = 0.002 + 0.011
        return (
            self.fat + beneath + 0.010 * self.muscle,
            0.8 * self.fat + beneath + 0.010 * self.muscle,
            0.8 * self.fat + beneath + 0.020 * self.muscle,
        )

    @property
    def cavities(self) -> tuple[Cavity, Cavity]:
        """The pleural cavities, right and left."""
        side, front, back = self.wall
        outer = self.width - side
        nearest, farthest = -self.depth + front, 0.94 * self.depth - back
        x = 0.475 * outer
        centre = (0.098 - self.lung_height, (nearest + farthest) / 2, outer - x)
        semi_axes = (self.lung_height, (farthest - nearest) / 2, x)
        right, left = (Cavity((centre[0], centre[1], sign * centre[2]), semi_axes, sign, 0.10) for sign in SIDES)
        return right, left

    def trunk(self, inset: float) -> list[Shape]:
        """Return the trunk within a distance from its surface [m], squarer than an ellipse, with shoulders and neck."""
        x, y = self.width - inset, self.depth - inset
        sections = [(-0.05 * y, 0.0, 0.95 * y, 0.975 * x), (0.10 * y, 0.0, 0.84 * y, x)]
        sections += [(-0.05 * y, side * 0.32 * x, 0.88 * y, 0.665 * x) for side in SIDES]
        low, high = -self.half_length, min(SHOULDERS, self.half_length)
        shapes = [
            cylinder(((low + high) / 2, middle, aside), ((high - low) / 2, deep, wide))
            for middle, aside, deep, wide in sections
        ]
        if self.half_length > SHOULDERS:
            shapes += [
                ellipsoid((high, middle, aside), (0.058 - inset, deep, wide)).clipped((-1.0, 0.0, 0.0), -high)
                for middle, aside, deep, wide in sections
            ]
            shapes += self.neck(inset)
        return shapes

    def neck(self, inset: float) -> list[Shape]:
        """Return the neck within a distance from its surface, and the slope from the shoulders up to it [m]."""
        y, length = self.spine - 0.008, TOP - SHOULDERS
        middle = (SHOULDERS + length / 2, y, 0.0)
        slope = cone((SHOULDERS + 0.040, y + 0.006, 0.0), (0.040, 0.064 - inset, 0.135 - inset), 0.42)
        return [cylinder(middle, (length / 2, 0.064 - inset, 0.060 - inset)), slope]

    def ended(self, parts: Sequence[Part]) -> list[Part]:
        """Return parts cut off at both ends of the trunk."""
        return ended(parts, -self.half_length, min(TOP, self.half_length))

    def recess(self, side: int) -> Shape:
        """Return the front of a lung, which reaches to the middle behind the breast bone."""
        height = 0.72 * self.lung_height
        centre = (0.022 - height, self.front + 0.047, side * 0.038)
        return ellipsoid(centre, (height, 0.044, 0.036), turn("z", side * 0.35))

    @property
    def back(self) -> float:
        """Position y of the hindmost pleura [m]."""
        return 0.94 * self.depth - self.wall[2]

    @property
    def front(self) -> float:
        """Position y of the foremost pleura [m]."""
        return -self.depth + self.wall[1]

    @property
    def spine(self) -> float:
        """Position y of the middle of the vertebral bodies [m]."""
        return self.back - 0.030

    @property
    def trachea(self) -> float:
        """Position y of the carina [m]."""
        return self.spine - 0.036


def strip(start: Triple, end: Triple, outward: Triple, thin: float, high: float) -> Shape:
    """Return a flat capsule around a line [m]: `thin` across a wall that faces `outward`, `high` along the wall."""
    # plain floats: a chest has hundreds of these
    span = (end[0] - start[0], end[1] - start[1], end[2] - start[2])
    length = hypot(*span)
    p, q, r = (s / length for s in span)
    lift = outward[0] * p + outward[1] * q + outward[2] * r
    a, b, c = outward[0] - lift * p, outward[1] - lift * q, outward[2] - lift * r
    size = hypot(a, b, c)
    a, b, c = a / size, b / size, c / size
    rotation = ((p, a, q * c - r * b), (q, b, r * a - p * c), (r, c, p * b - q * a))
    middle = ((start[0] + end[0]) / 2, (start[1] + end[1]) / 2, (start[2] + end[2]) / 2)
    return capsule(middle, (length / 2 + sqrt(thin * high), thin, high), rotation)


def tube(start: Sequence[float], end: Sequence[float], radius: float) -> Shape:
    """Return the capsule around a straight line between two points (z, y, x) [m]."""
    # plain floats: a body has a thousand of these
    (a, b, c), (d, e, f) = ((float(z), float(y), float(x)) for z, y, x in (start, end))
    span = (d - a, e - b, f - c)
    return capsule(((a + d) / 2, (b + e) / 2, (c + f) / 2), (hypot(*span) / 2 + radius, radius, radius), along(span))


def chain(points: Sequence[Sequence[float]], radii: Sequence[float]) -> list[Shape]:
    """Return a capsule between each pair of neighbouring points, one radius for each."""
    return [tube(a, b, r) for a, b, r in zip(points[:-1], points[1:], radii, strict=True)]


def fitted(thorax: Thorax, shape: Shape) -> Shape:
    """Return an ellipsoid with an axis along z, narrowed across it until it lies 2 mm under the skin."""
    trunk = thorax.trunk(0.004)
    angles = np.linspace(0, 2 * np.pi, 36)
    ring = np.column_stack([0 * angles, np.sin(angles), np.cos(angles)])
    while not np.any([s.holds(shape.centre + ring @ shape.matrix.T) for s in trunk], axis=0).all():
        z, y, x = shape.semi_axes
        if x < 0.005:
            raise RecipeError("no room for the muscles of the chest: ask for a wider chest, less fat or less muscle")
        shape = replace(shape, semi_axes=(z, 0.96 * y, 0.94 * x))
    return shape


def moved(shape: Shape, z: float) -> Shape:
    """Return a shape moved along z [m]."""
    return replace(shape, centre=(shape.centre[0] + z, *shape.centre[1:]))
