"""The search for a place: a ball inside a convex host, free of all that lies over the host."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from phantomsim.physics.grid import Triple
from phantomsim.physics.rng import Key, permutation, uniform
from phantomsim.physics.shapes import Shape

Float64 = npt.NDArray[np.float64]
Bool = npt.NDArray[np.bool_]

GAP: Final = 5e-4
"""Distance between a lesion and the border of its host, or another lesion [m]."""
TRIES: Final = 8000
SEARCHED: Final = 20_000
"""Points of the lattice in each host that is searched where random tries find nothing."""
BISECTIONS: Final = 60


@dataclass(frozen=True)
class Ground:
    """Shapes from the lowest to the topmost, with their bounding boxes (shape, 3) [m], and balls put in before.

    Parameters
    ----------
    shapes
        Shapes of the scene.
    centres, extents
        Centres and half lengths of their boxes.
    depth
        Centres of new balls lie within this depth around z = 0 [m].
    taken
        Balls that were put in before.
    """

    shapes: tuple[Shape, ...]
    centres: Float64
    extents: Float64
    depth: float
    taken: tuple[Shape, ...] = ()

    @classmethod
    def of(cls, shapes: Sequence[Shape], depth: float) -> Ground:
        """Return the ground that shapes make, with no ball in it."""
        centres = np.array([shape.centre for shape in shapes]).reshape(-1, 3)
        return cls(tuple(shapes), centres, np.array([shape.half_extent for shape in shapes]).reshape(-1, 3), depth)

    def box(self, home: int) -> tuple[Float64, Float64]:
        """Return lower and upper corners (3) of the box that holds all centres in a home; crossed if it is empty."""
        low, high = self.centres[home] - self.extents[home], self.centres[home] + self.extents[home]
        low[0], high[0] = max(low[0], -self.depth / 2), min(high[0], self.depth / 2)
        return low, high

    def touched(self, home: int, centre: Float64, radius: float) -> bool:
        """Return whether a ball in a home meets a later shape, or a ball that was put in before."""
        for ball in self.taken:
            if np.linalg.norm(ball.centre - centre) < radius - GAP + ball.inner_radius:
                return True
        near = (np.abs(self.centres[home + 1 :] - centre) <= self.extents[home + 1 :] + radius).all(axis=1)
        over = [self.shapes[home + 1 + i] for i in np.flatnonzero(near).tolist()]
        return touches(centre, radius, [*over, *self.taken])


def find_place(ground: Ground, homes: Sequence[int], radius: float, key: Key) -> tuple[int, Triple] | None:
    """Return a home and a centre for a ball: drawn at random, or where that fails found on a lattice.

    Parameters
    ----------
    ground
        Where to look.
    homes
        Indices of the shapes that may hold the ball; it must be free of all later shapes.
    radius
        Radius of the ball with the gap around it [m].
    key
        Stream to draw from.
    """
    fitting = [home for home in homes if ground.shapes[home].inner_radius > radius]
    return _tried(ground, fitting, radius, key) or _searched(ground, homes, radius, key)


def _tried(ground: Ground, fitting: Sequence[int], radius: float, key: Key) -> tuple[int, Triple] | None:
    """Return a home and a point in it, the first of many drawn at random that is free, or None."""
    if not fitting:
        return None
    draws = uniform(key, (TRIES, 4), dtype=np.float64)
    chosen = (draws[:, 0] * len(fitting)).astype(np.int64)
    points, inside = np.empty((TRIES, 3)), np.zeros(TRIES, np.bool_)
    for i, home in enumerate(fitting):
        low, high = ground.box(home)
        mine = np.flatnonzero(chosen == i)
        if low[0] <= high[0] and len(mine):
            points[mine] = low + draws[mine, 1:] * (high - low)
            inside[mine] = shrunk_holds(ground.shapes[home], points[mine], radius)
    for n in np.flatnonzero(inside).tolist():
        home = fitting[chosen[n]]
        if not ground.touched(home, points[n], radius):
            return home, _triple(points[n])
    return None


def _searched(ground: Ground, homes: Sequence[int], radius: float, key: Key) -> tuple[int, Triple] | None:
    """Return a home and a free point of the lattice in it, homes and points in random order, or None."""
    large = [home for home in homes if ground.shapes[home].uncut.inner_radius > radius]
    for n in permutation(key.fold("homes"), len(large)).tolist():
        place = _free(ground, large[n], radius, key.fold("lattice", n))
        if place is not None:
            return large[n], place
    return None


def _free(ground: Ground, home: int, radius: float, key: Key) -> Triple | None:
    """Return a free point of a lattice in a home, in random order, or None."""
    low, high = ground.box(home)
    if low[0] > high[0]:
        return None
    wide = high - low
    step = (np.prod(wide[wide > 0]) / SEARCHED) ** (1 / np.count_nonzero(wide))
    counts = np.maximum(np.ceil(wide / step), 1).astype(int)
    axes = [a + w * (np.arange(n) + 0.5) / n for a, w, n in zip(low, wide, counts, strict=True)]
    points = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    points = points[ball_inside(ground.shapes[home], points, radius)]
    for shape in (*ground.shapes[home + 1 :], *ground.taken):
        for offset in radius * _BALL[::64]:  # most points that are not free are told by a few of the ball's
            points = points[~shape.holds(points + offset)]
    for n in permutation(key, len(points)).tolist():
        if not ground.touched(home, points[n], radius):
            return _triple(points[n])
    return None


def shrunk_holds(host: Shape, points: Float64, radius: float) -> Bool:
    """Return for which points (n, 3) the ball around them surely lies in the host.

    The host K is convex and holds a ball of its inner radius ρ, so that a ball of radius r around any point of
    (1 − r / ρ) K, the host shrunk about its centre, lies in K.
    """
    centre = np.asarray(host.centre)
    return host.holds(centre + (points - centre) / (1 - radius / host.inner_radius))


def ball_inside(host: Shape, points: Float64, radius: float) -> Bool:
    """Return for which points (n, 3) the ball around them lies in the host.

    Exact for ellipsoids, boxes and cylinders, cut by planes or whole; for others by `shrunk_holds`, which finds fewer.
    """
    whole = host.uncut
    local = np.abs((points - host.centre) @ np.asarray(host.rotation))
    size = np.asarray(host.semi_axes)
    if host.kind == "ellipsoid":
        inside = to_ellipsoid(local, size) >= radius
    elif host.kind == "box":
        inside = (size - local).min(axis=1) >= radius
    elif host.kind == "cylinder":
        inside = np.minimum(size[0] - local[:, 0], to_ellipsoid(local[:, 1:], size[1:])) >= radius
    else:
        inside = shrunk_holds(whole, points, radius)
    for *normal, offset in host.planes:
        inside &= points @ normal + radius <= offset
    return np.asarray(inside & host.holds(points))


def to_ellipsoid(points: Float64, semi_axes: Float64) -> Float64:
    """Return the distance from points in an ellipsoid, or an ellipse, to its surface.

    The nearest point is x = e² p / (t + e²), with the root t in (−min e², 0] of Σ (e p / (t + e²))² = 1, by bisection.

    Parameters
    ----------
    points
        Absolute coordinates along the axes (n, axis) [m].
    semi_axes
        Semi-axes e (axis) [m].

    References
    ----------
    D. Eberly, "Distance from a Point to an Ellipse, an Ellipsoid, or a Hyperellipsoid", Geometric Tools (2013).
    """
    squared = semi_axes**2
    least = int(np.argmin(semi_axes))
    low, high = np.full(len(points), -squared[least]), np.zeros(len(points))

    def nearest(t: Float64) -> Float64:
        return squared * points / np.maximum(t[:, None] + squared, 1e-15 * squared)

    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        beyond = ((nearest(middle) / semi_axes) ** 2).sum(axis=1) > 1
        low, high = np.where(beyond, middle, low), np.where(beyond, high, middle)
    found = nearest(high)
    found[:, least] = 0.0  # on the plane of symmetry the formula is 0 / 0; the surface gives this coordinate
    found[:, least] = semi_axes[least] * np.sqrt(np.maximum(1 - ((found / semi_axes) ** 2).sum(axis=1), 0))
    return np.asarray(np.linalg.norm(found - points, axis=1))


def touches(centre: Float64, radius: float, shapes: Sequence[Shape]) -> bool:
    """Return whether a ball meets any of the shapes, by its surface and centre and by theirs."""
    points = centre + radius * _BALL
    for shape in shapes:
        apart = np.abs(np.asarray(shape.centre) - centre)
        if (apart > np.asarray(shape.half_extent) + radius).any():
            continue
        if shape.holds(points).any() or np.linalg.norm(apart) <= radius:
            return True
    return False


def _triple(point: Float64) -> Triple:
    z, y, x = (float(c) for c in point)
    return (z, y, x)


def _ball_points(n: int) -> Float64:
    """Return the centre of the unit ball and n points spread over its surface and over one of half the radius."""
    turn = np.pi * (1 + np.sqrt(5)) * np.arange(n)  # golden spiral
    z = 1 - (2 * np.arange(n) + 1) / n
    width = np.sqrt(1 - z**2)
    surface = np.column_stack([z, width * np.sin(turn), width * np.cos(turn)])
    return np.vstack([np.zeros(3), surface, surface / 2])


_BALL: Final = _ball_points(256)
