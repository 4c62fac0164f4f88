"""Convex shapes under affine maps, and the table of them that kernels read.

Every shape is the image of a canonical one, whose axis is local z: the unit ball, the unit cylinder ``|z| <= 1``, the
cube ``[-1, 1]³``, the cone that narrows from radius 1 at ``z = -1`` to `param` at ``z = 1``, and the capsule, a unit
cylinder ``|z| <= param`` with unit half balls on its ends. Any number of planes may cut parts off. All are convex, so a
ray meets each in one interval.
Geometry is float64 throughout: a chord is a difference of distances far larger than itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import cos, hypot, inf, isfinite, pi, prod, sin, sqrt
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from phantomsim.physics.array import Array, to_device
from phantomsim.physics.errors import ShapeError, UnitError
from phantomsim.physics.grid import Triple

Kind = Literal["ellipsoid", "cylinder", "box", "cone", "capsule"]
Rotation = tuple[Triple, Triple, Triple]
Clip = tuple[float, float, float, float]

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
    clips
        Half-spaces that the shape is cut to, in canonical coordinates, so that they move with it: ``(a, b, c, d)``
        keeps ``a·z + b·y + c·x <= d``. `clipped` makes them from planes in patient coordinates.

    Raises
    ------
    UnitError
        If a length is not positive and finite, `param` is negative, or a clip is not finite.
    ShapeError
        If `rotation` is not orthonormal.
    """

    kind: Kind
    centre: Triple
    semi_axes: Triple
    rotation: Rotation = UPRIGHT
    param: float = 0.0
    clips: tuple[Clip, ...] = ()

    def __post_init__(self) -> None:
        # plain floats: scenes have thousands of shapes, and numpy takes longer to begin than this takes to end
        (a, b, c), (z, y, x) = self.semi_axes, self.centre
        if not (0 < a < inf and 0 < b < inf and 0 < c < inf):
            raise UnitError(f"semi-axes of a {self.kind} must be positive and finite (z, y, x) [m]: {self.semi_axes}")
        if not (isfinite(z) and isfinite(y) and isfinite(x)) or not 0 <= self.param < inf:
            raise UnitError(f"a {self.kind} at {self.centre} [m] with param {self.param} is not finite, or negative")
        if self.rotation is not UPRIGHT and not _orthonormal(self.rotation):
            raise ShapeError(f"rotation must be orthonormal, got {self.rotation}")
        if not all(isfinite(number) for clip in self.clips for number in clip):
            raise UnitError(f"clips of a {self.kind} must be finite, got {self.clips}")

    def clipped(self, normal: Triple, offset: float) -> Shape:
        """Return the part of the shape on one side of a plane, where ``normal · position <= offset``.

        Parameters
        ----------
        normal
            Direction (z, y, x) of what is cut off, of any length: it is made a unit vector.
        offset
            Where the plane lies along the unit normal, from the patient's origin [m].

        Raises
        ------
        UnitError
            If the normal has no direction, or the offset is not finite.
        """
        length = hypot(*normal)
        if not 0 < length < inf or not isfinite(offset):
            raise UnitError(f"a clip needs a normal with a direction and a finite offset, got {normal}, {offset} [m]")
        z, y, x = (n / length for n in normal)
        (zz, zy, zx), (yz, yy, yx), (xz, xy, xx) = self.rotation
        a, b, c = self.semi_axes
        clip = (a * (zz * z + yz * y + xz * x), b * (zy * z + yy * y + xy * x), c * (zx * z + yx * y + xx * x))
        room = offset - (z * self.centre[0] + y * self.centre[1] + x * self.centre[2])
        return replace(self, clips=(*self.clips, (*clip, room)))

    @property
    def uncut(self) -> Shape:
        """The shape without its clips."""
        return replace(self, clips=()) if self.clips else self

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
    def planes(self) -> npt.NDArray[np.float64]:
        """Unit normals (z, y, x) and offsets [m] of the clips in patient coordinates (clip, 4)."""
        clips = np.asarray(self.clips, dtype=np.float64).reshape(-1, 4)
        normals = clips[:, :3] / self.semi_axes @ np.asarray(self.rotation, dtype=np.float64).T
        planes = np.column_stack([normals, clips[:, 3] + normals @ self.centre])
        return np.asarray(planes / np.linalg.norm(normals, axis=1, keepdims=True))

    @property
    def half_extent(self) -> Triple:
        """Half lengths of the smallest box along the patient axes, around `centre`, that holds the uncut shape [m]."""
        z, y, x = (self._reach(row) for row in self.rotation)
        return (z, y, x)

    def _reach(self, row: Triple) -> float:
        axis, y, x = (abs(a * length) for a, length in zip(row, self.semi_axes, strict=True))
        if self.kind == "box":
            return axis + y + x
        across = hypot(y, x)
        if self.kind == "ellipsoid":
            return hypot(axis, across)
        if self.kind == "capsule":
            return hypot(axis, across) + self.param * axis
        return axis + across * (max(1.0, self.param) if self.kind == "cone" else 1.0)

    @property
    def inner_radius(self) -> float:
        """Radius of a ball around `centre` that the shape holds [m]; 0 where clips leave no such ball."""
        along, across = self.semi_axes[0], min(self.semi_axes[1:])
        if self.kind == "cone":  # the slanted side of half angle arctan(|step| / along), seen from the middle
            wide, narrow = max(1.0, self.param) * across, min(1.0, self.param) * across
            across = (wide + narrow) / 2 * along / hypot(along, (wide - narrow) / 2)
        if self.clips:
            centre_to_plane = self.planes[:, 3] - self.planes[:, :3] @ self.centre
            return max(0.0, min(along, across, float(centre_to_plane.min())))
        return min(along, across)

    @property
    def volume(self) -> float:
        """Volume in closed form [m³].

        Raises
        ------
        NotImplementedError
            If the shape is clipped and not an ellipsoid cut once.
        """
        if self.clips:
            if self.kind != "ellipsoid" or len(self.clips) > 1:
                raise NotImplementedError(
                    f"the volume of a {self.kind} with {len(self.clips)} clips has no closed form here; count voxels"
                )
            *normal, offset = self.clips[0]
            depth = min(1.0, max(-1.0, offset / hypot(*normal)))
            return pi * (2 / 3 + depth - depth**3 / 3) * prod(self.semi_axes)
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
        inverse = self.inverse
        local = points @ inverse[:, :3].T + inverse[:, 3]
        z, y, x = local[..., 0], local[..., 1], local[..., 2]
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
        for *normal, offset in self.clips:
            held = held & (local @ normal <= offset)
        return np.asarray(held)


