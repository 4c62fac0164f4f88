"""The adjoint of Joseph's cone-beam projection where every detector column is a vertical fan of rays.

Each voxel gathers what the rays took from it in `phantomsim.physics.xray.cone_joseph_fans`, with the same places and
weights. A CPU block owns a tile of lines in a few planes. It gathers a column's rows into a whole line of voxels once,
and adds that line to the two lines nearest to the column.
"""

from __future__ import annotations

from math import ceil
from typing import Any, Final

import numpy as np

from phantomsim.physics.kernel import Kernel, Real, loop_nest, scalar
from phantomsim.physics.simd import LANES, load, multiply_add, scale, store
from phantomsim.physics.xray.cone_joseph_fans import cross_plane, length, split_steps
from phantomsim.physics.xray.cone_joseph_lanes import hat, look_up, product_sum, ramp, shift, subtract, whole

PLANES: Final = 16  # of a block
LINES: Final = 12  # of a block: its voxels stay in the cache while all views pass


@scalar
def _first_beyond(table: Any, view: int, first: int, n: int, direction: int, plane: Real, bound: Real) -> int:
    """Return the first place in a run of columns whose line is beyond a bound, or its end; lines increase."""
    start, stop = 0, n
    while start < stop:
        middle = (start + stop) // 2
        column = first + middle * direction
        if table[view, column, 0] + table[view, column, 1] * plane > bound:
            stop = middle
        else:
            start = middle + 1
    return start


@scalar
def _gather(
    rows: Any,
    start: int,
    begins: Any,
    parts: Any,
    step: Real,
    n: int,
    n_terms: int,
    most: Real,
    part: Real,
    tile: Any,
    near: int,
) -> None:
    """Gather the rows of a column into eights of voxels and add these to a line of the tile and the next one.

    A voxel takes from `n_terms` rows at most, and rows rise by `most` per voxel at most.
    """
    one = np.float32(1)
    inverse, far = one / step, near + tile.shape[2]
    for k in range(n):
        places = ramp(parts[k], inverse)
        below = whole(places)
        begin, distance = start + np.int64(begins[k]) + 1, scale(step, subtract(below, places))
        total = scale(step - step, below)
        for term in range(n_terms):  # from the first row that is higher than the voxel below
            weight = hat(shift(distance, step * np.float32(np.int32(term + 1)) - one))
            total = product_sum(weight, look_up(rows, begin + term, below, most), total)
        at = k * LANES
        store(tile, near + at, multiply_add(one - part, total, load(tile, near + at)))
        store(tile, far + at, multiply_add(part, total, load(tile, far + at)))


@scalar
def _add_column(
    rows: Any, start: int, begins: Any, parts: Any, step: Real, n: int, part: Real, tile: Any, near: int
) -> None:
    """Gather the rows of a column; the usual numbers of rows per voxel are constants, for loops that unroll."""
    n_terms = np.int64(ceil(np.float32(2) / step))
    if n_terms <= 2:
        _gather(rows, start, begins, parts, step, n, 2, np.float32(1), part, tile, near)
    elif n_terms == 3:
        _gather(rows, start, begins, parts, step, n, 3, np.float32(2), part, tile, near)
    elif n_terms == 4:
        _gather(rows, start, begins, parts, step, n, 4, np.float32(2), part, tile, near)
    else:
        _gather(rows, start, begins, parts, step, n, n_terms, np.float32(1) / step, part, tile, near)


