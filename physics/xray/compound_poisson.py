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

Each ray draws from its own counters, so no draw depends on threads, tiles or other rays. Draw 0 of a counter is for
the normals, of the bent energy, the electronics and the conversion; photons take the draws from 1 on.

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
from phantomsim.physics.elementary import exp
from phantomsim.physics.kernel import Kernel, Real, loop_nest, scalar
from phantomsim.physics.sampling.philox import Word, philox, split_counter
from phantomsim.physics.sampling.real import exponential_from_word, normal_pair
from phantomsim.physics.xray.transmission import TILE, load_tile, sum_tile, transmission

FEW_QUANTA: Final = np.float32(32)
"""Expected photons below which they are drawn one by one."""
DARK_LANES: Final = 32  # dark rays whose expected photons are worked out together
Walk = tuple[Real, Real, Real, Word, Word, Word, int, Word]
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
def _first_step(low: Word, high: Word, stream: Word, k0: Word, k1: Word) -> Walk:
    """Return the walk along the line of expected photons before its first photon."""
    draw = np.uint64(1)
    a, b, c, d = philox(low, high, stream, draw, k0, k1)
    return exponential_from_word(a), _ZERO, _ZERO, b, c, d, 3, draw


@scalar
def _walk(walk: Walk, end: Real, bin_energy: Real, low: Word, high: Word, stream: Word, k0: Word, k1: Word) -> Walk:
    """Return the walk after all photons of an energy whose stretch of the line ends at `end`.

    A walk is its position, the sums of the photons' energies and of their squares, the words that are left of the
    last draw, their number, and the number of that draw.
    """
    position, energy, square, a, b, c, left, draw = walk
    while position < end:
        energy += bin_energy
        square += bin_energy * bin_energy
        if left == 0:
            draw += np.uint64(1)
            word, a, b, c = philox(low, high, stream, draw, k0, k1)
            left = 3
        else:
            word, a, b = a, b, c
            left -= 1
        position += exponential_from_word(word)
    return position, energy, square, a, b, c, left, draw


@scalar
def _convert(energy: Real, z: Real, electronics: Array) -> Real:
    """Return the reading of an absorbed energy, with a standard normal for the electronic noise."""
    counts = electronics[0] * (energy + electronics[1] * z) + electronics[2]
    return np.int32(min(max(counts, _ZERO), electronics[3]) + np.float32(0.5))


@scalar
def _convert_few(walk: Walk, low: Word, high: Word, stream: Word, k0: Word, k1: Word, electronics: Array) -> Real:
    """Return the reading of the photons that a walk has met."""
    a, b, c, d = philox(low, high, stream, np.uint64(0), k0, k1)
    energy = walk[1] + math.sqrt(electronics[4] * walk[2]) * normal_pair(c, d)[0]
    return _convert(energy, normal_pair(a, b)[1], electronics)


@scalar
def _expect(paths: Array, n_present: int, present: Array, mu: Array, bins: Array, dose: Array, expected: Array) -> None:
    """Work out the photons that DARK_LANES rays expect of each energy (bin, DARK_LANES)."""
    for e in range(mu.shape[1]):
        photons = expected[e]
        for lane in range(DARK_LANES):
            photons[lane] = 0
        for j in range(n_present):
            coefficient, path = mu[present[j], e], paths[j]
            for lane in range(DARK_LANES):
                photons[lane] += coefficient * path[lane]
        for lane in range(DARK_LANES):
            photons[lane] = dose[lane] * bins[e, 0] * exp(photons[lane])


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
    scratch = np.empty((4, TILE), lengths.dtype)
    t, dose, z, w = scratch[0], scratch[1], scratch[2], scratch[3]
    moments = np.empty((3, TILE), lengths.dtype)
    mean, variance, third = moments[0], moments[1], moments[2]
    words = np.empty((2, TILE), np.uint32)
    radial, angular = words[0], words[1]
    readings = np.empty(TILE, np.int32)
    dark = np.empty(TILE, np.int64)
    dark_paths = np.zeros((n_materials, DARK_LANES), lengths.dtype)
    dark_dose = np.zeros(DARK_LANES, lengths.dtype)
    expected = np.empty((bins.shape[0], DARK_LANES), lengths.dtype)
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
        n_dark = 0
        for i in range(count):
            if mean[i] * mean[i] >= FEW_QUANTA * variance[i] and variance[i] > 0:
                out[first + i] = readings[i]
            else:
                dark[n_dark] = i
                n_dark += 1
        for group in range(0, n_dark, DARK_LANES):
            n_lanes = min(DARK_LANES, n_dark - group)  # lanes beyond keep earlier rays, and are ignored
            for lane in range(n_lanes):
                dark_dose[lane] = dose[dark[group + lane]]
                for j in range(n_present):
                    dark_paths[j, lane] = paths[j, dark[group + lane]]
            _expect(dark_paths, n_present, present, bin_mu, bins, dark_dose, expected)
            for lane in range(n_lanes):
                i = dark[group + lane]
                ray_low = low + np.uint64(i)
                walk = _first_step(ray_low, high, stream, k0, k1)
                stretch = _ZERO
                for e in range(bins.shape[0]):
                    stretch += expected[e, lane]
                    walk = _walk(walk, stretch, bins[e, 1], ray_low, high, stream, k0, k1)
                out[first + i] = _convert_few(walk, ray_low, high, stream, k0, k1, electronics)


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
    low, high = split_counter(ray)
    if mean * mean >= FEW_QUANTA * variance and variance > 0:
        a, b, _, _ = philox(low, high, stream, np.uint64(0), k0, k1)
        z, w = normal_pair(a, b)
        out[ray] = _convert(_many(z, mean, variance, third, electronics[4]), w, electronics)
    else:
        walk = _first_step(low, high, stream, k0, k1)
        stretch = _ZERO
        for e in range(bins.shape[0]):
            stretch += dose * bins[e, 0] * transmission(lengths, ray, bin_mu, e)
            walk = _walk(walk, stretch, bins[e, 1], low, high, stream, k0, k1)
        out[ray] = _convert_few(walk, low, high, stream, k0, k1, electronics)


READ = Kernel(
    "xray.read",
    _blocks,
    _thread,
    "uint64;uint64;uint64;real[:,::1];real[:,::1];real[:,::1];real[:,::1];real[:,::1];real[::1];real[::1];uint32[::1]",
)
