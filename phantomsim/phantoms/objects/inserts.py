"""What test objects are made of: drums, rods, balls and groups of bars, each with its row of the truth table.

Lengths are in mm here, as published. A point is (z, y, x); angles run from x (left) towards y (back), so that in an
image seen from the feet 0° points right and 90° down.

Grades of the facts in this package: A, checked against the publisher's own text; B, taken from independent public
implementations or secondary sources that agree; C, not published in what was at hand, a plausible choice.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import cos, isclose, pi, sin
from typing import Annotated, Any

from pydantic import Field

from phantomsim.phantoms.phantom import Phantom, Truths
from phantomsim.phantoms.scene import Part, Scene, compose
from phantomsim.physics.errors import ShapeError
from phantomsim.physics.shapes import Rotation, Shape, box, cylinder, ellipsoid, turn
from phantomsim.spec import Spec
from phantomsim.tissues import Tissue, get

Point = tuple[float, float, float]
Length = Annotated[float, Field(gt=0, le=2000)]


@dataclass(frozen=True)
class Insert:
    """Parts of a test object that belong together, and their row of the truth table."""

    parts: tuple[Part, ...]
    row: Mapping[str, Any]


class Pose(Spec):
    """How an object was put on the table: turned about z, then shifted."""

    roll_deg: float = Field(default=0.0, description="turn about z, from x (left) towards y (back)")
    shift_mm: Point = Field(default=(0.0, 0.0, 0.0), description="shift (z, y, x) after the turn")

    def place(self, phantom: Phantom) -> Phantom:
        """Return a phantom made of shapes in this pose, the points of its truth tables moved with it.

        Raises
        ------
        ShapeError
            If the phantom is not made of shapes.
        """
        scene = phantom.body
        if not isinstance(scene, Scene):
            raise ShapeError(f"only a phantom made of shapes can be turned and shifted, not a {type(scene).__name__}")
        if self == Pose():
            return phantom
        shapes = tuple(self._move(shape) for shape in scene.shapes)
        truths = {name: tuple(self._row(row) for row in rows) for name, rows in phantom.truths.items()}
        return replace(phantom, body=replace(scene, shapes=shapes), truths=truths)

    @property
    def _turn(self) -> Rotation:
        return turn("z", self.roll_deg * pi / 180)

    def _point(self, point: Sequence[float], unit: float) -> Point:
        moved = [
            sum(a * b for a, b in zip(row, point, strict=True)) + unit * shift
            for row, shift in zip(self._turn, self.shift_mm, strict=True)
        ]
        return (moved[0], moved[1], moved[2])

    def _move(self, shape: Shape) -> Shape:
        columns = list(zip(*shape.rotation, strict=True))
        z, y, x = ([sum(a * b for a, b in zip(row, c, strict=True)) for c in columns] for row in self._turn)
        rotation = ((z[0], z[1], z[2]), (y[0], y[1], y[2]), (x[0], x[1], x[2]))
        return replace(shape, centre=self._point(shape.centre, 1e-3), rotation=rotation)

    def _row(self, row: dict[str, Any]) -> dict[str, Any]:
        return row | {"centre_mm": list(self._point(row["centre_mm"], 1.0))} if "centre_mm" in row else row


def polar(radius_mm: float, angle_deg: float, z_mm: float = 0.0) -> Point:
    """Return the point (z, y, x) [mm] on a circle around the z axis."""
    return (z_mm, radius_mm * sin(angle_deg * pi / 180), radius_mm * cos(angle_deg * pi / 180))


def matter(name: str, density: float) -> Tissue:
    """Return a material of the library at the density [kg/m³] that a maker gives."""
    return get(name) if isclose(get(name).density, density) else get(name).diluted(density)


def filling(part: str, liquid: str = "water") -> Tissue:
    """Return a liquid under a name of its own, so that what fills one part can be told from what fills another."""
    return replace(get(liquid), name=f"{liquid} ({part})", title=f"{get(liquid).title} in {part}")


def drum(diameter_mm: float, length_mm: float, centre_mm: Point = (0.0, 0.0, 0.0)) -> Shape:
    """Return a round cylinder along z."""
    return cylinder(_metres(centre_mm), (5e-4 * length_mm, 5e-4 * diameter_mm, 5e-4 * diameter_mm))


def rod(part: str, tissue: Tissue, centre_mm: Point, diameter_mm: float, length_mm: float, **facts: Any) -> Insert:
    """Return a rod along z; `facts` are further columns of its row."""
    row = _row(part, tissue, centre_mm, diameter_mm=diameter_mm, length_mm=length_mm, **facts)
    return Insert((Part(drum(diameter_mm, length_mm, centre_mm), tissue, part),), row)


def ball(part: str, tissue: Tissue, centre_mm: Point, diameter_mm: float, **facts: Any) -> Insert:
    """Return a ball; `facts` are further columns of its row."""
    shape = ellipsoid(_metres(centre_mm), (5e-4 * diameter_mm,) * 3)
    return Insert((Part(shape, tissue, part),), _row(part, tissue, centre_mm, diameter_mm=diameter_mm, **facts))


def bars(
    part: str,
    tissue: Tissue,
    centre_mm: Point,
    angle_deg: float,
    pairs_per_cm: float,
    count: int,
    size_mm: tuple[float, float],
) -> Insert:
    """Return equal bars and gaps.

    Parameters
    ----------
    part, tissue
        What the bars are called and made of.
    centre_mm
        Middle of the group.
    angle_deg
        Direction along which bars run; they follow each other at right angles to it.
    pairs_per_cm
        Bars per cm; a bar is as wide as a gap.
    count
        Number of bars.
    size_mm
        Length of a bar along z and along its run.
    """
    pitch = 10 / pairs_per_cm
    thickness, run = size_mm
    shapes = []
    for i in range(count):
        offset = (i - (count - 1) / 2) * pitch
        away = polar(offset, angle_deg + 90)
        centre = (centre_mm[0], centre_mm[1] + away[1], centre_mm[2] + away[2])
        half = (5e-4 * thickness, 2.5e-4 * pitch, 5e-4 * run)
        shapes.append(Part(box(_metres(centre), half, turn("z", angle_deg * pi / 180)), tissue, part))
    row = _row(part, tissue, centre_mm, pairs_per_cm=pairs_per_cm, bars=count, bar_width_mm=pitch / 2)
    return Insert(tuple(shapes), row)


def assemble(body: Sequence[Part], inserts: Iterable[Insert], **numbers: float) -> Phantom:
    """Return an object in air: its body from the lowest to the topmost part, inserts on top, numbers as "anatomy"."""
    listed = list(inserts)
    parts = [*body, *(part for insert in listed for part in insert.parts)]
    truths: Truths = {
        "anatomy": ({"part": "body", **numbers},),
        "inserts": tuple(dict(insert.row) for insert in listed),
    }
    return compose(get("air"), parts, truths=truths)


def _row(part: str, tissue: Tissue, centre_mm: Point, **facts: Any) -> dict[str, Any]:
    return {"part": part, "tissue": tissue.name, "centre_mm": list(centre_mm), **facts}


def _metres(point: Point) -> Point:
    return (1e-3 * point[0], 1e-3 * point[1], 1e-3 * point[2])
