"""Loop nests of photon transport: Woodcock tracking with majorants of coarse cells.

A photon flies by free paths of the densest matter of its cell; where a flight ends inside the cell it collides with
the probability μ/majorant, and where it would leave the cell it starts anew at the border (free paths have no memory).
Two flights share the four words of a Philox counter: word 1 is the flight, word 2 accepts, in its upper 23 bits, and
picks one of the voxel's materials in its lower 9.

On the CPU a block of histories moves in step: each stage is a loop over the block's lanes, most of them vectorised,
and the living are packed together after every second flight. A history draws by its own number alone, so that
blocks, threads and backends all see the same.

References
----------
E. R. Woodcock et al., "Techniques used in the GEM code for Monte Carlo neutronics calculations in reactors and other
systems of complex geometry", ANL-7050 (1965).
"""

from __future__ import annotations

import numpy as np

from phantomsim.physics.array import Array
from phantomsim.physics.kernel import Kernel, Real, loop_nest, scalar
from phantomsim.physics.photons import tally
from phantomsim.physics.photons.collisions import (
    at_momentum,
    blend,
    energy_row,
    klein_nishina_draw,
    rayleigh_draw,
    squared_momentum,
    turned,
)
from phantomsim.physics.photons.medium import FULL_SHARE
from phantomsim.physics.photons.tally import quanta
from phantomsim.physics.sampling.philox import Word, philox, split_counter, uniform_from_word
from phantomsim.physics.sampling.real import exponential_from_word

BLOCK = 512  # histories; their lanes stay in the first cache
ONE_COMPTON = np.int32(1)
ONE_RAYLEIGH = np.int32(1 << 16)
LOWER, PER_VOXEL, EXTENT, EDGE, PER_CELL, NUDGE, CUTOFF = 0, 3, 6, 9, 12, 13, 14
"""Where the numbers of the medium stand in `scales`."""
_SHARE_BITS = 511
_BYTE = 255
_PER_SHARE = np.float32(1 / FULL_SHARE)
OUTSIDE = np.int32(-(2**31))
_ZERO = np.float32(0.0)
_PARALLEL = np.float32(1e-9)
_DRAW = np.uint64(1)


@scalar
def is_inside(z: Real, y: Real, x: Real, scales: Array) -> Real:
    """Return whether a position is in the grid."""
    lower = (z >= _ZERO) & (y >= _ZERO) & (x >= _ZERO)
    return lower & (z < scales[6]) & (y < scales[7]) & (x < scales[8])


@scalar
def _between_planes(position: Real, direction: Real, high: Real) -> tuple[Real, Real]:
    """Return where a line enters and leaves the slab from 0 to `high`, as lengths along it."""
    safe = direction if abs(direction) > _PARALLEL else _PARALLEL
    a, b = -position / safe, (high - position) / safe
    return min(a, b), max(a, b)


@scalar
def entered(z: Real, y: Real, x: Real, dz: Real, dy: Real, dx: Real, scales: Array) -> tuple[Real, Real, Real, bool]:
    """Return the position where a photon enters the grid, and whether it does."""
    a0, b0 = _between_planes(z, dz, scales[6])
    a1, b1 = _between_planes(y, dy, scales[7])
    a2, b2 = _between_planes(x, dx, scales[8])
    enters, leaves = max(max(a0, a1), max(a2, _ZERO)), min(b0, min(b1, b2))
    length = enters + scales[NUDGE] if enters > _ZERO else _ZERO
    z, y, x = z + length * dz, y + length * dy, x + length * dx
    return z, y, x, (enters < leaves) & is_inside(z, y, x, scales)


@scalar
def cell_of(position: Real, per_voxel: Real, per_cell: Real) -> Real:
    """Return the cell along one axis of the voxel that a position is in: both by the voxel, so that they agree."""
    return np.int32((np.float32(np.int32(position * per_voxel)) + np.float32(0.5)) * per_cell)


@scalar
def _to_border(position: Real, direction: Real, edge: Real, per_voxel: Real, per_cell: Real) -> Real:
    """Return the length to the next border of cells along one axis.

    Where rounding has put a photon on the border that is ahead of it, the one after that counts, lest it stand still.
    """
    safe = direction if abs(direction) > _PARALLEL else _PARALLEL
    cell = np.float32(cell_of(position, per_voxel, per_cell))
    gap = ((cell + np.float32(1.0)) if safe > _ZERO else cell) * edge - position
    length = gap / safe
    return length if length > _ZERO else length + edge / abs(safe)


