"""ISMRM/NIST system phantom, for relaxation times and proton density in MR."""

from __future__ import annotations

from dataclasses import replace
from typing import Final, Literal

from phantomsim.phantoms.objects.inserts import Insert, Pose, assemble, ball, polar
from phantomsim.phantoms.phantom import Phantom
from phantomsim.phantoms.scene import Part
from phantomsim.phantoms.spec import PhantomSpec
from phantomsim.physics.rng import Key
from phantomsim.physics.shapes import ellipsoid
from phantomsim.tissues import Mr, Relaxation, Tissue, get

INSIDE: Final = 200.0
WALL: Final = 4.0
SPHERE: Final = 15.0
PLATES: Final = {"T1": -40.0, "T2": 0.0, "PD": 40.0}
RINGS: Final = ((10, 50.0), (4, 23.0))

T1_ARRAY: Final = (
    *((1989.0, 1465.0), (1454.0, 1076.0), (984.1, 717.9), (706.0, 510.1), (496.7, 359.6), (351.5, 255.5)),
    *((247.13, 180.8), (175.3, 127.3), (125.9, 90.3), (89.0, 64.3), (62.7, 45.7), (44.53, 31.86)),
    *((30.84, 22.38), (21.719, 15.83)),
)
T2_ARRAY: Final = (
    *((2480.0, 581.3), (2173.0, 403.5), (1907.0, 278.1), (1604.0, 190.94), (1332.0, 133.27), (1044.0, 96.89)),
    *((801.7, 64.07), (608.6, 46.42), (458.4, 31.97), (336.5, 22.56), (244.2, 15.813), (176.6, 11.237)),
    *((126.9, 7.911), (90.9, 5.592)),
)
"""T1 and T2 of each sphere at 3 T [ms]."""
PD_ARRAY: Final = (0.05, 0.10, 0.15, 0.20, 0.25, 0.30, 0.35, 0.40, 0.50, 0.60, 0.70, 0.80, 0.90, 1.00)


class NistSystem(PhantomSpec):
    """ISMRM/NIST system phantom: plates of 14 spheres with known T1, T2 and proton density, in water.

    Relaxation times at 3 T that name their array (T1 of the T1 array, T2 of the T2 array) and the spheres' inner
    diameter of 15 mm are grade B; the other times, proton densities, places on two rings, the 200 mm vessel and its
    wall are from memory, grade C. To X-rays and sound the spheres are water. Fiducials and wedges are left out.

    References
    ----------
    K. F. Stupic et al., "A standard system phantom for magnetic resonance imaging", Magn. Reson. Med. 86 (2021),
    doi:10.1002/mrm.28779.
    """

    kind: Literal["nist-system"]
    pose: Pose = Pose()

    def generate(self, key: Key) -> Phantom:
        """Return the object; nothing about it is random."""
        body = [
            Part(ellipsoid((0.0, 0.0, 0.0), (5e-4 * (INSIDE + 2 * WALL),) * 3), get("pmma"), "body"),
            Part(ellipsoid((0.0, 0.0, 0.0), (5e-4 * INSIDE,) * 3), get("water"), "background"),
        ]
        times = {"T1": T1_ARRAY, "T2": T2_ARRAY, "PD": ((2000.0, 1500.0),) * len(PD_ARRAY)}
        inserts: list[Insert] = []
        for array, z in PLATES.items():
            density = PD_ARRAY if array == "PD" else (1.0,) * len(T1_ARRAY)
            places = [polar(radius, 360 * i / n - 90, z) for n, radius in RINGS for i in range(n)]
            for i, (place, (t1, t2), protons) in enumerate(zip(places, times[array], density, strict=True), 1):
                part = f"{array} {i}"
                facts = {"t1_ms": t1, "t2_ms": t2, "proton_density": protons}
                inserts.append(ball(part, _solution(part, t1, t2, protons), place, SPHERE, **facts))
        return self.pose.place(assemble(body, inserts, diameter_mm=INSIDE))


def _solution(part: str, t1: float, t2: float, protons: float) -> Tissue:
    """Return water with relaxation times at 3 T [ms] and a proton density."""
    water = get("water")
    susceptibility = water.mr.susceptibility if water.mr else 0.0
    mr = Mr(
        proton_density=protons,
        susceptibility=susceptibility,
        relaxation=(Relaxation(3.0, 1e-3 * t1, 1e-3 * t2, 1e-3 * t2),),
        sources=("typ",),
        grade="C",
    )
    return replace(water, name=f"solution ({part})", title=f"Solution of sphere {part}", mr=mr)
