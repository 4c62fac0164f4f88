"""Filtered backprojection in two passes or more, corrected for beam hardening in bone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import xarray as xr
from pydantic import Field, field_validator

from phantomsim import tissues
from phantomsim.physics.array import namespace
from phantomsim.physics.errors import RecipeError
from phantomsim.physics.grid import Grid
from phantomsim.physics.xray.bone_hardening import bone_correction
from phantomsim.physics.xray.correction import WATER
from phantomsim.physics.xray.filtering import Window
from phantomsim.recon.fbp import fbp
from phantomsim.recon.reconstructor import Reconstructor
from phantomsim.recon.reprojection import planar_take
from phantomsim.recon.response import response_of
from phantomsim.recon.take import Unit, attenuation_image


class BoneCorrectedFBP(Reconstructor):
    """Filtered backprojection of planar scans, with the two-pass correction of beam hardening in bone.

    Bone is found in a first image: voxels above a threshold hold it as far as their attenuation lies between that of
    water and that of bone. Projected again, it says how much bone each ray met, and so what the water correction
    missed.

    Parameters
    ----------
    bone
        Tissue that counts as bone.
    threshold_hu
        CT number above which a voxel holds bone.
    passes
        How often the correction is made, each time from the last image.
    filter, cutoff, unit
        As for ``fbp``. Bone is always looked for in an image with the Hann window.

    References
    ----------
    P. M. Joseph and R. D. Spital, "A method for correcting bone induced artifacts in computed tomography scanners",
    J. Comput. Assist. Tomogr. 2 (1978).
    """

    kind: Literal["bone-corrected-fbp"] = "bone-corrected-fbp"
    bone: str = "cortical_bone"
    threshold_hu: float = Field(200.0, ge=50, le=2000)
    passes: int = Field(1, ge=1, le=5)
    filter: Window = "ram-lak"
    cutoff: float = Field(1.0, gt=0, le=1)
    unit: Unit = "mu"

    @field_validator("bone")
    @classmethod
    def _known(cls, name: str) -> str:
        tissues.get(name)
        return name

    def reconstruct(self, products: Mapping[str, xr.Dataset], grid: Grid) -> xr.DataArray:
        """Reconstruct the line integrals of a take.

        Parameters
        ----------
        products
            ``"data"``: the take, as for ``fbp``, with its ``response`` by energy.
        grid
            Voxels of the image.

        Raises
        ------
        RecipeError
            If the data lacks one of these, cannot be reconstructed this way, or the bone attenuates less than water.
        ShapeError
            If the grid has planes that were not measured.
        """
        take = planar_take(products, self.kind, grid)
        response = response_of(products["data"], self.kind)
        tissue = tissues.get(self.bone)
        material = (tissue.density, tissue.mass_fractions)
        water, bone = response.at_reference(WATER), response.at_reference(material)
        if bone < (1 + 1e-3 * self.threshold_hu) * water:
            raise RecipeError(
                f"bone = {self.bone!r} attenuates less than threshold_hu = {self.threshold_hu:g} at "
                f"{response.reference_energy:g} keV: nothing would count as bone"
            )
        correction = bone_correction(response, material)
        corrected = take.line_integrals
        for _ in range(self.passes):
            image = take.image(corrected)
            xp, real = namespace(image), image.dtype.type
            held = xp.clip((image - real(water)) * real(1 / (bone - water)), real(0), real(1))
            lengths = take.project(xp.where(image > real(water * (1 + 1e-3 * self.threshold_hu)), held, real(0)))
            corrected = correction(take.line_integrals, lengths)
        final = fbp(corrected, take.scan, take.z, grid, filter=self.filter, cutoff=self.cutoff)
        return attenuation_image(final, grid, self.unit, products["data"])
