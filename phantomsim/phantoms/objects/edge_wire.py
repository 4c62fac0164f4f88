"""A slanted edge and a thin wire, for the modulation transfer function."""

from __future__ import annotations

from math import hypot, pi
from typing import Literal

from pydantic import Field, model_validator

from phantomsim.phantoms.objects.inserts import Insert, Length, Pose, assemble, drum, rod
from phantomsim.phantoms.phantom import Phantom
from phantomsim.phantoms.scene import Part
from phantomsim.phantoms.spec import PhantomSpec
from phantomsim.physics.rng import Key
from phantomsim.physics.shapes import box, turn
from phantomsim.tissues import get


class EdgeWire(PhantomSpec):
    """Edge and wire: a slanted square block and a thin wire along z in a cylinder, for transfer functions.

    The layout is this program's own: there is nothing to grade.
    """

    kind: Literal["edge-wire"]
    body: str = "water"
    body_mm: Length = Field(default=150.0, description="diameter of the cylinder")
    length_mm: Length = 40.0
    edge: str = Field(default="pmma", description="tissue of the block")
    edge_mm: Length = Field(default=40.0, description="side of the block")
    slant_deg: float = Field(default=3.0, gt=-45, lt=45, description="turn of the block's sides from y and x")
    wire: str = Field(default="tungsten", description="tissue of the wire")
    wire_mm: Length = Field(default=0.1, description="diameter of the wire")
    offset_mm: Length = Field(default=35.0, description="of the wire, along x, and of the block, against it")
    pose: Pose = Pose()

    @model_validator(mode="after")
    def _check(self) -> EdgeWire:
        for name in (self.body, self.edge, self.wire):
            get(name)
        block = hypot(self.edge_mm / 2, self.edge_mm / 2)
        if max(block, self.wire_mm / 2) + self.offset_mm >= self.body_mm / 2:
            raise ValueError(f"wire or block leave the cylinder of body_mm = {self.body_mm:g}: reduce offset_mm")
        if block + self.wire_mm / 2 >= 2 * self.offset_mm:
            raise ValueError(f"wire and block meet: edge_mm = {self.edge_mm:g} is too large for offset_mm")
        return self

    def generate(self, key: Key) -> Phantom:
        """Return the object; nothing about it is random."""
        half = 5e-4 * self.edge_mm
        shape = box(
            (0.0, 0.0, -1e-3 * self.offset_mm),
            (5e-4 * self.length_mm, half, half),
            turn("z", self.slant_deg * pi / 180),
        )
        row = {"part": "edge", "tissue": self.edge, "centre_mm": [0.0, 0.0, -self.offset_mm]}
        block = Insert(
            (Part(shape, get(self.edge), "edge"),), row | {"side_mm": self.edge_mm, "slant_deg": self.slant_deg}
        )
        wire = rod("wire", get(self.wire), (0.0, 0.0, self.offset_mm), self.wire_mm, self.length_mm)
        body = Part(drum(self.body_mm, self.length_mm), get(self.body), "body")
        return self.pose.place(assemble([body], [block, wire], diameter_mm=self.body_mm, length_mm=self.length_mm))