@scalar
def flight(
    z: Real, y: Real, x: Real, dz: Real, dy: Real, dx: Real, length: Real, scales: Array
) -> tuple[Real, Real, Real, bool]:
    """Fly a length, or just over the border of the cell; return the position and whether it was the border."""
    border = _to_border(z, dz, scales[9], scales[3], scales[12])
    border = min(border, _to_border(y, dy, scales[10], scales[4], scales[12]))
    border = min(border, _to_border(x, dx, scales[11], scales[5], scales[12]))
    crosses = border <= length
    step = border + scales[NUDGE] if crosses else length
    return z + step * dz, y + step * dy, x + step * dx, crosses


@scalar
def voxel_at(z: Real, y: Real, x: Real, scales: Array, rows: int, columns: int) -> Real:
    """Return the number of the voxel at a position."""
    row = np.int32(z * scales[3]) * np.int32(rows) + np.int32(y * scales[4])
    return row * np.int32(columns) + np.int32(x * scales[5])


@scalar
def cell_at(z: Real, y: Real, x: Real, scales: Array, rows: int, columns: int) -> Real:
    """Return the number of the cell at a position."""
    row = cell_of(z, scales[3], scales[12]) * np.int32(rows) + cell_of(y, scales[4], scales[12])
    return row * np.int32(columns) + cell_of(x, scales[5], scales[12])


@scalar
def met(voxel: int, word: Word) -> tuple[Real, Real]:
    """Return the material that a photon meets in a voxel, by the lowest 9 bits of a word, and its share of the density.

    Beside empty space the material is thinned; of two materials one is picked.
    """
    share, second = np.int64(voxel) >> 16, (np.int64(voxel) >> 8) & _BYTE
    thinned = second == 0
    is_first = thinned | ((np.int64(word) & _SHARE_BITS) < share)
    density = np.float32(share) * _PER_SHARE if thinned else np.float32(1.0)
    return (np.int64(voxel) & _BYTE if is_first else second), density


@scalar
def scattered(
    compton: bool, energy: Real, momentum: Array, low: Word, high: Word, stream: Word, draw: Word, k0: Word, k1: Word
) -> tuple[Real, Real, Real, Word]:
    """Draw the energy after an event [keV], 1 − cos θ, turns about the old direction, and the next draw number."""
    after, turn, around = energy, _ZERO, _ZERO
    rejected = True
    while rejected:
        a, b, c, d = philox(low, high, stream, draw, k0, k1)
        draw += _DRAW
        around = uniform_from_word(d)
        if compton:
            ratio, turn, chance = klein_nishina_draw(energy, uniform_from_word(a), uniform_from_word(b))
            chance *= at_momentum(momentum[:, 0], squared_momentum(energy, turn))
            after = energy * ratio
        else:
            turn, chance = rayleigh_draw(energy, uniform_from_word(b), momentum[:, 1])
        rejected = uniform_from_word(c) >= chance
    return after, turn, around, draw


@scalar
def _load(
    start: int,
    scales: Array,
    shape: Array,
    cells: Array,
    free_paths: Array,
    state: Array,
    orders: Array,
    lanes: Array,
    counts: Array,
) -> int:
    """Bring the photons of a block that meet the medium to its border; return how many."""
    n = 0
    for i in range(start, min(start + BLOCK, state.shape[1])):
        z, y, x = state[0, i] - scales[0], state[1, i] - scales[1], state[2, i] - scales[2]
        dz, dy, dx, energy = state[3, i], state[4, i], state[5, i], state[6, i]
        z, y, x, enters = entered(z, y, x, dz, dy, dx, scales)
        if enters and energy > _ZERO:
            cell = cell_at(z, y, x, scales, shape[2], shape[3])
            row, place = energy_row(energy)
            lanes[0, n], lanes[1, n], lanes[2, n], lanes[3, n], lanes[4, n], lanes[5, n] = z, y, x, dz, dy, dx
            lanes[6, n], lanes[7, n], lanes[8, n] = energy, place, free_paths[cells[cell], row]
            counts[0, n], counts[1, n], counts[2, n], counts[3, n] = i, 0, row, orders[i]
            n += 1
    return n