@loop_nest
def _adjoint_blocks(
    begin: int, end: int, rows: Any, table: Any, runs: Any, padding: int, ahead: Any, aside: Any
) -> None:
    real = table.dtype.type
    n_heights, n_rows = ahead.shape[2], rows.shape[2] - 2 * padding
    tiles = (ahead.shape[1] + LINES - 3) // LINES
    n_ahead = (ahead.shape[0] + PLANES - 1) // PLANES * tiles
    tiles_aside = (aside.shape[1] + LINES - 3) // LINES
    tile = np.empty((PLANES, LINES + 2, n_heights), table.dtype)
    begins, parts = np.empty(n_heights // LANES, np.int32), np.empty(n_heights // LANES, table.dtype)
    for block in range(begin, end):
        side = np.int64(block >= n_ahead)
        planes, across = (aside, tiles_aside) if side else (ahead, tiles)
        number = block - side * n_ahead
        plane0, line0 = PLANES * (number // across), 1 + LINES * (number % across)
        plane1, line1 = min(planes.shape[0], plane0 + PLANES), min(planes.shape[1] - 1, line0 + LINES)
        tile[:] = 0
        for r in range(runs.shape[0]):
            if runs[r, 0] != side:
                continue
            view, first_column, n_columns, direction = runs[r, 1], runs[r, 2], runs[r, 3], runs[r, 4]
            for plane in range(plane0, plane1):
                if cross_plane(table, view, first_column, real(plane))[2] <= 0:
                    continue
                start = _first_beyond(table, view, first_column, n_columns, direction, real(plane), real(line0 - 1))
                for place in range(start, n_columns):
                    column = first_column + place * direction
                    line, first, step = cross_plane(table, view, column, real(plane))
                    if line >= real(line1):
                        break
                    z0 = np.int64(min(max(first - real(1), real(0)), real(n_heights))) // LANES
                    top = min(max(first + step * real(n_rows), real(0)), real(n_heights))
                    n = (np.int64(ceil(top)) + LANES - 1) // LANES - z0
                    if n <= 0:
                        continue
                    lowest = (real(LANES * z0) - first) / step + real(padding)
                    split_steps(max(lowest, real(0)), real(1) / step, n, begins, parts)
                    below = np.int64(max(line, real(0)))
                    near = ((plane - plane0) * (LINES + 2) + below - line0 + 1) * n_heights + LANES * z0
                    source = (view * rows.shape[1] + column) * rows.shape[2]
                    _add_column(rows, source, begins, parts, step, n, line - real(below), tile, near)
        for plane in range(plane0, plane1):
            for line_number in range(line0, line1):
                planes[plane, line_number] = tile[plane - plane0, line_number - line0 + 1]


def _adjoint_thread(i: int, rows: Any, table: Any, runs: Any, padding: int, ahead: Any, aside: Any) -> None:
    n_ahead = ahead.shape[0] * (ahead.shape[1] - 2) * ahead.shape[2]
    side = i >= n_ahead
    planes = aside if side else ahead
    j = i - n_ahead if side else i
    n_lines, n_heights = planes.shape[1] - 2, planes.shape[2]
    z, line, plane = j % n_heights, 1 + j // n_heights % n_lines, j // (n_heights * n_lines)
    here, height = np.float32(np.int32(line)), np.float32(np.int32(z + 1))
    place_of_plane = np.float32(np.int32(plane))
    one = np.float32(1)
    total = table[0, 0, 0] - table[0, 0, 0]
    n_rows = rows.shape[2] - 2 * padding
    for r in range(runs.shape[0]):
        view, first_column, n_columns, direction = runs[r, 1], runs[r, 2], runs[r, 3], runs[r, 4]
        if runs[r, 0] != side or cross_plane(table, view, first_column, place_of_plane)[2] <= one - one:
            continue
        place = _first_beyond(table, view, first_column, n_columns, direction, place_of_plane, here - one)
        while place < n_columns:
            column = first_column + place * direction
            crossing, first, step = cross_plane(table, view, column, place_of_plane)
            distance = abs(crossing - here)
            if distance >= one:
                break
            row = np.int32(max((height - one - first) / step, one - one))
            while row < n_rows and first + step * np.float32(row) < height + one:
                weight = max(one - abs(first + step * np.float32(row) - height), one - one)
                total += (one - distance) * weight * rows[view, column, padding + row]
                row += 1
            place += 1
    planes[plane, line, z] = total


@loop_nest
def _weigh_blocks(begin: int, end: int, line_integrals: Any, table: Any, padding: int, rows: Any) -> None:
    n_rows, n_columns = line_integrals.shape[1], line_integrals.shape[2]
    real = table.dtype.type
    for block in range(begin, end):
        for column0 in range(0, n_columns, LANES):
            for row in range(n_rows):
                for column in range(column0, min(n_columns, column0 + LANES)):
                    weight = length(table, block, column, real(row))
                    rows[block, column, padding + row] = weight * line_integrals[block, row, column]


def _weigh_thread(i: int, line_integrals: Any, table: Any, padding: int, rows: Any) -> None:
    n_rows, n_columns = line_integrals.shape[1], line_integrals.shape[2]
    column, row, view = i % n_columns, i // n_columns % n_rows, i // (n_rows * n_columns)
    weight = length(table, view, column, np.float32(np.int32(row)))
    rows[view, column, padding + row] = weight * line_integrals[view, row, column]


ADJOINT: Final = Kernel(
    "xray.cone_joseph.fans.adjoint",
    _adjoint_blocks,
    _adjoint_thread,
    "real[:,:,::1];real[:,:,::1];int32[:,::1];int64;real[:,:,::1];real[:,:,::1]",
)
"""Gather weighed rows (view, column, padded row) into planes across y and x, of which the lines of zeros stay.

A CPU block is a tile of planes and lines, a CUDA thread owns a voxel.
"""

WEIGH: Final = Kernel(
    "xray.cone_joseph.fans.weigh",
    _weigh_blocks,
    _weigh_thread,
    "real[:,:,::1];real[:,:,::1];int64;real[:,:,::1]",
)
"""Multiply line integrals by the lengths of their rays and put rows last; a block is a view, a CUDA thread a ray."""


def n_adjoint_blocks(ahead: tuple[int, ...], aside: tuple[int, ...]) -> int:
    """Return the number of blocks of `ADJOINT` for the shapes of both stacks of planes."""
    return sum(-(-planes // PLANES) * -(-(lines - 2) // LINES) for planes, lines, _ in (ahead, aside))
