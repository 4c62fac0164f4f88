"""Outline of a breast, pendant or between two paddles, and the squeeze that takes one to the other.

Lengths are metres in the frame of the breast: the chest wall is the plane y = 0, the nipple lies before it on the axis
z = x = 0, z points to the head and x to the patient's left. Everything behind the chest wall is cut off, or covered by
the wall itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import cos, pi, sin, sqrt

import numpy as np
import numpy.typing as npt

from phantomsim.phantoms.thorax.frame import tube
from phantomsim.physics.grid import Triple
from phantomsim.physics.shapes import Shape, cylinder, ellipsoid

Points = npt.NDArray[np.float64]

ARC = 24
"""Straight pieces of the rim of a compressed breast."""


@dataclass(frozen=True)
class Outline:
    """Convex shapes whose union, before the chest wall, is a breast.

    Parameters
    ----------
    shapes
        They reach the surface of the skin.
    front
        Distance of the foremost point from the chest wall, without the nipple [m].
    half_height
        Half of the extent along z [m].
    bend
        Least radius of curvature at the foremost point [m].
    """

    shapes: tuple[Shape, ...]
    front: float
    half_height: float
    bend: float

    def within(self, inset: float) -> list[Shape]:
        """Return the shapes whose union lies at least a distance below the surface, and nowhere much deeper [m]."""
        shapes = []
        for shape in self.shapes:
            z, y, x = (a - inset for a in shape.semi_axes)
            straight = shape.param * shape.semi_axes[0] / z  # half the straight part of a capsule over its cap
            shapes.append(replace(shape, semi_axes=(z, y, x), param=straight))
        return shapes


def pendant(semi_axes: Triple, side: int, sag: float, tail: float) -> Outline:
    """Return the outline of a hanging breast.

    An ellipsoid around the middle of its base is filled up below and to the side (`sag`), towards the armpit (`tail`)
    and at the areola; each of the first two is the part of a semi-axis by which it moves there.

    Parameters
    ----------
    semi_axes
        Of the first ellipsoid (z, y, x) [m].
    side
        −1 right, 1 left: the sign of x of the armpit.
    sag, tail
        As above [1].
    """

    def part(centre: Triple, size: Triple) -> Shape:
        z, y, x = (c * a for c, a in zip(centre, semi_axes, strict=True))
        lengths = (size[0] * semi_axes[0], size[1] * semi_axes[1], size[2] * semi_axes[2])
        return ellipsoid((z, y, x), lengths)

    shapes = (
        part((0, 0, 0), (1, 1, 1)),
        part((-sag, 0, 0.5 * side * sag), (0.985, 0.95, 0.985)),
        part((0.8 * tail, 0, tail * side), (0.72, 0.66, 0.72)),
        part((0, -0.40, 0), (0.76, 0.65, 0.76)),
    )
    top = max(abs(s.centre[0]) + s.semi_axes[0] for s in shapes)
    tip = shapes[-1].semi_axes
    return Outline(shapes, 1.05 * semi_axes[1], top, min(tip[0], tip[2]) ** 2 / tip[1])


@dataclass(frozen=True)
class Squeeze:
    """A map of a half ellipsoid to a slab that keeps every volume.

    With the canonical coordinates u of the ellipsoid and r² = u_y² + u_x², the column over a radius r becomes one of
    the slab's thickness: z' = T/2 · u_z / √(1 − r²), and the columns move outwards until the volume within each radius
    is again what it was, r'² = 1 − (1 − r²)^(3/2). Its Jacobian is 1 everywhere. It is a model of compression without
    elasticity: tissue flows sideways, all tissues alike, and the middle plane stays.

    Parameters
    ----------
    semi_axes
        Of the ellipsoid (z, y, x) [m].
    thickness
        Of the slab [m].
    """

    semi_axes: Triple
    thickness: float

    @property
    def spread(self) -> tuple[float, float]:
        """Semi-axes of the slab's elliptic section along (y, x) [m]."""
        z, y, x = self.semi_axes
        factor = sqrt(4 / 3 * z / self.thickness)
        return factor * y, factor * x

    def points(self, points: Points) -> Points:
        """Return where points (…, 3) of the half ellipsoid come to lie."""
        u = points / np.asarray(self.semi_axes)
        within, stretch, _ = self._profile(u)
        y, x = self.spread
        z = self.thickness / 2 * u[..., 0] / np.sqrt(within)
        return np.stack([z, y * stretch * u[..., 1], x * stretch * u[..., 2]], axis=-1)

    def jacobians(self, points: Points) -> Points:
        """Return the derivative (n, 3, 3) of the map at points (n, 3)."""
        u = points / np.asarray(self.semi_axes)
        within, stretch, slope = self._profile(u)
        across = u[:, 1:]
        result = np.zeros((len(points), 3, 3))
        result[:, 0, 0] = self.thickness / 2 / np.sqrt(within)
        result[:, 0, 1:] = (self.thickness / 2 * u[:, 0] * within**-1.5)[:, None] * across
        outer = across[:, :, None] * across[:, None, :]
        result[:, 1:, 1:] = stretch[:, None, None] * np.eye(2) + 2 * slope[:, None, None] * outer
        result[:, 1:] *= np.asarray(self.spread)[:, None]
        result /= np.asarray(self.semi_axes)
        return result

    def shapes(self, shapes: Sequence[Shape]) -> list[Shape]:
        """Return the images of small ellipsoids and capsules.

        An ellipsoid takes the map's derivative at its centre, so that its volume stays exactly; a capsule's ends move
        with the tissue, and it keeps its radius.
        """
        centres = np.asarray([shape.centre for shape in shapes]).reshape(-1, 3)
        reach = np.asarray([np.asarray(s.rotation)[:, 0] * s.param * s.semi_axes[0] for s in shapes]).reshape(-1, 3)
        starts, ends = self.points(centres - reach).tolist(), self.points(centres + reach).tolist()
        moved = self.points(centres).tolist()
        matrices = np.asarray([shape.matrix for shape in shapes]).reshape(-1, 3, 3)
        axes, lengths, _ = np.linalg.svd(self.jacobians(centres) @ matrices)
        images = []
        for i, shape in enumerate(shapes):
            if shape.kind == "capsule":
                images.append(tube(starts[i], ends[i], shape.semi_axes[0]))
            else:
                (z, y, x), (a, b, c) = moved[i], lengths[i].tolist()
                rows = [(row[0], row[1], row[2]) for row in axes[i].tolist()]
                images.append(ellipsoid((z, y, x), (a, b, c), (rows[0], rows[1], rows[2])))
        return images

    def outline(self, volume: float) -> Outline:
        """Return a slab of a volume [m³] with a round rim, in which the squeezed ellipsoid lies.

        It is every point within half the thickness of an ellipse, cut at the chest wall; by Steiner's formula an
        ellipse of area A and perimeter P then has the volume 2 h A + π/2 h² P + 4/3 π h³ about it.
        """
        h, spread = self.thickness / 2, self.spread
        low, high = h / min(spread), 4.0
        for _ in range(40):
            scale = (low + high) / 2
            y, x = (scale * s - h for s in spread)
            total = 2 * h * pi * y * x + pi / 2 * h**2 * _perimeter(y, x) + 4 / 3 * pi * h**3
            low, high = (scale, high) if total < 2 * volume else (low, scale)
        angles = np.linspace(-0.25, pi + 0.25, ARC + 1)
        step = angles[1] - angles[0]
        wider = sqrt(step / sin(step))  # a polygon as large as the ellipse
        rim = [(0.0, -wider * y * sin(angle), wider * x * cos(angle)) for angle in angles]
        pieces = [tube(a, b, h) for a, b in pairwise(rim)]
        return Outline((cylinder((0, 0, 0), (h, y, x)), *pieces), wider * y + h, h, h)

    @staticmethod
    def _profile(u: Points) -> tuple[Points, Points, Points]:
        """Return 1 − r², r'/r and the derivative of r'/r with respect to r², all held short of the rim."""
        square = np.clip(u[..., 1] ** 2 + u[..., 2] ** 2, 1e-9, 0.96)
        within = 1 - square
        stretch = np.sqrt((1 - within**1.5) / square)
        slope = (1.5 * np.sqrt(within) - stretch**2) / (2 * square * stretch)
        return within, stretch, slope


def _perimeter(a: float, b: float) -> float:
    """Return the perimeter of an ellipse, by Ramanujan's second formula (exact to 1e-4 here)."""
    h = ((a - b) / (a + b)) ** 2
    return pi * (a + b) * (1 + 3 * h / (10 + sqrt(4 - 3 * h)))
