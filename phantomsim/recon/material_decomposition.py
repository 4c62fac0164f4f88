"""Images of basis materials, from takes by two or more spectra."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, Self

import numpy as np
import numpy.typing as npt
import xarray as xr
from pydantic import Field, model_validator

from phantomsim import labelled
from phantomsim.physics.array import Array, namespace
from phantomsim.physics.errors import RecipeError
from phantomsim.physics.grid import Grid
from phantomsim.physics.xray.correction import WATER
from phantomsim.physics.xray.decomposition import fractions
from phantomsim.physics.xray.filtering import Window
from phantomsim.physics.xray.geometry import PlanarScan
from phantomsim.physics.xray.response import Response
from phantomsim.recon.basis import (
    Materials,
    SpectralTakes,
    attenuation,
    line_integrals_of_basis,
    spectral_takes,
    unit_of,
)
from phantomsim.recon.fbp import fbp
from phantomsim.recon.reconstructor import Reconstructor
from phantomsim.recon.take import measured


class MaterialDecomposition(Reconstructor):
    """Image of one basis material, by decomposition of projections or of images of two or more spectra.

    In the domain ``"projection"`` the amounts that explain the readings are found ray by ray, hardening and all, and
    then reconstructed. In the domain ``"image"`` each take is reconstructed, and the attenuation of each voxel is
    split up linearly; materials attenuate there as behind `water_mm` of water.

    Parameters
    ----------
    materials
        The basis: tissues, whose amount is a volume fraction, and solutes, whose amount is in mg/ml.
    material
        The one whose image is returned.
    domain
        Where the decomposition takes place.
    conserve_volume
        Whether tissues fill every voxel, so that in the domain ``"image"`` two takes give three of them.
    water_mm
        Water that hardens the beams, for the domain ``"image"``.
    filter, cutoff
        As for ``fbp``.
    """

    kind: Literal["material-decomposition"] = "material-decomposition"
    materials: Materials
    material: str
    domain: Literal["projection", "image"] = "projection"
    conserve_volume: bool = False
    water_mm: float = Field(200.0, ge=0, le=1000)
    filter: Window = "ram-lak"
    cutoff: float = Field(1.0, gt=0, le=1)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.material not in self.materials:
            raise ValueError(f"material must be one of the basis {', '.join(self.materials)}, got {self.material!r}")
        if self.conserve_volume and self.domain != "image":
            raise ValueError("conserve_volume holds voxel by voxel; it needs domain = 'image'")
        if self.conserve_volume and any(unit_of(name) != "1" for name in self.materials):
            raise ValueError("conserve_volume needs tissues; a solute takes no volume of its own")
        return self

    def reconstruct(self, products: Mapping[str, xr.Dataset], grid: Grid) -> xr.DataArray:
        """Reconstruct the amount of one material.

        Parameters
        ----------
        products
            Takes by role, such as ``"low"`` and ``"high"``, each as for ``fbp`` and with its ``response`` by energy.
        grid
            Voxels of the image.

        Returns
        -------
            Volume fraction [1] or concentration [mg/ml] (z, y, x).

        Raises
        ------
        RecipeError
            If takes are too few, lack one of these, or cannot be reconstructed this way.
        ShapeError
            If the grid has planes that were not measured.
        UnitError
            If the takes cannot tell the materials apart.
        """
        takes = spectral_takes(products, self.kind, len(self.materials) - self.conserve_volume)
        image = (self._by_projection if self.domain == "projection" else self._by_image)(takes, grid)
        what = "concentration" if unit_of(self.material) == "mg/ml" else "volume fraction"
        return labelled.image(image, grid, unit_of(self.material), f"{what} of {self.material}")

    def _by_projection(self, takes: SpectralTakes, grid: Grid) -> Array:
        amounts = line_integrals_of_basis(takes, self.kind, self.materials)
        return self._fbp(takes.first, grid, amounts[self.materials.index(self.material)])

    def _by_image(self, takes: SpectralTakes, grid: Grid) -> Array:
        images = [self._fbp(data, grid) for data in takes.data.values()]
        basis = np.array([[self._effective(name, r) for name in self.materials] for r in takes.responses])
        found = fractions(namespace(*images).stack(images), basis, conserve=self.conserve_volume)
        return found[self.materials.index(self.material)]

    def _fbp(self, data: xr.Dataset, grid: Grid, amounts: Array | None = None) -> Array:
        scan, z, line_integrals = measured({"data": data}, self.kind)
        if not isinstance(scan, PlanarScan):
            raise RecipeError(f"{self.kind} works on parallel and fan beams in their planes, not on cone beams")
        chosen = line_integrals if amounts is None else amounts
        return fbp(chosen, scan, z, grid, filter=self.filter, cutoff=self.cutoff)

    def _effective(self, name: str, response: Response) -> float:
        """Return the attenuation of a material in a water-corrected image [1/m]: a little of it behind much water."""
        behind: npt.NDArray[np.float64] = response.share * np.exp(-1e-3 * self.water_mm * response.attenuation(WATER))
        ratio = (behind @ attenuation(name, response, response.energy)) / (behind @ response.attenuation(WATER))
        return float(ratio) * response.at_reference(WATER)
