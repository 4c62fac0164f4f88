"""CT accreditation phantom of the American College of Radiology, after Gammex 464."""

from __future__ import annotations

from typing import Final, Literal

from phantomsim.phantoms.objects.inserts import Insert, Pose, assemble, ball, bars, drum, matter, polar, rod
from phantomsim.phantoms.phantom import Phantom
from phantomsim.phantoms.scene import Part
from phantomsim.phantoms.spec import PhantomSpec
from phantomsim.physics.rng import Key
from phantomsim.tissues import get

DIAMETER: Final = 200.0
MODULE: Final = 40.0
SAMPLES: Final = {
    "bone": ("vertebra", 1600.0, -45.0, 25.0),
    "polyethylene": ("ldpe", 920.0, -135.0, 25.0),
    "acrylic": ("pmma", 1190.0, 135.0, 25.0),
    "air": ("air", 1.205, 45.0, 25.0),
    "water": ("water", 1000.0, 180.0, 50.0),
}
"""Material, density [kg/m³], angle [deg] and diameter [mm] of the samples of module 1."""

SAMPLE_RADIUS: Final = 63.0
LOW_CONTRAST: Final = (1114.0, 1120.0)
"""Density of the body of module 2 and of its rods [kg/m³]: solid water of some 90 HU, and 6 HU more."""

ROD_RADIUS: Final = 60.0
PATTERNS: Final = {4: -135.0, 5: 180.0, 6: 135.0, 7: 90.0, 8: 45.0, 9: 0.0, 10: -45.0, 12: -90.0}
"""Line pairs per cm to angle [deg] of the patterns of module 4."""

PATTERN_RADIUS: Final = 70.0
PATTERN: Final = 15.0
PATTERN_DEPTH: Final = 38.0


class ACRCT(PhantomSpec):
    """ACR CT accreditation phantom: CT numbers, low contrast, uniformity and bar patterns in four modules of 40 mm.

    The middles of modules 1 to 4 lie at z = 0, 40, 80 and 120 mm; ``pose.shift_mm = [-40, 0, 0]`` brings module 2 to
    z = 0. Four modules of 40 by 200 mm of a water-like solid and what they test are grade A (ACR's instructions).
    Materials, diameters and CT numbers, numbers of rods, bars' frequencies and their squares of 15 by 38 mm are grade
    B (secondary sources), and so are places in modules 1, 2 (rod of 25 mm) and 4 (pylinac). Grade C: compositions of
    the bone and of the 90 HU body (made to lie in the published ranges), places of the small rods, the way that bars
    run, the beads' tungsten, which end is the head's. Ramps and alignment marks are left out.

    References
    ----------
    American College of Radiology, "Computed tomography (CT) accreditation program: phantom testing instructions"
    (2004). C. H. McCollough et al., Med. Phys. 31 (2004), doi:10.1118/1.1769632. J. R. Kerns, "Pylinac", J. Open
    Source Software 8 (2023), doi:10.21105/joss.06001.
    """

    kind: Literal["acr-ct"]
    pose: Pose = Pose()

    def generate(self, key: Key) -> Phantom:
        """Return the object; nothing about it is random."""
        body = [
            Part(drum(DIAMETER, 4 * MODULE, (1.5 * MODULE, 0.0, 0.0)), get("solid_water"), "body"),
            Part(drum(DIAMETER, MODULE, (MODULE, 0.0, 0.0)), matter("solid_water", LOW_CONTRAST[0]), "module 2"),
        ]
        inserts = [*_samples(), *_rods(), *_beads(), *_patterns()]
        return self.pose.place(assemble(body, inserts, diameter_mm=DIAMETER, length_mm=4 * MODULE))


def _samples() -> list[Insert]:
    """Return the samples of module 1."""
    return [
        rod(part, matter(tissue, density), polar(SAMPLE_RADIUS, angle), size, MODULE)
        for part, (tissue, density, angle, size) in SAMPLES.items()
    ]


def _rods() -> list[Insert]:
    """Return the rods of module 2: four of each diameter in a row, spaces as wide as rods, and the large one."""
    tissue = matter("solid_water", LOW_CONTRAST[1])
    rods = [rod("low contrast", tissue, polar(ROD_RADIUS, -90, MODULE), 25.0, MODULE)]
    for i, size in enumerate((6.0, 5.0, 4.0, 3.0, 2.0), 1):
        z, y, x = polar(ROD_RADIUS, 60.0 * i - 90, MODULE)
        for step in (-3, -1, 1, 3):
            _, dy, dx = polar(step * size, 60.0 * i)
            rods.append(rod("low contrast", tissue, (z, y + dy, x + dx), size, MODULE))
    return rods


def _beads() -> list[Insert]:
    """Return the beads of module 3, 100 mm apart."""
    return [ball("bead", get("tungsten"), (2 * MODULE, 0.0, x), 0.28) for x in (-50.0, 50.0)]


def _patterns() -> list[Insert]:
    """Return the bars of module 4: as many as a square of 15 mm holds."""
    return [
        bars(
            f"bars {pairs} lp/cm",
            get("aluminum"),
            polar(PATTERN_RADIUS, angle, 3 * MODULE),
            angle,
            pairs,
            int((PATTERN * pairs / 5 + 1) / 2),
            (PATTERN_DEPTH, PATTERN),
        )
        for pairs, angle in PATTERNS.items()
    ]
