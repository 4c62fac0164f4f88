"""Joseph's cone-beam projection where every detector column is a line along z: a vertical fan of rays.

All rays of such a column cross a plane of voxels at the same line, at heights that step evenly with the row. So the
two nearest lines of voxels are blended first, whole, and the rows then look up the blend; both lie along z in memory.
See `phantomsim.physics.xray.cone_joseph_columns` for the numbers of a column.

References
----------
P. M. Joseph, "An improved algorithm for reprojecting rays through pixel images", IEEE Trans. Med. Imaging 1 (1982)
192-196, doi:10.1109/TMI.1982.4307572.
"""

from __future__ import annotations

from math import ceil, sqrt
from typing import Any, Final

import numpy as np

from phantomsim.physics.kernel import Kernel, Real, loop_nest, scalar
from phantomsim.physics.simd import LANES, add, load, multiply_add, scale, store
from phantomsim.physics.xray.cone_joseph_lanes import look_up, product_sum, ramp, subtract, whole

VIEWS: Final = 2  # of a block: neighbouring views cross the same lines, which stay in the cache
COLUMNS: Final = 32  # of a block


@scalar
def cross_plane(table: Any, view: int, column: int, plane: Real) -> tuple[Real, Real, Real]:
    """Return the line, the height of row 0 and the height of a row where a column crosses a plane [voxel].

    The last is not positive for a plane behind the source.
    """
    line = table[view, column, 0] + table[view, column, 1] * plane
    first = table[view, column, 2] + table[view, column, 3] * plane
    return line, first, table[view, column, 4] + table[view, column, 5] * plane


@scalar
def length(table: Any, view: int, column: int, row: Real) -> Real:
    """Return how long a ray is between two planes [m]."""
    height = table[view, column, 7] + table[view, column, 8] * row
    return sqrt(table[view, column, 6] + height * height)


@scalar
def split_steps(first: Real, step: Real, n: int, begins: Any, parts: Any) -> None:
    """Split every eighth of the positions ``first + step * k``, none negative, into whole number and rest."""
    stride = step * np.float32(np.int32(LANES))
    for k in range(np.uint64(n)):
        position = first + stride * np.float32(np.int32(k))
        begins[k] = np.int32(position)
        parts[k] = position - np.float32(begins[k])


@scalar
def clip_rows(first: Real, step: Real, n_heights: int, n_rows: int) -> tuple[int, int]:
    """Return the first of the rows whose heights lie between 0 and ``n_heights + 1``, and their end."""
    bound = np.float32(np.int32(n_rows))
    none = first - first
    start = min(max(-first / step, none), bound)
    stop = min(max((np.float32(np.int32(n_heights + 1)) - first) / step, none), bound)
    return int(ceil(start)), int(ceil(stop))


@scalar
def _blend(planes: Any, start: int, part: Real, n_heights: int, blend: Any) -> None:
    """Write the line at `start` of the planes and the next one, blended, behind one zero."""
    rest = np.float32(1) - part
    for z in range(0, n_heights, LANES):
        near, far = load(planes, start + z), load(planes, start + n_heights + z)
        store(blend, z + 1, multiply_add(part, far, scale(rest, near)))


@scalar
def _add_rows(blend: Any, begins: Any, parts: Any, step: Real, n: int, sums: Any, start: int) -> None:
    """Add to eights of rows what the blend holds at their heights."""
    for k in range(n):
        begin, at = np.int64(begins[k]), start + LANES * k
        places = ramp(parts[k], step)
        below = whole(places)
        near, far = look_up(blend, begin, below, step), look_up(blend, begin + 1, below, step)
        value = product_sum(subtract(places, below), subtract(far, near), near)
        store(sums, at, add(value, load(sums, at)))


