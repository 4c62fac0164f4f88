"""Fractional volumes of materials in voxels.

A voxel's fractions are the mean over lines through it, parallel to x and spread evenly over its section; along each
line they are exact, by the same sweep over crossings as path lengths. A whole row of voxels shares its lines, so the
cost is that of rows, not of voxels.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from phantomsim.physics.array import Array, namespace
from phantomsim.physics.crossings import clip, cross, crossing
from phantomsim.physics.errors import ShapeError
from phantomsim.physics.grid import Grid
from phantomsim.physics.kernel import Kernel, loop_nest, scalar
from phantomsim.physics.overlaps import sweep, visit
from phantomsim.physics.shapes import ShapeTable

LINES: Final = (8, 8)
"""Lines across a voxel along (z, y)."""


@scalar
def _line(index, n, spacing, row):  # type: ignore[no-untyped-def]
    return (row + (index + 0.5) / n) * spacing


@scalar
def _deposit(row, begin, end, weight):  # type: ignore[no-untyped-def]
    # begin and end in voxels; the last voxel may end a rounding error beyond the row
    first, last = int(begin), min(int(end), row.shape[0] - 1)
    if first >= last:
        row[last] += weight * (end - begin)
        return
    row[first] += weight * (first + 1 - begin)
    for i in range(first + 1, last):
        row[i] += weight
    row[last] += weight * (end - last)


@loop_nest
def _blocks(  # type: ignore[no-untyped-def]
    begin,
    stop,
    kinds,
    params,
    inverse,
    planes,
    clips,
    lower,
    upper,
    codes,
    lookup,
    first,
    additive,
    corner,
    spacing,
    lines,
    values,
    unlisted,
):
    n_materials, _, n_y, n_x = values.shape
    n_shapes, n_lines = kinds.shape[0], lines[0] * lines[1]
    origin = np.zeros((3, n_lines), np.float64)
    toward = np.zeros((3, n_lines), np.float64)
    length = np.empty(n_lines, np.float64)
    enter = np.empty((n_shapes, n_lines), np.float64)
    leave = np.empty((n_shapes, n_lines), np.float64)
    level = np.empty(n_shapes, np.int64)
    near = np.empty(n_shapes, np.int64)
    covered = np.empty((2, n_shapes + 1), np.float64)
    stretches = np.empty((2, 2 * n_shapes + 1), np.float64)
    states = np.empty(2 * n_shapes + 1, np.int64)
    volume = np.zeros((n_materials, n_x), np.float64)
    used = np.zeros(n_materials, np.bool_)
    toward[2], length[:], origin[2] = 1.0, n_x * spacing[2], corner[2]
    n_level, listed = 0, -1
    for block in range(begin, stop):
        z, y = block // n_y, block % n_y
        bottom, front = corner[0] + z * spacing[0], corner[1] + y * spacing[1]
        for r in range(n_lines):
            origin[0, r] = corner[0] + _line(r // lines[1], lines[0], spacing[0], z)
            origin[1, r] = corner[1] + _line(r % lines[1], lines[1], spacing[1], y)
        if z != listed:  # rows of a plane share the shapes that reach into it
            n_level, listed = 0, z
            for s in range(n_shapes):
                if lower[s, 0] <= bottom + spacing[0] and upper[s, 0] >= bottom:
                    level[n_level] = s
                    n_level += 1
        n_near = 0
        for k in range(n_level):
            s = level[k]
            if lower[s, 1] <= front + spacing[1] and upper[s, 1] >= front:
                a, b = enter[n_near], leave[n_near]
                cross(kinds[s], params[s], inverse[s], planes, clips[s], origin, toward, length, a, b)
                near[n_near] = s
                n_near += 1
        for r in range(n_lines):
            n = sweep(enter, leave, codes, near, n_near, r, length[r], additive, covered, stretches, states)
            for k in range(n):
                material = lookup[states[k] - first]
                if material >= 0:
                    a, b = stretches[0, k] / spacing[2], stretches[1, k] / spacing[2]
                    _deposit(volume[material], a, b, 1.0 / n_lines)
                    used[material] = True
                else:
                    unlisted[0] = 1
        for m in range(n_materials):
            if used[m]:  # the rest of `values` is zero already
                for x in range(n_x):
                    values[m, z, y, x] = volume[m, x]
                volume[m] = 0.0
                used[m] = False


def _thread(  # type: ignore[no-untyped-def]
    i,
    kinds,
    params,
    inverse,
    planes,
    clips,
    lower,
    upper,
    codes,
    lookup,
    first,
    additive,
    corner,
    spacing,
    lines,
    values,
    unlisted,
):
    z, y = i // values.shape[2], i % values.shape[2]
    n_lines, length = lines[0] * lines[1], values.shape[3] * spacing[2]
    for r in range(n_lines):
        sz = corner[0] + _line(r // lines[1], lines[0], spacing[0], z)
        sy = corner[1] + _line(r % lines[1], lines[1], spacing[1], y)
        t = 0.0
        while t < length:
            state, until = (0 if additive else -1), length
            for s in range(kinds.shape[0] - 1, -1, -1):
                enter, leave = crossing(kinds[s], params[s], inverse[s], sz, sy, corner[2], 0.0, 0.0, 1.0, length)
                enter, leave = clip(planes, clips[s], sz, sy, corner[2], 0.0, 0.0, 1.0, enter, leave)
                state, until = visit(enter, leave, codes[s], t, state, until, additive)
                if state >= 0 and not additive:
                    break
            material = lookup[state - first]
            if material >= 0:
                _deposit(values[material, z, y], t / spacing[2], until / spacing[2], 1.0 / n_lines)
            else:
                unlisted[0] = 1
            t = until


VOXELS = Kernel(
    "voxels.fractions",
    _blocks,
    _thread,
    "int32[::1];float64[::1];float64[:,:,::1];float64[:,::1];int64[:,::1];float64[:,::1];float64[:,::1];int64[::1];int32[::1];int64;boolean;"
    "float64[::1];float64[::1];int64[::1];real[:,:,:,::1];int32[::1]",
    float64_reason="crossings are differences of distances far larger than a voxel's part of them",
)


def fractions(
    table: ShapeTable,
    grid: Grid,
    n_materials: int,
    *,
    n_lines: tuple[int, int] = LINES,
    dtype: npt.DTypeLike = np.float32,
) -> Array:
    """Return the volume fraction of each material in each voxel.

    Parameters
    ----------
    table
        Shapes and their overlap rule.
    grid
        Voxels to fill.
    n_materials
        Number of materials, the background (0) included.
    n_lines
        Lines across a voxel along (z, y).
    dtype
        Type of the result; geometry is float64.

    Returns
    -------
        Fractions (material, z, y, x), summing to 1 in each voxel, on the device of `table`.

    Raises
    ------
    ShapeError
        If shapes of an additive scene cover a point with a sum of codes that the scene does not list.
    """
    xp = namespace(table.kinds)
    values = xp.zeros((n_materials, *grid.shape), dtype=dtype)
    unlisted = xp.zeros(1, dtype=xp.int32)
    n_rows = grid.shape[0] * grid.shape[1]
    corner, spacing = xp.asarray(grid.lower, dtype=xp.float64), xp.asarray(grid.spacing, dtype=xp.float64)
    near = table.near(corner, corner + spacing * xp.asarray(grid.shape))
    lines = xp.asarray(n_lines, dtype=xp.int64)
    VOXELS(n_rows, n_rows, *near.bodies, *near.rule, corner, spacing, lines, values, unlisted)
    if int(unlisted[0]):
        raise ShapeError("shapes overlap where the sum of their codes has no material; list that sum in the scene")
    return values
