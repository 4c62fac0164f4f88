"""Philox4x32-10: four random words for every counter, without any state.

Words are uint64 that hold 32 bits, so that the product of two never overflows: plain Python, LLVM and CUDA give the
same bits, and the compiler sees one 32 × 32 → 64 multiplication.

References
----------
J. K. Salmon, M. A. Moraes, R. O. Dror, D. E. Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC'11 (2011),
doi:10.1145/2063384.2063405.
"""

from __future__ import annotations

import numpy as np

from phantomsim.physics.array import Array
from phantomsim.physics.kernel import Real, scalar

Word = np.uint64
LANES = 1024  # counters to a tile: long enough to vectorise, short enough to stay in cache
WORD_MASK = np.uint64(0xFFFFFFFF)
WORD_BITS = np.uint64(32)
_MULTIPLIER_0 = np.uint64(0xD2511F53)
_MULTIPLIER_1 = np.uint64(0xCD9E8D57)
_WEYL_0 = np.uint64(0x9E3779B9)  # golden ratio
_WEYL_1 = np.uint64(0xBB67AE85)  # √3 − 1
_EXPONENT_OF_ONE = np.uint64(0x3FF0000000000000)


@scalar
def philox(c0: Word, c1: Word, c2: Word, c3: Word, k0: Word, k1: Word) -> tuple[Word, Word, Word, Word]:
    """Encrypt a counter of four words with a key of two into four independent random words.

    The convention here: `c0`, `c1` count elements, `c2` is the stream word of the key, `c3` the number of the draw.
    """
    c0, c1, c2, c3 = c0 & WORD_MASK, c1 & WORD_MASK, c2 & WORD_MASK, c3 & WORD_MASK
    k0, k1 = k0 & WORD_MASK, k1 & WORD_MASK
    for _ in range(10):
        p = _MULTIPLIER_0 * c0
        q = _MULTIPLIER_1 * c2
        c0, c1, c2, c3 = (q >> WORD_BITS) ^ c1 ^ k0, q & WORD_MASK, (p >> WORD_BITS) ^ c3 ^ k1, p & WORD_MASK
        k0 = (k0 + _WEYL_0) & WORD_MASK
        k1 = (k1 + _WEYL_1) & WORD_MASK
    return c0, c1, c2, c3


@scalar
def uniform_from_word(word: Word) -> Real:
    """Turn a word into a float32 in [2⁻²⁴, 1 − 2⁻²⁴]: 23 bits and a half, exact (one bit more would round to 1)."""
    return np.float32(np.int32(word >> np.uint64(9))) * np.float32(2.0**-23) + np.float32(2.0**-24)


@scalar
def positive_from_word(word: Word) -> Real:
    """Turn a word into a float32 in [2⁻³², 1 − 2⁻²⁴], for logarithms: fine steps near 0 make long tails."""
    u = (np.float32(np.int32(word >> np.uint64(1))) + np.float32(0.5)) * np.float32(2.0**-31)
    return min(u, np.float32(1.0 - 2.0**-24))


@scalar
def uniform_from_words(high: Word, low: Word) -> Real:
    """Turn two words into a float64 in [2⁻⁵³, 1 − 2⁻⁵³]: 52 bits and a half, exact.

    The bits become the fraction of a number in [1, 2): a processor without 64-bit conversions still vectorises it.
    """
    fraction = (high << np.uint64(20)) | (low >> np.uint64(12))
    return np.uint64(_EXPONENT_OF_ONE | fraction).view(np.float64) - np.float64(1.0 - 2.0**-53)


@scalar
def split_counter(i: int) -> tuple[Word, Word]:
    """Split an index into the two counter words, low and high."""
    counter = np.uint64(i)
    return counter & WORD_MASK, counter >> WORD_BITS


@scalar
def fill_words(tile: int, stream: Word, k0: Word, k1: Word, words: Array) -> None:
    """Fill `words` (4 · LANES, uint32) with the words of the counters of a tile: all first words, then all second."""
    first, high = split_counter(tile * LANES)  # a tile never straddles a carry: LANES divides 2³²
    a, b, c, d = words[:LANES], words[LANES : 2 * LANES], words[2 * LANES : 3 * LANES], words[3 * LANES :]
    for lane in range(LANES):
        a[lane], b[lane], c[lane], d[lane] = philox(first + np.uint64(lane), high, stream, np.uint64(0), k0, k1)
