"""A batch of slices on its way through the kernels of a planar projector."""

from __future__ import annotations

from typing import Any, Final, Protocol

import numpy as np

from phantomsim.physics.array import Array, namespace
from phantomsim.physics.grid import Grid
from phantomsim.physics.simd import LANES
from phantomsim.physics.xray import joseph
from phantomsim.physics.xray.geometry import PlanarScan
from phantomsim.physics.xray.joseph_lanes import BEFORE, PACK, UNPACK, lane_sources, lane_targets, n_tiles, padding
from phantomsim.physics.xray.joseph_lines import Lines, trace_lines

LARGEST: Final = 4 * LANES
"""Slices: enough to keep many threads busy, few enough that the lane images stay small."""


class RowSums(Protocol):
    """A way to sum lane images along the lines of a scan, row by row.

    Attributes
    ----------
    lines
        The rays, and which of them stand for which others.
    before
        Zeros that the kernels want before the pixels of a row.
    """

    lines: Lines
    before: int

    def forward(self, images: tuple[Array, Array], sums: Array) -> None:
        """Sum lane images, as they are and transposed, along the rays into `sums` (group, ray, lane)."""

    def adjoint(self, sums: Array, images: tuple[Array, Array]) -> None:
        """Return `sums` to the lane images."""


class JosephSums:
    """Joseph's sums: each row is interpolated where a ray crosses it; see `RowSums`.

    Parameters
    ----------
    scan
        Parallel or fan beam.
    plane
        Position of the pixels of a slice [m].
    dtype
        Type of all arrays.
    symmetric
        Whether rays that symmetries take into each other are traced once.

    Raises
    ------
    UnitError
        If the grid reaches the circle of a fan beam's source.
    """

    before = BEFORE

    def __init__(self, scan: PlanarScan, plane: Grid, dtype: str, *, symmetric: bool) -> None:
        self.lines = trace_lines(scan, plane, symmetric=symmetric)
        self.table = np.ascontiguousarray(self.lines.table, dtype)

    def forward(self, images: tuple[Array, Array], sums: Array) -> None:
        """Sum lane images along the rays."""
        xp = namespace(sums)
        n_blocks = joseph.n_forward_blocks(len(sums), len(self.lines.runs))
        joseph.FORWARD(n_blocks, sums.size, *images, xp.asarray(self.table), xp.asarray(self.lines.runs), sums)

    def adjoint(self, sums: Array, images: tuple[Array, Array]) -> None:
        """Return the sums to the lane images."""
        xp = namespace(sums)
        n_blocks = joseph.n_adjoint_blocks(len(sums), images[0].shape[1], images[1].shape[1])
        n_threads = images[0].size + images[1].size
        joseph.ADJOINT(n_blocks, n_threads, sums, xp.asarray(self.table), xp.asarray(self.lines.runs), *images)


class Batch:
    """Forward and adjoint projection of a fixed number of slices.

    Parameters
    ----------
    shape
        Voxels of the batch (z, y, x).
    rows
        The sums along the rays of the scan.
    dtype
        Type of all arrays.
    """

    def __init__(self, shape: tuple[int, int, int], rows: RowSums, dtype: str) -> None:
        self.shape, self.rows, self.dtype, self.lines = shape, rows, dtype, rows.lines
        self.n_views, self.n_columns = rows.lines.places.shape
        orientations = (False, True) if self.lines.is_transposed else (False,)
        symmetries, before = self.lines.symmetries, rows.before
        self.sources = [lane_sources(shape, symmetries, transposed=t) for t in orientations]
        self.targets = [lane_targets(shape, symmetries, transposed=t, before=before) for t in orientations]

    def forward(self, volume: Array) -> Array:
        """Return the line integrals (view, slice, column) of contiguous slices (slice, y, x)."""
        xp = namespace(volume)
        images = self._lane_images(xp)
        for image, sources in zip(images, self.sources, strict=False):
            arguments = (volume.reshape(-1), xp.asarray(sources), self.rows.before, image)
            PACK(len(image) * n_tiles(image.shape[1]), image.size, *arguments)
        sums = xp.empty((len(images[0]), self.lines.n_rays, LANES), self.dtype)
        self.rows.forward(images, sums)
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
        self.rows.adjoint(sums.reshape(n_groups, -1, LANES), images)
        volume = xp.zeros(self.shape, self.dtype)
        for image, targets in zip(images, self.targets, strict=False):
            UNPACK(len(volume) * n_tiles(self.shape[1]), volume.size, image, xp.asarray(targets), volume)
        return volume

    def _lane_images(self, xp: Any) -> tuple[Array, Array]:
        """Return empty lane images, as they are and transposed (group, row, padded pixel, lane)."""
        n_groups, (_, n_y, n_x), extra = len(self.sources[0]), self.shape, padding(self.rows.before)
        transposed_rows = n_x if self.lines.is_transposed else 0
        straight = xp.empty((n_groups, n_y, n_x + extra, LANES), self.dtype)
        return straight, xp.empty((n_groups, transposed_rows, n_y + extra, LANES), self.dtype)
