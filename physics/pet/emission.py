"""From decays to pairs of photons: where nuclei decay, how far positrons go, and at which angle photons part."""

from __future__ import annotations

from dataclasses import dataclass
from math import log, radians, sqrt
from typing import Any, Final

import numpy as np

from phantomsim.physics.array import Array, namespace
from phantomsim.physics.elementary import sincos_turns
from phantomsim.physics.errors import ShapeError, UnitError
from phantomsim.physics.grid import Grid
from phantomsim.physics.kernel import Kernel, Real, loop_nest, scalar
from phantomsim.physics.pet.isotopes import Isotope
from phantomsim.physics.photons.transport import Photons
from phantomsim.physics.rng import Key
from phantomsim.physics.sampling.philox import (
    Word,
    philox,
    split_counter,
    uniform_from_word,
    uniform_from_words,
)
from phantomsim.physics.sampling.real import normal_pair

PAIRS: Final = 1024  # of a block
ACOLLINEARITY: Final = radians(0.5) / sqrt(8 * log(2))
"""Standard deviation of the angle between the photons of a pair and π, in each of two directions, in water [rad].

Half a degree full width at half maximum (Shibuya et al., Phys. Med. Biol. 52 (2007), from memory: grade C).
"""
_ENERGY = np.float32(510.99895)
_STEPS_TO_A_VOXEL = np.float32(2)
_MOST_STEPS = 4096
_THINNEST = np.float32(1e-3)


@dataclass(frozen=True, eq=False)
class Source:
    """Where decays happen, drawn by a table of guesses.

    Parameters
    ----------
    grid
        Where the voxels are.
    decays
        Decays a second in the grid [Bq].
    cumulated
        Share of all decays in the active voxels up to each (active), float64.
    voxels
        Number of each active voxel in the grid (active), int32.
    guesses
        First active voxel that ends behind each of as many equal steps of the share (guess), int32.
    """

    grid: Grid
    decays: float
    cumulated: Array
    voxels: Array
    guesses: Array


def source_of(activity: Array, grid: Grid) -> Source:
    """Prepare a map of activity for drawing decays.

    Parameters
    ----------
    activity
        Activity concentration (z, y, x) [Bq/m³].
    grid
        Where the voxels are.

    Raises
    ------
    ShapeError
        If the map is not of the grid.
    UnitError
        If activity is negative, not a number, or zero everywhere.
    """
    xp = namespace(activity)
    if activity.shape != grid.shape:
        raise ShapeError(f"activity must be of the grid {grid.shape}, got {activity.shape}")
    if not bool((activity >= 0).all() and xp.isfinite(activity).all()):
        raise UnitError("activity must be finite and not negative in every voxel [Bq/m³]")
    flat = activity.ravel().astype(np.float64)
    (voxels,) = xp.nonzero(flat)
    if not len(voxels):
        raise UnitError("there is no activity in any voxel")
    cumulated = xp.cumsum(flat[voxels])
    total = float(cumulated[-1])
    cumulated /= total
    cumulated[-1] = 1.0
    guesses = xp.searchsorted(cumulated, xp.arange(len(voxels)) / len(voxels), side="right")
    decays = total * float(np.prod(grid.spacing))
    return Source(grid, decays, cumulated, voxels.astype(np.int32), guesses.astype(np.int32))


@scalar
def _place(cumulated: Array, guesses: Array, chance: Real) -> int:
    """Return the active voxel in which a share of all decays ends."""
    active = int(guesses[int(chance * guesses.size)])
    while cumulated[active] <= chance and active < cumulated.size - 1:
        active += 1
    return active


