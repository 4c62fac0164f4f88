"""Random mice and rats in three dimensions, made of some nine hundred ellipsoids, cylinders and capsules."""

from __future__ import annotations

from math import pi
from typing import Any, Final, Literal

import numpy as np
from pydantic import Field, model_validator

from phantomsim.phantoms.lesions.spec import Lesions
from phantomsim.phantoms.phantom import Phantom
from phantomsim.phantoms.placement import place_lesions
from phantomsim.phantoms.ranges import PositiveRange, Range, between
from phantomsim.phantoms.scene import Part, compose
from phantomsim.phantoms.small_animal import belly, chest, head, outline, skeleton
from phantomsim.phantoms.small_animal.frame import HALF, SIDES, fill, laid_down, oval, swollen
from phantomsim.phantoms.small_animal.species import SPECIES, SpeciesName
from phantomsim.phantoms.spec import PhantomSpec
from phantomsim.physics.grid import Grid
from phantomsim.physics.rng import Key
from phantomsim.tissues import get

HOSTS: Final = ("liver", "lung")
NAMES: Final = ("bed", "gas", "lesion", "testis", "womb", "xenograft")
"""Parts that not every animal has."""
ATLAS: Final = {"liver": 1.60, "kidney": 0.425, "heart": 0.114, "spleen": 0.070, "brain": 0.535}
"""Masses of the organs as the atlas draws them [g]."""
LUNG_VOLUME: Final = 0.64e-6
"""Volume of the lungs as the atlas draws them [m³]."""
LUNG_BLOOD: Final = 1.35
"""Mass of lungs with the blood in them over that of drained ones, a typical estimate, grade C."""
ATLAS_MASS: Final = 26.0
"""Mass of the atlas with average fat [g]."""
LIMITS: Final = {
    "fat_mm": (0.2, 2.5),
    "tumor_mm": (0.0, 15.0),
    "bend_deg": (-25.0, 25.0),
    "roll_deg": (-15.0, 15.0),
    "level": (-1.4, 0.5),
}
"""What each range may span and the animal still hold together."""
LARGEST: Final = 0.05
"""Diameter of the largest lesion that finds a place, over the animal's length."""
ORGANS: Final = (-0.14, 0.08)
"""Levels between which lesions find a place."""
SMALLEST: Final = 1.0
"""Diameter below which no tumour is drawn [mm]."""
VOXEL: Final = 2e-3
"""Size of the voxels in which an animal is weighed [m]; voxels of 0.6 mm change the mass by 3e-5."""


