"""From readings to line integrals: air normalisation, logarithm, and the water correction of beam hardening."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from phantomsim.physics.array import Array, namespace
from phantomsim.physics.errors import UnitError
from phantomsim.physics.xray.attenuation import Material, linear_attenuation

Float64 = npt.NDArray[np.float64]

WATER: Final[Material] = (1000.0, {"H": 0.111898, "O": 0.888102})
"""Density of the Hounsfield scale, mass fractions of NIST SRD 126."""
N_COEFFICIENTS: Final = 8


def line_integrals(energy: Array, air: Array | float, floor: float) -> Array:
    """Return line integrals ``−log(max(energy, floor) / air)``.

    Parameters
    ----------
    energy
        Absorbed energy of each reading (…) [keV], not positive where electronic noise wins.
    air
        Expected energy without an object, a number or trailing axes of `energy` [keV].
    floor
        Energy below which a reading is clamped [keV]; its line integral is the largest there is.

    Returns
    -------
        Line integrals (…) [1], of the type and on the device of `energy`.

    Raises
    ------
    UnitError
        If the floor is not positive.
    """
    if not 0 < floor < np.inf:
        raise UnitError(f"floor must be positive [keV], got {floor!r}")
    xp = namespace(energy)
    return xp.log(xp.asarray(air, dtype=energy.dtype)) - xp.log(xp.maximum(energy, energy.dtype.type(floor)))


@dataclass(frozen=True)
class WaterCorrection:
    """A map from the polychromatic line integral of water to the monochromatic one.

    ``corrected = p · Σ_k coefficients[k] x^k`` with x = p / limit clipped to 0…1: beyond what was fitted the map goes
    on as a straight line through the origin.

    Parameters
    ----------
    coefficients
        Of the polynomial, from the constant up [1].
    limit
        Polychromatic line integral of the thickest water that was fitted [1].
    reference_energy
        Energy of the corrected line integrals [keV].
    mu_water
        Linear attenuation of water at that energy, over that of the background [1/m], which is 0 HU.
    """

    coefficients: tuple[float, ...]
    limit: float
    reference_energy: float
    mu_water: float

    def __call__(self, line_integral: Array) -> Array:
        """Return corrected line integrals (…) [1] of polychromatic ones (…) [1]."""
        xp, real = namespace(line_integral), line_integral.dtype.type
        x = xp.clip(line_integral * real(1 / self.limit), real(0), real(1))
        factor = xp.full_like(x, real(self.coefficients[-1]))
        for coefficient in self.coefficients[-2::-1]:
            factor *= x
            factor += real(coefficient)
        factor *= line_integral
        return factor


def water_correction(
    energy: Float64,
    quanta: Float64,
    reference_energy: float | None = None,
    depth: float = 0.5,
    background: Material | None = None,
) -> WaterCorrection:
    """Fit the correction that makes every thickness of water linear, within 1e-5 up to `depth`.

    Parameters
    ----------
    energy
        (energy) [keV].
    quanta
        Photons of each energy that a reading absorbs in air (energy), in any unit.
    reference_energy
        Energy of the corrected line integrals [keV]; by default the mean of the absorbed energy's spectrum.
    depth
        Greatest thickness of water [m].
    background
        What fills the air scan, so that line integrals are relative to it; None for vacuum.

    Returns
    -------
        The correction, with the attenuation of water for the Hounsfield scale.

    Raises
    ------
    UnitError
        If depth is not positive or the reference energy is not in 1 to 1000 keV.

    References
    ----------
    G. T. Herman, "Correction for beam hardening in computed tomography", Phys. Med. Biol. 24 (1979),
    doi:10.1088/0031-9155/24/1/008.
    """
    if not 0 < depth < np.inf:
        raise UnitError(f"depth of the water correction must be positive [m], got {depth!r}")
    share = energy * quanta / (energy @ quanta)
    reference = float(energy @ share) if reference_energy is None else float(reference_energy)
    mu = _water_over(background, energy)
    (mu_water,) = _water_over(background, np.array([reference]))
    # Chebyshev points towards both ends, where the curve bends most and where it would escape
    thickness = depth * np.sin(np.linspace(0.0, np.pi / 2, 402)[1:]) ** 2
    absorbed = np.einsum("te,e->t", np.exp(-thickness[:, None] * mu), share)
    polychromatic = -np.log(absorbed)
    limit = float(polychromatic[-1])
    fit = np.polynomial.Polynomial.fit(
        polychromatic / limit,
        mu_water * thickness / polychromatic,
        N_COEFFICIENTS - 1,
        domain=[0.0, 1.0],
        window=[0.0, 1.0],
    )
    return WaterCorrection(tuple(fit.coef.tolist()), limit, reference, float(mu_water))


def _water_over(background: Material | None, energy: Float64) -> Float64:
    materials = [WATER] if background is None else [WATER, background]
    water, *others = linear_attenuation(materials, energy)
    return water - sum(others)  # type: ignore[no-any-return]
