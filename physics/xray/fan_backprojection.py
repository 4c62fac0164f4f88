"""Weighted backprojection along fans, pixel by pixel.

A pixel needs, in each view, two neighbouring columns at a place that no two pixels share: a gather, the slowest thing
a CPU does. It is done once for eight *lanes* that lie next to each other in memory: slices of one scan, and the views
that the symmetries of scan and grid take into each other, each of which backprojects an image that is then turned.
"""

from __future__ import annotations

from math import hypot, sqrt
from typing import Final

import numpy as np
import numpy.typing as npt

from phantomsim.physics.array import Array, namespace
from phantomsim.physics.errors import RecipeError
from phantomsim.physics.grid import Grid
from phantomsim.physics.kernel import Kernel, Real, loop_nest, scalar
from phantomsim.physics.simd import LANES, load, multiply_add, store
from phantomsim.physics.xray.geometry import FanBeam
from phantomsim.physics.xray.symmetry import Symmetry, shared_symmetries

TILE_Y: Final = 16
TILE_X: Final = 64

# atan(h) / h in powers of h², least squares at Chebyshev points of [0, 1]: atan within 4e-8, all that float32 holds
A0, A1, A2 = np.float32(0.9999999842), np.float32(-0.3333306678), np.float32(0.1999248358)
A3, A4, A5 = np.float32(-0.1420257051), np.float32(0.1063675410), np.float32(-0.0749544544)
A6, A7, A8 = np.float32(0.0425876075), np.float32(-0.0160050305), np.float32(0.0028340643)


@scalar
def on_flat(along: Real, across: Real) -> tuple[Real, Real]:
    """Return tan γ of the ray through a point, and the inverse square of its distance along the central ray."""
    inverse = np.float32(1) / along
    return across * inverse, inverse * inverse


@scalar
def on_arc(along: Real, across: Real) -> tuple[Real, Real]:
    """Return γ of the ray through a point, and the inverse square of its distance from the source.

    By γ = 2 atan(tan(γ/2)): half the angle of any ray that meets the detector is below 45°.
    """
    square = along * along + across * across
    chord = along + sqrt(square)
    inverse = np.float32(1) / (square * chord)  # one division serves both
    h = across * square * inverse
    z = h * h
    arctan = h * (A0 + z * (A1 + z * (A2 + z * (A3 + z * (A4 + z * (A5 + z * (A6 + z * (A7 + z * A8))))))))
    return arctan + arctan, chord * inverse


@scalar
def between(place: Real, weight: Real, last: Real) -> tuple[np.int32, Real, Real]:
    """Return the first of two columns, and the weights of both, for linear interpolation; zeros pad both ends."""
    place = min(max(place, np.float32(0)), last)
    column = np.int32(place)
    second = (place - np.float32(column)) * weight
    return column, weight - second, second


@loop_nest
def _blocks(begin, end, lines, turns, arc, radius, scale, origin, y, x, image):  # type: ignore[no-untyped-def]
    last = x.dtype.type(lines.shape[2] - 2)
    tiles = (y.size + TILE_Y - 1) // TILE_Y
    total = np.empty((TILE_Y, TILE_X, LANES), lines.dtype)
    column = np.empty(TILE_X, np.int32)
    first, second = np.empty(TILE_X, lines.dtype), np.empty(TILE_X, lines.dtype)
    for block in range(begin, end):
        group, y0 = block // tiles, TILE_Y * (block % tiles)
        n_y = min(TILE_Y, y.size - y0)
        for x0 in range(0, x.size, TILE_X):
            n_x = min(TILE_X, x.size - x0)
            tile_x = x[x0 : x0 + n_x]
            total[:] = 0
            for view in range(lines.shape[1]):
                cosine, sine = turns[view, 0], turns[view, 1]
                line = lines[group, view]
                for j in range(n_y):
                    along, across = radius + y[y0 + j] * cosine, y[y0 + j] * sine
                    if arc:
                        for i in range(n_x):
                            angle, weight = on_arc(along - tile_x[i] * sine, across + tile_x[i] * cosine)
                            column[i], first[i], second[i] = between(origin + angle * scale, weight, last)
                    else:
                        for i in range(n_x):
                            tangent, weight = on_flat(along - tile_x[i] * sine, across + tile_x[i] * cosine)
                            column[i], first[i], second[i] = between(origin + tangent * scale, weight, last)
                    for i in range(n_x):
                        sums, at = (j * TILE_X + i) * LANES, LANES * np.int64(column[i])
                        blend = multiply_add(first[i], load(line, at), load(total, sums))
                        store(total, sums, multiply_add(second[i], load(line, at + LANES), blend))
            for lane in range(LANES):
                for j in range(n_y):
                    for i in range(n_x):
                        image[group, lane, y0 + j, x0 + i] = total[j, i, lane]


