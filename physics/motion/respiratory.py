"""Breathing: lungs that grow along one direction while all else keeps its volume exactly, and the belly's bulge.

Along each line of a direction the lung is a few intervals. Inside them matter stretches by one factor; beyond them it
is pushed along, by as much as there is lung between it and the far end. So the Jacobian is the factor in the lung and
1 everywhere else, the diaphragm descends most where the lung is longest, and pleurae slide as they do.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from phantomsim.physics.errors import ShapeError, UnitError
from phantomsim.physics.motion.motion import Float64, Motion
from phantomsim.physics.motion.signal import Signal, bend, rise, slope
from phantomsim.physics.shapes import Shape


class Intervals(NamedTuple):
    """Pieces of lung along lines.

    Parameters
    ----------
    edges, gradients
        Rising ends of the pieces (edge, point) [m], and their derivatives by place (edge, point, 3).
    filled
        Whether lung lies between an edge and the next (edge − 1, point).
    """

    edges: Float64
    gradients: Float64
    filled: npt.NDArray[np.bool_]


@dataclass(frozen=True)
class LungExpansion(Motion):
    """An ellipsoid of lung, less others that stand in it, that stretches along an axis of the patient.

    What lies on the positive side of the lung (the head, the back) stays; the other side is pushed away.

    Parameters
    ----------
    axis
        0 along z: the diaphragm descends. 1 along y: the chest rises.
    lung
        Ellipsoid of lung at rest, the end of an exhalation.
    solid
        Ellipsoids that hold no lung: heart, diaphragm.
    stretch
        Growth of the lung along the axis at a signal of 1; 0.1 makes it longer by a tenth.
    signal
        Breath that is in.

    Raises
    ------
    ShapeError
        If a shape is not an ellipsoid.
    UnitError
        If the stretch is negative.
    """

    axis: int
    lung: Shape
    solid: tuple[Shape, ...]
    stretch: float
    signal: Signal

    def __post_init__(self) -> None:
        if any(shape.kind != "ellipsoid" for shape in (self.lung, *self.solid)):
            raise ShapeError("lungs and what stands in them must be ellipsoids")
        if not 0 <= self.stretch < np.inf:
            raise UnitError(f"a lung's stretch must be 0 or more, got {self.stretch!r}")

    def displacement(self, points: Float64, time: float) -> Float64:
        """Return the displacement: along the axis alone."""
        result = np.zeros(points.shape)
        flat, hit, pieces = self._pieces(points)
        growth = self.stretch * float(self.signal(time))
        result.reshape(-1, 3)[hit, self.axis] = -growth * _beyond(pieces.edges, pieces.filled, flat[:, self.axis])
        return result

    def inverse(self, points: Float64, time: float) -> Float64:
        """Return the inverse: on moved edges, lung is longer by its growth, and the same sum undoes it."""
        result = np.array(points, np.float64)
        flat, hit, pieces = self._pieces(points)
        growth = self.stretch * float(self.signal(time))
        above = np.stack([_beyond(pieces.edges, pieces.filled, edge) for edge in pieces.edges])
        now = _beyond(pieces.edges - growth * above, pieces.filled, flat[:, self.axis])
        result.reshape(-1, 3)[hit, self.axis] += growth / (1 + growth) * now
        return result

    def jacobian(self, points: Float64, time: float) -> Float64:
        """Return the Jacobian, whose determinant is 1 outside the lung."""
        result = np.broadcast_to(np.eye(3), (*points.shape, 3)).copy()
        flat, hit, pieces = self._pieces(points)
        growth, place = self.stretch * float(self.signal(time)), flat[:, self.axis]
        ends = pieces.gradients * (place < pieces.edges)[..., None]
        gradient = np.where(pieces.filled[..., None], np.diff(ends, axis=0), 0).sum(axis=0)
        gradient[:, self.axis] = -1.0 * self._in_lung(pieces, place)
        result.reshape(-1, 3, 3)[hit, self.axis] -= growth * gradient
        return result

    def velocity(self, points: Float64, time: float) -> Float64:
        """Return the velocity."""
        result = np.zeros(points.shape)
        flat, hit, pieces = self._pieces(points)
        rate = self.stretch * float(self.signal.rate(time))
        result.reshape(-1, 3)[hit, self.axis] = -rate * _beyond(pieces.edges, pieces.filled, flat[:, self.axis])
        return result

    def dilution(self, points: Float64, time: float) -> Float64:
        """Return the growth of lung, 1 outside it."""
        result = np.ones(points.shape[:-1])
        flat, hit, pieces = self._pieces(points)
        growth = self.stretch * float(self.signal(time))
        result.reshape(-1)[hit] += growth * self._in_lung(pieces, flat[:, self.axis])
        return result

    @staticmethod
    def _in_lung(pieces: Intervals, place: Float64) -> npt.NDArray[np.bool_]:
        between = (place >= pieces.edges[:-1]) & (place < pieces.edges[1:])
        return np.asarray((pieces.filled & between).any(axis=0))

    def _pieces(self, points: Float64) -> tuple[Float64, npt.NDArray[np.bool_], Intervals]:
        """Return points (point, 3) on whose line there is lung, which these are, and their intervals."""
        flat = np.asarray(points, np.float64).reshape(-1, 3)
        low, high, hit, *_ = _chord(self.lung, self.axis, flat)
        flat = flat[hit]
        ends = [_chord(shape, self.axis, flat) for shape in (self.lung, *self.solid)]
        low, high, _, low_slope, high_slope = ends[0]
        edges, gradients = [low, high], [low_slope, high_slope]
        for first, last, met, *slopes in ends[1:]:
            for end, gradient in zip((first, last), slopes, strict=True):
                inner = met & (end > low) & (end < high)
                edges.append(np.where(inner, end, low))  # an edge that is none lies on the lung's own
                gradients.append(np.where(inner[:, None], gradient, low_slope))
        order = np.argsort(edges, axis=0, kind="stable")
        sorted_edges = np.take_along_axis(np.stack(edges), order, axis=0)
        sorted_gradients = np.take_along_axis(np.stack(gradients), order[..., None], axis=0)
        middle = (sorted_edges[1:] + sorted_edges[:-1]) / 2
        filled = np.ones(middle.shape, np.bool_)
        for first, last, met, *_ in ends[1:]:
            filled &= ~(met & (first < middle) & (middle < last))
        return flat, hit, Intervals(sorted_edges, sorted_gradients, filled)


@dataclass(frozen=True)
class Bulge(Motion):
    """A belly that is pressed together along z and gives way to the front, each volume kept exactly.

    Matter below `top` rises by up to `rise_z`, reached at `bottom`; in between it moves away from the plane y = `back`.

    Parameters
    ----------
    top, bottom
        Where the pressure begins and ends (z) [m].
    back
        Plane that does not move (y) [m].
    rise_z
        How far what lies at `bottom` rises at a signal of 1 [m].
    signal
        Breath that is in.

    Raises
    ------
    UnitError
        If `top` does not lie above `bottom`, or the rise would fold the belly at a signal of 2.
    """

    top: float
    bottom: float
    back: float
    rise_z: float
    signal: Signal

    def __post_init__(self) -> None:
        if not (self.top > self.bottom and 0 <= 2 * 15 / 8 * self.rise_z < self.top - self.bottom):
            raise UnitError(f"a belly from {self.top} down to {self.bottom} cannot rise by {self.rise_z} [m]")

    def displacement(self, points: Float64, time: float) -> Float64:
        """Return the displacement."""
        lift = self.rise_z * float(self.signal(time))
        depth = self._depth(points)
        stretch = 1 - lift / self._height * slope(depth)
        result = np.zeros(points.shape)
        result[..., 0] = lift * rise(depth)
        result[..., 1] = (points[..., 1] - self.back) * (1 / stretch - 1)
        return result

    def inverse(self, points: Float64, time: float) -> Float64:
        """Return the inverse: z by Newton's method within a bracket, then y in closed form."""
        lift = self.rise_z * float(self.signal(time))
        now = np.asarray(points[..., 0], np.float64)
        low, high, z = now - max(lift, 0.0), now - min(lift, 0.0), now - lift * rise((self.top - now) / self._height)
        for _ in range(60):
            depth = (self.top - z) / self._height
            error = z + lift * rise(depth) - now
            low, high = np.where(error <= 0, z, low), np.where(error >= 0, z, high)
            step = z - error / (1 - lift / self._height * slope(depth))
            step = np.where((step >= low) & (step <= high), step, (low + high) / 2)
            done = np.abs(step - z).max(initial=0) <= 1e-16
            z = step
            if done:
                break
        stretch = 1 - lift / self._height * slope((self.top - z) / self._height)
        return np.stack([z, self.back + (points[..., 1] - self.back) * stretch, points[..., 2]], axis=-1)

    def jacobian(self, points: Float64, time: float) -> Float64:
        """Return the Jacobian, of determinant 1."""
        lift = self.rise_z * float(self.signal(time))
        depth = self._depth(points)
        stretch = 1 - lift / self._height * slope(depth)
        result = np.zeros((*points.shape, 3))
        result[..., 0, 0], result[..., 1, 1], result[..., 2, 2] = stretch, 1 / stretch, 1
        result[..., 1, 0] = -(points[..., 1] - self.back) * lift / self._height**2 * bend(depth) / stretch**2
        return result

    def velocity(self, points: Float64, time: float) -> Float64:
        """Return the velocity."""
        lift, rate = (self.rise_z * float(f(time)) for f in (self.signal, self.signal.rate))
        depth = self._depth(points)
        stretch = 1 - lift / self._height * slope(depth)
        result = np.zeros(points.shape)
        result[..., 0] = rate * rise(depth)
        result[..., 1] = (points[..., 1] - self.back) * rate / self._height * slope(depth) / stretch**2
        return result

    def dilution(self, points: Float64, time: float) -> Float64:
        """Return 1: volumes are kept."""
        return np.ones(points.shape[:-1])

    @property
    def _height(self) -> float:
        return self.top - self.bottom

    def _depth(self, points: Float64) -> Float64:
        return np.asarray((self.top - points[..., 0]) / self._height)


