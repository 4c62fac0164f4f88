"""The statistics of one reading: a Poisson number of photons of all energies, electronic noise, conversion.

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
from typing import Final

import numpy as np

from phantomsim.physics.array import Array
from phantomsim.physics.kernel import Kernel, Real, loop_nest, scalar
from phantomsim.physics.sampling.philox import Word, philox, split_counter
from phantomsim.physics.sampling.real import exponential_from_word, normal_pair
from phantomsim.physics.xray.transmission import TILE, load_tile, sum_tile, transmission

FEW_QUANTA: Final = np.float32(32)
"""Expected photons below which they are drawn one by one."""
_ZERO = np.float32(0)
_ONE = np.float32(1)


@scalar
def _many(z: Real, mean: Real, variance: Real, third: Real, excess: Real) -> Real:
    """Return the absorbed energy with three given cumulants, from a standard normal; `excess` is 1 / Swank − 1."""
    third *= _ONE + np.float32(3) * excess  # cumulants of the sum of E (1 + √excess · normal)
    variance *= _ONE + excess
    deviation = math.sqrt(variance)
    skew = third / (variance * deviation)
    square = skew * (z * z - _ONE)
    return mean + deviation * (z + square * np.float32(1 / 6) - skew * z * square * np.float32(1 / 72))


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
    energy, square, end = _ZERO, _ZERO, _ZERO
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
    return np.int32(min(max(counts, _ZERO), electronics[3]) + np.float32(0.5))


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
    mean, variance, third = _ZERO, _ZERO, _ZERO
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
