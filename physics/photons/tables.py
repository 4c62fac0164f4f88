"""Tables of photon interactions that kernels look up: cross sections over energy, form factors over momentum transfer.

Both axes are logarithmic by the bits of a float32: each octave is cut into equal steps, so that a shift of the bits is
the row and the bits shifted out are the place within it, without a logarithm. Between rows, values are linear: within
1e-4 of the photoelectric effect's E⁻³. An absorption edge is smeared over the one row that it lies in (0.8 % of its
energy at most).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import xraylib

from phantomsim.physics.errors import UnitError
from phantomsim.physics.photons.interactions import ENERGY_RANGE, mass_attenuation

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]
Material = tuple[float, Mapping[str, float]]
"""Density [kg/m³] and the mass fraction of each element [1]."""

ENERGY_STEPS: Final = 128
"""Rows to an octave of energy, from 1 to 1024 keV."""
MOMENTUM_STEPS: Final = 32
"""Rows to an octave of x², from 2⁻¹⁸ to 2¹⁴ Å⁻²."""
MOMENTUM_OCTAVES: Final = (-18, 14)
WAVELENGTH: Final = 12.39841984
"""Of a photon of 1 keV [Å]."""


@dataclass(frozen=True, eq=False)
class PhotonTables:
    """What the transport of photons looks up. Row 0 of the materials is empty space, row m + 1 is material m.

    Parameters
    ----------
    coefficients
        Linear attenuation (material, energy, 3) by the Compton effect, by that or Rayleigh scattering, by any effect
        [1/m]; the energies are those of `energy_rows`.
    momentum
        Incoherent scattering function per electron [1] and the integral of the squared form factor over x², up to
        a factor (material, x², 2); the x² = (sin(θ/2) / wavelength)² are those of `momentum_rows`.
    """

    coefficients: Float32
    momentum: Float32


def energy_rows() -> Float64:
    """Return the energies of the rows [keV]."""
    return _rows(0, 10, ENERGY_STEPS)


def momentum_rows() -> Float64:
    """Return the squared momentum transfers of the rows [Å⁻²]."""
    return _rows(*MOMENTUM_OCTAVES, MOMENTUM_STEPS)


def tabulate(materials: Sequence[Material]) -> PhotonTables:
    """Tabulate the interactions of materials.

    Parameters
    ----------
    materials
        Density [kg/m³] and mass fractions of each material.

    Returns
    -------
        The tables, on the host.

    Raises
    ------
    UnitError
        If a density is negative or not a number.
    RecipeError
        If an element does not exist.

    References
    ----------
    J. H. Hubbell et al., "Atomic form factors, incoherent scattering functions, and photon scattering cross sections",
    J. Phys. Chem. Ref. Data 4 (1975), doi:10.1063/1.555523: the atoms of a mixture scatter independently.
    """
    energy = np.minimum(energy_rows(), ENERGY_RANGE[1])
    coefficients = np.zeros((len(materials) + 1, len(energy), 3))
    momentum = np.zeros((len(materials) + 1, len(momentum_rows()), 2))
    for m, (density, fractions) in enumerate(materials, start=1):
        if not 0 <= density < np.inf:
            raise UnitError(f"the density of a material must not be negative [kg/m³], got {density!r}")
        effects = [mass_attenuation(fractions, energy, effect) for effect in ("compton", "rayleigh", "photoelectric")]
        coefficients[m] = density * np.cumsum(effects, axis=0).T
        momentum[m, :, 0] = incoherent(fractions, np.sqrt(momentum_rows()))
        momentum[m, :, 1] = _integral_of_form_factor(fractions)
    return PhotonTables(coefficients.astype(np.float32), momentum.astype(np.float32))


def incoherent(fractions: Mapping[str, float], x: Float64) -> Float64:
    """Return the incoherent scattering function per electron, 0 to 1, at momentum transfers x [Å⁻¹]."""
    moles = _moles(fractions)
    scattered = sum(n * _of_element(xraylib.SF_Compt, z, x) for z, n in moles)
    return np.asarray(scattered / sum(n * z for z, n in moles))


def coherent(fractions: Mapping[str, float], x: Float64) -> Float64:
    """Return the squared form factor per squared electron number, 0 to 1, at momentum transfers x [Å⁻¹]."""
    moles = _moles(fractions)
    scattered = sum(n * _of_element(xraylib.FF_Rayl, z, x) ** 2 for z, n in moles)
    return np.asarray(scattered / sum(n * z**2 for z, n in moles))


def _integral_of_form_factor(fractions: Mapping[str, float]) -> Float64:
    """Return ∫₀ F² d(x²) up to each row, by Simpson's rule within rows; below the first row F is constant."""
    rows = momentum_rows()
    nodes = np.stack([rows[:-1], (rows[:-1] + rows[1:]) / 2, rows[1:]])
    steps = np.array([1, 4, 1]) / 6 @ coherent(fractions, np.sqrt(nodes)) * np.diff(rows)
    first = rows[0] * coherent(fractions, np.sqrt(rows[:1]))
    return np.cumsum(np.concatenate([first, steps]))


def _moles(fractions: Mapping[str, float]) -> list[tuple[int, float]]:
    numbers = {symbol: int(xraylib.SymbolToAtomicNumber(symbol)) for symbol in fractions}
    return [(z, fractions[symbol] / xraylib.AtomicWeight(z)) for symbol, z in numbers.items()]


def _of_element(function: Any, z: int, x: Float64) -> Float64:
    return np.array([function(z, value) for value in x.ravel().tolist()]).reshape(x.shape)


def _rows(first: int, last: int, steps: int) -> Float64:
    octaves = 2.0 ** np.arange(first, last)
    inside = (octaves[:, None] * (1 + np.arange(steps) / steps)).ravel()
    return np.append(inside, 2.0**last)
