"""Sums along bands and their exact adjoint, row by row on images of eight lanes.

A band adds from each row of pixels the mean through its window, times the length of its ray in a row. What a pixel
weighs is what the window holds left of the pixel's right edge less what it holds left of its left edge: the window is
cumulated in closed form, not the image (as the branchless method does it), so that nothing cancels in float32 and wide
windows cost their pixels alone. The adjoint returns to each pixel what the bands took, with the same weights. The loops
are those of `phantomsim.physics.xray.joseph`: the forward nest owns bands, the adjoint nest owns rows.

References
----------
B. De Man and S. Basu, "Distance-driven projection and backprojection in three dimensions", Phys. Med. Biol. 49 (2004)
2463-2475, doi:10.1088/0031-9155/49/11/024.
Y. Long, J. A. Fessler and J. M. Balter, "3D forward and back-projection for X-ray CT using separable footprints", IEEE
Trans. Med. Imaging 29 (2010) 1839-1850, doi:10.1109/TMI.2010.2050898.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from phantomsim.physics.kernel import Kernel, Real, loop_nest, scalar
from phantomsim.physics.simd import LANES, add, load, multiply_add, scale, store
from phantomsim.physics.xray.joseph import PIECE, ROWS, RUNS

CROSSINGS: Final = ROWS * PIECE
BOX: Final = 5  # rows of a table of boxes; trapezoids have more


@scalar
def _window(table: Any, band: int, row: Real, smeared: bool) -> tuple[Real, Real, Real, Real, Real]:
    """Return middle, half of the flat top, length of a slope, height and what scales the slopes of a band's window.

    The window has unit area. Two boxes make a trapezoid, if `smeared`; else the one box has slopes of no length.
    """
    middle = table[0, band] + table[1, band] * row
    width = max(abs(table[3, band] + table[4, band] * row), np.float32(1e-6))
    height, half = np.float32(1) / width, np.float32(0.5)
    if smeared:
        second, inverse = table[5, band], table[6, band]
        wide, narrow = max(width, second), min(width, second)
        return middle, half * (wide - narrow), narrow, min(height, inverse), half * max(height, inverse)
    return middle, half * width, width - width, height, width - width


@scalar
def _left_of(offset: Real, flat: Real, narrow: Real, height: Real, per_narrow: Real, smeared: bool) -> Real:
    """Return the share of a window left of an edge at an offset from its middle."""
    half = np.float32(0.5)
    if smeared:
        inside = min(max(offset, -flat - narrow), flat + narrow)
        over = inside - min(max(offset, -flat), flat)
        return half + (inside - over * abs(over) * per_narrow) * height
    return min(max(half + offset * height, np.float32(0)), np.float32(1))


@scalar
def _first_above(table: Any, start: int, stop: int, row: Real, bound: Real) -> int:
    """Return the first band of a run, or its end, whose middle is beyond a bound in a row; middles increase."""
    while start < stop:
        middle = (start + stop) // 2
        if table[0, middle] + table[1, middle] * row > bound:
            stop = middle
        else:
            start = middle + 1
    return start


@scalar
def _bands_in_tile(
    table: Any, start: int, stop: int, first: Real, final: Real, lower: Real, upper: Real
) -> tuple[int, int]:
    """Return the first band of a run with its middle between two bounds in rows `first` to `final`, and the end."""
    begin = min(_first_above(table, start, stop, first, lower), _first_above(table, start, stop, final, lower))
    end = max(_first_above(table, start, stop, first, upper), _first_above(table, start, stop, final, upper))
    return begin, end


@scalar
def _weigh(
    table: Any,
    band: int,
    n_bands: int,
    row0: int,
    n_rows: int,
    n_taps: int,
    bounds: Any,
    places: Any,
    weights: Any,
    smeared: bool,
) -> None:
    """Write the first pixel, counted from the first of row `row0`, and the weights of every crossing (row, band)."""
    lowest, highest, width = bounds
    zero = lowest - lowest
    n_bands = (n_bands + LANES - 1) // LANES * LANES  # what would be left over is slower than a whole vector
    one, two, three = zero + np.float32(1), zero + np.float32(2), zero + np.float32(3)
    for r in range(np.uint64(n_rows)):
        row = zero + np.float32(np.int32(row0 + r))
        to, before = r * np.uint64(PIECE), np.int32(r) * width
        if n_taps == 2:
            for k in range(np.uint64(n_bands)):
                middle, flat, narrow, height, slope = _window(table, np.uint64(band) + k, row, smeared)
                pixel = np.int32(min(max(middle - flat - narrow, lowest), highest))
                places[to + k] = pixel + before
                near = _left_of(np.float32(pixel) + one - middle, flat, narrow, height, slope, smeared)
                weights[0, to + k] = near
                weights[1, to + k] = one - near
            continue
        if n_taps == 3:
            for k in range(np.uint64(n_bands)):
                middle, flat, narrow, height, slope = _window(table, np.uint64(band) + k, row, smeared)
                pixel = np.int32(min(max(middle - flat - narrow, lowest), highest))
                places[to + k] = pixel + before
                offset = np.float32(pixel) + one - middle
                near = _left_of(offset, flat, narrow, height, slope, smeared)
                far = _left_of(offset + one, flat, narrow, height, slope, smeared)
                weights[0, to + k] = near
                weights[1, to + k] = far - near
                weights[2, to + k] = one - far
            continue
        for k in range(np.uint64(n_bands)):
            middle, flat, narrow, height, slope = _window(table, np.uint64(band) + k, row, smeared)
            pixel = np.int32(min(max(middle - flat - narrow, lowest), highest))
            places[to + k] = pixel + before
            offset = np.float32(pixel) + one - middle
            near = _left_of(offset, flat, narrow, height, slope, smeared)
            far = _left_of(offset + one, flat, narrow, height, slope, smeared)
            third = _left_of(offset + two, flat, narrow, height, slope, smeared)
            weights[0, to + k] = near
            weights[1, to + k] = far - near
            weights[2, to + k] = third - far
            weights[3, to + k] = _left_of(offset + three, flat, narrow, height, slope, smeared) - third
        for tap in range(4, n_taps):
            edge = np.int32(tap) - before
            for k in range(np.uint64(n_bands)):
                middle, flat, narrow, height, slope = _window(table, np.uint64(band) + k, row, smeared)
                offset = np.float32(places[to + k] + edge) - middle
                right = _left_of(offset + one, flat, narrow, height, slope, smeared)
                weights[tap, to + k] = right - _left_of(offset, flat, narrow, height, slope, smeared)


@scalar
def _bounds(n_taps: int, before: int, width: int) -> tuple[Real, Real, Any]:
    """Return the first and last pixel at which a band's pixels may start, beside the grid, and the row's length."""
    return np.float32(np.int32(before - n_taps)), np.float32(np.int32(width - before - 1)), np.int32(width)


@scalar
def _take(lanes: Any, base: int, places: Any, weights: Any, k: int, n_rows: int, n_taps: int, total: Any) -> Any:
    """Return a total of eight lanes and what a band adds to it from the rows of a tile."""
    near, far = total, scale(weights.dtype.type(0), total)
    third, fourth = far, far
    for r in range(np.uint64(n_rows)):
        c = r * np.uint64(PIECE) + k
        pixel = (base + np.int64(places[c])) * LANES
        near = multiply_add(weights[0, c], load(lanes, pixel), near)
        far = multiply_add(weights[1, c], load(lanes, pixel + LANES), far)
        if n_taps > 2:
            third = multiply_add(weights[2, c], load(lanes, pixel + 2 * LANES), third)
        if n_taps > 3:
            fourth = multiply_add(weights[3, c], load(lanes, pixel + 3 * LANES), fourth)
        for tap in range(4, n_taps):
            near = multiply_add(weights[tap, c], load(lanes, pixel + tap * LANES), near)
    return add(add(near, far), add(third, fourth))


@scalar
def _give(lanes: Any, base: int, places: Any, weights: Any, k: int, n_rows: int, n_taps: int, value: Any) -> None:
    """Add what a band returns to the rows of a tile, the adjoint of `_take`."""
    for r in range(np.uint64(n_rows)):
        c = r * np.uint64(PIECE) + k
        pixel = (base + np.int64(places[c])) * LANES
        store(lanes, pixel, multiply_add(weights[0, c], value, load(lanes, pixel)))
        store(lanes, pixel + LANES, multiply_add(weights[1, c], value, load(lanes, pixel + LANES)))
        for tap in range(2, n_taps):
            at = pixel + tap * LANES
            store(lanes, at, multiply_add(weights[tap, c], value, load(lanes, at)))


@loop_nest
def _forward_blocks(
    begin: int, end: int, images: Any, transposed: Any, table: Any, runs: Any, before: int, sums: Any
) -> None:
    real = table.dtype.type
    n_blocks = (runs.shape[0] + RUNS - 1) // RUNS
    n_bands, smeared = sums.shape[1], table.shape[0] > BOX
    places, weights = np.empty(CROSSINGS, np.int32), np.empty((max(before, 4), CROSSINGS), table.dtype)
    for block in range(begin, end):
        group, first_run = block // n_blocks, block % n_blocks * RUNS
        runs_end = min(runs.shape[0], first_run + RUNS)
        sums[group, runs[first_run, 0] : runs[runs_end - 1, 1]] = 0
        for row0 in range(0, max(images.shape[1], transposed.shape[1]), ROWS):
            for run in range(first_run, runs_end):
                lanes, n_taps = transposed if runs[run, 2] else images, np.int64(runs[run, 3])
                n_rows, width = min(ROWS, lanes.shape[1] - row0), lanes.shape[2]
                if n_rows <= 0:
                    continue
                lower, upper, _ = bounds = _bounds(n_taps, before, width)
                reach = real(0.5) * real(n_taps)
                first, final = real(row0), real(row0 + n_rows - 1)
                band, stop = _bands_in_tile(
                    table, runs[run, 0], runs[run, 1], first, final, real(before) - reach, real(upper) + reach
                )
                base = (group * lanes.shape[1] + row0) * width
                for piece in range(band, stop, PIECE):
                    n_piece = min(PIECE, stop - piece)
                    if smeared:
                        _weigh(table, piece, n_piece, row0, n_rows, n_taps, bounds, places, weights, True)
                    else:
                        _weigh(table, piece, n_piece, row0, n_rows, n_taps, bounds, places, weights, False)
                    for k in range(np.uint64(n_piece)):
                        at = (group * n_bands + piece + np.int64(k)) * LANES
                        total = load(sums, at)
                        if n_taps == 2:
                            total = _take(lanes, base, places, weights, k, n_rows, 2, total)
                        elif n_taps == 3:
                            total = _take(lanes, base, places, weights, k, n_rows, 3, total)
                        elif n_taps == 4:
                            total = _take(lanes, base, places, weights, k, n_rows, 4, total)
                        else:
                            total = _take(lanes, base, places, weights, k, n_rows, n_taps, total)
                        store(sums, at, total)
        for band in range(runs[first_run, 0], runs[runs_end - 1, 1]):
            at = (group * n_bands + band) * LANES
            store(sums, at, scale(table[2, band], load(sums, at)))


def _forward_thread(i: int, images: Any, transposed: Any, table: Any, runs: Any, before: int, sums: Any) -> None:
    lane, band, group = i % LANES, i // LANES % sums.shape[1], i // (LANES * sums.shape[1])
    run = 0
    while runs[run, 1] <= band:
        run += 1
    lanes, n_taps = transposed if runs[run, 2] else images, np.int32(runs[run, 3])
    lowest, highest, _ = _bounds(n_taps, before, lanes.shape[2])
    total = table[0, band] - table[0, band]
    smeared = table.shape[0] > BOX
    for row in range(lanes.shape[1]):
        middle, flat, narrow, height, slope = _window(table, band, np.float32(np.int32(row)), smeared)
        pixel = np.int32(min(max(middle - flat - narrow, lowest), highest))
        left = np.float32(0)
        for _ in range(n_taps):
            right = _left_of(np.float32(pixel + np.int32(1)) - middle, flat, narrow, height, slope, smeared)
            total += (right - left) * lanes[group, row, pixel, lane]
            left = right
            pixel += np.int32(1)
    sums[group, band, lane] = table[2, band] * total


@loop_nest
def _adjoint_blocks(
    begin: int, end: int, sums: Any, table: Any, runs: Any, before: int, images: Any, transposed: Any
) -> None:
    real = table.dtype.type
    n_bands, smeared = sums.shape[1], table.shape[0] > BOX
    straight_tiles, transposed_tiles = (images.shape[1] + ROWS - 1) // ROWS, (transposed.shape[1] + ROWS - 1) // ROWS
    places, weights = np.empty(CROSSINGS, np.int32), np.empty((max(before, 4), CROSSINGS), table.dtype)
    for block in range(begin, end):
        group, tile = block // (straight_tiles + transposed_tiles), block % (straight_tiles + transposed_tiles)
        orientation = tile >= straight_tiles
        lanes = transposed if orientation else images
        row0 = ROWS * (tile - straight_tiles if orientation else tile)
        n_rows, width = min(ROWS, lanes.shape[1] - row0), lanes.shape[2]
        lanes[group, row0 : row0 + n_rows] = 0
        base = (group * lanes.shape[1] + row0) * width
        for run in range(runs.shape[0]):
            if runs[run, 2] != orientation:
                continue
            n_taps = np.int64(runs[run, 3])
            lower, upper, _ = bounds = _bounds(n_taps, before, width)
            reach = real(0.5) * real(n_taps)
            first, final = real(row0), real(row0 + n_rows - 1)
            band, stop = _bands_in_tile(
                table, runs[run, 0], runs[run, 1], first, final, real(before) - reach, real(upper) + reach
            )
            for piece in range(band, stop, PIECE):
                n_piece = min(PIECE, stop - piece)
                if smeared:
                    _weigh(table, piece, n_piece, row0, n_rows, n_taps, bounds, places, weights, True)
                else:
                    _weigh(table, piece, n_piece, row0, n_rows, n_taps, bounds, places, weights, False)
                for k in range(np.uint64(n_piece)):
                    index = piece + np.int64(k)
                    value = scale(table[2, index], load(sums, (group * n_bands + index) * LANES))
                    if n_taps == 2:
                        _give(lanes, base, places, weights, k, n_rows, 2, value)
                    elif n_taps == 3:
                        _give(lanes, base, places, weights, k, n_rows, 3, value)
                    elif n_taps == 4:
                        _give(lanes, base, places, weights, k, n_rows, 4, value)
                    else:
                        _give(lanes, base, places, weights, k, n_rows, n_taps, value)
        lanes[group, row0 : row0 + n_rows, :before] = 0  # what bands beside the grid left in the padding
        lanes[group, row0 : row0 + n_rows, width - before - 1 :] = 0


def _adjoint_thread(i: int, sums: Any, table: Any, runs: Any, before: int, images: Any, transposed: Any) -> None:
    straight = images.shape[0] * images.shape[1] * images.shape[2] * LANES
    orientation = i >= straight
    lanes = transposed if orientation else images
    j = i - straight if orientation else i
    n_rows, width = lanes.shape[1], lanes.shape[2]
    lane, pixel, row, group = (
        j % LANES,
        j // LANES % width,
        j // (LANES * width) % n_rows,
        j // (LANES * width * n_rows),
    )
    here, height = np.float32(np.int32(pixel)), np.float32(np.int32(row))
    total = table[0, 0] - table[0, 0]
    smeared = table.shape[0] > BOX
    for run in range(runs.shape[0] if before <= pixel < width - before - 1 else 0):
        if runs[run, 2] == orientation:
            reach = np.float32(0.5) * np.float32(runs[run, 3])
            band = _first_above(table, runs[run, 0], runs[run, 1], height, here - reach)
            while band < runs[run, 1]:
                middle, flat, narrow, top, slope = _window(table, band, height, smeared)
                if middle >= here + np.float32(1) + reach:
                    break
                right = _left_of(here + np.float32(1) - middle, flat, narrow, top, slope, smeared)
                left = _left_of(here - middle, flat, narrow, top, slope, smeared)
                total += (right - left) * table[2, band] * sums[group, band, lane]
                band += 1
    lanes[group, row, pixel, lane] = total


FORWARD: Final = Kernel(
    "xray.footprint.forward",
    _forward_blocks,
    _forward_thread,
    "real[:,:,:,::1];real[:,:,:,::1];real[:,::1];int32[:,::1];int64;real[:,:,::1]",
)
"""Sum lane images, as they are and transposed, along bands; a CUDA thread owns a band in one lane."""

ADJOINT: Final = Kernel(
    "xray.footprint.adjoint",
    _adjoint_blocks,
    _adjoint_thread,
    "real[:,:,::1];real[:,::1];int32[:,::1];int64;real[:,:,:,::1];real[:,:,:,::1]",
)
"""Return the sums along bands to the lane images; a CUDA thread owns a padded pixel in one lane."""
