"""Which material lies at a point: the overlap rule of a scene, asked at single points.

Shapes are sorted into the cells of a regular grid by their bounding boxes first, so that a point only asks those
that reach into its cell.
"""

from __future__ import annotations

from math import hypot
from typing import Final

import numpy as np

from phantomsim.physics.array import Array, namespace
from phantomsim.physics.errors import ShapeError
from phantomsim.physics.kernel import Kernel, loop_nest, scalar
from phantomsim.physics.shapes import BOX, CAPSULE, CONE, ELLIPSOID, ShapeTable

POINTS: Final = 4096  # points of a CPU block
MOST_CELLS: Final = 16  # along an axis
POINTS_PER_CELL: Final = 8  # fewer, and sorting shapes into cells costs more than it saves


@scalar
def holds(kind, param, inverse, planes, clips, z, y, x):  # type: ignore[no-untyped-def]
    """Return whether a shape holds a point (z, y, x) [m]; its surface belongs to it."""
    for k in range(clips[0], clips[1]):
        if planes[k, 0] * z + planes[k, 1] * y + planes[k, 2] * x > planes[k, 3]:
            return False
    m = inverse
    a = m[0, 0] * z + m[0, 1] * y + m[0, 2] * x + m[0, 3]
    b = m[1, 0] * z + m[1, 1] * y + m[1, 2] * x + m[1, 3]
    c = m[2, 0] * z + m[2, 1] * y + m[2, 2] * x + m[2, 3]
    if kind == ELLIPSOID:
        return a * a + b * b + c * c <= 1.0
    if kind == CAPSULE:
        beyond = max(abs(a) - param, 0.0)
        return beyond * beyond + b * b + c * c <= 1.0
    if abs(a) > 1.0:
        return False
    if kind == BOX:
        return abs(b) <= 1.0 and abs(c) <= 1.0
    side = 0.5 * (1.0 + param) - 0.5 * (1.0 - param) * a if kind == CONE else 1.0
    return hypot(b, c) <= side


@scalar
def _material(kinds, params, inverse, planes, clips, codes, lookup, first, additive, members, begin, end, z, y, x):  # type: ignore[no-untyped-def]
    state = 0 if additive else -1
    for k in range(begin, end):  # from the topmost down
        s = members[k]
        if holds(kinds[s], params[s], inverse[s], planes, clips[s], z, y, x):
            if not additive:
                return lookup[codes[s] - first]
            state += codes[s]
    return lookup[state - first]


def _thread(  # type: ignore[no-untyped-def]
    i, kinds, params, inverse, planes, clips, codes, lookup, first, additive, offsets, members, cells, points, found
):
    begin, end = offsets[cells[i]], offsets[cells[i] + 1]
    z, y, x = points[i, 0], points[i, 1], points[i, 2]
    found[i] = _material(
        kinds, params, inverse, planes, clips, codes, lookup, first, additive, members, begin, end, z, y, x
    )


@loop_nest
def _blocks(  # type: ignore[no-untyped-def]
    begin,
    stop,
    kinds,
    params,
    inverse,
    planes,
    clips,
    codes,
    lookup,
    first,
    additive,
    offsets,
    members,
    cells,
    points,
    found,
):
    for i in range(begin * POINTS, min(stop * POINTS, points.shape[0])):
        low, high = offsets[cells[i]], offsets[cells[i] + 1]
        z, y, x = points[i, 0], points[i, 1], points[i, 2]
        found[i] = _material(
            kinds, params, inverse, planes, clips, codes, lookup, first, additive, members, low, high, z, y, x
        )


INSIDE: Final = Kernel(
    "inside.materials",
    _blocks,
    _thread,
    "int32[::1];float64[::1];float64[:,:,::1];float64[:,::1];int64[:,::1];int64[::1];int32[::1];int64;boolean;"
    "int64[::1];int32[::1];int64[::1];float64[:,::1];int32[::1]",
    float64_reason="a surface is where a sum of squares crosses 1: geometry is float64 everywhere",
)


def materials(table: ShapeTable, points: Array) -> Array:
    """Return the material at each point.

    Parameters
    ----------
    table
        Shapes and their overlap rule, on the device of the points.
    points
        Positions (…, 3), (z, y, x) [m].

    Returns
    -------
        Material (…), int32; 0 where no shape is.

    Raises
    ------
    ShapeError
        If the points do not end in 3 coordinates, or shapes of an additive scene cover one with a sum of codes that
        the scene does not list.
    """
    xp = namespace(points, table.kinds)
    if points.shape[-1:] != (3,):
        raise ShapeError(f"points need coordinates (…, 3), (z, y, x), got an array {points.shape}")
    flat = xp.ascontiguousarray(points, dtype=xp.float64).reshape(-1, 3)
    found = xp.zeros(len(flat), dtype=xp.int32)
    if len(flat):
        shapes = table.bodies[:5]
        n_blocks = -(-len(flat) // POINTS)
        INSIDE(n_blocks, len(flat), *shapes, *table.rule, *sorted_into_cells(table, flat), flat, found)
    if len(flat) and int(found.min()) < 0:
        raise ShapeError("shapes overlap where the sum of their codes has no material; list that sum in the scene")
    return found.reshape(points.shape[:-1])


def sorted_into_cells(table: ShapeTable, points: Array) -> tuple[Array, Array, Array]:
    """Sort shapes into the cells of a regular grid around points (point, 3).

    Returns
    -------
        Where each cell's list begins (cell + 1); numbers of shapes, cell by cell, the topmost first; and the cell of
        each point (point).
    """
    xp = namespace(points, table.kinds)
    n = int(np.clip((len(points) / POINTS_PER_CELL) ** (1 / 3), 1, MOST_CELLS))
    low, high = points.min(axis=0), points.max(axis=0)
    size = xp.maximum((high - low) / n, 1e-12)

    def cell(positions: Array) -> Array:  # the same rounding for boxes and points: none falls beside its shape
        return xp.clip(xp.floor((positions - low) / size), -1, n)

    first, last = cell(table.lower[::-1]), cell(table.upper[::-1])
    last = xp.where(table.upper[::-1] >= low, xp.minimum(last, n - 1), -1)
    first = xp.where(table.lower[::-1] <= high, xp.minimum(first, n - 1), n)
    places = xp.arange(n)[:, None, None]
    z, y, x = xp.moveaxis((places >= first) & (places <= last), 2, 0)  # (cell, shape) along each axis
    meet = z[:, None, None] & y[None, :, None] & x[None, None, :]
    counts = meet.sum(axis=-1).ravel()
    offsets = xp.concatenate([xp.zeros(1, xp.int64), xp.cumsum(counts)]).astype(xp.int64)
    members = (len(table.kinds) - 1 - xp.nonzero(meet)[3]).astype(xp.int32)
    index = xp.clip(cell(points), 0, n - 1).astype(xp.int64)
    return offsets, members, (index[:, 0] * n + index[:, 1]) * n + index[:, 2]
