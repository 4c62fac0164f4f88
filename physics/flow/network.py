"""Flow through a tree of tubes: the velocity anywhere, and each tube's numbers.

A tube begins in the last section of its parent, with the parent's radius and direction, and narrows to its own radius
while it bends away; where tubes overlap, their flows add. So the flow of a fork is that of two tubes that begin as one:
each is free of divergence, at rest on its own wall and outside it, hence so is their sum, on the wall of the union and
everywhere inside. At the section where the children begin, both have the parent's profile, and the flows' sum is the
parent's. At rest means exactly zero: no tolerance is needed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from phantomsim.physics.errors import ShapeError, UnitError
from phantomsim.physics.flow.profile import poiseuille, womersley_number
from phantomsim.physics.flow.tube import Tube
from phantomsim.physics.flow.waveform import Waveform
from phantomsim.physics.grid import Triple

Float64 = npt.NDArray[np.float64]

CONSERVED: Final = 1e-9
"""Relative error that the flows of a fork may have."""


@dataclass(frozen=True)
class Eddy:
    """A ball of fluid that turns about its centre, slower towards its surface: Ω × y (1 − |y|² / R²).

    Free of divergence and at rest on its surface, it stands for the slow swirl in a saccular aneurysm.

    Parameters
    ----------
    centre
        (z, y, x) [m]
    radius
        [m]
    spin
        Angular velocity at the centre [rad/s] for the mean flow; it follows the flow over a heartbeat.
    """

    centre: Triple
    radius: float
    spin: Triple

    def add(self, points: Float64, velocity: Float64, scale: float) -> None:
        """Add `scale` times the eddy's velocity [m/s] at points (point, 3) [m] in place."""
        offset = points - np.asarray(self.centre)
        square = (offset**2).sum(axis=1) / self.radius**2
        inside = np.flatnonzero(square < 1)
        # positions are (z, y, x): a left-handed order of axes, so the cross product changes its sign
        turning = -np.cross(np.asarray(self.spin), offset[inside])
        velocity[inside] += scale * turning * (1 - square[inside])[:, None]


