"""Conjugate gradients of X-ray scans."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import xarray as xr
from pydantic import Field

from phantomsim.physics.grid import Grid
from phantomsim.physics.solvers.cgls import cgls
from phantomsim.recon.reconstructor import Reconstructor
from phantomsim.recon.system import system
from phantomsim.recon.take import Unit, attenuation_image


class CGLS(Reconstructor):
    """CGLS: least squares by conjugate gradients, regularised by stopping early.

    Parameters
    ----------
    n_iterations
        Greatest number of iterations; fewer are smoother.
    tolerance
        Stop when the gradient is so much smaller than at the start.
    unit
        ``"mu"`` for linear attenuation [1/m], ``"hu"`` for Hounsfield units, which need the scanner's calibration.
    """

    kind: Literal["cgls"] = "cgls"
    n_iterations: int = Field(10, ge=1, le=100000)
    tolerance: float = Field(0.0, ge=0, lt=1)
    unit: Unit = "mu"

    def reconstruct(self, products: Mapping[str, xr.Dataset], grid: Grid) -> xr.DataArray:
        """Reconstruct the line integrals of a take.

        Parameters
        ----------
        products
            ``"data"``: the take, with the variable ``line_integral`` (view, row, column), its geometry in the
            attribute ``geometry``, and for Hounsfield units the attenuation of water in ``mu_water_per_m`` [1/m].
        grid
            Voxels of the image; it should hold all that attenuates, and of a planar scan its planes are rows.

        Returns
        -------
            Image (z, y, x), with coordinates [m], unit and name.

        Raises
        ------
        RecipeError
            If the data lacks one of these, or holds a line integral that is not finite.
        ShapeError
            If the grid has planes that were not measured.
        UnitError
            If the grid reaches the source.
        """
        equations = system(products, self.kind, grid)
        image = cgls(
            equations.operator, equations.line_integrals, equations.air, self.n_iterations, tolerance=self.tolerance
        )
        return attenuation_image(image, grid, self.unit, products["data"])
