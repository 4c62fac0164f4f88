"""Regular grids of voxels in patient coordinates."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np
import numpy.typing as npt

from phantomsim.physics.errors import ShapeError, UnitError

Triple = tuple[float, float, float]


@dataclass(frozen=True)
class Grid:
    """A regular grid of voxels, its axes along patient z (head), y (posterior) and x (left).

    Parameters
    ----------
    shape
        Number of voxels (z, y, x).
    spacing
        Distance between voxel centres (z, y, x) [m].
    centre
        Position of the middle of the grid (z, y, x) [m].

    Raises
    ------
    ShapeError
        If a number of voxels is below 1.
    UnitError
        If a spacing is not positive and finite.
    """

    shape: tuple[int, int, int]
    spacing: Triple
    centre: Triple = (0.0, 0.0, 0.0)

    def __post_init__(self) -> None:
        if len(self.shape) != 3 or any(n < 1 for n in self.shape):
            raise ShapeError(f"shape must be three counts of at least 1 (z, y, x), got {self.shape}")
        if any(not 0 < d < np.inf for d in self.spacing):
            raise UnitError(f"spacing must be positive and finite (z, y, x) [m], got {self.spacing}")

    @property
    def n_voxels(self) -> int:
        """Number of voxels."""
        return prod(self.shape)

    @property
    def extent(self) -> Triple:
        """Edge lengths of the whole grid (z, y, x) [m]."""
        z, y, x = (n * d for n, d in zip(self.shape, self.spacing, strict=True))
        return (z, y, x)

    @property
    def lower(self) -> Triple:
        """Corner of the grid with the smallest coordinates (z, y, x) [m]."""
        z, y, x = (c - e / 2 for c, e in zip(self.centre, self.extent, strict=True))
        return (z, y, x)

    def coordinates(self, axis: int) -> npt.NDArray[np.float64]:
        """Positions of the voxel centres along one axis (0 z, 1 y, 2 x) [m], float64."""
        n, spacing = self.shape[axis], self.spacing[axis]
        return self.centre[axis] + spacing * (np.arange(n, dtype=np.float64) - (n - 1) / 2)
