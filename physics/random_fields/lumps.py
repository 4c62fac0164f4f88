"""Sums of Gaussian lumps on a grid, and where in space they lie.

Lumps are points of a Poisson process in all of space, made in cells of a fixed size: a cell's points depend on the key
and the cell's number alone, so that any grid at any resolution samples the same world.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from math import ceil, floor, pi, sqrt
from typing import Final

import numpy as np
import numpy.typing as npt

from phantomsim.physics.array import Array
from phantomsim.physics.elementary import exp
from phantomsim.physics.grid import Grid
from phantomsim.physics.kernel import Kernel, loop_nest, scalar
from phantomsim.physics.rng import Key, poisson, uniform

Float64 = npt.NDArray[np.float64]

REACH: Final = 6.0
"""Standard deviations beyond which a lump is left out: there it is below 2e-8 of its peak."""
POINTS: Final = 64.0
"""Expected points of a cell."""
_LOWEST: Final = 0.5 * REACH**2
_FAR: Final = 1e30  # reach of a lump that does not depend on z [voxels]


@scalar
def _along_x(lump, z, y):  # type: ignore[no-untyped-def]
    # −½ dᵀ P d = a + b dx + c dx² on a row; a lump is centre (3), reach (3), −½ P (zz, yy, xx, zy, zx, yx), amplitude
    dz, dy = z - lump[0], y - lump[1]
    a = lump[6] * dz * dz + lump[7] * dy * dy + lump[9] * dz * dy
    return a, lump[10] * dz + lump[11] * dy, lump[8]


@scalar
def _span(lump, z, y, n):  # type: ignore[no-untyped-def]
    # voxels of a row in the ellipsoid of REACH deviations: a + b dx + c dx² >= −REACH² / 2
    a, b, c = _along_x(lump, z, y)
    square = b * b - np.float32(4) * c * (a + np.float32(_LOWEST))
    if abs(z - lump[0]) > lump[3] or abs(y - lump[1]) > lump[4] or square <= 0:
        return 0, 0
    middle, half = lump[2] - np.float32(0.5) * b / c, -np.float32(0.5) * sqrt(square) / c
    first = max(int(ceil(middle - half)), 0)
    return first, min(int(floor(middle + half)) + 1, n)


@loop_nest
def _blocks(begin, end, lumps, first, last, field):  # type: ignore[no-untyped-def]
    n_y, n_x = field.shape[1], field.shape[2]
    for row in range(begin, end):
        z, y = np.float32(row // n_y), np.float32(row % n_y)
        values = field[row // n_y, row % n_y]
        for j in range(first[row % n_y], last[row % n_y]):
            lump = lumps[j]
            left, right = _span(lump, z, y, n_x)
            if left < right:
                a, b, c = _along_x(lump, z, y)
                part, offset, amplitude = values[left:right], np.float32(left) - lump[2], lump[12]
                for i in range(right - left):
                    dx = np.float32(i) + offset
                    part[i] += amplitude * exp(a + dx * (b + dx * c))


def _thread(i, lumps, first, last, field):  # type: ignore[no-untyped-def]
    n_y, n_x = field.shape[1], field.shape[2]
    row, x = i // n_x, i % n_x
    z, y = np.float32(row // n_y), np.float32(row % n_y)
    total = field[row // n_y, row % n_y, x]
    for j in range(first[row % n_y], last[row % n_y]):
        lump = lumps[j]
        left, right = _span(lump, z, y, n_x)
        if left <= x < right:
            a, b, c = _along_x(lump, z, y)
            dx = np.float32(x) - lump[2]
            total += lump[12] * exp(a + dx * (b + dx * c))
    field[row // n_y, row % n_y, x] = total


LUMPS = Kernel("random_fields.lumps", _blocks, _thread, "real[:,::1];int64[::1];int64[::1];real[:,:,::1]")


def cells(key: Key, density: float, lower: Float64, upper: Float64) -> Iterator[tuple[Key, npt.NDArray[np.float64]]]:
    """Yield the points of a Poisson process in every cell that meets a region.

    Parameters
    ----------
    key
        Stream of the process.
    density
        Expected points a unit volume [1/mⁿ], n the number of coordinates.
    lower, upper
        Corners of the region (n) [m].

    Yields
    ------
        The key of a cell, for what else belongs to its points, and all its points (point, n) [m].
    """
    n = len(lower)
    edge = (POINTS / density) ** (1 / n)
    numbers = [range(int(np.floor(a / edge)), int(np.floor(b / edge)) + 1) for a, b in zip(lower, upper, strict=True)]
    for number in product(*numbers):
        cell = key.fold(*number)
        count = int(poisson(cell.fold("count"), np.array([POINTS]))[0])
        yield cell, edge * (np.asarray(number) + uniform(cell.fold("position"), (count, n), dtype=np.float64))


def add_lumps(field: Array, grid: Grid, centres: Float64, covariances: Float64, amplitudes: Float64) -> None:
    """Add Gaussian lumps to a field, at the centres of its voxels.

    Parameters
    ----------
    field
        Field to add to (z, y, x), float32, on the host.
    grid
        Its voxels.
    centres
        Middles (lump, n) [m]: (z, y, x), or (y, x) for lumps that do not depend on z.
    covariances
        Second moments of each lump's profile (lump, n, n) [m²].
    amplitudes
        Peak of each lump (lump).
    """
    n = centres.shape[1]
    spacing, corner = np.asarray(grid.spacing)[3 - n :], np.asarray([grid.coordinates(a)[0] for a in range(3 - n, 3)])
    rows = np.zeros((len(centres), 13))
    rows[:, 3] = _FAR
    rows[:, 3 - n : 3] = (centres - corner) / spacing
    rows[:, 6 - n : 6] = REACH * np.sqrt(np.einsum("lii->li", covariances)) / spacing
    precision = np.zeros((len(centres), 3, 3))
    precision[:, 3 - n :, 3 - n :] = np.linalg.inv(covariances) * np.outer(spacing, spacing)
    rows[:, 6:9] = -0.5 * np.einsum("lii->li", precision)
    rows[:, 9:12] = -precision[:, (1, 2, 2), (0, 0, 1)]
    rows[:, 12] = amplitudes
    last = np.asarray(field.shape) - 1
    rows = rows[((rows[:, :3] + rows[:, 3:6] >= 0) & (rows[:, :3] - rows[:, 3:6] <= last)).all(axis=1)]
    rows = np.ascontiguousarray(rows[np.argsort(rows[:, 1], kind="stable")])
    y, reach = np.arange(field.shape[1]), rows[:, 4].max(initial=0.0) + 1e-3  # float32 may move a lump a little
    window = (np.searchsorted(rows[:, 1], y + side) for side in (-reach, reach))
    n_rows = field.shape[0] * field.shape[1]
    LUMPS(n_rows, field.size, rows.astype(field.dtype), *(w.astype(np.int64) for w in window), field)


def transform(centres: Float64, covariances: Float64, amplitudes: Float64, k: Float64) -> npt.NDArray[np.complex128]:
    """Return the Fourier transform of Gaussian lumps in n dimensions, in closed form.

    Parameters
    ----------
    centres, covariances, amplitudes
        As for `add_lumps`.
    k
        Spatial frequencies (…, n) [cycles/m].

    Returns
    -------
        Σ a (2π)^(n/2) |C|^(1/2) exp(−2π² kᵀ C k − 2πi k·c) (…), in the amplitudes' unit times mⁿ.
    """
    n = centres.shape[1]
    weight = amplitudes * (2 * pi) ** (n / 2) * np.sqrt(np.linalg.det(covariances))
    spread = np.einsum("...i,lij,...j->...l", k, covariances, k, optimize=True)
    return np.asarray(np.exp(-2 * pi**2 * spread - 2j * pi * (k @ centres.T)) @ weight)
