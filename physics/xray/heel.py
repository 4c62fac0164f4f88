"""The heel effect: towards the anode a tube's beam is weaker and harder, for it leaves through more of the target.

The spectrum in a direction is that of a tube whose anode is tilted as far. Over the few degrees of a beam all of them
are, within a percent of the half-value layer, one spectrum behind more or less of one filter; its attenuation is read
off the spectra themselves. So the heel is one more material in the beam, which fills the air scan too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.interpolate import CubicSpline

from phantomsim.physics.errors import UnitError
from phantomsim.physics.xray.attenuation import Material
from phantomsim.physics.xray.spectrum import Spectrum, tube_spectrum

Float64 = npt.NDArray[np.float64]

N_DIRECTIONS: Final = 5
FULL_DEPTH: Final = 1e-3
"""Depth of the heel's filter in the direction nearest to the anode [m]; its attenuation is scaled to that."""


@dataclass(frozen=True, eq=False)
class HeelEffect:
    """Spectra by direction: ``spectrum.fluence · flux · exp(−mu · depth)``.

    Parameters
    ----------
    spectrum
        In the direction nearest to the cathode, the softest and strongest.
    mu
        Attenuation of the filter that stands for the heel (energy) [1/m].
    angles
        Directions, rising towards the cathode (direction) [rad].
    flux
        Factor of the fluence, beside the filter's (direction) [1].
    depth
        Of the filter (direction) [m].
    """

    spectrum: Spectrum
    mu: Float64
    angles: Float64
    flux: Float64
    depth: Float64

    def at(self, angles: Float64) -> tuple[Float64, Float64]:
        """Return flux [1] and depth [m] in directions (…) [rad], positive towards the cathode.

        Raises
        ------
        UnitError
            If a direction is outside of those the effect was made for.
        """
        low, high = self.angles[0], self.angles[-1]
        if not np.all((angles >= low - 1e-9) & (angles <= high + 1e-9)):
            raise UnitError(f"directions must be {low:.4g} to {high:.4g} rad, for which this heel effect was made")
        within = np.clip(angles, low, high)
        flux: Float64 = CubicSpline(self.angles, self.flux)(within)
        return flux, np.maximum(CubicSpline(self.angles, self.depth)(within), 0.0)

    def spectrum_at(self, angle: float) -> Spectrum:
        """Return the spectrum 1 m from the focal spot in one direction [rad], positive towards the cathode."""
        flux, depth = self.at(np.array([angle]))
        return Spectrum(self.spectrum.energy, self.spectrum.fluence * flux * np.exp(-self.mu * depth))


def heel_effect(
    kvp: float,
    anode_angle: float,
    span: tuple[float, float],
    filtration: Sequence[tuple[Material, float]] = (),
    *,
    target: str = "W",
) -> HeelEffect:
    """Return the spectra of a tube by the angle from the central ray, in the plane of cathode and anode.

    Five spectra are computed, as by `tube_spectrum`; flat filters lie across the central ray. Distance is not part of
    it: all are 1 m from the focal spot.

    Parameters
    ----------
    kvp, anode_angle, filtration, target
        As for `tube_spectrum`.
    span
        Lowest and highest direction, positive towards the cathode [rad]. In CT this is along the rows, in a
        mammograph from the nipple to the chest.

    Raises
    ------
    UnitError
        If the span is empty, 60° off, or grazes the anode.

    References
    ----------
    G. Poludniowski et al., "Technical Note: SpekPy v2.0", Med. Phys. 48 (2021), doi:10.1002/mp.14945.
    """
    low, high = span
    if not -np.pi / 3 < low < high < np.pi / 3:
        raise UnitError(f"span of the heel effect must rise, within ±π/3 [rad], got {span!r}")
    if not anode_angle + low > np.radians(1.0) or not anode_angle + high < np.pi / 2:
        raise UnitError(
            f"directions of {np.degrees(low):.3g}° to {np.degrees(high):.3g}° graze an anode of "
            f"{np.degrees(anode_angle):.3g}°: less than 1° above it there is no beam; take a larger anode angle"
        )
    angles = np.linspace(low, high, N_DIRECTIONS)
    spectra = []
    for angle in angles:
        oblique = [(material, thickness / np.cos(angle)) for material, thickness in filtration]
        spectra.append(tube_spectrum(kvp, round(anode_angle + float(angle), 9), oblique, target=target))
    softest = spectra[-1]
    fluence = np.stack([spectrum.fluence for spectrum in spectra])
    seen = (fluence > 1e-9 * fluence.max()).all(axis=0)  # no photons of other energies: what is done to them is idle
    losses = np.zeros_like(fluence)
    losses[:, seen] = np.log(fluence[-1, seen] / fluence[:, seen])
    mu = np.where(seen, losses[0] - losses[0, seen].min(), 0.0) / FULL_DEPTH
    fits = np.array([_fit(loss, mu, spectrum) for loss, spectrum in zip(losses, spectra, strict=True)])
    return HeelEffect(softest, mu, angles, np.exp(-fits[:, 0]), fits[:, 1])


def _fit(loss: Float64, mu: Float64, spectrum: Spectrum) -> Float64:
    """Return the constant and the depth whose sum with `mu` is nearest to a loss, weighted by the photons' energy."""
    weights = np.sqrt(spectrum.energy * spectrum.fluence)
    basis = np.stack([np.ones_like(mu), mu], axis=1)
    solution: Float64 = np.linalg.lstsq(basis * weights[:, None], loss * weights, rcond=None)[0]
    return solution
