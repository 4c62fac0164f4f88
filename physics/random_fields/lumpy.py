"""Lumpy backgrounds: Gaussian lumps at random places, one by one or in clusters.

References
----------
J. P. Rolland and H. H. Barrett, "Effect of random background inhomogeneity on observer detection performance", J. Opt.
Soc. Am. A 9 (1992), doi:10.1364/JOSAA.9.000649. F. O. Bochud, C. K. Abbey, M. P. Eckstein, "Statistical texture
synthesis of mammographic images with clustered lumpy backgrounds", Opt. Express 4 (1999), doi:10.1364/OE.4.000033.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import pi, sqrt
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.special import ive

from phantomsim.physics.errors import UnitError
from phantomsim.physics.grid import Grid
from phantomsim.physics.random_fields.lumps import REACH, add_lumps, cells
from phantomsim.physics.rng import Key, normal, poisson, uniform

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Lumpy:
    """A lumpy background: equal round Gaussian lumps whose middles are a Poisson process.

    Parameters
    ----------
    density
        Expected lumps a unit volume [1/m³], or area [1/m²] in two dimensions.
    amplitude
        Peak of a lump, in any unit.
    width
        Standard deviation of a lump's profile [m]; r_b of the first reference is √2 of it.
    base
        Value without any lump.
    dimensions
        3, or 2 for a field that does not depend on z.

    Raises
    ------
    UnitError
        If the density or the width is not positive and finite.
    """

    density: float
    amplitude: float
    width: float
    base: float = 0.0
    dimensions: Literal[2, 3] = 3

    def __post_init__(self) -> None:
        _check_positive(density=self.density, width=self.width)

    @property
    def mean(self) -> float:
        """Expected value."""
        return self.base + self.density * self.amplitude * (sqrt(2 * pi) * self.width) ** int(self.dimensions)

    def covariance(self, lag: npt.ArrayLike) -> Float64:
        """Return the covariance of two values at distances `lag` (…, 3), (z, y, x) [m], from each other (…)."""
        distance = np.asarray(lag, dtype=np.float64)[..., 3 - self.dimensions :]
        overlap = self.amplitude**2 * (pi * self.width**2) ** (self.dimensions / 2)
        decay = np.exp(-(distance**2).sum(axis=-1) / (4 * self.width**2))
        return np.asarray(self.density * overlap * decay)

    def draw(self, key: Key, grid: Grid) -> Float32:
        """Return one field at the centres of a grid's voxels (z, y, x); any grid samples the same world."""
        n = self.dimensions
        lower, upper = _region(grid, n, REACH * self.width)
        centres = np.concatenate([points for _, points in cells(key, self.density, lower, upper)])
        field = np.full(grid.shape, self.base, np.float32)
        covariances = np.broadcast_to(self.width**2 * np.eye(n), (len(centres), n, n))
        add_lumps(field, grid, centres, covariances, np.full(len(centres), self.amplitude))
        return field


@dataclass(frozen=True)
class ClusteredLumpy:
    """A clustered lumpy background: clusters of long lumps of one direction; it does not depend on z.

    The lumps are Gaussian: with the generalised exponentials of the reference the covariance has no closed form.

    Parameters
    ----------
    density
        Expected clusters a unit area [1/m²]; their middles are a Poisson process.
    lumps
        Expected lumps of a cluster, a Poisson number.
    spread
        Standard deviation of a lump's place about its cluster's middle along y and x [m].
    length, width
        Standard deviations of a lump's profile along and across its direction [m], which is even over all
        directions and common to a cluster.
    amplitude
        Peak of a lump, in any unit.
    base
        Value without any lump.

    Raises
    ------
    UnitError
        If a length, the density or the number of lumps is not positive and finite, or a lump is wider than long.
    """

    density: float
    lumps: float
    spread: float
    length: float
    width: float
    amplitude: float
    base: float = 0.0

    def __post_init__(self) -> None:
        _check_positive(
            density=self.density, lumps=self.lumps, spread=self.spread, length=self.length, width=self.width
        )
        if self.width > self.length:
            raise UnitError(f"a lump's width {self.width} must not exceed its length {self.length} [m]")

    @property
    def mean(self) -> float:
        """Expected value."""
        return self.base + self.density * self.lumps * self.amplitude * 2 * pi * self.length * self.width

    def covariance(self, lag: npt.ArrayLike) -> Float64:
        """Return the covariance of two values at distances `lag` (…, 3), (z, y, x) [m], from each other (…).

        A lump meets itself, and one of the `lumps`² pairs of its cluster: both terms are Gaussians of the lag, averaged
        over directions.
        """
        square = (np.asarray(lag, dtype=np.float64)[..., 1:] ** 2).sum(axis=-1)
        weight = self.amplitude * 2 * pi * self.length * self.width
        own = _turned_gaussian(square, 2 * self.length**2, 2 * self.width**2)
        shift = 2 * self.spread**2
        other = _turned_gaussian(square, 2 * self.length**2 + shift, 2 * self.width**2 + shift)
        return np.asarray(self.density * weight**2 * (self.lumps * own + self.lumps**2 * other))

    def draw(self, key: Key, grid: Grid) -> Float32:
        """Return one field at the centres of a grid's voxels (z, y, x); any grid samples the same world."""
        lower, upper = _region(grid, 2, REACH * (self.length + self.spread))
        centres, directions = [], []
        for cell, middles in cells(key, self.density, lower, upper):
            members = poisson(cell.fold("lumps"), np.full(len(middles), self.lumps))
            angles = pi * uniform(cell.fold("direction"), len(middles), dtype=np.float64)
            shifts = normal(cell.fold("shift"), (int(members.sum()), 2), dtype=np.float64)
            centres.append(np.repeat(middles, members, axis=0) + self.spread * shifts)
            directions.append(np.repeat(angles, members))
        angle = np.concatenate(directions)
        axis = np.stack([np.sin(angle), np.cos(angle)], axis=-1)
        along = axis[:, :, None] * axis[:, None, :]
        covariances = self.width**2 * np.eye(2) + (self.length**2 - self.width**2) * along
        field = np.full(grid.shape, self.base, np.float32)
        add_lumps(field, grid, np.concatenate(centres), covariances, np.full(len(angle), self.amplitude))
        return field


def _turned_gaussian(square: Float64, first: float, second: float) -> Float64:
    """Return a planar Gaussian of two variances, of integral 1, averaged over all directions, at a distance²."""
    slow, fast = square / 4 * (1 / first + 1 / second), square / 4 * abs(1 / first - 1 / second)
    decay = np.exp(fast - slow) * ive(0, fast)  # I₀ scaled by exp(−fast): neither factor overflows
    return np.asarray(decay / (2 * pi * np.sqrt(first * second)))


def _region(grid: Grid, dimensions: int, margin: float) -> tuple[Float64, Float64]:
    lower = np.asarray(grid.lower)[3 - dimensions :]
    return lower - margin, lower + np.asarray(grid.extent)[3 - dimensions :] + margin


def _check_positive(**values: float) -> None:
    for name, value in values.items():
        if not 0 < value < np.inf:
            raise UnitError(f"{name} of a lumpy background must be positive and finite, got {value!r}")
