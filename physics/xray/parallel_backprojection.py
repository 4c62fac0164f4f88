"""Backprojection along parallel rays, without a gather.

Along a row of pixels the place on the detector advances by a constant step, the same in every row of the image. Hence
a projection that is resampled once at a fraction of that step serves all rows: a row is the sum of two neighbouring
phases, each a contiguous stretch. Views that are closer to the other axis do the same on the transposed image.
"""

from __future__ import annotations

from math import ceil, floor
from typing import Any, Final

import numpy as np

from phantomsim.physics.array import Array, namespace
from phantomsim.physics.grid import Grid
from phantomsim.physics.kernel import Kernel, Real, loop_nest, scalar
from phantomsim.physics.xray.geometry import ParallelBeam

TALLEST_TILE: Final = 256  # rows that share one resampling
PHASES_PER_COLUMN: Final = 8  # interpolating twice blurs by (1/8)² of the variance that interpolating once does


@loop_nest
def _resample(line, place, step, start, n_steps, phases, columns, parts, table):  # type: ignore[no-untyped-def]
    """Fill `table` (phase, pixel) with a line, interpolated at steps of ``1 / phases`` pixel from pixel `start`."""
    real = line.dtype.type
    last = real(line.size - 2)
    for phase in range(phases):
        resampled = table[phase]
        origin = place + step * (start + real(phase) / real(phases))
        for i in range(n_steps):  # apart from the loop below, which does not vectorise, this one does
            here = min(max(origin + step * real(np.int32(i)), real(0)), last)
            columns[i] = np.int32(here)
            parts[i] = here - real(columns[i])
        for i in range(n_steps):
            column = np.uint32(columns[i])  # an unsigned index needs no check for one counted from the end
            resampled[i] = line[column] + parts[i] * (line[column + np.uint32(1)] - line[column])


@scalar
def _phase(shear: Real, y: Real, start: Real, phases: Real) -> tuple[int, Real]:
    """Return the step, counted from pixel `start`, at which a row begins, and how far it is on the way to the next."""
    fine = (shear * y - start) * phases
    step = floor(fine)
    return step, fine - np.float32(np.int32(step))


