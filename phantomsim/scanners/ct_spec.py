"""What a recipe says of a CT scanner, of its takes and of its truths."""

from __future__ import annotations

from typing import Annotated, Final, Literal, Self

import numpy as np
import numpy.typing as npt
from pydantic import Field, field_validator, model_validator

from phantomsim import tissues
from phantomsim.physics.xray.attenuation import Material
from phantomsim.physics.xray.cone import ConeBeam, Surface
from phantomsim.physics.xray.detector import EnergyIntegratingDetector
from phantomsim.physics.xray.geometry import FanBeam, ParallelBeam
from phantomsim.physics.xray.readout import Readout
from phantomsim.physics.xray.spectrum import Spectrum, tube_spectrum
from phantomsim.physics.xray.spreading import Decay
from phantomsim.scanners.scanner import Take, Truth
from phantomsim.spec import Spec
from phantomsim.tissues import Tissue

Float64 = npt.NDArray[np.float64]
Count = Annotated[int, Field(ge=1, le=65536)]
Positive = Annotated[float, Field(gt=0)]
SURFACES: Final[dict[str, Surface]] = {"cone-flat": "flat", "cone-cylinder": "cylinder", "cone-sphere": "sphere"}


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

    @model_validator(mode="after")
    def _possible(self) -> Self:
        self.scan()
        return self

    def scan(self) -> ParallelBeam:
        """Return the geometry in SI."""
        return ParallelBeam(**self.si("n_views", "n_columns", "pitch", "first_angle", "column_offset", "angular_range"))

    def relative_flux(self) -> Float64:
        """Return the photons of each column's pixel over those at the centre (column)."""
        return np.ones(self.n_columns)


class FanGeometry(Spec):
    """A point source and a row of detector columns, flat or on an arc around the source, that circle the axis."""

    kind: Literal["fan-flat", "fan-arc"]
    n_views: Count
    n_columns: Count
    pitch_mm: Positive
    first_angle_deg: float = 0.0
    column_offset: float = Field(
        0.0, description="shift of the detector in columns: 0.25 for a quarter, nearly half of them for a half fan"
    )
    angular_range_deg: float = Field(360.0, gt=0, le=360)
    source_to_axis_mm: Positive
    source_to_detector_mm: Positive

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if abs(self.column_offset) >= self.n_columns / 2:
            raise ValueError(
                f"column_offset = {self.column_offset:g} takes the central ray off a detector of {self.n_columns} "
                "columns: it must be below half of them"
            )
        self.scan()
        return self

    def scan(self) -> FanBeam:
        """Return the geometry in SI."""
        fields = self.si("n_views", "n_columns", "pitch", "first_angle", "column_offset", "angular_range")
        fields |= self.si("source_to_axis", "source_to_detector")
        return FanBeam(detector="arc" if self.kind == "fan-arc" else "flat", **fields)

    def relative_flux(self) -> Float64:
        """Return the photons of each column's pixel over those at the centre: cos³ γ on a flat panel (column)."""
        return np.cos(self.scan().fan_angles) ** 3 if self.kind == "fan-flat" else np.ones(self.n_columns)


class ConeGeometry(Spec):
    """A point source and an area detector that circle the axis or follow a helix: flat, or bent about the source."""

    kind: Literal["cone-flat", "cone-cylinder", "cone-sphere"]
    n_views: Count
    n_rows: Count
    n_columns: Count
    row_pitch_mm: Positive = Field(description="distance of rows on the detector")
    column_pitch_mm: Positive = Field(description="distance of columns on the detector")
    source_to_axis_mm: Positive
    source_to_detector_mm: Positive
    first_angle_deg: float = 0.0
    angular_range_deg: float = Field(360.0, gt=0, le=36000, description="more than one turn for a helix")
    row_offset: float = Field(0.0, description="shift of the detector in rows")
    column_offset: float = Field(0.0, description="shift of the detector in columns; half a panel for a half fan")
    feed_mm: float = Field(0.0, description="of the table, a turn: a helix")
    tilt_deg: float = Field(0.0, ge=-45, le=45, description="of the gantry about x, its back towards the head")
    spots_mm: tuple[tuple[float, float], ...] = Field(
        (), description="flying focal spot: displacements along columns and rows, one a view in turn"
    )
    tile_columns: int = Field(0, ge=0, description="columns of a tile of the detector; 0: it is one")
    tile_gap_mm: float = Field(0.0, ge=0, description="between tiles")

    @model_validator(mode="after")
    def _possible(self) -> Self:
        self.scan()
        return self

    def scan(self) -> ConeBeam:
        """Return the geometry in SI."""
        fields = self.si()
        del fields["kind"]
        return ConeBeam(surface=SURFACES[self.kind], **fields)

    def relative_flux(self) -> Float64:
        """Return the photons of each pixel over those of one that the central ray meets (row, column).

        A pixel whose surface a ray of length L meets at an angle θ to its normal sees cos θ / L² of them.
        """
        beam = self.scan()
        across = beam.columns if beam.surface == "flat" else np.zeros(self.n_columns)
        up = np.zeros(self.n_rows) if beam.surface == "sphere" else beam.rows
        cosine = beam.source_to_detector / np.sqrt(beam.source_to_detector**2 + across**2 + up[:, None] ** 2)
        return np.asarray(cosine**3)


