"""Weighted backprojection along the wedges of a helix, one column of voxels at a time.

A voxel is seen in views half a turn apart as long as it stays on the detector. Their readings are averaged, with
weights that fall towards the edges of the detector, so that each direction counts once and no reading comes in
abruptly.

References
----------
K. Stierstorfer, A. Rauscher, J. Boese, H. Bruder, S. Schaller, T. Flohr, "Weighted FBP: a simple approximate 3D FBP
algorithm for multislice spiral CT with good dose usage for arbitrary pitch", Phys. Med. Biol. 49, 2209 (2004),
doi:10.1088/0031-9155/49/11/007.
"""

from __future__ import annotations

from math import ceil, floor, sqrt
from typing import Final

import numpy as np

from phantomsim.physics.array import Array, namespace
from phantomsim.physics.grid import Grid
from phantomsim.physics.kernel import Kernel, Real, loop_nest, scalar
from phantomsim.physics.xray.cone_backprojection import TILE, padded_lines
from phantomsim.physics.xray.fan_backprojection import between, on_arc
from phantomsim.physics.xray.rebinning import Wedge


@scalar
def _seen(y: Real, x: Real, cosine: Real, sine: Real, height: Real, radius: Real, rise: Real) -> tuple[Real, ...]:
    """Return where a ray passes the axis, the height of its source, and the inverse of its length to a voxel."""
    across = y * sine + x * cosine
    to_axis = sqrt(radius * radius - across * across)
    angle, _ = on_arc(to_axis, across)
    return across, height + rise * angle, np.float32(1) / (to_axis + y * cosine - x * sine)


