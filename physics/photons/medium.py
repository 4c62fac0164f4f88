"""Matter on a voxel grid as photons meet it: two materials and their shares in each voxel, majorants of coarse cells.

A photon that may collide in a voxel draws which of its two materials it meets there, with the probability of the
share. On average that is the attenuation of the mixture, exactly, and the collision knows its material: mixtures cost
one look-up, as pure voxels do. Matter of reduced density is a share of a material beside empty space: that one is not
drawn but thinned, so that the majorant is thin too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from phantomsim.physics.array import Array, namespace, to_device, to_host
from phantomsim.physics.errors import ShapeError, UnitError
from phantomsim.physics.grid import Grid
from phantomsim.physics.photons.tables import Material, PhotonTables, tabulate

FULL_SHARE: Final = 512
"""A voxel's share of its first material, in parts of this."""
_MOST_MATERIALS = 255
_SCALES = 16  # majorants of thinner matter come in sixteenths
_CELL_SIZES = (4, 8, 16, 32, 64)
_REFERENCE_ENERGY_ROW = 756  # 60 keV: where the size of the cells is chosen
_COST_OF_A_BORDER = 0.7  # relative to that of a collision


@dataclass(frozen=True, eq=False)
class Medium:
    """Materials in voxels, ready for transport.

    Parameters
    ----------
    grid
        Where the voxels are.
    voxels
        First material, second material and share of the first, 8, 8 and 16 bits from the lowest (z, y, x), uint32.
        Material 0 is empty space, and the first only where there is nothing else.
    tables
        Interactions of the materials.
    cells
        Row of `free_paths` of each cell of ``cell_size³`` voxels (z, y, x), int32.
    free_paths
        Shortest mean free path in cells of a row at each energy (row, energy) [m].
    cell_size
        Edge of a cell [voxel].
    """

    grid: Grid
    voxels: Array
    tables: PhotonTables
    cells: Array
    free_paths: Array
    cell_size: int

    def to(self, device: str) -> Medium:
        """Return the medium on a device."""
        tables = PhotonTables(*(to_device(x, device) for x in (self.tables.coefficients, self.tables.momentum)))
        moved = (to_device(x, device) for x in (self.voxels, self.cells, self.free_paths))
        voxels, cells, free_paths = moved
        return Medium(self.grid, voxels, tables, cells, free_paths, self.cell_size)


def medium_of_labels(
    labels: Array, materials: Sequence[Material], grid: Grid, *, relative_density: Array | None = None
) -> Medium:
    """Return a medium of one material a voxel.

    Parameters
    ----------
    labels
        Number of the material (z, y, x).
    materials
        Density [kg/m³] and mass fractions of each.
    grid
        Where the voxels are.
    relative_density
        Density relative to the material's, 0 to 1 (z, y, x), kept to 1/512; 1 without it.

    Returns
    -------
        The medium, on the host.

    Raises
    ------
    ShapeError
        If the arrays are not of the grid, or there are more than 255 materials.
    UnitError
        If a label has no material, or a density is out of range.
    """
    labels = to_host(labels)
    share = np.ones(grid.shape, np.float32) if relative_density is None else to_host(relative_density)
    if labels.shape != grid.shape or share.shape != grid.shape:
        raise ShapeError(f"labels and density must be of the grid {grid.shape}, got {labels.shape} and {share.shape}")
    if labels.min() < 0 or labels.max() >= len(materials):
        raise UnitError(f"labels must be 0 to {len(materials) - 1}, got {labels.min()} to {labels.max()}")
    if not np.all((share >= 0) & (share <= 1)):
        raise UnitError("relative_density must lie in 0 to 1: name a denser material instead")
    return _assemble(labels.astype(np.uint32) + 1, np.zeros(grid.shape, np.uint32), share, materials, grid)


def medium_of_fractions(fractions: Array, materials: Sequence[Material], grid: Grid) -> Medium:
    """Return a medium of volume fractions.

    Parameters
    ----------
    fractions
        Volume fractions (material, z, y, x), 0 to 1, sum at most 1; the rest is empty space. Of three or more
        materials in a voxel the two largest count and share the volume of the others.
    materials
        Density [kg/m³] and mass fractions of each.
    grid
        Where the voxels are.

    Returns
    -------
        The medium, on the host.

    Raises
    ------
    ShapeError
        If the fractions are not of the grid and the materials, or there are more than 255 materials.
    UnitError
        If fractions are negative, not numbers, or their sum is above 1.
    """
    values = to_host(fractions)
    if values.shape != (len(materials), *grid.shape):
        raise ShapeError(f"fractions must be {(len(materials), *grid.shape)}, got {values.shape}")
    empty = 1 - values.sum(axis=0, dtype=np.float32)
    if not (np.all(values >= 0) and np.all(empty >= -1e-3)):
        raise UnitError("volume fractions must not be negative, and their sum not above 1")
    first, second = np.zeros(grid.shape, np.uint32), np.zeros(grid.shape, np.uint32)
    most, next_most = np.maximum(empty, 0), np.zeros(grid.shape, np.float32)
    for m, fraction in enumerate(values, start=1):
        above, between = fraction > most, (fraction > next_most) & (fraction <= most)
        second = np.where(above, first, np.where(between, m, second))
        next_most = np.where(above, most, np.where(between, fraction, next_most))
        first, most = np.where(above, m, first), np.where(above, fraction, most)
    swap = (first == 0) & (second > 0)
    first, second = np.where(swap, second, first), np.where(swap, first, second)
    share = np.where(swap, next_most, most) / (most + next_most)
    return _assemble(first, second, share, materials, grid)


