"""Sums along bands as a planar projector's way across the rows."""

from __future__ import annotations

import numpy as np

from phantomsim.physics.array import Array, namespace
from phantomsim.physics.grid import Grid
from phantomsim.physics.xray.footprint_bands import Window, trace_bands
from phantomsim.physics.xray.footprint_rows import ADJOINT, FORWARD
from phantomsim.physics.xray.geometry import PlanarScan
from phantomsim.physics.xray.joseph import n_adjoint_blocks, n_forward_blocks


class BandSums:
    """Sums along bands; see `phantomsim.physics.xray.joseph_batch.RowSums`.

    Parameters
    ----------
    scan
        Parallel or fan beam.
    plane
        Position of the pixels of a slice [m].
    dtype
        Type of all arrays.
    window
        Through what a bin sees a row; see `trace_bands`.
    symmetric
        Whether bins that symmetries take into each other are traced once.

    Raises
    ------
    UnitError
        If the grid reaches the circle of a fan beam's source.
    """

    def __init__(self, scan: PlanarScan, plane: Grid, dtype: str, *, window: Window, symmetric: bool) -> None:
        bands = trace_bands(scan, plane, window, symmetric=symmetric)
        self.lines, self.before, self.runs = bands.lines, bands.before, bands.runs
        self.table = np.ascontiguousarray(bands.table, dtype)

    def forward(self, images: tuple[Array, Array], sums: Array) -> None:
        """Sum lane images along the bands."""
        n_blocks = n_forward_blocks(len(sums), len(self.runs))
        FORWARD(n_blocks, sums.size, *images, *self._tables(sums), sums)

    def adjoint(self, sums: Array, images: tuple[Array, Array]) -> None:
        """Return the sums to the lane images."""
        n_blocks = n_adjoint_blocks(len(sums), images[0].shape[1], images[1].shape[1])
        ADJOINT(n_blocks, images[0].size + images[1].size, sums, *self._tables(sums), *images)

    def _tables(self, like: Array) -> tuple[Array, Array, int]:
        xp = namespace(like)
        return xp.asarray(self.table), xp.asarray(self.runs), self.before
