"""Measures of an abdomen, and the frame in which its organs are laid out.

Organs are placed in a reference frame and stretched with the body: z from the transpyloric plane (lower edge of the
first lumbar vertebra) to the head, y from the middle of that vertebra's body to the back, x from the midline to the
patient's left. In the reference body the peritoneal cavity reaches 117 mm before the vertebra's middle and 127 mm to
either side. Places follow textbooks of sectional anatomy, rounded (grade C).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

import numpy as np

from phantomsim.phantoms.scene import Part
from phantomsim.physics.errors import RecipeError
from phantomsim.physics.grid import Triple
from phantomsim.physics.shapes import UPRIGHT, Rotation, Shape, cylinder, ellipsoid
from phantomsim.tissues import Tissue, get

REFERENCE: Final = (0.117, 0.127)
"""Front and side of the cavity from the middle of the spine in the reference frame (y, x) [m]."""


FLARE: Final = (
    (-0.160, 0.250, 0.13, 0.80, 1.095),
    (-0.160, 0.250, 0.05, 0.86, 1.055),
    (0.130, 0.300, -0.02, 0.93, 1.04),
)
"""Ovals of the hips, the buttocks and the chest: height and half height [m]; middle and semi-axis front to back over
the trunk's depth; semi-axis across over its width; grade C."""


SLACK: Final = 0.975
"""Part of an organ that must lie within the cavity: the rest presses into the muscles."""