def _thread(i, lines, turns, arc, radius, scale, origin, y, x, image):  # type: ignore[no-untyped-def]
    lane, pixel = i % LANES, i // LANES  # neighbouring threads read neighbouring lanes
    column_of_image, row, group = pixel % x.size, pixel // x.size % y.size, pixel // (x.size * y.size)
    px, py = x[column_of_image], y[row]
    last = np.float32(np.int32(lines.shape[2] - 2))
    total = np.float32(0)
    for view in range(lines.shape[1]):
        cosine, sine = turns[view, 0], turns[view, 1]
        along, across = radius + py * cosine - px * sine, py * sine + px * cosine
        place, weight = on_arc(along, across) if arc else on_flat(along, across)
        column, first, second = between(origin + place * scale, weight, last)
        total += first * lines[group, view, column, lane] + second * lines[group, view, column + 1, lane]
    image[group, lane, row, column_of_image] = total


FAN: Final = Kernel(
    "xray.backproject.fan",
    _blocks,
    _thread,
    "real[:,:,:,::1];real[:,::1];boolean;real;real;real;real[::1];real[::1];real[:,:,:,::1]",
)


def backproject_fan(projections: Array, scan: FanBeam, grid: Grid) -> Array:
    """Sum over views what each pixel's ray reads, over the square of the pixel's distance from the source.

    The distance is measured to the source for an arc, and along the central ray for a flat detector, as filtered
    backprojection asks. Columns are interpolated linearly and fall to 0 one column beyond the detector's ends.

    Parameters
    ----------
    projections
        Filtered projections (view, row, column).
    scan
        Geometry of the views.
    grid
        Pixels in a plane; its z axis is not used. All lie inside the source's circle.

    Returns
    -------
        Sums (row, y, x), in the projections' unit over m², of their dtype and device.

    Raises
    ------
    RecipeError
        If the grid reaches the source's circle.
    """
    y, x = (grid.coordinates(axis) for axis in (1, 2))
    reach = hypot(np.abs(y).max(), np.abs(x).max())
    if reach >= scan.source_to_axis:
        raise RecipeError(
            f"the grid reaches {1e3 * reach:.4g} mm from the axis, to where the source turns "
            f"(source_to_axis_mm = {1e3 * scan.source_to_axis:.4g}); make the grid smaller or move its centre"
        )
    symmetries = shared_symmetries(scan, grid)
    views = _distinct(symmetries)
    lines = _lanes(projections, symmetries, views)
    angles = scan.angles[views[0]]
    xp, real = namespace(projections), projections.dtype.type
    turns = xp.asarray(np.stack([np.cos(angles), np.sin(angles)], axis=1), lines.dtype)
    images = xp.empty((len(lines), LANES, y.size, x.size), lines.dtype)
    FAN(
        len(lines) * -(-y.size // TILE_Y),
        images.size,
        lines,
        turns,
        scan.detector == "arc",
        real(scan.source_to_axis),
        real(scan.source_to_detector / scan.pitch),
        real(1 - scan.columns[0] / scan.pitch),  # a column of zeros leads
        xp.asarray(y, lines.dtype),
        xp.asarray(x, lines.dtype),
        images,
    )
    n_rows, n_lanes = projections.shape[1], projections.shape[1] * len(symmetries)
    images = images.reshape(-1, y.size, x.size)[:n_lanes].reshape(n_rows, len(symmetries), y.size, x.size)
    total = images[:, 0]
    for number, symmetry in enumerate(symmetries[1:], 1):
        mirrored = images[:, number, :, ::-1] if symmetry.mirrored else images[:, number]
        total = total + xp.rot90(mirrored, -symmetry.quarter_turns, axes=(1, 2))
    return total


def _distinct(symmetries: tuple[Symmetry, ...]) -> npt.NDArray[np.int64]:
    """Return one view of each set that the symmetries take into each other, and the others under each.

    Returns
    -------
        Number of the view (symmetry, set), or −1 where an earlier symmetry led to it.
    """
    views = np.stack([symmetry.views for symmetry in symmetries])
    views = views[:, views[0] == views.min(axis=0)]
    for number in range(1, len(views)):
        views[number, (views[number] == views[:number]).any(axis=0)] = -1
    return views


def _lanes(projections: Array, symmetries: tuple[Symmetry, ...], views: npt.NDArray[np.int64]) -> Array:
    """Lay slices and symmetric views side by side (group, view, column, lane), zeros before and after the columns."""
    xp = namespace(projections)
    n_rows, n_columns = projections.shape[1:]
    n_groups = -(-n_rows * len(symmetries) // LANES)
    lines = xp.zeros((n_groups, views.shape[1], n_columns + 3, LANES), projections.dtype)
    for number, (symmetry, chosen) in enumerate(zip(symmetries, views, strict=True)):
        there = xp.asarray(np.flatnonzero(chosen >= 0))
        turned = projections[xp.asarray(chosen[chosen >= 0])]
        if symmetry.mirrored:
            turned = turned[..., ::-1]
        for row in range(n_rows):
            group, lane = divmod(row * len(symmetries) + number, LANES)
            lines[group, there, 1:-2, lane] = turned[:, row]
    return lines
