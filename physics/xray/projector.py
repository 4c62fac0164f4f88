"""Projectors of planar scans as linear operators.

They differ in what a bin takes from a row of pixels: `JosephProjector` interpolates between two, `SiddonProjector`
takes the ray's length in each, `DistanceDrivenProjector` the overlap with the bin's shadow, and `FootprintProjector`
the exact shadow of each pixel.
"""

from __future__ import annotations

from functools import partial
from itertools import pairwise
from typing import Protocol

from phantomsim.physics.array import Array, namespace
from phantomsim.physics.grid import Grid
from phantomsim.physics.operator import LinearOperator, Space
from phantomsim.physics.simd import LANES
from phantomsim.physics.xray.footprint_sums import BandSums
from phantomsim.physics.xray.geometry import PlanarScan
from phantomsim.physics.xray.joseph_batch import LARGEST, Batch, JosephSums, RowSums


class _Trace(Protocol):
    def __call__(self, scan: PlanarScan, plane: Grid, dtype: str, *, symmetric: bool) -> RowSums: ...


class _PlanarProjector(LinearOperator):
    """What all projectors of planar scans share: slices go through the kernels in batches."""

    def __init__(self, scan: PlanarScan, grid: Grid, dtype: str, trace: _Trace) -> None:
        self.scan, self.grid = scan, grid
        self.domain = Space(grid.shape, ("z", "y", "x"), dtype)
        self.range = Space((scan.n_views, grid.shape[0], scan.n_columns), ("view", "row", "column"), dtype)
        plane = Grid((1, *grid.shape[1:]), grid.spacing, grid.centre)
        parts = _divide(grid.shape[0])
        # as soon as slices fill the lanes, they do
        rows = {few: trace(scan, plane, dtype, symmetric=few) for few in {b - a < LANES for a, b in parts}}
        batches = {n: Batch((n, *grid.shape[1:]), rows[n < LANES], dtype) for n in {b - a for a, b in parts}}
        self._parts = [(slice(start, stop), batches[stop - start]) for start, stop in parts]

    def forward(self, x: Array) -> Array:
        """Project a volume (z, y, x); return line integrals (view, row, column) on its device.

        Raises
        ------
        ShapeError
            If the volume is not of the domain.
        """
        self.domain.check(x)
        xp = namespace(x)
        volume = xp.ascontiguousarray(x, dtype=self.domain.dtype)
        result = xp.empty(self.range.shape, self.range.dtype)
        for part, batch in self._parts:
            result[:, part] = batch.forward(volume[part])
        return result

    def adjoint(self, y: Array) -> Array:
        """Backproject line integrals (view, row, column) without a filter; return a volume (z, y, x) on their device.

        Raises
        ------
        ShapeError
            If the line integrals are not of the range.
        """
        self.range.check(y)
        result = namespace(y).empty(self.domain.shape, self.domain.dtype)
        for part, batch in self._parts:
            result[part] = batch.adjoint(y[:, part])
        return result


class JosephProjector(_PlanarProjector):
    """Integrate a volume along every ray of a planar scan, plane by plane, by Joseph's method.

    The domain is a volume (z, y, x), such as linear attenuation [1/m]; the range is line integrals (view, row, column),
    dimensionless, where a row is a plane of the grid. The adjoint is exact: the transpose of the same weights. A ray is
    taken for the whole line that it lies on.

    Slices are projected in batches of eight. Fewer are as fast per slice where scan and grid share symmetries that fill
    the batch (`shared_symmetries`), as they do on a square grid centred on the axis if quarter turns map views onto
    views; a single slice without any takes about eight times as long as a slice of a batch.

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
        super().__init__(scan, grid, dtype, JosephSums)


class SiddonProjector(_PlanarProjector):
    """Integrate a volume of homogeneous voxels along every ray of a planar scan, by the ray's length in each voxel.

    Spaces, batches, adjoint and parameters are those of `JosephProjector`. A ray that runs along the edge of two pixels
    is shared by both. The lengths are Siddon's; they are found row by row, in each of which a ray that is steeper than
    the diagonal meets two pixels at most.

    References
    ----------
    R. L. Siddon, "Fast calculation of the exact radiological path for a three-dimensional CT array", Med. Phys. 12
    (1985) 252-255, doi:10.1118/1.595715.
    """

    def __init__(self, scan: PlanarScan, grid: Grid, dtype: str = "float32") -> None:
        super().__init__(scan, grid, dtype, partial(BandSums, window="way"))


class DistanceDrivenProjector(_PlanarProjector):
    """Average a volume over every bin of a planar scan: each row of pixels over the bin's shadow on it.

    Spaces, batches, adjoint and parameters are those of `JosephProjector`. A bin reaches half a pitch to both sides of
    its column's centre. Pixels and bins meet on the line through the row's pixel centres.

    References
    ----------
    B. De Man and S. Basu, "Distance-driven projection and backprojection in three dimensions", Phys. Med. Biol. 49
    (2004) 2463-2475, doi:10.1088/0031-9155/49/11/024.
    """

    def __init__(self, scan: PlanarScan, grid: Grid, dtype: str = "float32") -> None:
        super().__init__(scan, grid, dtype, partial(BandSums, window="shadow"))


class FootprintProjector(_PlanarProjector):
    """Average a volume over every bin of a planar scan: each pixel by its trapezoidal footprint on the detector.

    Spaces, batches, adjoint and parameters are those of `JosephProjector`. For parallel rays the footprint is exact,
    and the result is the area that strip and pixel share. In a fan a pixel's footprint is that of the rays through the
    bin, taken as parallel across the pixel: the trapezoid is symmetric, where the one through the pixel's projected
    corners is skewed by the pixel's size over its distance to the source.

    References
    ----------
    Y. Long, J. A. Fessler and J. M. Balter, "3D forward and back-projection for X-ray CT using separable footprints",
    IEEE Trans. Med. Imaging 29 (2010) 1839-1850, doi:10.1109/TMI.2010.2050898.
    """

    def __init__(self, scan: PlanarScan, grid: Grid, dtype: str = "float32") -> None:
        super().__init__(scan, grid, dtype, partial(BandSums, window="both"))


def _divide(n_slices: int) -> list[tuple[int, int]]:
    """Return begin and end of each batch: whole ones as large as may be, then what does not fill the lanes."""
    whole = n_slices // LANES * LANES
    cuts = [*range(0, whole, LARGEST), whole, n_slices]
    return [(start, stop) for start, stop in pairwise(cuts) if start < stop]
