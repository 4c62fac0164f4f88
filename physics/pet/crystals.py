"""Photons in the crystals of a ring scanner: penetration, scatter between crystals, and what each block reads.

A photon is tracked through the cylinder shell that holds the blocks by free paths of their crystals' material
(Woodcock): a flight that ends between crystals, or in the bore, goes on as if nothing had happened. What a block
reads is the energy left in it, and the crystal nearest to its energy-weighted position. Light, electrons and
fluorescence stay where they are set free; two blocks to a photon are kept, the first two that it meets.
"""

from __future__ import annotations

from math import atan2, cos, pi, sin, sqrt
from typing import Final

import numpy as np

from phantomsim.physics.array import Array
from phantomsim.physics.kernel import Kernel, Real, loop_nest, scalar
from phantomsim.physics.photons.collisions import blend, energy_row, turned
from phantomsim.physics.photons.transport_kernel import scattered
from phantomsim.physics.sampling.philox import Word, philox, split_counter, uniform_from_word
from phantomsim.physics.sampling.real import exponential_from_word

PHOTONS: Final = 1024  # of a block of the CPU nest
HITS: Final = 2
"""Blocks to a photon."""
RADIUS, OUTER, HALF_LENGTH, DEPTH, ACROSS, ALONG, PITCH_Z, PITCH, FILL, TAPER = range(10)
"""Where the lengths of the rings stand in `shell`: inner and outer radius, half length, depth of crystals, half width
of a block, its length and the gap, pitches, share of a pitch that is crystal; and 1 where blocks widen outward."""
_ZERO = np.float32(0)
_ONE = np.float32(1)
_HALF = np.float32(0.5)
_TINY = np.float32(1e-12)
_MOST_FLIGHTS = 1000


@scalar
def _way_in(z: Real, y: Real, x: Real, dz: Real, dy: Real, dx: Real, shell: Array) -> Real:
    """Return how far it is to the shell [m], below 0 if a photon misses it; the start is in the bore or beyond it."""
    across = dy * dy + dx * dx
    if across < _TINY:
        return -_ONE
    towards, inner = y * dy + x * dx, shell[RADIUS]
    root = towards * towards - across * (y * y + x * x - inner * inner)
    if root < _ZERO:
        return -_ONE
    length = (-towards + sqrt(root)) / across  # out of the bore, even where the start is beyond
    height = z + length * dz
    if abs(height) <= shell[HALF_LENGTH]:
        return length + np.float32(1e-6)
    if height * dz < _ZERO:  # comes from beyond an end: through the shell's face
        length = ((shell[HALF_LENGTH] if height > _ZERO else -shell[HALF_LENGTH]) - z) / dz
        p, q = y + length * dy, x + length * dx
        if p * p + q * q <= shell[OUTER] * shell[OUTER]:
            return length + np.float32(1e-6)
    return -_ONE


@scalar
def _inside(z: Real, y: Real, x: Real, shell: Array) -> bool:
    return bool(abs(z) <= shell[HALF_LENGTH]) and bool(y * y + x * x <= shell[OUTER] * shell[OUTER])


@scalar
def _crystal(z: Real, y: Real, x: Real, shell: Array, counts: Array) -> tuple[int, Real, Real]:
    """Return the block at a position, −1 between crystals, and the place in it (axial, transaxial) [crystal]."""
    turn = _ONE / np.float32(counts[0])
    angle = np.float32(atan2(y, x)) * np.float32(0.5 / pi)
    around = np.int32(np.float32(counts[0]) * (angle + _ONE) + _HALF) % counts[0]
    middle = np.float32(around) * turn * np.float32(2 * pi)
    sine, cosine = np.float32(sin(middle)), np.float32(cos(middle))
    deep, aside = y * sine + x * cosine - shell[RADIUS], y * cosine - x * sine
    half = shell[ACROSS] * (_ONE + shell[TAPER] * deep / shell[RADIUS])
    if deep < _ZERO or deep > shell[DEPTH] or abs(aside) >= half:
        return -1, _ZERO, _ZERO
    up = z + shell[HALF_LENGTH]
    ring = min(np.int32(up / shell[ALONG]), counts[1] - np.int32(1))
    axial = (up - np.float32(ring) * shell[ALONG]) / shell[PITCH_Z]
    transaxial = _HALF * (aside / half + _ONE) * np.float32(counts[3])
    if axial < _ZERO or axial >= np.float32(counts[2]):
        return -1, _ZERO, _ZERO
    off_z, off = axial - np.float32(np.int32(axial)) - _HALF, transaxial - np.float32(np.int32(transaxial)) - _HALF
    if max(abs(off_z), abs(off)) > _HALF * shell[FILL]:
        return -1, _ZERO, _ZERO
    return int(ring * counts[0] + around), axial, transaxial


