"""The FORBILD thorax: lungs, heart, aorta, spine, ribs, sternum and shoulders in an elliptic cylinder with arms."""

from __future__ import annotations

from collections.abc import Iterator
from math import cos, hypot, pi, sin, sqrt
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

Piece = tuple[str, Shape]

DENSITIES: Final = {
    "arm": 1.0,
    "body": 1.0,
    "lung": 0.26,
    "heart": 1.05,
    "aorta": 1.05,
    "sternum": 1.25,
    "vertebra": 1.92,
    "spongiosa": 1.18,
    "rib": 1.41,
    "clavicle": 1.46,
    "scapula": 1.46,
    "humerus": 1.46,
    "marrow": 0.98,
}
"""Density of each part [g/cm³]."""
BONES: Final = ("sternum", "vertebra", "rib", "clavicle", "scapula", "humerus")
VERTEBRAE: Final = (15.0, 12.0, 9.0, 6.0, 3.0, 0.0, -3.0, -6.0)
"""Heights of the vertebrae [cm]."""
RIBS: Final = (-6.0, -3.0, 0.0, 3.0, 6.0)
"""Heights of the ribs where they are farthest from the middle [cm]."""
RIB: Final = (18.5, 9.0, 5.5)
"""Half axes of a rib's ellipse along x and y, and by how much it drops to the front [cm]."""


class ForbildThorax(PhantomSpec):
    """FORBILD thorax: lungs, heart, aorta, spine, ribs, sternum and shoulders in an elliptic cylinder with arms.

    Density times water, as FORBILD defines it: bone is dense water unless `bone` names a tissue. Grade B: tables of
    RTK's copy of FORBILD's files. The ribs are made by the rule that their numbers follow to the last digit but one:
    nine straight pieces along tangents of an ellipse, cut where neighbours meet.

    References
    ----------
    FORBILD phantoms, Institute of Medical Physics, University of Erlangen: files ThoraxPhantom, Vertebra, Ribs,
    Shoulders and TableOfTissues at github.com/RTKConsortium/Forbild.
    """

    kind: Literal["forbild-thorax"]
    bone: str = Field(default="water", description="tissue of compact bone, at FORBILD's density of each bone")
    pose: Pose = Pose()

    @model_validator(mode="after")
    def _check(self) -> ForbildThorax:
        get(self.bone)
        return self

    def generate(self, key: Key) -> Phantom:
        """Return the object; nothing about it is random."""
        pieces = (*trunk(), *spine(), *rib_cage(), *shoulders())
        body = [Part(shape, self._tissue(part), part) for part, shape in pieces]
        inserts = [
            Insert((), {"part": part, "tissue": self._tissue(part).name, "centre_mm": list(fb.position(*at))})
            for part, at in POINTS
        ]
        phantom = assemble(body, inserts, width_mm=500.0, depth_mm=200.0, height_mm=500.0)
        return self.pose.place(phantom)

    def _tissue(self, part: str) -> Tissue:
        return matter(self.bone if part in BONES else "water", round(1000 * DENSITIES[part], 6))


def trunk() -> Iterator[Piece]:
    """Yield arms, body, lungs, sternum, heart and aorta."""
    for x in (-20.0, 20.0):
        yield "arm", fb.tube((x, 0, 17.5), 5, 15)
    yield "body", fb.oval_tube((0, 0, 0), (20, 10), 50)
    for x in (-10.5, 10.5):
        yield "lung", fb.solid_ellipsoid((x, 0, 0), (7.5, 5.5, 15))
    yield "sternum", fb.block((0, 9, 2.5), (2.5, 0.8, 25))
    yield "marrow", fb.block((0, 9, 2.5), (2, 0.5, 25))
    yield "heart", fb.solid_ellipsoid((0, 4, 0), (3.5, 3.5, 3.5))
    # descending, ascending, and the arch between the planes where they bend
    back, front = ((3, 7, sqrt(58)), 2.982109), ((1, 2, -sqrt(5)), -2.2393277)
    yield "aorta", fb.below(fb.tube((-2.5, -2.5, 0), 1, 30), *back)
    yield "aorta", fb.above(fb.tube((0.5, 4.5, 6), 1, 6), *front)
    yield "aorta", fb.below(fb.above(fb.tube((-1, 1, 7.5), 1, 22, (3, 7, 0)), *back), *front)


