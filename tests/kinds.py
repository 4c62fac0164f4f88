"""Small kinds of phantom, scanner and reconstructor for tests of recipes: fields and limits, no physics."""

from typing import Annotated, Any, ClassVar, Literal

import pytest
from pydantic import Field, model_validator

from phantomsim.registry import Registry
from phantomsim.scanners.scanner import Scanner, Take, Truth
from phantomsim.spec import Spec

Count = Annotated[int, Field(ge=1, le=65536)]


class Blobs(Spec):
    """Blobs of tissue.

    More about blobs.
    """

    kind: Literal["blobs"]
    count: int = Field(3, ge=0, le=1000)
    diameter_mm: float = Field(10.0, gt=0, le=500)
    centre_mm: tuple[float, float, float] = (0.0, 0.0, 0.0)
    tissue: Literal["liver", "kidney", "spleen"] = "liver"
    metal: bool = False


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

    Take: ClassVar[type[Take]] = Dose
    Truth: ClassVar[type[Truth]] = Map
    kind: Literal["machine"]
    geometry: Annotated[Fan | Parallel, Field(discriminator="kind")]
    tube: Tube = Tube()

    def simulate(self, phantom: Any, key: Any) -> Any:
        raise NotImplementedError

    detect = truth = operator = simulate


class Inverse(Spec):
    """An inverse."""

    kind: Literal["inverse"]
    window: Literal["ramp", "hann"] = "ramp"


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
        for module in ("phantomsim.registry", "phantomsim.dataset.drawn"):
            patch.setattr(f"{module}.{name}", registry)