def _orthonormal(rotation: Rotation) -> bool:
    (a, b, c), (d, e, f), (g, h, i) = rotation
    off = (a * a + d * d + g * g - 1, b * b + e * e + h * h - 1, c * c + f * f + i * i - 1)
    across = (a * b + d * e + g * h, a * c + d * f + g * i, b * c + e * f + h * i)
    return all(abs(error) <= 1e-9 for error in (*off, *across))


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
    s, c = sin(angle), cos(angle)
    return {
        "z": ((1.0, 0.0, 0.0), (0.0, c, s), (0.0, -s, c)),
        "y": ((c, 0.0, -s), (0.0, 1.0, 0.0), (s, 0.0, c)),
        "x": ((c, s, 0.0), (-s, c, 0.0), (0.0, 0.0, 1.0)),
    }[axis]


def along(direction: Triple) -> Rotation:
    """Return a rotation that takes local z to a direction (z, y, x); what it does to y and x is arbitrary."""
    length = hypot(*direction)
    if not 0 < length < inf:
        raise UnitError(f"a direction must have a positive, finite length, got {direction}")
    z, y, x = (float(d) / length for d in direction)
    # across the axis and the patient axis that it is farthest from, then across both
    across = min((abs(z), 0, (0.0, x, -y)), (abs(y), 1, (-x, 0.0, z)), (abs(x), 2, (y, -z, 0.0)))[2]
    size = hypot(*across)
    a, b, c = (part / size for part in across)
    return ((z, a, y * c - x * b), (y, b, x * a - z * c), (x, c, z * b - y * a))


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
    planes, clips
        Unit normals and offsets of all clips in patient coordinates (plane, 4) [m], and which of them cut each shape:
        first and one past the last (shape, 2) int64.
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
    planes: Array
    clips: Array
    lower: Array
    upper: Array
    codes: Array
    lookup: Array
    first: int
    additive: bool

    @property
    def bodies(self) -> tuple[Array, ...]:
        """What kernels need of the shapes: kinds, params, inverse, planes, clips, lower and upper corners."""
        return self.kinds, self.params, self.inverse, self.planes, self.clips, self.lower, self.upper

    @property
    def rule(self) -> tuple[Array, Array, int, bool]:
        """Codes, look-up table, its first state, and whether codes add up: what kernels need of the overlap rule."""
        return self.codes, self.lookup, self.first, self.additive

    def near(self, lower: Array, upper: Array) -> ShapeTable:
        """Return the table of the shapes whose bounding boxes meet a box: the others cannot matter inside it.

        Parameters
        ----------
        lower, upper
            Corners of the box (3), (z, y, x) [m], on the device of the table.
        """
        kept = ((self.lower <= upper) & (self.upper >= lower)).all(axis=1)
        names = ("kinds", "params", "inverse", "clips", "lower", "upper", "codes")
        return replace(self, **{name: getattr(self, name)[kept] for name in names})

    def to(self, device: str) -> ShapeTable:
        """Return the table with its arrays on a device."""
        names = ("kinds", "params", "inverse", "planes", "clips", "lower", "upper", "codes", "lookup")
        return replace(self, **{name: to_device(getattr(self, name), device) for name in names})


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
    linear = np.asarray([s.rotation for s in shapes], dtype=np.float64).reshape(n, 3, 3).transpose(0, 2, 1)
    linear = linear / np.asarray([s.semi_axes for s in shapes], dtype=np.float64).reshape(n, 3, 1)
    ends = np.cumsum([len(s.clips) for s in shapes], dtype=np.int64)
    return ShapeTable(
        kinds=np.asarray([CODES[s.kind] for s in shapes], dtype=np.int32),
        params=np.asarray([s.param for s in shapes], dtype=np.float64),
        inverse=np.concatenate([linear, -linear @ centre[:, :, None]], axis=2),
        planes=np.concatenate([np.zeros((0, 4)), *(s.planes for s in shapes if s.clips)]),
        clips=np.column_stack([np.concatenate([[0], ends[:-1]])[:n], ends]).astype(np.int64),
        lower=centre - half,
        upper=centre + half,
        codes=codes,
        lookup=lookup,
        first=first,
        additive=adds,
    )
