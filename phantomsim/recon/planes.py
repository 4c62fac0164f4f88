"""Planes of a grid among the rows of a planar scan."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from phantomsim.physics.errors import ShapeError
from phantomsim.physics.grid import Grid


def rows_at(grid: Grid, z: npt.NDArray[np.float64]) -> list[int]:
    """Return the row that measured each plane of a grid, to 1 % of the distance of planes.

    Parameters
    ----------
    grid
        Voxels of the image.
    z
        Plane of each row (row) [m].

    Raises
    ------
    ShapeError
        If a plane was not measured.
    """
    planes = grid.coordinates(0)
    distance = np.abs(planes[:, None] - z[None, :])
    rows = distance.argmin(axis=1)
    missed = distance.min(axis=1) > 0.01 * grid.spacing[0]
    if missed.any():
        plane = planes[missed][0]
        raise ShapeError(
            f"the grid's plane z = {1e3 * plane:.6g} mm was not measured; the nearest row is at "
            f"{1e3 * z[rows[missed][0]]:.6g} mm (planes between rows are not interpolated)"
        )
    return [int(row) for row in rows]