@loop_nest
def _blocks(begin, end, lines, taper, views, n_half, radius, rise, scale, origin, z, y, x, columns):  # type: ignore[no-untyped-def]
    real = lines.dtype.type
    n_z, last = columns.shape[2], real(np.int32(lines.shape[1] - 2))
    last_row = real(np.int32(taper.size - 2))
    tiles = (x.size + TILE - 1) // TILE
    rows = np.zeros(taper.size, lines.dtype)
    sums, weights = np.zeros(n_z, lines.dtype), np.zeros(n_z, lines.dtype)
    index, part = np.zeros(n_z, np.int32), np.zeros(n_z, lines.dtype)
    for block in range(begin, end):
        y0, x0 = TILE * (block // tiles), TILE * (block % tiles)
        for half in range(n_half):
            for j in range(y0, min(y.size, y0 + TILE)):
                for i in range(x0, min(x.size, x0 + TILE)):
                    sums[:] = 0
                    weights[:] = 0
                    for view in range(half, lines.shape[0], n_half):
                        cosine, sine, height = views[view]
                        across, source, inverse = _seen(y[j], x[i], cosine, sine, height, radius, rise)
                        up = scale[0] * inverse
                        start, step = origin[0] + up * (z[0] - source), up * z[1]
                        low = max(0, ceil(-start / step))  # these voxels are on the detector
                        n = min(n_z, floor((last_row + real(1) - start) / step) + 1) - low
                        if n <= 0:
                            continue
                        column, first, second = between(origin[1] + across * scale[1], real(1), last)
                        left, right = lines[view, column], lines[view, column + 1]
                        for r in range(rows.size):
                            rows[r] = first * left[r] + second * right[r]
                        start += step * real(np.int32(low))
                        for k in range(n):  # apart from the loop below, which does not vectorise, this one does
                            place = min(max(start + step * real(np.int32(k)), real(0)), last_row)
                            index[k] = np.int32(place)
                            part[k] = place - real(index[k])
                        some_sums, some_weights = sums[low:], weights[low:]
                        for k in range(n):
                            row = np.uint32(index[k])  # an unsigned index needs no check for one from the end
                            above = row + np.uint32(1)
                            some_sums[k] += rows[row] + part[k] * (rows[above] - rows[row])
                            some_weights[k] += taper[row] + part[k] * (taper[above] - taper[row])
                    total = columns[j, i]
                    for k in range(n_z):
                        total[k] += sums[k] / weights[k] if weights[k] > real(0) else real(0)


def _thread(i, lines, taper, views, n_half, radius, rise, scale, origin, z, y, x, columns):  # type: ignore[no-untyped-def]
    n_z = columns.shape[2]  # neighbouring threads read neighbouring rows
    k, j, m = i % n_z, i // n_z // x.size, i // n_z % x.size
    last, last_row = np.float32(np.int32(lines.shape[1] - 2)), np.float32(np.int32(taper.size - 2))
    pz = z[0] + z[1] * np.float32(np.int32(k))
    total = np.float32(0)
    for half in range(n_half):
        reading, weight = np.float32(0), np.float32(0)
        for view in range(half, lines.shape[0], n_half):
            across, source, inverse = _seen(y[j], x[m], views[view, 0], views[view, 1], views[view, 2], radius, rise)
            row, low, high = between(origin[0] + scale[0] * inverse * (pz - source), np.float32(1), last_row)
            column, first, second = between(origin[1] + across * scale[1], np.float32(1), last)
            left, right = lines[view, column], lines[view, column + 1]
            reading += first * (low * left[row] + high * left[row + 1])
            reading += second * (low * right[row] + high * right[row + 1])
            weight += low * taper[row] + high * taper[row + 1]
        if weight > np.float32(0):
            total += reading / weight
    columns[j, m, k] += total


WEDGE: Final = Kernel(
    "xray.backproject.wedge",
    _blocks,
    _thread,
    "real[:,:,::1];real[::1];real[:,::1];int64;real;real;real[::1];real[::1];real[::1];real[::1];real[::1];"
    "real[:,:,::1]",
)


def backproject_wedge(projections: Array, wedge: Wedge, grid: Grid, plateau: float) -> Array:
    """Sum over the directions of half a turn the mean of what a voxel's rays of that direction read.

    Rows and columns are interpolated linearly.

    Parameters
    ----------
    projections
        Filtered projections (view, row, column), sorted into the wedge's views.
    wedge
        Geometry of the views.
    grid
        Voxels of the image. All lie inside the source's circle.
    plateau
        Part of the detector's height, in [0, 1), that counts fully; from there weights fall to 0 at the edge.

    Returns
    -------
        Sums (z, y, x), in the projections' unit, of their dtype and device; a direction in which a voxel is not seen
        adds nothing.
    """
    xp, dtype = namespace(projections), projections.dtype
    scan, parallel = wedge.scan, wedge.parallel
    z, y, x = (grid.coordinates(axis) for axis in range(3))
    taper = np.zeros(scan.n_rows + 3)
    edge = np.abs(scan.rows - scan.rows.mean()) / (scan.n_rows * scan.row_pitch / 2)
    taper[1:-2] = np.cos(np.pi / 2 * np.clip((edge - plateau) / (1 - plateau), 0, 1)) ** 2
    columns = xp.zeros((y.size, x.size, z.size), dtype)
    pitches = np.array([scan.row_pitch, parallel.pitch])
    first = np.array([scan.rows[0], parallel.columns[0]])
    WEDGE(
        -(-y.size // TILE) * -(-x.size // TILE),
        columns.size,
        padded_lines(projections * xp.asarray(taper[1:-2, None], dtype)),
        xp.asarray(taper, dtype),
        xp.asarray(np.stack([np.cos(wedge.angles), np.sin(wedge.angles), wedge.heights], axis=1), dtype),
        wedge.n_half,
        dtype.type(scan.source_to_axis),
        dtype.type(wedge.rise),
        xp.asarray(np.array([scan.source_to_detector, 1.0]) / pitches, dtype),
        xp.asarray(1 - first / pitches, dtype),  # a row and a column of zeros lead
        xp.asarray(np.array([z[0], grid.spacing[0]]), dtype),
        xp.asarray(y, dtype),
        xp.asarray(x, dtype),
        columns,
    )
    return xp.ascontiguousarray(xp.moveaxis(columns, -1, 0))
