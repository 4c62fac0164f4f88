"""Binomial counts: inversion where fewer than 10 are expected, transformed rejection beyond.

Element i belongs to counter i, as for Poisson counts. A probability above ½ counts the failures instead.

References
----------
W. Hörmann, "The generation of binomial random variates", Journal of Statistical Computation and Simulation 46 (1993),
doi:10.1080/00949659308811496: algorithm BTRS.
"""

from __future__ import annotations

import math

import numpy as np

from phantomsim.physics.array import Array
from phantomsim.physics.elementary import exp64, floor64, log1p64
from phantomsim.physics.kernel import Kernel, Real, loop_nest, scalar
from phantomsim.physics.sampling.philox import Word, split_counter
from phantomsim.physics.sampling.poisson import INVERSION_BELOW, stirling, uniform_pair

LARGEST_NUMBER = 10**15
BLOCK = 256  # elements to a CPU block
_MOST_STEPS = 64  # P(count > 64) is below 1e-27 where 10 are expected


@scalar(reassociate=False)
def _log_ratio(n: Real, p: Real, mode: Real, k: Real) -> Real:
    """Return log P(k) / P(mode) by Stirling's series in k + 1 and n − k + 1, in terms that stay small."""
    z, z_mode = k + np.float64(1.0), mode + np.float64(1.0)
    w, w_mode = n - k + np.float64(1.0), n - mode + np.float64(1.0)
    step = k - mode
    odds_off = (w_mode * p - z_mode * (np.float64(1.0) - p)) / (z_mode * (np.float64(1.0) - p))
    half = np.float64(0.5)
    series = stirling(1.0 / z_mode) - stirling(1.0 / z) + stirling(1.0 / w_mode) - stirling(1.0 / w)
    successes, failures = (z - half) * log1p64(step / z_mode), (w - half) * log1p64(-step / w_mode)
    return step * log1p64(odds_off) - (successes + failures) + series


@scalar
def _invert(n: Real, p: Real, u: Real) -> Real:
    """Count the terms of the distribution function that lie below u."""
    odds = p / (1.0 - p)
    probability = exp64(n * log1p64(-p))
    total = probability
    count = np.float64(0.0)
    while u > total and count < n and count < _MOST_STEPS:
        probability = probability * ((n - count) / (count + 1.0) * odds)
        total = total + probability
        count += 1.0
    return count


@scalar
def binomial_draw(n: int, p: Real, c0: Word, c1: Word, stream: Word, k0: Word, k1: Word) -> Real:
    """Return the count (int64) of successes in `n` trials of a counter; all its draw numbers are used up."""
    trials, rare = np.float64(n), min(p, 1.0 - p)
    draw = np.uint64(0)
    u, v = uniform_pair(c0, c1, stream, draw, k0, k1)
    if trials * rare < INVERSION_BELOW:
        k = _invert(trials, rare, u)
    else:
        deviation = math.sqrt(trials * rare * (1.0 - rare))
        b = 1.15 + 2.53 * deviation
        a = -0.0873 + 0.0248 * b + 0.01 * rare
        alpha = (2.83 + 5.1 / b) * deviation
        mode = floor64((trials + 1.0) * rare)
        waiting = True
        while waiting:
            s = 0.5 - abs(u - 0.5)
            k = floor64((2.0 * a / s + b) * (u - 0.5) + trials * rare + 0.5)
            if s >= 0.07 and v <= 0.92 - 4.2 / b:  # a region where every proposal is accepted
                waiting = False
            elif k >= 0.0 and k <= trials:
                waiting = v * alpha > (a / (s * s) + b) * exp64(_log_ratio(trials, rare, mode, k))
            if waiting:
                draw += np.uint64(1)
                u, v = uniform_pair(c0, c1, stream, draw, k0, k1)
    return np.int64(k) if p <= 0.5 else np.int64(n) - np.int64(k)


@loop_nest
def _blocks(begin: int, end: int, k0: Word, k1: Word, stream: Word, n: Array, p: Array, out: Array) -> None:
    for i in range(begin * BLOCK, min(end * BLOCK, out.size)):
        low, high = split_counter(i)
        out[i] = binomial_draw(n[i], p[i], low, high, stream, k0, k1)


def _thread(i: int, k0: Word, k1: Word, stream: Word, n: Array, p: Array, out: Array) -> None:
    low, high = split_counter(i)
    out[i] = binomial_draw(n[i], p[i], low, high, stream, k0, k1)


BINOMIAL = Kernel(
    "rng.binomial",
    _blocks,
    _thread,
    "uint64;uint64;uint64;int64[::1];float64[::1];int64[::1]",
    float64_reason="counts need 53 bits at small and at large means",
)
