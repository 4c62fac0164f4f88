"""Uniform, normal and exponential float64 draws, two to a Philox call.

As `real`, with two words to an element: element ``tile · 2 · LANES + half · LANES + lane``.
"""

from __future__ import annotations

import math

import numpy as np

from phantomsim.physics.array import Array
from phantomsim.physics.kernel import Kernel, Real, loop_nest, scalar
from phantomsim.physics.sampling.philox import LANES, Word, fill_words, philox, split_counter, uniform_from_words

TILE = 2 * LANES
_SIGNATURE = "uint64;uint64;uint64;float64[::1]"
_REASON = "float64 draws were asked for"
_NO_DRAW = np.uint64(0)


@scalar
def _exponential(u: Real) -> Real:
    return -math.log(u)


@scalar
def _normal_pair(u: Real, v: Real) -> tuple[Real, Real]:
    """Turn two uniforms into two independent standard normals, up to ±8.6, by the Box-Muller transform."""
    radius = math.sqrt(2.0 * _exponential(u))
    angle = 2.0 * math.pi * v
    return radius * math.cos(angle), radius * math.sin(angle)


@scalar
def _fill_uniforms(tile: int, stream: Word, k0: Word, k1: Word, words: Array, draws: Array) -> None:
    """Fill `draws` (2 · LANES) with the uniforms of a tile; `words` (4 · LANES, uint32) is scratch."""
    fill_words(tile, stream, k0, k1, words)
    for half in range(2):
        high = words[2 * half * LANES : (2 * half + 1) * LANES]
        low = words[(2 * half + 1) * LANES : (2 * half + 2) * LANES]
        part = draws[half * LANES : (half + 1) * LANES]
        for lane in range(LANES):
            part[lane] = uniform_from_words(np.uint64(high[lane]), np.uint64(low[lane]))


@scalar
def _uniform_pair(counter: int, stream: Word, k0: Word, k1: Word) -> tuple[Real, Real]:
    low, high = split_counter(counter)
    a, b, c, d = philox(low, high, stream, _NO_DRAW, k0, k1)
    return uniform_from_words(a, b), uniform_from_words(c, d)


@scalar
def _store(counter: int, a: Real, b: Real, out: Array) -> None:
    """Store the two draws of one counter where the tile has them, as far as `out` goes."""
    first = counter // LANES * TILE + counter % LANES
    if first < out.size:
        out[first] = a
    if first + LANES < out.size:
        out[first + LANES] = b


@loop_nest
def _uniform_blocks(begin: int, end: int, k0: Word, k1: Word, stream: Word, out: Array) -> None:
    words, draws = np.empty(2 * TILE, np.uint32), np.empty(TILE)
    for tile in range(begin, end):
        _fill_uniforms(tile, stream, k0, k1, words, draws)
        part = out[tile * TILE : (tile + 1) * TILE]
        for i in range(part.size):
            part[i] = draws[i]


def _uniform_thread(i: int, k0: Word, k1: Word, stream: Word, out: Array) -> None:
    a, b = _uniform_pair(i, stream, k0, k1)
    _store(i, a, b, out)


@loop_nest
def _exponential_blocks(begin: int, end: int, k0: Word, k1: Word, stream: Word, out: Array) -> None:
    words, draws = np.empty(2 * TILE, np.uint32), np.empty(TILE)
    for tile in range(begin, end):
        _fill_uniforms(tile, stream, k0, k1, words, draws)
        part = out[tile * TILE : (tile + 1) * TILE]
        for i in range(part.size):
            part[i] = _exponential(draws[i])


def _exponential_thread(i: int, k0: Word, k1: Word, stream: Word, out: Array) -> None:
    a, b = _uniform_pair(i, stream, k0, k1)
    _store(i, _exponential(a), _exponential(b), out)


@loop_nest
def _normal_blocks(begin: int, end: int, k0: Word, k1: Word, stream: Word, out: Array) -> None:
    words, draws = np.empty(2 * TILE, np.uint32), np.empty(TILE)
    for tile in range(begin, end):
        _fill_uniforms(tile, stream, k0, k1, words, draws)
        for lane in range(LANES):
            draws[lane], draws[LANES + lane] = _normal_pair(draws[lane], draws[LANES + lane])
        part = out[tile * TILE : (tile + 1) * TILE]  # the last tile may be cut off
        for i in range(part.size):
            part[i] = draws[i]


def _normal_thread(i: int, k0: Word, k1: Word, stream: Word, out: Array) -> None:
    u, v = _uniform_pair(i, stream, k0, k1)
    a, b = _normal_pair(u, v)
    _store(i, a, b, out)


UNIFORM = Kernel("rng.uniform64", _uniform_blocks, _uniform_thread, _SIGNATURE, float64_reason=_REASON)
EXPONENTIAL = Kernel("rng.exponential64", _exponential_blocks, _exponential_thread, _SIGNATURE, float64_reason=_REASON)
NORMAL = Kernel("rng.normal64", _normal_blocks, _normal_thread, _SIGNATURE, float64_reason=_REASON)
