"""Convex shapes under affine maps, and the table of them that kernels read.

Every shape is the image of a canonical one, whose axis is local z: the unit ball, the unit cylinder ``|z| <= 1``, the
cube ``[-1, 1]³``, the cone that narrows from radius 1 at ``z = -1`` to `param` at ``z = 1``, and the capsule, a unit
cylinder ``|z| <= param`` with unit half balls on its ends. All are convex, so a ray meets each in one interval.
Geometry is float64 throughout: a chord is a difference of distances far larger than itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import pi, prod, sqrt
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from phantomsim.physics.array import Array, to_device
from phantomsim.physics.errors import ShapeError, UnitError
from phantomsim.physics.grid import Triple

Kind = Literal["ellipsoid", "cylinder", "box", "cone", "capsule"]
Rotation = tuple[Triple, Triple, Triple]

ELLIPSOID: Final = 0
CYLINDER: Final = 1
BOX: Final = 2
CONE: Final = 3
CAPSULE: Final = 4
CODES: Final[dict[Kind, int]] = {
    "ellipsoid": ELLIPSOID,
    "cylinder": CYLINDER,
    "box": BOX,
    "cone": CONE,
    "capsule": CAPSULE,
}
UPRIGHT: Final[Rotation] = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
LARGEST_TABLE: Final = 1 << 20
"""Entries that the table of an additive scene may have: 4 MiB."""


@dataclass(frozen=True)
class Shape:
    """A convex body in patient coordinates; the functions below make one from lengths that a person would give.

    Parameters
    ----------
    kind
        Canonical shape.
    centre
        Image of the canonical shape's origin (z, y, x) [m].
    semi_axes
        Lengths that the canonical units along local (z, y, x) become [m].
    rotation
        Orthonormal 3 × 3 matrix; its columns are the local axes in patient coordinates (z, y, x).
    param
        Radius of a cone's top over that of its bottom, or half length of a capsule's straight part over the cap's.

    Raises
    ------
    UnitError
        If a length is not positive and finite, or `param` is negative.
    ShapeError
        If `rotation` is not orthonormal.
    """

    kind: Kind
    centre: Triple
    semi_axes: Triple
    rotation: Rotation = UPRIGHT
    param: float = 0.0

    def __post_init__(self) -> None:
        if not all(0 < a < np.inf for a in self.semi_axes):
            raise UnitError(f"semi-axes of a {self.kind} must be positive and finite (z, y, x) [m]: {self.semi_axes}")
        if not np.isfinite(self.centre).all() or not 0 <= self.param < np.inf:
            raise UnitError(f"a {self.kind} at {self.centre} [m] with param {self.param} is not finite, or negative")
        matrix = np.asarray(self.rotation)
        if np.abs(matrix.T @ matrix - np.eye(3)).max() > 1e-9:
            raise ShapeError(f"rotation must be orthonormal, got {self.rotation}")

    @property
    def matrix(self) -> npt.NDArray[np.float64]:
        """Linear map from canonical to patient coordinates (3, 3) [m]."""
        return np.multiply(self.rotation, self.semi_axes, dtype=np.float64)

    @property
    def inverse(self) -> npt.NDArray[np.float64]:
        """Affine map from patient to canonical coordinates (3, 4), the last column the shift."""
        linear = np.asarray(self.rotation).T / np.asarray(self.semi_axes)[:, None]
        return np.column_stack([linear, -linear @ np.asarray(self.centre)])

    @property
    def half_extent(self) -> Triple:
        """Half lengths of the smallest box along the patient axes, centred at `centre`, that holds the shape [m]."""
        matrix = self.matrix
        axis, across = np.abs(matrix[:, 0]), np.hypot(matrix[:, 1], matrix[:, 2])
        if self.kind == "ellipsoid":
            half = np.hypot(axis, across)
        elif self.kind == "box":
            half = np.abs(matrix).sum(axis=1)
        elif self.kind == "capsule":
            half = np.hypot(axis, across) + self.param * axis
        else:
            half = axis + across * (max(1.0, self.param) if self.kind == "cone" else 1.0)
        z, y, x = (float(h) for h in half)
        return (z, y, x)

    @property
    def inner_radius(self) -> float:
        """Radius of a ball around `centre` that the shape holds [m]."""
        along, across = self.semi_axes[0], min(self.semi_axes[1:])
        if self.kind == "cone":  # the slanted side of half angle arctan(|step| / along), seen from the middle
            wide, narrow = max(1.0, self.param) * across, min(1.0, self.param) * across
            across = (wide + narrow) / 2 * along / float(np.hypot(along, (wide - narrow) / 2))
        return min(along, across)

    @property
    def volume(self) -> float:
        """Volume in closed form [m³]."""
        canonical = {
            "ellipsoid": 4 * pi / 3,
            "cylinder": 2 * pi,
            "box": 8.0,
            "cone": 2 * pi / 3 * (1 + self.param + self.param**2),
            "capsule": 4 * pi / 3 + 2 * pi * self.param,
        }
        return canonical[self.kind] * prod(self.semi_axes)

    def holds(self, points: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
        """Return which points (…, 3), (z, y, x) [m], lie in the shape or on its surface (…)."""
        z, y, x = np.moveaxis(points @ self.inverse[:, :3].T + self.inverse[:, 3], -1, 0)
        radius = np.hypot(y, x)
        if self.kind == "ellipsoid":
            held = np.hypot(radius, z) <= 1
        elif self.kind == "capsule":
            held = np.hypot(radius, np.maximum(np.abs(z) - self.param, 0)) <= 1
        elif self.kind == "box":
            held = np.maximum(np.maximum(np.abs(z), np.abs(y)), np.abs(x)) <= 1
        else:
            side = (1 + self.param) / 2 - (1 - self.param) / 2 * z if self.kind == "cone" else 1
            held = (np.abs(z) <= 1) & (radius <= side)
        return np.asarray(held)


def ellipsoid(centre: Triple, semi_axes: Triple, rotation: Rotation = UPRIGHT) -> Shape:
    """Return an ellipsoid with the given semi-axes (z, y, x) [m]."""
    return Shape("ellipsoid", centre, semi_axes, rotation)


def cylinder(centre: Triple, semi_axes: Triple, rotation: Rotation = UPRIGHT) -> Shape:
    """Return an elliptic cylinder: half its length along z and the semi-axes along (y, x) [m]."""
    return Shape("cylinder", centre, semi_axes, rotation)


def box(centre: Triple, half_lengths: Triple, rotation: Rotation = UPRIGHT) -> Shape:
    """Return a box with the given half lengths (z, y, x) [m]."""
    return Shape("box", centre, half_lengths, rotation)


def cone(centre: Triple, semi_axes: Triple, top_ratio: float, rotation: Rotation = UPRIGHT) -> Shape:
    """Return a truncated elliptic cone: half its height, the semi-axes (y, x) of its bottom [m], and top over bottom.

    The bottom is at negative local z; `top_ratio` 0 is a pointed cone.
    """
    return Shape("cone", centre, semi_axes, rotation, top_ratio)


def capsule(centre: Triple, semi_axes: Triple, rotation: Rotation = UPRIGHT) -> Shape:
    """Return a capsule: half its whole length along z, caps included, and its semi-axes along (y, x) [m].

    The caps reach √(y·x) beyond the straight part: they are half balls where the section is round.

    Raises
    ------
    UnitError
        If the length does not hold both caps.
    """
    length, y, x = semi_axes
    cap = sqrt(y * x) if y > 0 and x > 0 else 0.0
    if not 0 < cap <= length:
        raise UnitError(f"a capsule's half length {length} must hold its cap {cap} [m]")
    return Shape("capsule", centre, (cap, y, x), rotation, (length - cap) / cap)


def turn(axis: Literal["z", "y", "x"], angle: float) -> Rotation:
    """Return the rotation by an angle [rad] about an axis: z turns x to y, y turns z to x, x turns y to z."""
    sin, cos = float(np.sin(angle)), float(np.cos(angle))
    return {
        "z": ((1.0, 0.0, 0.0), (0.0, cos, sin), (0.0, -sin, cos)),
        "y": ((cos, 0.0, -sin), (0.0, 1.0, 0.0), (sin, 0.0, cos)),
        "x": ((cos, sin, 0.0), (-sin, cos, 0.0), (0.0, 0.0, 1.0)),
    }[axis]


def along(direction: Triple) -> Rotation:
    """Return a rotation that takes local z to a direction (z, y, x); what it does to y and x is arbitrary."""
    axis = np.asarray(direction, dtype=np.float64)
    length = float(np.linalg.norm(axis))
    if not 0 < length < np.inf:
        raise UnitError(f"a direction must have a positive, finite length, got {direction}")
    axis = axis / length
    first = np.cross(axis, np.eye(3)[int(np.argmin(np.abs(axis)))])
    first /= np.linalg.norm(first)
    columns = np.column_stack([axis, first, np.cross(axis, first)])
    rows = [(float(a), float(b), float(c)) for a, b, c in columns]
    return (rows[0], rows[1], rows[2])


@dataclass(frozen=True)
class ShapeTable:
    """Shapes as arrays, with the rule that says what material a point has where they overlap.

    A state runs over the shapes that cover a point: their largest code, or with `additive` the sum of their codes.
    ``lookup[state - first]`` is the material; −1 marks a sum that the scene does not list. Without any shape the state
    is `empty`, and the material is 0, the background.

    Parameters
    ----------
    kinds, params, inverse
        Kind codes (shape) int32, params (shape), affine maps to canonical coordinates (shape, 3, 4).
    lower, upper
        Corners of each shape's bounding box (shape, 3), (z, y, x) [m].
    codes
        Code of each shape (shape), int64.
    lookup
        Material by state (state), int32.
    first
        State of ``lookup[0]``.
    additive
        Whether codes add up; otherwise the largest wins.
    """

    kinds: Array
    params: Array
    inverse: Array
    lower: Array
    upper: Array
    codes: Array
    lookup: Array
    first: int
    additive: bool

    @property
    def rule(self) -> tuple[Array, Array, int, bool]:
        """Codes, look-up table, its first state, and whether codes add up: what kernels need of the overlap rule."""
        return self.codes, self.lookup, self.first, self.additive

    def to(self, device: str) -> ShapeTable:
        """Return the table with its arrays on a device."""
        names = ("kinds", "params", "inverse", "lower", "upper", "codes", "lookup")
        return ShapeTable(
            **{name: to_device(getattr(self, name), device) for name in names},
            first=self.first,
            additive=self.additive,
        )


def layered(shapes: Sequence[Shape], materials: Sequence[int]) -> ShapeTable:
    """Return the table of a scene where a later shape replaces what it covers.

    Parameters
    ----------
    shapes, materials
        Shapes from the lowest to the topmost, and the material of each.
    """
    if len(shapes) != len(materials):
        raise ShapeError(f"{len(shapes)} shapes need as many materials, got {len(materials)}")
    codes = np.arange(len(shapes), dtype=np.int64)
    return _table(shapes, codes, np.asarray([0, *materials], dtype=np.int32), -1, False)


def additive(shapes: Sequence[Shape], codes: Sequence[int], materials: Mapping[int, int]) -> ShapeTable:
    """Return the table of a scene where the codes of all shapes that cover a point add up.

    Parameters
    ----------
    shapes, codes
        Shapes, in any order, and the integer that each adds.
    materials
        Material of each sum; the sum of no shape at all, 0, is the background and needs no entry.

    Raises
    ------
    ShapeError
        If there are not as many codes as shapes, or the sums span more than `LARGEST_TABLE` numbers.
    """
    if len(shapes) != len(codes):
        raise ShapeError(f"{len(shapes)} shapes need as many codes, got {len(codes)}")
    first, last = sum(c for c in codes if c < 0), sum(c for c in codes if c > 0)
    if last - first >= LARGEST_TABLE:
        raise ShapeError(f"sums of the codes span {first} to {last}, more than {LARGEST_TABLE}: use smaller codes")
    lookup = np.full(last - first + 1, -1, dtype=np.int32)
    for total, material in {0: 0, **materials}.items():
        if first <= total <= last:
            lookup[total - first] = material
    return _table(shapes, np.asarray(codes, dtype=np.int64), lookup, first, True)


def _table(
    shapes: Sequence[Shape], codes: npt.NDArray[np.int64], lookup: npt.NDArray[np.int32], first: int, adds: bool
) -> ShapeTable:
    n = len(shapes)
    centre = np.asarray([s.centre for s in shapes], dtype=np.float64).reshape(n, 3)
    half = np.asarray([s.half_extent for s in shapes], dtype=np.float64).reshape(n, 3)
    return ShapeTable(
        kinds=np.asarray([CODES[s.kind] for s in shapes], dtype=np.int32),
        params=np.asarray([s.param for s in shapes], dtype=np.float64),
        inverse=np.asarray([s.inverse for s in shapes], dtype=np.float64).reshape(n, 3, 4),
        lower=centre - half,
        upper=centre + half,
        codes=codes,
        lookup=lookup,
        first=first,
        additive=adds,
    )
