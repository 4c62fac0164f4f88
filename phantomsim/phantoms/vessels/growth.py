"""Growth of a tree of vessels inside a convex host, fork by fork, the widest vessel first.

The radii at a fork obey Murray's law, and its angles are those that make the vessels' volume least for given ends.
Each fork tries several azimuths and lengths, keeps those that stay inside the host and clear of every other vessel, and
takes the one that ends farthest from all; where none is free, the vessel ends there.
"""

from __future__ import annotations

from dataclasses import dataclass
from heapq import heappop, heappush
from typing import Final

import numpy as np
import numpy.typing as npt

from phantomsim.phantoms.vessels.frames import frames
from phantomsim.physics.flow.tube import Control, Tube
from phantomsim.physics.rng import Key, uniform
from phantomsim.physics.shapes import Shape

Float64 = npt.NDArray[np.float64]

CANDIDATES: Final = 16
"""Azimuths tried at each fork."""
SAMPLES: Final = 10
"""Balls that stand for a vessel where clearances are asked for."""
APART: Final = 6
"""From this ball on, two siblings must be clear of each other: before, they part."""
TAPER: Final = (0.15, 0.55)
"""Where a vessel narrows to its own radius, in its curve's parameter: while it parts from its sibling, not before, or
the blood would have to pass a neck."""
TIGHTEST: Final = 0.8
"""Largest radius over radius of curvature."""


@dataclass(frozen=True)
class Habit:
    """How a tree grows.

    Parameters
    ----------
    exponent
        Murray's: r0^γ = r1^γ + r2^γ, and flow goes as r^γ. Above 2, or the vessels of a fork would run on as one.
    asymmetry
        Smallest and largest ratio of the radii of two siblings.
    slenderness
        Smallest and largest length over the radius.
    bend
        Largest tangent of the angle by which a vessel turns after its fork.
    smallest_radius
        No vessel is thinner [m].
    n_vessels
        Most vessels of a tree.
    wall
        Thickness of the wall over the radius.
    gap
        Least distance between the walls of two vessels [m].
    """

    exponent: float = 3.0
    asymmetry: tuple[float, float] = (0.6, 1.0)
    slenderness: tuple[float, float] = (7.0, 12.0)
    bend: float = 0.4
    smallest_radius: float = 4e-4
    n_vessels: int = 127
    wall: float = 0.12
    gap: float = 5e-4


@dataclass(frozen=True)
class Vessel:
    """A vessel of a tree.

    Parameters
    ----------
    tube
        Its lumen.
    parent
        Index of the vessel that it leaves; −1 for the root.
    angle
        Between its parent's end and its own direction behind the fork [rad].
    """

    tube: Tube
    parent: int
    angle: float


