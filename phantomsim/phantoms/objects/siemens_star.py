"""Siemens star: sharp wedges whose frequency grows towards the centre."""

from __future__ import annotations

from math import cos, pi, sin
from typing import Literal

from pydantic import Field, model_validator

from phantomsim.phantoms.objects.inserts import Length, Pose, drum
from phantomsim.phantoms.phantom import Phantom
from phantomsim.phantoms.scene import Scene
from phantomsim.phantoms.spec import PhantomSpec
from phantomsim.physics.rng import Key
from phantomsim.physics.shapes import Shape, box, turn
from phantomsim.tissues import get


class SiemensStar(PhantomSpec):
    """Siemens star: spokes and equal gaps around a hub, in a cylinder; n / (2πr) pairs per length at radius r.

    An exact scene: n half spaces whose borders pass through the axis cover a point an even number of times in a spoke
    and an odd number in a gap. A star is a definition, not a product: there is nothing to grade.
    """

    kind: Literal["siemens-star"]
    n_spokes: int = Field(default=36, ge=3, le=360)
    diameter_mm: Length = Field(default=100.0, description="of the star")
    hub_mm: Length = Field(default=4.0, description="diameter of the solid hub")
    body_mm: Length = Field(default=120.0, description="diameter of the cylinder around the star")
    length_mm: Length = Field(default=20.0, description="along z, of all")
    spoke: str = Field(default="aluminum", description="tissue of spokes and hub")
    body: str = Field(default="pmma", description="tissue of gaps and cylinder")
    pose: Pose = Pose()

    @model_validator(mode="after")
    def _check(self) -> SiemensStar:
        if not self.hub_mm < self.diameter_mm < self.body_mm:
            raise ValueError(
                f"hub_mm < diameter_mm < body_mm must hold, got {self.hub_mm:g}, {self.diameter_mm:g} and "
                f"{self.body_mm:g}"
            )
        get(self.body)
        if self.spoke in ("air", self.body):
            raise ValueError(f"spoke must be neither air, which surrounds all, nor the body, got {self.spoke!r}")
        get(self.spoke)
        return self

    def generate(self, key: Key) -> Phantom:
        """Return the object; nothing about it is random. The first spoke's middle points along x."""
        n = self.n_spokes
        star, hub, body = n + 1, 2 * (n + 1), 4 * (n + 1)
        shapes = [self._half_space(pi * (i + 0.5) / n) for i in range(n)]
        shapes += [drum(size, self.length_mm) for size in (self.body_mm, self.diameter_mm, self.hub_mm)]
        names = ("star",) * n + ("body", "star", "hub")
        sums: dict[int, int] = {}
        for count in range(n + 1):
            sums |= {count: 0, body + count: 1, body + star + count: 2 - count % 2}
            sums |= {body + hub + count: 2, body + star + hub + count: 2}
        row = {"part": "star", "tissue": self.spoke, "centre_mm": [0.0, 0.0, 0.0], "diameter_mm": self.diameter_mm}
        truths = {
            "anatomy": ({"part": "body", "diameter_mm": self.body_mm, "length_mm": self.length_mm},),
            "inserts": (row | {"spokes": n, "hub_mm": self.hub_mm, "length_mm": self.length_mm},),
        }
        scene = Scene(tuple(shapes), names, (*(1,) * n, body, star, hub), sums)
        tissues = (get("air"), get(self.body), get(self.spoke))
        return self.pose.place(Phantom(tissues, scene, frozenset({"star", "hub"}), truths))

    def _half_space(self, angle: float) -> Shape:
        """Return a box that covers the cylinder where a point lies ahead of the line at an angle through the axis."""
        half = 5e-4 * self.body_mm
        centre = (0.0, half * cos(angle), -half * sin(angle))
        return box(centre, (5e-4 * self.length_mm, half, half), turn("z", angle))
