"""What happens to one photon, as scalar functions of both loop nests: look-ups, Compton and Rayleigh draws, turns.

References
----------
J. C. Butcher, H. Messel, "Electron number distribution in electron-photon showers in air and aluminium absorbers",
Nucl. Phys. 20 (1960), doi:10.1016/0029-5582(60)90162-0: the draw of the Klein–Nishina formula.
T. Duff et al., "Building an orthonormal basis, revisited", J. Comput. Graph. Tech. 6 (2017).
"""

from __future__ import annotations

import math

import numpy as np

from phantomsim.physics.array import Array
from phantomsim.physics.constants import ELECTRON_REST_ENERGY_KEV
from phantomsim.physics.elementary import exp, log, sincos_turns
from phantomsim.physics.kernel import Real, scalar
from phantomsim.physics.photons.tables import ENERGY_STEPS, MOMENTUM_OCTAVES, MOMENTUM_STEPS, WAVELENGTH

PER_REST_ENERGY = np.float32(1 / ELECTRON_REST_ENERGY_KEV)
_HALF_MOMENTUM = np.float32(0.5 / WAVELENGTH**2)  # x² = (E / 12.4)² (1 − cos θ) / 2
_ENERGY_SHIFT = np.int32(23 - int(math.log2(ENERGY_STEPS)))
_ENERGY_MASK = np.int32((1 << int(_ENERGY_SHIFT)) - 1)
_ENERGY_PLACE = np.float32(2.0 ** -int(_ENERGY_SHIFT))
_ENERGY_FIRST = np.int32(127 * ENERGY_STEPS)
_LAST_ENERGY_ROW = np.int32(10 * ENERGY_STEPS - 1)
_MOMENTUM_SHIFT = np.int32(23 - int(math.log2(MOMENTUM_STEPS)))
_MOMENTUM_MASK = np.int32((1 << int(_MOMENTUM_SHIFT)) - 1)
_MOMENTUM_PLACE = np.float32(2.0 ** -int(_MOMENTUM_SHIFT))
_MOMENTUM_FIRST = np.int32((127 + MOMENTUM_OCTAVES[0]) * MOMENTUM_STEPS)
_MOMENTUM_LEAST = np.float32(2.0 ** MOMENTUM_OCTAVES[0])
_MOMENTUM_MOST = np.float32(2.0 ** MOMENTUM_OCTAVES[1] * (1 - 2**-20))


@scalar
def energy_row(energy: Real) -> tuple[np.int32, Real]:
    """Return the row below an energy [keV] and the place between it and the next, 0 to 1."""
    bits = np.float32(energy).view(np.int32)
    row = min(max((bits >> _ENERGY_SHIFT) - _ENERGY_FIRST, np.int32(0)), _LAST_ENERGY_ROW)
    return row, np.float32(bits & _ENERGY_MASK) * _ENERGY_PLACE


@scalar
def blend(table: Array, row: int, place: Real) -> Real:
    """Return a column of a table between two rows."""
    low = table[row]
    return low + place * (table[row + 1] - low)


@scalar
def squared_momentum(energy: Real, turn: Real) -> Real:
    """Return x² [Å⁻²] of a photon that turns by ``turn = 1 − cos θ`` at an energy [keV]."""
    return energy * energy * _HALF_MOMENTUM * turn


@scalar
def at_momentum(table: Array, square: Real) -> Real:
    """Return a column (x²) of the momentum table; both start in proportion to x²."""
    bounded = min(max(square, _MOMENTUM_LEAST), _MOMENTUM_MOST)
    bits = np.float32(bounded).view(np.int32)
    row = (bits >> _MOMENTUM_SHIFT) - _MOMENTUM_FIRST
    value = blend(table, row, np.float32(bits & _MOMENTUM_MASK) * _MOMENTUM_PLACE)
    return value * min(square * (np.float32(1.0) / _MOMENTUM_LEAST), np.float32(1.0))


@scalar
def klein_nishina_draw(energy: Real, pick: Real, place: Real) -> tuple[Real, Real, Real]:
    """Draw a Compton event: energy ratio ε and 1 − cos θ from a density over ε, and the chance to accept them.

    The density is that of a mixture of 1/ε and ε; accepted draws follow the Klein–Nishina formula.
    """
    one = np.float32(1.0)
    alpha = energy * PER_REST_ENERGY
    least = one / (one + np.float32(2.0) * alpha)
    span = -log(least)
    rest = one - least * least
    inverse = pick * (span + np.float32(0.5) * rest) < span
    ratio = exp(-span * place) if inverse else math.sqrt(least * least + rest * place)
    turn = min(max((one - ratio) / (alpha * ratio), np.float32(0.0)), np.float32(2.0))
    sine_square = turn * (np.float32(2.0) - turn)
    return ratio, turn, one - ratio * sine_square / (one + ratio * ratio)


@scalar
def rayleigh_draw(energy: Real, place: Real, integral: Array) -> tuple[Real, Real]:
    """Draw 1 − cos θ of a Rayleigh event from the squared form factor, and the chance to accept it (Thomson's).

    `integral` is the column of the momentum table that holds ∫F² d(x²).
    """
    largest = squared_momentum(energy, np.float32(2.0))
    wanted = place * at_momentum(integral, largest)
    low, high = np.int32(0), np.int32(integral.shape[0] - 1)
    while high - low > np.int32(1):
        middle = (low + high) >> np.int32(1)
        if integral[middle] <= wanted:
            low = middle
        else:
            high = middle
    below = integral[low]
    part = min(max((wanted - below) / max(integral[high] - below, np.float32(1e-30)), np.float32(0.0)), np.float32(1.0))
    bits = ((low + _MOMENTUM_FIRST) << _MOMENTUM_SHIFT) + np.int32(part * np.float32(_MOMENTUM_MASK))
    square = np.int32(bits).view(np.float32)
    if wanted < integral[0]:
        square = _MOMENTUM_LEAST * (wanted / integral[0])
    turn = min(np.float32(2.0) * square / largest, np.float32(2.0))
    cosine = np.float32(1.0) - turn
    return turn, np.float32(0.5) + np.float32(0.5) * cosine * cosine


@scalar
def turned(dz: Real, dy: Real, dx: Real, turn: Real, around: Real) -> tuple[Real, Real, Real]:
    """Return a unit direction turned by θ, ``turn = 1 − cos θ``, and by `around` turns about itself."""
    one = np.float32(1.0)
    sine, cosine = sincos_turns(around)
    off_axis = math.sqrt(max(turn * (np.float32(2.0) - turn), np.float32(0.0)))
    p, q, along = off_axis * cosine, off_axis * sine, one - turn
    sign = one if dz >= np.float32(0.0) else -one
    a = -one / (sign + dz)
    b = dx * dy * a
    x = along * dx + p * (one + sign * dx * dx * a) + q * b
    y = along * dy + p * sign * b + q * (sign + dy * dy * a)
    z = along * dz - p * sign * dx - q * dy
    rescale = np.float32(1.5) - np.float32(0.5) * (z * z + y * y + x * x)  # keeps the length at 1
    return z * rescale, y * rescale, x * rescale
