"""Concentrations over time: what the blood brings, and how a tissue answers.

A curve is piecewise linear between its samples, so that published, measured and lengthened inputs are treated alike;
its convolution with exponentials, which every compartment model is made of, is exact.

References
----------
D. Feng, S.-C. Huang, X. Wang, "Models for computer simulation studies of input functions for tracer kinetic modeling
with positron emission tomography", Int. J. Biomed. Comput. 32 (1993). G. J. M. Parker et al., "Experimentally-derived
functional form for a population-averaged high-temporal-resolution arterial input function for dynamic
contrast-enhanced MRI", Magn. Reson. Med. 56 (2006). S. P. Sourbron, D. L. Buckley, "Tracer kinetic modelling in MRI:
estimating perfusion and capillary permeability", Phys. Med. Biol. 57 (2012), for the two-compartment exchange model.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, expm1, pi, sqrt

import numpy as np
import numpy.typing as npt

from phantomsim.physics.errors import UnitError

Float64 = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Curve:
    """Values over time, linear between samples, 0 before the first and constant after the last.

    Parameters
    ----------
    times
        Rising (time) [s].
    values
        (time).

    Raises
    ------
    UnitError
        If the times do not rise, or there are not as many values.
    """

    times: Float64
    values: Float64

    def __post_init__(self) -> None:
        if self.times.ndim != 1 or self.times.shape != self.values.shape or not (np.diff(self.times) > 0).all():
            raise UnitError("a curve needs rising times [s] and as many values")

    def __call__(self, time: npt.ArrayLike) -> Float64:
        """Return the values at times [s] (…)."""
        return np.interp(np.asarray(time, dtype=np.float64), self.times, self.values, left=0.0)

    def lengthened(self, duration: float) -> Curve:
        """Return the answer to an injection that lasts: the mean of the curve over the past `duration` [s]."""
        if not duration > 0:
            return self
        between = np.diff(self.times) * (self.values[1:] + self.values[:-1]) / 2
        whole = np.concatenate([[0.0], np.cumsum(between)])

        def integral(time: Float64) -> Float64:
            time = np.clip(time, self.times[0], self.times[-1])
            i = np.clip(np.searchsorted(self.times, time, "right") - 1, 0, len(self.times) - 2)
            return np.asarray(whole[i] + (time - self.times[i]) * (self.values[i] + self(time)) / 2)

        return Curve(self.times, (integral(self.times) - integral(self.times - duration)) / duration)

    def answered(self, response: Response) -> Curve:
        """Return the curve convolved with a response, exactly."""
        answer = np.zeros_like(self.values)
        for amplitude, rate in zip(response.amplitudes, response.rates, strict=True):
            answer += amplitude * _convolved(self, rate)
        return Curve(self.times, answer)


@dataclass(frozen=True)
class Response:
    """A sum of decaying exponentials, Σ amplitude · exp(−rate · t): what a tissue holds after a unit impulse.

    Parameters
    ----------
    amplitudes, rates
        [1/s].
    """

    amplitudes: tuple[float, ...]
    rates: tuple[float, ...]


def exchange(flow: float, permeability: float, plasma_volume: float, interstitial_volume: float) -> Response:
    """Return the tissue's answer to arterial plasma: plasma and interstitium that exchange (Sourbron, eq. 14 ff.).

    Parameters
    ----------
    flow
        Plasma flow F a volume of tissue [1/s].
    permeability
        Permeability-surface product PS a volume of tissue [1/s].
    plasma_volume, interstitial_volume
        Volume fractions [1].

    Raises
    ------
    UnitError
        If the flow or the plasma volume is not positive, or another is negative.
    """
    if not (flow > 0 and plasma_volume > 0 and permeability >= 0 and interstitial_volume >= 0):
        raise UnitError(
            f"exchange needs flow > 0 and plasma volume > 0, permeability and interstitial volume >= 0, "
            f"got {flow}, {plasma_volume}, {permeability}, {interstitial_volume}"
        )
    washout = flow / plasma_volume
    if permeability == 0 or interstitial_volume == 0:
        return Response((flow,), (washout,))
    back = permeability / interstitial_volume
    total = washout + permeability / plasma_volume + back
    root = sqrt(total**2 - 4 * washout * back)
    fast = (total + root) / 2
    slow = washout * back / fast  # the product of the rates, so that nothing cancels
    share = (washout - slow) / root
    return Response((flow * share, flow * (1 - share)), (fast, slow))


def two_tissue(k1: float, k2: float, k3: float, k4: float) -> Response:
    """Return the answer of two tissue compartments in a row to plasma, as of FDG: free and phosphorylated.

    Parameters
    ----------
    k1, k2, k3, k4
        Rates into, out of, on to the second and back from the second compartment [1/s].

    Raises
    ------
    UnitError
        If a rate is negative, or all but k1 are 0.
    """
    if min(k1, k2, k3, k4) < 0 or k2 + k3 + k4 == 0:
        raise UnitError(f"rates must not be negative, nor k2, k3 and k4 all 0, got {k1}, {k2}, {k3}, {k4} [1/s]")
    total = k2 + k3 + k4
    root = sqrt(max(total**2 - 4 * k2 * k4, 0.0))
    fast = (total + root) / 2
    slow = k2 * k4 / fast
    if root == 0:
        raise UnitError(f"rates {k2}, {k3}, {k4} [1/s] make two equal exponents: change one a little")
    return Response((k1 * (k3 + k4 - slow) / root, k1 * (fast - k3 - k4) / root), (slow, fast))


def feng(times: npt.ArrayLike) -> Curve:
    """Return the arterial activity of FDG after a bolus at 0 s, relative to its peak (Feng, model 2)."""
    minutes = np.asarray(times, dtype=np.float64) / 60
    value = (851.1 * minutes - 21.88 - 20.81) * np.exp(-4.134 * minutes)
    value += 21.88 * np.exp(-0.1191 * minutes) + 20.81 * np.exp(-0.01043 * minutes)
    value = np.where(minutes >= 0, value, 0.0)
    return Curve(np.asarray(times, dtype=np.float64), value / value.max())


def parker(times: npt.ArrayLike) -> Curve:
    """Return the concentration in arterial blood [mol/m³] after 0.1 mmol/kg of an extracellular agent (Parker)."""
    minutes = np.asarray(times, dtype=np.float64) / 60
    value = 1.050 * np.exp(-0.1685 * minutes) / (1 + np.exp(-38.078 * (minutes - 0.483)))
    for area, middle, width in ((0.809, 0.17046, 0.0563), (0.330, 0.365, 0.132)):
        value += area / (width * sqrt(2 * pi)) * np.exp(-0.5 * ((minutes - middle) / width) ** 2)
    return Curve(np.asarray(times, dtype=np.float64), np.where(minutes >= 0, value, 0.0))


def _convolved(curve: Curve, rate: float) -> Float64:
    """Return ∫ c(u) exp(−rate (t − u)) du at the curve's times: the recursion of a piecewise linear c is exact."""
    result = np.zeros_like(curve.values)
    held = 0.0
    for i, step in enumerate(np.diff(curve.times)):
        x = rate * step
        if x > 1e-4:
            mean = -expm1(-x) / x
            late = (1 - mean) / x  # weight of the step's end; the rest is its beginning's
        else:
            mean, late = 1 - x / 2, 0.5 - x / 6
        held = held * exp(-x) + step * ((mean - late) * curve.values[i] + late * curve.values[i + 1])
        result[i + 1] = held
    return result
