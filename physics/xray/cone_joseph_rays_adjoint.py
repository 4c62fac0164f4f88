"""The adjoint of Joseph's cone-beam projection ray by ray, for a source and a detector in any pose.

On the CPU a block owns a slab of planes and lets every ray put back there what it took, so nothing is shared. On a GPU
each voxel gathers: it finds the pixels behind its neighbourhood in the plane, and asks their rays how near they pass.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from phantomsim.physics.kernel import Kernel, loop_nest
from phantomsim.physics.xray.cone_joseph_pixels import pixels_behind
from phantomsim.physics.xray.cone_joseph_rays import (
    COLUMNS,
    ROWS,
    direct,
    hold,
    locate_tile,
    measure,
    planes_ahead,
    planes_crossed,
    trace_tile,
)

SLAB: Final = 16  # planes of a block


@loop_nest
def _adjoint_blocks(
    begin: int,
    end: int,
    values: Any,
    frames: Any,
    local: Any,
    form: Any,
    spacing: Any,
    rows: Any,
    columns: Any,
    places_of_rows: Any,
    places_of_columns: Any,
    ways: Any,
    way: int,
    planes: Any,
) -> None:
    real = frames.dtype.type
    n_planes, n_lines, n_heights = planes.shape
    voxels = planes.reshape(-1)
    lines = np.zeros((5, ROWS * COLUMNS), frames.dtype)
    indices, places = np.empty(ROWS * COLUMNS, np.int64), np.empty(ROWS * COLUMNS, np.int32)
    parts, given = np.empty((2, ROWS * COLUMNS), frames.dtype), np.empty(ROWS * COLUMNS, frames.dtype)
    for block in range(begin, end):
        begin_slab, end_slab = SLAB * block, min(n_planes, SLAB * (block + 1))
        for view in range(ways.shape[0]):
            first, stop = planes_ahead(frames[view, 0, 0], way % 2, n_planes)
            first, stop = max(first, begin_slab), min(stop, end_slab)
            if first >= stop:
                continue
            for row0 in range(0, ways.shape[1], ROWS):
                for column0 in range(0, ways.shape[2], COLUMNS):
                    n = trace_tile(frames, spacing, rows, columns, ways, way, view, row0, column0, lines, indices)
                    if n == 0:
                        continue
                    low, high = planes_crossed(lines, n, first, stop, n_lines, n_heights)
                    for k in range(n):
                        given[k] = lines[4, k] * values[indices[k]]
                    for plane in range(low, high):
                        locate_tile(lines, n, real(plane), n_lines, n_heights, places, parts)
                        level = voxels[plane * n_lines * n_heights : (plane + 1) * n_lines * n_heights]
                        for k in range(np.uint64(n)):
                            place, part, rise = np.uint64(places[k]), parts[0, k], parts[1, k]
                            above = place + np.uint64(n_heights)
                            far = part * given[k]
                            near = given[k] - far
                            level[place] += near - rise * near
                            level[place + np.uint64(1)] += rise * near
                            level[above] += far - rise * far
                            level[above + np.uint64(1)] += rise * far
        planes[begin_slab:end_slab, 0] = 0  # what crossings beside the grid left in the padding
        planes[begin_slab:end_slab, n_lines - 2 :] = 0
        planes[begin_slab:end_slab, :, 0] = 0
        planes[begin_slab:end_slab, :, n_heights - 2 :] = 0


def _adjoint_thread(
    i: int,
    values: Any,
    frames: Any,
    local: Any,
    form: Any,
    spacing: Any,
    rows: Any,
    columns: Any,
    places_of_rows: Any,
    places_of_columns: Any,
    ways: Any,
    way: int,
    planes: Any,
) -> None:
    n_planes, n_lines, n_heights = planes.shape
    n_rows, n_columns = ways.shape[1], ways.shape[2]
    height, line, plane = i % n_heights, i // n_heights % n_lines, i // (n_heights * n_lines)
    if not (0 < line < n_lines - 2 and 0 < height < n_heights - 2):
        return
    one, place = np.float32(1), np.float32(np.int32(plane))
    here, there = np.float32(np.int32(line)), np.float32(np.int32(height))
    total = planes[plane, line, height]
    for view in range(ways.shape[0]):
        source = frames[view, 0]
        first, stop = planes_ahead(source[0], way % 2, n_planes)
        if not first <= plane < stop:
            continue
        row0, row1, column0, column1 = pixels_behind(
            local[view],
            form,
            places_of_rows,
            places_of_columns,
            place - source[0],
            here - np.float32(2) - source[1],
            there - np.float32(2) - source[2],
        )
        for row in range(row0, row1):
            for column in range(column0, column1):
                if ways[view, row, column] != way:
                    continue
                ahead, across, up = direct(frames, rows, columns, view, row, column)
                slope, rise = across / ahead, up / ahead
                y = hold(source[1] + one - source[0] * slope + slope * place, n_lines) - here
                x = hold(source[2] + one - source[0] * rise + rise * place, n_heights) - there
                weight = max(one - abs(y), one - one) * max(one - abs(x), one - one)
                if weight > one - one:
                    length = measure(spacing, ahead, across, up)
                    total += weight * length * values[(view * n_rows + row) * n_columns + column]
    planes[plane, line, height] = total


ADJOINT: Final = Kernel(
    "xray.cone_joseph.rays.adjoint",
    _adjoint_blocks,
    _adjoint_thread,
    "real[::1];real[:,:,::1];real[:,:,::1];real[::1];real[::1];real[:,::1];real[:,::1];real[::1];real[::1];"
    "uint8[:,:,::1];int64;real[:,:,::1]",
)
"""Add to padded planes what the rays that run one way took; a CPU block is a slab of planes, a CUDA thread a voxel."""


def n_adjoint_blocks(n_planes: int) -> int:
    """Return the number of blocks of `ADJOINT`."""
    return -(-n_planes // SLAB)
