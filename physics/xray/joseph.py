"""Joseph's projection and its exact adjoint, row by row on images of eight lanes.

A ray adds from each row of pixels the value at its crossing, interpolated between the two nearest pixels, times its
length in a row. The adjoint returns to each pixel what the rays took, with the same positions and weights. On the CPU
both work on a tile of rows at a time: the crossings of a piece of a run of rays are found first, then each ray stays in
a register while it passes the rows. The forward nest owns rays and the adjoint nest owns rows, so nothing is shared.

References
----------
P. M. Joseph, "An improved algorithm for reprojecting rays through pixel images", IEEE Trans. Med. Imaging 1 (1982)
192-196, doi:10.1109/TMI.1982.4307572.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from phantomsim.physics.kernel import Kernel, Real, loop_nest, scalar
from phantomsim.physics.simd import LANES, add, load, multiply_add, scale, store

ROWS: Final = 8  # of a tile: they and the piece of rays that crosses them stay in the cache
PIECE: Final = 64  # rays whose crossings are found at once
RUNS: Final = 8  # of a block of the forward nest


@scalar
def _crossing(lines: Any, ray: int, row: Real, last: Real) -> Real:
    """Return where a ray crosses a padded row, held to where the row reads zero [pixel]."""
    return min(max(lines[0, ray] + lines[1, ray] * row, np.float32(0)), last)


@scalar
def _first_above(lines: Any, start: int, stop: int, row: Real, bound: Real) -> int:
    """Return the first ray of a run, or its end, that crosses a row beyond a bound; positions increase."""
    while start < stop:
        middle = (start + stop) // 2
        if lines[0, middle] + lines[1, middle] * row > bound:
            stop = middle
        else:
            start = middle + 1
    return start


@scalar
def _rays_in_tile(lines: Any, start: int, stop: int, first: Real, final: Real, last: Real) -> tuple[int, int]:
    """Return the first ray of a run that can touch the rows `first` to `final`, and the end; positions are linear."""
    none = last - last
    begin = min(_first_above(lines, start, stop, first, none), _first_above(lines, start, stop, final, none))
    end = max(_first_above(lines, start, stop, first, last), _first_above(lines, start, stop, final, last))
    return begin, end


@scalar
def _locate(lines: Any, ray: int, n_rays: int, row0: int, n_rows: int, last: Real, pixels: Any, parts: Any) -> None:
    """Write pixel, counted from the first of row `row0`, and part of a pixel of every crossing (row, ray)."""
    width = np.int32(last) + np.int32(2)
    for r in range(np.uint64(n_rows)):
        row = last - last + np.float32(np.int32(row0 + r))
        to, before = r * np.uint64(PIECE), np.int32(r) * width
        for k in range(np.uint64(n_rays)):
            place = _crossing(lines, np.uint64(ray) + k, row, last)
            pixel = np.int32(place)
            parts[to + k] = place - np.float32(pixel)
            pixels[to + k] = pixel + before


@loop_nest
def _forward_blocks(begin: int, end: int, images: Any, transposed: Any, lines: Any, runs: Any, sums: Any) -> None:
    real = lines.dtype.type
    one = real(1)
    n_blocks = (runs.shape[0] + RUNS - 1) // RUNS
    n_rays = lines.shape[1]
    pixels, parts = np.empty(ROWS * PIECE, np.int32), np.empty(ROWS * PIECE, lines.dtype)
    for block in range(begin, end):
        group, first_run = block // n_blocks, block % n_blocks * RUNS
        runs_end = min(runs.shape[0], first_run + RUNS)
        sums[group, runs[first_run, 0] : runs[runs_end - 1, 1]] = 0
        for row0 in range(0, max(images.shape[1], transposed.shape[1]), ROWS):
            for run in range(first_run, runs_end):
                lanes = transposed if runs[run, 2] else images
                n_rows, width = min(ROWS, lanes.shape[1] - row0), lanes.shape[2]
                if n_rows <= 0:
                    continue
                last = real(width - 2)
                ray, stop = _rays_in_tile(lines, runs[run, 0], runs[run, 1], real(row0), real(row0 + n_rows - 1), last)
                base = (group * lanes.shape[1] + row0) * width
                for piece in range(ray, stop, PIECE):
                    n_piece = min(PIECE, stop - piece)
                    _locate(lines, piece, n_piece, row0, n_rows, last, pixels, parts)
                    for k in range(np.uint64(n_piece)):
                        place = (group * n_rays + piece + np.int64(k)) * LANES
                        near = load(sums, place)
                        far = scale(real(0), near)
                        for r in range(np.uint64(n_rows)):
                            crossing = r * np.uint64(PIECE) + k
                            pixel, part = (base + np.int64(pixels[crossing])) * LANES, parts[crossing]
                            near = multiply_add(one - part, load(lanes, pixel), near)
                            far = multiply_add(part, load(lanes, pixel + LANES), far)
                        store(sums, place, add(near, far))
        for ray in range(runs[first_run, 0], runs[runs_end - 1, 1]):
            place = (group * n_rays + ray) * LANES
            store(sums, place, scale(lines[2, ray], load(sums, place)))


def _forward_thread(i: int, images: Any, transposed: Any, lines: Any, runs: Any, sums: Any) -> None:
    lane, ray, group = i % LANES, i // LANES % lines.shape[1], i // (LANES * lines.shape[1])
    run = 0
    while runs[run, 1] <= ray:
        run += 1
    lanes = transposed if runs[run, 2] else images
    last = np.float32(np.int32(lanes.shape[2] - 2))
    total = lines[0, ray] - lines[0, ray]
    for row in range(lanes.shape[1]):
        place = _crossing(lines, ray, np.float32(np.int32(row)), last)
        pixel = np.int32(place)
        part = place - np.float32(pixel)
        here, there = lanes[group, row, pixel, lane], lanes[group, row, pixel + 1, lane]
        total += (np.float32(1) - part) * here + part * there
    sums[group, ray, lane] = lines[2, ray] * total


@loop_nest
def _adjoint_blocks(begin: int, end: int, sums: Any, lines: Any, runs: Any, images: Any, transposed: Any) -> None:
    real = lines.dtype.type
    one = real(1)
    n_rays = lines.shape[1]
    straight_tiles, transposed_tiles = (images.shape[1] + ROWS - 1) // ROWS, (transposed.shape[1] + ROWS - 1) // ROWS
    pixels, parts = np.empty(ROWS * PIECE, np.int32), np.empty(ROWS * PIECE, lines.dtype)
    for block in range(begin, end):
        group, tile = block // (straight_tiles + transposed_tiles), block % (straight_tiles + transposed_tiles)
        orientation = tile >= straight_tiles
        lanes = transposed if orientation else images
        row0 = ROWS * (tile - straight_tiles if orientation else tile)
        n_rows, width = min(ROWS, lanes.shape[1] - row0), lanes.shape[2]
        last = real(width - 2)
        lanes[group, row0 : row0 + n_rows] = 0
        base = (group * lanes.shape[1] + row0) * width
        for run in range(runs.shape[0]):
            if runs[run, 2] != orientation:
                continue
            ray, stop = _rays_in_tile(lines, runs[run, 0], runs[run, 1], real(row0), real(row0 + n_rows - 1), last)
            for piece in range(ray, stop, PIECE):
                n_piece = min(PIECE, stop - piece)
                _locate(lines, piece, n_piece, row0, n_rows, last, pixels, parts)
                for k in range(np.uint64(n_piece)):
                    index = piece + np.int64(k)
                    value = scale(lines[2, index], load(sums, (group * n_rays + index) * LANES))
                    for r in range(np.uint64(n_rows)):
                        crossing = r * np.uint64(PIECE) + k
                        pixel, part = (base + np.int64(pixels[crossing])) * LANES, parts[crossing]
                        store(lanes, pixel, multiply_add(one - part, value, load(lanes, pixel)))
                        store(lanes, pixel + LANES, multiply_add(part, value, load(lanes, pixel + LANES)))
        lanes[group, row0 : row0 + n_rows, 0] = 0  # what crossings beside the grid left in the padding
        lanes[group, row0 : row0 + n_rows, width - 2 :] = 0


def _adjoint_thread(i: int, sums: Any, lines: Any, runs: Any, images: Any, transposed: Any) -> None:
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
    last = np.float32(np.int32(width - 2))
    total = lines[0, 0] - lines[0, 0]
    for run in range(runs.shape[0] if 0 < pixel < width - 2 else 0):
        if runs[run, 2] == orientation:
            ray = _first_above(lines, runs[run, 0], runs[run, 1], height, here - np.float32(1))
            while ray < runs[run, 1]:
                distance = abs(_crossing(lines, ray, height, last) - here)
                if distance >= np.float32(1):
                    break
                total += (np.float32(1) - distance) * lines[2, ray] * sums[group, ray, lane]
                ray += 1
    lanes[group, row, pixel, lane] = total


FORWARD: Final = Kernel(
    "xray.joseph.forward",
    _forward_blocks,
    _forward_thread,
    "real[:,:,:,::1];real[:,:,:,::1];real[:,::1];int32[:,::1];real[:,:,::1]",
)
"""Integrate lane images, as they are and transposed, along lines; a CUDA thread owns a ray in one lane."""

ADJOINT: Final = Kernel(
    "xray.joseph.adjoint",
    _adjoint_blocks,
    _adjoint_thread,
    "real[:,:,::1];real[:,::1];int32[:,::1];real[:,:,:,::1];real[:,:,:,::1]",
)
"""Return the sums along lines to the lane images; a CUDA thread owns a padded pixel in one lane."""


def n_forward_blocks(n_groups: int, n_runs: int) -> int:
    """Return the number of blocks of `FORWARD`."""
    return n_groups * ((n_runs + RUNS - 1) // RUNS)


def n_adjoint_blocks(n_groups: int, n_rows: int, n_transposed_rows: int) -> int:
    """Return the number of blocks of `ADJOINT`."""
    return n_groups * ((n_rows + ROWS - 1) // ROWS + (n_transposed_rows + ROWS - 1) // ROWS)
