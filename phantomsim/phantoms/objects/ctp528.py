"""High-resolution module after Catphan CTP528."""

from __future__ import annotations

from math import pi
from typing import Final, Literal

from pydantic import Field, field_validator

from phantomsim.phantoms.objects.inserts import Length, Pose, assemble, bars, drum, polar
from phantomsim.phantoms.phantom import Phantom
from phantomsim.phantoms.scene import Part
from phantomsim.phantoms.spec import PhantomSpec
from phantomsim.physics.rng import Key
from phantomsim.tissues import get

DIAMETER: Final = 150.0
RADIUS: Final = 47.0
COUNTS: Final = (2, 3, 4, 4, 4, *(5,) * 16)
"""Bars of the groups of 1, 2, … 21 line pairs per cm."""

RUN: Final = 6.0


class CTP528(PhantomSpec):
    """Catphan CTP528-like gauge: 21 groups of aluminium bars, 1 to 21 line pairs per cm, on a circle.

    That the gauge ends at 21 line pairs per cm is grade A (manual); the circle, the gaps of 5 / n mm, the number of
    bars up to 8 per cm and the sense of rotation are grade B (pylinac); further numbers of bars, equal spaces between
    groups, the bars' aluminium, radial length and thickness and the matter of the body are grade C. Bars of a group
    are parallel. The beads for point spread functions are left out.

    References
    ----------
    The Phantom Laboratory, "Catphan 503 manual" (2017), p. 17 to 20. J. R. Kerns, "Pylinac", J. Open Source Software
    8 (2023), doi:10.21105/joss.06001.
    """

    kind: Literal["ctp528"]
    body: str = Field(default="solid_water", description="tissue of the module")
    length_mm: Length = 40.0
    thickness_mm: Length = Field(default=2.0, description="of the bars, along z around z = 0")
    pose: Pose = Pose()

    @field_validator("body")
    @classmethod
    def _known(cls, name: str) -> str:
        return get(name).name

    def generate(self, key: Key) -> Phantom:
        """Return the object; nothing about it is random."""
        widths = [(2 * count - 1) * 5.0 / pairs for pairs, count in enumerate(COUNTS, 1)]
        space = (2 * pi * RADIUS - sum(widths)) / len(widths)
        groups, reached = [], 0.0
        for pairs, (count, width) in enumerate(zip(COUNTS, widths, strict=True), 1):
            angle = 180 - (reached + width / 2) / RADIUS * 180 / pi
            reached += width + space
            size = (min(self.thickness_mm, self.length_mm), RUN)
            groups.append(bars(f"bars {pairs} lp/cm", get("aluminum"), polar(RADIUS, angle), angle, pairs, count, size))
        module = Part(drum(DIAMETER, self.length_mm), get(self.body), "body")
        return self.pose.place(assemble([module], groups, diameter_mm=DIAMETER, length_mm=self.length_mm))
