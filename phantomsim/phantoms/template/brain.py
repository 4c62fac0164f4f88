"""A brain from a template of tissue probabilities."""

from __future__ import annotations

from dataclasses import replace
from math import pi, prod
from typing import Annotated, Final, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field, model_validator

from phantomsim.phantoms.phantom import Phantom
from phantomsim.phantoms.placement import Range, between
from phantomsim.phantoms.spec import PhantomSpec
from phantomsim.phantoms.template.body import TemplateBody, Warp
from phantomsim.phantoms.template.maps import Maps, load
from phantomsim.physics.grid import Grid
from phantomsim.physics.rng import Key, normal, uniform
from phantomsim.physics.shapes import turn
from phantomsim.tissues import Tissue, get

TISSUES: Final = ("air", "skin", "adipose", "skull", "csf", "gray_matter", "white_matter")
LIMITS: Final = {
    "intracranial_ml": (900.0, 2200.0),
    "proportion": (0.9, 1.1),
    "rim_mm": (0.0, 6.0),
    "skull_mm": (3.0, 12.0),
    "scalp_mm": (2.5, 10.0),
    "warp_mm": (0.0, 4.0),
    "tilt_deg": (-30.0, 30.0),
    "turn_deg": (-20.0, 20.0),
    "level_mm": (-70.0, 110.0),
    "uptake": (0.2, 3.0),
}
"""What each range may span and the head still hold together."""
SKIN: Final = 2e-3
WAVES: Final = 8
WAVELENGTHS: Final = (0.07, 0.18)
"""Of the displacement [m]; with the largest `warp_mm` the map stays one to one."""


class BrainTemplate(PhantomSpec):
    """A brain of grey and white matter probabilities (MNI152, from the package nilearn), in a skull and a scalp.

    Probabilities stand for fractions of a voxel, as blurred as the average of many brains is; fluid is what the closed
    outline of the brain leaves free. Skull and scalp are even shells around it: there is no face, and the head ends
    flat below the cerebellum. The template is symmetric and wider than most heads; each draw has its own
    intracranial volume, proportions, smooth asymmetric warp, shells, pose and uptake. Shells and ranges are round
    figures, grade C. Needs nilearn for its files: ``pip install 'phantomsim[templates]'``.
    """

    kind: Literal["brain-template"]
    intracranial_ml: Range = Field(default=(1200.0, 1650.0), description="volume within the skull")
    proportion: Range = Field(default=(0.96, 1.04), description="stretch of each axis against the others")
    warp_mm: Range = Field(default=(0.5, 2.0), description="root mean square of a smooth displacement")
    rim_mm: Range = Field(default=(0.5, 1.5), description="fluid between the brain's outline and the skull")
    skull_mm: Range = Field(default=(5.0, 8.0), description="thickness of the skull")
    scalp_mm: Range = Field(default=(4.0, 7.0), description="thickness of fat and 2 mm of skin over it")
    tilt_deg: Range = Field(default=(-6.0, 6.0), description="nod of the head, positive with the chin up")
    turn_deg: Range = Field(default=(-4.0, 4.0), description="turn of the face, positive to the patient's left")
    level_mm: Range = Field(default=(0.0, 30.0), description="height above the commissures that lies at z = 0")
    uptake: Range = Field(default=(0.85, 1.15), description="factor on the FDG uptake of grey, and of white matter")
    voxel_mm: Annotated[float, Field(ge=0.5, le=10)] = Field(
        default=1.0, description="voxels on which a scanner projects it"
    )

    @model_validator(mode="after")
    def _check(self) -> BrainTemplate:
        for name, (least, most) in LIMITS.items():
            low, high = getattr(self, name)
            if not least <= low <= high <= most:
                raise ValueError(
                    f"{name} must be [smallest, largest] within {least:g} to {most:g}, got [{low:g}, {high:g}]"
                )
        return self

    def generate(self, key: Key) -> Phantom:
        """Make one phantom: each measure, the warp and the uptake are drawn from streams of their own.

        Raises
        ------
        RecipeError
            If nilearn is not installed.
        """
        maps = load()
        names = ("intracranial_ml", "warp_mm", "rim_mm", "skull_mm", "scalp_mm", "tilt_deg", "turn_deg", "level_mm")
        row = {name: between(key.fold(name), getattr(self, name)) for name in names}
        stretch = np.array([between(key.fold("proportion", axis), self.proportion) for axis in "zyx"])
        stretch /= np.prod(stretch) ** (1 / 3)
        scale = _scale(maps, 1e-6 * row["intracranial_ml"], 1e-3 * row["rim_mm"])
        turned = np.asarray(turn("x", -row["tilt_deg"] * pi / 180)) @ np.asarray(turn("z", row["turn_deg"] * pi / 180))
        matrix = np.diag(1 / (scale * stretch)) @ turned.T
        waves, amplitudes, phases = _waves(1e-3 * row["warp_mm"], key.fold("warp"))
        at_level = matrix @ np.array([1e-3 * row["level_mm"], 0.0, 0.0])
        z, y, x = (float(c) for c in at_level + MIDDLE)
        warp = Warp(matrix, (z, y, x), waves, amplitudes, phases)
        rim, skull, scalp = (1e-3 * row[name] / scale for name in ("rim_mm", "skull_mm", "scalp_mm"))
        shells = (rim, rim + skull, rim + skull + scalp - SKIN / scale, rim + skull + scalp)
        uptake = {name: between(key.fold("uptake", name), self.uptake) for name in ("gray_matter", "white_matter")}
        tissues = tuple(_taken_up(get(name), uptake.get(name, 1.0)) for name in TISSUES)
        body = TemplateBody(maps, warp, shells, self._grid(scale * float(stretch.max()), row["level_mm"]))
        table = {"part": "head", **row, "stretch": [float(scale * s) for s in stretch], "uptake": list(uptake.values())}
        return Phantom(tissues, body, truths={"anatomy": (table,)})

    def _grid(self, largest: float, level: float) -> Grid:
        """Return a grid about the origin that holds the head at any pose that is allowed."""
        z, y, x = (
            2 * int(np.ceil(largest * r / (2e-3 * self.voxel_mm))) for r in (0.30 + 2e-3 * abs(level), 0.26, 0.22)
        )
        return Grid((z, y, x), (1e-3 * self.voxel_mm,) * 3)


