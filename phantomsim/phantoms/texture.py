"""Texture inside tissues: a random field that every modality sees, each with its own contrast."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from math import ceil
from typing import Annotated, Final

import numpy as np
import numpy.typing as npt
from pydantic import Field, model_validator
from scipy.interpolate import make_interp_spline

from phantomsim.physics.grid import Grid
from phantomsim.physics.random_fields.gaussian import PowerLaw
from phantomsim.physics.rng import Key
from phantomsim.spec import Spec
from phantomsim.tissues import Tissue, get

SPAN: Final = 4.0
"""Deviations of the field that the two mixed tissues stand for; 6 in 100,000 values lie beyond and are cut."""
FINENESS: Final = 4
"""Samples of the field along its shortest wave."""

Deviation = Annotated[float, Field(ge=0, le=0.24)]


class Texture(Spec):
    """Gaussian texture of a tissue, with a power-law spectrum 1/f^exponent between two wavelengths.

    Deviations are relative, 0.02 for 2 %, and belong to one field: where the tissue is denser it also is brighter.
    """

    tissue: str = Field(description="of the library; its thinned and enhanced forms take part")
    exponent: Annotated[float, Field(ge=0, le=6)] = Field(default=3.0, description="b of the spectrum")
    shortest_mm: Annotated[float, Field(gt=0, le=1000)] = Field(default=2.0, description="shortest wavelength")
    longest_mm: Annotated[float, Field(gt=0, le=1000)] = Field(default=20.0, description="longest wavelength")
    density: Deviation = Field(default=0.02, description="standard deviation of mass and proton density")
    relaxation: Deviation = Field(default=0.03, description="of T1, T2 and T2*")
    sound_speed: Deviation = Field(default=0.003, description="of the sound speed")
    uptake: Deviation = Field(default=0.1, description="of FDG")

    @model_validator(mode="after")
    def _check(self) -> Texture:
        get(self.tissue)
        if not 1.5 * self.shortest_mm <= self.longest_mm <= 12 * self.shortest_mm:
            raise ValueError(
                f"longest_mm = {self.longest_mm:g} must be 1.5 to 12 times shortest_mm = {self.shortest_mm:g}"
            )
        return self

    def shifted(self, tissue: Tissue, sign: int) -> Tissue:
        """Return the tissue `SPAN` deviations up (sign 1) or down (−1)."""
        density, relaxation, speed, uptake = (
            1 + sign * SPAN * d for d in (self.density, self.relaxation, self.sound_speed, self.uptake)
        )
        mr, acoustic, pet = tissue.mr, tissue.acoustic, tissue.pet
        if mr is not None:
            times = tuple(
                replace(r, t1=relaxation * r.t1, t2=relaxation * r.t2, t2_star=relaxation * r.t2_star)
                for r in mr.relaxation
            )
            mr = replace(mr, proton_density=density * mr.proton_density, relaxation=times)
        if acoustic is not None:
            acoustic = replace(acoustic, sound_speed=speed * acoustic.sound_speed, density=density * acoustic.density)
        if pet is not None:
            pet = replace(pet, fdg_suv=uptake * pet.fdg_suv)
        name = f"{tissue.name}@{'dense' if sign > 0 else 'light'}"
        return replace(tissue, name=name, density=density * tissue.density, mr=mr, acoustic=acoustic, pet=pet)

    def field(self) -> tuple[PowerLaw, Grid]:
        """Return the field of deviation 1, and the tile of the world on which it is drawn; mirrors repeat the tile."""
        law = PowerLaw(self.exponent, 1.0, 1e3 / self.longest_mm, 1e3 / self.shortest_mm)
        spacing = 1e-3 * self.shortest_mm / FINENESS
        n = ceil(2e-3 * self.longest_mm / spacing)
        return law, Grid((n, n, n), (spacing, spacing, spacing))


def sampled(texture: Texture, key: Key, grid: Grid) -> npt.NDArray[np.float32]:
    """Return the mean of a texture's field over each voxel of a grid (z, y, x), in deviations."""
    _, tile = texture.field()
    values: npt.NDArray[np.float32] = _drawn(texture, key)
    for axis in range(3):  # each axis in turn leads, and comes back last
        values = np.tensordot(values, _weights(grid, tile, axis), (0, 1))
    return np.ascontiguousarray(values)


@lru_cache(maxsize=8)
def _drawn(texture: Texture, key: Key) -> npt.NDArray[np.float32]:
    law, tile = texture.field()
    return law.draw(key, tile)


def _weights(grid: Grid, tile: Grid, axis: int) -> npt.NDArray[np.float32]:
    """Return the weight of each of the tile's samples in the mean over each voxel along an axis (voxel, sample).

    Between samples the field is a cubic spline, level at the tile's ends, so that its mirror image follows smoothly.
    """
    last, spacing = tile.shape[axis] - 1, grid.spacing[axis] / tile.spacing[axis]
    spline = make_interp_spline(np.arange(last + 1), np.eye(last + 1), 3, bc_type="clamped").antiderivative()
    edges = (grid.lower[axis] - tile.coordinates(axis)[0]) / tile.spacing[axis]
    edges = edges + spacing * np.arange(grid.shape[axis] + 1)
    tiles, place = np.divmod(edges, 2 * last)  # a period is the tile and its mirror image
    mirrored = (place > last)[:, None]
    whole = spline(last)
    below = spline(np.minimum(place, 2 * last - place))
    integral = 2 * tiles[:, None] * whole + np.where(mirrored, 2 * whole - below, below)
    return np.asarray(np.diff(integral, axis=0) / spacing, dtype=np.float32)
