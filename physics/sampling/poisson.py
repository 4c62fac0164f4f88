"""Poisson counts of any mean: inversion below 10, transformed rejection above.

Element i belongs to counter i; its draw number d takes the counter's words with ``c3 = d``. All in float64: in float32
a mean of 1e-6 would be 1 % off, and counts above 2²⁴ inexact. On the CPU a tile goes through each method as a whole:
inversion in lock step, rejection in rounds over those still without a count, so that all of it vectorises.

References
----------
W. Hörmann, "The transformed rejection method for generating Poisson random variables", Insurance: Mathematics and
Economics 12 (1993), doi:10.1016/0167-6687(93)90997-4: algorithm PTRS, here without its squeeze steps, which spare
logarithms but not a vector unit.
"""

from __future__ import annotations

import math

import numpy as np

from phantomsim.physics.array import Array
from phantomsim.physics.elementary import exp64, floor64, log1p64
from phantomsim.physics.kernel import Kernel, Real, loop_nest, scalar
from phantomsim.physics.sampling.philox import LANES, Word, philox, split_counter, uniform_from_words

INVERSION_BELOW = 10.0
LARGEST_MEAN = 1e15
_MOST_STEPS = 64  # P(count > 64) is below 1e-27 at a mean of 10


@scalar
def uniform_pair(c0: Word, c1: Word, stream: Word, draw: Word, k0: Word, k1: Word) -> tuple[Real, Real]:
    """Return the two float64 uniforms of one draw."""
    a, b, c, d = philox(c0, c1, stream, draw, k0, k1)
    return uniform_from_words(a, b), uniform_from_words(c, d)


@scalar
def stirling(inverse: Real) -> Real:
    """Return log Γ(z) − (z − ½) log z + z − ½ log 2π from 1/z, within 2e-6 from z = 2 and 1e-9 from z = 5."""
    square = inverse * inverse
    p = np.float64(1.0 / 1260.0) - square * np.float64(1.0 / 1680.0)
    return inverse * (np.float64(1.0 / 12.0) - square * (np.float64(1.0 / 360.0) - square * p))


@scalar
def _hat(mean: Real, u: Real) -> tuple[Real, Real, Real, Real]:
    """Return √mean, the hat's a and b, and the distance s of `u` from the nearer end of (0, 1)."""
    root = math.sqrt(mean)
    b = np.float64(0.931) + np.float64(2.53) * root
    a = np.float64(-0.059) + np.float64(0.02483) * b
    return root, a, b, np.float64(0.5) - abs(u - np.float64(0.5))


@scalar
def _propose(mean: Real, u: Real) -> Real:
    """Return the count k that PTRS proposes for a mean of at least 10; it may be negative."""
    _, a, b, s = _hat(mean, u)
    return floor64((np.float64(2.0) * a / s + b) * (u - np.float64(0.5)) + mean + np.float64(0.43))


@scalar(reassociate=False)
def _log_probability(mean: Real, k: Real) -> Real:
    """Return log P(k) + ½ log(2π mean): Stirling's series in z = k + 1 and log(mean / z), free of large terms."""
    z = max(k, np.float64(0.0)) + np.float64(1.0)
    inverse = np.float64(1.0) / z
    return (z - np.float64(0.5)) * log1p64((mean - z) * inverse) + (z - mean) - stirling(inverse)


@scalar
def _accept(mean: Real, u: Real, v: Real, k: Real, log_probability: Real) -> Real:
    """Return whether PTRS accepts k: v ≤ (a/s² + b)/α · P(k), multiplied out to spare divisions."""
    root, a, b, s = _hat(mean, u)
    square = s * s
    c = b - np.float64(3.4)  # 1/α = 1.1239 + 1.1328 / c
    left = v * (np.float64(1.1239) * c + np.float64(1.1328)) * np.float64(2.5066282746310002) * root * square
    return (k >= np.float64(0.0)) & (left <= (a + b * square) * c * exp64(log_probability))


