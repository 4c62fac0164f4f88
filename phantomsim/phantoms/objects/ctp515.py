"""Low-contrast module after Catphan CTP515."""

from __future__ import annotations

from typing import Final, Literal

from pydantic import Field, field_validator

from phantomsim.phantoms.objects.inserts import Insert, Length, Pose, assemble, drum, polar, rod
from phantomsim.phantoms.phantom import Phantom
from phantomsim.phantoms.scene import Part
from phantomsim.phantoms.spec import PhantomSpec
from phantomsim.physics.rng import Key
from phantomsim.tissues import get

DIAMETER: Final = 150.0
OUTER: Final = 50.0
INNER: Final = 25.0
SUPRA: Final = {
    15.0: -87.4,
    9.0: -69.1,
    8.0: -52.7,
    7.0: -38.5,
    6.0: -25.1,
    5.0: -12.9,
    4.0: -2.0,
    3.0: 7.7,
    2.0: 16.3,
}
"""Diameter [mm] to angle [deg] of the targets of highest contrast; the others stand 120° and 240° further on."""

SUB: Final = {9.0: -65.0, 7.0: -35.0, 5.0: -10.0, 3.0: 10.5}


class CTP515(PhantomSpec):
    """Catphan CTP515-like low-contrast module: rods of 2 to 15 mm at 1.0, 0.5 and 0.3 %, short ones at 1.0 %.

    A contrast c is the body's own matter of density (1 + c) times as high, so that it is the same at every energy.
    Diameters and contrasts of the long rods, lengths of 3, 5 and 7 mm of the short ones and circles of 50 and 25 mm
    are grade B (pylinac; DKFZ), and so are the angles of rods of 5 mm and more; other angles (spaces of some 5 mm, as
    between those), diameters of the short rods, which group is where, and the matter of the body are grade C.

    References
    ----------
    J. R. Kerns, "Pylinac", J. Open Source Software 8 (2023), doi:10.21105/joss.06001. S. Schaller, "Low contrast
    phantom", www.dkfz.de/en/roentgenbildgebung/ct/CT_Phantoms.
    """

    kind: Literal["ctp515"]
    body: str = Field(default="solid_water", description="tissue of the module")
    length_mm: Length = 40.0
    contrast_percent: tuple[Length, Length, Length] = Field(default=(1.0, 0.5, 0.3), description="of the long rods")
    pose: Pose = Pose()

    @field_validator("body")
    @classmethod
    def _known(cls, name: str) -> str:
        return get(name).name

    def generate(self, key: Key) -> Phantom:
        """Return the object; nothing about it is random."""
        inserts: list[Insert] = []
        for group, percent in enumerate(self.contrast_percent):
            for size, angle in SUPRA.items():
                place = polar(OUTER, angle + 120 * group)
                inserts.append(self._rod("supra-slice", percent, place, size, self.length_mm))
        for group, length in enumerate((7.0, 5.0, 3.0)):
            for size, angle in SUB.items():
                place = polar(INNER, angle + 120 * group)
                inserts.append(self._rod("sub-slice", self.contrast_percent[0], place, size, length))
        module = Part(drum(DIAMETER, self.length_mm), get(self.body), "body")
        return self.pose.place(assemble([module], inserts, diameter_mm=DIAMETER, length_mm=self.length_mm))

    def _rod(self, part: str, percent: float, place: tuple[float, float, float], size: float, length: float) -> Insert:
        body = get(self.body)
        tissue = body.diluted(body.density * (1 + percent / 100))
        return rod(part, tissue, place, size, min(length, self.length_mm), contrast_percent=percent)
