"""Eight images as one image of eight lanes, and back.

A lane is one slice under one symmetry of the scan. Every interpolation weight then serves eight neighbours in memory,
whether they come from one slice turned eight ways or from eight slices, and no projection needs a gather.
"""

from __future__ import annotations

from math import ceil
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from phantomsim.physics.kernel import Kernel, loop_nest
from phantomsim.physics.simd import LANES
from phantomsim.physics.xray.symmetry import Symmetry

BEFORE: Final = 1
"""Zeros before the pixels in a row of a lane image of Joseph's method, for the places beside the grid; others may need
more. One more zero follows the pixels."""

TILE: Final = 16  # pixels: turned planes are read along columns, and a tile of each lane stays in the cache

Int64 = npt.NDArray[np.int64]


def lane_sources(shape: tuple[int, int, int], symmetries: tuple[Symmetry, ...], *, transposed: bool) -> Int64:
    """Return where in a volume the lanes of each lane image lie.

    Parameters
    ----------
    shape
        Voxels of the volume (z, y, x).
    symmetries
        Symmetries of the scan: the outer part of the lane's number, the slice being the inner part.
    transposed
        Whether rows of the lane images lie along y.

    Returns
    -------
        Index in the volume of pixel (0, 0) of a lane, or −1 where slices have run out, and its steps per row and per
        pixel (group, lane, 3).
    """
    plane = np.arange(shape[1] * shape[2]).reshape(shape[1:])
    slices = LANES // len(symmetries)
    sources = np.empty((ceil(shape[0] / slices), len(symmetries), slices, 3), np.int64)
    for number, symmetry in enumerate(symmetries):
        sources[:, number] = _steps(_turned(plane, symmetry, transposed))
    slice_numbers = np.arange(sources.shape[0] * slices).reshape(-1, 1, slices)
    sources[..., 0] += slice_numbers * plane.size
    sources[..., 0][np.broadcast_to(slice_numbers >= shape[0], sources.shape[:3])] = -1
    return sources.reshape(-1, LANES, 3)


def padding(before: int) -> int:
    """Return how many zeros a row of a lane image holds in all if it has `before` before its pixels."""
    return 2 * before + 1


def lane_targets(
    shape: tuple[int, int, int], symmetries: tuple[Symmetry, ...], *, transposed: bool, before: int = BEFORE
) -> Int64:
    """Return where the pixels of a plane lie in its lane image, the inverse of `lane_sources`.

    Returns
    -------
        Index among the padded pixels of a lane image of pixel (0, 0) of a plane, and its steps per y and per x
        (symmetry, 3).
    """
    plane = np.arange(shape[1] * shape[2]).reshape(shape[1:])
    targets = []
    for symmetry in symmetries:
        turned = _turned(plane, symmetry, transposed)
        n_rows, n_pixels = turned.shape
        place = np.empty(plane.size, np.int64)
        place[turned] = np.arange(n_rows)[:, None] * (n_pixels + padding(before)) + before + np.arange(n_pixels)
        targets.append(_steps(place.reshape(plane.shape)))
    return np.array(targets, np.int64)


def _turned(plane: Int64, symmetry: Symmetry, transposed: bool) -> Int64:
    turned = symmetry.turn(plane)
    return turned.T if transposed else turned


def _steps(index: Int64) -> tuple[int, int, int]:
    first = int(index[0, 0])
    return first, int(index[min(1, index.shape[0] - 1), 0]) - first, int(index[0, min(1, index.shape[1] - 1)]) - first


@loop_nest
def _pack_blocks(begin: int, end: int, voxels: Any, sources: Any, before: int, lanes: Any) -> None:
    n_rows, n_pixels = lanes.shape[1], lanes.shape[2] - 2 * before - 1
    tiles = (n_rows + TILE - 1) // TILE
    for block in range(begin, end):
        group, row0 = block // tiles, TILE * (block % tiles)
        row1 = min(n_rows, row0 + TILE)
        lanes[group, row0:row1, :before] = 0
        lanes[group, row0:row1, before + n_pixels :] = 0
        for pixel0 in range(0, n_pixels, TILE):
            pixel1 = min(n_pixels, pixel0 + TILE)
            for lane in range(LANES):
                first, row_step, step = sources[group, lane, 0], sources[group, lane, 1], sources[group, lane, 2]
                for row in range(row0, row1):
                    for pixel in range(pixel0, pixel1):
                        source = first + row * row_step + pixel * step
                        lanes[group, row, before + pixel, lane] = voxels[np.uint64(source)] if first >= 0 else 0


def _pack_thread(i: int, voxels: Any, sources: Any, before: int, lanes: Any) -> None:
    n_rows, width = lanes.shape[1], lanes.shape[2]
    lane, place, row = i % LANES, i // LANES % width, i // (LANES * width) % n_rows
    group = i // (LANES * width * n_rows)
    pixel = place - before
    first = sources[group, lane, 0]
    if first < 0 or pixel < 0 or pixel >= width - 2 * before - 1:
        lanes[group, row, place, lane] = 0
    else:
        source = first + row * sources[group, lane, 1] + pixel * sources[group, lane, 2]
        lanes[group, row, place, lane] = voxels[source]


@loop_nest
def _unpack_blocks(begin: int, end: int, lanes: Any, targets: Any, volume: Any) -> None:
    n_y, n_x = volume.shape[1], volume.shape[2]
    flat = lanes.reshape(-1)
    size = lanes.shape[1] * lanes.shape[2]
    n_symmetries = targets.shape[0]
    slices = LANES // n_symmetries
    tiles = (n_y + TILE - 1) // TILE
    for block in range(begin, end):
        plane, y0 = block // tiles, TILE * (block % tiles)
        for x0 in range(0, n_x, TILE):
            for symmetry in range(n_symmetries):
                first = plane // slices * size + targets[symmetry, 0]
                lane = symmetry * slices + plane % slices
                for y in range(y0, min(n_y, y0 + TILE)):
                    for x in range(x0, min(n_x, x0 + TILE)):
                        place = first + y * targets[symmetry, 1] + x * targets[symmetry, 2]
                        volume[plane, y, x] += flat[np.uint64(place * LANES + lane)]


def _unpack_thread(i: int, lanes: Any, targets: Any, volume: Any) -> None:
    n_y, n_x = volume.shape[1], volume.shape[2]
    x, y, plane = i % n_x, i // n_x % n_y, i // (n_x * n_y)
    width = lanes.shape[2]
    slices = LANES // targets.shape[0]
    total = volume[plane, y, x]
    for symmetry in range(targets.shape[0]):
        place = targets[symmetry, 0] + y * targets[symmetry, 1] + x * targets[symmetry, 2]
        total += lanes[plane // slices, place // width, place % width, symmetry * slices + plane % slices]
    volume[plane, y, x] = total


PACK: Final = Kernel("xray.joseph.pack", _pack_blocks, _pack_thread, "real[::1];int64[:,:,::1];int64;real[:,:,:,::1]")
"""Copy voxels into lane images; a block is a tile of rows, a CUDA thread a padded pixel of a lane."""

UNPACK: Final = Kernel(
    "xray.joseph.unpack", _unpack_blocks, _unpack_thread, "real[:,:,:,::1];int64[:,::1];real[:,:,::1]"
)
"""Add the lanes of every voxel to it, the adjoint of `PACK`; a block is a tile of rows, a CUDA thread a voxel."""


def n_tiles(n_rows: int) -> int:
    """Return the number of blocks of `PACK` and `UNPACK` for each group or plane of `n_rows` rows."""
    return ceil(n_rows / TILE)
