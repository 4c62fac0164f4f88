"""Random scenes, and an oracle for them that shares nothing with the closed forms under test."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from phantomsim.physics import shapes as s

Float64 = npt.NDArray[np.float64]


def random_shape(rng: np.random.Generator, size: float = 0.1) -> s.Shape:
    """Return a shape of any kind, turned any way, its semi-axes between a tenth of `size` and `size` [m]."""
    centre = tuple(rng.uniform(-size, size, 3))
    semi_axes = tuple(size * 10 ** rng.uniform(-1, 0, 3))
    rotation = s.turn("z", rng.uniform(0, 7))
    if rng.random() < 0.8:  # the rest stays aligned with the axes, where slabs and rays can be parallel
        rotation = s.along(tuple(rng.normal(size=3)))
    match rng.integers(5):
        case 0:
            return s.ellipsoid(centre, semi_axes, rotation)
        case 1:
            return s.cylinder(centre, semi_axes, rotation)
        case 2:
            return s.box(centre, semi_axes, rotation)
        case 3:
            return s.cone(centre, semi_axes, rng.choice([0.0, 0.3, 1.0, 2.0]), rotation)
        case _:
            z, y, x = semi_axes
            return s.capsule(centre, (max(z, np.sqrt(y * x) * rng.uniform(1, 3)), y, x), rotation)


def canonical(shapes: Sequence[s.Shape], points: Float64) -> Float64:
    """Return points (shape, ..., 3) [m] in the canonical coordinates of each shape."""
    local = [(p - np.asarray(c.centre)) @ np.asarray(c.rotation) for c, p in zip(shapes, points, strict=True)]
    return np.stack([p / np.asarray(c.semi_axes) for c, p in zip(shapes, local, strict=True)])


def depth(shapes: Sequence[s.Shape], local: Float64) -> Float64:
    """Return a convex function of points (shape, ..., 3) that is at most 0 in each shape, from its definition alone."""
    columns = (slice(None), *(None,) * (local.ndim - 2))
    kind, param = (np.asarray([getattr(c, name) for c in shapes])[columns] for name in ("kind", "param"))
    z, y, x = np.moveaxis(local, -1, 0)
    radius = np.hypot(y, x)
    return np.select(
        [kind == "ellipsoid", kind == "box", kind == "cylinder", kind == "cone"],
        [
            np.hypot(radius, z) - 1,
            np.maximum(np.maximum(np.abs(z), np.abs(y)), np.abs(x)) - 1,
            np.maximum(np.abs(z), radius) - 1,
            np.maximum(np.abs(z) - 1, radius - (1 + (param - 1) * (z + 1) / 2)),
        ],
        np.hypot(radius, np.maximum(np.abs(z) - param, 0)) - 1,
    )


def held(shapes: Sequence[s.Shape], points: Float64) -> npt.NDArray[np.bool_]:
    """Return which shapes hold which points (..., 3) [m], as (shape, ...)."""
    return depth(shapes, canonical(shapes, np.broadcast_to(points, (len(shapes), *points.shape)))) <= 0


def crossings(shapes: Sequence[s.Shape], start: Float64, end: Float64) -> tuple[Float64, Float64]:
    """Return where segments (shape, ray, 3) enter and leave each shape, as fractions, by search; equal on a miss."""
    first, last = canonical(shapes, start), canonical(shapes, end)

    def at(t: Float64) -> Float64:
        return depth(shapes, first + t[..., None] * (last - first))

    low, high = np.zeros(first.shape[:2]), np.ones(first.shape[:2])
    for _ in range(70):  # the deepest point, by thirds: the depth is convex along a line
        third = (high - low) / 3
        deeper = at(low + third) < at(high - third)
        low, high = np.where(deeper, low, low + third), np.where(deeper, high - third, high)
    deepest = (low + high) / 2
    hit = at(deepest) <= 0
    edges = []
    for outer in (np.zeros_like(low), np.ones_like(low)):
        holds, beyond = deepest, outer
        for _ in range(54):
            middle = (holds + beyond) / 2
            within = at(middle) <= 0
            holds, beyond = np.where(within, middle, holds), np.where(within, beyond, middle)
        edges.append(np.where(hit, np.where(at(outer) <= 0, outer, holds), deepest))
    return edges[0], edges[1]
