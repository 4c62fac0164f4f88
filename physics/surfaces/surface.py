"""What every numeric surface can do, and how full of it voxels are where only a distance to it is known."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from phantomsim.physics.grid import Grid, Triple

Float64 = npt.NDArray[np.float64]

LINES: Final = 4
"""Lines across a voxel along z and along y, and pieces of each line along x."""
BLOCK: Final = 8
"""Voxels along the edge of a block that is looked at as a whole first."""
CHUNK: Final = 1 << 15
"""Points that are looked at together: their coordinates and distances stay in the cache."""


class Surface(ABC):
    """A closed surface in patient coordinates."""

    @property
    @abstractmethod
    def lower(self) -> Triple:
        """Corner of a box that holds the body, smallest coordinates (z, y, x) [m]."""

    @property
    @abstractmethod
    def upper(self) -> Triple:
        """Opposite corner of that box (z, y, x) [m]."""

    @abstractmethod
    def holds(self, points: Float64) -> npt.NDArray[np.bool_]:
        """Return which points (…, 3), (z, y, x) [m], lie inside (…)."""

    @abstractmethod
    def occupancy(self, grid: Grid, n_lines: int = LINES) -> npt.NDArray[np.float32]:
        """Return the fraction of each voxel (z, y, x) that lies inside, from `n_lines`² lines through it along x."""


def spread(
    distance: Callable[[Float64], Float64], lower: Triple, upper: Triple, grid: Grid, n_lines: int
) -> npt.NDArray[np.float32]:
    """Return the fraction of each voxel that lies inside a surface.

    Blocks of voxels, then voxels, that the distance at their centre shows to lie wholly on one side are settled at
    once. The others are cut by ``n_lines`` × ``n_lines`` lines along x, each sampled at ``n_lines + 1`` points; between
    two points of unlike sign the surface stands where the distance, taken as linear, vanishes. The error of a volume
    falls as 1 / n_lines² for a curved surface; a face square to z or y may be off by half a line's width.

    Parameters
    ----------
    distance
        Function of points (n, 3), (z, y, x) [m]: negative inside, in size never more than the distance to the
        surface [m], smooth across it.
    lower, upper
        Corners of a box that holds the body [m].
    grid
        Voxels to fill.
    n_lines
        Lines across a voxel.

    Returns
    -------
        Fractions (z, y, x), float32.
    """
    values = np.zeros(grid.shape, np.float32)
    spacing, corner = np.asarray(grid.spacing), np.asarray(grid.lower)
    first = np.clip(np.floor((np.asarray(lower) - corner) / spacing), 0, grid.shape).astype(np.int64)
    last = np.clip(np.ceil((np.asarray(upper) - corner) / spacing), 0, grid.shape).astype(np.int64)
    if (last <= first).any():
        return values
    n_blocks = -(-(last - first) // BLOCK)
    blocks = first + BLOCK * np.stack(np.unravel_index(np.arange(n_blocks.prod()), n_blocks), axis=-1)
    signs = _side(distance, corner + (blocks + BLOCK / 2) * spacing, BLOCK * spacing)
    full = (signs < 0).reshape(n_blocks)
    for axis in range(3):
        full = full.repeat(BLOCK, axis)
    inner = tuple(slice(a, b) for a, b in zip(first, last, strict=True))
    values[inner] = full[tuple(slice(0, b - a) for a, b in zip(first, last, strict=True))]
    voxels = (blocks[signs == 0][:, None] + np.indices((BLOCK,) * 3).reshape(3, -1).T).reshape(-1, 3)
    voxels = voxels[(voxels < last).all(axis=1)]
    signs = _side(distance, corner + (voxels + 0.5) * spacing, spacing)
    values[tuple(voxels[signs < 0].T)] = 1
    cut = voxels[signs == 0]
    values[tuple(cut.T)] = _inside(distance, corner + cut * spacing, spacing, n_lines)
    return values


def _side(distance: Callable[[Float64], Float64], centres: Float64, edges: Float64) -> npt.NDArray[np.int8]:
    """Return −1 for boxes wholly inside, 1 for those outside, and 0 for those that the surface may cut."""
    values = in_chunks(distance, centres)
    return np.asarray(np.sign(values) * (np.abs(values) >= np.linalg.norm(edges) / 2), dtype=np.int8)


def _inside(distance: Callable[[Float64], Float64], corners: Float64, spacing: Float64, n: int) -> Float64:
    middle, node = (np.arange(n) + 0.5) / n, np.arange(n + 1) / n
    offsets = np.stack(np.meshgrid(middle, middle, node, indexing="ij"), axis=-1) * spacing
    result = np.empty(len(corners))
    size = max(1, CHUNK // offsets[..., 0].size)
    for begin in range(0, len(corners), size):
        points = corners[begin : begin + size, None, None, None] + offsets
        values = distance(points.reshape(-1, 3)).reshape(points.shape[:-1])
        depth, span = np.maximum(-values, 0), np.abs(values)
        total = span[..., 1:] + span[..., :-1]
        share = np.divide(depth[..., 1:] + depth[..., :-1], total, out=np.zeros_like(total), where=total > 0)
        result[begin : begin + size] = share.mean(axis=(1, 2, 3))
    return result


def in_chunks(function: Callable[[Float64], Any], points: Float64) -> npt.NDArray[Any]:
    """Return a function of points (n, 3), called for `CHUNK` of them at a time."""
    pieces = [function(points[i : i + CHUNK]) for i in range(0, max(len(points), 1), CHUNK)]
    return np.concatenate(pieces)
