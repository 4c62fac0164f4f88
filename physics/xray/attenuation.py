"""Linear attenuation of materials on an energy grid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from phantomsim.physics.photons.interactions import mass_attenuation

Float64 = npt.NDArray[np.float64]
Material = tuple[float, Mapping[str, float]]
"""Density [kg/m³] and the mass fraction of each element [1]."""


def linear_attenuation(materials: Sequence[Material], energy: Float64) -> Float64:
    """Return the linear attenuation of materials.

    Parameters
    ----------
    materials
        Density [kg/m³] and mass fractions of each material.
    energy
        Photon energies (energy) [keV].

    Returns
    -------
        μ (material, energy) [1/m], float64.

    Raises
    ------
    UnitError
        If an energy is outside 1 to 1000 keV.
    """
    energy = np.asarray(energy, dtype=np.float64)
    if not materials:
        return np.zeros((0, *energy.shape))
    return np.stack([density * mass_attenuation(fractions, energy) for density, fractions in materials])
