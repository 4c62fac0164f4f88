"""Tube potentials that ripple: the mean spectrum over one period of the generator."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from phantomsim.physics.errors import UnitError
from phantomsim.physics.xray.attenuation import Material
from phantomsim.physics.xray.spectrum import BIN_WIDTH, Spectrum, tube_spectrum

Float64 = npt.NDArray[np.float64]

N_POTENTIALS: Final = 6
"""Potentials that stand for a period: with them a ripple of 25 % is right within 0.1 % of the mean energy."""


def rippled_spectrum(
    kvp: float,
    anode_angle: float,
    filtration: Sequence[tuple[Material, float]] = (),
    *,
    target: str = "W",
    ripple: float,
) -> Spectrum:
    """Return the mean spectrum of a tube whose potential swings between its peak and a part of it.

    The potential is ``kvp (1 − ripple (1 − cos φ) / 2)`` with φ uniform, and the tube current constant. The mean over φ
    is taken by Gauss–Chebyshev quadrature.

    Parameters
    ----------
    kvp, anode_angle, filtration, target
        As for `tube_spectrum`; kvp is the peak.
    ripple
        Difference of the highest and the lowest potential over the highest, at least 0 and below 1: 1 % or less from
        an inverter at high frequency, 13 % from three phases and six pulses.

    Returns
    -------
        Spectrum in the bins of the one without ripple, which it is for a ripple of 0, bit for bit.

    Raises
    ------
    UnitError
        If the ripple is out of its range, or lets the potential fall below what `tube_spectrum` allows.
    """
    if not 0 <= ripple < 1:
        raise UnitError(f"ripple must be at least 0 and below 1, a part of the peak potential, got {ripple!r}")
    peak = tube_spectrum(kvp, anode_angle, filtration, target=target)
    if ripple == 0:
        return peak
    phases = np.pi * (np.arange(N_POTENTIALS) + 0.5) / N_POTENTIALS
    total = np.zeros_like(peak.fluence)
    for cosine in np.cos(phases):
        potential = round(kvp * (1 - ripple * (1 - float(cosine)) / 2), 6)
        total += _in_bins_of(peak, tube_spectrum(potential, anode_angle, filtration, target=target))
    return Spectrum(peak.energy, total / N_POTENTIALS)


def _in_bins_of(peak: Spectrum, other: Spectrum) -> Float64:
    """Return the fluence of bins of equal width, shared among those they overlap: photons and their energy are kept."""
    place = (other.energy - peak.energy[0]) / BIN_WIDTH
    lower = np.floor(place).astype(np.int64)
    part = place - lower
    fluence = np.zeros(len(peak.fluence) + 1)
    inside = lower >= 0
    np.add.at(fluence, lower[inside], ((1 - part) * other.fluence)[inside])
    np.add.at(fluence, lower[inside] + 1, (part * other.fluence)[inside])
    return fluence[:-1]
