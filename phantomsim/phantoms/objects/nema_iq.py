"""Image quality phantom of NEMA NU 2: a body of walls and water with six hollow spheres and a lung insert."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, Literal

from pydantic import Field

from phantomsim.phantoms.objects.inserts import Length, Point, Pose, drum, filling, matter, polar
from phantomsim.phantoms.phantom import Phantom
from phantomsim.phantoms.scene import Scene
from phantomsim.phantoms.spec import PhantomSpec
from phantomsim.physics.rng import Key
from phantomsim.physics.shapes import Shape, box, ellipsoid
from phantomsim.tissues import get

UPPER: Final = 147.0
LOWER: Final = 77.0
FLAT: Final = 140.0
WALL: Final = 3.0
LID: Final = 10.0
AXIS: Final = 35.0
"""Height of the lung insert's axis, which is z, above the centre of the upper half circle."""

SPHERES: Final = (37.0, 28.0, 22.0, 17.0, 13.0, 10.0)
CIRCLE: Final = 114.4
SHELL: Final = 1.0
TO_LID: Final = 68.0
LUNG: Final = 51.0
LUNG_WALL: Final = 4.0
LUNG_DENSITY: Final = 300.0

# A body with round and straight outlines is no stack of convex layers. So every shape adds a bit to a sum, of the lower
# half's three overlapping shapes each a count of up to three, and `_material` says what a sum is.
FRONT, OUTER, INNER, LOW_OUTER, LOW_INNER, TUBE, FOAM, GLASS, LIQUID = 1, 2, 4, 8, 32, 128, 256, 512, 1024
PMMA, WATER, LUNG_MATTER, FIRST_SPHERE = 1, 2, 3, 4

Item = tuple[Shape, str, int]


class NemaIQ(PhantomSpec):
    """NEMA NU 2 image quality phantom: torso-like body, spheres of 10 to 37 mm on a circle of 114.4 mm, lung insert.

    The sphere centres lie in the plane z = 0, and z is the axis of their circle and of the lung insert. Each sphere's
    water is a material of its own, for activity to be given to. Outline (half circle of 147 mm, quarter circles of
    77 mm, 140 mm flat, inside), spheres, circle, 68 mm to the lid and 0.30 g/cm³ in the lung are grade B (secondary
    sources, OpenGATE's model); walls of 3 and lids of 10 mm, the axis 35 mm above the half circle's centre, spheres'
    shells of 1 mm and the insert's wall are grade B from OpenGATE alone; the sense of rotation is grade C. The
    spheres' stems are left out.

    References
    ----------
    National Electrical Manufacturers Association, "Performance measurements of positron emission tomographs", NEMA
    NU 2-2018. D. Sarrut et al., "OpenGATE", github.com/OpenGATE/opengate, contrib/phantoms/nemaiec.py.
    """

    kind: Literal["nema-iq"]
    length_mm: Length = Field(default=180.0, ge=110, description="inside, lid to lid")
    pose: Pose = Pose()

    def generate(self, key: Key) -> Phantom:
        """Return the object; nothing about it is random."""
        spheres = {size: filling(f"sphere {size:g} mm") for size in SPHERES}
        tissues = (
            *(get("air"), get("pmma"), get("water"), matter("lung_inflated", LUNG_DENSITY)),
            *spheres.values(),
        )
        rows: list[dict[str, Any]] = [
            {"part": "lung", "tissue": tissues[LUNG_MATTER].name, "centre_mm": [self._middle, 0.0, 0.0]}
            | {"diameter_mm": LUNG - 2 * LUNG_WALL, "length_mm": self.length_mm}
        ]
        items = list(self._body())
        for i, (size, tissue) in enumerate(spheres.items()):
            centre = polar(CIRCLE / 2, 180 + 60 * i)
            part = f"sphere {size:g} mm"
            items.append((_ball(centre, size + 2 * SHELL), part, GLASS))
            items.append((_ball(centre, size), part, LIQUID * (i + 1)))
            rows.append({"part": part, "tissue": tissue.name, "centre_mm": list(centre), "diameter_mm": size})
        shapes, names, codes = zip(*items, strict=True)
        sums = {total: _material(total) for total in range(LIQUID * (len(SPHERES) + 1))}
        numbers = {"part": "body", "length_mm": self.length_mm, "circle_diameter_mm": CIRCLE}
        truths = {"anatomy": (numbers,), "inserts": tuple(rows)}
        scene = Scene(shapes, names, codes, sums)
        parts = frozenset(row["part"] for row in rows)
        return self.pose.place(Phantom(tissues, scene, parts, truths))

    @property
    def _middle(self) -> float:
        return TO_LID - self.length_mm / 2

    def _body(self) -> Iterator[Item]:
        """Yield the shapes of walls, water and lung insert, with the number that each adds."""
        z, size = self._middle, 2 * (UPPER + WALL)
        yield _box((z, AXIS - size / 2, 0.0), (self.length_mm + 4 * LID, size, 2 * size)), "body", FRONT
        for wall, lid, upper, lower in ((WALL, LID, OUTER, LOW_OUTER), (0.0, 0.0, INNER, LOW_INNER)):
            length, radius = self.length_mm + 2 * lid, LOWER + wall
            yield drum(2 * (UPPER + wall), length, (z, AXIS, 0.0)), "body", upper
            yield _box((z, AXIS + radius / 2, 0.0), (length, radius, FLAT)), "body", lower
            for side in (-FLAT / 2, FLAT / 2):
                yield drum(2 * radius, length, (z, AXIS, side)), "body", lower
        yield drum(LUNG, self.length_mm, (z, 0.0, 0.0)), "lung", TUBE
        yield drum(LUNG - 2 * LUNG_WALL, self.length_mm, (z, 0.0, 0.0)), "lung", FOAM


def _material(total: int) -> int:
    """Return the material of a sum of codes: the innermost that the point lies in."""
    if total >= LIQUID:
        return FIRST_SPHERE + total // LIQUID - 1
    if total & (GLASS | TUBE):
        return LUNG_MATTER if total & FOAM else PMMA
    front = total & FRONT
    if total & INNER if front else total & (3 * LOW_INNER):
        return WATER
    return PMMA if (total & OUTER if front else total & (3 * LOW_OUTER)) else 0


def _ball(centre_mm: Point, diameter_mm: float) -> Shape:
    z, y, x = centre_mm
    return ellipsoid((1e-3 * z, 1e-3 * y, 1e-3 * x), (5e-4 * diameter_mm,) * 3)


def _box(centre_mm: Point, size_mm: Point) -> Shape:
    (z, y, x), (a, b, c) = centre_mm, size_mm
    return box((1e-3 * z, 1e-3 * y, 1e-3 * x), (5e-4 * a, 5e-4 * b, 5e-4 * c))
