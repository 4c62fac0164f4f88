"""Virtual mono-energetic images, from takes by two spectra or more."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np
import xarray as xr
from pydantic import Field

from phantomsim.physics.errors import RecipeError
from phantomsim.physics.grid import Grid
from phantomsim.physics.xray.correction import WATER
from phantomsim.physics.xray.filtering import Window
from phantomsim.physics.xray.geometry import PlanarScan
from phantomsim.recon.basis import Materials, attenuation, line_integrals_of_basis, spectral_takes
from phantomsim.recon.fbp import fbp
from phantomsim.recon.reconstructor import Reconstructor
from phantomsim.recon.take import Unit, attenuation_image, measured


class VirtualMonoEnergetic(Reconstructor):
    """Image as at one photon energy, made of the basis materials that two or more spectra tell apart in projections.

    Parameters
    ----------
    energy_kev
        Energy of the image.
    materials
        The basis.
    filter, cutoff, unit
        As for ``fbp``; Hounsfield units are those of water at this energy.

    References
    ----------
    R. E. Alvarez and A. Macovski, "Energy-selective reconstructions in X-ray computerised tomography", Phys. Med. Biol.
    21 (1976).
    """

    kind: Literal["vmi"] = "vmi"
    energy_kev: float = Field(ge=20, le=300)
    materials: Materials = ("water", "cortical_bone")
    filter: Window = "ram-lak"
    cutoff: float = Field(1.0, gt=0, le=1)
    unit: Unit = "hu"

    def reconstruct(self, products: Mapping[str, xr.Dataset], grid: Grid) -> xr.DataArray:
        """Reconstruct the attenuation at one energy.

        Parameters
        ----------
        products
            Takes of the same rays by role, such as ``"low"`` and ``"high"``, each as for ``fbp`` and with its
            ``response`` by energy.
        grid
            Voxels of the image.

        Raises
        ------
        RecipeError
            If takes are too few, lack one of these, or cannot be reconstructed this way.
        ShapeError
            If the grid has planes that were not measured.
        """
        takes = spectral_takes(products, self.kind, len(self.materials))
        scan, z, _ = measured({"data": takes.first}, self.kind)
        if not isinstance(scan, PlanarScan):
            raise RecipeError(f"{self.kind} works on parallel and fan beams in their planes, not on cone beams")
        response, energy = takes.responses[0], np.array([self.energy_kev])
        amounts = line_integrals_of_basis(takes, self.kind, self.materials)
        real = amounts.dtype.type
        total = sum(
            real(attenuation(name, response, energy)[0]) * amount
            for name, amount in zip(self.materials, amounts, strict=True)
        )
        image = fbp(total, scan, z, grid, filter=self.filter, cutoff=self.cutoff)
        water = {"mu_water_per_m": float(response.attenuation(WATER, energy)[0])}
        labelled_image = attenuation_image(image, grid, self.unit, takes.first.assign_attrs(water))
        return labelled_image.assign_attrs(energy_kev=self.energy_kev)
