"""X-ray computed tomography: parallel and fan beams in planes of constant z."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from phantomsim.physics.xray.geometry import FanBeam, ParallelBeam, PlanarScan
from phantomsim.scanners.scanner import Scanner, Take, Truth
from phantomsim.spec import Spec

Count = Annotated[int, Field(ge=1, le=65536)]
Positive = Annotated[float, Field(gt=0)]


class ParallelGeometry(Spec):
    """Parallel rays, as from a synchrotron or a rebinned fan."""

    kind: Literal["parallel"]
    n_views: Count
    n_columns: Count
    pitch_mm: Positive
    first_angle_deg: float = 0.0
    column_offset: float = Field(0.0, ge=-1, le=1, description="shift of the detector in columns, 0.25 for a quarter")
    angular_range_deg: float = Field(180.0, gt=0, le=360)
    source_to_detector_mm: Positive = Field(1000.0, description="distance that sets the fluence at the detector")

    def scan(self, n_views: int) -> ParallelBeam:
        """Return the geometry with `n_views` of the views."""
        fields = self.si("n_columns", "pitch", "first_angle", "column_offset", "angular_range")
        return ParallelBeam(n_views=n_views, **fields)


class FanGeometry(Spec):
    """A point source and a row of detector columns, flat or on an arc around the source, that circle the axis."""

    kind: Literal["fan-flat", "fan-arc"]
    n_views: Count
    n_columns: Count
    pitch_mm: Positive
    first_angle_deg: float = 0.0
    column_offset: float = Field(0.0, ge=-1, le=1, description="shift of the detector in columns, 0.25 for a quarter")
    angular_range_deg: float = Field(360.0, gt=0, le=360)
    source_to_axis_mm: Positive
    source_to_detector_mm: Positive

    def scan(self, n_views: int) -> FanBeam:
        """Return the geometry with `n_views` of the views."""
        fields = self.si("n_columns", "pitch", "first_angle", "column_offset", "angular_range")
        fields |= self.si("source_to_axis", "source_to_detector")
        return FanBeam(n_views=n_views, detector="arc" if self.kind == "fan-arc" else "flat", **fields)


Geometry = Annotated[ParallelGeometry | FanGeometry, Field(discriminator="kind")]