@scalar
def _detect(
    i: int,
    first: int,
    k0: Word,
    k1: Word,
    stream: Word,
    shell: Array,
    counts: Array,
    coefficients: Array,
    momentum: Array,
    cutoff: Real,
    state: Array,
    blocks: Array,
    hits: Array,
) -> None:
    """Follow photon i through the shell; write the blocks it left energy in, and what they read."""
    for slot in range(HITS):
        blocks[slot, i] = -1
        for k in range(hits.shape[1]):
            hits[slot, k, i] = _ZERO
    z, y, x, energy = state[0, i], state[1, i], state[2, i], state[6, i]
    dz, dy, dx = state[3, i], state[4, i], state[5, i]
    if energy < cutoff:
        return
    length = _way_in(z, y, x, dz, dy, dx, shell)
    if length < -_HALF:
        return
    way = length
    z, y, x = z + length * dz, y + length * dy, x + length * dx
    low, high = split_counter(first + i)
    draw = np.uint64(0)
    row, place = energy_row(energy)
    for _ in range(_MOST_FLIGHTS):
        a, b, c, d = philox(low, high, stream, draw, k0, k1)
        draw += np.uint64(1)
        total = blend(coefficients[1, :, 2], row, place)
        length = exponential_from_word(a) / total
        z, y, x = z + length * dz, y + length * dy, x + length * dx
        if not _inside(z, y, x, shell):
            return
        way += length
        block, axial, transaxial = _crystal(z, y, x, shell, counts)
        if block < 0:
            continue
        chance, after = uniform_from_word(b) * total, _ZERO
        compton = chance < blend(coefficients[1, :, 0], row, place)
        if compton or chance < blend(coefficients[1, :, 1], row, place):
            after, turn, around, draw = scattered(compton, energy, momentum[1], low, high, stream, draw, k0, k1)
            dz, dy, dx = turned(dz, dy, dx, turn, around)
        after = after if after >= cutoff else _ZERO
        left = energy - after
        slot = 0
        while slot < HITS and blocks[slot, i] >= 0 and blocks[slot, i] != block:
            slot += 1
        if slot < HITS and left > _ZERO:
            if blocks[slot, i] < 0:
                blocks[slot, i] = block
                hits[slot, 3, i], hits[slot, 4, i], hits[slot, 5, i] = way, axial, transaxial
            hits[slot, 0, i] += left
            hits[slot, 1, i] += left * axial
            hits[slot, 2, i] += left * transaxial
        energy = after
        if energy <= _ZERO:
            return
        row, place = energy_row(energy)


@loop_nest
def _blocks(
    begin: int,
    end: int,
    first: int,
    k0: Word,
    k1: Word,
    stream: Word,
    shell: Array,
    counts: Array,
    coefficients: Array,
    momentum: Array,
    cutoff: Real,
    state: Array,
    blocks: Array,
    hits: Array,
) -> None:
    for i in range(PHOTONS * begin, min(blocks.shape[1], PHOTONS * end)):
        _detect(i, first, k0, k1, stream, shell, counts, coefficients, momentum, cutoff, state, blocks, hits)


def _thread(
    i: int,
    first: int,
    k0: Word,
    k1: Word,
    stream: Word,
    shell: Array,
    counts: Array,
    coefficients: Array,
    momentum: Array,
    cutoff: Real,
    state: Array,
    blocks: Array,
    hits: Array,
) -> None:
    _detect(i, first, k0, k1, stream, shell, counts, coefficients, momentum, cutoff, state, blocks, hits)


CRYSTALS: Final = Kernel(
    "pet.crystals",
    _blocks,
    _thread,
    "int64;uint64;uint64;uint64;real[::1];int32[::1];real[:,:,::1];real[:,:,::1];real;real[:,::1];int32[:,::1];"
    "real[:,:,::1]",
)
"""Follow photons through the shell of crystals; a CPU block is a run of `PHOTONS`, a CUDA thread a photon.

Writes for each of the first two blocks its number (hit, photon), −1 for none, and (hit, 6, photon): energy [keV],
energy times axial and transaxial place in the block [keV · crystal], the way from the start to the first event [m] and
its axial and transaxial place [crystal].
"""
