"""Bodies given by a signed distance: a function of position, or samples of one on a grid."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy.ndimage import map_coordinates

from phantomsim.physics.errors import ShapeError, UnitError
from phantomsim.physics.grid import Grid, Triple
from phantomsim.physics.surfaces.surface import CELLS, Float64, Surface, in_chunks, spread


@dataclass(frozen=True, eq=False)
class Implicit(Surface):
    """The body where a function is negative.

    Parameters
    ----------
    function
        Function of points (n, 3), (z, y, x) [m], negative inside [m].
    box
        Two corners of a box that holds the body, smallest coordinates first [m].
    steepest
        Largest slope of the function, 1 for a distance; one that is too small loses parts of the body.

    Raises
    ------
    UnitError
        If `steepest` is not positive or the box is empty.
    """

    function: Callable[[Float64], Float64]
    box: tuple[Triple, Triple]
    steepest: float = 1.0

    def __post_init__(self) -> None:
        if not 0 < self.steepest < np.inf or not (np.asarray(self.box[0]) < self.box[1]).all():
            raise UnitError(f"a signed distance needs a positive slope and a box, got {self.steepest} and {self.box}")

    @property
    def lower(self) -> Triple:
        """Corner of the box (z, y, x) [m]."""
        return self.box[0]

    @property
    def upper(self) -> Triple:
        """Opposite corner (z, y, x) [m]."""
        return self.box[1]

    def distance(self, points: Float64) -> Float64:
        """Return a signed bound on the distance to the surface at points (n, 3) [m], negative inside."""
        return self.function(points) / self.steepest

    def holds(self, points: Float64) -> npt.NDArray[np.bool_]:
        """Return which points (…, 3) [m] lie inside (…)."""
        return in_chunks(self.distance, points.reshape(-1, 3)).reshape(points.shape[:-1]) <= 0

    def occupancy(self, grid: Grid, n_cells: int = CELLS) -> npt.NDArray[np.float32]:
        """Return the fraction of each voxel (z, y, x) that lies inside."""
        return spread(self.distance, self.lower, self.upper, grid, n_cells)


@dataclass(frozen=True, eq=False)
class SampledDistance(Surface):
    """The body where samples of a signed distance, linear between them along each axis, are negative.

    Parameters
    ----------
    values
        Distance at the centres of the grid's voxels (z, y, x) [m], negative inside. Its slope may differ from 1.
    on
        Where they stand.

    Raises
    ------
    ShapeError
        If the values do not fit the grid, or the body reaches its border.
    UnitError
        If a value is not finite.
    """

    values: npt.NDArray[np.floating]
    on: Grid

    def __post_init__(self) -> None:
        if self.values.shape != self.on.shape or min(self.on.shape) < 2:
            raise ShapeError(f"values {self.values.shape} do not fit their grid {self.on.shape}, two or more each way")
        if not np.isfinite(self.values).all():
            raise UnitError("a signed distance must be finite everywhere [m]")
        if min(self.values.take(end, axis).min() for axis in range(3) for end in (0, -1)) <= 0:
            raise ShapeError("the body reaches the border of the grid of its signed distance: widen the grid")

    @cached_property
    def _steepest(self) -> float:
        """Largest slope within a cell: each axis at the steepest of the cell's edges, never below 1."""
        square = np.zeros(tuple(n - 1 for n in self.on.shape))
        for axis, spacing in enumerate(self.on.spacing):
            edge = np.abs(np.diff(self.values, axis=axis)) / spacing
            for other in {0, 1, 2} - {axis}:
                n = edge.shape[other]
                edge = np.maximum(edge.take(range(n - 1), other), edge.take(range(1, n), other))
            square += edge**2
        return max(1.0, float(np.sqrt(square.max())))

    @property
    def lower(self) -> Triple:
        """First sample (z, y, x) [m]."""
        z, y, x = (float(self.on.coordinates(axis)[0]) for axis in range(3))
        return (z, y, x)

    @property
    def upper(self) -> Triple:
        """Last sample (z, y, x) [m]."""
        z, y, x = (float(self.on.coordinates(axis)[-1]) for axis in range(3))
        return (z, y, x)

    def distance(self, points: Float64) -> Float64:
        """Return a signed bound on the distance to the surface at points (n, 3) [m], negative inside."""
        index = (points - np.asarray(self.lower)) / np.asarray(self.on.spacing)
        values = map_coordinates(self.values, index.T, np.float64, order=1, mode="nearest")
        return np.asarray(values) / self._steepest

    def holds(self, points: Float64) -> npt.NDArray[np.bool_]:
        """Return which points (…, 3) [m] lie inside (…)."""
        return in_chunks(self.distance, points.reshape(-1, 3)).reshape(points.shape[:-1]) <= 0

    def occupancy(self, grid: Grid, n_cells: int = CELLS) -> npt.NDArray[np.float32]:
        """Return the fraction of each voxel (z, y, x) that lies inside."""
        return spread(self.distance, self.lower, self.upper, grid, n_cells)