class RandomSmallAnimal(PhantomSpec):
    """A random mouse or rat, whole and prone: bones, brain, heart, lungs, bowel, tail, and a tumour on the flank.

    Each pair is a range that one number is drawn from. The organs get their masses from those of the species by
    allometry, then the animal is weighed and scaled as a whole to its mass; `level` says which height of it lies at
    z = 0: about 0.35 the brain, 0.05 the heart, -0.08 the liver, -0.18 the kidneys, -0.36 the bladder. A mouse breathes
    quietly and a rat deeply, for the chest of both has one form. Fur holds so much air that it is left out.
    """

    kind: Literal["small-animal"]
    species: SpeciesName = "mouse"
    mass_g: PositiveRange | None = Field(
        default=None, description="without a tumour; None: what the species usually has"
    )
    fat_mm: Range = Field(default=(0.4, 1.2), description="fat under the skin of a 25 g mouse; grows with the length")
    tumor_mm: Range = Field(default=(0.0, 0.0), description="xenograft under the skin of a flank; below 1: none")
    bend_deg: Range = Field(default=(-12.0, 12.0), description="angle between head and rump, positive to the left")
    roll_deg: Range = Field(default=(-5.0, 5.0), description="roll about the long axis")
    level: Range = Field(
        default=(0.0, 0.0), description="what lies at z = 0, in body lengths from the middle to the nose"
    )
    bed: bool = Field(default=True, description="whether the animal lies in a trough of acrylic glass")
    lesions: Lesions = Field(default=Lesions(diameter_mm=(1.0, 3.0)), description="in liver and lungs")

    @model_validator(mode="after")
    def _check(self) -> RandomSmallAnimal:
        limits = LIMITS | ({"mass_g": SPECIES[self.species].limits} if self.mass_g is not None else {})
        for name, (least, most) in limits.items():
            low, high = getattr(self, name)
            if not least <= low <= high <= most:
                raise ValueError(
                    f"{name} of a {self.species} must be [smallest, largest] within {least:g} to {most:g}, "
                    f"got [{low:g}, {high:g}]"
                )
        if self.lesions.count:
            self._check_lesions()
        return self

    def _check_lesions(self) -> None:
        kind = SPECIES[self.species]
        length = 2 * HALF * ((self.mass_g or kind.usual)[0] / ATLAS_MASS) ** (1 / 3)
        if self.lesions.diameter_mm[1] > LARGEST * length:
            raise ValueError(
                f"lesions of a {self.species} of {length:.0f} mm must be [smallest, largest] up to "
                f"{LARGEST * length:.1f} mm, and lesions.diameter_mm is {list(self.lesions.diameter_mm)}"
            )
        reach = self.lesions.depth_mm / 2 / length
        if not (self.level[0] + reach >= ORGANS[0] and self.level[1] - reach <= ORGANS[1]):
            raise ValueError(
                f"lesions lie in liver and lungs, at a level of {ORGANS[0]} to {ORGANS[1]}, and level is "
                f"{list(self.level)}: move it there, or let lesions.depth_mm reach there"
            )

    def generate(self, key: Key) -> Phantom:
        """Make one animal: measures, bowel, pose and lesions are drawn from streams of their own."""
        drawn = self._draw(key.fold("measures"))
        covers, organs = outside(drawn), inside(drawn, key)
        scale = (drawn["mass_g"] / weight([*covers, *organs])) ** (1 / 3)
        tumour = _tumour(drawn, scale)
        atlas = [*tumour[:1], *covers, *tumour[1:], *organs]
        bend, roll = (drawn[name] * pi / 180 for name in ("bend_deg", "roll_deg"))
        parts = laid_down(atlas, scale, bend, 2e-3 * HALF * drawn["level"], roll)
        placed, rows = place_lesions(self.lesions, hosting(parts), HOSTS, key)
        everything = [*(outline.bed(parts, scale) if self.bed else []), *parts, *placed]
        lengths = {name: scale * drawn[name] for name in drawn if name.endswith("_mm") and name != "tumor_mm"}
        row = {"part": "animal", "species": self.species, "length_mm": 2 * HALF * scale, **drawn, **lengths}
        tumours = tuple(_row(part) for part in parts if part.tissue.name == "tumor")
        return compose(get("air"), everything, names=NAMES, truths={"anatomy": (row,), "lesions": (*tumours, *rows)})

    def _draw(self, key: Key) -> dict[str, Any]:
        """Return every drawn measure by its name in the truth table."""
        kind = SPECIES[self.species]
        drawn: dict[str, Any] = {"mass_g": between(key.fold("mass_g"), self.mass_g or kind.usual)}
        drawn |= {name: between(key.fold(name), getattr(self, name)) for name in LIMITS}
        ranges = {
            "rib_drop": (0.85, 1.15),
            "stomach_filling": (0.0, 1.0),
            "stomach_gas_mm": (-0.4, 1.5),
            "bowel_gas": (0.0, 0.5),
            "bladder_mm": (1.2, 3.0),
            "tumor_z_mm": (-22.0, -4.0),
        }
        drawn |= {name: between(key.fold(name), limits) for name, limits in ranges.items()}
        for name in kind.organs:
            size = between(key.fold("size", name), (0.92, 1.08))
            drawn[f"{name}_g"] = size * kind.organ(name, drawn["mass_g"])
        lungs = LUNG_VOLUME * drawn["mass_g"] / ATLAS_MASS
        drawn["lung_density"] = round(1e-3 * LUNG_BLOOD * drawn["lung_g"] / lungs, 1)
        drawn["male"] = between(key.fold("male"), (0.0, 1.0)) < 0.5
        drawn["tumor_side"] = "left" if between(key.fold("tumor_side"), (0.0, 1.0)) < 0.5 else "right"
        drawn["tail_mm"] = 2 * HALF * kind.tail * between(key.fold("tail"), (0.92, 1.05))
        return drawn


def _stretch(drawn: dict[str, Any], organ: str) -> float:
    """Return the stretch that gives an organ its mass when the whole animal is scaled to its own."""
    return float((drawn[f"{organ}_g"] / ATLAS[organ] * ATLAS_MASS / drawn["mass_g"]) ** (1 / 3))


def _skull(drawn: dict[str, Any], parts: list[Part]) -> list[Part]:
    """Return parts of the head in their place and size: the face grows with the animal more than the brain does."""
    return swollen(parts, _stretch(drawn, "brain") ** 0.55, outline.JOINT, outline.NECK)


