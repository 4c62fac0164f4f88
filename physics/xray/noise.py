"""Readings of an energy-integrating detector behind an object: expectation, variance and draws."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from phantomsim.physics.array import Array, namespace
from phantomsim.physics.errors import ShapeError, UnitError
from phantomsim.physics.rng import Key
from phantomsim.physics.xray.compound_poisson import READ
from phantomsim.physics.xray.detector import EnergyIntegratingDetector
from phantomsim.physics.xray.quadrature import few_energies
from phantomsim.physics.xray.transmission import TILE, EnergySum, as_rays, transmit

Float64 = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Beam:
    """What a reading expects of each energy, and what the materials take from it.

    Parameters
    ----------
    energy
        (energy) [keV].
    quanta
        Photons that a reading absorbs with no object in the beam (energy) [1].
    mu
        Linear attenuation of the materials (material, energy) [1/m].

    Raises
    ------
    ShapeError
        If the energies of the three differ in number, or there is no material.
    UnitError
        If a number of photons is negative or all are zero.
    """

    energy: Float64
    quanta: Float64
    mu: Float64

    def __post_init__(self) -> None:
        if self.energy.ndim != 1 or self.energy.shape != self.quanta.shape:
            raise ShapeError(f"quanta must match the energies, got {self.quanta.shape} and {self.energy.shape}")
        if not np.all(self.quanta >= 0) or not self.quanta.sum() > 0:
            raise UnitError("quanta must not be negative, nor zero at every energy")
        self.bins  # noqa: B018 - its shapes are checked where it is made

    @cached_property
    def bins(self) -> EnergySum:
        """The cumulants M₁, M₂, M₃ of the absorbed energy [keV, keV², keV³] as sums over the bins."""
        return EnergySum(self.mu, np.stack([self.quanta * self.energy**k for k in (1, 2, 3)], axis=1))

    @cached_property
    def nodes(self) -> EnergySum:
        """The same over few energies, within 1e-4."""
        return few_energies(self.bins)


def expected_readings(
    lengths: Array, beam: Beam, detector: EnergyIntegratingDetector, exposure: Array | float = 1.0
) -> Array:
    """Return the expectation of readings, before conversion to integers.

    Parameters
    ----------
    lengths, beam, detector, exposure
        As for `draw_readings`.

    Returns
    -------
        Mean (…) [counts], float32, clipped where the converter saturates.

    Raises
    ------
    ShapeError, UnitError
        As for `draw_readings`.
    """
    xp = namespace(lengths)
    mean = _cumulants(lengths, beam, exposure)[..., 0]
    return xp.minimum(detector.gain * mean + xp.float32(detector.offset), xp.float32(detector.largest))


def variance_of_readings(
    lengths: Array, beam: Beam, detector: EnergyIntegratingDetector, exposure: Array | float = 1.0
) -> Array:
    """Return the variance of readings where neither 0 nor saturation cuts them, 1/12 of the rounding included.

    Parameters
    ----------
    lengths, beam, detector, exposure
        As for `draw_readings`.

    Returns
    -------
        Variance (…) [counts²], float32.

    Raises
    ------
    ShapeError, UnitError
        As for `draw_readings`.
    """
    quantum = _cumulants(lengths, beam, exposure)[..., 1] / detector.swank
    return detector.gain**2 * (quantum + detector.electronic_noise**2) + 1 / 12


def draw_readings(
    key: Key, lengths: Array, beam: Beam, detector: EnergyIntegratingDetector, exposure: Array | float = 1.0
) -> Array:
    """Draw the readings of a scan.

    Parameters
    ----------
    key
        Random stream; the reading of ray i depends on nothing but the key, i and what the ray meets.
    lengths
        Path length in each material (…, material) [m], float32.
    beam
        Photons and materials.
    detector
        What reads them.
    exposure
        Dose relative to that of `beam`: a number, or an array of trailing axes of the rays, such as (column) for the
        distance of each column or (view, column) for a modulated tube.

    Returns
    -------
        Readings (…), integers of `detector.dtype` [counts], on the device of `lengths`.

    Raises
    ------
    ShapeError
        If materials or the axes of `exposure` do not match.
    UnitError
        If an exposure is negative.
    """
    rays = as_rays(lengths, beam.mu.shape[0])
    xp = namespace(rays)
    n_rays = rays.shape[0]
    out = xp.empty(n_rays, xp.uint32)
    excess = 1 / detector.swank - 1
    electronics = [detector.gain, detector.electronic_noise, detector.offset, float(detector.largest), excess]
    READ(
        -(-n_rays // TILE),
        n_rays,
        *key.arguments,
        rays,
        *beam.nodes.on(rays),
        *EnergySum(beam.mu, np.stack([beam.quanta, beam.energy], axis=1)).on(rays),
        _exposure(exposure, lengths),
        xp.asarray(electronics, dtype=rays.dtype),
        out,
    )
    return out.reshape(lengths.shape[:-1]).astype(detector.dtype, copy=False)


def _cumulants(lengths: Array, beam: Beam, exposure: Array | float) -> Array:
    cumulants = transmit(lengths, beam.nodes)
    relative = _exposure(exposure, lengths)
    return (cumulants.reshape(-1, relative.size, 3) * relative[:, None]).reshape(cumulants.shape)


def _exposure(exposure: Array | float, lengths: Array) -> Array:
    """Return the exposure as a vector that repeats over the rays."""
    xp = namespace(lengths)
    relative = xp.asarray(exposure, dtype=lengths.dtype)
    if relative.shape != lengths.shape[lengths.ndim - 1 - relative.ndim : -1]:
        raise ShapeError(f"exposure must have trailing axes of the rays {lengths.shape[:-1]}, got {relative.shape}")
    if not (relative >= 0).all():
        raise UnitError("exposure relative to the beam must not be negative")
    return xp.ascontiguousarray(relative.reshape(-1))