@dataclass(frozen=True)
class Abdomen:
    """Outer measures of an abdomen, from which all else follows.

    Parameters
    ----------
    width, depth
        Semi-axes of the skin's outline along x and y [m].
    fat
        Thickness of the fat under the skin at the flanks [m].
    muscle
        Thickness of the muscles over that of an average person [1].
    height
        Heights along the spine over those of the reference [1].
    half_length
        Half length of the trunk along z [m].
    """

    width: float
    depth: float
    fat: float
    muscle: float
    height: float
    half_length: float

    @property
    def outer(self) -> tuple[float, float, float]:
        """Outer face of the muscles at the side, in front and behind [m]: x, y and y."""
        return (
            self.width - 0.002 - self.fat,
            -self.depth + 0.002 + 0.9 * self.fat,
            0.94 * self.depth - 0.002 - 1.1 * self.fat,
        )

    @property
    def spine(self) -> float:
        """Position y of the middle of the first lumbar vertebra's body [m]."""
        return self.outer[2] - 0.060

    @property
    def wall(self) -> float:
        """Thickness of the three flat muscles of the flank together [m]."""
        return 0.018 * self.muscle

    @property
    def rectus(self) -> float:
        """Thickness of the straight muscles in front [m]."""
        return 0.010 * self.muscle

    @property
    def stretch(self) -> Triple:
        """Factors from the reference frame to this body along (z, y, x)."""
        front = self.spine - (self.outer[1] + self.rectus)
        return (self.height, front / REFERENCE[0], (self.outer[0] - self.wall) / REFERENCE[1])

    def lordosis(self, z: float) -> float:
        """Return how far the lumbar spine bends forward at a height of the reference frame, as a shift of y [m]."""
        return -0.013 * float(np.exp(-(((z + 0.090) / 0.060) ** 2))) + 0.006 * float(np.clip(z / 0.1, 0, 1.5))

    def at(self, z: float, y: float, x: float) -> Triple:
        """Return a place of the reference frame, given in mm, in this body [m]."""
        a, b, c = self.stretch
        return (1e-3 * a * z, self.spine + 1e-3 * b * y, 1e-3 * c * x)

    def before(self, z: float, gap: float, x: float) -> Triple:
        """Return the place at a height and x, in mm, that lies `gap` mm before the middle of the local vertebra [m]."""
        height, across = 1e-3 * z * self.height, 1e-3 * x * self.stretch[2]
        return (height, self.spine + self.lordosis(1e-3 * z) - 1e-3 * gap, across)

    def oval(
        self, place: Triple, semi_axes: Triple, scale: Triple = (1.0, 1.0, 1.0), rotation: Rotation = UPRIGHT
    ) -> Shape:
        """Return an ellipsoid whose place and semi-axes are given in mm of the reference frame.

        Semi-axes are scaled by `scale`, not stretched with the body: a large body has more fat, not larger organs.
        """
        z, y, x = (1e-3 * factor * a for factor, a in zip(scale, semi_axes, strict=True))
        return ellipsoid(self.at(*place), (z, y, x), rotation)

    def prism(self, y: tuple[float, float], x: tuple[float, float], inset: float = 0.0) -> Shape:
        """Return an upright elliptic cylinder through the trunk between two y and two x [m], `inset` smaller."""
        semi_axes = (self.half_length, (y[1] - y[0]) / 2 - inset, (x[1] - x[0]) / 2 - inset)
        return cylinder((0.0, (y[0] + y[1]) / 2, (x[0] + x[1]) / 2), semi_axes)

    def waist(self, inset: float) -> list[Shape]:
        """Return upright cylinders of the waist's outline, within a distance from its surface [m]."""
        x, y, z = self.width - inset, self.depth - inset, self.half_length
        corners = [cylinder((0.0, -0.05 * y, side * 0.32 * x), (z, 0.88 * y, 0.665 * x)) for side in (-1, 1)]
        front = cylinder((0.0, -0.05 * y, 0.0), (z, 0.95 * y, 0.975 * x))
        return [front, cylinder((0.0, 0.10 * y, 0.0), (z, 0.84 * y, x)), *corners]

    def trunk(self, inset: float) -> list[Shape]:
        """Return the trunk within a distance from its surface [m].

        It is squarer than an ellipse, and wider at the chest and the hips than at the waist, whose outline the upright
        cylinders have; what is added is fat.
        """
        flare = [
            ellipsoid(
                (height * self.height, behind * self.depth, 0.0),
                (length - inset, deep * self.depth - inset, wide * self.width - inset),
            )
            for height, length, behind, deep, wide in FLARE
        ]
        return [*self.waist(inset), *flare]

    def girdle(self, depth: float) -> list[Shape]:
        """Return the body within the muscles' outer face, less a part 0 to 1 of the wall's thickness."""
        x, front, back = self.outer
        side, before = x - depth * self.wall, front + depth * self.rectus
        behind = back - depth * self.wall
        middle = self.prism((before, self.spine + 0.040), (-side, side))
        corners = [
            self.prism((before + 0.003, behind - 0.008), (-0.98 * side, 0.42 * side)),
            self.prism((before + 0.003, behind - 0.008), (-0.42 * side, 0.98 * side)),
        ]
        return [middle, *corners, self.prism((before + 0.03, behind), (-0.97 * side, 0.97 * side))]

    @cached_property
    def cavity(self) -> list[Shape]:
        """The peritoneal cavity, and behind it on either side of the spine the room of the kidneys."""
        side, front = self.outer[0] - self.wall, self.outer[1] + self.rectus
        middle = self.prism((front, self.spine + 0.025), (-side, side))
        ends = (0.98 * side, -0.48 * side)
        corners = [
            self.prism((front + 0.002, self.spine + 0.018), (min(s * e for e in ends), max(s * e for e in ends)))
            for s in (-1, 1)
        ]
        near, far = 0.17 * side, 0.93 * side
        back = min(self.spine + 0.040, self.outer[2] - self.wall - 0.008)
        rooms = [
            self.prism((self.spine - 0.050, back), (min(s * near, s * far), max(s * near, s * far))) for s in (-1, 1)
        ]
        return [middle, *corners, *rooms]


