"""Volumes as stacks of the planes that rays cross, and back.

A ray that runs mostly along one axis of the grid crosses the planes across that axis one by one. Its volume is stored
plane by plane, with zeros around each, so that neighbouring rays read neighbours in memory and none needs a bound.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from phantomsim.physics.array import Array, namespace
from phantomsim.physics.kernel import Kernel, loop_nest

TILE: Final = 16  # voxels along each axis: what is read and what is written both stay in the cache

ORDERS: Final = ((0, 1, 2), (1, 2, 0), (2, 1, 0))
"""Axes (plane, line, height) of the stack whose planes lie across z, y or x."""


def stack_planes(volume: Array, axis: int, before: int, lines: int, heights: int) -> Array:
    """Return a volume (z, y, x) as planes across an axis.

    Parameters
    ----------
    volume
        Voxels (z, y, x), contiguous.
    axis
        Axis across the planes: 0 z, 1 y, 2 x.
    before
        Zeros before the voxels of each line of a plane; there is always one line of zeros before the first.
    lines, heights
        Size of a plane with its zeros.

    Returns
    -------
        Planes (plane, line, height), as `ORDERS` says.
    """
    planes = namespace(volume).zeros((volume.shape[axis], lines, heights), volume.dtype)
    PACK(_n_tiles(volume), volume.size, volume, *_places(planes, axis, before), planes.reshape(-1))
    return planes


def add_planes(planes: Array, axis: int, before: int, volume: Array) -> None:
    """Add the planes across an axis to a volume (z, y, x), the adjoint of `stack_planes`."""
    UNPACK(_n_tiles(volume), volume.size, planes.reshape(-1), *_places(planes, axis, before), volume)


def _places(planes: Array, axis: int, before: int) -> tuple[int, int, int, int]:
    """Return where voxel (0, 0, 0) is among the planes, and the steps along z, y and x."""
    steps = (planes.shape[1] * planes.shape[2], planes.shape[2], 1)
    along = dict(zip(ORDERS[axis], steps, strict=True))
    return planes.shape[2] + before, along[0], along[1], along[2]


def _n_tiles(volume: Array) -> int:
    return int(np.prod([-(-n // TILE) for n in volume.shape[:2]]))


@loop_nest
def _pack_blocks(begin: int, end: int, volume: Any, first: int, z_step: int, y_step: int, x_step: int, to: Any) -> None:
    n_z, n_y, n_x = volume.shape
    tiles = (n_y + TILE - 1) // TILE
    for block in range(begin, end):
        z0, y0 = TILE * (block // tiles), TILE * (block % tiles)
        for x0 in range(0, n_x, TILE):
            for y in range(y0, min(n_y, y0 + TILE)):
                for z in range(z0, min(n_z, z0 + TILE)):
                    place = first + z * z_step + y * y_step
                    for x in range(x0, min(n_x, x0 + TILE)):
                        to[np.uint64(place + x * x_step)] = volume[z, y, x]


def _pack_thread(i: int, volume: Any, first: int, z_step: int, y_step: int, x_step: int, to: Any) -> None:
    n_y, n_x = volume.shape[1], volume.shape[2]
    x, y, z = i % n_x, i // n_x % n_y, i // (n_x * n_y)
    to[first + z * z_step + y * y_step + x * x_step] = volume[z, y, x]


@loop_nest
def _unpack_blocks(
    begin: int, end: int, planes: Any, first: int, z_step: int, y_step: int, x_step: int, volume: Any
) -> None:
    n_z, n_y, n_x = volume.shape
    tiles = (n_y + TILE - 1) // TILE
    for block in range(begin, end):
        z0, y0 = TILE * (block // tiles), TILE * (block % tiles)
        for x0 in range(0, n_x, TILE):
            for y in range(y0, min(n_y, y0 + TILE)):
                for z in range(z0, min(n_z, z0 + TILE)):
                    place = first + z * z_step + y * y_step
                    for x in range(x0, min(n_x, x0 + TILE)):
                        volume[z, y, x] += planes[np.uint64(place + x * x_step)]


def _unpack_thread(i: int, planes: Any, first: int, z_step: int, y_step: int, x_step: int, volume: Any) -> None:
    n_y, n_x = volume.shape[1], volume.shape[2]
    x, y, z = i % n_x, i // n_x % n_y, i // (n_x * n_y)
    volume[z, y, x] += planes[first + z * z_step + y * y_step + x * x_step]


PACK: Final = Kernel(
    "xray.cone_joseph.pack", _pack_blocks, _pack_thread, "real[:,:,::1];int64;int64;int64;int64;real[::1]"
)
"""Copy voxels into padded planes; a block is a tile in z and y, a CUDA thread a voxel."""

UNPACK: Final = Kernel(
    "xray.cone_joseph.unpack", _unpack_blocks, _unpack_thread, "real[::1];int64;int64;int64;int64;real[:,:,::1]"
)
"""Add padded planes to the voxels; a block is a tile in z and y, a CUDA thread a voxel."""
