"""X-ray computed tomography: parallel and fan beams in planes of constant z."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self, cast

import numpy as np
import numpy.typing as npt
import xarray as xr
from pydantic import Field, model_validator

from phantomsim import geometry, labelled
from phantomsim.physics.array import Array, namespace
from phantomsim.physics.errors import RecipeError
from phantomsim.physics.grid import Grid
from phantomsim.physics.rng import Key
from phantomsim.physics.xray.attenuation import linear_attenuation
from phantomsim.physics.xray.bowtie import Size, behind, bowtie_of
from phantomsim.physics.xray.channel_correction import ChannelCorrection, channel_correction
from phantomsim.physics.xray.cone import ConeBeam, Views
from phantomsim.physics.xray.correction import WATER, WaterCorrection, line_integrals, water_correction
from phantomsim.physics.xray.detector import EnergyIntegratingDetector
from phantomsim.physics.xray.geometry import FanBeam, ParallelBeam, PlanarScan
from phantomsim.physics.xray.noise import Beam, draw_readings, expected_readings
from phantomsim.physics.xray.ordered_subsets import projector
from phantomsim.physics.xray.readout import calibrated_energy, draw_pattern, expected_read_out, read_out
from phantomsim.physics.xray.response import energy_integrating
from phantomsim.physics.xray.spectrum import Spectrum
from phantomsim.scanners.ct_paths import moving_path_lengths, path_lengths
from phantomsim.scanners.ct_spec import (
    ConeGeometry,
    CTTake,
    CTTruth,
    EnergyIntegrating,
    Geometry,
    ParallelGeometry,
    Tube,
    material_of,
)
from phantomsim.scanners.scanner import Scanner, Take, Truth

if TYPE_CHECKING:
    from phantomsim.phantoms.phantom import Phantom
    from phantomsim.physics.operator import LinearOperator
    from phantomsim.tissues import Tissue

Float64 = npt.NDArray[np.float64]
DIMS = ("view", "row", "column")
MOST_READINGS = 2**31


class CT(Scanner):
    """X-ray CT of planes: parallel or fan beam, polychromatic tube, energy-integrating detector.

    The signal is the path length in each tissue, exact for scenes, by Joseph's projector for volumes. A take draws
    the energy that each reading absorbs, converts it, and corrects it as a scanner does: air scan, log, water beam
    hardening. Its line integrals are those of water-equivalent attenuation relative to air at `reference_kev`.
    """

    take_spec: ClassVar[type[Take]] = CTTake
    truth_spec: ClassVar[type[Truth]] = CTTruth
    variables: ClassVar[tuple[str, ...]] = ("reading", "line_integral")
    follows_motion: ClassVar[bool] = True

    kind: Literal["ct"]
    geometry: Geometry
    tube: Tube
    detector: EnergyIntegrating
    bowtie: Size | None = Field(None, description="filter that is thicker towards the edges of a fan or cone")
    n_rows: int = Field(1, ge=1, le=4096, description="planes measured, each by its own row")
    row_spacing_mm: float = Field(1.0, gt=0, le=1000, description="distance of the planes at the axis")
    reference_kev: float = Field(70.0, ge=10, le=300, description="energy at which water is calibrated")
    start_s: float = Field(0.0, description="when the first view is measured, on the phantom's clock")
    scan_s: float = Field(0.5, gt=0, le=3600, description="how long all views take")
    motion_frames: int = Field(24, ge=1, le=4096, description="steps in which a phantom moves during the scan")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.bowtie is not None and isinstance(self.geometry, ParallelGeometry):
            raise ValueError(f"bowtie = {self.bowtie!r} needs a fan or a cone beam; leave it out for parallel rays")
        if isinstance(self.geometry, ConeGeometry) and "n_rows" in self.model_fields_set:
            raise ValueError("n_rows of a cone beam belongs into its geometry; here it counts planes of a fan")
        n_readings = self.geometry.n_views * self.geometry.n_columns * len(self.rows)
        if n_readings > MOST_READINGS:
            raise ValueError(
                f"n_views x n_columns x n_rows = {n_readings:.3g}; the limit is {MOST_READINGS:.3g} readings"
            )
        return self

    @property
    def rows(self) -> Float64:
        """Position of each measured plane, or of a cone beam's rows at the axis (row) [m]."""
        if isinstance(self.geometry, ConeGeometry):
            beam = self.geometry.scan()
            return beam.rows * beam.source_to_axis / beam.source_to_detector
        return 1e-3 * self.row_spacing_mm * (np.arange(self.n_rows, dtype=np.float64) - (self.n_rows - 1) / 2)

    def check(self, take: Take) -> None:
        """Refuse a dose that saturates the converter, and sparse views that are not equally spaced."""
        take = cast("CTTake", take)
        if take.exposure > self.detector.headroom:
            raise RecipeError(
                f"exposure = {take.exposure:g} saturates the converter, whose headroom is {self.detector.headroom:g}"
            )
        if self.geometry.n_views % take.keep_every:
            raise RecipeError(f"keep_every = {take.keep_every} does not divide {self.geometry.n_views} views")

    def simulate(self, phantom: Phantom, key: Key) -> xr.Dataset:
        """Measure how far each ray runs in each tissue.

        Parameters
        ----------
        phantom
            What is scanned; its background fills the air scan too. Contrast agent is that of the middle of the scan;
            motion goes on in `motion_frames` steps.
        key
            Not used: the rays hold no randomness.

        Returns
        -------
            ``path_length`` (view, row, column, material) [m] of every tissue but the background.
        """
        scan = self.geometry.scan()
        phantom = phantom.enhanced(self.start_s + self.scan_s / 2)
        place = (scan, self.rows, 1e-3 * self.row_spacing_mm)
        if phantom.motion is None:
            lengths = path_lengths(phantom, *place)
        else:
            steps = (np.arange(self.motion_frames) + 0.5) / self.motion_frames
            lengths = moving_path_lengths(phantom, *place, self.start_s + self.scan_s * steps)
        attrs = {"units": "m", "long_name": "path length in each tissue"}
        names = [tissue.name for tissue in phantom.tissues[1:]]
        return xr.Dataset(
            {"path_length": ((*DIMS, "material"), lengths, attrs)},
            {**_coordinates(scan, self.rows), "material": names},
            {"geometry": geometry.to_json(scan, self.rows), "tissues": phantom.tissues},
        )

    def detect(self, signal: xr.Dataset, take: Take, key: Key | None) -> xr.Dataset:
        """Read a scan, or keep some views of a reading.

        Parameters
        ----------
        signal
            From `simulate`, or the data of another take of this scan.
        take
            Dose, views and floor.
        key
            Stream of the noise; None for the expectation.

        Returns
        -------
            ``reading`` (view, row, column) [counts], integers unless an expectation, and ``line_integral``
            (view, row, column) [1], normalised by the air scan and corrected for beam hardening in water.

        Raises
        ------
        RecipeError
            If the take asks for views that do not divide the scan's, for a dose that saturates the converter, or for
            another dose of what is read already.
        """
        take = cast("CTTake", take)
        self.check(take)
        if take.keep_every > 1:
            signal = _sparse(signal, take.keep_every)
        if "reading" in signal:
            if take.exposure != 1:
                raise RecipeError(f"exposure = {take.exposure:g}: a reading has its dose; make this a take of the scan")
            return signal
        background, *materials = signal.attrs["tissues"]
        spectrum = self.tube.spectrum()
        quanta = self._quanta(spectrum)
        mu = linear_attenuation([material_of(t) for t in materials], spectrum.energy)
        (surrounding,) = linear_attenuation([material_of(background)], spectrum.energy)
        mu, lengths = mu - surrounding, signal["path_length"].data
        xp = namespace(lengths)
        air: float | Float64 = float(quanta @ spectrum.energy)  # what a reading absorbs without an object
        attrs: dict[str, str] = {}
        correction: WaterCorrection | ChannelCorrection
        if self.bowtie is None:
            correction = water_correction(
                spectrum.energy, quanta, self.reference_kev, background=material_of(background)
            )
            response = energy_integrating(spectrum.energy, quanta, self.reference_kev, material_of(background))
            attrs["response"] = response.to_json()
        else:
            filtering, through = self._bowtie(spectrum.energy)
            open_beam = behind(quanta, filtering, through)
            air = np.asarray(open_beam @ spectrum.energy)
            correction = channel_correction(
                spectrum.energy, open_beam, self.reference_kev, background=material_of(background)
            )
            mu = np.concatenate([mu, filtering])
            filters = xp.asarray(through, lengths.dtype)
            lengths = xp.concatenate([lengths, xp.broadcast_to(filters, (*lengths.shape[:-1], 1))], axis=-1)
        beam = Beam(spectrum.energy, quanta, mu)
        detector = self.detector.at(float(np.max(air)))
        dose = xp.asarray(take.exposure * self.geometry.relative_flux(), lengths.dtype)
        reading, energy = self._read(key, lengths, beam, detector, dose)
        air_scan = xp.asarray(air, lengths.dtype) * dose
        integrals = line_integrals(energy, air_scan, take.floor_kev)
        return xr.Dataset(
            {
                "reading": (DIMS, reading, {"units": "counts", "long_name": "detector reading"}),
                "line_integral": (
                    DIMS,
                    correction(integrals),
                    {"units": "1", "long_name": "line integral, water-corrected"},
                ),
            },
            {name: signal.coords[name] for name in DIMS},
            {"geometry": signal.attrs["geometry"], "mu_water_per_m": correction.mu_water, **attrs},
        )

    def _read(
        self, key: Key | None, lengths: Array, beam: Beam, detector: EnergyIntegratingDetector, dose: Array
    ) -> tuple[Array, Array]:
        """Return readings [counts], and the energy [keV] that the scanner takes them for (view, row, column)."""
        effects = self.detector.effects
        if effects is None:
            draw = partial(draw_readings, key) if key is not None else expected_readings
            reading = draw(lengths, beam, detector, dose)
            return reading, detector.absorbed_energy(reading)
        readout = effects.at(self.scan_s / lengths.shape[0])
        pattern = draw_pattern(Key(effects.seed).fold("detector"), readout, lengths.shape[1:3], lengths)
        read = partial(read_out, key) if key is not None else expected_read_out
        reading = read(lengths, beam, detector, readout, pattern, dose)
        return reading, calibrated_energy(reading, detector, pattern)

    def truth(self, phantom: Phantom, truth: Truth, grid: Grid) -> xr.DataArray:
        """Return attenuation [1/m] or CT number [HU] at one energy, both relative to the background, or density.

        All are of the middle of the scan unless `time_s` says otherwise; ``"displacement"`` is how far each point has
        moved by then (axis, z, y, x) [m].
        """
        truth = cast("CTTruth", truth)
        middle = self.start_s + self.scan_s / 2
        if truth.map == "displacement":
            return _displacement(phantom, grid, middle if truth.time_s is None else truth.time_s)
        phantom = phantom.at(middle if truth.time_s is None else truth.time_s)
        if truth.map == "density":
            return labelled.image(phantom.map("density", grid), grid, "kg/m3", "mass density")
        energy = np.array([truth.energy_kev])
        background = material_of(phantom.tissues[0])
        water, air = linear_attenuation([WATER, background], energy)[:, 0]

        def attenuation(tissue: Tissue) -> float:
            return float(linear_attenuation([material_of(tissue)], energy)[0, 0] - air)

        values = phantom.map(attenuation, grid)
        at = f"at {truth.energy_kev:g} keV"
        if truth.map == "mu":
            return labelled.image(values, grid, "1/m", f"linear attenuation {at}")
        hu = 1000 * (values / values.dtype.type(water - air) - 1)
        return labelled.image(hu, grid, "HU", f"CT number {at}")

    def operator(self, data: xr.Dataset, grid: Grid) -> LinearOperator:
        """Return the projector of attenuation on a grid onto a take's line integrals, from the data alone."""
        scan, _ = geometry.from_json(data.attrs["geometry"])
        return projector(scan, grid)

    def _bowtie(self, energy: Float64) -> tuple[Float64, Float64]:
        """Return attenuation (1, energy) [1/m] and path lengths (column, 1) or (row, column, 1) [m] of the bowtie."""
        scan = self.geometry.scan()
        if self.bowtie is None or isinstance(scan, ParallelBeam):
            raise RecipeError("a parallel beam has no bowtie")
        bowtie = bowtie_of(self.bowtie, scan.source_to_axis)
        if isinstance(scan, FanBeam):
            lengths = bowtie.lengths(scan.fan_angles)
        else:
            fan = scan.columns / scan.source_to_detector
            fan = np.arctan(fan) if scan.surface == "flat" else fan
            lengths = bowtie.lengths(fan, np.arctan(scan.rows[:, None] / scan.source_to_detector))
        return linear_attenuation([bowtie.material], energy), lengths[..., None]

    def _quanta(self, spectrum: Spectrum) -> Float64:
        """Return the photons that a reading at the centre absorbs in air at exposure 1 (energy)."""
        lengths = self.geometry.si() | self.detector.si("row_height")
        cone = isinstance(self.geometry, ConeGeometry)
        sides = ("row_pitch", "column_pitch") if cone else ("pitch", "row_height")
        return self.detector.at(1.0).quanta(
            spectrum,
            self.tube.rotation_mas / self.geometry.n_views,
            lengths["source_to_detector"],
            lengths[sides[0]] * lengths[sides[1]],
        )


