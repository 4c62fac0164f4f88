"""Contrast-detail object: rods of growing diameter and contrast, for detectability."""

from __future__ import annotations

from math import hypot
from typing import Annotated, Literal

from pydantic import Field, model_validator

from phantomsim.phantoms.objects.inserts import Insert, Length, Pose, assemble, drum, rod
from phantomsim.phantoms.phantom import Phantom
from phantomsim.phantoms.scene import Part
from phantomsim.phantoms.spec import PhantomSpec
from phantomsim.physics.rng import Key
from phantomsim.tissues import get

Contrast = Annotated[float, Field(gt=-1000, le=3000)]


class ContrastDetail(PhantomSpec):
    """Contrast-detail object: a grid of rods in a cylinder, diameter growing along x and contrast along y.

    A rod of contrast c HU is the body's own matter of density (1 + c / 1000) times as high, so that in a body of
    water it has c HU at every energy. The layout is this program's own: there is nothing to grade.
    """

    kind: Literal["contrast-detail"]
    body: str = "water"
    body_mm: Length = Field(default=200.0, description="diameter of the cylinder")
    length_mm: Length = 40.0
    diameter_mm: tuple[Length, ...] = Field(default=(2.0, 3.0, 5.0, 7.0, 10.0, 15.0), min_length=1, max_length=30)
    contrast_hu: tuple[Contrast, ...] = Field(default=(3.0, 5.0, 10.0, 20.0, 50.0), min_length=1, max_length=30)
    spacing_mm: Length = Field(default=25.0, description="between the axes of neighbours")
    pose: Pose = Pose()

    @model_validator(mode="after")
    def _check(self) -> ContrastDetail:
        get(self.body)
        if 0 in self.contrast_hu:
            raise ValueError("a rod of contrast_hu = 0 is none: leave it out")
        if max(self.diameter_mm) >= self.spacing_mm:
            raise ValueError(f"spacing_mm = {self.spacing_mm:g} must exceed the largest of diameter_mm")
        reach = max(hypot(y, x) + size / 2 for _, size, y, x in self._places)
        if reach >= self.body_mm / 2:
            raise ValueError(f"rods reach {reach:.4g} mm from the axis, beyond body_mm / 2 = {self.body_mm / 2:g}")
        return self

    @property
    def _places(self) -> list[tuple[float, float, float, float]]:
        """Contrast, diameter and axis (y, x) of each rod."""
        rows, columns = len(self.contrast_hu), len(self.diameter_mm)
        return [
            (contrast, size, self.spacing_mm * (i - (rows - 1) / 2), self.spacing_mm * (j - (columns - 1) / 2))
            for i, contrast in enumerate(self.contrast_hu)
            for j, size in enumerate(self.diameter_mm)
        ]

    def generate(self, key: Key) -> Phantom:
        """Return the object; nothing about it is random."""
        body = get(self.body)
        inserts: list[Insert] = []
        for contrast, size, y, x in self._places:
            tissue = body.diluted(body.density * (1 + contrast / 1000))
            inserts.append(rod("detail", tissue, (0.0, y, x), size, self.length_mm, contrast_hu=contrast))
        cylinder = Part(drum(self.body_mm, self.length_mm), body, "body")
        return self.pose.place(assemble([cylinder], inserts, diameter_mm=self.body_mm, length_mm=self.length_mm))
