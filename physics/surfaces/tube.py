"""Tubes: balls of varying radius swept along a smooth line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.interpolate import CubicSpline, PchipInterpolator

from phantomsim.physics.errors import ShapeError, UnitError
from phantomsim.physics.grid import Grid, Triple
from phantomsim.physics.surfaces.surface import CELLS, Float64, Surface, in_chunks, spread

SAG: Final = 1e-3
"""Distance between the smooth line and its chords, over the smallest radius."""
NEAR: Final = 1 << 11
"""Points that share a list of the pieces that may be nearest."""


@dataclass(frozen=True, eq=False)
class Tube(Surface):
    """The union of all balls whose centres lie on a cubic spline and whose radii follow along it.

    The line passes through the points, its parameter their chord length; radii run between those of the points without
    overshoot. The spline is replaced by chords that leave it by less than `SAG` of the smallest radius, and between the
    ends of a chord the radius is linear: each piece is a ball swept along a line, whose distance is exact.

    Parameters
    ----------
    points
        Points of the centre line (z, y, x) [m], at least two, no two successive ones equal.
    radii
        Radius at each of them [m].

    Raises
    ------
    ShapeError
        If there are fewer than two points, not a radius for each, or equal neighbours.
    UnitError
        If a radius is not positive and finite.
    """

    points: Sequence[Triple]
    radii: Sequence[float]

    def __post_init__(self) -> None:
        points = np.asarray(self.points, dtype=np.float64)
        if len(points) < 2 or points.shape != (len(self.radii), 3):
            raise ShapeError(f"a tube needs two points (z, y, x) or more and a radius each, got {points.shape}")
        if not all(0 < r < np.inf for r in self.radii) or not np.isfinite(points).all():
            raise UnitError(f"points and radii of a tube must be finite, radii positive [m], got {list(self.radii)}")
        if (np.linalg.norm(np.diff(points, axis=0), axis=1) == 0).any():
            raise ShapeError("successive points of a tube must differ")

    @cached_property
    def stations(self) -> tuple[Float64, Float64]:
        """Ends of the chords (station, 3) and the radius at each (station) [m]."""
        points, radii = np.asarray(self.points, np.float64), np.asarray(self.radii, np.float64)
        length = np.concatenate([[0], np.linalg.norm(np.diff(points, axis=0), axis=1).cumsum()])
        if len(points) == 2:
            return points, radii
        line, width = CubicSpline(length, points), PchipInterpolator(length, radii)
        bend = np.linalg.norm(line(length, 2), axis=1).max()  # piecewise linear: largest at a knot
        pieces = np.sqrt(bend / (8 * SAG * radii.min())) * np.diff(length)
        at = np.concatenate(
            [
                np.linspace(a, b, max(8, int(np.ceil(n))), endpoint=False)
                for a, b, n in zip(length[:-1], length[1:], pieces, strict=True)
            ]
        )
        at = np.append(at, length[-1])
        return line(at), width(at)

    @property
    def length(self) -> float:
        """Length of the centre line [m]."""
        return float(np.linalg.norm(np.diff(self.stations[0], axis=0), axis=1).sum())

    @property
    def lower(self) -> Triple:
        """Corner of the smallest box around the tube (z, y, x) [m]."""
        points, radii = self.stations
        z, y, x = (float(c) for c in (points - radii[:, None]).min(axis=0))
        return (z, y, x)

    @property
    def upper(self) -> Triple:
        """Opposite corner (z, y, x) [m]."""
        points, radii = self.stations
        z, y, x = (float(c) for c in (points + radii[:, None]).max(axis=0))
        return (z, y, x)

    def distance(self, points: Float64) -> Float64:
        """Return the signed distance to the surface at points (n, 3) [m]: exact outside, a bound inside."""
        pieces = [self._nearest(points[i : i + NEAR]) for i in range(0, len(points), NEAR)]
        return np.concatenate(pieces) if pieces else np.empty(0)

    def _nearest(self, points: Float64) -> Float64:
        """Return the smallest distance to any piece, of those that can be nearest to one of the points."""
        centres, radii = self.stations
        middle = (points.min(axis=0) + points.max(axis=0)) / 2
        reach = float(np.linalg.norm(points - middle, axis=1).max())
        away = np.linalg.norm(centres - middle, axis=1) - radii  # of each station's ball
        longest = np.linalg.norm(np.diff(centres, axis=0), axis=1) + np.abs(np.diff(radii))
        least = np.minimum(away[:-1], away[1:]) - longest
        best = np.full(len(points), np.inf)
        for i in np.flatnonzero(least <= away.min() + 2 * reach):
            np.minimum(best, _swept(points, centres[i], centres[i + 1], radii[i], radii[i + 1]), out=best)
        return best

    def holds(self, points: Float64) -> npt.NDArray[np.bool_]:
        """Return which points (…, 3) [m] lie inside (…)."""
        return in_chunks(self.distance, points.reshape(-1, 3)).reshape(points.shape[:-1]) <= 0

    def occupancy(self, grid: Grid, n_cells: int = CELLS) -> npt.NDArray[np.float32]:
        """Return the fraction of each voxel (z, y, x) that lies inside."""
        return spread(self.distance, self.lower, self.upper, grid, n_cells)


def _swept(points: Float64, start: Float64, end: Float64, first: float, last: float) -> Float64:
    """Return min over t of |p − c(t)| − r(t), for a ball that moves along a chord while its radius changes evenly."""
    axis = end - start
    length = float(np.linalg.norm(axis))
    slope = (last - first) / length
    from_start = points - start
    along = from_start @ (axis / length)
    off = np.sqrt(np.maximum(np.einsum("ij,ij->i", from_start, from_start) - along**2, 0))
    # d/dt vanishes where (along − t) / |p − c(t)| = −slope; a radius that grows faster than the way takes the last ball
    if abs(slope) < 1:
        best = np.clip(along + slope / np.sqrt(1 - slope**2) * off, 0, length)
    else:
        best = np.full_like(along, length if slope > 0 else 0.0)
    return np.asarray(np.hypot(off, along - best) - (first + slope * best))