def settled(shape: Shape, hosts: Sequence[Shape], towards: tuple[float, float]) -> Shape:
    """Return an ellipsoid moved across z, and at last narrowed, until prisms together hold it but for `SLACK`.

    Parameters
    ----------
    shape
        Ellipsoid to move.
    hosts
        Upright elliptic cylinders that may hold it together.
    towards
        Place (y, x) [m] to move to, well inside the hosts.

    Raises
    ------
    RecipeError
        If there is no room for it.
    """
    z, b, a = shape.semi_axes
    middles = np.asarray([host.centre[1:] for host in hosts])
    sizes = np.asarray([host.semi_axes[1:] for host in hosts])
    rotation = SLACK * np.asarray(shape.rotation)[1:]
    for steps in np.split(np.arange(60), [1, 4, 12, 32]):  # most organs fit at once
        places = towards + np.subtract(shape.centre[1:], towards) * 0.98 ** steps[:, None]
        narrow = 0.99 ** np.maximum(steps - 9, 0)
        lengths = np.column_stack([0 * narrow + z, narrow * b, narrow * a])
        # across z alone: the prisms may end, the trunk goes on
        y, x = (
            (places[:, None, axis] + lengths @ (_SPHERE * rotation[axis]).T - middles[:, None, None, axis])
            / sizes[:, None, None, axis]
            for axis in (0, 1)
        )
        if (fits := (y * y + x * x <= 1).any(axis=0).all(axis=1)).any():
            first = int(np.argmax(fits))
            behind, aside, size = float(places[first, 0]), float(places[first, 1]), float(narrow[first])
            return replace(shape, centre=(shape.centre[0], behind, aside), semi_axes=(z, size * b, size * a))
    raise RecipeError("no room for an organ in the abdomen: ask for a wider or deeper one, or for less fat")


def sized(build: Callable[[float], list[Shape]], volume: float, limits: tuple[float, float]) -> list[Shape]:
    """Return the shapes whose union has a volume, to about 1 %.

    Parameters
    ----------
    build
        Makes the shapes from a size; their union grows with it.
    volume
        Wanted volume of the union [m³].
    limits
        Smallest and largest size.
    """
    largest = build(limits[1])
    lower = np.min([np.subtract(s.centre, s.half_extent) for s in largest], axis=0)
    upper = np.max([np.add(s.centre, s.half_extent) for s in largest], axis=0)
    steps = [np.linspace(a, b, 2 * _LATTICE + 1)[1::2] for a, b in zip(lower, upper, strict=True)]
    points = np.stack(np.meshgrid(*steps, indexing="ij"), axis=-1).reshape(-1, 3)
    box = float(np.prod(upper - lower)) / len(points)

    def miss(shapes: list[Shape]) -> float:
        """Return the logarithm of the union's volume over the wanted one."""
        return float(np.log(max(np.any([s.holds(points) for s in shapes], axis=0).sum(), 1) * box / volume))

    (low, high), (under, over) = limits, (miss(build(limits[0])), miss(largest))
    if over <= 0 or under >= 0:
        return largest if over <= 0 else build(low)
    for _ in range(4):  # the false position between powers of the size, and of the bracket where that hardly moves
        share = min(max(under / (under - over), 0.1), 0.9)
        size = low ** (1 - share) * high**share
        shapes = build(size)
        found = miss(shapes)
        if abs(found) < 0.005:
            break
        low, under, high, over = (size, found, high, over) if found < 0 else (low, under, size, found)
    return shapes


def bone(shape: Shape, cortex: float, inside: Tissue, name: str) -> list[Part]:
    """Return a bone, and what fills it within a cortex of the given thickness [m]."""
    z, y, x = shape.semi_axes
    inner = Shape(shape.kind, shape.centre, (z - cortex, y - cortex, x - cortex), shape.rotation, shape.param)
    return [Part(shape, get("cortical_bone"), name), Part(inner, inside, name)]


def _sphere(n: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Return n points spread over the unit sphere (n, 3)."""
    angle = np.pi * (1 + np.sqrt(5)) * np.arange(n)  # golden spiral
    z = 1 - (2 * np.arange(n) + 1) / n
    width = np.sqrt(1 - z**2)
    return np.column_stack([z, width * np.sin(angle), width * np.cos(angle)])


_SPHERE: Final = _sphere(160)
_LATTICE: Final = 20  # points along each axis that count a volume
