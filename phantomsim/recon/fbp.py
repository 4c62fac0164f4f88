"""Filtered backprojection of parallel and fan beams."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
import xarray as xr
from pydantic import Field

from phantomsim.physics.array import Array, namespace
from phantomsim.physics.errors import RecipeError, ShapeError
from phantomsim.physics.grid import Grid
from phantomsim.physics.xray.fan_backprojection import backproject_fan
from phantomsim.physics.xray.filtering import Window, filter_projections
from phantomsim.physics.xray.geometry import FanBeam, ParallelBeam, PlanarScan
from phantomsim.physics.xray.parallel_backprojection import backproject_parallel
from phantomsim.physics.xray.redundancy import completed, missing_columns, view_weights
from phantomsim.recon.planes import rows_at
from phantomsim.recon.reconstructor import Reconstructor
from phantomsim.recon.take import attenuation_image, measured


def fbp(
    line_integrals: Array, scan: PlanarScan, z: Any, grid: Grid, *, filter: Window = "ram-lak", cutoff: float = 1.0
) -> Array:
    """Reconstruct linear attenuation by filtered backprojection.

    Parameters
    ----------
    line_integrals
        Line integrals (view, row, column), dimensionless.
    scan
        Geometry: parallel rays over half turns, or a fan over whole turns, shifted to a half fan or not, or a short
        scan.
    z
        Plane of each row (row) [m].
    grid
        Voxels of the image; each of its planes is one of `z`, to 1 % of the distance of planes.
    filter
        Window on the ramp.
    cutoff
        Highest frequency that passes, in units of the Nyquist frequency of the columns, in (0, 1].

    Returns
    -------
        Linear attenuation (z, y, x) [1/m], of the dtype and on the device of `line_integrals`. Outside the scan's
        field of view it means nothing.

    Raises
    ------
    ShapeError
        If the line integrals are not of this scan, or a plane of the grid is not measured.
    RecipeError
        If the range of angles, the filter, the cutoff or the grid cannot be reconstructed.

    References
    ----------
    A. C. Kak and M. Slaney, *Principles of Computerized Tomographic Imaging*, IEEE Press (1988), chapter 3,
    doi:10.1137/1.9780898719277.
    """
    rows = rows_at(grid, np.asarray(z, np.float64))
    if line_integrals.ndim == 3 and line_integrals.shape[1] != len(z):
        raise ShapeError(f"{line_integrals.shape[1]} rows of line integrals but {len(z)} row positions z")
    weights = view_weights(scan)
    if isinstance(scan, FanBeam):
        weights = weights * scan.source_to_axis * np.cos(scan.fan_angles)
    xp = namespace(line_integrals)
    weighted = line_integrals[:, rows] * xp.asarray(weights[:, None, :], line_integrals.dtype)
    if isinstance(scan, ParallelBeam):
        return backproject_parallel(filter_projections(weighted, scan, filter, cutoff), scan, grid)
    weighted = xp.pad(weighted, ((0, 0), (0, 0), missing_columns(scan)))
    scan = completed(scan)
    return backproject_fan(filter_projections(weighted, scan, filter, cutoff), scan, grid)


class FBP(Reconstructor):
    """Filtered backprojection of parallel and fan beams, in linear attenuation or Hounsfield units.

    Parameters
    ----------
    filter
        Window on the ramp: none, or one that falls towards the cutoff.
    cutoff
        Highest frequency that passes, in units of the Nyquist frequency of the columns.
    unit
        ``"mu"`` for linear attenuation [1/m], ``"hu"`` for Hounsfield units, which need the scanner's calibration.
    """

    kind: Literal["fbp"] = "fbp"
    filter: Window = "ram-lak"
    cutoff: float = Field(1.0, gt=0, le=1)
    unit: Literal["mu", "hu"] = "mu"

    def reconstruct(self, products: Mapping[str, xr.Dataset], grid: Grid) -> xr.DataArray:
        """Reconstruct the line integrals of a take.

        Parameters
        ----------
        products
            ``"data"``: the take, with the variable ``line_integral`` (view, row, column), its geometry in the
            attribute ``geometry``, and for Hounsfield units the attenuation of water in ``mu_water_per_m`` [1/m].
        grid
            Voxels of the image.

        Returns
        -------
            Image (z, y, x), with coordinates [m], unit and name.

        Raises
        ------
        RecipeError
            If the data lacks one of these, or the scan cannot be reconstructed this way.
        ShapeError
            If the grid has planes that were not measured.
        """
        scan, z, line_integrals = measured(products, self.kind)
        if not isinstance(scan, PlanarScan):
            raise RecipeError("fbp reconstructs parallel and fan beams in their planes; take fdk for cone beams")
        image = fbp(line_integrals, scan, z, grid, filter=self.filter, cutoff=self.cutoff)
        return attenuation_image(image, grid, self.unit, products["data"])
