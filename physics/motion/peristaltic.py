"""Peristalsis: a ring of contraction that travels along a straight piece of gut."""

from __future__ import annotations

from dataclasses import dataclass
from math import pi
from typing import Final

import numpy as np

from phantomsim.physics.errors import UnitError
from phantomsim.physics.grid import Triple
from phantomsim.physics.motion.motion import Float64, Motion
from phantomsim.physics.motion.signal import rise, slope
from phantomsim.physics.motion.squeeze import release, squeeze, squeeze_jacobian, weight
from phantomsim.physics.shapes import along

_ACROSS: Final = np.ones(2)


@dataclass(frozen=True)
class Peristaltic(Motion):
    """A travelling wave that squeezes towards an axis, within a cylinder beyond which nothing moves.

    Across the axis it is `phantomsim.physics.motion.squeeze` with ``k = depth · ends · sin²(π (ζ / wavelength − t /
    period))``, ζ the place along the axis; `ends` lets it begin and end smoothly. Contents flow along the axis, so that
    densities stay. Defaults are about those of the stomach, three waves a minute at some millimetres a second: grade C.

    Parameters
    ----------
    centre, direction
        Middle of the piece and direction of the wave (z, y, x) [m].
    half_length, radius
        Of the cylinder [m].
    depth
        Largest shortening across the axis, 0 to below 1.
    wavelength, period
        Of the wave [m], [s].
    """

    centre: Triple
    direction: Triple
    half_length: float
    radius: float
    depth: float = 0.5
    wavelength: float = 0.06
    period: float = 20.0

    def __post_init__(self) -> None:
        if not (0 <= self.depth < 0.9 and min(self.half_length, self.radius, self.wavelength, self.period) > 0):
            raise UnitError(f"a wave needs positive lengths and period, and a depth of 0 to 0.9, got {self}")

    def displacement(self, points: Float64, time: float) -> Float64:
        """Return the displacement."""
        ends, u = self._local(points)
        return self._patient(squeeze(u, _ACROSS, self._strength(ends, time)[0]) - u)

    def inverse(self, points: Float64, time: float) -> Float64:
        """Return the inverse: the place along the axis is kept."""
        ends, u = self._local(points)
        return np.asarray(points + self._patient(release(u, _ACROSS, self._strength(ends, time)[0]) - u))

    def jacobian(self, points: Float64, time: float) -> Float64:
        """Return the Jacobian."""
        ends, u = self._local(points)
        k, by_place, _ = self._strength(ends, time)
        local = np.zeros((*points.shape, 3))
        local[..., 0, 0] = 1
        local[..., 1:, 1:] = squeeze_jacobian(u, _ACROSS, k)
        local[..., 1:, 0] = -(by_place * weight(u))[..., None] * u * self.radius
        frame = np.asarray(along(self.direction))
        return np.asarray(frame @ local @ frame.T)

    def velocity(self, points: Float64, time: float) -> Float64:
        """Return the velocity."""
        ends, u = self._local(points)
        return self._patient(-(self._strength(ends, time)[2] * weight(u))[..., None] * u)

    def dilution(self, points: Float64, time: float) -> Float64:
        """Return 1: contents flow on, and no air comes in."""
        return np.ones(points.shape[:-1])

    def _local(self, points: Float64) -> tuple[Float64, Float64]:
        """Return places along the axis (…) [m], and across it in radii (…, 2)."""
        local = (points - np.asarray(self.centre)) @ np.asarray(along(self.direction))
        return local[..., 0], local[..., 1:] / self.radius

    def _patient(self, across: Float64) -> Float64:
        return np.asarray(self.radius * across @ np.asarray(along(self.direction))[:, 1:].T)

    def _strength(self, place: Float64, time: float) -> tuple[Float64, Float64, Float64]:
        """Return k, and its derivatives by place and time."""
        angle = pi * (place / self.wavelength - time / self.period)
        tail = 0.25 * self.half_length
        left = (self.half_length - np.abs(place)) / tail
        ends, falls = rise(left), -np.sign(place) * slope(left) / tail
        wave, swing = np.sin(angle) ** 2, pi * np.sin(2 * angle)
        return (
            np.asarray(self.depth * ends * wave),
            np.asarray(self.depth * (falls * wave + ends * swing / self.wavelength)),
            np.asarray(-self.depth * ends * swing / self.period),
        )
