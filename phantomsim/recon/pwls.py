"""Penalised weighted least squares of X-ray scans."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import xarray as xr
from pydantic import Field

from phantomsim.physics.grid import Grid
from phantomsim.physics.solvers.potentials import QGGMRF, Fair, Huber, Potential, Quadratic
from phantomsim.physics.solvers.pwls import pwls
from phantomsim.physics.solvers.roughness import Roughness
from phantomsim.recon.reconstructor import Reconstructor
from phantomsim.recon.system import system
from phantomsim.recon.take import Unit, attenuation_image


class PWLS(Reconstructor):
    """PWLS: every ray counts by its photons, and neighbours are held together except at edges.

    Weights are the transmission exp(−line integral), the inverse variance of photon noise up to a factor.

    Parameters
    ----------
    n_iterations
        Number of passes over all views.
    n_subsets
        Number of subsets, at most that of views; 10 views or more to each.
    strength
        Of the prior: its pull on a voxel over that of the data.
    prior
        Potential of differences between the 26 neighbours (8 in a plane).
    edge_per_m
        Difference of attenuation from which on the prior takes it for an edge [1/m]; not for ``"quadratic"``.
    q
        Power of large differences, for ``"q-ggmrf"``.
    momentum
        Whether steps are extrapolated, which takes far fewer iterations.
    non_negative
        Whether attenuation below that of air is forbidden.
    unit
        ``"mu"`` for linear attenuation [1/m], ``"hu"`` for Hounsfield units, which need the scanner's calibration.
    """

    kind: Literal["pwls"] = "pwls"
    n_iterations: int = Field(20, ge=1, le=100000)
    n_subsets: int = Field(8, ge=1, le=65536)
    strength: float = Field(1.0, ge=0, le=1e6)
    prior: Literal["quadratic", "huber", "fair", "q-ggmrf"] = "huber"
    edge_per_m: float = Field(0.5, gt=0, le=1e6)
    q: float = Field(1.2, ge=1, le=2)
    momentum: bool = True
    non_negative: bool = True
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
        image = pwls(
            equations.subsets(self.n_subsets),
            equations.line_integrals,
            weights,
            equations.air,
            self.n_iterations,
            strength=self.strength * equations.curvature(weights),
            roughness=Roughness(self._potential(), equations.spacing),
            momentum=self.momentum,
            non_negative=self.non_negative,
        )
        return attenuation_image(image, grid, self.unit, products["data"])

    def _potential(self) -> Potential:
        return {
            "quadratic": Quadratic(),
            "huber": Huber(self.edge_per_m),
            "fair": Fair(self.edge_per_m),
            "q-ggmrf": QGGMRF(self.edge_per_m, self.q),
        }[self.prior]
