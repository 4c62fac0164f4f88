"""Joseph's cone-beam projection ray by ray, for a source and a detector in any pose.

A ray crosses the planes of voxels across the axis along which it runs fastest, and takes from each the value at the
crossing, bilinear between four voxels. There are six ways to run: along z, y and x, up (even) and down (odd); each
nest works on the rays of one. Planes are padded by zeros, one before and two behind, so a crossing beside the grid is
held to where they read zero.

References
----------
P. M. Joseph, "An improved algorithm for reprojecting rays through pixel images", IEEE Trans. Med. Imaging 1 (1982)
192-196, doi:10.1109/TMI.1982.4307572.
"""

from __future__ import annotations

from math import ceil, floor, sqrt
from typing import Any, Final

import numpy as np

from phantomsim.physics.kernel import Kernel, Real, loop_nest, scalar

ROWS: Final = 64
COLUMNS: Final = 4
"""Rays of a tile: neighbours read neighbouring voxels, plane after plane."""
PADDING: Final = 3


@scalar
def direct(frames: Any, rows: Any, columns: Any, view: int, row: int, column: int) -> tuple[Real, Real, Real]:
    """Return the way from the source to a pixel (plane, line, height) [voxel]."""
    along, out, up = rows[0, row] * columns[0, column], rows[0, row] * columns[1, column], rows[1, row]
    frame = frames[view]
    return (
        frame[1, 0] + along * frame[2, 0] + out * frame[3, 0] + up * frame[4, 0],
        frame[1, 1] + along * frame[2, 1] + out * frame[3, 1] + up * frame[4, 1],
        frame[1, 2] + along * frame[2, 2] + out * frame[3, 2] + up * frame[4, 2],
    )


@scalar
def measure(spacing: Any, plane: Real, line: Real, height: Real) -> Real:
    """Return how long a ray of this direction is between two planes [m]."""
    z, y, x = plane * spacing[0], line * spacing[1], height * spacing[2]
    return sqrt(z * z + y * y + x * x) / abs(plane)


@scalar
def planes_ahead(source: Real, down: int, n_planes: int) -> tuple[int, int]:
    """Return the first plane in front of the source on a way up or down, and the end."""
    bound, none = np.float32(np.int32(n_planes)), source - source
    if down:
        return 0, int(ceil(min(max(source, none), bound)))
    return int(floor(min(max(source + np.float32(1), none), bound))), n_planes


@scalar
def hold(place: Real, n: int) -> Real:
    """Return a place among `n` padded voxels, held to where they read zero."""
    zero = place - place
    return min(max(place, zero), np.float32(np.int32(n - 2)))


@scalar
def _way(frames: Any, rows: Any, columns: Any, view: int, row: int, column: int) -> int:
    z, y, x = direct(frames, rows, columns, view, row, column)
    along, across = abs(y), abs(x)
    if abs(z) > max(along, across):
        return 1 if z < z - z else 0
    if along < across * np.float32(0.9999999):
        return 5 if x < x - x else 4
    return 3 if y < y - y else 2


@loop_nest
def _choose_blocks(begin: int, end: int, frames: Any, rows: Any, columns: Any, ways: Any) -> None:
    for view in range(begin, end):
        for row in range(ways.shape[1]):
            for column in range(ways.shape[2]):
                ways[view, row, column] = _way(frames, rows, columns, view, row, column)


def _choose_thread(i: int, frames: Any, rows: Any, columns: Any, ways: Any) -> None:
    n_rows, n_columns = ways.shape[1], ways.shape[2]
    view, row, column = i // (n_rows * n_columns), i // n_columns % n_rows, i % n_columns
    ways[view, row, column] = _way(frames, rows, columns, view, row, column)


@scalar
def trace_tile(
    frames: Any,
    spacing: Any,
    rows: Any,
    columns: Any,
    ways: Any,
    way: int,
    view: int,
    row0: int,
    column0: int,
    lines: Any,
    indices: Any,
) -> int:
    """Trace the rays of a tile that run one way; return their number.

    Written to `lines` (5, ray): line and slope, height and slope, in padded voxels, from plane 0; length [m].
    """
    n = 0
    n_rows, n_columns = ways.shape[1], ways.shape[2]
    source = frames[view, 0]
    for row in range(row0, min(n_rows, row0 + ROWS)):
        for column in range(column0, min(n_columns, column0 + COLUMNS)):  # other lines: their cache misses overlap
            if ways[view, row, column] == way:
                plane, line, height = direct(frames, rows, columns, view, row, column)
                lines[1, n], lines[3, n] = line / plane, height / plane
                lines[0, n] = source[1] + np.float32(1) - source[0] * lines[1, n]
                lines[2, n] = source[2] + np.float32(1) - source[0] * lines[3, n]
                lines[4, n] = measure(spacing, plane, line, height)
                indices[n] = (view * n_rows + row) * n_columns + column
                n += 1
    return n


@scalar
def locate_tile(lines: Any, n: int, plane: Real, n_lines: int, n_heights: int, places: Any, parts: Any) -> None:
    """Write where the rays of a tile cross a plane: voxel (of one plane), parts of a voxel in line and height."""
    width = np.int32(n_heights)
    for k in range(np.uint64(n)):
        line = hold(lines[0, k] + lines[1, k] * plane, n_lines)
        height = hold(lines[2, k] + lines[3, k] * plane, n_heights)
        j, i = np.int32(line), np.int32(height)
        places[k] = j * width + i
        parts[0, k], parts[1, k] = line - np.float32(j), height - np.float32(i)


