"""The heart's contraction: a twist, a radial and a longitudinal squeeze within an ellipsoid."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from phantomsim.physics.errors import UnitError
from phantomsim.physics.grid import Triple
from phantomsim.physics.motion.motion import Float64, Motion
from phantomsim.physics.motion.signal import Signal
from phantomsim.physics.motion.squeeze import release, squeeze, squeeze_jacobian, weight, weight_gradient
from phantomsim.physics.shapes import UPRIGHT, Rotation

ACROSS: Final = np.array([0.0, 1.0, 1.0])
ALONG: Final = np.array([1.0, 0.0, 0.0])


@dataclass(frozen=True)
class Cardiac(Motion):
    """A heart that contracts with a signal, all within an ellipsoid beyond which nothing moves.

    In the ellipsoid's own coordinates a point turns about the long axis, then nears it, then nears the middle plane,
    each weighted by ``(1 − r²)³``. Blood flows in and out, so that densities stay: what air `dilution` adds is none.
    The default strains are round figures of an adult's left ventricle, from memory: grade C.

    Parameters
    ----------
    centre, semi_axes, rotation
        The ellipsoid, as in `phantomsim.physics.shapes.Shape`; local z is the heart's long axis [m].
    signal
        Contraction, 0 to 1.
    radial, longitudinal
        Largest shortening across and along the axis, at the middle of the ellipsoid, 0 to below 1.
    twist
        Largest turn about the axis [rad].

    Raises
    ------
    UnitError
        If a shortening is out of its range.
    """

    centre: Triple
    semi_axes: Triple
    signal: Signal
    radial: float = 0.25
    longitudinal: float = 0.12
    twist: float = 0.2
    rotation: Rotation = UPRIGHT

    def __post_init__(self) -> None:
        if not (0 <= self.radial < 0.9 and 0 <= self.longitudinal < 0.9):
            raise UnitError(f"a heart shortens by 0 to 0.9, got {self.radial} and {self.longitudinal}")

    def displacement(self, points: Float64, time: float) -> Float64:
        """Return the displacement."""

        def moved(u: Float64) -> Float64:
            s = float(self.signal(time))
            turned = _turned(u, s * self.twist)
            return squeeze(squeeze(turned, ACROSS, s * self.radial), ALONG, s * self.longitudinal) - u

        return self._within(points, moved, (3,), np.zeros(3)) @ self._matrix.T

    def inverse(self, points: Float64, time: float) -> Float64:
        """Return the inverse: each step by itself, from the last to the first."""

        def back(u: Float64) -> Float64:
            s = float(self.signal(time))
            released = release(release(u, ALONG, s * self.longitudinal), ACROSS, s * self.radial)
            return _turned(released, -s * self.twist) - u  # the turn keeps r, and its weight

        return points + self._within(points, back, (3,), np.zeros(3)) @ self._matrix.T

    def jacobian(self, points: Float64, time: float) -> Float64:
        """Return the product of the steps' Jacobians."""

        def product(u: Float64) -> Float64:
            s = float(self.signal(time))
            turned = _turned(u, s * self.twist)
            across = squeeze(turned, ACROSS, s * self.radial)
            last = squeeze_jacobian(across, ALONG, s * self.longitudinal)
            return np.asarray(
                last @ squeeze_jacobian(turned, ACROSS, s * self.radial) @ _turned_jacobian(u, s * self.twist)
            )

        local = self._within(points, product, (3, 3), np.eye(3))
        return np.asarray(self._matrix @ local @ np.linalg.inv(self._matrix))

    def velocity(self, points: Float64, time: float) -> Float64:
        """Return the velocity, step by step."""

        def speed(u: Float64) -> Float64:
            s = float(self.signal(time))
            turned = _turned(u, s * self.twist)
            across = squeeze(turned, ACROSS, s * self.radial)
            v = self.twist * (weight(u)[..., None] * (turned @ _QUARTER.T))
            v = (squeeze_jacobian(turned, ACROSS, s * self.radial) @ v[..., None])[..., 0]
            v -= self.radial * weight(turned)[..., None] * ACROSS * turned
            v = (squeeze_jacobian(across, ALONG, s * self.longitudinal) @ v[..., None])[..., 0]
            v -= self.longitudinal * weight(across)[..., None] * ALONG * across
            return np.asarray(float(self.signal.rate(time)) * v)

        return self._within(points, speed, (3,), np.zeros(3)) @ self._matrix.T

    def dilution(self, points: Float64, time: float) -> Float64:
        """Return 1: blood flows in and out, not air."""
        return np.ones(points.shape[:-1])

    @property
    def _matrix(self) -> Float64:
        return np.multiply(self.rotation, self.semi_axes, dtype=np.float64)

    def _within(
        self, points: Float64, change: Callable[[Float64], Float64], shape: tuple[int, ...], outside: Float64
    ) -> Float64:
        """Apply a function of local coordinates to the points inside the ellipsoid alone."""
        u = (points - np.asarray(self.centre)) @ np.linalg.inv(self._matrix).T
        inside = (u * u).sum(axis=-1) < 1
        result = np.broadcast_to(outside, (*points.shape[:-1], *shape)).copy()
        result[inside] = change(u[inside])
        return result


_QUARTER: Final = np.array([[0.0, 0, 0], [0, 0, -1], [0, 1, 0]])
"""Derivative of a turn about local z, from y to x."""


def _turned(u: Float64, angle: float) -> Float64:
    turning = angle * weight(u)
    cos, sin = np.cos(turning), np.sin(turning)
    return np.stack([u[..., 0], cos * u[..., 1] - sin * u[..., 2], sin * u[..., 1] + cos * u[..., 2]], axis=-1)


def _turned_jacobian(u: Float64, angle: float) -> Float64:
    turning = angle * weight(u)
    cos, sin = np.cos(turning), np.sin(turning)
    matrix = np.zeros((*u.shape, 3))
    matrix[..., 0, 0] = 1
    matrix[..., 1, 1] = matrix[..., 2, 2] = cos
    matrix[..., 2, 1], matrix[..., 1, 2] = sin, -sin
    swept = angle * (_turned(u, angle) @ _QUARTER.T)
    return np.asarray(matrix + swept[..., None] * weight_gradient(u)[..., None, :])
