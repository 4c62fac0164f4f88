"""What every numeric surface can do, and how full of it voxels are where only a distance to it is known."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from phantomsim.physics.grid import Grid, Triple

Float64 = npt.NDArray[np.float64]

CELLS: Final = 2
"""Cells along each edge of a voxel that a surface cuts; in each it is taken as a plane."""
FLATTEST: Final = 1e-4
"""Least share of an axis in the slope of such a plane: its volume formula divides by all three."""
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
    def occupancy(self, grid: Grid) -> npt.NDArray[np.float32]:
        """Return the fraction of each voxel (z, y, x) that lies inside."""


def spread(
    distance: Callable[[Float64], Float64], lower: Triple, upper: Triple, grid: Grid, n_cells: int
) -> npt.NDArray[np.float32]:
    """Return the fraction of each voxel that lies inside a surface.

    Blocks of voxels, then voxels, that the distance at their centre shows to lie wholly on one side are settled at
    once. The others are cut into ``n_cells``³ cells, and in each the surface is the plane that the distances at the
    cell's corners suggest, the fraction below which is exact; what half as many cells give is used to take the leading
    error, which curvature makes, away. A plane is filled exactly.

    Parameters
    ----------
    distance
        Function of points (n, 3), (z, y, x) [m]: negative inside, in size never more than the distance to the
        surface [m], smooth across it.
    lower, upper
        Corners of a box that holds the body [m].
    grid
        Voxels to fill.
    n_cells
        Cells along each edge of a voxel, an even number.

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
    values[tuple(cut.T)] = _inside(distance, corner + cut * spacing, spacing, n_cells)
    return values


def _side(distance: Callable[[Float64], Float64], centres: Float64, edges: Float64) -> npt.NDArray[np.int8]:
    """Return −1 for boxes wholly inside, 1 for those outside, and 0 for those that the surface may cut."""
    values = in_chunks(distance, centres)
    return np.asarray(np.sign(values) * (np.abs(values) >= np.linalg.norm(edges) / 2), dtype=np.int8)


def _inside(distance: Callable[[Float64], Float64], corners: Float64, spacing: Float64, n: int) -> Float64:
    node = np.arange(n + 1) / n
    offsets = np.stack(np.meshgrid(node, node, node, indexing="ij"), axis=-1) * spacing
    result = np.empty(len(corners))
    size = max(1, CHUNK // offsets[..., 0].size)
    for begin in range(0, len(corners), size):
        points = corners[begin : begin + size, None, None, None] + offsets
        values = distance(points.reshape(-1, 3)).reshape(points.shape[:-1])
        fine = _below(values).mean(axis=(1, 2, 3))
        coarse = _below(values[:, ::2, ::2, ::2]).mean(axis=(1, 2, 3))
        result[begin : begin + size] = (4 * fine - coarse) / 3  # Richardson: an error that falls as the square goes
    return np.clip(result, 0, 1)


def _below(values: Float64) -> Float64:
    """Return the fraction of each cell where a function is negative, from its values (…, n + 1, n + 1, n + 1).

    With the mean c and the mean differences m_i of a cell's corners, that is the probability of Σ m_i ξ_i < −c for even
    ξ_i in [−1/2, 1/2]: a sum over the corners of (−1)^k (α − …)³ / 6 m_1 m_2 m_3, where α = Σ |m_i| / 2 − c.
    """
    slopes = []
    for axis in (-3, -2, -1):
        slope = np.diff(values, axis=axis)
        for other in {-3, -2, -1} - {axis}:
            slope = _halved(slope, other)
        slopes.append(np.abs(slope))
    middle = _halved(_halved(_halved(values, -3), -2), -1)
    total = np.maximum(slopes[0] + slopes[1] + slopes[2], np.finfo(np.float64).tiny)
    a, b, c = (np.maximum(slope / total, FLATTEST) for slope in slopes)
    alpha = (a + b + c) / 2 - np.clip(middle / total, -1, 1)
    cubes = sum(
        (-1) ** (i + j + k) * np.maximum(alpha - (i * a + j * b + k * c), 0) ** 3
        for i in (0, 1)
        for j in (0, 1)
        for k in (0, 1)
    )
    return np.asarray(np.clip(cubes / (6 * a * b * c), 0, 1))


def _halved(values: Float64, axis: int) -> Float64:
    """Return the means of neighbours along an axis."""
    n = values.shape[axis]
    return np.asarray((values.take(range(n - 1), axis) + values.take(range(1, n), axis)) / 2)


def in_chunks(function: Callable[[Float64], Any], points: Float64) -> npt.NDArray[Any]:
    """Return a function of points (n, 3), called for `CHUNK` of them at a time."""
    pieces = [function(points[i : i + CHUNK]) for i in range(0, max(len(points), 1), CHUNK)]
    return np.concatenate(pieces)
