"""Disks along the axis, after Defrise."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from phantomsim.phantoms.objects.inserts import Length, Pose, assemble, drum, filling, rod
from phantomsim.phantoms.phantom import Phantom
from phantomsim.phantoms.scene import Part
from phantomsim.phantoms.spec import PhantomSpec
from phantomsim.physics.rng import Key
from phantomsim.tissues import get


class Defrise(PhantomSpec):
    """Defrise phantom: equal disks across the axis, which show what a cone beam or axial sampling misses.

    Defaults, 13 disks of 200 by 8 mm with gaps of 8 mm, are grade B (Auer and Pells, after Data Spectrum's insert).

    References
    ----------
    H. Kudo, T. Saito, "Feasible cone beam scanning methods for exact reconstruction in three-dimensional tomography",
    J. Opt. Soc. Am. A 7 (1990), doi:10.1364/JOSAA.7.002169, for the condition that the object tests. B. Auer,
    S. Pells, github.com/BenAuer2021/Phantoms-For-Nuclear-Medicine-Imaging-Simulation, for the sizes.
    """

    kind: Literal["defrise"]
    diameter_mm: Length = 200.0
    thickness_mm: Length = 8.0
    gap_mm: Length = 8.0
    count: int = Field(default=13, ge=1, le=500)
    disk: str = Field(default="water", description="tissue of the disks")
    between: str = Field(default="pmma", description="tissue between and, 3 mm thick, around them")
    pose: Pose = Pose()

    @model_validator(mode="after")
    def _check(self) -> Defrise:
        for name in (self.disk, self.between):
            get(name)
        return self

    def generate(self, key: Key) -> Phantom:
        """Return the object; nothing about it is random."""
        pitch = self.thickness_mm + self.gap_mm
        length = self.count * pitch - self.gap_mm
        tissue = filling("disk", self.disk)
        disks = [
            rod("disk", tissue, (pitch * (i - (self.count - 1) / 2), 0.0, 0.0), self.diameter_mm, self.thickness_mm)
            for i in range(self.count)
        ]
        body = [Part(drum(self.diameter_mm + 6, length + 6), get(self.between), "body")]
        return self.pose.place(assemble(body, disks, diameter_mm=self.diameter_mm, length_mm=length))
