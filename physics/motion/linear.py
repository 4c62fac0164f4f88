"""Affine motions: of a rigid body, and of a body that is turned, shifted, stretched or sheared as a whole."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.linalg import expm

from phantomsim.physics.grid import Triple
from phantomsim.physics.motion.motion import Float64, Motion
from phantomsim.physics.motion.signal import Constant, Signal
from phantomsim.physics.shapes import Rotation, turn

Signals = tuple[Signal, Signal, Signal]

STILL: Final[Signals] = (Constant(), Constant(), Constant())
GENERATORS: Final = {
    "z": np.array([[0.0, 0, 0], [0, 0, 1], [0, -1, 0]]),
    "y": np.array([[0.0, 0, -1], [0, 0, 0], [1, 0, 0]]),
    "x": np.array([[0.0, 1, 0], [-1, 0, 0], [0, 0, 0]]),
}
"""Derivative of `turn` about each axis at angle 0."""


@dataclass(frozen=True)
class Rigid(Motion):
    """A body turned about a pivot, by x first, then y, then z, and shifted.

    Parameters
    ----------
    pivot
        Point that only shifts (z, y, x) [m].
    shift, angles
        Signals of the shift along (z, y, x) [m], and of the angle about each axis [rad].
    """

    pivot: Triple
    shift: Signals = STILL
    angles: Signals = STILL

    def affine(self, time: float) -> tuple[Float64, Float64]:
        """Return rotation and shift."""
        z, y, x = self._turns(time)
        return self._about(z @ y @ x, np.array([float(s(time)) for s in self.shift]))

    def displacement(self, points: Float64, time: float) -> Float64:
        """Return the displacement."""
        return _displacement(self.affine(time), points)

    def inverse(self, points: Float64, time: float) -> Float64:
        """Return the inverse, by the transpose."""
        matrix, shift = self.affine(time)
        return np.asarray((points - shift) @ matrix)

    def jacobian(self, points: Float64, time: float) -> Float64:
        """Return the rotation."""
        return np.broadcast_to(self.affine(time)[0], (*points.shape, 3)).copy()

    def velocity(self, points: Float64, time: float) -> Float64:
        """Return the velocity."""
        z, y, x = self._turns(time)
        rates = [float(signal.rate(time)) for signal in self.angles]
        turning = rates[0] * (GENERATORS["z"] @ z @ y @ x) + rates[1] * (z @ GENERATORS["y"] @ y @ x)
        turning += rates[2] * (z @ y @ GENERATORS["x"] @ x)
        rate = np.array([float(signal.rate(time)) for signal in self.shift])
        return np.asarray((points - np.asarray(self.pivot)) @ turning.T + rate)

    def dilution(self, points: Float64, time: float) -> Float64:
        """Return 1."""
        return np.ones(points.shape[:-1])

    def _turns(self, time: float) -> tuple[Float64, Float64, Float64]:
        z, y, x = (float(signal(time)) for signal in self.angles)
        return np.asarray(turn("z", z)), np.asarray(turn("y", y)), np.asarray(turn("x", x))

    def _about(self, matrix: Float64, shift: Float64) -> tuple[Float64, Float64]:
        return matrix, np.asarray(self.pivot) + shift - matrix @ np.asarray(self.pivot)


@dataclass(frozen=True)
class Bulk(Motion):
    """A body that a signal s deforms as a whole: ``centre + exp(s · generator) (rest − centre) + s · shift``.

    Parameters
    ----------
    centre
        Point that only shifts (z, y, x) [m].
    generator
        Matrix (3 × 3) whose exponential is the map at s = 1: antisymmetric turns, symmetric stretches; of trace 0 it
        keeps volumes exactly.
    shift
        Shift at s = 1 (z, y, x) [m].
    signal
        What drives it.
    """

    centre: Triple
    generator: Rotation
    shift: Triple
    signal: Signal

    def affine(self, time: float) -> tuple[Float64, Float64]:
        """Return matrix and shift."""
        s, centre = float(self.signal(time)), np.asarray(self.centre)
        matrix = np.asarray(expm(s * np.asarray(self.generator)))
        return matrix, centre + s * np.asarray(self.shift) - matrix @ centre

    def displacement(self, points: Float64, time: float) -> Float64:
        """Return the displacement."""
        return _displacement(self.affine(time), points)

    def inverse(self, points: Float64, time: float) -> Float64:
        """Return the inverse, by the exponential of the opposite."""
        _, shift = self.affine(time)
        back = np.asarray(expm(-float(self.signal(time)) * np.asarray(self.generator)))
        return np.asarray((points - shift) @ back.T)

    def jacobian(self, points: Float64, time: float) -> Float64:
        """Return the matrix."""
        return np.broadcast_to(self.affine(time)[0], (*points.shape, 3)).copy()

    def velocity(self, points: Float64, time: float) -> Float64:
        """Return the velocity."""
        matrix, _ = self.affine(time)
        moving = (points - np.asarray(self.centre)) @ (np.asarray(self.generator) @ matrix).T
        return np.asarray(float(self.signal.rate(time)) * (moving + np.asarray(self.shift)))

    def dilution(self, points: Float64, time: float) -> Float64:
        """Return the determinant, ``exp(s · trace)``."""
        return np.full(points.shape[:-1], np.exp(float(self.signal(time)) * np.trace(self.generator)))


def _displacement(affine: tuple[Float64, Float64], points: Float64) -> Float64:
    matrix, shift = affine
    return np.asarray(points @ (matrix - np.eye(3)).T + shift)
