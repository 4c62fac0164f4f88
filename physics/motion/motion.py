"""What every motion is: an invertible map of space at each time, and maps one after another."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Float64 = npt.NDArray[np.float64]


class Motion(ABC):
    """A map of points at rest to where they are at a time; points are (…, 3), (z, y, x) [m], on the host.

    Where a map grows or shrinks matter, either air flows in, and the mass in a volume stays (`dilution` is the
    Jacobian's determinant), or blood or other contents flow through, and the density stays (`dilution` is 1).
    """

    @abstractmethod
    def displacement(self, points: Float64, time: float) -> Float64:
        """Return how far matter that rests at the points is from there (…, 3) [m]."""

    @abstractmethod
    def inverse(self, points: Float64, time: float) -> Float64:
        """Return where matter that is at the points now rests (…, 3) [m]."""

    @abstractmethod
    def jacobian(self, points: Float64, time: float) -> Float64:
        """Return derivatives of place now by place at rest, of matter that rests at the points (…, 3, 3)."""

    @abstractmethod
    def velocity(self, points: Float64, time: float) -> Float64:
        """Return the velocity of matter that rests at the points (…, 3) [m/s]."""

    @abstractmethod
    def dilution(self, points: Float64, time: float) -> Float64:
        """Return by how much air dilutes matter that rests at the points (…); 1 where none flows in."""

    def affine(self, time: float) -> tuple[Float64, Float64] | None:
        """Return matrix (3, 3) and shift (3) [m] of ``now = matrix · rest + shift``; None where it is not affine."""
        return None


@dataclass(frozen=True)
class Composition(Motion):
    """Motions one after another: each moves what those before it moved."""

    motions: tuple[Motion, ...]

    def displacement(self, points: Float64, time: float) -> Float64:
        """Return the sum of displacements."""
        now = points
        for motion in self.motions:
            now = now + motion.displacement(now, time)
        return np.asarray(now - points)

    def inverse(self, points: Float64, time: float) -> Float64:
        """Return the inverse, from the last motion to the first."""
        for motion in reversed(self.motions):
            points = motion.inverse(points, time)
        return points

    def jacobian(self, points: Float64, time: float) -> Float64:
        """Return the product of Jacobians."""
        total = np.broadcast_to(np.eye(3), (*points.shape, 3))
        for motion in self.motions:
            total = motion.jacobian(points, time) @ total
            points = points + motion.displacement(points, time)
        return np.asarray(total)

    def velocity(self, points: Float64, time: float) -> Float64:
        """Return what each motion makes of the velocity before it, and adds."""
        total = np.zeros(points.shape)
        for motion in self.motions:
            total = (motion.jacobian(points, time) @ total[..., None])[..., 0] + motion.velocity(points, time)
            points = points + motion.displacement(points, time)
        return total

    def dilution(self, points: Float64, time: float) -> Float64:
        """Return the product of dilutions."""
        total = np.ones(points.shape[:-1])
        for motion in self.motions:
            total = total * motion.dilution(points, time)
            points = points + motion.displacement(points, time)
        return total

    def affine(self, time: float) -> tuple[Float64, Float64] | None:
        """Return the product, where all are affine."""
        matrix, shift = np.eye(3), np.zeros(3)
        for motion in self.motions:
            step = motion.affine(time)
            if step is None:
                return None
            matrix, shift = step[0] @ matrix, step[0] @ shift + step[1]
        return matrix, shift