def forked(radius: float, ratio: float, exponent: float) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return radii [m] and angles to the parent [rad] of the two vessels of a fork.

    Parameters
    ----------
    radius
        Of the parent [m].
    ratio
        Smaller over larger radius, 0 to 1.
    exponent
        γ of r0^γ = r1^γ + r2^γ.

    References
    ----------
    C. D. Murray, J. Gen. Physiol. 9 (1926), named from memory; the angles are those where the forces r² along the three
    vessels balance, as the tests prove.
    """
    first = float(radius / (1 + ratio**exponent) ** (1 / exponent))
    second = ratio * first
    cosines = [
        (radius**4 + own**4 - other**4) / (2 * radius**2 * own**2) for own, other in ((first, second), (second, first))
    ]
    return (first, second), (float(np.arccos(cosines[0])), float(np.arccos(cosines[1])))


def grow(host: Shape, root: Float64, direction: Float64, radius: float, habit: Habit, key: Key) -> list[Vessel]:
    """Grow a tree inside a host.

    Parameters
    ----------
    host
        Ellipsoid, cylinder or box that holds the tree, walls included.
    root, direction
        Where the tree begins (z, y, x) [m], and where it heads.
    radius
        Of the first vessel [m].
    habit
        How it grows.
    key
        Stream to draw from.

    Returns
    -------
        The vessels, each after its parent; none if the first does not fit.
    """
    draws = uniform(key, (habit.n_vessels + 1, CANDIDATES, 8), dtype=np.float64)
    heading = np.broadcast_to(direction / np.linalg.norm(direction), (CANDIDATES, 3))
    trunk = _controls(root, heading, heading, radius, radius, draws[0, :, :3], habit)
    free = _inside(_balls(trunk), _radii(radius, radius), host, habit)
    if not free.any():
        return []
    last = int(np.flatnonzero(free)[-1])  # the last candidates are short ones, so that the block fills early
    vessels = [Vessel(Tube(_tuples(trunk[last]), (radius, radius), TAPER), -1, 0.0)]
    crowd = _Crowd(habit)
    crowd.add(vessels[0].tube)
    waiting = [(-radius, 0)]
    while waiting and len(vessels) + 2 <= habit.n_vessels:
        _, parent = heappop(waiting)
        for vessel in _fork(vessels, parent, host, habit, crowd, draws[1 + parent]):
            crowd.add(vessel.tube)
            heappush(waiting, (-vessel.tube.radii[1], len(vessels)))
            vessels.append(vessel)
    return vessels


class _Crowd:
    """Balls along the vessels so far, for clearances."""

    def __init__(self, habit: Habit) -> None:
        self._habit = habit
        self.centres = np.empty((0, SAMPLES, 3))
        self.radii = np.empty((0, SAMPLES))
        self.halves = np.empty(0)

    def add(self, tube: Tube) -> None:
        """Add a vessel's balls."""
        balls = _balls(np.asarray(tube.control)[None])
        self.centres = np.concatenate([self.centres, balls])
        self.radii = np.concatenate([self.radii, _radii(*tube.radii)[None] * (1 + self._habit.wall)])
        self.halves = np.append(self.halves, _half_step(balls))

    def room(self, parent: int, balls: Float64, radii: Float64) -> tuple[Float64, Float64]:
        """Return the least clearance of candidates (c, SAMPLES, 3) from all but their parent, and of their ends."""
        others = np.arange(len(self.centres)) != parent
        if not others.any():
            return np.full(len(balls), np.inf), np.full(len(balls), np.inf)
        centres, other_radii = self.centres[others].reshape(-1, 3), self.radii[others].ravel()
        steps = np.repeat(self.halves[others], SAMPLES)
        flat = balls.reshape(-1, 3)
        square = (flat**2).sum(1)[:, None] - 2 * flat @ centres.T + (centres**2).sum(1)
        # between two balls of each vessel the curves come nearer by at most this
        nearer = (_half_step(balls).repeat(SAMPLES)[:, None] + steps) ** 2
        distance = np.sqrt(np.maximum(square - nearer, 0)) - other_radii
        distance = distance.reshape(len(balls), SAMPLES, -1).min(axis=2)
        return (distance - radii * (1 + self._habit.wall) - self._habit.gap).min(axis=1), distance[:, -1]


def _fork(vessels: list[Vessel], parent: int, host: Shape, habit: Habit, crowd: _Crowd, draws: Float64) -> list[Vessel]:
    """Return the two vessels of a fork at a vessel's end, or none."""
    tube = vessels[parent].tube
    radius, at = tube.radii[1], np.asarray(tube.control[5])
    low, high = habit.asymmetry
    radii, angles = forked(radius, low + (high - low) * float(draws[0, 7]), habit.exponent)
    if min(radii) < habit.smallest_radius:
        return []
    frame = frames((at - np.asarray(tube.control[4]))[None])[0]
    azimuth = 2 * np.pi * (np.arange(CANDIDATES) + draws[0, 6]) / CANDIDATES
    normal = np.cos(azimuth)[:, None] * frame[:, 1] + np.sin(azimuth)[:, None] * frame[:, 2]
    heading = np.broadcast_to(frame[:, 0], normal.shape)
    children, free, score = [], np.ones(CANDIDATES, np.bool_), np.full(CANDIDATES, np.inf)
    for side, (own, angle) in enumerate(zip(radii, angles, strict=True)):
        toward = np.cos(angle) * heading + (1 - 2 * side) * np.sin(angle) * normal
        controls = _controls(at, heading, toward, radius, own, draws[:, 3 * side : 3 * side + 3], habit)
        balls, sizes = _balls(controls), _radii(radius, own)
        clearance, end = crowd.room(parent, balls, sizes)
        free &= (clearance > 0) & _inside(balls, sizes, host, habit)
        rim = (1 - gauge(host, balls[:, -1])) * host.inner_radius
        score = np.minimum(score, np.minimum(end, rim))
        children.append((controls, balls, sizes * (1 + habit.wall)))
    free &= _siblings_part(children[0][1:], children[1][1:], habit.gap)
    for index in np.argsort(np.where(free, -score, np.inf), kind="stable")[: int(free.sum())]:
        pair = []
        for (controls, _, _), own, angle in zip(children, radii, angles, strict=True):
            control = _tuples(controls[index])
            pair.append(Vessel(Tube(control, (radius, own), TAPER), parent, angle))
        if max(vessel.tube.tightest for vessel in pair) < TIGHTEST:
            return pair
    return []


