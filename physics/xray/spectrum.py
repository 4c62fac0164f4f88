"""Spectra of X-ray tubes."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import platformdirs
from scipy.optimize import brentq

from phantomsim.physics.constants import ELEMENTARY_CHARGE
from phantomsim.physics.errors import UnitError
from phantomsim.physics.photons.interactions import mass_energy_absorption
from phantomsim.physics.xray.attenuation import Material, linear_attenuation

Float64 = npt.NDArray[np.float64]

AIR: Final[Mapping[str, float]] = {"C": 0.000124, "N": 0.755268, "O": 0.231781, "Ar": 0.012827}
"""Mass fractions of dry air near sea level (NIST SRD 126, table 2)."""
ALUMINIUM: Final[Material] = (2699.0, {"Al": 1.0})
BIN_WIDTH: Final = 1.0
"""Width of the energy bins of `tube_spectrum` [keV]."""


@dataclass(frozen=True, eq=False)
class Spectrum:
    """Photons by energy.

    Parameters
    ----------
    energy
        Bin centres, rising (energy) [keV].
    fluence
        Photons in each bin per area and tube load, 1 m from the focal spot (energy) [1/(m² mAs)].

    Raises
    ------
    UnitError
        If energies do not rise, or a fluence is negative or all are zero.
    """

    energy: Float64
    fluence: Float64

    def __post_init__(self) -> None:
        if self.energy.ndim != 1 or self.energy.shape != self.fluence.shape or np.any(np.diff(self.energy) <= 0):
            raise UnitError(f"energies must rise [keV] and match the fluence, got shape {self.energy.shape}")
        if not np.all(self.fluence >= 0) or not self.fluence.sum() > 0:
            raise UnitError("fluence must not be negative, nor zero in every bin [1/(m² mAs)]")

    @property
    def mean_energy(self) -> float:
        """Mean energy of the photons [keV]."""
        return float(self.energy @ self.fluence / self.fluence.sum())

    @property
    def air_kerma(self) -> float:
        """Air kerma 1 m from the focal spot [Gy/mAs]."""
        return float(self.fluence @ self._kerma_of_a_photon)

    @property
    def half_value_layer(self) -> float:
        """Thickness of aluminium that halves the air kerma in a narrow beam [m]."""
        (mu,) = linear_attenuation([ALUMINIUM], self.energy)
        kerma = self.fluence * self._kerma_of_a_photon
        return float(brentq(lambda thickness: kerma @ (np.exp(-mu * thickness) - 0.5), 0.0, 1.0, xtol=1e-12))

    @property
    def _kerma_of_a_photon(self) -> Float64:
        """Air kerma of a fluence of one photon per area (energy) [Gy m²]."""
        return 1e3 * ELEMENTARY_CHARGE * self.energy * mass_energy_absorption(AIR, self.energy)

    def filtered(self, mu: Float64, thickness: float) -> Spectrum:
        """Return the spectrum behind a filter.

        Parameters
        ----------
        mu
            Linear attenuation of the filter (energy) [1/m].
        thickness
            [m].

        Raises
        ------
        UnitError
            If the thickness is negative.
        """
        if not 0 <= thickness < np.inf:
            raise UnitError(f"thickness of a filter must not be negative [m], got {thickness!r}")
        return Spectrum(self.energy, self.fluence * np.exp(-mu * thickness))


def monoenergetic(energy: float, fluence: float) -> Spectrum:
    """Return the spectrum of a single energy [keV] with a fluence at 1 m [1/(m² mAs)]."""
    return Spectrum(np.array([float(energy)]), np.array([float(fluence)]))


def measured_spectrum(energy: npt.ArrayLike, fluence: npt.ArrayLike) -> Spectrum:
    """Return a spectrum that was measured or computed elsewhere, from any tube or isotope.

    Parameters
    ----------
    energy
        Bin centres, rising (energy) [keV].
    fluence
        Photons in each bin per area and tube load, 1 m from the focal spot (energy) [1/(m² mAs)]: of bins of unequal
        width not the density by energy, but its integral over each.

    Raises
    ------
    UnitError
        If energies are not rising within 1 to 1000 keV, or a fluence is negative, not finite, or all are zero.
    """
    energies, photons = np.array(energy, np.float64), np.array(fluence, np.float64)
    if not np.isfinite(energies).all() or not np.isfinite(photons).all():
        raise UnitError("energies [keV] and fluence [1/(m² mAs)] of a spectrum must be finite numbers")
    if energies.size and not 1 <= energies.min() <= energies.max() <= 1000:
        raise UnitError(
            f"energies of a spectrum must be 1 to 1000 keV, got {energies.min():g} to {energies.max():g}; "
            "give them in keV, not in eV or MeV"
        )
    return Spectrum(energies, photons)


def tube_spectrum(
    kvp: float, anode_angle: float, filtration: Sequence[tuple[Material, float]] = (), *, target: str = "W"
) -> Spectrum:
    """Return the spectrum of a tube with a reflection target, on the central ray.

    The unfiltered spectrum comes from SpekPy (model ``casim``), once for each tube: it is kept in the user's cache
    folder, bit for bit. Filters attenuate by `linear_attenuation` at the bin centres.

    Parameters
    ----------
    kvp
        Tube potential [kV], 20 to 300.
    anode_angle
        Angle between the target's surface and the central ray [rad].
    filtration
        Each filter's material and thickness [m].
    target
        ``"W"``, ``"Mo"`` or ``"Rh"``; SpekPy models the latter two up to 50 kV.

    Returns
    -------
        Spectrum in bins of 1 keV, the last one ending at the tube potential.

    Raises
    ------
    UnitError
        If the potential or the angle is out of range.

    References
    ----------
    G. Poludniowski et al., "Technical Note: SpekPy v2.0", Med. Phys. 48 (2021), doi:10.1002/mp.14945.
    """
    if not 20 <= kvp <= (300 if target == "W" else 50):
        raise UnitError(f"tube potential must be 20 to 300 kV for W, to 50 kV for others, got {kvp!r} for {target}")
    if not 0 < anode_angle < np.pi / 2:
        raise UnitError(f"anode_angle must lie between 0 and π/2 [rad], got {anode_angle!r}; recipes give it in deg")
    spectrum = Spectrum(*_unfiltered(float(kvp), float(anode_angle), target))
    for material, thickness in filtration:
        (mu,) = linear_attenuation([material], spectrum.energy)
        spectrum = spectrum.filtered(mu, thickness)
    return spectrum


@lru_cache(maxsize=64)
def _unfiltered(kvp: float, anode_angle: float, target: str) -> tuple[Float64, Float64]:
    """Return bin centres [keV] and fluence [1/(m² mAs)], from the cache folder where they are there."""
    tube = f"spekpy {version('spekpy')} casim {target} {kvp!r} kV {anode_angle!r} rad {BIN_WIDTH!r} keV"
    name = hashlib.blake2b(tube.encode(), digest_size=12).hexdigest() + ".npy"
    path = platformdirs.user_cache_path("phantomsim") / "spectra" / name
    try:
        table = np.load(path)
    except (OSError, ValueError, EOFError):  # not there yet, or damaged
        table = _compute(kvp, anode_angle, target)
        _keep(table, path)
    table.flags.writeable = False
    return table[0], table[1]


def _compute(kvp: float, anode_angle: float, target: str) -> Float64:
    from spekpy import Spek  # 1 s to import, and needed once a tube

    tube = Spek(kvp=kvp, th=np.degrees(anode_angle), dk=BIN_WIDTH, targ=target, physics="casim", z=100.0, mas=1.0)
    energy, per_cm2 = tube.get_spectrum(edges=False, flu=True, diff=False)
    return np.stack([energy, 1e4 * per_cm2])


def _keep(table: Float64, path: Path) -> None:
    """Write a table so that readers find all of it or none; without a writable folder it is computed again."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".tmp", delete=False) as file:
            np.save(file, table)
        os.replace(file.name, path)
    except OSError:
        return