@scalar
def _draw_words(n: int, first: int, stream: Word, k0: Word, k1: Word, counts: Array, words: Array) -> None:
    index, draw = counts[0, :n], counts[1, :n]
    a, b, c, d = words[0, :n], words[1, :n], words[2, :n], words[3, :n]
    for j in range(n):
        low, high = split_counter(first + index[j])
        a[j], b[j], c[j], d[j] = philox(low, high, stream, np.uint64(draw[j]), k0, k1)
        draw[j] += np.int32(1)


@scalar
def _fly(n: int, scales: Array, shape: Array, words: Array, lanes: Array, marks: Array) -> None:
    """Move every lane; mark where it is: the number of a voxel, −1 − the number of a cell, or `OUTSIDE`."""
    z, y, x, dz, dy, dx = lanes[0, :n], lanes[1, :n], lanes[2, :n], lanes[3, :n], lanes[4, :n], lanes[5, :n]
    free, words, marks = lanes[8, :n], words[:n], marks[:n]
    rows, columns = np.int32(shape[0]), np.int32(shape[1])
    cell_rows, cell_columns = np.int32(shape[2]), np.int32(shape[3])
    for j in range(n):
        length = exponential_from_word(words[j]) * free[j]
        p, q, r, crosses = flight(z[j], y[j], x[j], dz[j], dy[j], dx[j], length, scales)
        voxel = voxel_at(p, q, r, scales, rows, columns)
        cell = cell_at(p, q, r, scales, cell_rows, cell_columns)
        mark = np.int32(-1) - cell if crosses else voxel
        marks[j] = mark if is_inside(p, q, r, scales) else OUTSIDE
        z[j], y[j], x[j] = p, q, r


@scalar
def _store(j: int, scales: Array, lanes: Array, counts: Array, state: Array, orders: Array) -> None:
    i = counts[0, j]
    for axis in range(3):
        state[axis, i] = lanes[axis, j] + scales[axis]
        state[3 + axis, i] = lanes[3 + axis, j]
    state[6, i] = lanes[6, j]
    orders[i] = counts[3, j]
    lanes[6, j] = _ZERO


@scalar
def _pack(n: int, lanes: Array, counts: Array) -> int:
    """Move the living lanes together; return how many there are."""
    alive = 0
    for j in range(n):
        if lanes[6, j] > _ZERO:
            if alive < j:
                for k in range(lanes.shape[0]):
                    lanes[k, alive] = lanes[k, j]
                for k in range(counts.shape[0]):
                    counts[k, alive] = counts[k, j]
            alive += 1
    return alive


@loop_nest
def _blocks(
    begin: int,
    end: int,
    k0: Word,
    k1: Word,
    stream: Word,
    first: int,
    scales: Array,
    shape: Array,
    voxels: Array,
    cells: Array,
    free_paths: Array,
    coefficients: Array,
    momentum: Array,
    state: Array,
    orders: Array,
    dose: Array,
) -> None:
    lanes, counts = np.empty((9, BLOCK), np.float32), np.empty((4, BLOCK), np.int32)
    words, marks, hits = np.empty((4, BLOCK), np.uint32), np.empty(BLOCK, np.int32), np.empty(BLOCK, np.int32)
    for block in range(begin, end):
        n = _load(block * BLOCK, scales, shape, cells, free_paths, state, orders, lanes, counts)
        while n > 0:
            _draw_words(n, first, stream, k0, k1, counts, words)
            for half in range(2):
                _fly(n, scales, shape, words[2 * half], lanes, marks)
                n_hits = 0
                for j in range(n):
                    mark = marks[j]
                    if lanes[6, j] <= _ZERO:
                        continue
                    if mark >= 0:
                        word = words[2 * half + 1, j]
                        material, density = met(voxels[mark], word)
                        mu = blend(coefficients[material, :, 2], counts[2, j], lanes[7, j])
                        hits[n_hits] = j
                        n_hits += uniform_from_word(word) < mu * (lanes[8, j] * density)
                    elif mark == OUTSIDE:
                        _store(j, scales, lanes, counts, state, orders)
                    else:
                        lanes[8, j] = free_paths[cells[-1 - mark], counts[2, j]]
                for h in range(n_hits):
                    j = int(hits[h])
                    word = words[2 * half + 1, j]
                    material, density = met(voxels[marks[j]], word)
                    chance, before = uniform_from_word(word), lanes[6, j]
                    row, place, free = counts[2, j], lanes[7, j], lanes[8, j] * density
                    compton = chance < blend(coefficients[material, :, 0], row, place) * free
                    after = _ZERO
                    if compton or chance < blend(coefficients[material, :, 1], row, place) * free:
                        low, high = split_counter(first + counts[0, j])
                        draw = np.uint64(counts[1, j])
                        after, turn, around, draw = scattered(
                            compton, before, momentum[material], low, high, stream, draw, k0, k1
                        )
                        counts[1, j] = np.int32(draw)
                        counts[3, j] += ONE_COMPTON if compton else ONE_RAYLEIGH
                        lanes[3, j], lanes[4, j], lanes[5, j] = turned(
                            lanes[3, j], lanes[4, j], lanes[5, j], turn, around
                        )
                        after = after if after >= scales[CUTOFF] else _ZERO
                        counts[2, j], lanes[7, j] = energy_row(after)
                        z, y, x = lanes[0, j], lanes[1, j], lanes[2, j]
                        cell = cell_at(z, y, x, scales, shape[2], shape[3])
                        lanes[8, j] = free_paths[cells[cell], counts[2, j]]
                    lanes[6, j] = after
                    if dose.size > 0 and after < before:
                        tally.add(dose, np.int64(marks[j]), quanta(before) - quanta(after))
                    if after <= _ZERO:
                        _store(j, scales, lanes, counts, state, orders)
            n = _pack(n, lanes, counts)


