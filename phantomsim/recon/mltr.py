"""Maximum likelihood of X-ray transmission."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import xarray as xr
from pydantic import Field

from phantomsim.physics.grid import Grid
from phantomsim.physics.solvers.mltr import mltr
from phantomsim.recon.reconstructor import Reconstructor
from phantomsim.recon.system import system
from phantomsim.recon.take import Unit, attenuation_image


class MLTR(Reconstructor):
    """MLTR: the image under which the transmitted intensities, as Poisson counts, are likeliest.

    The counts are exp(−line integral), after the scanner's corrections; the likeliest image does not depend on how many
    photons one stands for. Slow: the likelihood never falls, and hundreds of iterations are usual.

    Parameters
    ----------
    n_iterations
        Number of iterations; fewer are smoother.
    unit
        ``"mu"`` for linear attenuation [1/m], ``"hu"`` for Hounsfield units, which need the scanner's calibration.
    """

    kind: Literal["mltr"] = "mltr"
    n_iterations: int = Field(200, ge=1, le=100000)
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
        counts = equations.transmission
        image = mltr(equations.operator, counts, 1.0, equations.air, self.n_iterations)
        return attenuation_image(image, grid, self.unit, products["data"])
