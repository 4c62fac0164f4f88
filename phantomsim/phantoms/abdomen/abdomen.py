"""Random abdomens: sections or volumes from the dome of the diaphragm to the pelvis, made of 1700 shapes."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, Final, Literal

from pydantic import Field, model_validator

from phantomsim.phantoms.abdomen import bones, bowel, organs, vessels, wall
from phantomsim.phantoms.abdomen.contrast import Contrast, Phase, draw_contrast
from phantomsim.phantoms.abdomen.frame import Abdomen
from phantomsim.phantoms.abdomen.kidneys import kidney
from phantomsim.phantoms.phantom import Phantom
from phantomsim.phantoms.placement import GAP, Lesions, PositiveRange, between, integer_between, place_lesions
from phantomsim.phantoms.scene import Part, compose, ended
from phantomsim.phantoms.spec import PhantomSpec
from phantomsim.phantoms.thorax.frame import SIDES, moved
from phantomsim.physics.rng import Key
from phantomsim.physics.shapes import Shape
from phantomsim.tissues import get

Probability = Annotated[float, Field(ge=0, le=1)]
HOSTS: Final = ("liver", "spleen", "pancreas", "kidney")
NAMES: Final = (
    *("adrenal", "aorta", "artery", "bile duct", "calcification", "canal", "colon", "colon content"),
    *("costal cartilage", "couch", "diaphragm", "disc", "duodenum", "duodenum content", "fat", "gallbladder", "gas"),
    *("heart", "kidney", "kidney medulla", "kidney pelvis", "kidney sinus", "lesion", "liver", "liver vessel", "lung"),
    *("mesenteric vessel", "muscle", "oesophagus", "pancreas", "pelvis", "portal vein", "psoas", "renal vein", "rib"),
    *("skin", "small bowel", "small bowel content", "spleen", "stomach", "stomach content", "ureter", "vena cava"),
    "vertebra",
)
VOLUMES: Final = {
    "liver_ml": (1411.0, 1710.0),
    "spleen_ml": (179.8, 238.4),
    "kidney_ml": (156.5, 193.1),
    "pancreas_ml": (64.4, 87.4),
}
"""Mean volumes of women's and men's organs by CT [ml]: E. M. Geraghty et al., Abdom. Imaging 29 (2004) 482-490."""
LIMITS: Final[dict[str, tuple[float, float, str]]] = {
    "level_mm": (-140, 110, "mm from the transpyloric plane: from the sacrum to the dome of the diaphragm"),
    "width_mm": (300, 480, "or the organs do not fit"),
    "aspect": (0.68, 0.9, "or the organs do not fit"),
    "fat_mm": (4, 60, "which adult abdomens have"),
    "muscle": (0.5, 1.5, "of an average person"),
    "organ_size": (0.6, 1.4, "of the mean volume of the sex"),
    "dose": (0, 3, "of 500 mg of iodine per kg"),
}
INNER: Final = 245.0
"""Least width within the fat under the skin that holds the organs [mm]."""


class RandomAbdomen(PhantomSpec):
    """A random adult abdomen: liver, spleen, kidneys, pancreas, stomach and bowel, vessels, bones, in a contrast phase.

    Each pair is a range that one number is drawn from. Sizes of organs scatter about the means of their sex; places
    are round figures of sectional anatomy that set a plausible scene, not a fit to one survey.
    """

    kind: Literal["abdomen"]
    level_mm: tuple[float, float] = Field(
        default=(-60.0, 70.0), description="what lies at z = 0: distance from the transpyloric plane (L1) to the head"
    )
    phase: Phase = Field(default="portal", description="of an intravenous injection of iodine")
    dose: tuple[float, float] = Field(default=(0.8, 1.2), description="of contrast agent, over 500 mg/kg of iodine")
    male: Probability = Field(default=0.5, description="probability of a man, whose organs are larger")
    width_mm: PositiveRange = Field(default=(318.0, 375.0), description="left to right over the skin, at the waist")
    aspect: PositiveRange = Field(default=(0.70, 0.78), description="front to back over left to right")
    fat_mm: PositiveRange = Field(default=(8.0, 26.0), description="fat under the skin at the flanks")
    muscle: PositiveRange = Field(default=(0.75, 1.2), description="thickness of muscles over an average one")
    organ_size: PositiveRange = Field(default=(0.82, 1.18), description="volume of each organ over the mean of its sex")
    bowel_loops: tuple[Annotated[int, Field(ge=0, le=200)], Annotated[int, Field(ge=0, le=200)]] = (60, 80)
    couch: bool = Field(default=True, description="a table top of carbon fibre and foam under the back")
    length_mm: Annotated[float, Field(ge=100, le=2000)] = Field(default=440.0, description="of the trunk along z")
    lesions: Lesions = Field(default=Lesions(), description="in liver, spleen, pancreas and kidneys")

    @model_validator(mode="after")
    def _check(self) -> RandomAbdomen:
        for name in (*LIMITS, "bowel_loops"):
            low, high = getattr(self, name)
            if not low <= high:
                raise ValueError(f"{name} must be [smallest, largest], got [{low:g}, {high:g}]")
        for name, (least, most, why) in LIMITS.items():
            low, high = getattr(self, name)
            if low < least or high > most:
                raise ValueError(f"{name} must lie in {least:g} to {most:g} {why}, got [{low:g}, {high:g}]")
        if self.width_mm[0] - 2 * self.fat_mm[1] < INNER:
            raise ValueError(
                f"fat_mm up to {self.fat_mm[1]:g} leaves less than {INNER:g} mm for the organs in a width_mm of "
                f"{self.width_mm[0]:g}"
            )
        return self

    def generate(self, key: Key) -> Phantom:
        """Make one phantom: the streams of measures, organs, bowel, vessels and lesions are apart from each other."""
        drawn = self._draw(key.fold("measures"))
        abdomen = Abdomen(
            width=5e-4 * drawn["width_mm"],
            depth=5e-4 * drawn["width_mm"] * drawn["aspect"],
            fat=1e-3 * drawn["fat_mm"],
            muscle=drawn["muscle"],
            height=drawn["height"],
            half_length=5e-4 * self.length_mm,
        )
        contrast = draw_contrast(self.phase, drawn["dose"], key.fold("contrast"))
        level = 1e-3 * drawn["level_mm"]
        parts = [Part(moved(p.shape, -level), p.tissue, p.name) for p in self._parts(abdomen, contrast, drawn, key)]
        near = [part for part in parts if self.lesions.count and self._reachable(part.shape)]
        placed, rows = place_lesions(self.lesions, near, HOSTS, key)
        iodine = {f"iodine {name} mg/ml": amount for name, amount in contrast.iodine.items()}
        return compose(
            get("air"),
            [*parts, *placed],
            names=NAMES,
            truths={
                "anatomy": ({"part": "abdomen", "phase": self.phase, **drawn, **iodine},),
                "lesions": rows,
            },
        )

    def _parts(self, abdomen: Abdomen, contrast: Contrast, drawn: dict[str, Any], key: Key) -> list[Part]:
        """Return the anatomy from the lowest to the topmost part, at its heights over the transpyloric plane."""
        liver = organs.liver(abdomen, drawn["liver_ml"], contrast, key.fold("liver"))
        kidneys = {
            side: kidney(abdomen, side, drawn["kidney_ml"], contrast, key.fold("kidney", side)) for side in SIDES
        }
        spleen = organs.spleen(abdomen, drawn["spleen_ml"], contrast, key.fold("spleen"))
        pancreas = organs.pancreas(abdomen, drawn["pancreas_ml"], contrast, key.fold("pancreas"))
        gallbladder = organs.gallbladder(abdomen, contrast, key.fold("gallbladder"))
        stomach, stomach_parts = bowel.stomach(
            abdomen, drawn["stomach"], drawn["stomach_gas"], contrast, key.fold("stomach")
        )
        duodenum, duodenum_parts = bowel.duodenum(abdomen, contrast, key.fold("duodenum"))
        colon, colon_parts = bowel.colon(abdomen, contrast, key.fold("colon"))
        back = wall.back(abdomen, contrast)
        great = [
            *vessels.cava(abdomen, 5e-4 * drawn["cava_mm"], contrast),
            *vessels.aorta(abdomen, 5e-4 * drawn["aorta_mm"], drawn["plaques"], contrast, key.fold("aorta")),
        ]
        branches = vessels.branches(abdomen, {side: k.hilum for side, k in kidneys.items()}, contrast)
        flesh, pelvis = bones.pelvis(abdomen)
        obstacles = [*liver.lobes, *stomach.shapes, *duodenum.shapes, *(s for gut in colon for s in gut.shapes)]
        solid = [*spleen, *pancreas, *gallbladder, *back, *great, *(k.parts[0] for k in kidneys.values()), *pelvis]
        obstacles += [part.shape for part in solid if part.name != "fat"]
        loops = bowel.small_bowel(abdomen, obstacles, drawn["bowel_loops"], contrast, key.fold("small bowel"))
        parts = [
            *wall.layers(abdomen, contrast),
            *flesh,
            *wall.chest(abdomen, liver.lobes[0], contrast),
            *back,
            *liver.parts,
            *stomach_parts,
            *spleen,
            *(part for k in kidneys.values() for part in _cushioned(k.parts)),
            *organs.adrenals(abdomen, contrast),
            *gallbladder,
            *vessels.mesentery(abdomen, contrast, key.fold("mesentery")),
            *pancreas,
            *duodenum_parts,
            *great,
            *branches,
            *loops,
            *colon_parts,
            *bones.ribs(abdomen, key.fold("ribs")),
            *bones.spine(abdomen, key.fold("spine")),
            *pelvis,
        ]
        couch = wall.couch(abdomen) if self.couch else []
        return [*couch, *ended(parts, -abdomen.half_length, abdomen.half_length)]

    def _reachable(self, shape: Shape) -> bool:
        """Return whether a lesion can touch a shape: the others need not be asked."""
        reach = 5e-4 * (self.lesions.depth_mm + self.lesions.diameter_mm[1]) + GAP
        return abs(shape.centre[0]) - shape.half_extent[0] < reach

    def _draw(self, key: Key) -> dict[str, Any]:
        """Return every drawn measure by its name in the truth table."""
        names = ("level_mm", "dose", "width_mm", "aspect", "fat_mm", "muscle")
        drawn: dict[str, Any] = {name: between(key.fold(name), getattr(self, name)) for name in names}
        man = between(key.fold("male"), (0.0, 1.0)) < self.male
        drawn["male"] = man
        drawn["height"] = between(key.fold("height"), (0.97, 1.06) if man else (0.91, 0.99))
        for name, means in VOLUMES.items():
            drawn[name] = means[man] * between(key.fold(name), self.organ_size)
        drawn["bowel_loops"] = integer_between(key.fold("bowel_loops"), self.bowel_loops)
        drawn["plaques"] = integer_between(key.fold("plaques"), (0, 8))
        ranges = {
            "aorta_mm": (16.0, 22.0),
            "cava_mm": (17.0, 23.0),
            "stomach": (0.78, 1.02),
            "stomach_gas": (0.12, 0.42),
        }
        return drawn | {name: between(key.fold(name), limits) for name, limits in ranges.items()}


def _cushioned(parts: list[Part]) -> list[Part]:
    """Return a kidney's parts with 4 mm of fat around it, which keeps other organs off."""
    whole = parts[0].shape
    z, y, x = (a + 0.004 for a in whole.semi_axes)
    return [Part(replace(whole, semi_axes=(z, y, x)), get("adipose"), "fat"), *parts]
