"""Metal artefact reduction: line integrals through metal are thrown away and filled from their neighbours."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from math import ceil
from typing import Literal

import numpy as np
import xarray as xr
from pydantic import Field

from phantomsim.physics.array import Array, namespace
from phantomsim.physics.grid import Grid
from phantomsim.physics.xray.filtering import Window
from phantomsim.physics.xray.metal_trace import interpolate, interpolate_normalised, widened
from phantomsim.recon.fbp import fbp
from phantomsim.recon.reconstructor import Reconstructor
from phantomsim.recon.reprojection import PlanarTake, part_of, planar_take
from phantomsim.recon.take import Unit, attenuation_image, water_attenuation


class MetalArtefactReduction(Reconstructor):
    """What methods have in common that fill the shadow of metal.

    Metal is what exceeds a threshold in a first image; it is projected again, and all line integrals that touch it are
    filled. The metal of the first image is put back into the last.

    Parameters
    ----------
    metal_hu
        CT number above which a voxel is metal.
    margin
        Columns that are thrown away on either side of the metal's shadow.
    filter, cutoff, unit
        As for ``fbp``. Metal is always looked for in an image with the Hann window.
    """

    metal_hu: float = Field(3000.0, ge=1000, le=30000)
    margin: int = Field(1, ge=0, le=20)
    filter: Window = "ram-lak"
    cutoff: float = Field(1.0, gt=0, le=1)
    unit: Unit = "mu"

    def reconstruct(self, products: Mapping[str, xr.Dataset], grid: Grid) -> xr.DataArray:
        """Reconstruct the line integrals of a take.

        Parameters
        ----------
        products
            ``"data"``: the take, as for ``fbp``, with the attenuation of water in ``mu_water_per_m`` [1/m].
        grid
            Voxels of the image.

        Raises
        ------
        RecipeError
            If the data lacks one of these, or cannot be reconstructed this way.
        ShapeError
            If the grid has planes that were not measured.
        """
        take = planar_take(products, self.kind, grid)
        water = water_attenuation(products["data"])
        metal = take.image(take.line_integrals) > water * (1 + 1e-3 * self.metal_hu)
        image = self._fbp(take, take.line_integrals, grid)
        if metal.any():
            trace = widened(take.project(metal) > 0, self.margin)
            filled = self.filled(take, trace, metal, water)
            image = namespace(image).where(part_of(metal, take.grid, grid), image, self._fbp(take, filled, grid))
        return attenuation_image(image, grid, self.unit, products["data"])

    def _fbp(self, take: PlanarTake, line_integrals: Array, grid: Grid) -> Array:
        return fbp(line_integrals, take.scan, take.z, grid, filter=self.filter, cutoff=self.cutoff)

    @abstractmethod
    def filled(self, take: PlanarTake, trace: Array, metal: Array, water: float) -> Array:
        """Return line integrals (view, row, column) in which the trace of the metal (z, y, x) is filled."""


class LinearMAR(MetalArtefactReduction):
    """Metal artefact reduction by linear interpolation through the shadow of the metal, for planar scans.

    References
    ----------
    W. A. Kalender, R. Hebel, J. Ebersberger, "Reduction of CT artifacts caused by metallic implants", Radiology 164
    (1987).
    """

    kind: Literal["li-mar"] = "li-mar"

    def filled(self, take: PlanarTake, trace: Array, metal: Array, water: float) -> Array:
        """Return line integrals with straight lines through the trace."""
        return interpolate(take.line_integrals, trace)


class NormalisedMAR(MetalArtefactReduction):
    """Normalised metal artefact reduction (NMAR) for planar scans: interpolation relative to a prior image.

    The prior is the image of ``li-mar``, smoothed, with air and soft tissue each set to one value and bone as it is.
    Line integrals are divided by the prior's before they are interpolated, so that edges of bone and air do not streak.

    Parameters
    ----------
    air_hu, bone_hu
        CT numbers below and above which a voxel of the prior is air and bone.
    smoothing_mm
        Standard deviation of the smoothing that the prior is segmented with.
    passes
        How often a prior is made: first from the image of ``li-mar``, then each from the last image.

    References
    ----------
    E. Meyer et al., "Normalized metal artifact reduction (NMAR) in computed tomography", Med. Phys. 37 (2010).
    """

    kind: Literal["nmar"] = "nmar"
    air_hu: float = Field(-500.0, ge=-950, le=-50)
    bone_hu: float = Field(300.0, ge=50, le=2000)
    smoothing_mm: float = Field(1.0, ge=0, le=20)
    passes: int = Field(1, ge=1, le=5)

    def filled(self, take: PlanarTake, trace: Array, metal: Array, water: float) -> Array:
        """Return line integrals with the trace filled relative to a prior without metal."""
        filled = interpolate(take.line_integrals, trace)
        for _ in range(self.passes):
            prior = take.project(self._prior(take, take.image(filled), metal, water))
            filled = interpolate_normalised(take.line_integrals, trace, prior)
        return filled

    def _prior(self, take: PlanarTake, image: Array, metal: Array, water: float) -> Array:
        """Return an image (z, y, x) [1/m] with air and soft tissue made even, and soft tissue in place of metal."""
        xp, real = namespace(image), image.dtype.type
        smooth = image
        for axis in (1, 2):
            smooth = _smoothed(smooth, axis, 1e-3 * self.smoothing_mm / take.grid.spacing[axis])
        prior = xp.where(smooth < water * (1 + 1e-3 * self.air_hu), real(0), real(water))
        prior = xp.where(smooth > water * (1 + 1e-3 * self.bone_hu), image, prior)
        return xp.where(metal, real(water), prior)


def _smoothed(image: Array, axis: int, width: float) -> Array:
    """Return an image smoothed along one axis by a Gaussian of a standard deviation [voxels]; its edges go on."""
    reach = ceil(3 * width)
    if reach == 0:
        return image
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / width) ** 2)
    weights /= weights.sum()
    xp = namespace(image)
    padded = xp.pad(image, [(reach, reach) if n == axis else (0, 0) for n in range(3)], mode="edge")
    shifts = [padded[(slice(None),) * axis + (slice(n, n + image.shape[axis]),)] for n in range(2 * reach + 1)]
    total = xp.zeros_like(image)
    for weight, shifted in zip(weights, shifts, strict=True):
        total += image.dtype.type(weight) * shifted
    return total
