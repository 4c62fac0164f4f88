"""Uniform, normal and exponential float32 draws, four to a Philox call.

Elements come in tiles of ``4 × LANES``: element ``tile · 4 · LANES + word · LANES + lane`` is made from one word of
counter ``tile · LANES + lane`` (a normal, from that word and its neighbour). So an element depends on its index alone,
and every loop over lanes vectorises.
"""

from __future__ import annotations

import math

import numpy as np

from phantomsim.physics.array import Array
from phantomsim.physics.elementary import log, sincos_turns
from phantomsim.physics.kernel import Kernel, Real, loop_nest, scalar
from phantomsim.physics.sampling.philox import (
    LANES,
    Word,
    fill_words,
    philox,
    positive_from_word,
    split_counter,
    uniform_from_word,
)

TILE = 4 * LANES
_SIGNATURE = "uint64;uint64;uint64;real[::1]"
_NO_DRAW = np.uint64(0)


@scalar
def exponential_from_word(word: Word) -> Real:
    """Turn a word into an exponential of mean 1, a float32 in [2⁻²⁴, 22.2]."""
    return -log(positive_from_word(word))


@scalar
def normal_pair(radial: Word, angular: Word) -> tuple[Real, Real]:
    """Turn two words into two independent standard normals, float32 up to ±6.7, by the Box-Muller transform."""
    radius = math.sqrt(np.float32(2.0) * exponential_from_word(radial))
    sine, cosine = sincos_turns(uniform_from_word(angular))
    return radius * cosine, radius * sine


@scalar
def _store(counter: int, a: Real, b: Real, c: Real, d: Real, out: Array) -> None:
    """Store the four draws of one counter where the tile has them, as far as `out` goes."""
    first = counter // LANES * TILE + counter % LANES
    if first < out.size:
        out[first] = a
    if first + LANES < out.size:
        out[first + LANES] = b
    if first + 2 * LANES < out.size:
        out[first + 2 * LANES] = c
    if first + 3 * LANES < out.size:
        out[first + 3 * LANES] = d


@loop_nest
def _uniform_blocks(begin: int, end: int, k0: Word, k1: Word, stream: Word, out: Array) -> None:
    words = np.empty(TILE, np.uint32)
    for tile in range(begin, end):
        fill_words(tile, stream, k0, k1, words)
        part = out[tile * TILE : (tile + 1) * TILE]
        for i in range(part.size):
            part[i] = uniform_from_word(words[i])


def _uniform_thread(i: int, k0: Word, k1: Word, stream: Word, out: Array) -> None:
    low, high = split_counter(i)
    a, b, c, d = philox(low, high, stream, _NO_DRAW, k0, k1)
    _store(i, uniform_from_word(a), uniform_from_word(b), uniform_from_word(c), uniform_from_word(d), out)


@loop_nest
def _exponential_blocks(begin: int, end: int, k0: Word, k1: Word, stream: Word, out: Array) -> None:
    words = np.empty(TILE, np.uint32)
    for tile in range(begin, end):
        fill_words(tile, stream, k0, k1, words)
        part = out[tile * TILE : (tile + 1) * TILE]
        for i in range(part.size):
            part[i] = exponential_from_word(words[i])


def _exponential_thread(i: int, k0: Word, k1: Word, stream: Word, out: Array) -> None:
    low, high = split_counter(i)
    a, b, c, d = philox(low, high, stream, _NO_DRAW, k0, k1)
    _store(
        i, exponential_from_word(a), exponential_from_word(b), exponential_from_word(c), exponential_from_word(d), out
    )


@loop_nest
def _normal_blocks(begin: int, end: int, k0: Word, k1: Word, stream: Word, out: Array) -> None:
    words = np.empty(TILE, np.uint32)
    draws = np.empty(TILE, out.dtype)
    for tile in range(begin, end):
        fill_words(tile, stream, k0, k1, words)
        for half in range(2):
            radial = words[2 * half * LANES : (2 * half + 1) * LANES]
            angular = words[(2 * half + 1) * LANES : (2 * half + 2) * LANES]
            first = draws[2 * half * LANES : (2 * half + 1) * LANES]
            second = draws[(2 * half + 1) * LANES : (2 * half + 2) * LANES]
            for lane in range(LANES):
                first[lane], second[lane] = normal_pair(radial[lane], angular[lane])
        part = out[tile * TILE : (tile + 1) * TILE]  # the last tile may be cut off
        for i in range(part.size):
            part[i] = draws[i]


def _normal_thread(i: int, k0: Word, k1: Word, stream: Word, out: Array) -> None:
    low, high = split_counter(i)
    p, q, r, s = philox(low, high, stream, _NO_DRAW, k0, k1)
    a, b = normal_pair(p, q)
    c, d = normal_pair(r, s)
    _store(i, a, b, c, d, out)


UNIFORM = Kernel("rng.uniform", _uniform_blocks, _uniform_thread, _SIGNATURE)
EXPONENTIAL = Kernel("rng.exponential", _exponential_blocks, _exponential_thread, _SIGNATURE)
NORMAL = Kernel("rng.normal", _normal_blocks, _normal_thread, _SIGNATURE)
