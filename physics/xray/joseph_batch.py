"""A batch of slices on its way through the kernels of Joseph's projector."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from phantomsim.physics.array import Array, namespace
from phantomsim.physics.grid import Grid
from phantomsim.physics.simd import LANES
from phantomsim.physics.xray import joseph
from phantomsim.physics.xray.geometry import PlanarScan
from phantomsim.physics.xray.joseph_lanes import PACK, PADDING, UNPACK, lane_sources, lane_targets, n_tiles
from phantomsim.physics.xray.joseph_lines import trace_lines

LARGEST: Final = 4 * LANES
"""Slices: enough to keep many threads busy, few enough that the lane images stay small."""


class Batch:
    """Forward and adjoint projection of a fixed number of slices.

    Parameters
    ----------
    scan
        Parallel or fan beam.
    grid
        Position of the voxels [m]; its slices are the batch.
    dtype
        Type of all arrays.

    Raises
    ------
    UnitError
        If the grid reaches the circle of a fan beam's source.
    """

    def __init__(self, scan: PlanarScan, grid: Grid, dtype: str) -> None:
        self.shape, self.dtype, self.n_views, self.n_columns = grid.shape, dtype, scan.n_views, scan.n_columns
        plane = Grid((1, *grid.shape[1:]), grid.spacing, grid.centre)
        lines = trace_lines(scan, plane, symmetric=grid.shape[0] < LANES)  # as soon as slices fill the lanes, they do
        self.lines, self.table = lines, np.ascontiguousarray(lines.table, dtype)
        orientations = (False, True) if lines.is_transposed else (False,)
        self.sources = [lane_sources(grid.shape, lines.symmetries, transposed=t) for t in orientations]
        self.targets = [lane_targets(grid.shape, lines.symmetries, transposed=t) for t in orientations]

    def forward(self, volume: Array) -> Array:
        """Return the line integrals (view, slice, column) of contiguous slices (slice, y, x)."""
        xp = namespace(volume)
        images = self._lane_images(xp)
        for image, sources in zip(images, self.sources, strict=False):
            PACK(len(image) * n_tiles(image.shape[1]), image.size, volume.reshape(-1), xp.asarray(sources), image)
        sums = xp.empty((len(images[0]), self.lines.n_rays, LANES), self.dtype)
        n_blocks = joseph.n_forward_blocks(len(sums), len(self.lines.runs))
        joseph.FORWARD(n_blocks, sums.size, *images, *self._tables(xp), sums)
        slices = LANES // len(self.lines.symmetries)
        rows = sums.reshape(len(sums), -1, slices)[:, xp.asarray(self.lines.places)].transpose(1, 0, 3, 2)
        return rows.reshape(self.n_views, -1, self.n_columns)[:, : self.shape[0]]

    def adjoint(self, rows: Array) -> Array:
        """Return what line integrals (view, slice, column) give back to the slices (slice, y, x)."""
        xp = namespace(rows)
        images = self._lane_images(xp)
        n_groups, n_symmetries = len(images[0]), len(self.lines.symmetries)
        slices = LANES // n_symmetries
        padded = xp.zeros((self.n_views, n_groups * slices, self.n_columns), self.dtype)
        padded[:, : self.shape[0]] = rows
        sums = xp.zeros((n_groups, self.lines.n_rays * n_symmetries, slices), self.dtype)
        by_group = padded.reshape(self.n_views, n_groups, slices, self.n_columns)
        sums[:, xp.asarray(self.lines.places)] = by_group.transpose(1, 0, 3, 2)
        sums = sums.reshape(n_groups, -1, LANES)
        n_blocks = joseph.n_adjoint_blocks(n_groups, images[0].shape[1], images[1].shape[1])
        joseph.ADJOINT(n_blocks, images[0].size + images[1].size, sums, *self._tables(xp), *images)
        volume = xp.zeros(self.shape, self.dtype)
        for image, targets in zip(images, self.targets, strict=False):
            UNPACK(len(volume) * n_tiles(self.shape[1]), volume.size, image, xp.asarray(targets), volume)
        return volume

    def _lane_images(self, xp: Any) -> tuple[Array, Array]:
        """Return empty lane images, as they are and transposed (group, row, padded pixel, lane)."""
        n_groups, (_, n_y, n_x) = len(self.sources[0]), self.shape
        transposed_rows = n_x if self.lines.is_transposed else 0
        straight = xp.empty((n_groups, n_y, n_x + PADDING, LANES), self.dtype)
        return straight, xp.empty((n_groups, transposed_rows, n_y + PADDING, LANES), self.dtype)

    def _tables(self, xp: Any) -> tuple[Array, Array]:
        return xp.asarray(self.table), xp.asarray(self.lines.runs)
