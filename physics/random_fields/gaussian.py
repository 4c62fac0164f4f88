"""Stationary Gaussian fields: white, of a power-law spectrum, of any given autocovariance.

Those with correlation are made on a torus of twice the grid's extent, so that opposite edges of the grid are far from
each other; axes with a single voxel take no part. Fields are made on the host, with memory for 2ⁿ grids.

References
----------
A. E. Burgess, F. L. Jacobson, P. F. Judy, "Human observer detection experiments with mammograms and power-law noise",
Med. Phys. 28 (2001), doi:10.1118/1.1355308, for power-law textures. C. R. Dietrich and G. N. Newsam, "Fast and exact
simulation of stationary Gaussian processes through circulant embedding of the covariance matrix", SIAM J. Sci. Comput.
18 (1997), doi:10.1137/S1064827592240555.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import pi
from typing import Final

import numpy as np
import numpy.typing as npt

from phantomsim.physics.errors import ShapeError, UnitError
from phantomsim.physics.grid import Grid
from phantomsim.physics.rng import Key, normal

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]

NEGATIVE: Final = 1e-6
"""Part of the largest eigenvalue that a negative one may reach, and be set to 0, before an embedding is refused."""


@dataclass(frozen=True)
class White:
    """White noise: voxels are independent, so their covariance belongs to the grid and not to the world.

    Parameters
    ----------
    deviation
        Standard deviation of a voxel.
    mean
        Expected value.

    Raises
    ------
    UnitError
        If the deviation is not positive and finite.
    """

    deviation: float
    mean: float = 0.0

    def __post_init__(self) -> None:
        _check_deviation(self.deviation)

    def covariance(self, lag: npt.ArrayLike) -> Float64:
        """Return the covariance of two voxels at distances `lag` (…, 3), (z, y, x) [m], from each other (…)."""
        return np.asarray(self.deviation**2 * (np.asarray(lag) == 0).all(axis=-1))

    def draw(self, key: Key, grid: Grid) -> Float32:
        """Return one field (z, y, x)."""
        noise: Float32 = normal(key, grid.shape)
        return np.float32(self.mean) + np.float32(self.deviation) * noise


@dataclass(frozen=True)
class PowerLaw:
    """An isotropic Gaussian field whose spectral density falls as 1/fᵇ in a band and is 0 outside.

    It is a sum of waves of the torus with independent normal amplitudes, one for each number of periods: the same key
    on a grid of the same extent and position gives the same field at every resolution that shows the band.

    Parameters
    ----------
    exponent
        b; mammograms have about 3.
    deviation
        Standard deviation of the field.
    low, high
        Limits of the band [cycles/m].
    mean
        Expected value.

    Raises
    ------
    UnitError
        If the deviation is not positive and finite, or not ``0 < low < high``.
    """

    exponent: float
    deviation: float
    low: float
    high: float
    mean: float = 0.0

    def __post_init__(self) -> None:
        _check_deviation(self.deviation)
        if not 0 < self.low < self.high < np.inf or not np.isfinite(self.exponent):
            raise UnitError(
                f"a power law needs a finite exponent and 0 < low < high [cycles/m], "
                f"got 1/f^{self.exponent} from {self.low} to {self.high}"
            )

    def covariance(self, lag: npt.ArrayLike, grid: Grid) -> Float64:
        """Return the covariance of two values at distances `lag` (…, 3), (z, y, x) [m], from each other (…).

        The field is a finite sum of waves, so this is exact: a sum of cosines over the waves that the torus of `grid`
        has in the band.
        """
        axes = _axes(grid)
        numbers, variances = self._waves(grid)
        used = variances > 0
        periods = _periods(grid)
        frequencies = np.stack([n[used] / p for n, p in zip(np.broadcast_arrays(*numbers), periods, strict=True)])
        phase = 2 * pi * np.asarray(lag, dtype=np.float64)[..., axes] @ frequencies
        return np.asarray(np.cos(phase) @ variances[used])

    def draw(self, key: Key, grid: Grid) -> Float32:
        """Return one field at the centres of a grid's voxels (z, y, x).

        Raises
        ------
        UnitError
            If the grid is too coarse for the upper limit of the band, or too small to hold a wave of the band.
        """
        axes = _axes(grid)
        shape = [2 * grid.shape[a] for a in axes]
        numbers, variances = self._waves(grid)
        a, b = normal(key, (2, *variances.shape))
        # along the last axis are waves 0, 1, …: the transform adds the conjugate to those above 0
        share = np.where(numbers[-1] > 0, 0.25, 1.0)
        amplitudes = np.sqrt(variances * share).astype(np.float32) * (a + 1j * b)
        for axis, n, period in zip(axes, numbers, _periods(grid), strict=True):
            amplitudes *= np.exp(2j * pi * n * grid.coordinates(axis)[0] / period).astype(np.complex64)
        spectrum = np.zeros((*shape[:-1], shape[-1] // 2 + 1), np.complex64)
        spectrum[np.ix_(*(n.ravel() % size for n, size in zip(numbers, shape, strict=True)))] = amplitudes
        return np.float32(self.mean) + _cut(np.fft.irfftn(spectrum, shape, range(len(shape)), norm="forward"), grid)

    def _waves(self, grid: Grid) -> tuple[list[npt.NDArray[np.int64]], Float64]:
        """Return periods of each wave along each axis, open grids, and the variance of it and its mirror image."""
        axes = _axes(grid)
        most = [int(self.high * period) for period in _periods(grid)]
        for axis, number in zip(axes, most, strict=True):
            if number >= grid.shape[axis]:
                raise UnitError(
                    f"voxels of {grid.spacing[axis]} m hold waves below {0.5 / grid.spacing[axis]:g} cycles/m, "
                    f"and the power law goes up to {self.high:g}: lower `high` or use a finer grid"
                )
        ranges = [np.arange(-n, n + 1) for n in most[:-1]] + [np.arange(most[-1] + 1)]
        numbers = list(np.ix_(*ranges))
        square = np.asarray(sum((n / p) ** 2 for n, p in zip(numbers, _periods(grid), strict=True)))
        within = (square >= self.low**2) & (square <= self.high**2)
        if not within.any():
            raise UnitError(f"the grid of {grid.extent} m has no wave between {self.low} and {self.high} cycles/m")
        density = np.where(within, np.where(within, square, 1.0) ** (-self.exponent / 2), 0.0)
        density = density * np.where(numbers[-1] > 0, 2.0, 1.0)
        return numbers, self.deviation**2 * density / density.sum()


@dataclass(frozen=True)
class Correlated:
    """A Gaussian field of a given autocovariance, exact on the grid by circulant embedding.

    Parameters
    ----------
    autocovariance
        Covariance of two values at distances (…, 3), (z, y, x) [m], from each other (…).
    mean
        Expected value.
    """

    autocovariance: Callable[[Float64], Float64]
    mean: float = 0.0

    def covariance(self, lag: npt.ArrayLike) -> Float64:
        """Return the covariance of two values at distances `lag` (…, 3), (z, y, x) [m], from each other (…)."""
        return np.asarray(self.autocovariance(np.asarray(lag, dtype=np.float64)))

    def draw(self, key: Key, grid: Grid) -> Float32:
        """Return one field at the centres of a grid's voxels (z, y, x); its noise belongs to the grid.

        Raises
        ------
        ShapeError
            If the function is no covariance, or has not decayed within the grid.
        """
        axes = _axes(grid)
        shape = [2 * grid.shape[a] for a in axes]
        lags = np.zeros((*shape, 3))
        for i, axis in enumerate(axes):
            steps = np.fft.fftfreq(shape[i], 1 / shape[i]) * grid.spacing[axis]
            lags[..., axis] = np.expand_dims(steps, [j for j in range(len(axes)) if j != i])
        eigenvalues = np.fft.rfftn(self.covariance(lags)).real
        if not eigenvalues.min() >= -NEGATIVE * eigenvalues.max() or not eigenvalues.max() > 0:
            raise ShapeError(
                f"an autocovariance with eigenvalues from {eigenvalues.min():g} to {eigenvalues.max():g} on twice the "
                f"grid's extent {grid.extent} m makes no field there: is it one, and near 0 at that distance?"
            )
        noise = np.fft.rfftn(normal(key, tuple(shape)))
        noise *= np.sqrt(np.maximum(eigenvalues, 0)).astype(np.float32)
        return np.float32(self.mean) + _cut(np.fft.irfftn(noise, shape, range(len(shape))), grid)


def _axes(grid: Grid) -> list[int]:
    axes = [axis for axis in range(3) if grid.shape[axis] > 1]
    if not axes:
        raise ShapeError(f"a correlated field needs an axis with more than one voxel, got {grid.shape}")
    return axes


def _periods(grid: Grid) -> list[float]:
    return [2 * grid.extent[axis] for axis in _axes(grid)]


def _cut(field: npt.NDArray[np.floating], grid: Grid) -> Float32:
    corner = field[tuple(slice(grid.shape[axis]) for axis in _axes(grid))]
    return np.ascontiguousarray(corner, dtype=np.float32).reshape(grid.shape)


def _check_deviation(deviation: float) -> None:
    if not 0 < deviation < np.inf:
        raise UnitError(f"the standard deviation of a random field must be positive and finite, got {deviation!r}")
