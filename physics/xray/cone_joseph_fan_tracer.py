"""A volume on its way through the kernels that trace vertical fans."""

from __future__ import annotations

from math import ceil

import numpy as np

from phantomsim.physics.array import Array, namespace
from phantomsim.physics.grid import Grid
from phantomsim.physics.simd import LANES
from phantomsim.physics.xray import cone_joseph_fans as fans
from phantomsim.physics.xray import cone_joseph_fans_adjoint as fans_adjoint
from phantomsim.physics.xray.cone_joseph_columns import Columns
from phantomsim.physics.xray.cone_joseph_planes import add_planes, stack_planes


class FanTracer:
    """Forward and adjoint projection where every detector column is a vertical fan.

    Parameters
    ----------
    columns
        Rays of the scan in the voxels of `grid`.
    grid
        Position of the voxels [m].
    shape
        Views, rows and columns of the scan.
    dtype
        Type of all arrays.
    """

    def __init__(self, columns: Columns, grid: Grid, shape: tuple[int, int, int], dtype: str) -> None:
        self.shape, self.voxels, self.dtype = shape, grid.shape, dtype
        self.table, self.runs = np.ascontiguousarray(columns.table, dtype), columns.runs
        self.sides = columns.sides
        n_z, n_y, n_x = grid.shape
        heights = -(-n_z // LANES) * LANES
        self.planes = (n_y, n_x + 2, heights), (n_x, n_y + 2, heights)
        low, high = columns.steps((n_y, n_x))
        self.overhang = ceil((LANES + 1) * high) + 2 * LANES
        self.padding = ceil((LANES + 2) / low) + 2 * LANES

    def forward(self, volume: Array) -> Array:
        """Return the line integrals (view, row, column) of a contiguous volume (z, y, x)."""
        xp = namespace(volume)
        ahead, aside = (stack_planes(volume, axis, 0, *self.planes[axis - 1][1:]) for axis in (1, 2))
        result = xp.empty(self.shape, self.dtype)
        n_blocks = fans.n_forward_blocks(self.shape[0], self.shape[2])
        tables = xp.asarray(self.table), xp.asarray(self.sides)
        fans.FORWARD(n_blocks, result.size, ahead, aside, *tables, self.overhang, result)
        return result

    def adjoint(self, line_integrals: Array) -> Array:
        """Return what contiguous line integrals (view, row, column) give back to the volume (z, y, x)."""
        xp = namespace(line_integrals)
        n_views, n_rows, n_columns = self.shape
        table = xp.asarray(self.table)
        rows = xp.zeros((n_views, n_columns, n_rows + 2 * self.padding), self.dtype)
        fans_adjoint.WEIGH(n_views, line_integrals.size, line_integrals, table, self.padding, rows)
        ahead, aside = (xp.zeros(shape, self.dtype) for shape in self.planes)
        n_blocks = fans_adjoint.n_adjoint_blocks(*self.planes)
        n_threads = sum(n * (lines - 2) * heights for n, lines, heights in self.planes)
        fans_adjoint.ADJOINT(n_blocks, n_threads, rows, table, xp.asarray(self.runs), self.padding, ahead, aside)
        volume = xp.zeros(self.voxels, self.dtype)
        for axis, planes in ((1, ahead), (2, aside)):
            add_planes(planes, axis, 0, volume)
        return volume