def _sparse(signal: xr.Dataset, keep_every: int) -> xr.Dataset:
    scan, z = geometry.from_json(signal.attrs["geometry"])
    if scan.n_views % keep_every:
        raise RecipeError(f"keep_every = {keep_every} does not divide {scan.n_views} views")
    if isinstance(scan, Views):
        kept: geometry.Scan = scan.part(slice(None, None, keep_every))
    else:
        kept = replace(scan, n_views=scan.n_views // keep_every)
    return signal.isel(view=slice(None, None, keep_every)).assign_attrs(geometry=geometry.to_json(kept, z))


def _displacement(phantom: Phantom, grid: Grid, time: float) -> xr.DataArray:
    scalar = labelled.image(np.zeros(grid.shape, np.float32), grid, "m", "displacement from rest")
    moved = xr.DataArray(phantom.displacement(grid, time), dims=("axis", *scalar.dims), attrs=scalar.attrs)
    return moved.assign_coords({**scalar.coords, "axis": list("zyx")})


def _coordinates(scan: PlanarScan | ConeBeam, rows: Float64) -> Mapping[str, Any]:
    return {
        "view": ("view", scan.angles, {"units": "rad", "long_name": "view angle"}),
        "row": ("row", rows, {"units": "m", "long_name": "position of the measured plane towards the head"}),
        "column": ("column", scan.columns, {"units": "m", "long_name": "position on the detector"}),
    }