def _controls(
    at: Float64, heading: Float64, toward: Float64, start: float, own: float, draws: Float64, habit: Habit
) -> Float64:
    """Return control points (c, 6, 3): along `heading`, round the corner `toward`, then a slight bend.

    The first three and the last three points lie evenly on a line each, so that the curvature vanishes at both ends
    and a child goes on as smoothly as its parent came.
    """
    low, high = habit.slenderness
    length = own * (low + (high - low) * draws[:, :1])
    length = np.where(np.arange(len(draws))[:, None] % 2, 0.7 * length, length)
    corner = at + 1.6 * start * heading
    behind = corner + 0.5 * length * toward
    turn = habit.bend * np.sqrt(draws[:, 1:2])
    axes = frames(toward)
    sideways = np.cos(2 * np.pi * draws[:, 2:3]) * axes[:, :, 1] + np.sin(2 * np.pi * draws[:, 2:3]) * axes[:, :, 2]
    last = toward + turn * sideways
    end = behind + 0.5 * length * last / np.linalg.norm(last, axis=1, keepdims=True)
    first = np.broadcast_to(at, corner.shape)
    return np.stack([first, (first + corner) / 2, corner, behind, (behind + end) / 2, end], axis=1)


_PLACES: Final = (np.arange(SAMPLES) + 1.0) / SAMPLES
_WEIGHTS: Final = np.stack(
    [c * _PLACES**k * (1 - _PLACES) ** (5 - k) for k, c in enumerate((1, 5, 10, 10, 5, 1))], axis=1
)


def _balls(controls: Float64) -> Float64:
    """Return places along vessels (c, SAMPLES, 3) from their control points (c, 6, 3)."""
    return np.asarray(_WEIGHTS @ controls)


def _half_step(balls: Float64) -> Float64:
    """Return half the largest distance between neighbouring balls of each vessel [m]."""
    return np.asarray(np.linalg.norm(np.diff(balls, axis=1), axis=2).max(axis=1) / 2)


def _radii(start: float, own: float) -> Float64:
    """Return a bound of the radius of a vessel at its balls (SAMPLES)."""
    x = np.clip((_PLACES - 1 / SAMPLES - TAPER[0]) / (TAPER[1] - TAPER[0]), 0, 1)
    return start + (own - start) * x**3 * (10 - 15 * x + 6 * x**2)


def gauge(host: Shape, points: Float64, reach: Float64 | float = 0.0) -> Float64:
    """Return a number that is at most 1 only if the host holds the balls of radius `reach` [m] around points (…, 3).

    It is the factor by which the host must grow or shrink about its centre to have a point on its surface, plus what a
    ball adds at most.
    """
    z, y, x = np.moveaxis(np.abs(points @ host.inverse[:, :3].T + host.inverse[:, 3]), -1, 0)
    a, b, c = host.semi_axes
    if host.kind == "ellipsoid":
        return np.asarray(np.sqrt(z**2 + y**2 + x**2) + reach / min(a, b, c))
    across = np.hypot(y, x) + reach / min(b, c) if host.kind == "cylinder" else np.maximum(y + reach / b, x + reach / c)
    return np.asarray(np.maximum(z + reach / a, across))


def _inside(balls: Float64, radii: Float64, host: Shape, habit: Habit) -> npt.NDArray[np.bool_]:
    """Return which vessels (c) lie in the host with their walls and a gap around them."""
    return np.asarray((gauge(host, balls, radii * (1 + habit.wall) + habit.gap) <= 1).all(axis=1))


def _siblings_part(
    first: tuple[Float64, Float64], second: tuple[Float64, Float64], gap: float
) -> npt.NDArray[np.bool_]:
    """Return which pairs of siblings (c) are clear of each other from ball APART on."""
    apart = np.linalg.norm(first[0][:, :, None] - second[0][:, None], axis=3)
    clear = apart > first[1][:, None] + second[1] + gap
    return np.asarray(clear[:, APART:].all(axis=(1, 2)) & clear[:, :, APART:].all(axis=(1, 2)))


def _tuples(control: Float64) -> Control:
    a, b, c, d, e, f = ((float(z), float(y), float(x)) for z, y, x in control)
    return (a, b, c, d, e, f)
