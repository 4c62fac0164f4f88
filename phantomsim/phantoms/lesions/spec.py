"""What a recipe says of lesions."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Literal

from pydantic import Field, model_validator

from phantomsim.phantoms.ranges import PositiveRange
from phantomsim.spec import Spec
from phantomsim.tissues import Tissue, get
from phantomsim.tissues.tissue import Pet

Form = Literal["smooth", "lobulated", "spiculated", "cavity", "calcified", "microcalcifications"]
Share = Annotated[float, Field(gt=0.02, lt=0.95)]
Count = Annotated[int, Field(ge=2, le=100)]


class Lesions(Spec):
    """Lesions of one form and matter inside organs; each lies within a ball of the diameter that was drawn."""

    count: int = Field(default=0, ge=0, le=1000)
    diameter_mm: PositiveRange = Field(
        default=(5.0, 20.0), description="smallest and largest, of the ball that holds all of a lesion"
    )
    tissue: str = "tumor"
    shape: Form = Field(default="smooth", description="a ball, or what the name says")
    suv: Annotated[float, Field(ge=0, le=100)] | None = Field(
        default=None, description="uptake of FDG in the lesion's tissue; none: that of the tissue library"
    )
    iodine_mg_ml: float = Field(default=0.0, ge=0, le=50, description="iodine taken up by the lesion")
    gadolinium_mg_ml: float = Field(default=0.0, ge=0, le=50, description="gadolinium taken up by the lesion")
    lobes: tuple[Count, Count] = Field(default=(5, 9), description="of a lobulated lesion, beside its core")
    spicules: tuple[Count, Count] = Field(default=(12, 24), description="of a spiculated lesion")
    content: str = Field(default="air", description="what fills a cavity: air, necrosis, water, blood, ...")
    wall: tuple[Share, Share] = Field(default=(0.15, 0.4), description="mean wall of a cavity over its outer radius")
    calcification: str = Field(default="calcification_ha", description="tissue of calcifications")
    pattern: Literal["core", "rim", "popcorn"] = Field(default="core", description="where a calcified lesion has lime")
    calcified: tuple[Share, Share] = Field(
        default=(0.3, 0.6), description="radius of a core or of the popcorn over the lesion's; a rim is a quarter of it"
    )
    specks: float = Field(default=15.0, gt=0, le=300, description="mean number of microcalcifications, Poisson")
    speck_mm: PositiveRange = Field(default=(0.1, 0.6), description="length of a microcalcification, log-uniform")
    depth_mm: float = Field(
        default=0.0,
        ge=0,
        le=10000,
        description="centres lie within this depth around z = 0; 0: the slice z = 0 cuts all in half",
    )

    @model_validator(mode="after")
    def _check(self) -> Lesions:
        for tissue in (self.tissue, self.content, self.calcification):
            get(tissue)
        for name in ("diameter_mm", "lobes", "spicules", "wall", "calcified", "speck_mm"):
            low, high = getattr(self, name)
            if low > high:
                raise ValueError(f"{name} must be [smallest, largest], got {[low, high]}")
        if self.shape == "microcalcifications":
            room = self.diameter_mm[0] / self.speck_mm[1]
            if room < 4 or 20 * self.specks > room**3:
                raise ValueError(
                    f"{self.specks:g} specks of up to speck_mm = {self.speck_mm[1]:g} have no room in a cluster of "
                    f"diameter_mm = {self.diameter_mm[0]:g}: ask for fewer or smaller ones, or a larger cluster"
                )
        return self

    @property
    def matter(self) -> Tissue:
        """The lesion's own tissue, with its uptake and enhancement."""
        tissue = get(self.tissue)
        for element, amount in (("I", self.iodine_mg_ml), ("Gd", self.gadolinium_mg_ml)):
            if amount:
                tissue = tissue.with_element(element, amount)
        return tissue if self.suv is None else avid(tissue, self.suv)


def avid(tissue: Tissue, suv: float) -> Tissue:
    """Return a tissue with another uptake of FDG after an hour; its rate constants still give the curve its shape."""
    group = tissue.pet or Pet(fdg_suv=suv, fdg_suv_deviation=0.0, sources=("typ",), grade="C")
    group = replace(group, fdg_suv=suv, fdg_suv_deviation=0.0)
    return replace(tissue, name=f"{tissue.name} suv {suv:.6g}", title=f"{tissue.title}, SUV {suv:.4g}", pet=group)
