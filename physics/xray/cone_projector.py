"""The cone-beam projector as a linear operator."""

from __future__ import annotations

import numpy as np

from phantomsim.physics.array import Array, namespace
from phantomsim.physics.errors import UnitError
from phantomsim.physics.grid import Grid
from phantomsim.physics.operator import LinearOperator, Space
from phantomsim.physics.xray.cone import ConeBeam, Views
from phantomsim.physics.xray.cone_joseph_columns import trace_columns
from phantomsim.physics.xray.cone_joseph_fan_tracer import FanTracer
from phantomsim.physics.xray.cone_joseph_ray_tracer import RayTracer


class ConeJosephProjector(LinearOperator):
    """Integrate a volume along every ray of a cone beam, plane by plane, by Joseph's method.

    The domain is a volume (z, y, x), such as linear attenuation [1/m]; the range is line integrals (view, row, column),
    dimensionless. The adjoint is exact: the transpose of the same weights. A ray begins at the source and is taken to
    go on behind the detector.

    Scans whose detector columns lie along z (not tilted; flat, or bent along the columns; no ray steeper than a voxel's
    diagonal) are traced column by column, several times faster than others, which are traced ray by ray.

    Parameters
    ----------
    scan
        Circle, helix or any poses.
    grid
        Position of the voxels [m]; it may be off the axis and its voxels need not be cubes.
    dtype
        ``"float32"``, or ``"float64"`` for proofs.

    Raises
    ------
    UnitError
        If a source lies inside the grid.
    """

    def __init__(self, scan: ConeBeam | Views, grid: Grid, dtype: str = "float32") -> None:
        views = scan.views() if isinstance(scan, ConeBeam) else scan
        _check_sources(views, grid)
        self.scan, self.grid = scan, grid
        self.domain = Space(grid.shape, ("z", "y", "x"), dtype)
        self.range = Space(views.shape, ("view", "row", "column"), dtype)
        columns = trace_columns(views, grid)
        self.tracer: FanTracer | RayTracer = (
            RayTracer(views, grid, dtype) if columns is None else FanTracer(columns, grid, views.shape, dtype)
        )

    def forward(self, x: Array) -> Array:
        """Project a volume (z, y, x); return line integrals (view, row, column) on its device.

        Raises
        ------
        ShapeError
            If the volume is not of the domain.
        """
        self.domain.check(x)
        return self.tracer.forward(namespace(x).ascontiguousarray(x, dtype=self.domain.dtype))

    def adjoint(self, y: Array) -> Array:
        """Backproject line integrals (view, row, column) without a filter; return a volume (z, y, x) on their device.

        Raises
        ------
        ShapeError
            If the line integrals are not of the range.
        """
        self.range.check(y)
        return self.tracer.adjoint(namespace(y).ascontiguousarray(y, dtype=self.range.dtype))


def _check_sources(views: Views, grid: Grid) -> None:
    reach = (np.array(grid.extent) + np.array(grid.spacing)) / 2  # interpolation reaches half a voxel further
    inside = (np.abs(views.source - np.array(grid.centre)) < reach).all(axis=1)
    if inside.any():
        view = int(np.argmax(inside))
        place = ", ".join(f"{1e3 * p + 0.0:.4g}" for p in views.source[view])  # + 0.0: no minus before a 0
        raise UnitError(
            f"the source of view {view}, at ({place}) mm (z, y, x), lies inside the grid, which reaches "
            f"{1e3 * max(grid.extent) / 2:.4g} mm from its centre; use a smaller grid or move the source away"
        )
