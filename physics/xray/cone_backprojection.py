"""Weighted backprojection along cones, one column of voxels at a time.

The voxels of a column along z lie in one plane with the source, and so read one place between two columns of the
detector, flat or bent about a line along z, and rows at equal steps. Hence two columns of the detector are blended
once, row by row, and every voxel of the column interpolates between two rows of the blend.
"""

from __future__ import annotations

from math import hypot, sqrt
from typing import Any, Final

import numpy as np

from phantomsim.physics.array import Array, namespace
from phantomsim.physics.errors import RecipeError
from phantomsim.physics.grid import Grid
from phantomsim.physics.kernel import Kernel, Real, loop_nest, scalar
from phantomsim.physics.xray.cone import ConeBeam
from phantomsim.physics.xray.fan_backprojection import between, on_arc, on_flat

TILE: Final = 8  # columns of voxels along y and x whose sums stay in cache


@scalar
def add_rows(
    left: Any,
    right: Any,
    first: Real,
    second: Real,
    start: Real,
    step: Real,
    rows: Any,
    index: Any,
    part: Any,
    total: Any,
) -> None:
    """Add to a column of voxels what it reads in the blend of two columns of the detector, at equal steps of rows."""
    real = total.dtype.type
    last, n = real(np.int32(left.size - 2)), total.size
    end = start + step * real(np.int32(n - 1))
    bottom = np.int32(min(max(min(start, end), real(0)), last))
    top = np.int32(min(max(max(start, end), real(0)), last)) + 2
    some_rows, some_left, some_right = rows[bottom:top], left[bottom:top], right[bottom:top]
    for r in range(top - bottom):
        some_rows[r] = first * some_left[r] + second * some_right[r]
    for k in range(n):  # apart from the loop below, which does not vectorise, this one does
        place = min(max(start + step * real(np.int32(k)), real(0)), last)
        index[k] = np.int32(place)
        part[k] = place - real(index[k])
    for k in range(n):
        row = np.uint32(index[k])  # an unsigned index needs no check for one counted from the end
        here = rows[row]
        total[k] += here + part[k] * (rows[row + np.uint32(1)] - here)


@loop_nest
def _blocks(begin, end, lines, turns, arc, radius, scale, origin, z, y, x, columns):  # type: ignore[no-untyped-def]
    n_z, n_rows = columns.shape[2], lines.shape[2]
    last = x.dtype.type(np.int32(lines.shape[1] - 2))
    tiles = (x.size + TILE - 1) // TILE
    rows = np.zeros(n_rows, lines.dtype)
    index, part = np.zeros(n_z, np.int32), np.zeros(n_z, lines.dtype)
    for block in range(begin, end):
        y0, x0 = TILE * (block // tiles), TILE * (block % tiles)
        for view in range(lines.shape[0]):
            cosine, sine = turns[view, 0], turns[view, 1]
            for j in range(y0, min(y.size, y0 + TILE)):
                for i in range(x0, min(x.size, x0 + TILE)):
                    along, across = radius + y[j] * cosine - x[i] * sine, y[j] * sine + x[i] * cosine
                    place, weight = on_arc(along, across) if arc else on_flat(along, across)
                    column, first, second = between(origin[1] + place * scale[1], weight, last)
                    up = scale[0] * sqrt(weight)
                    add_rows(
                        lines[view, column],
                        lines[view, column + 1],
                        first,
                        second,
                        origin[0] + up * z[0],
                        up * z[1],
                        rows,
                        index,
                        part,
                        columns[j, i],
                    )


def _thread(i, lines, turns, arc, radius, scale, origin, z, y, x, columns):  # type: ignore[no-untyped-def]
    n_z = columns.shape[2]  # neighbouring threads read neighbouring rows
    k, j, m = i % n_z, i // n_z // x.size, i // n_z % x.size
    last_column, last_row = np.float32(np.int32(lines.shape[1] - 2)), np.float32(np.int32(lines.shape[2] - 2))
    pz = z[0] + z[1] * np.float32(np.int32(k))
    total = np.float32(0)
    for view in range(lines.shape[0]):
        cosine, sine = turns[view, 0], turns[view, 1]
        along, across = radius + y[j] * cosine - x[m] * sine, y[j] * sine + x[m] * cosine
        place, weight = on_arc(along, across) if arc else on_flat(along, across)
        column, first, second = between(origin[1] + place * scale[1], weight, last_column)
        row, low, high = between(origin[0] + scale[0] * sqrt(weight) * pz, np.float32(1), last_row)
        left, right = lines[view, column], lines[view, column + 1]
        total += first * (low * left[row] + high * left[row + 1]) + second * (low * right[row] + high * right[row + 1])
    columns[j, m, k] += total


CONE: Final = Kernel(
    "xray.backproject.cone",
    _blocks,
    _thread,
    "real[:,:,::1];real[:,::1];boolean;real;real[::1];real[::1];real[::1];real[::1];real[::1];real[:,:,::1]",
)


def backproject_cone(projections: Array, scan: ConeBeam, views: slice, grid: Grid, columns: Array) -> None:
    """Add what each voxel's ray reads in some views, over the square of the voxel's distance from the source.

    The distance is that to the axis-parallel line through the source for a cylinder, and along the central ray for a
    flat detector, as filtered backprojection asks. Rows and columns are interpolated linearly and fall to 0 one step
    beyond the detector's ends.

    Parameters
    ----------
    projections
        Filtered projections (view, row, column) of these views.
    scan
        Geometry of all views, on a circle.
    views
        Which views of the scan they are.
    grid
        Voxels of the image. All lie inside the source's circle.
    columns
        Sums (y, x, z), in the projections' unit over m²; they grow.

    Raises
    ------
    RecipeError
        If the grid reaches the source's circle.
    """
    z, y, x = (grid.coordinates(axis) for axis in range(3))
    reach = hypot(np.abs(y).max(), np.abs(x).max())
    if reach >= scan.source_to_axis:
        raise RecipeError(
            f"the grid reaches {1e3 * reach:.4g} mm from the axis, to where the source turns "
            f"(source_to_axis_mm = {1e3 * scan.source_to_axis:.4g}); make the grid smaller or move its centre"
        )
    xp, dtype = namespace(projections), projections.dtype
    angles = scan.angles[views]
    pitches = np.array([scan.row_pitch, scan.column_pitch])
    first = np.array([scan.rows[0], scan.columns[0]])
    CONE(
        -(-y.size // TILE) * -(-x.size // TILE),
        columns.size,
        padded_lines(projections),
        xp.asarray(np.stack([np.cos(angles), np.sin(angles)], axis=1), dtype),
        scan.surface == "cylinder",
        dtype.type(scan.source_to_axis),
        xp.asarray(scan.source_to_detector / pitches, dtype),
        xp.asarray(1 - first / pitches, dtype),  # a row and a column of zeros lead
        xp.asarray(np.array([z[0], grid.spacing[0]]), dtype),
        xp.asarray(y, dtype),
        xp.asarray(x, dtype),
        columns,
    )


def padded_lines(projections: Array) -> Array:
    """Return projections as (view, column, row), zeros before and after the columns and the rows."""
    xp = namespace(projections)
    n_views, n_rows, n_columns = projections.shape
    lines = xp.zeros((n_views, n_columns + 3, n_rows + 3), projections.dtype)
    lines[:, 1:-2, 1:-2] = xp.swapaxes(projections, 1, 2)
    return lines