Geometry = Annotated[ParallelGeometry | FanGeometry | ConeGeometry, Field(discriminator="kind")]


class Tube(Spec):
    """A tube with a tungsten target and flat filters.

    Spectra come from SpekPy; each filter attenuates by xraylib's cross sections.
    """

    kvp: float = Field(ge=20, le=300, description="tube potential")
    rotation_mas: float = Field(gt=0, le=1e5, description="tube load of all views together")
    anode_angle_deg: float = Field(10.0, ge=4, le=45)
    filter_al_mm: float = Field(0.0, ge=0, le=100)
    filter_cu_mm: float = Field(0.0, ge=0, le=10)
    filter_ti_mm: float = Field(0.0, ge=0, le=20)
    filter_sn_mm: float = Field(0.0, ge=0, le=5)

    def spectrum(self) -> Spectrum:
        """Return the filtered spectrum 1 m from the focal spot."""
        values = self.si()
        filters = {"aluminum": "filter_al", "copper": "filter_cu", "titanium": "filter_ti", "tin": "filter_sn"}
        filtration = [
            (material_of(tissues.get(name)), values[field]) for name, field in filters.items() if values[field] > 0
        ]
        return tube_spectrum(self.kvp, values["anode_angle"], filtration)


class DetectorEffects(Spec):
    """What a real detector adds: signal that leaks and lingers, uneven pixels, and what calibration leaves of it."""

    xray_crosstalk: tuple[float, float] = Field((0.0, 0.0), description="share to each neighbour: next row, column")
    optical_crosstalk: tuple[float, float] = Field((0.0, 0.0), description="share to each neighbour: next row, column")
    afterglow: tuple[tuple[float, float], ...] = Field((), description="share and time constant [ms] of each component")
    gain_spread: float = Field(
        0.0, ge=0, le=0.2, description="deviation of the pixels' gains, known to the calibration"
    )
    gain_error: float = Field(0.0, ge=0, le=0.2, description="deviation of the calibration from them: rings")
    gain_drift: float = Field(0.0, ge=0, le=0.2, description="deviation of the gains' change over the scan")
    offset_drift_kev: float = Field(0.0, ge=0, description="deviation of the offsets' change over the scan")
    dead_fraction: float = Field(0.0, ge=0, le=0.5, description="of the pixels, filled in from their rows")
    seed: int = Field(0, ge=0, description="of the pixels' pattern: one seed is one detector, in every sample")

    @model_validator(mode="after")
    def _possible(self) -> Self:
        self.at(1.0)
        return self

    def at(self, view_time: float) -> Readout:
        """Return the effects of views so far apart [s]."""
        fields = self.si()
        decays = tuple(Decay(share, 1e-3 * time) for share, time in fields.pop("afterglow"))
        del fields["seed"]
        return Readout(decays=decays, view_time=view_time, **fields)


class EnergyIntegrating(Spec):
    """A scintillator that is read out as absorbed energy, with an amplifier and a converter."""

    kind: Literal["energy-integrating"]
    material: str = Field("gos", description="scintillator, a tissue of the library")
    thickness_mm: float = Field(1.4, gt=0, le=50)
    row_height_mm: float = Field(1.0, gt=0, le=100, description="height of a pixel on the detector")
    fill_factor: float = Field(0.9, gt=0, le=1)
    swank: float = Field(1.0, gt=0, le=1, description="1 if photons of one energy all give the same light")
    electronic_noise_kev: float = Field(500.0, ge=0, description="standard deviation of one reading")
    bits: int = Field(20, ge=8, le=24, description="of the converter")
    headroom: float = Field(1.25, ge=1, le=1e4, description="exposure at which the air scan saturates the converter")
    effects: DetectorEffects | None = Field(None, description="cross-talk, afterglow, uneven and dead pixels")

    @field_validator("material")
    @classmethod
    def _known(cls, name: str) -> str:
        tissues.get(name)
        return name

    def at(self, air: float) -> EnergyIntegratingDetector:
        """Return the detector, its converter set for an air scan that absorbs so much energy [keV].

        Six standard deviations of electronic noise lie below the offset, and above it the headroom.
        """
        values = self.si("thickness", "fill_factor", "swank", "bits", "electronic_noise")
        noise = 6 * self.electronic_noise_kev
        gain = (2**self.bits - 1) / (self.headroom * air + noise)
        material = material_of(tissues.get(self.material))
        return EnergyIntegratingDetector(material, gain=gain, offset=gain * noise, **values)


class CTTake(Take):
    """One reading of a scan: how much dose, which views, and where the log is cut."""

    exposure: float = Field(1.0, gt=0, le=1e4, description="dose relative to the tube's rotation_mas")
    keep_every: int = Field(1, ge=1, le=65536, description="sparse views: only every n-th is measured")
    floor_kev: float = Field(30.0, gt=0, description="absorbed energy below which a reading is clamped before the log")


class CTTruth(Truth):
    """A property as CT sees it: attenuation, or the CT number, at one energy, relative to the air around."""

    map: Literal["mu", "hu", "density", "displacement"]
    energy_kev: float = Field(70.0, ge=1, le=1000)
    time_s: float | None = Field(None, description="on the phantom's clock; by default the middle of the scan")


def material_of(tissue: Tissue) -> Material:
    """Return density and composition as the physics takes them."""
    return tissue.density, tissue.mass_fractions