def spine() -> Iterator[Piece]:
    """Yield the vertebrae: a body, wings to both sides, what joins them, and the spinous process."""
    y, half = -5.0, sqrt(1.3725)
    for z in VERTEBRAE:
        yield "vertebra", fb.above(fb.tube((0, y, z), 1.75, 2), (0, 1, 0), y - 1.35)
        yield "vertebra", fb.block((0, y - 1.4, z), (2 * half, 0.2, 2))
        yield "spongiosa", fb.tube((0, y, z), 1.5, 2)
        for side in (-1, 1):
            tip = (4.0 * side, y - 2.45, z)
            roof, floor = (0.95 * side, 4 - half, 0.0), (2.0 * side, 32.0, 0.0)
            wing = fb.below(fb.block((2.0 * side, y - 1.975, z), (4, 0.95, 2)), roof, fb.offset_of(roof, tip))
            yield "vertebra", fb.above(wing, floor, fb.offset_of(floor, tip))
        lamina = fb.block((0, y - 2.35, z), (1.6, 0.3, 2))
        for side in (-1, 1):
            slope = (2.0 * side, 4.0, 0.0)
            lamina = fb.above(lamina, slope, fb.offset_of(slope, (-0.4 * side, y - 2.45, z)))
        yield "vertebra", lamina
        yield "vertebra", fb.below(fb.tube((0, y - 4.05, z), 0.4, 2), (0, 1, 0), y - 4.05)
        yield "vertebra", fb.block((0, y - 3.25, z), (0.8, 1.6, 2))


def rib_cage() -> Iterator[Piece]:
    """Yield the ribs, compact bone before marrow."""
    for z in RIBS:
        for part, radius in (("rib", 0.5), ("marrow", 0.4)):
            for side in (1, -1):
                for piece in range(1, 10):
                    yield part, _rib(piece * pi / 10, z, side, radius)


def _rib(angle: float, z: float, side: int, radius: float) -> Shape:
    """Return the piece of a rib that touches its ellipse at an angle from the front; side 1 is the patient's right."""
    shape = fb.tube(_on_rib(angle, z, side), radius, 10, _along_rib(angle, side))
    for step, cut in ((1, fb.below), (-1, fb.above)):
        here, there = _along_rib(angle, side), _along_rib(angle + step * pi / 10, side)
        between = [a / hypot(*here) + b / hypot(*there) for a, b in zip(here, there, strict=True)]
        normal = (between[0], between[1], between[2])
        x, y, height = _on_rib(angle + step * pi / 20, 0.0, side)
        scale = 1 / cos(pi / 20)  # neighbouring tangents meet beyond the ellipse
        shape = cut(shape, normal, fb.offset_of(normal, (x * scale, y * scale, height * scale + z)))
    return shape


def _on_rib(angle: float, z: float, side: int) -> Point:
    x, y, drop = RIB
    return (side * x * sin(angle), y * cos(angle), z - drop * cos(angle))


def _along_rib(angle: float, side: int) -> Point:
    x, y, drop = RIB
    return (side * x * cos(angle), -y * sin(angle), drop * sin(angle))


def shoulders() -> Iterator[Piece]:
    """Yield clavicles, shoulder blades and the heads of both humeri, as far as FORBILD has them."""
    for part, length, radius in (("clavicle", 17.0, 0.5), ("marrow", 16.5, 0.4)):
        for side in (-1, 1):
            yield part, fb.tube((10.0 * side, 5.5, 16), radius, length, (20, -9 * side, 2 * side))
    for part, half_axes in (("scapula", (4.5, 0.5, 6.0)), ("marrow", (4.0, 0.4, 5.5))):
        for side in (-1, 1):
            blade = fb.solid_ellipsoid((12.0 * side, -5, 15), half_axes, fb.frame(z=(0, 0, 1), x=(2, side, 0)))
            yield part, fb.below(blade, (0, 0, 1), 15)
    for x in (22.0, 16.5):
        for part, radius in (("humerus", 2.5), ("marrow", 2.0)):
            for side in (-1, 1):
                yield part, fb.ball((side * x, 0, 15), radius)


POINTS: Final[tuple[tuple[str, Point], ...]] = (
    ("arm", (22.0, 4.0, 11.0)),
    ("body", (0.0, -2.0, -20.0)),
    ("lung", (-10.5, 0.0, 0.0)),
    ("lung", (10.5, 0.0, 0.0)),
    ("sternum", (1.1, 9.0, 0.0)),
    ("heart", (0.0, 4.0, 0.0)),
    ("aorta", (-2.5, -2.5, 0.0)),
    ("aorta", (-1.0, 1.0, 7.5)),
    ("aorta", (0.5, 4.5, 5.5)),
    *(("spongiosa", (0.0, -5.0, z)) for z in VERTEBRAE),
    *(("vertebra", (0.0, -8.25, z)) for z in VERTEBRAE),
    *(("marrow", (side * RIB[0], 0.0, z)) for z in RIBS for side in (-1, 1)),
    *(("rib", (side * (RIB[0] + 0.45), 0.0, z)) for z in RIBS for side in (-1, 1)),
    *(("clavicle", (side * 10.0, 5.5, 16.45)) for side in (-1, 1)),
    *(("scapula", (side * 12.0, -5.0, 9.2)) for side in (-1, 1)),
    *(("humerus", (side * 22.0, 0.0, 12.7)) for side in (-1, 1)),
)
"""A point (x, y, z) [cm] inside each part that nothing covers."""
