"""Projectors as linear operators."""

from __future__ import annotations

from typing import Any

import numpy as np

from phantomsim.physics.array import Array, namespace
from phantomsim.physics.grid import Grid
from phantomsim.physics.operator import LinearOperator, Space
from phantomsim.physics.simd import LANES
from phantomsim.physics.xray import joseph
from phantomsim.physics.xray.geometry import PlanarScan
from phantomsim.physics.xray.joseph_lanes import PACK, PADDING, UNPACK, lane_sources, lane_targets, n_tiles
from phantomsim.physics.xray.joseph_lines import trace_lines


class JosephProjector(LinearOperator):
    """Integrate a volume along every ray of a planar scan, plane by plane, by Joseph's method.

    The domain is a volume (z, y, x), such as linear attenuation [1/m]; the range is line integrals (view, row, column),
    dimensionless, where a row is a plane of the grid. The adjoint is exact: the transpose of the same weights.
    Symmetries that the scan and the grid share (`shared_symmetries`) make a projection up to eight times faster: a
    square grid centred on the axis, and views that quarter turns and mirrors map onto views. Slices are projected in
    batches, which needs no symmetry.

    Parameters
    ----------
    scan
        Parallel or fan beam.
    grid
        Position of the voxels [m]; it may be off the axis and its pixels need not be square.
    dtype
        ``"float32"``, or ``"float64"`` for proofs.

    Raises
    ------
    UnitError
        If the grid reaches the circle of a fan beam's source.
    """

    def __init__(self, scan: PlanarScan, grid: Grid, dtype: str = "float32") -> None:
        self.scan, self.grid = scan, grid
        self.domain = Space(grid.shape, ("z", "y", "x"), dtype)
        self.range = Space((scan.n_views, grid.shape[0], scan.n_columns), ("view", "row", "column"), dtype)
        lines = trace_lines(scan, grid)
        self._lines, self._table = lines, np.ascontiguousarray(lines.table, dtype)
        orientations = (False, True) if lines.is_transposed else (False,)
        self._sources = [lane_sources(grid.shape, lines.symmetries, transposed=t) for t in orientations]
        self._targets = [lane_targets(grid.shape, lines.symmetries, transposed=t) for t in orientations]

    def forward(self, x: Array) -> Array:
        """Project a volume (z, y, x); return line integrals (view, row, column) on its device.

        Raises
        ------
        ShapeError
            If the volume is not of the domain.
        """
        self.domain.check(x)
        xp = namespace(x)
        voxels = xp.ascontiguousarray(x, dtype=self.domain.dtype).reshape(-1)
        images = self._lane_images(xp)
        for image, sources in zip(images, self._sources, strict=False):
            PACK(len(image) * n_tiles(image.shape[1]), image.size, voxels, xp.asarray(sources), image)
        sums = xp.empty((len(images[0]), self._lines.n_rays, LANES), self.range.dtype)
        n_blocks = joseph.n_forward_blocks(len(sums), len(self._lines.runs))
        joseph.FORWARD(n_blocks, sums.size, *images, *self._tables(xp), sums)
        n_symmetries = len(self._lines.symmetries)
        by_ray = sums.reshape(len(sums), -1, LANES // n_symmetries)
        rows = by_ray[:, xp.asarray(self._lines.places)].transpose(1, 0, 3, 2)  # (view, group, slice, column)
        return xp.ascontiguousarray(rows.reshape(self.scan.n_views, -1, self.scan.n_columns)[:, : self.grid.shape[0]])

    def adjoint(self, y: Array) -> Array:
        """Backproject line integrals (view, row, column) without a filter; return a volume (z, y, x) on their device.

        Raises
        ------
        ShapeError
            If the line integrals are not of the range.
        """
        self.range.check(y)
        xp = namespace(y)
        n_symmetries = len(self._lines.symmetries)
        slices = LANES // n_symmetries
        images = self._lane_images(xp)
        padded = xp.zeros((self.scan.n_views, len(images[0]) * slices, self.scan.n_columns), self.range.dtype)
        padded[:, : self.grid.shape[0]] = y
        sums = xp.zeros((len(images[0]), self._lines.n_rays * n_symmetries, slices), self.range.dtype)
        rows = padded.reshape(self.scan.n_views, len(images[0]), slices, self.scan.n_columns)
        sums[:, xp.asarray(self._lines.places)] = rows.transpose(1, 0, 3, 2)
        sums = sums.reshape(len(images[0]), -1, LANES)
        n_blocks = joseph.n_adjoint_blocks(len(sums), images[0].shape[1], images[1].shape[1])
        joseph.ADJOINT(n_blocks, images[0].size + images[1].size, sums, *self._tables(xp), *images)
        volume = xp.zeros(self.grid.shape, self.domain.dtype)
        for image, targets in zip(images, self._targets, strict=False):
            UNPACK(len(volume) * n_tiles(self.grid.shape[1]), volume.size, image, xp.asarray(targets), volume)
        return volume

    def _lane_images(self, xp: Any) -> tuple[Array, Array]:
        """Return empty lane images, as they are and transposed (group, row, padded pixel, lane)."""
        n_groups, (_, n_y, n_x) = len(self._sources[0]), self.grid.shape
        transposed_rows = n_x if self._lines.is_transposed else 0
        straight = xp.empty((n_groups, n_y, n_x + PADDING, LANES), self.domain.dtype)
        return straight, xp.empty((n_groups, transposed_rows, n_y + PADDING, LANES), self.domain.dtype)

    def _tables(self, xp: Any) -> tuple[Array, Array]:
        return xp.asarray(self._table), xp.asarray(self._lines.runs)
