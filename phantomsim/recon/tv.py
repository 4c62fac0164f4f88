"""Total variation of X-ray scans."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import xarray as xr
from pydantic import Field

from phantomsim.physics.array import namespace
from phantomsim.physics.grid import Grid
from phantomsim.physics.solvers.fidelities import WeightedLeastSquares
from phantomsim.physics.solvers.total_variation import minimise_total_variation
from phantomsim.recon.reconstructor import Reconstructor
from phantomsim.recon.system import system
from phantomsim.recon.take import Unit, attenuation_image


class TV(Reconstructor):
    """TV: piecewise constant images by the method of Chambolle and Pock, for few views or low dose.

    Parameters
    ----------
    n_iterations
        Greatest number of iterations.
    strength_per_m
        Weight of edges [1/m], about the step of a single voxel's attenuation that is worth no edge.
    isotropic
        Whether an edge costs its height whatever its direction; else along the axes it costs less.
    weighted
        Whether rays count by their transmission, the inverse variance of photon noise, or all the same.
    non_negative
        Whether attenuation below that of air is forbidden.
    tolerance
        Stop when an iteration moves the iterates by so much of their distance from the start.
    unit
        ``"mu"`` for linear attenuation [1/m], ``"hu"`` for Hounsfield units, which need the scanner's calibration.
    """

    kind: Literal["tv"] = "tv"
    n_iterations: int = Field(200, ge=1, le=100000)
    strength_per_m: float = Field(1.0, gt=0, le=1e6)
    isotropic: bool = True
    weighted: bool = True
    non_negative: bool = True
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
        weights = equations.transmission
        if not self.weighted:
            weights = namespace(weights).ones_like(weights)
        image = minimise_total_variation(
            equations.operator,
            WeightedLeastSquares(equations.line_integrals, weights),
            equations.air,
            self.n_iterations,
            strength=self.strength_per_m * equations.curvature(weights),
            spacing=equations.spacing,
            isotropic=self.isotropic,
            non_negative=self.non_negative,
            tolerance=self.tolerance,
        )
        return attenuation_image(image, grid, self.unit, products["data"])