MIDDLE: Final = np.array([0.0, 0.018, 0.0])
"""Point of the template that lies on the patient's axis: between forehead and back of the head [m]."""


def _scale(maps: Maps, volume: float, rim: float) -> float:
    """Return the factor on the template's lengths by which a rim around its outline [m] holds a volume [m³]."""
    scale = 1.0
    for _ in range(3):  # the rim is thin: each round leaves some hundredth of the error
        share = np.clip(0.5 - (maps.distance - rim / scale) / maps.wide.spacing[0], 0, 1)
        scale = (volume / float(share.sum(dtype=np.float64) * prod(maps.wide.spacing))) ** (1 / 3)
    return scale


def _waves(rms: float, key: Key) -> tuple[npt.NDArray[np.float64], ...]:
    """Return wave vectors, amplitudes and phases of a displacement of a given root mean square length."""
    direction = normal(key.fold("direction"), (WAVES, 3), dtype=np.float64)
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    length = WAVELENGTHS[0] + (WAVELENGTHS[1] - WAVELENGTHS[0]) * uniform(key.fold("length"), WAVES, dtype=np.float64)
    amplitudes = normal(key.fold("amplitude"), (WAVES, 3), dtype=np.float64)
    amplitudes *= rms / np.sqrt((amplitudes**2).sum() / 2)  # a sine has a mean square of 1/2
    phases = 2 * pi * uniform(key.fold("phase"), WAVES, dtype=np.float64)
    return 2 * pi * direction / length[:, None], amplitudes, phases


def _taken_up(tissue: Tissue, factor: float) -> Tissue:
    if tissue.pet is None or factor == 1:
        return tissue
    return replace(tissue, pet=replace(tissue.pet, fdg_suv=factor * tissue.pet.fdg_suv))
