"""Curved round tubes of varying radius, and the flow through them.

A tube is the image of a straight unit cylinder: its centreline c(u) is one quintic Bézier curve, and the section at u
is a disc of radius r(u) normal to it. A flow that runs along the straight cylinder stays free of divergence when the
map carries it along as a flux (the Piola transform), so that with y the offset from the centreline, κ its curvature
vector, s its length, T its tangent and w(ρ) the profile of the straight cylinder

    v = w / r² (T + (r′ / r) y / (1 − κ·y)).

It holds in bends, tapers and stenoses alike; it vanishes on the wall with w, and carries the same flow through every
section. It is a kinematic flow: it has no recirculation and no inertia.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt

from phantomsim.physics.errors import ShapeError, UnitError
from phantomsim.physics.flow.profile import poiseuille, womersley
from phantomsim.physics.grid import Triple

Float64 = npt.NDArray[np.float64]
Control = tuple[Triple, Triple, Triple, Triple, Triple, Triple]

STARTS: Final = 24
"""Places along a tube from which the nearest point of its centreline is searched."""
NEWTON_STEPS: Final = 8
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(24)
_BERNSTEIN: Final = np.array(  # powers of u (row) in the Bernstein polynomials of degree five (column)
    [
        [1, 0, 0, 0, 0, 0],
        [-5, 5, 0, 0, 0, 0],
        [10, -20, 10, 0, 0, 0],
        [-10, 30, -30, 10, 0, 0],
        [5, -20, 30, -20, 5, 0],
        [-1, 5, -10, 10, -5, 1],
    ],
    dtype=np.float64,
)


@dataclass(frozen=True)
class Bump:
    """A place where the radius is 1 + height (1 + cos(π (u − centre) / half_width)) / 2 times the tube's.

    Parameters
    ----------
    centre, half_width
        Where it is, in the curve's parameter u [1].
    height
        Negative for a stenosis (−0.5 halves the radius), positive for a fusiform aneurysm [1].

    Raises
    ------
    UnitError
        If it closes the tube or has no width.
    """

    centre: float
    half_width: float
    height: float

    def __post_init__(self) -> None:
        if not (self.half_width > 0 and -1 < self.height < np.inf):
            raise UnitError(f"a bump needs a width and a height above -1 (which closes the tube), got {self}")


@dataclass(frozen=True)
class Tube:
    """A tube along a quintic Bézier curve, with flat open ends.

    Parameters
    ----------
    control
        Control points of the centreline (6, 3), (z, y, x) [m].
    radii
        Radius before the taper and after it [m].
    taper
        Where the taper begins and ends, in the curve's parameter [1].
    bumps
        Stenoses and fusiform aneurysms.

    Raises
    ------
    UnitError
        If a radius is not positive, or the taper not a range in 0 to 1.
    ShapeError
        If a bend is so tight that the sections cross.
    """

    control: Control
    radii: tuple[float, float]
    taper: tuple[float, float] = (0.0, 0.5)
    bumps: tuple[Bump, ...] = ()

    def __post_init__(self) -> None:
        if not (min(self.radii) > 0 and np.isfinite(self.radii).all() and 0 <= self.taper[0] < self.taper[1] <= 1):
            raise UnitError(f"a tube needs positive radii [m] and a taper in 0 to 1, got {self.radii} and {self.taper}")
        if self.tightest >= 1:
            raise ShapeError(f"a tube of radius {max(self.radii)} m bends so much that its sections cross")

    @cached_property
    def _powers(self) -> Float64:
        return np.asarray(_BERNSTEIN @ np.asarray(self.control, np.float64))

    def curve(self, u: Float64) -> tuple[Float64, Float64, Float64]:
        """Return the centreline and its first two derivatives by u (…, 3) [m] at parameters (…)."""
        a0, a1, a2, a3, a4, a5 = self._powers
        t = np.asarray(u, np.float64)[..., None]
        c = ((((a5 * t + a4) * t + a3) * t + a2) * t + a1) * t + a0
        first = (((5 * a5 * t + 4 * a4) * t + 3 * a3) * t + 2 * a2) * t + a1
        second = ((20 * a5 * t + 12 * a4) * t + 6 * a3) * t + 2 * a2
        return c, first, second

    def healthy(self, u: Float64) -> tuple[Float64, Float64]:
        """Return the radius [m] without stenoses and aneurysms, and its derivative by u; it is smooth to C²."""
        start, end = self.radii
        low, high = self.taper
        x = np.clip((u - low) / (high - low), 0, 1)
        slope = 30 * x**2 * (1 - x) ** 2 / (high - low)
        return start + (end - start) * x**3 * (10 - 15 * x + 6 * x**2), (end - start) * slope

    def radius(self, u: Float64) -> tuple[Float64, Float64]:
        """Return the radius of the lumen [m] at parameters (…), and its derivative by u."""
        r, slope = self.healthy(u)
        for bump in self.bumps:
            phase = np.pi * np.clip((u - bump.centre) / bump.half_width, -1, 1)
            factor = 1 + bump.height * (1 + np.cos(phase)) / 2
            change = -bump.height * np.sin(phase) / 2 * np.pi / bump.half_width
            r, slope = r * factor, slope * factor + r * change
        return r, slope

    @property
    def tightest(self) -> float:
        """Largest radius over the radius of curvature along the tube [1]; sections cross from 1 on."""
        u = np.linspace(0, 1, 65)
        _, first, second = self.curve(u)
        curvature = np.linalg.norm(np.cross(first, second), axis=-1) / np.linalg.norm(first, axis=-1) ** 3
        return float((curvature * self.radius(u)[0]).max())

    @cached_property
    def length(self) -> float:
        """Length of the centreline [m]."""
        return float(self.lengths(np.ones(1))[0])

    def lengths(self, u: Float64) -> Float64:
        """Return the length of the centreline [m] from the start to parameters (…), by Gauss and Legendre."""
        points = np.multiply.outer(u, (_NODES + 1) / 2)
        speed = np.linalg.norm(self.curve(points)[1], axis=-1)
        total: Float64 = speed @ _WEIGHTS * u / 2
        return total

    @property
    def bounds(self) -> tuple[Float64, Float64]:
        """Corners (3) [m] of a box that holds the tube."""
        reach = float(self.radius(np.linspace(0, 1, 257))[0].max()) * 1.01
        control = np.asarray(self.control)
        return control.min(axis=0) - reach, control.max(axis=0) + reach

    def foot(self, points: Float64) -> Float64:
        """Return the parameter of the nearest section (point) of points (point, 3) [m]; outside (0, 1) beyond an end.

        Where the centreline of a tube stays clear of itself it is the only section that holds the point.
        """
        starts = (np.arange(STARTS) + 0.5) / STARTS
        centres = self.curve(starts)[0]
        apart = (points**2).sum(axis=1)[:, None] - 2 * points @ centres.T + (centres**2).sum(axis=1)
        u = starts[apart.argmin(axis=1)]
        for _ in range(NEWTON_STEPS):
            c, first, second = self.curve(u)
            offset = points - c
            slope = (offset * second).sum(axis=1) - (first * first).sum(axis=1)
            step = (offset * first).sum(axis=1) / np.minimum(slope, -0.05 * (first * first).sum(axis=1))
            u = np.clip(u - np.clip(step, -0.1, 0.1), -0.05, 1.05)
        return np.asarray(u)

    def locate(self, points: Float64) -> tuple[npt.NDArray[np.int64], Float64, Float64]:
        """Return which points (point, 3) [m] lie in the tube: their indices, parameters and parts of the radius."""
        low, high = self.bounds
        near = np.flatnonzero(((points > low) & (points < high)).all(axis=1))
        if near.size == 0:
            return near, np.empty(0), np.empty(0)
        u = self.foot(points[near])
        offset = np.linalg.norm(points[near] - self.curve(u)[0], axis=1)
        fraction = offset / self.radius(u)[0]
        inside = (u >= 0) & (u < 1) & (fraction < 1)
        return near[inside], u[inside], fraction[inside]

    def stream(
        self,
        points: Float64,
        u: Float64,
        fraction: Float64,
        phasors: tuple[complex, ...] = (),
        numbers_per_radius: tuple[float, ...] = (),
    ) -> Float64:
        """Return the velocity (point, 3) of points that `locate` found, for unit mean flow [1/m² = (m/s) / (m³/s)].

        Parameters
        ----------
        points
            Positions (point, 3), (z, y, x) [m].
        u, fraction
            Parameters and parts of the radius of the points.
        phasors, numbers_per_radius
            Complex amplitude of each harmonic at the time wanted, over the mean, and its Womersley number over the
            radius [1/m].
        """
        c, first, second = self.curve(u)
        r, slope = self.radius(u)
        speed = np.linalg.norm(first, axis=1)
        offset = points - c
        axial = poiseuille(fraction)
        across = axial.copy()
        for phasor, number in zip(phasors, numbers_per_radius, strict=True):
            profile, shift = womersley(fraction, number * r)
            axial += (phasor * profile).real
            across += (phasor * (profile + shift)).real
        bend = 1 - (second * offset).sum(axis=1) / speed**2
        along = (axial / (r**2 * speed))[:, None] * first
        return np.asarray(along + (across * slope / (r**3 * speed * bend))[:, None] * offset)