def outside(drawn: dict[str, Any]) -> list[Part]:
    """Return skin, fat and muscle in the atlas [m], from the lowest to the topmost."""
    fat = drawn["fat_mm"]
    body, face = outline.skins(fat, drawn["tail_mm"])
    return [
        *fill(body, "skin", "skin"),
        *_skull(drawn, fill(face, "skin", "skin")),
        *fill([*outline.trunk(fat), *outline.limbs(0.3 * fat)], "adipose", "fat"),
        *_skull(drawn, fill(outline.head(0.35 * fat), "adipose", "fat")),
        *fill([*outline.trunk(0.0), *outline.limbs(0.0)], "muscle", "muscle"),
        *_skull(drawn, fill(outline.head(0.0), "muscle", "muscle")),
    ]


def inside(drawn: dict[str, Any], key: Key) -> list[Part]:
    """Return organs and bones in the atlas [m], from the lowest to the topmost."""
    heart, liver, spleen, kidney = (_stretch(drawn, organ) for organ in ("heart", "liver", "spleen", "kidney"))
    brain = _stretch(drawn, "brain") ** 0.45  # what the head's own growth leaves
    return [
        *fill([oval((13.5, 3.8, 0.0), (3.2, 1.0, 3.4))], "adipose", "brown fat"),
        *chest.lungs(drawn["lung_density"]),
        *chest.lung_vessels(),
        *belly.cavity(),
        *chest.diaphragm(),
        *swollen(chest.heart(), heart, chest.HEART),
        *belly.bowel(key.fold("bowel"), drawn["bowel_gas"]),
        *swollen(belly.liver(), liver, belly.LIVER),
        *belly.stomach(drawn["stomach_filling"], drawn["stomach_gas_mm"]),
        *belly.pelvis(drawn["bladder_mm"], drawn["male"]),
        *swollen(belly.spleen(), spleen, belly.SPLEEN),
        *(p for s, c in zip(SIDES, belly.KIDNEYS, strict=True) for p in swollen(belly.kidney(s), kidney, c)),
        *chest.great_vessels(),
        *chest.airway(),
        *skeleton.sternum(),
        *skeleton.ribs(drawn["rib_drop"]),
        *skeleton.column(),
        *skeleton.tail_bones(drawn["tail_mm"]),
        *skeleton.limb_bones(),
        *_skull(drawn, [*head.face(), *swollen(head.brain(), brain, head.BRAIN)]),
    ]


def weight(parts: list[Part]) -> float:
    """Return the mass of an animal in the atlas [g], from the fractions of its tissues in coarse voxels."""
    shapes = [part.shape for part in parts if part.name == "skin"]
    centre = np.array([shape.centre for shape in shapes])
    half = np.array([shape.half_extent for shape in shapes])
    low, high = (centre - half).min(axis=0), (centre + half).max(axis=0)
    n_z, n_y, n_x = (int(n) for n in np.ceil((high - low) / VOXEL))
    z, y, x = ((low + high) / 2).tolist()
    fractions = compose(get("air"), parts).fractions(Grid((n_z, n_y, n_x), (VOXEL,) * 3, (z, y, x)))
    volumes = fractions.values.sum(axis=(1, 2, 3), dtype=np.float64) * VOXEL**3
    masses = [volume * tissue.density for volume, tissue in zip(volumes, fractions.tissues, strict=True)]
    return 1e3 * float(sum(masses[1:]))


def hosting(parts: list[Part]) -> list[Part]:
    """Return the first part that can hold a lesion, and all that lie over it."""
    first = next(i for i, part in enumerate(parts) if part.name in HOSTS)
    return parts[first:]


def _tumour(drawn: dict[str, Any], scale: float) -> list[Part]:
    """Return the skin over a tumour, the tumour, and its dead core if it is large; nothing if none was drawn."""
    if drawn["tumor_mm"] < SMALLEST:
        return []
    diameter = drawn["tumor_mm"] / scale
    centre, semi_axes = outline.tumour(diameter, 1 if drawn["tumor_side"] == "left" else -1, drawn["tumor_z_mm"])
    parts = [Part(oval(centre, semi_axes, grow=outline.SKIN + 0.1), get("skin"), "skin")]
    parts.append(Part(oval(centre, semi_axes), get("tumor"), "xenograft"))
    if drawn["tumor_mm"] > 6:
        parts.append(Part(oval(centre, semi_axes, grow=-0.26 * diameter), get("necrosis"), "xenograft"))
    return parts


def _row(part: Part) -> dict[str, Any]:
    """Return the row of a tumour in the table of lesions."""
    size = float(np.prod(part.shape.semi_axes)) ** (1 / 3)
    return {
        "part": "xenograft",
        "host": "flank",
        "centre_mm": [1e3 * c for c in part.shape.centre],
        "diameter_mm": 2e3 * size,
        "tissue": part.tissue.name,
    }
