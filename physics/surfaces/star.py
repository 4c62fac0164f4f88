"""Star-shaped bodies: the distance from the centre is a sum of real spherical harmonics."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import pi, sqrt
from typing import Final

import numpy as np
import numpy.typing as npt

from phantomsim.physics.errors import ShapeError, UnitError
from phantomsim.physics.grid import Grid, Triple
from phantomsim.physics.shapes import UPRIGHT, Rotation
from phantomsim.physics.surfaces.surface import CELLS, Float64, Surface, in_chunks, spread

MARGIN: Final = 1.1
"""Factor on the steepest slope that a dense lattice of directions shows, for what lies between its points."""


def real_harmonics_sum(coefficients: Float64, directions: Float64) -> Float64:
    """Return a sum of real, orthonormal spherical harmonics.

    Y_lm is √2 P̄_l^m(cos θ) cos mφ for m > 0, √2 P̄_l^|m|(cos θ) sin |m|φ for m < 0, and P̄_l(cos θ) for m = 0, without
    the Condon–Shortley phase, where P̄ makes ∫ Y² dΩ = 1; θ is the angle from z, and φ turns from x to y.

    Parameters
    ----------
    coefficients
        Coefficient of Y_lm at index l² + l + m, for all l up to some degree.
    directions
        Unit vectors (n, 3), (z, y, x).

    Returns
    -------
        The sums (n).
    """
    degree = _degree(coefficients)
    z, y, x = np.ascontiguousarray(directions.T)
    total = np.zeros_like(z)
    cos, sin = np.ones_like(z), np.zeros_like(z)  # of mφ, times sin^m θ
    sectoral = sqrt(1 / (4 * pi))  # P̄_m^m over sin^m θ
    for m in range(degree + 1):
        if m:
            cos, sin = x * cos - y * sin, x * sin + y * cos
            sectoral *= sqrt((2 * m + 1) / (2 * m))
        before, here = np.zeros_like(z), np.full_like(z, sectoral)
        even, odd = np.zeros_like(z), np.zeros_like(z)
        weight = sqrt(2) if m else 1.0
        for n in range(m, degree + 1):
            even += weight * coefficients[n * n + n + m] * here
            odd += weight * coefficients[n * n + n - m] * here
            step = sqrt((4 * (n + 1) ** 2 - 1) / ((n + 1) ** 2 - m**2))
            back = sqrt((n * n - m * m) / (4 * n * n - 1)) if n else 0.0
            before, here = here, step * (z * here - back * before)
        total += even * cos
        if m:
            total += odd * sin
    return np.asarray(total)


@dataclass(frozen=True, eq=False)
class Star(Surface):
    """A body whose surface lies at ``r(θ, φ) = Σ a_lm Y_lm`` from its centre; `real_harmonics_sum` says which Y_lm.

    Parameters
    ----------
    centre
        Point that radii are counted from (z, y, x) [m].
    coefficients
        a_lm [m] at index l² + l + m; a ball of radius R has a_00 = R √(4π).
    rotation
        Columns are the body's axes (z, y, x) in patient coordinates.

    Raises
    ------
    ShapeError
        If the number of coefficients is not that of all harmonics up to some degree, or a radius is not positive.
    """

    centre: Triple
    coefficients: Float64
    rotation: Rotation = UPRIGHT

    def __post_init__(self) -> None:
        if not np.isfinite(self.coefficients).all() or not np.isfinite(self.centre).all():
            raise UnitError(f"centre and coefficients of a star surface must be finite [m], got {self.centre}")
        low = float(self._lattice.min())
        if low <= 0:
            raise ShapeError(
                f"radii of a star surface must be positive, the smallest is {1e3 * low:.3g} mm: lower a_lm"
            )

    @cached_property
    def _lattice(self) -> Float64:
        """Radii on a lattice of polar and azimuthal angles, eight of them to each wave of the highest degree [m]."""
        return self._radius(directions(self._size)).reshape(self._size, 2 * self._size)

    @property
    def _size(self) -> int:
        return max(32, 4 * _degree(self.coefficients))

    @cached_property
    def _slope(self) -> float:
        """Largest length of the gradient of (ln ρ − ln r(u)) times ρ, which is 1 for a ball."""
        log, step = np.log(self._lattice), pi / self._size
        polar = np.diff(log, axis=0) / step
        around = (np.roll(log, -1, axis=1) - log) / step / np.sin((np.arange(self._size) + 0.5) * step)[:, None]
        return sqrt(1 + MARGIN**2 * float((polar**2).max() + (around**2).max()))

    @property
    def volume(self) -> float:
        """Volume ∫ r³ / 3 dΩ, by a quadrature that is exact for it [m³]."""
        n = 2 * _degree(self.coefficients) + 2  # r³ is a polynomial of three times the degree
        nodes, weights = np.polynomial.legendre.leggauss(n)
        azimuth = pi * np.arange(2 * n) / n
        width = np.sqrt(1 - nodes**2)[:, None]
        z = np.broadcast_to(nodes[:, None], (n, 2 * n))
        directions = np.stack([z, width * np.sin(azimuth), width * np.cos(azimuth)], axis=-1)
        radius = self._radius(directions.reshape(-1, 3)).reshape(n, 2 * n)
        return float(weights @ (radius**3).sum(axis=1)) * (pi / n) / 3

    @property
    def lower(self) -> Triple:
        """Corner of a box around the body (z, y, x) [m]."""
        return self._corner(-1)

    @property
    def upper(self) -> Triple:
        """Opposite corner (z, y, x) [m]."""
        return self._corner(1)

    def _corner(self, sign: int) -> Triple:
        reach = self._reach
        z, y, x = (c + sign * reach for c in self.centre)
        return (z, y, x)

    @cached_property
    def _reach(self) -> float:
        # between lattice points half a step apart ln r grows by no more than its slope allows
        return float(self._lattice.max() * np.exp(self._slope * pi / self._size / sqrt(2)))

    def _radius(self, directions: Float64) -> Float64:
        return real_harmonics_sum(self.coefficients, directions)

    def distance(self, points: Float64) -> Float64:
        """Return a signed bound on the distance to the surface at points (n, 3) [m], negative inside.

        In (ln ρ, u) the map to space is conformal, with scale ρ, and ``ln ρ − ln r(u)`` has a gradient of at most the
        slope K there. Within δ of a point, ln-lengths are at most −ln(1 − δ / ρ), so that the surface is no nearer
        than ``δ = ρ (1 − exp(−|ln(ρ / r)| / K))``.
        """
        local = (points - np.asarray(self.centre)) @ np.asarray(self.rotation)
        rho = np.maximum(np.linalg.norm(local, axis=1), 1e-12)
        ratio = np.log(rho / self._radius(local / rho[:, None]))
        return np.asarray(np.sign(ratio) * rho * -np.expm1(-np.abs(ratio) / self._slope))

    def holds(self, points: Float64) -> npt.NDArray[np.bool_]:
        """Return which points (…, 3) [m] lie inside (…)."""
        return in_chunks(self.distance, points.reshape(-1, 3)).reshape(points.shape[:-1]) <= 0

    def occupancy(self, grid: Grid, n_cells: int = CELLS) -> npt.NDArray[np.float32]:
        """Return the fraction of each voxel (z, y, x) that lies inside."""
        return spread(self.distance, self.lower, self.upper, grid, n_cells)


def _degree(coefficients: Float64) -> int:
    degree = round(sqrt(len(coefficients))) - 1
    if coefficients.ndim != 1 or (degree + 1) ** 2 != len(coefficients) or degree < 0:
        raise ShapeError(f"harmonics up to degree L have (L + 1)² coefficients, got {coefficients.shape}")
    return degree


def directions(n: int) -> Float64:
    """Return unit vectors (n · 2n, 3), (z, y, x), in n polar rings of 2n."""
    polar, azimuth = (np.arange(n) + 0.5) * pi / n, np.arange(2 * n) * pi / n
    cos, sin = np.cos(polar)[:, None], np.sin(polar)[:, None]
    z = np.broadcast_to(cos, (n, 2 * n))
    return np.stack([z, sin * np.sin(azimuth), sin * np.cos(azimuth)], axis=-1).reshape(-1, 3)
