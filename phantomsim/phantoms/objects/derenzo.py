"""Hot rods in sectors, after Derenzo."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from phantomsim.phantoms.objects.inserts import Length, Pose, assemble, drum, filling, rod
from phantomsim.phantoms.objects.sectors import sectors
from phantomsim.phantoms.phantom import Phantom
from phantomsim.phantoms.scene import Part
from phantomsim.phantoms.spec import PhantomSpec
from phantomsim.physics.rng import Key
from phantomsim.tissues import get


class Derenzo(PhantomSpec):
    """Derenzo pattern: rods filled with water, one diameter a sector, in a solid cylinder of acrylic.

    The water of each diameter is a material of its own, for activity to be given to. The pitch of twice the diameter
    is grade B; sizes are parameters, by default those of small-animal phantoms (grade C).

    References
    ----------
    S. E. Derenzo, T. F. Budinger, J. L. Cahoon, R. H. Huesman, H. G. Jackson, "High resolution computed tomography of
    positron emitters", IEEE Trans. Nucl. Sci. 24 (1977), doi:10.1109/TNS.1977.4328737.
    """

    kind: Literal["derenzo"]
    diameter_mm: Length = Field(default=50.0, description="of the cylinder")
    length_mm: Length = 40.0
    rod_diameter_mm: tuple[Length, ...] = Field(
        default=(1.2, 1.6, 2.4, 3.2, 4.0, 4.8), min_length=3, max_length=12, description="one for each sector"
    )
    pitch: Annotated[float, Field(gt=1.05, le=10)] = Field(default=2.0, description="distance of axes over diameter")
    margin_mm: float = Field(default=2.0, ge=0, le=1000, description="acrylic between rods and the outside")
    body: str = Field(default="pmma", description="tissue between the rods")
    pose: Pose = Pose()

    @model_validator(mode="after")
    def _check(self) -> Derenzo:
        get(self.body)
        if len(set(self.rod_diameter_mm)) < len(self.rod_diameter_mm):
            raise ValueError(f"rod_diameter_mm must differ from sector to sector, got {list(self.rod_diameter_mm)}")
        placed = {size for size, _, _ in self._rods}
        empty = [size for size in self.rod_diameter_mm if size not in placed]
        if empty:
            raise ValueError(
                f"no rod of {', '.join(f'{size:g}' for size in empty)} mm fits into its sector of a cylinder of "
                f"diameter_mm = {self.diameter_mm:g}"
            )
        return self

    @property
    def _rods(self) -> list[tuple[float, float, tuple[float, float]]]:
        return sectors(self.rod_diameter_mm, self.pitch, self.diameter_mm / 2 - self.margin_mm)

    def generate(self, key: Key) -> Phantom:
        """Return the object; nothing about it is random."""
        liquids = {size: filling(f"rods {size:g} mm") for size in self.rod_diameter_mm}
        inserts = [
            rod(f"rods {size:g} mm", liquids[size], (0.0, y, x), size, self.length_mm, pitch_mm=pitch)
            for size, pitch, (y, x) in self._rods
        ]
        body = [Part(drum(self.diameter_mm, self.length_mm), get(self.body), "body")]
        return self.pose.place(
            assemble(body, inserts, diameter_mm=self.diameter_mm, length_mm=self.length_mm, pitch=self.pitch)
        )
