"""The photon-counting detector: a semiconductor whose pixels sort pulses into energy bins."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

from phantomsim.physics.errors import UnitError
from phantomsim.physics.xray.attenuation import Material
from phantomsim.physics.xray.event_classes import EventClasses, classify, pulse_heights
from phantomsim.physics.xray.photon_histories import Sensor, deposits
from phantomsim.physics.xray.pulse_pile_up import DeadTime
from phantomsim.physics.xray.spectrum import Spectrum

Float64 = npt.NDArray[np.float64]

THERMAL_VOLTAGE: Final = 0.02585
"""kT/q at 300 K [V]."""
N_HISTORIES: Final = 1 << 12
"""Photons followed at each energy: 5e5 over a tube's spectrum."""
CERTAIN: Final = 5.0
"""Standard deviations of the noise that the lowest threshold must keep from zero: noise alone then never counts."""


@dataclass(frozen=True)
class PhotonCountingDetector:
    """Pixels on one slab of semiconductor, each with a comparator and a counter for every threshold.

    A photon is followed through the slab (`photon_histories`). Its charge spreads over the pixel that it hits and the
    eight around, each adds electronic noise, and each counts on its own: one photon may count in several pixels, in
    low bins. Bin b counts pulses from threshold b up to the next one, the last bin all above.

    Parameters
    ----------
    material
        Density and composition of the semiconductor.
    thickness
        Of the slab [m].
    pitch
        Of the pixels, along rows and columns of the detector [m].
    thresholds
        Ascending [keV].
    electronic_noise
        Standard deviation of the energy of a pulse [keV].
    cloud
        Standard deviation of the charge where a photon has been absorbed [m].
    bias
        Voltage across the slab [V], which charge drifts down while it diffuses; infinite: it does not diffuse.
    charge_sharing
        Whether charge that lands on a neighbour counts there; else every deposit belongs to the pixel beneath it.
    fluorescence
        Whether excited atoms emit K radiation, which leaves or is absorbed elsewhere.
    fill_factor
        Part of the pixel's area that photons reach [1].
    dead_time
        How fast pulses pile up; None for a detector without limits.

    Raises
    ------
    UnitError
        If a value is out of its range or the thresholds do not ascend.
    """

    material: Material
    thickness: float
    pitch: tuple[float, float]
    thresholds: tuple[float, ...]
    electronic_noise: float = 0.0
    cloud: float = 0.0
    bias: float = np.inf
    charge_sharing: bool = True
    fluorescence: bool = True
    fill_factor: float = 1.0
    dead_time: DeadTime | None = None

    def __post_init__(self) -> None:
        for name, unit, value in (
            ("thickness", "m", self.thickness),
            ("pitch", "m", min(self.pitch)),
            ("fill_factor", "1", self.fill_factor),
        ):
            if not 0 < value < np.inf:
                raise UnitError(f"{name} must be positive [{unit}], got {value!r}")
        if self.fill_factor > 1:
            raise UnitError(f"fill_factor is at most 1, got {self.fill_factor!r}")
        if not self.bias > 0:
            raise UnitError(f"bias must be positive [V], got {self.bias!r}")
        for name, unit, value in (("electronic_noise", "keV", self.electronic_noise), ("cloud", "m", self.cloud)):
            if not 0 <= value < np.inf:
                raise UnitError(f"{name} must not be negative [{unit}], got {value!r}")
        steps = np.diff(self.thresholds)
        if not 1 <= len(self.thresholds) <= 15 or not np.all(steps > 0) or not np.all(np.isfinite(self.thresholds)):
            raise UnitError(f"thresholds must ascend [keV], 1 to 15 of them, got {self.thresholds}")
        if not self.thresholds[0] > CERTAIN * self.electronic_noise or not self.thresholds[0] > 0:
            raise UnitError(
                f"the lowest threshold must lie above 0 and {CERTAIN:g} standard deviations of the noise, or noise "
                f"alone counts; got {self.thresholds[0]!r} keV with {self.electronic_noise!r} keV of noise"
            )

    @property
    def n_bins(self) -> int:
        """Number of energy bins."""
        return len(self.thresholds)

    @property
    def sensor(self) -> Sensor:
        """What photons meet."""
        return Sensor(self.material, self.thickness, self.fluorescence)

    def classes(self, energy: Float64) -> EventClasses:
        """Return what photons of each energy [keV] do, as classes of equal counts; kept for the next call."""
        return _classes(_Response(self), np.asarray(energy, dtype=np.float64).tobytes())

    def spread(self, depth: Float64) -> Float64:
        """Return the standard deviation of the charge on the pixels, from a depth below the face (…) [m].

        Charge that drifts a distance d down a voltage U across a thickness L diffuses by σ² = 2 (kT/q) d L / U.
        """
        if not self.charge_sharing:
            return np.zeros_like(depth)
        drift = self.thickness - depth
        return np.sqrt(self.cloud**2 + 2 * THERMAL_VOLTAGE * drift * self.thickness / self.bias)

    def quanta(self, spectrum: Spectrum, exposure: float, distance: float) -> Float64:
        """Return the expected number of photons on a pixel with no object in the beam.

        Parameters
        ----------
        spectrum
            What leaves the tube.
        exposure
            Tube load of one reading [mAs].
        distance
            From the focal spot to the pixel [m].

        Returns
        -------
            Photons of each energy, whether or not they interact (energy) [1].

        Raises
        ------
        UnitError
            If exposure or distance is not positive.
        """
        for name, unit, value in (("exposure", "mAs", exposure), ("distance", "m", distance)):
            if not 0 < value < np.inf:
                raise UnitError(f"{name} of a reading must be positive [{unit}], got {value!r}")
        photons: Float64 = spectrum.fluence * (exposure / distance**2 * self.pitch[0] * self.pitch[1])
        return photons * self.fill_factor


class _Response:
    """A detector as a key of the cache: mass fractions are a mapping, which has no hash."""

    def __init__(self, detector: PhotonCountingDetector) -> None:
        density, fractions = detector.material
        self.detector = detector
        rest = tuple(getattr(detector, f.name) for f in fields(detector) if f.name not in ("material", "dead_time"))
        self.values = (density, tuple(fractions.items()), rest)

    def __hash__(self) -> int:
        return hash(self.values)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Response) and self.values == other.values


@lru_cache(maxsize=16)
def _classes(response: _Response, energies: bytes) -> EventClasses:
    detector, energy = response.detector, np.frombuffer(energies)
    histories = deposits(detector.sensor, energy, N_HISTORIES)
    pulses = pulse_heights(
        histories,
        pitch=detector.pitch,
        spread=detector.spread(histories.position[0]),
        electronic_noise=detector.electronic_noise,
    )
    return classify(energy, pulses, histories.efficiency, detector.thresholds)