def linear_attenuation_of(medium: Medium, energy_row: int) -> Array:
    """Return μ of the voxels (z, y, x) [1/m], float32, at the energy of a row of the tables."""
    xp = namespace(medium.voxels)
    mu = medium.tables.coefficients[:, energy_row, 2]
    share = (medium.voxels >> 16).astype(xp.float32) / FULL_SHARE
    return share * mu[medium.voxels & 255] + (1 - share) * mu[(medium.voxels >> 8) & 255]


def _assemble(
    first: npt.NDArray[np.uint32],
    second: npt.NDArray[np.uint32],
    share: npt.NDArray[np.float32],
    materials: Sequence[Material],
    grid: Grid,
) -> Medium:
    if len(materials) > _MOST_MATERIALS:
        raise ShapeError(f"a medium takes at most {_MOST_MATERIALS} materials, got {len(materials)}")
    tables = tabulate(materials)
    parts = np.rint(share * FULL_SHARE).astype(np.uint32)
    voxels = np.ascontiguousarray((first | (second << 8) | (parts << 16)).astype(np.uint32))
    # what a voxel can be at most: which materials, and how many sixteenths of full density beside empty space
    sixteenths = np.where(second == 0, (parts * _SCALES + FULL_SHARE - 1) // FULL_SHARE, _SCALES)
    kinds, kind_of = np.unique((first * 256 + second) * 32 + sixteenths, return_inverse=True)
    kind_of = kind_of.reshape(grid.shape)
    mu = tables.coefficients[:, :, 2]
    mu = np.maximum(mu, np.roll(mu, -1, axis=1))  # between two rows the larger bounds
    bounds = np.stack([np.maximum(mu[k // 32 // 256], mu[k // 32 % 256]) * (k % 32 / _SCALES) for k in kinds.tolist()])
    cell_size = _best_cell_size(bounds[:, _REFERENCE_ENERGY_ROW][kind_of], grid)
    cells, free_paths = _majorants(kind_of, bounds, cell_size)
    return Medium(grid, voxels, tables, cells, free_paths, cell_size)


def _majorants(
    kind_of: npt.NDArray[np.int64], bounds: npt.NDArray[np.float32], size: int
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float32]]:
    """Return the row of each cell, and 1/majorant of each row: cells with the same kinds of voxels share a row."""
    shape = tuple(-(-n // size) for n in kind_of.shape)
    rows: dict[bytes, int] = {}
    free_paths = []
    cells = np.empty(shape, np.int32)
    for cell in np.ndindex(shape):
        z, y, x = (slice(i * size, (i + 1) * size) for i in cell)
        present = np.flatnonzero(np.bincount(kind_of[z, y, x].ravel(), minlength=len(bounds)))
        largest = bounds[present].max(axis=0)
        if largest.tobytes() not in rows:
            rows[largest.tobytes()] = len(rows)
            free_paths.append(1 / np.maximum(largest * np.float32(1.00001), np.float32(1e-9)))
        cells[cell] = rows[largest.tobytes()]
    return cells, np.ascontiguousarray(free_paths, dtype=np.float32)


def _best_cell_size(mu: npt.NDArray[np.float32], grid: Grid) -> int:
    """Return the cell size with the fewest steps: collisions go as the majorant, borders as 1.5 per edge length."""
    most = max(grid.shape)
    edge = float(np.mean(grid.spacing))
    costs = {most: float(mu.max())}
    for size in _CELL_SIZES:
        if size < most:
            majorant = mu
            for axis, n in enumerate(grid.shape):
                majorant = np.maximum.reduceat(majorant, np.arange(0, n, size), axis=axis)
            costs[size] = float(majorant.mean()) + 1.5 * _COST_OF_A_BORDER / (size * edge)
    return min(costs, key=lambda size: costs[size])