@dataclass(frozen=True)
class VesselFlow:
    """Flow of a Newtonian fluid through a tree of tubes with rigid walls.

    Parameters
    ----------
    tubes
        Each after its parent.
    parents
        Index of each tube's parent, −1 for a root.
    flows
        Mean flow through each tube [m³/s].
    waveform
        How all flows vary over a heartbeat.
    viscosity, density
        Of the fluid [Pa s], [kg/m³].
    eddies
        Swirls in saccular aneurysms.

    Raises
    ------
    ShapeError
        If the lists differ in length, a parent comes after its child, or a child does not begin where its parent ends.
    UnitError
        If a flow is not positive, or the children of a fork do not carry their parent's flow.
    """

    tubes: tuple[Tube, ...]
    parents: tuple[int, ...]
    flows: tuple[float, ...]
    waveform: Waveform = field(default_factory=Waveform)
    viscosity: float = 3.5e-3
    density: float = 1060.0
    eddies: tuple[Eddy, ...] = ()

    def __post_init__(self) -> None:
        if not len(self.tubes) == len(self.parents) == len(self.flows):
            raise ShapeError("a tree of vessels needs as many parents and flows as tubes")
        if not all(0 < flow < np.inf for flow in (*self.flows, self.viscosity, self.density)):
            raise UnitError("flows [m3/s], viscosity [Pa s] and density [kg/m3] must be positive")
        carried = np.zeros(len(self.tubes))
        for index, (tube, parent) in enumerate(zip(self.tubes, self.parents, strict=True)):
            if parent >= index:
                raise ShapeError(f"tube {index} must come after its parent {parent}")
            if parent >= 0:
                carried[parent] += self.flows[index]
                gap = np.subtract(tube.control[0], self.tubes[parent].control[-1])
                if np.abs(gap).max() > 1e-9 * tube.length or not np.isclose(tube.radii[0], self.tubes[parent].radii[1]):
                    raise ShapeError(f"tube {index} must begin where its parent {parent} ends, as wide as that")
        for index, flow in enumerate(carried):
            if flow and abs(flow - self.flows[index]) > CONSERVED * flow:
                raise UnitError(f"the children of tube {index} carry {flow} m3/s, not {self.flows[index]}")

    def velocity(self, points: Float64, time: float = 0.0) -> Float64:
        """Return the velocity [m/s] of the blood; 0 outside the lumen.

        Parameters
        ----------
        points
            Positions (…, 3), (z, y, x) [m].
        time
            Since the beginning of a heartbeat [s].

        Returns
        -------
            Velocity (…, 3), (z, y, x), float64.
        """
        flat = np.ascontiguousarray(points, np.float64).reshape(-1, 3)
        velocity = np.zeros_like(flat)
        phasors = self.waveform.phasors(time)
        numbers = tuple(
            float(womersley_number(1.0, k * self.waveform.frequency, self.viscosity, self.density))
            for k in range(1, len(phasors) + 1)
        )
        for tube, flow in zip(self.tubes, self.flows, strict=True):
            inside, u, fraction = tube.locate(flat)
            if inside.size:
                velocity[inside] += flow * tube.stream(flat[inside], u, fraction, phasors, numbers)
        for eddy in self.eddies:
            eddy.add(flat, velocity, self.waveform.at(time))
        return velocity.reshape(np.shape(points))

    def holds(self, points: Float64) -> npt.NDArray[np.bool_]:
        """Return which points (…, 3) [m] lie in the lumen (…)."""
        flat = np.ascontiguousarray(points, np.float64).reshape(-1, 3)
        held = np.zeros(len(flat), np.bool_)
        for tube in self.tubes:
            held[tube.locate(flat)[0]] = True
        for eddy in self.eddies:
            held |= ((flat - np.asarray(eddy.centre)) ** 2).sum(axis=1) < eddy.radius**2
        return held.reshape(np.shape(points)[:-1])

    def table(self) -> tuple[dict[str, Any], ...]:
        """Return each tube's numbers for the mean flow.

        Velocity, Reynolds number (of the diameter) and Womersley number (of the heart rate) are those of the radius
        after the taper. The drop of pressure is that of Poiseuille's law along the lumen, stenoses included, without
        losses of inertia; in the part that a tube shares with its sibling the flow is taken to follow the radius from
        the parent's to its own, with the exponent of its fork.
        """
        rows = []
        for index, (tube, parent, flow) in enumerate(zip(self.tubes, self.parents, self.flows, strict=True)):
            r = tube.radii[1]
            mean = flow / (np.pi * r**2)
            rows.append(
                {
                    "index": index,
                    "parent": parent,
                    "start_mm": [1e3 * v for v in tube.control[0]],
                    "end_mm": [1e3 * v for v in tube.control[-1]],
                    "radius_mm": 1e3 * r,
                    "length_mm": 1e3 * tube.length,
                    "flow_ml_s": 1e6 * flow,
                    "mean_velocity_mm_s": 1e3 * mean,
                    "peak_velocity_mm_s": 1e3 * float(flow * poiseuille(np.zeros(1))[0] / r**2),
                    "reynolds": 2 * r * mean * self.density / self.viscosity,
                    "womersley": float(womersley_number(r, self.waveform.frequency, self.viscosity, self.density)),
                    "pressure_drop_pa": self._pressure_drop(index),
                }
            )
        return tuple(rows)

    def _pressure_drop(self, index: int) -> float:
        tube, parent, flow = self.tubes[index], self.parents[index], self.flows[index]
        u = (np.arange(400) + 0.5) / 400
        start, end = tube.radii
        shared = 0.0
        if parent >= 0 and start > end:
            shared = np.log(self.flows[parent] / flow) / np.log(start / end)
        local = flow * (tube.healthy(u)[0] / end) ** shared
        speed = np.linalg.norm(tube.curve(u)[1], axis=1)
        return float((8 * self.viscosity * local / (np.pi * tube.radius(u)[0] ** 4) * speed).mean())