def _beyond(edges: Float64, filled: npt.NDArray[np.bool_], place: Float64) -> Float64:
    """Return how much lung lies beyond a place on each line (point) [m]."""
    lengths = np.maximum(edges[1:] - np.maximum(edges[:-1], place), 0)
    return np.asarray(np.where(filled, lengths, 0).sum(axis=0))


def _chord(
    shape: Shape, axis: int, points: Float64
) -> tuple[Float64, Float64, npt.NDArray[np.bool_], Float64, Float64]:
    """Return where lines along an axis through points (point, 3) enter and leave an ellipsoid.

    Returns
    -------
        First and last place along the axis (point) [m], whether the line meets it, and both places' derivatives by
        place (point, 3), 0 along the axis.
    """
    matrix = shape.inverse
    direction = matrix[:, axis]
    base = np.array(points)
    base[:, axis] = shape.centre[axis]
    start = base @ matrix[:, :3].T + matrix[:, 3]
    square = direction @ direction
    middle = -(start @ direction) / square
    nearest = start + middle[:, None] * direction
    left = 1 - (nearest * nearest).sum(axis=1)
    met = left > 0
    half = np.sqrt(np.maximum(left, 0) / square)
    ends, gradients = [], []
    for sign in (-1, 1):
        along = middle + sign * half
        normal = (start + along[:, None] * direction) @ matrix[:, :3]
        steep = np.where(met, normal[:, axis], 1.0)
        gradient = np.where(met[:, None], -normal / steep[:, None], 0.0)
        gradient[:, axis] = 0
        ends.append(shape.centre[axis] + along)
        gradients.append(gradient)
    return ends[0], ends[1], met, gradients[0], gradients[1]
