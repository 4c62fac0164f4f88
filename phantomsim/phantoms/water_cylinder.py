"""A cylinder of water with inserts: the test object of every scanner."""

from __future__ import annotations

from math import cos, pi, sin
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from phantomsim.phantoms.moving import BulkMotion, drawn_motion
from phantomsim.phantoms.phantom import Phantom
from phantomsim.phantoms.placement import Lesions, place_lesions
from phantomsim.phantoms.scene import Part, compose
from phantomsim.phantoms.spec import PhantomSpec
from phantomsim.physics.rng import Key
from phantomsim.physics.shapes import cylinder
from phantomsim.spec import Spec
from phantomsim.tissues import Tissue, get

Length = Annotated[float, Field(gt=0, le=10000)]


class Insert(Spec):
    """Rods along z, equally spaced on a circle around the axis."""

    tissue: str
    diameter_mm: Length
    radius_mm: float = Field(default=0.0, ge=0, le=10000, description="distance of the rod's axis from the cylinder's")
    angle_deg: float = Field(default=0.0, description="where the first rod stands, from x (left) towards y (back)")
    count: int = Field(default=1, ge=1, le=360, description="number of rods")
    iodine_mg_ml: float = Field(default=0.0, ge=0, le=500, description="iodine dissolved in the tissue")

    @model_validator(mode="after")
    def _check(self) -> Insert:
        get(self.tissue)
        chord = 2 * self.radius_mm * sin(pi / self.count)
        if self.count > 1 and chord < self.diameter_mm:
            raise ValueError(
                f"{self.count} rods of diameter_mm = {self.diameter_mm:g} overlap on a circle of radius_mm = "
                f"{self.radius_mm:g}"
            )
        return self

    @property
    def matter(self) -> Tissue:
        """Tissue with its iodine."""
        return get(self.tissue).with_element("I", self.iodine_mg_ml) if self.iodine_mg_ml else get(self.tissue)

    @property
    def places_mm(self) -> list[tuple[float, float]]:
        """Axis (y, x) of each rod [mm]."""
        angles = [self.angle_deg * pi / 180 + 2 * pi * i / self.count for i in range(self.count)]
        return [(self.radius_mm * sin(angle), self.radius_mm * cos(angle)) for angle in angles]


class WaterCylinder(PhantomSpec):
    """A cylinder along z, of water unless told otherwise, with rods of other tissues and with lesions.

    A later insert replaces what it covers of an earlier one.
    """

    kind: Literal["water-cylinder"]
    diameter_mm: Length = 200.0
    length_mm: Length = 200.0
    tissue: str = "water"
    inserts: tuple[Insert, ...] = ()
    lesions: Lesions = Lesions()
    motion: BulkMotion | None = Field(default=None, description="shift, turn and stretch; none: at rest")

    @model_validator(mode="after")
    def _check(self) -> WaterCylinder:
        get(self.tissue)
        for insert in self.inserts:
            if insert.radius_mm + insert.diameter_mm / 2 > self.diameter_mm / 2:
                raise ValueError(
                    f"an insert of diameter_mm = {insert.diameter_mm:g} at radius_mm = {insert.radius_mm:g} leaves the "
                    f"cylinder of diameter_mm = {self.diameter_mm:g}"
                )
        return self

    def generate(self, key: Key) -> Phantom:
        """Make the phantom; only the lesions are random."""
        half_length = 5e-4 * self.length_mm
        rows: list[dict[str, Any]] = []
        parts = [
            Part(cylinder((0.0, 0.0, 0.0), (half_length, *(5e-4 * self.diameter_mm,) * 2)), get(self.tissue), "water")
        ]
        for insert in self.inserts:
            for y, x in insert.places_mm:
                rod = cylinder((0.0, 1e-3 * y, 1e-3 * x), (half_length, *(5e-4 * insert.diameter_mm,) * 2))
                parts.append(Part(rod, insert.matter, "insert"))
                rows.append(
                    {
                        "part": "insert",
                        "centre_mm": [0.0, y, x],
                        "diameter_mm": insert.diameter_mm,
                        "tissue": insert.matter.name,
                    }
                )
        placed, truths = place_lesions(self.lesions, parts, ("water",), key)
        motion, moves = drawn_motion(self.motion, key)
        return compose(
            get("air"),
            [*parts, *placed],
            names=("water", "insert", "lesion"),
            truths={"inserts": tuple(rows), "lesions": truths, **moves},
            motion=motion,
        )
