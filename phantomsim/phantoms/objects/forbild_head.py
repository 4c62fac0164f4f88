"""The FORBILD head: a skull of ellipsoids with eyes, sinus, bones, low contrasts and ears that test resolution."""

from __future__ import annotations

from collections.abc import Iterator
from math import cos, pi, sin, sqrt
from typing import Final, Literal

from pydantic import Field, model_validator

from phantomsim.phantoms.objects import forbild as fb
from phantomsim.phantoms.objects.inserts import Insert, Point, Pose, assemble, matter
from phantomsim.phantoms.phantom import Phantom
from phantomsim.phantoms.scene import Part
from phantomsim.phantoms.spec import PhantomSpec
from phantomsim.physics.rng import Key
from phantomsim.physics.shapes import Shape
from phantomsim.tissues import Tissue, get

BONE: Final = 1.8
BRAIN: Final = 1.05
S15, C15, S30, C30 = sin(pi / 12), cos(pi / 12), 0.5, sqrt(0.75)
STEP: Final = 0.2 * sqrt(3)
"""Distance of neighbouring rows and planes of the right ear's cavities [cm]."""
COUNTS: Final = ((9, 8, 8, 6), (8, 8, 7, 6), (8, 7, 7, 5), (6, 6, 5, 4))
"""Cavities of a row, by the distance of its plane and its own from the ear's axis, in steps."""
DIAMETERS: Final = (0.0357, 0.0312, 0.0278, 0.0250)
LENGTHS: Final = (0.4, 0.2, 0.1, 0.05)
"""Of the left ear's needles across z and along z [cm]; their gaps are as large."""

TABLE: Final[tuple[tuple[str, float, Point, Shape], ...]] = (
    ("ventricle", 1.045, (0, -3.6, 0), fb.solid_ellipsoid((0, -3.6, 0), (1.8, 3.6, 3.6))),
    ("frontal sinus", 0.0, (0, 7.0, 0), fb.solid_ellipsoid((0, 8.4, 0), (1.8, 3.0, 3.0))),
    ("eye", 1.06, (-4.7, 4.3, 0.872), fb.ball((-4.7, 4.3, 0.872), 2.0)),
    ("eye", 1.06, (4.7, 4.3, 0.872), fb.ball((4.7, 4.3, 0.872), 2.0)),
    ("low contrast", 1.0525, (-1.08, -9, 0), fb.ball((-1.08, -9, 0), 0.4)),
    ("low contrast", 1.0475, (1.08, -9, 0), fb.ball((1.08, -9, 0), 0.4)),
    (
        "bone 14",
        BONE,
        (0, 3.6, 0),
        fb.oval_tube((0, 3.6, 0), (1.2, 4.0), 0.5 * C15, fb.frame(z=(0, -C30, S30), x=(1, 0, 0))),
    ),
    (
        "bone 15",
        BONE,
        (0, 9.6, 0),
        fb.oval_tube((0, 9.6, 0), (0.525561, 2.0), 0.4, fb.frame(z=(1, 0, 0), x=(0, C30, S30))),
    ),
    (
        "bone 8",
        BONE,
        (-1.9, 5.4, 0),
        fb.solid_ellipsoid(
            (-1.9, 5.4, 0),
            (1.206483 * C15, 0.420276 * C15, 3.0),
            fb.frame(z=(S15, 0, C15), x=(-0.5 * C15, C30, 0.5 * S15)),
        ),
    ),
    (
        "bone 9",
        BONE,
        (1.9, 5.4, 0),
        fb.solid_ellipsoid(
            (1.9, 5.4, 0), (1.2 * C15, 0.42 * C15, 3.0), fb.frame(z=(-S15, 0, C15), x=(0.5 * C15, C30, 0.5 * S15))
        ),
    ),
    (
        "bone 10",
        BONE,
        (-4.3, 6.8, -1),
        fb.oval_tube((-4.3, 6.8, -1), (1.8, 0.24), 4.0, fb.frame(z=(0, 0, 1), x=(-C30, S30, 0))),
    ),
    (
        "bone 11",
        BONE,
        (4.3, 6.8, -1),
        fb.oval_tube((4.3, 6.8, -1), (1.8, 0.24), 4.0, fb.frame(z=(0, 0, 1), x=(C30, S30, 0))),
    ),
    (
        "haematoma",
        1.055,
        (6.393945, -6.393945, 0),
        fb.solid_ellipsoid(
            (6.393945, -6.393945, 0),
            (1.2, 0.42, 1.2),
            fb.frame(z=(0, 0, 1), x=(cos(58.1 * pi / 180), sin(58.1 * pi / 180), 0)),
        ),
    ),
    ("occipital bone", BONE, (0, -11.15, -0.2), fb.spike((0, -11.15, -0.2), (0.5, 0.2), 1.5)),
    ("occipital bone", BONE, (0, -11.15, 0.2), fb.spike((0, -11.15, 0.2), (0.5, 0.2), 1.5)),
)
"""Part, density [g/cm³], a point inside that nothing covers, shape: what lies in the brain, in the file's order."""