@scalar
def poisson_draw(mean: Real, c0: Word, c1: Word, stream: Word, k0: Word, k1: Word) -> Real:
    """Return the Poisson count (int64) of a counter for a mean in [0, 1e15]; all its draw numbers are used up."""
    mean = np.float64(mean)
    draw = np.uint64(0)
    u, v = uniform_pair(c0, c1, stream, draw, k0, k1)
    if mean < INVERSION_BELOW:
        probability = exp64(-mean)
        total = probability
        count = 0
        while u > total and count < _MOST_STEPS:
            count += 1
            probability = probability * (mean * (np.float64(1.0) / np.float64(count)))
            total = total + probability
        return np.int64(count)
    k = _propose(mean, u)
    while not _accept(mean, u, v, k, _log_probability(mean, k)):
        draw += np.uint64(1)
        u, v = uniform_pair(c0, c1, stream, draw, k0, k1)
        k = _propose(mean, u)
    return np.int64(k)


@scalar
def _invert(n: int, u: Array, mean: Array, probability: Array, total: Array, count: Array) -> None:
    """Count, for each of the first `n` elements, how many terms of its distribution function lie below `u`."""
    for j in range(n):
        probability[j] = total[j] = exp64(-mean[j])
        count[j] = 0.0
    for step in range(1, _MOST_STEPS + 1):
        inverse = 1.0 / np.float64(step)
        n_left = 0
        for j in range(n):
            below = u[j] > total[j]
            count[j] += 1.0 if below else 0.0
            n_left += below
            probability[j] *= mean[j] * inverse
            total[j] += probability[j]
        if n_left == 0:
            break


@loop_nest
def _blocks(begin: int, end: int, k0: Word, k1: Word, stream: Word, mean: Array, out: Array) -> None:
    index, means, u, v = np.empty(LANES, np.int64), np.empty(LANES), np.empty(LANES), np.empty(LANES)
    count, accepted = np.empty(LANES), np.empty(LANES, np.bool_)
    probability, total = np.empty(LANES), np.empty(LANES)
    for tile in range(begin, end):
        wanted, drawn = mean[tile * LANES : (tile + 1) * LANES], out[tile * LANES : (tile + 1) * LANES]
        first, high = split_counter(tile * LANES)
        n = 0
        for j in range(wanted.size):
            index[n], means[n] = j, wanted[j]
            n += wanted[j] < INVERSION_BELOW
        for j in range(n):
            u[j], _ = uniform_pair(first + np.uint64(index[j]), high, stream, np.uint64(0), k0, k1)
        _invert(n, u, means, probability, total, count)
        for j in range(n):
            drawn[index[j]] = np.int64(count[j])
        n = 0
        for j in range(wanted.size):
            index[n], means[n] = j, wanted[j]
            n += wanted[j] >= INVERSION_BELOW
        draw = np.uint64(0)
        while n > 0:
            for j in range(n):
                u[j], v[j] = uniform_pair(first + np.uint64(index[j]), high, stream, draw, k0, k1)
            # three short loops: as one, its chain of dependent steps leaves the vector unit waiting (1.6 times slower)
            for j in range(n):
                count[j] = _propose(means[j], u[j])
            for j in range(n):
                probability[j] = _log_probability(means[j], count[j])
            for j in range(n):
                accepted[j] = _accept(means[j], u[j], v[j], count[j], probability[j])
            n_left = 0
            for j in range(n):
                if accepted[j]:
                    drawn[index[j]] = np.int64(count[j])
                else:
                    index[n_left], means[n_left] = index[j], means[j]
                    n_left += 1
            n = n_left
            draw += np.uint64(1)


def _thread(i: int, k0: Word, k1: Word, stream: Word, mean: Array, out: Array) -> None:
    low, high = split_counter(i)
    out[i] = poisson_draw(mean[i], low, high, stream, k0, k1)


POISSON = Kernel(
    "rng.poisson",
    _blocks,
    _thread,
    "uint64;uint64;uint64;real[::1];int64[::1]",
    float64_reason="counts need 53 bits at small and at large means",
)
