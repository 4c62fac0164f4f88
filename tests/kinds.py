"""Small kinds of phantom, scanner and reconstructor for tests of recipes and commands; no physics."""

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import pytest
import xarray as xr
from pydantic import Field, model_validator

from phantomsim.dataset.recipe.distribution import unit
from phantomsim.physics.grid import Grid
from phantomsim.physics.rng import Key
from phantomsim.registry import Registry
from phantomsim.scanners.scanner import Scanner, Take, Truth
from phantomsim.spec import Spec

Count = Annotated[int, Field(ge=1, le=65536)]


@dataclass(frozen=True)
class Body:
    """A number and a table."""

    value: float
    truths: dict[str, Any]
    subject: str | None = None
    motion: ClassVar[None] = None
    tissues: ClassVar[Any] = (SimpleNamespace(name="air"), SimpleNamespace(name="liver"))

    def to(self, device: str) -> "Body":
        return self

    def without(self, parts: tuple[str, ...]) -> "Body":
        return self

    def labels(self, grid: Grid) -> Any:
        return np.full(grid.shape, 1, np.uint8)


def _image(value: float, grid: Grid) -> xr.DataArray:
    values = np.full(grid.shape, value, np.float32) + np.arange(grid.shape[2], dtype=np.float32)
    coords = {axis: (axis, grid.coordinates(i), {"units": "m"}) for i, axis in enumerate("zyx")}
    return xr.DataArray(values, coords, ("z", "y", "x"), attrs={"units": "HU", "long_name": "CT number"})


class Blobs(Spec):
    """Blobs of tissue.

    More about blobs.
    """

    kind: Literal["blobs"]
    count: int = Field(3, ge=0, le=1000)
    diameter_mm: float = Field(10.0, gt=0, le=500)
    centre_mm: tuple[float, float, float] = (0.0, 0.0, 0.0)
    tissue: Literal["liver", "kidney", "spleen"] = "liver"
    brittle: bool = Field(False, description="fails where there are no blobs")

    def phantom(self, key: Key) -> Body:
        if self.brittle and not self.count:
            raise ZeroDivisionError("there are no blobs")
        rows = ({"part": "lesion", "centre_mm": (0.0, 0.0, 0.0), "diameter_mm": self.diameter_mm},)
        return Body(100 * unit(key), {"lesions": rows})


class Fan(Spec):
    """A fan."""

    kind: Literal["fan-flat", "fan-arc"]
    n_views: Count
    source_to_axis_mm: float = Field(gt=0)
    source_to_detector_mm: float = Field(gt=0)

    @model_validator(mode="after")
    def _in_order(self) -> "Fan":
        if self.source_to_detector_mm <= self.source_to_axis_mm:
            raise ValueError("source_to_detector_mm should be beyond source_to_axis_mm")
        return self


class Parallel(Spec):
    """Parallel rays."""

    kind: Literal["parallel"]
    n_views: Count


class Tube(Spec):
    """A tube."""

    kvp: float = Field(120.0, ge=20, le=150)
    filter_al_mm: float = Field(2.0, ge=0)


class Dose(Take):
    """A take with a dose."""

    exposure: float = Field(1.0, gt=0, le=1000)
    n_skipped: int = Field(0, ge=0)


class Map(Truth):
    """A map."""

    map: Literal["mu", "hu"]
    energy_kev: float = Field(70.0, gt=0)


class Machine(Scanner):
    """A machine."""

    take_spec: ClassVar[type[Take]] = Dose
    truth_spec: ClassVar[type[Truth]] = Map
    variables: ClassVar[tuple[str, ...]] = ("reading",)
    kind: Literal["machine"]
    geometry: Annotated[Fan | Parallel, Field(discriminator="kind")]
    tube: Tube = Tube()

    def simulate(self, phantom: Body, key: Key) -> xr.Dataset:
        return xr.Dataset({"signal": (("view", "row", "column"), np.full((4, 1, 8), phantom.value, np.float32))})

    def detect(self, signal: xr.Dataset, take: Any, key: Key | None) -> xr.Dataset:
        noise = 0.0 if key is None else unit(key) / take.exposure
        return xr.Dataset({"reading": (signal["signal"] + noise).astype(np.uint16).assign_attrs(units="1")})

    def truth(self, phantom: Body, truth: Any, grid: Grid) -> xr.DataArray:
        return _image(phantom.value, grid)

    def operator(self, data: Any, grid: Grid) -> Any:
        raise NotImplementedError


class Inverse(Spec):
    """An inverse."""

    kind: Literal["inverse"]
    window: Literal["ramp", "hann"] = "ramp"

    def reconstruct(self, products: Any, grid: Grid) -> xr.DataArray:
        data = products["data"]
        return _image(float(data["reading"].values.mean()), grid)


PHANTOMS = Registry("phantom", {"blobs": "tests.kinds:Blobs"})
SCANNERS = Registry("scanner", {"machine": "tests.kinds:Machine"})
RECONSTRUCTORS = Registry("reconstructor", {"inverse": "tests.kinds:Inverse"})

RECIPE = """
schema = 1
name = "small"
seed = 7
samples = 20

[phantom]
kind = "blobs"
count = { poisson = 2 }
diameter_mm = { uniform = [4, 20] }

[variant.bare]
without = ["metal"]

[grid.image]
shape = [1, 64, 64]
spacing_mm = [1.0, 0.75, 0.75]

[scan.ct]
kind = "machine"
geometry = { kind = "fan-arc", n_views = 90, source_to_axis_mm = 541, source_to_detector_mm = 949 }
tube = { kvp = { choice = [100, 120] } }

[scan.clean]
like = "scan.ct"
variant = "bare"

[take.low]
of = "scan.ct"
exposure = { loguniform = [0.25, 1.0] }

[take.clean]
of = "scan.clean"
like = "take.low"

[take.ladder]
of = "scan.ct"
noise = "low"
each = { exposure = [1.0, 0.5, 0.25] }

[image.low]
of = "take.low"
method = { kind = "inverse", window = "hann" }
grid = "image"

[image.better]
of = { data = "take.low", prior = "image.low" }
method = { kind = "inverse" }
grid = "image"

[truth.mu]
of = "scan.clean"
map = "mu"
energy_kev = 70
grid = "image"

[[pair]]
input = "image.low"
target = "truth.mu"
extra = ["take.low.reading", "phantom.labels"]
"""
"""A recipe of these kinds that uses every rule."""


def register(patch: pytest.MonkeyPatch) -> None:
    """Let recipes know these kinds and no others."""
    for name, registry in (("PHANTOMS", PHANTOMS), ("SCANNERS", SCANNERS), ("RECONSTRUCTORS", RECONSTRUCTORS)):
        for module in ("phantomsim.registry", "phantomsim.dataset.recipe.drawn"):
            patch.setattr(f"{module}.{name}", registry)