class ForbildHead(PhantomSpec):
    """FORBILD head: skull, eyes, sinus, bones and low contrasts, a right ear of air cells and a left ear of needles.

    Density times water, as FORBILD defines it: bone is water of 1.8 g/cm³ unless `bone` names a tissue, and 0 is air.
    Grade B: the tables are those of RTK's copy of FORBILD's files, and their section at z = 0 agrees with the published
    two-dimensional version. Names of parts are plain words or the file's numbers.

    References
    ----------
    FORBILD phantoms, Institute of Medical Physics, University of Erlangen: file HeadPhantom at
    github.com/RTKConsortium/Forbild. Z. Yu, F. Noo, F. Dennerlein, A. Wunderlich, G. Lauritsch, J. Hornegger,
    "Simulation tools for two-dimensional experiments in x-ray computed tomography using the FORBILD head phantom",
    Phys. Med. Biol. 57 (2012), doi:10.1088/0031-9155/57/13/N237; numbers as in github.com/ashkarin/forbild-gen.
    """

    kind: Literal["forbild-head"]
    right_ear: bool = Field(default=True, description="bone with air cavities of 3 mm, on the patient's right")
    left_ear: bool = Field(default=True, description="bone needles of 0.25 to 0.36 mm, on the patient's left")
    bone: str = Field(default="water", description="tissue of bone, at 1.8 g/cm³")
    pose: Pose = Pose()

    @model_validator(mode="after")
    def _check(self) -> ForbildHead:
        get(self.bone)
        return self

    def generate(self, key: Key) -> Phantom:
        """Return the object; nothing about it is random."""
        body = [
            Part(fb.solid_ellipsoid((0, 0, 0), (9.6, 12, 12.5)), self._tissue(BONE), "skull"),
            Part(fb.solid_ellipsoid((0, 0, 0), (9.0, 11.4, 11.9)), self._tissue(BRAIN), "brain"),
        ]
        inserts = [self._insert(part, density, at, shape) for part, density, at, shape in TABLE]
        if self.right_ear:
            petrous = fb.below(fb.solid_ellipsoid((9.1, 0, 0), (4.2, 1.8, 1.8)), (1, 0, 0), 9.1)
            inserts.append(self._insert("right ear", BONE, (5.2, 0, 0), petrous))
            inserts.extend(self._insert("cavity", 0.0, at, fb.ball(at, 0.15)) for at in cavities())
        if self.left_ear:
            for at, half_axes in needles():
                inserts.append(self._insert("left ear", BONE, at, fb.solid_ellipsoid(at, half_axes)))
        phantom = assemble(body, inserts, width_mm=192.0, depth_mm=240.0, height_mm=250.0)
        return self.pose.place(phantom)

    def _tissue(self, density: float) -> Tissue:
        if density == 0:
            return get("air")
        return matter(self.bone if density == BONE else "water", round(1000 * density, 6))

    def _insert(self, part: str, density: float, at: Point, shape: Shape) -> Insert:
        tissue = self._tissue(density)
        row = {"part": part, "tissue": tissue.name, "centre_mm": list(fb.position(*at)), "density": 1000 * density}
        return Insert((Part(shape, tissue, part),), row)


def cavities() -> Iterator[Point]:
    """Yield the centres (x, y, z) [cm] of the right ear's air cavities.

    Rows along x, every second one shifted by half a pitch, stand in seven planes.
    """
    for level in range(-3, 4):
        for row in range(-3, 4):
            shift = 0.2 * ((level + row) % 2)
            for i in range(COUNTS[abs(level)][abs(row)]):
                yield (8.8 - shift - 0.4 * i, row * STEP, level * STEP)


def needles() -> Iterator[tuple[Point, Point]]:
    """Yield centre and half axes (x, y, z) [cm] of the left ear's needles.

    Each pair of a diameter and a length has five needles along y and, from the first of these, four more along z.
    """
    for column, diameter in enumerate(DIAMETERS):
        for group, length in enumerate(LENGTHS):
            x, y = -7.0 + 0.08 * column, -1.0 + 0.48 * group
            for i in range(5):
                yield (x, y + 2 * diameter * i, 0.0), (diameter / 2, diameter / 2, length / 2)
            for i in range(1, 5):
                yield (x, y, 2 * length * i), (diameter / 2, diameter / 2, length / 2)
