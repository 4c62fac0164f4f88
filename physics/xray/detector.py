"""The energy-integrating detector: a scintillator, an amplifier and a converter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from phantomsim.physics.array import Array, namespace
from phantomsim.physics.errors import UnitError
from phantomsim.physics.xray.attenuation import Material, linear_attenuation
from phantomsim.physics.xray.spectrum import Spectrum

Float64 = npt.NDArray[np.float64]


@dataclass(frozen=True)
class EnergyIntegratingDetector:
    """A detector whose reading is the energy absorbed in its scintillator.

    A photon that is absorbed leaves all of its energy: neither fluorescence that escapes nor cross-talk is modelled.
    Electronic noise is normal and stated at the input, as an energy, so that it does not change with the gain. The
    reading is ``clip(round(gain · (energy + noise) + offset), 0, 2^bits − 1)``.

    Parameters
    ----------
    material
        Density and composition of the scintillator.
    thickness
        Depth of the scintillator along the beam [m].
    gain
        Counts of the converter for each keV absorbed [1/keV].
    electronic_noise
        Standard deviation of the noise of one reading [keV].
    fill_factor
        Part of the pixel's area that is sensitive [1].
    swank
        Swank factor of the conversion: 1 if every photon of one energy gives the same light [1].
    bits
        Of the converter, 1 to 24: float32 holds such readings exactly.
    offset
        Reading without any signal [counts]; several times ``gain · electronic_noise``, or noise is cut off at 0.

    Raises
    ------
    UnitError
        If a value is out of its range.
    """

    material: Material
    thickness: float
    gain: float
    electronic_noise: float = 0.0
    fill_factor: float = 1.0
    swank: float = 1.0
    bits: int = 20
    offset: float = 0.0

    def __post_init__(self) -> None:
        for name, unit in (("thickness", "m"), ("gain", "counts/keV"), ("fill_factor", "1"), ("swank", "1")):
            if not 0 < getattr(self, name) < np.inf:
                raise UnitError(f"{name} must be positive [{unit}], got {getattr(self, name)!r}")
        if self.fill_factor > 1 or self.swank > 1:
            raise UnitError(f"fill_factor and swank are at most 1, got {self.fill_factor!r} and {self.swank!r}")
        if not 0 <= self.electronic_noise < np.inf:
            raise UnitError(f"electronic_noise must not be negative [keV], got {self.electronic_noise!r}")
        if not 1 <= self.bits <= 24 or not 0 <= self.offset <= self.largest:
            raise UnitError(
                f"bits must be 1 to 24 and offset within the range of the converter [counts], got {self.bits!r} and "
                f"{self.offset!r}"
            )

    @property
    def largest(self) -> int:
        """Reading at which the converter saturates [counts]."""
        return (1 << self.bits) - 1

    @property
    def dtype(self) -> np.dtype[Any]:
        """Smallest unsigned integer, of 16 or 32 bits, that holds every reading."""
        return np.dtype(np.uint16 if self.bits <= 16 else np.uint32)

    def absorption(self, energy: Float64) -> Float64:
        """Return the probability that a photon [keV] on the sensitive area is absorbed (energy) [1]."""
        (mu,) = linear_attenuation([self.material], energy)
        absorbed: Float64 = -np.expm1(-mu * self.thickness)
        return absorbed

    def quanta(self, spectrum: Spectrum, exposure: float, distance: float, area: float) -> Float64:
        """Return the expected number of photons that a reading absorbs with no object in the beam.

        Parameters
        ----------
        spectrum
            What leaves the tube.
        exposure
            Tube load of one reading [mAs].
        distance
            From the focal spot to the pixel [m].
        area
            Of the pixel, as the beam sees it [m²].

        Returns
        -------
            Photons of each energy (energy) [1].

        Raises
        ------
        UnitError
            If exposure, distance or area is not positive.
        """
        for name, unit, value in (
            ("exposure", "mAs", exposure),
            ("distance", "m", distance),
            ("area", "m²", area),
        ):
            if not 0 < value < np.inf:
                raise UnitError(f"{name} of a reading must be positive [{unit}], got {value!r}")
        per_area = spectrum.fluence * exposure / distance**2  # fluence is that at 1 m
        return per_area * area * self.fill_factor * self.absorption(spectrum.energy)

    def absorbed_energy(self, reading: Array) -> Array:
        """Return the energy that readings stand for, float32 [keV]."""
        xp = namespace(reading)
        return (reading.astype(xp.float32) - xp.float32(self.offset)) * xp.float32(1 / self.gain)
