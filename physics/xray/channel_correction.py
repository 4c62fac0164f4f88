"""Water correction of beams that differ by channel: behind a bowtie or by the heel effect each has its own hardness."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from phantomsim.physics.array import Array, namespace
from phantomsim.physics.errors import ShapeError
from phantomsim.physics.xray.attenuation import Material
from phantomsim.physics.xray.correction import water_correction

Float64 = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ChannelCorrection:
    """A `WaterCorrection` for each channel, all to one energy.

    Parameters
    ----------
    coefficients
        Of each channel's polynomial, from the constant up (…, power) [1].
    limits
        Polychromatic line integral of the thickest water that was fitted (…) [1].
    reference_energy
        Energy of the corrected line integrals [keV].
    mu_water
        Linear attenuation of water at that energy, over that of the background [1/m].
    """

    coefficients: Float64
    limits: Float64
    reference_energy: float
    mu_water: float

    def __call__(self, line_integral: Array) -> Array:
        """Return corrected line integrals (…, channels) [1] of polychromatic ones, whose last axes are the channels.

        Raises
        ------
        ShapeError
            If the last axes are not the channels.
        """
        xp, real = namespace(line_integral), line_integral.dtype.type
        if line_integral.shape[line_integral.ndim - self.limits.ndim :] != self.limits.shape:
            raise ShapeError(f"last axes must be the channels {self.limits.shape}, got shape {line_integral.shape}")
        coefficients = xp.asarray(self.coefficients, line_integral.dtype)
        x = xp.clip(line_integral * xp.asarray(1 / self.limits, line_integral.dtype), real(0), real(1))
        factor = xp.zeros_like(x)
        for power in reversed(range(coefficients.shape[-1])):
            factor *= x
            factor += coefficients[..., power]
        factor *= line_integral
        return factor


def channel_correction(
    energy: Float64,
    quanta: Float64,
    reference_energy: float,
    depth: float = 0.5,
    background: Material | None = None,
) -> ChannelCorrection:
    """Fit the correction of each channel, as `water_correction` does for one; channels with one beam are fitted once.

    Parameters
    ----------
    energy
        (energy) [keV].
    quanta
        Photons of each energy that a reading of each channel absorbs in air (…, energy), in any unit.
    reference_energy
        Energy of the corrected line integrals [keV].
    depth
        Greatest thickness of water [m].
    background
        What fills the air scan.

    Raises
    ------
    UnitError
        If depth is not positive or the reference energy is not in 1 to 1000 keV.
    """
    channels = quanta.shape[:-1]
    beams, which = np.unique(quanta.reshape(-1, len(energy)), axis=0, return_inverse=True)
    fits = [water_correction(energy, beam, reference_energy, depth, background) for beam in beams]
    coefficients = np.array([fit.coefficients for fit in fits])[which].reshape(*channels, -1)
    limits = np.array([fit.limit for fit in fits])[which].reshape(channels)
    return ChannelCorrection(coefficients, limits, fits[0].reference_energy, fits[0].mu_water)
