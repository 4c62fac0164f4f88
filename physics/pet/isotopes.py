"""Positron emitters: half-lives, branches, and the spectra and ranges of their positrons.

Half-lives, endpoints and branches are those of evaluated decay data (NNDC NuDat), written from memory and not read
again: grade C.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from math import log, pi
from types import MappingProxyType
from typing import Final

import numpy as np
import numpy.typing as npt

from phantomsim.physics.constants import ELECTRON_REST_ENERGY_KEV
from phantomsim.physics.errors import RecipeError

Float64 = npt.NDArray[np.float64]
FINE_STRUCTURE: Final = 7.297_352_5693e-3
ENERGIES: Final = 512
"""Steps of the tabulated spectra."""


@dataclass(frozen=True)
class Isotope:
    """A positron emitter.

    Parameters
    ----------
    name
        Such as ``"F-18"``.
    half_life
        [s].
    daughter
        Atomic number of what it decays to.
    branches
        Endpoint energy [keV] and chance per decay of each positron branch.
    """

    name: str
    half_life: float
    daughter: int
    branches: tuple[tuple[float, float], ...]

    @property
    def branching(self) -> float:
        """Positrons per decay."""
        return sum(chance for _, chance in self.branches)

    @property
    def decay_constant(self) -> float:
        """[1/s]."""
        return log(2) / self.half_life

    def spectrum(self) -> tuple[Float64, Float64]:
        """Return kinetic energies of positrons [keV] and their density [1/keV], of allowed shape.

        ``N(T) ∝ p W (Q − T)² F``, with the non-relativistic Fermi function of a repelled positron,
        ``F = 2πη / (e^{2πη} − 1)``, ``η = α Z W / p`` (K. S. Krane, *Introductory Nuclear Physics*, Wiley (1988),
        ch. 9).
        """
        top = max(endpoint for endpoint, _ in self.branches)
        energy = (np.arange(4 * ENERGIES) + 0.5) * top / (4 * ENERGIES)
        total = energy / ELECTRON_REST_ENERGY_KEV + 1
        momentum = np.sqrt(total**2 - 1)
        exponent = 2 * pi * FINE_STRUCTURE * self.daughter * total / momentum
        shape = momentum * total * exponent / np.expm1(exponent)
        density = np.zeros_like(energy)
        for endpoint, chance in self.branches:
            branch = shape * np.maximum(endpoint - energy, 0) ** 2
            density += chance * branch / branch.sum()
        return energy, density / (density.sum() * (energy[1] - energy[0]))

    def spreads(self) -> Float64:
        """Return the spread of annihilations in water at equal steps of cumulated chance (ENERGIES + 1) [m].

        Positrons of one energy annihilate in a Gaussian cloud whose standard deviation along each axis is half of
        their extrapolated range ``0.1 b₁ E² / (b₂ + E)`` [cm, MeV] (M. R. Palmer and G. L. Brownell, "Annihilation
        density distribution calculations for medically important positron emitters", IEEE Trans. Med. Imaging 11
        (1992), doi:10.1109/42.158941; the formula from memory). Mean distances agree with Geant4 to a tenth.
        """
        energy, density = self.spectrum()
        cumulated = np.concatenate([[0], np.cumsum(density)]) * (energy[1] - energy[0])
        edges = np.linspace(0, energy[-1] + energy[0], len(cumulated))
        drawn = np.interp(np.linspace(0, 1, ENERGIES + 1), cumulated, edges) / 1000
        return np.asarray(_extrapolated_range(drawn) / 2)


def _extrapolated_range(energy: Float64) -> Float64:
    """Return the extrapolated range in water [m] at energies [MeV]."""
    z = (2 * 1.008 * 1 + 15.999 * 8) / 18.015  # of water, by mass
    a = z * 18.015 / 10  # so that electrons per mass are those of water
    b1, b2 = 4.569 * a / z**1.209, 1 / (2.873 - 0.02309 * z)
    return np.asarray(0.01 * 0.1 * b1 * energy**2 / (b2 + energy))


ISOTOPES: Final[Mapping[str, Isotope]] = MappingProxyType(
    {
        isotope.name: isotope
        for isotope in (
            Isotope("C-11", 1221.8, 5, ((960.4, 0.9977),)),
            Isotope("N-13", 597.9, 6, ((1198.5, 0.9980),)),
            Isotope("O-15", 122.24, 7, ((1732.0, 0.9990),)),
            Isotope("F-18", 6586.2, 8, ((633.5, 0.9673),)),
            Isotope("Cu-64", 45723.0, 28, ((653.0, 0.1752),)),
            Isotope("Ga-68", 4062.6, 30, ((1899.1, 0.8794), (821.7, 0.0119))),
            Isotope("Rb-82", 75.45, 36, ((3378.0, 0.818), (2601.0, 0.131))),
            Isotope("Zr-89", 282276.0, 39, ((902.0, 0.2274),)),
            Isotope("I-124", 360806.0, 52, ((1534.9, 0.117), (2137.6, 0.107), (811.7, 0.003))),
        )
    }
)


def isotope(name: str) -> Isotope:
    """Return an isotope by its name.

    Raises
    ------
    RecipeError
        If it is not known, naming the nearest.
    """
    if name not in ISOTOPES:
        near = get_close_matches(name, ISOTOPES, 1)
        hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(ISOTOPES)}"
        raise RecipeError(f"no isotope {name!r}; {hint}")
    return ISOTOPES[name]
