"""Random organs: star-shaped bodies of random spherical harmonics."""

from __future__ import annotations

from math import pi, sqrt
from typing import Final, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field, field_validator, model_validator

from phantomsim.phantoms.hosts import insert_lesions
from phantomsim.phantoms.phantom import Phantom
from phantomsim.phantoms.placement import Lesions, PositiveRange, Range, between
from phantomsim.phantoms.spec import PhantomSpec
from phantomsim.phantoms.surfaces.body import SurfaceBody, working_grid
from phantomsim.physics.grid import Grid
from phantomsim.physics.rng import Key, normal
from phantomsim.physics.surfaces.star import Star, directions, real_harmonics_sum
from phantomsim.tissues import get

THINNEST: Final = 0.3
"""Smallest radius over the mean one; a rougher draw is smoothed until it keeps it."""
FINENESS: Final = 16
"""Voxels to the mean radius where places for lesions are sought."""


class HarmonicOrgan(PhantomSpec):
    """A random smooth organ of spherical harmonics, with a core of another tissue if asked for, and lesions.

    Radii are Gaussian, with a variance that falls as a power of the degree; degree 1, which only shifts the organ, is
    left out. Numeric: its lines have no closed form.
    """

    kind: Literal["harmonic"]
    tissue: str = "liver"
    background: str = Field(default="air", description="tissue around the organ")
    radius_mm: PositiveRange = Field(default=(35.0, 50.0), description="mean radius")
    roughness: Range = Field(default=(0.08, 0.18), description="deviation of the radius over its mean")
    degree: int = Field(default=8, ge=2, le=24, description="highest degree: the number of bulges around the organ")
    exponent: float = Field(default=2.5, ge=0, le=6, description="power by which the variance falls with the degree")
    core: str | None = Field(default=None, description="tissue of an inner body of nearly the same form")
    core_share: Range = Field(default=(0.4, 0.65), description="size of the core over that of the organ")
    lesions: Lesions = Field(default=Lesions(), description="outside the core")
    voxel_mm: float = Field(default=1.0, gt=0, le=50, description="voxels on which a scanner projects the organ")

    @field_validator("tissue", "background", "core")
    @classmethod
    def _check_tissue(cls, value: str | None) -> str | None:
        if value is not None:
            get(value)
        return value

    @model_validator(mode="after")
    def _check_ranges(self) -> HarmonicOrgan:
        limits = {"radius_mm": (0.1, 1000.0), "roughness": (0.0, 0.35), "core_share": (0.05, 0.9)}
        for name, (least, most) in limits.items():
            low, high = getattr(self, name)
            if not least <= low <= high <= most:
                raise ValueError(
                    f"{name} must be [smallest, largest] within {least:g} to {most:g}, got [{low:g}, {high:g}]"
                )
        names = [name for name in (self.background, self.tissue, self.core) if name is not None]
        if len(set(names)) < len(names):
            raise ValueError(f"background, tissue and core must differ, got {', '.join(names)}")
        return self

    def generate(self, key: Key) -> Phantom:
        """Make one phantom: size, form, core and lesions are drawn from streams of their own."""
        radius = 1e-3 * between(key.fold("radius"), self.radius_mm)
        roughness = between(key.fold("roughness"), self.roughness)
        form = deviations(self.degree, self.exponent, roughness, key.fold("form"))
        surfaces, names, codes = [Star((0.0, 0.0, 0.0), radius * form)], ["organ"], [1]
        tissues = [get(self.background), get(self.tissue)]
        share = between(key.fold("core"), self.core_share) if self.core else 0.0
        if self.core:
            smooth = np.repeat(0.8 ** np.arange(self.degree + 1), 2 * np.arange(self.degree + 1) + 1)
            surfaces.append(Star((0.0, 0.0, 0.0), share * radius * smooth * form))
            names.append("core")
            codes.append(2)
            tissues.append(get(self.core))
        on = working_grid(surfaces, 1e-3 * self.voxel_mm, 2e-3 * self.voxel_mm)
        row = {
            "part": "organ",
            "radius_mm": 1e3 * radius,
            "roughness": float(np.sqrt((form[1:] ** 2).sum() / (4 * pi))),
            "core_share": share,
            "volume_mm3": 1e9 * surfaces[0].volume,
            "coefficients_mm": [1e3 * radius * float(a) for a in form],
        }
        body = SurfaceBody(tuple(surfaces), tuple(names), tuple(codes), on)
        phantom = Phantom(tuple(tissues), body, frozenset(("organ", "core")), {"anatomy": (row,)})
        regions, grid = {}, working_grid(surfaces, radius / FINENESS, 0.0)
        if self.lesions.count:
            regions[self.tissue] = _whole(phantom, grid)
        return insert_lesions(phantom, self.lesions, regions, grid, key)


def deviations(degree: int, exponent: float, roughness: float, key: Key) -> npt.NDArray[np.float64]:
    """Return coefficients of harmonics up to a degree whose sum is a random radius of mean 1.

    Their root mean square deviation over the sphere is `roughness` in this draw, or less where a radius would fall
    below `THINNEST`.
    """
    order = np.repeat(np.arange(degree + 1), 2 * np.arange(degree + 1) + 1)
    draws = normal(key, len(order), dtype=np.float64)
    rough = np.where(order > 1, draws / np.sqrt(2 * order + 1) * np.maximum(order, 1.0) ** (-exponent / 2), 0.0)
    rough *= roughness * sqrt(4 * pi) / np.sqrt((rough**2).sum())
    mean = np.where(order == 0, sqrt(4 * pi), 0.0)
    dip = -float(real_harmonics_sum(rough, directions(max(32, 4 * degree))).min())
    return np.asarray(mean + rough * min(1.0, (1 - THINNEST) / max(dip, 1e-12)))


def _whole(phantom: Phantom, grid: Grid) -> npt.NDArray[np.bool_]:
    return np.asarray(phantom.fractions(grid).values[1] > 0.999)