@scalar
def planes_crossed(lines: Any, n: int, first: int, stop: int, n_lines: int, n_heights: int) -> tuple[int, int]:
    """Return the first of the planes that some ray of a tile crosses inside the padding, and their end."""
    last_line, last_height = np.float32(np.int32(n_lines - 2)), np.float32(np.int32(n_heights - 2))
    begin, end = np.float32(np.int32(stop)), np.float32(np.int32(first))
    none = lines[0, 0] - lines[0, 0]
    for k in range(np.uint64(n)):
        enter, leave = np.float32(np.int32(first)) + none, np.float32(np.int32(stop)) + none
        for axis in range(2):
            place, slope = lines[2 * axis, k], lines[2 * axis + 1, k]
            last = last_height if axis else last_line
            if slope != none:
                a, b = -place / slope, (last - place) / slope
                enter, leave = max(enter, min(a, b)), min(leave, max(a, b))
            elif place <= none or place >= last:
                leave = enter
        if enter < leave:
            begin, end = min(begin, enter), max(end, leave)
    return max(first, int(begin)), min(stop, int(end) + 1)


@loop_nest
def _forward_blocks(
    begin: int,
    end: int,
    planes: Any,
    frames: Any,
    spacing: Any,
    rows: Any,
    columns: Any,
    ways: Any,
    way: int,
    sums: Any,
) -> None:
    real = frames.dtype.type
    n_planes, n_lines, n_heights = planes.shape
    across, down = (ways.shape[2] + COLUMNS - 1) // COLUMNS, (ways.shape[1] + ROWS - 1) // ROWS
    voxels = planes.reshape(-1)
    lines = np.zeros((5, ROWS * COLUMNS), frames.dtype)
    indices, places = np.empty(ROWS * COLUMNS, np.int64), np.empty(ROWS * COLUMNS, np.int32)
    parts, totals = np.empty((2, ROWS * COLUMNS), frames.dtype), np.empty(ROWS * COLUMNS, frames.dtype)
    for block in range(begin, end):
        view, tile = block // (across * down), block % (across * down)
        row0, column0 = tile // across * ROWS, tile % across * COLUMNS
        n = trace_tile(frames, spacing, rows, columns, ways, way, view, row0, column0, lines, indices)
        if n == 0:
            continue
        first, stop = planes_ahead(frames[view, 0, 0], way % 2, n_planes)
        first, stop = planes_crossed(lines, n, first, stop, n_lines, n_heights)
        totals[:] = 0
        for plane in range(first, stop):
            locate_tile(lines, n, real(plane), n_lines, n_heights, places, parts)
            level = voxels[plane * n_lines * n_heights : (plane + 1) * n_lines * n_heights]
            for k in range(np.uint64(n)):
                place, part, rise = np.uint64(places[k]), parts[0, k], parts[1, k]
                near = level[place] + rise * (level[place + np.uint64(1)] - level[place])
                above = place + np.uint64(n_heights)
                far = level[above] + rise * (level[above + np.uint64(1)] - level[above])
                totals[k] += near + part * (far - near)
        for k in range(n):
            sums[indices[k]] = lines[4, k] * totals[k]


def _forward_thread(
    i: int, planes: Any, frames: Any, spacing: Any, rows: Any, columns: Any, ways: Any, way: int, sums: Any
) -> None:
    n_rows, n_columns = ways.shape[1], ways.shape[2]
    view, row, column = i // (n_rows * n_columns), i // n_columns % n_rows, i % n_columns
    if ways[view, row, column] != way:
        return
    ahead, line, height = direct(frames, rows, columns, view, row, column)
    source = frames[view, 0]
    slope, rise = line / ahead, height / ahead
    line0 = source[1] + np.float32(1) - source[0] * slope
    height0 = source[2] + np.float32(1) - source[0] * rise
    first, stop = planes_ahead(source[0], way % 2, planes.shape[0])
    total = slope - slope
    for plane in range(first, stop):
        place = np.float32(np.int32(plane))
        y, x = hold(line0 + slope * place, planes.shape[1]), hold(height0 + rise * place, planes.shape[2])
        j, k = np.int32(y), np.int32(x)
        part, above = y - np.float32(j), x - np.float32(k)
        near = planes[plane, j, k] + above * (planes[plane, j, k + 1] - planes[plane, j, k])
        far = planes[plane, j + 1, k] + above * (planes[plane, j + 1, k + 1] - planes[plane, j + 1, k])
        total += near + part * (far - near)
    sums[i] = measure(spacing, ahead, line, height) * total


CHOOSE: Final = Kernel(
    "xray.cone_joseph.rays.choose",
    _choose_blocks,
    _choose_thread,
    "real[:,:,::1];real[:,::1];real[:,::1];uint8[:,:,::1]",
)
"""Find the way that each ray runs; frames are those for planes across z. A CPU block is a view, a CUDA thread a ray."""

FORWARD: Final = Kernel(
    "xray.cone_joseph.rays.forward",
    _forward_blocks,
    _forward_thread,
    "real[:,:,::1];real[:,:,::1];real[::1];real[:,::1];real[:,::1];uint8[:,:,::1];int64;real[::1]",
)
"""Integrate padded planes along the rays that run one way; a CPU block is a tile of a view, a CUDA thread a ray."""


def n_forward_blocks(shape: tuple[int, ...]) -> int:
    """Return the number of blocks of `FORWARD` for views, rows and columns."""
    return shape[0] * -(-shape[1] // ROWS) * -(-shape[2] // COLUMNS)