@loop_nest
def _blocks(begin, end, lines, views, phases, tile, image):  # type: ignore[no-untyped-def]
    n_y, n_x = image.shape[1], image.shape[2]
    tiles = (n_y + tile - 1) // tile
    real = lines.dtype.type
    width = n_x + tile + 2
    table = np.empty((2, phases, width), lines.dtype)  # two views at once: each pass over the image costs its traffic
    columns, parts = np.empty(width, np.int32), np.empty(width, lines.dtype)
    start = np.empty(2, lines.dtype)
    for block in range(begin, end):
        plane, y0 = block // tiles, tile * (block % tiles)
        y1 = min(n_y, y0 + tile)
        image[plane, y0:y1] = 0
        for first_view in range(0, lines.shape[1], 2):
            for one in range(2):
                origin, step, shear = views[first_view + one]
                line = lines[plane, first_view + one]
                start[one] = real(floor(min(shear * real(y0), shear * real(y1 - 1))))
                n_steps = n_x + 2 + int(abs(shear) * real(y1 - 1 - y0))
                _resample(line, origin, step, start[one], n_steps, phases, columns, parts, table[one])
            for y in range(y0, y1):
                k, c = _phase(views[first_view, 2], real(y), start[0], real(phases))
                m, d = _phase(views[first_view + 1, 2], real(y), start[1], real(phases))
                a0, a1 = table[0, k % phases, k // phases :], table[0, (k + 1) % phases, (k + 1) // phases :]
                b0, b1 = table[1, m % phases, m // phases :], table[1, (m + 1) % phases, (m + 1) // phases :]
                total = image[plane, y]
                for i in range(n_x):
                    total[i] += a0[i] + c * (a1[i] - a0[i]) + b0[i] + d * (b1[i] - b0[i])


@scalar
def _read(line: Any, place: Real, last: Real) -> Real:
    """Interpolate a line that zeros pad at both ends."""
    place = min(max(place, np.float32(0)), last)
    column = np.int32(place)
    return line[column] + (place - np.float32(column)) * (line[column + np.int32(1)] - line[column])


def _thread(i, lines, views, phases, tile, image):  # type: ignore[no-untyped-def]
    n_y, n_x = image.shape[1], image.shape[2]
    x, y, plane = i % n_x, i // n_x % n_y, i // (n_x * n_y)
    last, fine = np.float32(np.int32(lines.shape[2] - 2)), np.float32(np.int32(phases))
    total = np.float32(0)
    for view in range(lines.shape[1]):
        origin, step, shear = views[view, 0], views[view, 1], views[view, 2]
        k, part = _phase(shear, np.float32(np.int32(y)), np.float32(0), fine)
        place = origin + step * (np.float32(np.int32(x)) + np.float32(np.int32(k)) / fine)
        here = _read(lines[plane, view], place, last)
        total += here + part * (_read(lines[plane, view], place + step / fine, last) - here)
    image[plane, y, x] = total


PARALLEL: Final = Kernel(
    "xray.backproject.parallel", _blocks, _thread, "real[:,:,::1];real[:,::1];int64;int64;real[:,:,::1]"
)


def backproject_parallel(projections: Array, scan: ParallelBeam, grid: Grid) -> Array:
    """Sum over views what each pixel's ray reads.

    Columns are interpolated linearly and fall to 0 one column beyond the detector's ends.

    Parameters
    ----------
    projections
        Filtered projections (view, row, column).
    scan
        Geometry of the views.
    grid
        Pixels in a plane; its z axis is not used.

    Returns
    -------
        Sums (row, y, x), in the projections' unit, of their dtype and device.
    """
    xp = namespace(projections)
    per_x = grid.spacing[2] / scan.pitch * np.cos(scan.angles)  # columns per pixel
    per_y = grid.spacing[1] / scan.pitch * np.sin(scan.angles)
    corner_y, corner_x = grid.coordinates(1)[0], grid.coordinates(2)[0]
    place = (corner_y * np.sin(scan.angles) + corner_x * np.cos(scan.angles) - scan.columns[0]) / scan.pitch + 1
    along_x = np.abs(per_x) >= np.abs(per_y)
    total = _backproject_some(projections, along_x, place, per_x, per_y, grid.shape[1:])
    transposed = _backproject_some(projections, ~along_x, place, per_y, per_x, grid.shape[:0:-1])
    return total + xp.swapaxes(transposed, 1, 2)


def _backproject_some(
    projections: Array, chosen: Any, place: Any, step: Any, step_of_rows: Any, shape: tuple[int, ...]
) -> Array:
    """Backproject the chosen views on an image (row, *shape) whose first pixel is at `place` on the detector."""
    xp, dtype = namespace(projections), projections.dtype
    n_views, n_rows, n_columns = int(chosen.sum()), projections.shape[1], projections.shape[2]
    n_even = n_views + n_views % 2  # the kernel takes two at a time; one that stays zero adds nothing
    image = xp.zeros((n_rows, *shape), dtype)
    if n_views == 0:
        return image
    lines = xp.zeros((n_rows, n_even, n_columns + 3), dtype)
    lines[:, :n_views, 1:-2] = xp.swapaxes(projections[xp.asarray(chosen)], 0, 1)
    views = np.zeros((n_even, 3))
    views[:n_views] = np.stack([place[chosen], step[chosen], step_of_rows[chosen] / step[chosen]], axis=1)
    n_tiles = -(-shape[0] // TALLEST_TILE)
    phases = max(2, ceil(PHASES_PER_COLUMN * np.abs(step[chosen]).max()))
    tile = -(-shape[0] // n_tiles)
    PARALLEL(n_rows * -(-shape[0] // tile), image.size, lines, xp.asarray(views, dtype), phases, tile, image)
    return image
