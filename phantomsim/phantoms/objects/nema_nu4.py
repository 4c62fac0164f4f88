"""Image quality phantom of NEMA NU 4, for small-animal PET."""

from __future__ import annotations

from typing import Final, Literal

from phantomsim.phantoms.objects.inserts import Insert, Pose, assemble, drum, filling, polar, rod
from phantomsim.phantoms.phantom import Phantom
from phantomsim.phantoms.scene import Part
from phantomsim.phantoms.spec import PhantomSpec
from phantomsim.physics.rng import Key
from phantomsim.tissues import get

INSIDE: Final = (30.0, 50.0)
OUTSIDE: Final = (33.5, 56.0)
RODS: Final = (5.0, 4.0, 3.0, 2.0, 1.0)
ROD_LENGTH: Final = 20.0
ROD_RADIUS: Final = 7.0
CHAMBER_INSIDE: Final = (8.0, 14.0)
CHAMBER_OUTSIDE: Final = (10.0, 15.0)
CHAMBER_RADIUS: Final = 7.5


class NemaNU4(PhantomSpec):
    """NEMA NU 4 image quality phantom for mice: hot rods of 1 to 5 mm, a uniform part, a water and an air chamber.

    The fillable space runs from z = −25 to 25 mm: five rods in solid acrylic (z = −25 to −5), water (−5 to 10), water
    with the two chambers (10 to 25). Each rod's water is a material of its own, for activity to be given to.
    Diameters of rods and chambers, 30 and 33.5 mm and the uniform part's 15 mm are grade B (secondary sources and a
    maker's sheet); circles of 7 and 7.5 mm, chambers' length and lids of 3 mm are grade C, as is the order of rods.

    References
    ----------
    National Electrical Manufacturers Association, "Performance measurements of small animal positron emission
    tomographs", NEMA NU 4-2008. Leeds Test Objects, NU4 PET IQ phantom, data sheet.
    """

    kind: Literal["nema-nu4"]
    pose: Pose = Pose()

    def generate(self, key: Key) -> Phantom:
        """Return the object; nothing about it is random."""
        diameter, length = INSIDE
        hollow = length - ROD_LENGTH
        body = [
            Part(drum(*OUTSIDE), get("pmma"), "body"),
            Part(drum(diameter, hollow, ((length - hollow) / 2, 0.0, 0.0)), get("water"), "background"),
        ]
        bottom = -length / 2
        inserts: list[Insert] = []
        for i, size in enumerate(RODS):
            part = f"rod {size:g} mm"
            place = polar(ROD_RADIUS, 72 * i - 90, bottom + ROD_LENGTH / 2)
            inserts.append(rod(part, filling(part), place, size, ROD_LENGTH))
        for part, tissue, angle in (
            ("water chamber", filling("water chamber"), 180.0),
            ("air chamber", get("air"), 0.0),
        ):
            wall, inside = CHAMBER_OUTSIDE, CHAMBER_INSIDE
            outer = rod(part, get("pmma"), polar(CHAMBER_RADIUS, angle, length / 2 - wall[1] / 2), *wall)
            inner = rod(part, tissue, polar(CHAMBER_RADIUS, angle, length / 2 - inside[1] / 2), *inside)
            inserts.append(Insert((*outer.parts, *inner.parts), inner.row))
        return self.pose.place(assemble(body, inserts, diameter_mm=diameter, length_mm=length))
