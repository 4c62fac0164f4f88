"""Random sections through an upper abdomen, made of some seventy ellipsoids, cylinders and capsules."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import Field, model_validator

from phantomsim.phantoms.abdomen import torso
from phantomsim.phantoms.moving import BulkMotion, drawn_motion
from phantomsim.phantoms.phantom import Phantom
from phantomsim.phantoms.placement import Lesions, PositiveRange, Range, between, integer_between, place_lesions
from phantomsim.phantoms.scene import compose
from phantomsim.phantoms.spec import PhantomSpec
from phantomsim.physics.rng import Key
from phantomsim.tissues import get

HOSTS: Final = ("liver", "spleen", "kidney")
NAMES: Final = (
    *("aorta", "bowel", "calcification", "canal", "fat", "gallbladder", "gas", "kidney", "kidney sinus", "lesion"),
    *("liver", "liver vessel", "muscle", "pancreas", "psoas", "rib", "skin", "spleen", "stomach", "vertebra", "vessel"),
)


class RandomEllipsoids(PhantomSpec):
    """A random abdomen-like section: skin, fat, muscle, spine, ribs, organs, vessels, bowel and lesions.

    Each pair is a range that one number is drawn from. Sizes and places vary from key to key, and organs are ellipsoids
    in three dimensions; the plane z = 0 cuts all of them.
    """

    kind: Literal["ellipsoids"]
    width_mm: PositiveRange = Field(default=(290.0, 370.0), description="left to right, over the skin")
    aspect: tuple[float, float] = Field(default=(0.68, 0.76), description="front to back over left to right")
    fat_mm: PositiveRange = Field(default=(8.0, 24.0), description="fat under the skin")
    length_mm: Annotated[float, Field(gt=0, le=10000)] = Field(default=400.0, description="along z")
    iodine_mg_ml: Range = Field(default=(0.0, 6.0), description="contrast agent in the aorta; other uptake follows it")
    bowel_loops: tuple[int, int] = (5, 9)
    lesions: Lesions = Field(default=Lesions(), description="in liver, spleen and kidneys")
    motion: BulkMotion | None = Field(default=None, description="shift, turn and stretch; none: at rest")

    @model_validator(mode="after")
    def _check(self) -> RandomEllipsoids:
        for name in ("width_mm", "aspect", "fat_mm", "iodine_mg_ml", "bowel_loops"):
            low, high = getattr(self, name)
            if not 0 <= low <= high:
                raise ValueError(f"{name} must be [smallest, largest], none negative, got [{low:g}, {high:g}]")
        if not (self.width_mm[0] >= 290 and self.width_mm[1] <= 500 and self.aspect[0] >= 0.6 and self.aspect[1] <= 1):
            raise ValueError("width_mm must lie in 290 to 500 and aspect in 0.6 to 1, or the organs do not fit")
        if self.fat_mm[1] > 40 + 0.3 * (self.width_mm[0] - 300):
            raise ValueError(f"fat_mm up to {self.fat_mm[1]:g} leaves no room in a width_mm of {self.width_mm[0]:g}")
        return self

    def generate(self, key: Key) -> Phantom:
        """Make one phantom: the key's streams for measures, spine, organs and lesions are apart from each other."""
        measures = key.fold("measures")
        width = 5e-4 * between(measures.fold("width"), self.width_mm)
        body = torso.Torso(
            width=width,
            depth=width * between(measures.fold("aspect"), self.aspect),
            fat=1e-3 * between(measures.fold("fat"), self.fat_mm),
            half_length=5e-4 * self.length_mm,
            iodine=between(measures.fold("iodine"), self.iodine_mg_ml),
        )
        parts = [
            *torso.wall(body),
            *torso.liver(body, key.fold("liver")),
            *torso.organs(body, key.fold("organs")),
            *torso.ribs(body, key.fold("ribs")),
            *torso.spine(body, key.fold("spine")),
            *torso.vessels(body, key.fold("vessels")),
        ]
        n_loops = integer_between(measures.fold("bowel"), self.bowel_loops)
        parts += torso.bowel(body, parts, n_loops, key.fold("bowel"))
        placed, rows = place_lesions(self.lesions, parts, HOSTS, key)
        motion, moves = drawn_motion(self.motion, key)
        truths = {"lesions": rows, **moves}
        return compose(get("air"), [*parts, *placed], names=NAMES, truths=truths, motion=motion)
