"""Fully developed flow in a round tube: Poiseuille's when steady, Womersley's when it oscillates.

Both are given by their stream function ψ(ρ) at the part ρ of the radius, for unit flow: ψ(1) = 1 / 2π, and the axial
velocity times the radius squared is (1 / ρ) ∂ψ/∂ρ. Where the tube narrows, the Womersley number changes along it, and
−(1 / ρ) ∂ψ/∂s is what the profile must move across the tube for the flow to stay free of divergence.
"""

from __future__ import annotations

from math import pi
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.special import jve

Float64 = npt.NDArray[np.float64]
Complex128 = npt.NDArray[np.complex128]

NEAR_AXIS: Final = 1e-4  # closer to the axis than this part of the radius, ratios to ρ² are those at this place
QUASI_STEADY: Final = 1e-2
"""Womersley numbers below this give Poiseuille's profile: they differ from it by less than 1e-5 (order α²)."""


def poiseuille(fraction: Float64) -> Float64:
    """Return the axial velocity of unit flow times the radius squared, (2 / π)(1 − ρ²), at parts ρ of the radius."""
    return 2 / pi * (1 - fraction**2)


def womersley_number(radius: npt.ArrayLike, frequency: float, viscosity: float, density: float) -> Float64:
    """Return α = r √(2π f ρ / μ) [1] of radii [m] at a frequency [Hz], a viscosity [Pa s] and a density [kg/m³]."""
    return np.asarray(np.asarray(radius, np.float64) * np.sqrt(2 * pi * frequency * density / viscosity))


def womersley(fraction: Float64, number: Float64) -> tuple[Complex128, Complex128]:
    """Return the profile of a flow that oscillates as Re exp(i ω t), for unit amplitude.

    With β = i^(3/2) α and F = 2 J1(β) / (β J0(β)), the axial velocity times the radius squared is
    (1 / π)(1 − J0(βρ) / J0(β)) / (1 − F). The second function tells how the profile moves over where α varies: times
    the rate d ln(r) / ds [1/m] it is the velocity across, over ρ, times the radius squared.

    Parameters
    ----------
    fraction
        Parts ρ of the radius, 0 to 1.
    number
        Womersley number α of the tube there, the same shape.

    Returns
    -------
        The axial profile, and −(1 / ρ²) β ∂ψ/∂β, complex [1].

    References
    ----------
    J. R. Womersley, J. Physiol. 127 (1955), named from memory; the tests prove the solution in the equation of motion.
    """
    slow = number < QUASI_STEADY
    beta = np.exp(0.75j * pi) * np.where(slow, 1.0, number)
    rho = np.maximum(fraction, NEAR_AXIS)
    inner = beta * rho
    # the scaled functions carry exp(−|Im|), so that large numbers do not overflow
    scale = np.exp(np.abs(inner.imag) - np.abs(beta.imag))
    j0_wall = jve(0, beta)
    j0, j1 = jve(0, inner) / j0_wall * scale, jve(1, inner) / j0_wall * scale
    j1_wall = jve(1, beta) / j0_wall
    g, f = 2 * j1 / beta, 2 * j1_wall / beta
    g_slope = 2 * rho * j0 - 2 * g + g * f * beta**2 / 2  # β ∂G/∂β of G = 2 J1(βρ) / (β J0(β))
    f_slope = 2 - 2 * f + f * f * beta**2 / 2
    axial = (1 - j0) / (1 - f) / pi
    shift = -(-rho * g_slope / (1 - f) + (rho**2 - rho * g) * f_slope / (1 - f) ** 2) / (2 * pi * rho**2)
    return np.where(slow, poiseuille(fraction), axial), np.where(slow, 0, shift)
