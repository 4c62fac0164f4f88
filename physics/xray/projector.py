"""Projectors as linear operators."""

from __future__ import annotations

from itertools import pairwise

from phantomsim.physics.array import Array, namespace
from phantomsim.physics.grid import Grid
from phantomsim.physics.operator import LinearOperator, Space
from phantomsim.physics.simd import LANES
from phantomsim.physics.xray.geometry import PlanarScan
from phantomsim.physics.xray.joseph_batch import LARGEST, Batch


class JosephProjector(LinearOperator):
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
        self.scan, self.grid = scan, grid
        self.domain = Space(grid.shape, ("z", "y", "x"), dtype)
        self.range = Space((scan.n_views, grid.shape[0], scan.n_columns), ("view", "row", "column"), dtype)
        parts = _divide(grid.shape[0])
        shapes = {stop - start: (stop - start, *grid.shape[1:]) for start, stop in parts}
        batches = {n: Batch(scan, Grid(shape, grid.spacing, grid.centre), dtype) for n, shape in shapes.items()}
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


def _divide(n_slices: int) -> list[tuple[int, int]]:
    """Return begin and end of each batch: whole ones as large as may be, then what does not fill the lanes."""
    whole = n_slices // LANES * LANES
    cuts = [*range(0, whole, LARGEST), whole, n_slices]
    return [(start, stop) for start, stop in pairwise(cuts) if start < stop]