@loop_nest
def _forward_blocks(
    begin: int, end: int, ahead: Any, aside: Any, table: Any, sides: Any, overhang: int, line_integrals: Any
) -> None:
    n_views, n_rows, n_columns = line_integrals.shape
    real = table.dtype.type
    n_heights, width = ahead.shape[2], n_rows + 2 * LANES
    tiles = (n_columns + COLUMNS - 1) // COLUMNS
    blend = np.zeros(1 + n_heights + overhang, table.dtype)
    begins, parts = np.empty(width // LANES, np.int32), np.empty(width // LANES, table.dtype)
    sums = np.empty((VIEWS * COLUMNS, width), table.dtype)
    for block in range(begin, end):
        view0, column0 = VIEWS * (block // tiles), COLUMNS * (block % tiles)
        view1, column1 = min(n_views, view0 + VIEWS), min(n_columns, column0 + COLUMNS)
        sums[:] = 0
        for side in range(2):
            planes = aside if side else ahead
            n_lines = planes.shape[1]
            for plane in range(planes.shape[0]):
                for view in range(view0, view1):
                    for column in range(column0, column1):
                        if sides[view, column] != side:
                            continue
                        line, first, step = cross_plane(table, view, column, real(plane))
                        if step <= 0 or line <= 0 or line >= real(n_lines - 1):
                            continue
                        start, stop = clip_rows(first, step, n_heights, n_rows)
                        if start >= stop:
                            continue
                        below = np.int64(line)
                        _blend(planes, (plane * n_lines + below) * n_heights, line - real(below), n_heights, blend)
                        n = (stop - start + LANES - 1) // LANES
                        split_steps(max(first + step * real(start), real(0)), step, n, begins, parts)
                        place = ((view - view0) * COLUMNS + column - column0) * width + start
                        _add_rows(blend, begins, parts, step, n, sums, place)
        for view in range(view0, view1):
            for row in range(n_rows):
                for column in range(column0, column1):
                    total = sums[(view - view0) * COLUMNS + column - column0, row]
                    line_integrals[view, row, column] = total * length(table, view, column, real(row))


def _forward_thread(i: int, ahead: Any, aside: Any, table: Any, sides: Any, overhang: int, line_integrals: Any) -> None:
    n_rows, n_columns = line_integrals.shape[1], line_integrals.shape[2]
    row, column, view = i % n_rows, i // n_rows % n_columns, i // (n_rows * n_columns)
    planes = aside if sides[view, column] else ahead
    n_lines, n_heights = planes.shape[1], planes.shape[2]
    along = np.float32(np.int32(row))
    total = table[0, 0, 0] - table[0, 0, 0]
    for plane in range(planes.shape[0]):
        line, first, step = cross_plane(table, view, column, np.float32(np.int32(plane)))
        height = first + step * along
        if (
            step <= total - total
            or line <= total - total
            or line >= np.float32(np.int32(n_lines - 1))
            or height <= total - total
            or height >= np.float32(np.int32(n_heights + 1))
        ):
            continue
        j, k = np.int32(line), np.int32(height)
        part = line - np.float32(j)
        above = height - np.float32(k)
        for z in range(max(int(k) - 1, 0), min(int(k) + 1, n_heights)):  # heights count from 1
            weight = above if z == k else np.float32(1) - above
            total += weight * ((np.float32(1) - part) * planes[plane, j, z] + part * planes[plane, j + 1, z])
    line_integrals[view, row, column] = total * length(table, view, column, along)


FORWARD: Final = Kernel(
    "xray.cone_joseph.fans.forward",
    _forward_blocks,
    _forward_thread,
    "real[:,:,::1];real[:,:,::1];real[:,:,::1];uint8[:,::1];int64;real[:,:,::1]",
)
"""Integrate planes across y and x along the rays of every column.

`overhang` is how many heights eight rows and one more cover, at most. A CPU block is a tile of views and columns, a
CUDA thread owns a ray.
"""


def n_forward_blocks(n_views: int, n_columns: int) -> int:
    """Return the number of blocks of `FORWARD`."""
    return -(-n_views // VIEWS) * -(-n_columns // COLUMNS)
