"""SPECT phantom after Jaszczak: cold rods in sectors, cold spheres, a uniform part."""

from __future__ import annotations

from typing import Final, Literal

from phantomsim.phantoms.objects.inserts import Pose, assemble, ball, drum, polar, rod
from phantomsim.phantoms.objects.sectors import sectors
from phantomsim.phantoms.phantom import Phantom
from phantomsim.phantoms.scene import Part
from phantomsim.phantoms.spec import PhantomSpec
from phantomsim.physics.rng import Key
from phantomsim.tissues import get

INSIDE: Final = (216.0, 186.0)
WALL: Final = 3.2
RODS: Final = (4.8, 6.4, 7.9, 9.5, 11.1, 12.7)
ROD_HEIGHT: Final = 88.0
SPHERES: Final = (9.5, 12.7, 15.9, 19.1, 25.4, 31.8)
SPHERE_HEIGHT: Final = 127.0
SPHERE_RADIUS: Final = 58.0


class Jaszczak(PhantomSpec):
    """Jaszczak phantom: acrylic rods of 4.8 to 12.7 mm in six sectors and spheres of 9.5 to 31.8 mm in water.

    The middle of the rods lies at z = 0, that of the spheres at z = 83 mm; ``pose.shift_mm = [-83, 0, 0]`` brings
    them to z = 0. Sizes of cylinder, rods and spheres and the pitch of twice the diameter are grade B (secondary
    sources that agree); heights, the spheres' circle, the wall and how many rods a sector holds are grade C.

    References
    ----------
    R. J. Jaszczak, US patent 4,499,375 (1985). B. Auer, S. Pells, "Phantoms for nuclear medicine imaging",
    github.com/BenAuer2021/Phantoms-For-Nuclear-Medicine-Imaging-Simulation.
    """

    kind: Literal["jaszczak"]
    pose: Pose = Pose()

    def generate(self, key: Key) -> Phantom:
        """Return the object; nothing about it is random."""
        diameter, height = INSIDE
        floor = -ROD_HEIGHT / 2
        middle = (floor + height / 2, 0.0, 0.0)
        body = [
            Part(drum(diameter + 2 * WALL, height + 2 * WALL, middle), get("pmma"), "body"),
            Part(drum(diameter, height, middle), get("water"), "background"),
        ]
        inserts = [
            rod(f"rods {size:g} mm", get("pmma"), (0.0, y, x), size, ROD_HEIGHT, pitch_mm=pitch)
            for size, pitch, (y, x) in sectors(RODS, 2.0, diameter / 2 - 2.0)
        ]
        for i, size in enumerate(SPHERES):
            place = polar(SPHERE_RADIUS, 60 * i - 90, floor + SPHERE_HEIGHT)
            inserts.append(ball(f"sphere {size:g} mm", get("pmma"), place, size))
        return self.pose.place(assemble(body, inserts, diameter_mm=diameter, length_mm=height))
