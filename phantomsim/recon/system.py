"""A take of an X-ray scan as a system of equations for the attenuation on a grid."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import xarray as xr

from phantomsim import geometry
from phantomsim.physics.array import Array, namespace
from phantomsim.physics.errors import RecipeError, ShapeError
from phantomsim.physics.grid import Grid
from phantomsim.physics.operator import LinearOperator
from phantomsim.physics.solvers.subsets import Subset
from phantomsim.physics.xray.geometry import PlanarScan
from phantomsim.physics.xray.ordered_subsets import ordered_subsets, projector
from phantomsim.recon.planes import rows_at
from phantomsim.recon.take import measured


@dataclass(frozen=True, eq=False)
class System:
    """``A x = b``: line integrals b of an image x that holds all that attenuates.

    Parameters
    ----------
    scan
        Geometry.
    grid
        Voxels of x; what lies outside of it is taken for air, and blurs into its border if it is not.
    line_integrals
        b (view, row, column) [1], float32; of a planar scan, the rows at the grid's planes.
    """

    scan: geometry.Scan
    grid: Grid
    line_integrals: Array

    @cached_property
    def operator(self) -> LinearOperator:
        """A: Joseph's projector."""
        return projector(self.scan, self.grid)

    def subsets(self, n_subsets: int) -> list[Subset]:
        """Return A divided by interleaved views."""
        return ordered_subsets(self.scan, self.grid, n_subsets)

    @property
    def air(self) -> Array:
        """An image without attenuation (z, y, x), on the device of the data."""
        return namespace(self.line_integrals).zeros(self.grid.shape, self.line_integrals.dtype)

    @property
    def transmission(self) -> Array:
        """exp(−b) (view, row, column), at most 1: the share of each ray's photons that arrives.

        The variance of a line integral is 1 / (number of photons that arrive), where they are many and the detector
        adds no noise. So this is its inverse variance, up to the number of photons without an object, which is taken
        for the same in all rays: the data hold it neither in line integrals nor, for want of gain and offset, in
        readings.
        """
        xp = namespace(self.line_integrals)
        return xp.exp(-xp.maximum(self.line_integrals, 0))

    def curvature(self, weights: Array) -> float:
        """Return about what ``½ ‖A x − b‖²_W`` curves by for a single voxel, on average [m²].

        That is Σ_i w_i a_ij², with one of the two factors a_ij replaced by the smallest spacing. Strengths of priors
        are in units of it, and so mean the same for any number of views and any size of voxels.
        """
        back = self.operator.adjoint(weights)
        return float(namespace(back).mean(back, dtype=np.float64)) * min(self.spacing)

    @property
    def spacing(self) -> tuple[float, float, float]:
        """Distance of voxels (z, y, x) [m] as a prior sees it: a single plane counts for no less than its pixels."""
        z, y, x = self.grid.spacing
        return (z if self.grid.shape[0] > 1 else max(y, x), y, x)


def system(products: Mapping[str, xr.Dataset], kind: str, grid: Grid) -> System:
    """Return the equations of the product ``"data"`` for an image on a grid.

    Parameters
    ----------
    products
        Products by role.
    kind
        Reconstructor that asks, for messages.
    grid
        Voxels of the image.

    Raises
    ------
    RecipeError
        If there is no such product, it lacks line integrals or geometry, or a line integral is not finite.
    ShapeError
        If the line integrals are not of this geometry, or a plane of the grid was not measured by a planar scan.
    """
    scan, z, line_integrals = measured(products, kind)
    xp = namespace(line_integrals)
    if not bool(xp.isfinite(line_integrals).all()):
        raise RecipeError(f"{kind} needs finite line integrals; clamp dark readings by the take's floor")
    n_views, n_rows, _ = line_integrals.shape
    if n_rows != len(z) or n_views != scan.n_views:
        raise ShapeError(
            f"the data has {n_views} views of {n_rows} rows, its geometry {scan.n_views} views of {len(z)} rows"
        )
    if isinstance(scan, PlanarScan):
        line_integrals = line_integrals[:, rows_at(grid, z)]
    return System(scan, grid, xp.ascontiguousarray(line_integrals, dtype="float32"))