def _thread(
    i: int,
    k0: Word,
    k1: Word,
    stream: Word,
    first: int,
    scales: Array,
    shape: Array,
    voxels: Array,
    cells: Array,
    free_paths: Array,
    coefficients: Array,
    momentum: Array,
    state: Array,
    orders: Array,
    dose: Array,
) -> None:
    low, high = split_counter(first + i)
    z, y, x = state[0, i] - scales[0], state[1, i] - scales[1], state[2, i] - scales[2]
    dz, dy, dx, energy = state[3, i], state[4, i], state[5, i], state[6, i]
    z, y, x, inside = entered(z, y, x, dz, dy, dx, scales)
    if not inside or energy <= _ZERO:
        return
    row, place = energy_row(energy)
    order = orders[i]
    draw = np.uint64(0)
    first_half = True
    a, b, c, d = low, low, low, low
    while inside and energy > _ZERO:
        if first_half:
            a, b, c, d = philox(low, high, stream, draw, k0, k1)
            draw += _DRAW
        path, choice = (a, b) if first_half else (c, d)
        first_half = not first_half
        cell = cell_at(z, y, x, scales, shape[2], shape[3])
        free = free_paths[cells[cell], row]
        z, y, x, crosses = flight(z, y, x, dz, dy, dx, exponential_from_word(path) * free, scales)
        inside = is_inside(z, y, x, scales)
        if crosses or not inside:
            continue
        where = voxel_at(z, y, x, scales, shape[0], shape[1])
        material, density = met(voxels[where], choice)
        free *= density
        chance, before = uniform_from_word(choice), energy
        if chance >= blend(coefficients[material, :, 2], row, place) * free:
            continue
        compton = chance < blend(coefficients[material, :, 0], row, place) * free
        if compton or chance < blend(coefficients[material, :, 1], row, place) * free:
            energy, turn, around, draw = scattered(compton, energy, momentum[material], low, high, stream, draw, k0, k1)
            dz, dy, dx = turned(dz, dy, dx, turn, around)
            order += ONE_COMPTON if compton else ONE_RAYLEIGH
            energy = energy if energy >= scales[CUTOFF] else _ZERO
            row, place = energy_row(energy)
        else:
            energy = _ZERO
        if dose.size > 0 and energy < before:
            tally.add_on_device(dose, where, quanta(before) - quanta(energy))
    state[0, i], state[1, i], state[2, i] = z + scales[0], y + scales[1], x + scales[2]
    state[3, i], state[4, i], state[5, i], state[6, i] = dz, dy, dx, energy
    orders[i] = order


TRANSPORT = Kernel(
    "photons.transport",
    _blocks,
    _thread,
    "uint64;uint64;uint64;int64;real[::1];int32[::1];uint32[::1];int32[::1];real[:,::1];real[:,:,::1];real[:,:,::1];"
    "real[:,::1];int32[::1];int64[::1]",
)