@scalar
def _density(density: Array, frame: Array, z: Real, y: Real, x: Real) -> Real:
    """Return the density at a position [1000 kg/m³], below 0 outside of the grid."""
    zero = np.float32(0)
    p, q, r = (z - frame[0]) / frame[3], (y - frame[1]) / frame[4], (x - frame[2]) / frame[5]
    k, j, i = np.int32(p), np.int32(q), np.int32(r)
    inside = (p >= zero) & (q >= zero) & (r >= zero)
    if inside and k < density.shape[0] and j < density.shape[1] and i < density.shape[2]:
        return density[k, j, i]
    return zero - np.float32(1)


@scalar
def _pair(
    i: int,
    first: int,
    k0: Word,
    k1: Word,
    stream: Word,
    frame: Array,
    cumulated: Array,
    voxels: Array,
    guesses: Array,
    density: Array,
    spreads: Array,
    acollinearity: Real,
    decays: Array,
    state: Array,
) -> None:
    """Draw pair i: its decay's position, and the state of both photons where the positron ended."""
    one, two = np.float32(1), np.float32(2)
    low, high = split_counter(first + i)
    a, b, c, d = philox(low, high, stream, np.uint64(0), k0, k1)
    voxel = np.int64(voxels[_place(cumulated, guesses, uniform_from_words(a, b))])
    n_rows, n_columns = density.shape[1], density.shape[2]
    in_z, in_y = uniform_from_word(c), uniform_from_word(d)
    a, b, c, d = philox(low, high, stream, np.uint64(1), k0, k1)
    in_x, energy = uniform_from_word(a), uniform_from_word(b)
    z = frame[0] + (np.float32(np.int32(voxel // (n_rows * n_columns))) + in_z) * frame[3]
    y = frame[1] + (np.float32(np.int32(voxel // n_columns % n_rows)) + in_y) * frame[4]
    x = frame[2] + (np.float32(np.int32(voxel % n_columns)) + in_x) * frame[5]
    decays[0, i], decays[1, i], decays[2, i] = z, y, x
    turn, height = uniform_from_word(c), two * uniform_from_word(d) - one
    a, b, c, d = philox(low, high, stream, np.uint64(2), k0, k1)
    if spreads.size > 0:
        step = energy * np.float32(np.int32(spreads.size - 1))
        below = np.int32(step)
        spread = spreads[below] + (step - np.float32(below)) * (spreads[below + 1] - spreads[below])
        p, q = normal_pair(a, b)
        r, _ = normal_pair(c, d)
        z, y, x = _stopped(z, y, x, p * spread, q * spread, r * spread, frame, density)
    sine, cosine = sincos_turns(turn)
    across = sqrt(max(one - height * height, one - one))
    dz, dy, dx = height, across * sine, across * cosine
    a, b, c, d = philox(low, high, stream, np.uint64(3), k0, k1)
    p, q = normal_pair(a, b)
    p, q = p * acollinearity, q * acollinearity
    # two unit vectors at right angles to the first photon: along the meridian and along the parallel
    oz, oy, ox = -dz - p * across, -dy + p * height * sine + q * cosine, -dx + p * height * cosine - q * sine
    norm = one / sqrt(oz * oz + oy * oy + ox * ox)
    n = state.shape[1] // 2
    for photon in range(2):
        column = i + photon * n
        state[0, column], state[1, column], state[2, column], state[6, column] = z, y, x, _ENERGY
    state[3, i], state[4, i], state[5, i] = dz, dy, dx
    state[3, i + n], state[4, i + n], state[5, i + n] = oz * norm, oy * norm, ox * norm


@scalar
def _stopped(
    z: Real, y: Real, x: Real, pz: Real, py: Real, px: Real, frame: Array, density: Array
) -> tuple[Real, Real, Real]:
    """Return where a positron stops that would go as far as (pz, py, px) in water: it goes further in thin matter.

    One that leaves the grid stops at its border.
    """
    left = sqrt(pz * pz + py * py + px * px)
    if left <= np.float32(0):
        return z, y, x
    pz, py, px = pz / left, py / left, px / left
    step = min(frame[3], min(frame[4], frame[5])) / _STEPS_TO_A_VOXEL
    for _ in range(_MOST_STEPS):
        thickness = _density(density, frame, z, y, x)
        if thickness < np.float32(0):
            break
        thickness = max(thickness, _THINNEST)
        if thickness * step >= left:
            step = left / thickness
        z, y, x = z + step * pz, y + step * py, x + step * px
        left -= thickness * step
        if left <= np.float32(1e-9):
            break
    return z, y, x


@loop_nest
def _blocks(
    begin: int,
    end: int,
    n: int,
    first: int,
    k0: Word,
    k1: Word,
    stream: Word,
    frame: Array,
    cumulated: Array,
    voxels: Array,
    guesses: Array,
    density: Array,
    spreads: Array,
    acollinearity: Real,
    decays: Array,
    state: Array,
) -> None:
    for i in range(PAIRS * begin, min(n, PAIRS * end)):
        _pair(
            i, first, k0, k1, stream, frame, cumulated, voxels, guesses, density, spreads, acollinearity, decays, state
        )


def _thread(
    i: int,
    n: int,
    first: int,
    k0: Word,
    k1: Word,
    stream: Word,
    frame: Array,
    cumulated: Array,
    voxels: Array,
    guesses: Array,
    density: Array,
    spreads: Array,
    acollinearity: Real,
    decays: Array,
    state: Array,
) -> None:
    _pair(i, first, k0, k1, stream, frame, cumulated, voxels, guesses, density, spreads, acollinearity, decays, state)


EMIT: Final = Kernel(
    "pet.emit",
    _blocks,
    _thread,
    "int64;int64;uint64;uint64;uint64;real[::1];float64[::1];int32[::1];int32[::1];real[:,:,::1];real[::1];real;"
    "real[:,::1];real[:,::1]",
    float64_reason="a share of all decays must tell millions of voxels apart",
)
"""Draw decays and the photons of their pairs; a CPU block is a run of `PAIRS`, a CUDA thread a pair."""


def emit(
    source: Source,
    n: int,
    key: Key,
    *,
    density: Array,
    isotope: Isotope | None = None,
    acollinearity: float = ACOLLINEARITY,
    first: int = 0,
) -> tuple[Array, Photons]:
    """Draw decays that emit a positron, and the photons of its annihilation.

    Parameters
    ----------
    source
        Where decays happen.
    n
        Number of positrons.
    key
        Random stream.
    density
        Mass density (z, y, x) [kg/m³]: positrons go further in thin matter.
    isotope
        Whose positrons fly; without it they annihilate where they are set free.
    acollinearity
        Standard deviation of the angle between the photons and π, in each of two directions [rad].
    first
        Number of the first decay: decay i depends on the key and ``first + i`` alone.

    Returns
    -------
        Positions of the decays (3, pair), (z, y, x) [m], and the photons (2 · pair): the first ones of all pairs, then
        the second ones.

    Raises
    ------
    ShapeError
        If the density is not of the source's grid.
    """
    xp = namespace(source.cumulated, density)
    if density.shape != source.grid.shape:
        raise ShapeError(f"density must be of the grid {source.grid.shape}, got {density.shape}")
    spreads = np.zeros(0) if isotope is None else isotope.spreads()
    frame = np.array([*source.grid.lower, *source.grid.spacing], np.float32)
    decays, state = xp.zeros((3, n), np.float32), xp.zeros((7, 2 * n), np.float32)
    arguments: tuple[Any, ...] = (
        *(xp.asarray(a) for a in (frame, source.cumulated, source.voxels, source.guesses)),
        xp.ascontiguousarray(density, dtype=np.float32) / np.float32(1000),
        xp.asarray(spreads, dtype=np.float32),
        np.float32(acollinearity),
    )
    EMIT(-(-n // PAIRS), n, n, first, *key.arguments, *arguments, decays, state)
    return decays, Photons(state, xp.zeros(2 * n, np.int32))
