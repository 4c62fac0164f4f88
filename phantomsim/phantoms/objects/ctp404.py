"""Sensitometry module after Catphan CTP404."""

from __future__ import annotations

from math import cos, pi, sin
from typing import Final, Literal

from pydantic import Field, field_validator

from phantomsim.phantoms.objects.inserts import Insert, Length, Point, Pose, assemble, ball, drum, matter, polar, rod
from phantomsim.phantoms.phantom import Phantom
from phantomsim.phantoms.scene import Part
from phantomsim.phantoms.spec import PhantomSpec
from phantomsim.physics.rng import Key
from phantomsim.physics.shapes import along, cylinder
from phantomsim.tissues import get

DIAMETER: Final = 150.0
RADIUS: Final = 58.4
INSERT: Final = 12.2
SAMPLES: Final = {
    "air": ("air", 1.205, 90.0),
    "pmp": ("pmp", 830.0, -120.0),
    "ldpe": ("ldpe", 920.0, 180.0),
    "polystyrene": ("polystyrene", 1030.0, 120.0),
    "acrylic": ("pmma", 1180.0, 60.0),
    "delrin": ("delrin", 1420.0, 0.0),
    "teflon": ("ptfe", 2160.0, -60.0),
}
"""Material, density [kg/m³] and angle [deg] of each sample."""

RAMP_DEG: Final = 23.0
RAMP_OFFSET: Final = 38.0
WIRE: Final = 0.28


class CTP404(PhantomSpec):
    """Catphan CTP404-like sensitometry module: seven plastics and air, wire ramps, pins, acrylic spheres.

    Materials and densities, four ramps of 23° from base to top, and pins of 3 mm that are 50 mm apart are grade A
    (manual, maker's help pages); the samples' circle, diameter and order and the ramps' distance of 38 mm are grade B
    (pylinac samples within 5 mm around 58.7 mm); the wires' thickness and steel, sizes and circle of the spheres, the
    module's length and the matter of its body are grade C.

    References
    ----------
    The Phantom Laboratory, "Catphan 503 manual" (2017), p. 7 and 15, and "Spatial linearity", help.imageowl.com.
    J. R. Kerns, "Pylinac", J. Open Source Software 8 (2023), doi:10.21105/joss.06001.
    """

    kind: Literal["ctp404"]
    body: str = Field(default="solid_water", description="tissue of the module")
    length_mm: Length = 25.0
    top: Literal["air", "water"] = Field(default="air", description="what the hole at the top holds")
    ramps: bool = Field(default=True, description="whether the four wires are there")
    pose: Pose = Pose()

    @field_validator("body")
    @classmethod
    def _known(cls, name: str) -> str:
        return get(name).name

    def generate(self, key: Key) -> Phantom:
        """Return the object; nothing about it is random."""
        module = Part(drum(DIAMETER, self.length_mm), get(self.body), "body")
        inserts = [*(self._wires() if self.ramps else []), *self._pins(), *self._spheres()]
        inserts.append(rod(f"top {self.top}", get(self.top), polar(RADIUS, -90), INSERT, self.length_mm))
        for part, (tissue, density, angle) in SAMPLES.items():
            inserts.append(rod(part, matter(tissue, density), polar(RADIUS, angle), INSERT, self.length_mm))
        return self.pose.place(assemble([module], inserts, diameter_mm=DIAMETER, length_mm=self.length_mm))

    def _wires(self) -> list[Insert]:
        """Return two crossed pairs of wires, each from the bottom to the top of the module."""
        slope = RAMP_DEG * pi / 180
        length = (self.length_mm - 2 * WIRE) / sin(slope)
        wires = []
        for angle in (0.0, 90.0, 180.0, 270.0):  # wires that face each other rise in opposite directions
            centre = polar(RAMP_OFFSET, angle)
            _, y, x = polar(cos(slope), angle + 90)
            shape = cylinder(
                (0.0, 1e-3 * centre[1], 1e-3 * centre[2]),
                (5e-4 * length, 5e-4 * WIRE, 5e-4 * WIRE),
                along((sin(slope), y, x)),
            )
            row = {"part": "ramp", "tissue": "steel316l", "centre_mm": list(centre), "diameter_mm": WIRE}
            wires.append(Insert((Part(shape, get("steel316l"), "ramp"),), row | {"length_mm": length}))
        return wires

    def _pins(self) -> list[Insert]:
        places: list[tuple[str, Point]] = [
            ("ptfe", (0.0, -25.0, -25.0)),
            *[("air", (0.0, y, x)) for y, x in ((-25.0, 25.0), (25.0, -25.0), (25.0, 25.0))],
        ]
        return [rod("pin", get(tissue), centre, 3.0, self.length_mm) for tissue, centre in places]

    def _spheres(self) -> list[Insert]:
        acrylic = matter("pmma", 1180.0)
        sizes = (2.0, 4.0, 6.0, 8.0, 10.0)
        return [ball("sphere", acrylic, polar(15.0, 72.0 * i - 90), size) for i, size in enumerate(sizes)]
