"""Readings of an energy-integrating detector: compound Poisson statistics, electronics, conversion.

The energy that a reading absorbs is the sum over a Poisson number of photons of their energies. Behind an object its
first three cumulants are ``M_k = Σ_e n_e E_e^k exp(−μ_e · l)``, k = 1, 2, 3.

* Where fewer than `FEW_QUANTA` photons are expected (M₁² / M₂), photons are drawn one by one: the expected numbers of
  all energies lie end to end on a line, and steps of exponential length walk along it. Those that end on an energy are
  its photons: a Poisson number for each energy, all independent. This is the exact law.
* Elsewhere the energy is a normal z bent to the three cumulants (Cornish–Fisher, γ = M₃ / M₂^{3/2}):
  ``M₁ + √M₂ (z + γ (z² − 1) / 6 − γ² (z³ − z) / 72)``. The fourth cumulant, between 1.0 and 1.1 γ² for tube spectra, is
  taken as γ². The mean is exact, the variance to γ⁴ / 500 (3e-6 at the limit), and the distribution of a tube spectrum
  within a Kolmogorov–Smirnov distance of 1e-4 of the exact one. A single energy E leaves steps of E that the normal
  does not have, and is off by half a step, 0.2 / √N of the distribution: 3.5 % at the limit.

Each ray draws from its own counters, so no draw depends on threads, tiles or other rays.

References
----------
B. R. Whiting et al., "Properties of preprocessed sinogram data in x-ray computed tomography", Med. Phys. 33 (2006),
doi:10.1118/1.2230762.
E. A. Cornish, R. A. Fisher, "Moments and cumulants in the specification of distributions", Rev. Int. Stat. Inst. 5
(1938), doi:10.2307/1400905.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt

from phantomsim.physics.array import Array, namespace
from phantomsim.physics.errors import ShapeError, UnitError
from phantomsim.physics.kernel import Kernel, Real, loop_nest, scalar
from phantomsim.physics.rng import Key
from phantomsim.physics.sampling.philox import Word, philox, split_counter
from phantomsim.physics.sampling.real import exponential_from_word, normal_pair
from phantomsim.physics.xray.detector import EnergyIntegratingDetector
from phantomsim.physics.xray.quadrature import few_energies
from phantomsim.physics.xray.transmission import TILE, EnergySum, as_rays, load_tile, sum_tile, transmission, transmit

Float64 = npt.NDArray[np.float64]

FEW_QUANTA: Final = np.float32(32)
"""Expected photons below which they are drawn one by one."""


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


@scalar
def _many(z: Real, mean: Real, variance: Real, third: Real, excess: Real) -> Real:
    """Return the absorbed energy with three given cumulants, from a standard normal; `excess` is 1 / Swank − 1."""
    third *= 1 + 3 * excess  # cumulants of the sum of E (1 + √excess · normal)
    variance *= 1 + excess
    deviation = math.sqrt(variance)
    skew = third / (variance * deviation)
    square = z * z - 1
    return mean + deviation * (z + skew * square / 6 - skew * skew * z * square / 72)


@scalar
def _few(
    low: Word,
    high: Word,
    stream: Word,
    k0: Word,
    k1: Word,
    lengths: Array,
    ray: int,
    mu: Array,
    bins: Array,
    exposure: Real,
) -> tuple[Real, Real]:
    """Return the sum of the energies of single photons, and of their squares."""
    energy, square, end = bins[0, 0] * 0, bins[0, 0] * 0, bins[0, 0] * 0
    draw, left = np.uint64(1), 3
    a, b, c, d = philox(low, high, stream, draw, k0, k1)
    position = exponential_from_word(a)
    for e in range(mu.shape[1]):
        end += exposure * bins[e, 0] * transmission(lengths, ray, mu, e)
        while position < end:
            energy += bins[e, 1]
            square += bins[e, 1] * bins[e, 1]
            if left == 0:
                draw += np.uint64(1)
                a, b, c, d = philox(low, high, stream, draw, k0, k1)
                left = 4
            else:
                a, b, c = b, c, d
            left -= 1
            position += exponential_from_word(a)
    return energy, square


@scalar
def _convert(energy: Real, z: Real, electronics: Array) -> Real:
    """Return the reading of an absorbed energy, with a standard normal for the electronic noise."""
    counts = electronics[0] * (energy + electronics[1] * z) + electronics[2]
    return np.int32(min(max(counts, electronics[2] * 0), electronics[3]) + np.float32(0.5))


@scalar
def _convert_few(
    ray: int,
    k0: Word,
    k1: Word,
    stream: Word,
    lengths: Array,
    mu: Array,
    bins: Array,
    exposure: Real,
    electronics: Array,
) -> Real:
    """Return the reading of a ray that few photons reach."""
    low, high = split_counter(ray)
    a, b, c, d = philox(low, high, stream, np.uint64(0), k0, k1)
    energy, square = _few(low, high, stream, k0, k1, lengths, ray, mu, bins, exposure)
    energy += math.sqrt(electronics[4] * square) * normal_pair(c, d)[0]
    return _convert(energy, normal_pair(a, b)[1], electronics)


@loop_nest
def _blocks(
    begin: int,
    end: int,
    k0: Word,
    k1: Word,
    stream: Word,
    lengths: Array,
    node_mu: Array,
    weights: Array,
    bin_mu: Array,
    bins: Array,
    exposure: Array,
    electronics: Array,
    out: Array,
) -> None:
    n_rays, n_materials = lengths.shape
    paths = np.zeros((n_materials + 1, TILE), lengths.dtype)
    present = np.empty(n_materials, np.int64)
    scratch = np.empty((6, TILE), lengths.dtype)
    t, dose, z, w = scratch[0], scratch[1], scratch[2], scratch[3]
    moments = np.empty((3, TILE), lengths.dtype)
    words = np.empty((2, TILE), np.uint32)
    radial, angular = words[0], words[1]
    mean, variance, third = moments[0], moments[1], moments[2]
    readings = np.empty(TILE, np.int32)
    for tile in range(begin, end):
        first = tile * TILE
        count = min(TILE, n_rays - first)
        n_present = load_tile(lengths, first, count, paths, present)
        sum_tile(n_present, present, paths, node_mu, weights, t, moments)
        for i in range(TILE):
            dose[i] = exposure[(first + i) % exposure.size]
        low, high = split_counter(first)  # a tile never straddles a carry: TILE divides 2³²
        for i in range(TILE):
            radial[i], angular[i], _, _ = philox(low + np.uint64(i), high, stream, np.uint64(0), k0, k1)
        for i in range(TILE):
            z[i], w[i] = normal_pair(radial[i], angular[i])
        for i in range(TILE):
            mean[i] *= dose[i]
            variance[i] *= dose[i]
            third[i] *= dose[i]
            energy = _many(z[i], mean[i], variance[i], third[i], electronics[4])
            readings[i] = _convert(energy, w[i], electronics)
        for i in range(count):
            if mean[i] * mean[i] >= FEW_QUANTA * variance[i] and variance[i] > 0:
                out[first + i] = readings[i]
            else:
                out[first + i] = _convert_few(first + i, k0, k1, stream, lengths, bin_mu, bins, dose[i], electronics)


def _thread(
    ray: int,
    k0: Word,
    k1: Word,
    stream: Word,
    lengths: Array,
    node_mu: Array,
    weights: Array,
    bin_mu: Array,
    bins: Array,
    exposure: Array,
    electronics: Array,
    out: Array,
) -> None:
    dose = exposure[ray % exposure.size]
    mean, variance, third = dose * 0, dose * 0, dose * 0
    for e in range(node_mu.shape[1]):
        t = dose * transmission(lengths, ray, node_mu, e)
        mean += weights[e, 0] * t
        variance += weights[e, 1] * t
        third += weights[e, 2] * t
    if mean * mean >= FEW_QUANTA * variance and variance > 0:
        low, high = split_counter(ray)
        a, b, _, _ = philox(low, high, stream, np.uint64(0), k0, k1)
        z, w = normal_pair(a, b)
        out[ray] = _convert(_many(z, mean, variance, third, electronics[4]), w, electronics)
    else:
        out[ray] = _convert_few(ray, k0, k1, stream, lengths, bin_mu, bins, dose, electronics)


READ = Kernel(
    "xray.read",
    _blocks,
    _thread,
    "uint64;uint64;uint64;real[:,::1];real[:,::1];real[:,::1];real[:,::1];real[:,::1];real[::1];real[::1];uint32[::1]",
)
