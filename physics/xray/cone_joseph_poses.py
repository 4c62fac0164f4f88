"""Sources and detectors in any pose, in the voxels of a grid, ready for the kernels that trace rays.

Flat, cylindrical and spherical detectors have one form: the pixel (row, column) lies at
``origin + a[row] * (c[column] * column_axis + d[column] * normal) + b[row] * row_axis``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from phantomsim.physics.grid import Grid
from phantomsim.physics.xray.cone import Views
from phantomsim.physics.xray.cone_joseph_planes import ORDERS

Float64 = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Poses:
    """Views in the voxels of a grid; coordinates are (plane, line, height) for planes across one of its axes.

    Parameters
    ----------
    frames
        Source, from there to the detector's origin, column axis, normal and row axis (view, 5, 3) [voxel], and
        [voxel/m] for the axes.
    local
        Column axis, row axis and normal times the spacing (view, 4, 3) [m/voxel], which take a direction to the
        detector's coordinates; then the source in these, seen from the detector's centre [m].
    spacing
        Distance between voxels (3) [m].
    """

    frames: Float64
    local: Float64
    spacing: Float64


def place_views(views: Views, grid: Grid, axis: int) -> Poses:
    """Return the poses of all views for the planes across an axis: 0 z, 1 y, 2 x."""
    order = list(ORDERS[axis])
    spacing = np.array(grid.spacing)
    first = np.array([grid.coordinates(i)[0] for i in range(3)])
    middle = 0.0 if views.surface == "flat" else views.radius
    origin = views.centre + middle * views.normal
    frames = np.stack(
        [views.source - first, origin - views.source, views.column_axis, views.normal, views.row_axis], axis=1
    )
    axes = np.stack([views.column_axis, views.row_axis, views.normal], axis=1)
    seen = np.einsum("vai,vi->va", axes, views.source - views.centre)
    local = np.concatenate([(axes * spacing)[..., order], seen[:, None]], axis=1)
    return Poses((frames / spacing)[..., order], local, spacing[order])


def shape_profiles(views: Views) -> tuple[Float64, Float64]:
    """Return the form of the detector: `a` and `b` of the rows (2, row), `c` and `d` of the columns (2, column) [m]."""
    rows, columns, radius = views.rows, views.columns, views.radius
    if views.surface == "flat":
        return np.stack([np.ones_like(rows), rows]), np.stack([columns, np.zeros_like(columns)])
    bent = np.stack([radius * np.sin(columns / radius), -radius * np.cos(columns / radius)])
    if views.surface == "cylinder":
        return np.stack([np.ones_like(rows), rows]), bent
    return np.stack([np.cos(rows / radius), radius * np.sin(rows / radius)]), bent
