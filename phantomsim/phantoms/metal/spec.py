"""What a recipe says of metal: one table per kind of implant.

Default sizes and alloys are typical of current implants, from memory, grade C, unless a source is named beside them.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from phantomsim.phantoms.ranges import PositiveRange
from phantomsim.spec import Spec
from phantomsim.tissues import get

TEETH = 32
PREMOLARS_AND_MOLARS = 20
PEDICLE_MM = 5.6
"""Width of a pedicle of the phantom `thorax`; T5 has 5.1 mm on average (PubMed 16015613, abstract)."""


class Implant(Spec):
    """An implant of an alloy of the tissue library."""

    alloy: str

    @field_validator("alloy", "head_alloy", "liner", check_fields=False)
    @classmethod
    def _check_alloy(cls, alloy: str) -> str:
        tissue = get(alloy)
        if tissue.category not in ("metal", "material"):
            raise ValueError(
                f"{tissue.title} is no metal; such as ti6al4v, cocrmo, steel316l, amalgam, nitinol, gold, platinum or "
                "zirconia"
            )
        return alloy

    @model_validator(mode="after")
    def _check_ranges(self) -> Self:
        for name in type(self).model_fields:
            value = getattr(self, name)
            if isinstance(value, tuple) and len(value) == 2 and value[0] > value[1]:
                raise ValueError(f"{name} must be [smallest, largest], got {list(value)}")
        return self


class Fillings(Implant):
    """Fillings in the chewing surfaces of premolars and molars."""

    kind: Literal["fillings"]
    count: int = Field(default=4, ge=1, le=PREMOLARS_AND_MOLARS, description="premolars and molars are 20")
    alloy: str = "amalgam"
    diameter_mm: tuple[Annotated[float, Field(ge=0.5, le=5)], Annotated[float, Field(ge=0.5, le=5)]] = (2.0, 3.5)


class Crowns(Implant):
    """Crowns: a shell of metal or zirconia around what is left of a tooth."""

    kind: Literal["crowns"]
    count: int = Field(default=2, ge=1, le=TEETH, description="teeth are 32")
    alloy: str = "gold"
    wall_mm: tuple[Annotated[float, Field(ge=0.2, le=2)], Annotated[float, Field(ge=0.2, le=2)]] = (0.5, 1.2)


class Clips(Implant):
    """Clips on arteries at the base of the brain: two blades and the spring that closes them."""

    kind: Literal["clips"]
    count: int = Field(default=1, ge=1, le=4)
    alloy: str = "ti6al4v"
    blade_mm: tuple[Annotated[float, Field(ge=3, le=20)], Annotated[float, Field(ge=3, le=20)]] = (6.0, 11.0)


class Coils(Implant):
    """Balls of coiled wire in aneurysms at the base of the brain, with the blood between the loops."""

    kind: Literal["coils"]
    count: int = Field(default=1, ge=1, le=4)
    alloy: str = "platinum"
    diameter_mm: tuple[Annotated[float, Field(ge=3, le=15)], Annotated[float, Field(ge=3, le=15)]] = (4.0, 8.0)
    wire_mm: float = Field(default=0.3, ge=0.1, le=1, description="thickness of the coiled wire")
    loops: tuple[Annotated[int, Field(ge=3, le=60)], Annotated[int, Field(ge=3, le=60)]] = (12, 20)


class Electrodes(Implant):
    """Leads for deep-brain stimulation through the vault to the subthalamic nucleus.

    Four contacts of 1.5 mm at gaps of 0.5 or 1.5 mm, J. Med. Devices 8 (2014) 020919 (abstract read); 1.27 mm thick,
    grade C.
    """

    kind: Literal["electrodes"]
    count: int = Field(default=2, ge=1, le=2, description="1: the left side alone")
    alloy: str = Field(default="platinum", description="of contacts and wire")
    gap_mm: float = Field(default=0.5, ge=0.1, le=5)


HeadMetal = Annotated[Fillings | Crowns | Clips | Coils | Electrodes, Field(discriminator="kind")]


class Screws(Implant):
    """Pedicle screws with V threads, two to a vertebra, their heads joined by a rod on each side."""

    kind: Literal["screws"]
    first: int = Field(default=6, ge=1, le=12, description="topmost thoracic vertebra with screws")
    count: int = Field(default=3, ge=1, le=12, description="vertebrae with screws")
    alloy: str = "ti6al4v"
    diameter_mm: float = Field(default=4.5, ge=3, description="over the thread")
    length_mm: float = Field(default=35.0, ge=20, le=42, description="of the thread")
    pitch_mm: float = Field(default=2.5, ge=1, le=5, description="from thread to thread")
    depth_mm: float = Field(default=0.7, ge=0.2, le=1.2, description="of the thread")
    rod_mm: float = Field(default=5.5, ge=3, le=7, description="diameter of the rods")

    @model_validator(mode="after")
    def _check(self) -> Screws:
        last = self.first + self.count - 1
        if last > 12:
            raise ValueError(
                f"first = {self.first} and count = {self.count} reach vertebra T{last}; the last one is T12"
            )
        if self.diameter_mm > PEDICLE_MM:
            raise ValueError(f"diameter_mm = {self.diameter_mm:g} does not fit: pedicles are {PEDICLE_MM:g} mm wide")
        if 2 * self.depth_mm >= self.pitch_mm:
            raise ValueError(f"depth_mm = {self.depth_mm:g} must be less than half of pitch_mm = {self.pitch_mm:g}")
        return self


class Wires(Implant):
    """Wires around the breast bone, as after open-heart surgery."""

    kind: Literal["wires"]
    count: int = Field(default=6, ge=1, le=8)
    alloy: str = "steel316l"
    wire_mm: float = Field(default=0.9, ge=0.4, le=1.5)


class Pacemaker(Implant):
    """A pacemaker under the skin of the left breast, and its lead through the veins to the right ventricle."""

    kind: Literal["pacemaker"]
    alloy: str = Field(default="titanium", description="of the can; the lead's wire is of steel, its tip of platinum")
    diameter_mm: float = Field(default=42.0, ge=30, le=55, description="of the can")
    thickness_mm: float = Field(default=7.0, ge=5, le=10, description="of the can")


ThoraxMetal = Annotated[Screws | Wires | Pacemaker, Field(discriminator="kind")]


class HipImplant(Implant):
    """Stem, head, liner and cup of a replaced hip; `alloy` is that of stem and cup."""

    alloy: str = "ti6al4v"
    head_alloy: str = "cocrmo"
    liner: str = "uhmwpe"
    head_mm: PositiveRange = Field(default=(28.0, 36.0), description="diameter of the head")
    cup_mm: PositiveRange = Field(default=(50.0, 56.0), description="outer diameter of the cup")
    shell_mm: float = Field(default=3.5, ge=2, le=6, description="wall of the cup")
    stem_mm: PositiveRange = Field(default=(120.0, 150.0), description="length of the stem in the shaft")
    cement_mm: float = Field(default=0.0, ge=0, le=3, description="mantle of bone cement around the stem")

    @model_validator(mode="after")
    def _check(self) -> HipImplant:
        if self.cup_mm[0] < 44 or self.cup_mm[1] > 60:
            raise ValueError(f"cup_mm = {list(self.cup_mm)} does not fit: acetabula here take cups of 44 to 60 mm")
        if self.head_mm[0] < 20 or self.head_mm[1] > self.cup_mm[0] - 2 * self.shell_mm - 4:
            raise ValueError(
                f"head_mm = {list(self.head_mm)} must lie in 20 to {self.cup_mm[0] - 2 * self.shell_mm - 4:g}: cup_mm "
                "less two walls of shell_mm and 2 mm of liner on each side"
            )
        if self.stem_mm[0] < 80 or self.stem_mm[1] > 200:
            raise ValueError(f"stem_mm must lie in 80 to 200, got {list(self.stem_mm)}")
        return self
