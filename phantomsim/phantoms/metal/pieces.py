"""Pieces that implants are made of: threaded screws, bent wires, coils and leads.

Lengths are metres; points and directions are (z, y, x).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import pi
from typing import Any

import numpy as np
import numpy.typing as npt

from phantomsim.physics.grid import Triple
from phantomsim.physics.shapes import Shape, along, capsule, cone, cylinder

Float64 = npt.NDArray[np.float64]
FLANK = 0.25
"""Half width of a thread at its root over the pitch."""


def triple(point: Sequence[float] | Float64) -> Triple:
    """Return a point as a tuple of floats."""
    z, y, x = (float(c) for c in point)
    return (z, y, x)


def straight(start: Sequence[float] | Float64, end: Sequence[float] | Float64, radius: float) -> Shape:
    """Return a round bar between two points with flat ends."""
    run = np.subtract(end, start)
    middle = triple(np.add(start, end) / 2)
    return cylinder(middle, (float(np.linalg.norm(run)) / 2, radius, radius), along(triple(run)))


def wire(points: Float64, radius: float) -> list[Shape]:
    """Return a round wire along a polyline (point, 3): a capsule between each two neighbours."""
    shapes = []
    for start, end in pairwise(points):
        run = end - start
        half = float(np.linalg.norm(run)) / 2 + radius
        shapes.append(capsule(triple((start + end) / 2), (half, radius, radius), along(triple(run))))
    return shapes


def screw(
    entry: Triple, direction: Sequence[float] | Float64, length: float, outer: float, depth: float, pitch: float
) -> list[Shape]:
    """Return a screw's shaft: a core, and for each thread two truncated cones base to base.

    Parameters
    ----------
    entry
        Where the shaft begins, behind its first thread.
    direction
        From the entry to the tip.
    length
        Of the core; as many threads as fit.
    outer, depth
        Radius over the thread, and its depth.
    pitch
        From thread to thread.
    """
    way = np.asarray(direction) / np.linalg.norm(direction)
    core, flank = outer - depth, FLANK * pitch
    shapes = [straight(entry, entry + length * way, core)]
    forth, back = along(triple(way)), along(triple(-way))
    for n in range(threads(length, pitch)):
        crest = entry + (n + 0.5) * pitch * way
        for axis, rotation in ((way, forth), (-way, back)):
            middle = triple(crest + flank / 2 * axis)
            shapes.append(cone(middle, (flank / 2, outer, outer), core / outer, rotation))
    return shapes


def threads(length: float, pitch: float) -> int:
    """Return how many threads a shaft has."""
    return int(length / pitch + 1e-9)


def screw_volume(length: float, outer: float, depth: float, pitch: float) -> float:
    """Return the volume of a `screw` in closed form: its core, and the rings of its threads around it [m³]."""
    core, flank = outer - depth, FLANK * pitch
    ring = 2 * flank * pi * ((outer**2 + outer * core + core**2) / 3 - core**2)
    return pi * core**2 * length + threads(length, pitch) * ring


def helix(start: Triple, direction: Sequence[float] | Float64, radius: float, pitch: float, turns: float) -> Float64:
    """Return points along a helix about an axis, 16 to a turn (point, 3)."""
    axes = np.asarray(along(triple(direction)))
    angle = np.linspace(0, 2 * pi * turns, round(16 * turns) + 1)
    local = np.column_stack([pitch * angle / (2 * pi), radius * np.cos(angle), radius * np.sin(angle)])
    return np.asarray(local @ axes.T + start)


def tangle(centre: Triple, radius: float, loops: int, turned: Float64) -> Float64:
    """Return points along a curve that winds `loops` times through a ball, near its surface and deeper (point, 3).

    Each loop is a great circle that turns on while its radius breathes between half and all of the ball's, as a coil
    does that is pushed into an aneurysm: first a basket, then what fills it.

    Parameters
    ----------
    centre, radius
        The ball.
    loops
        Number of loops.
    turned
        Rotation of the whole (3, 3).
    """
    angle = np.linspace(0, 2 * pi * loops, 20 * loops + 1)
    node, tilt = 0.618 * angle, 0.5 * pi * np.sin(0.2345 * angle)
    far = radius * (0.75 + 0.25 * np.cos(0.381 * angle))
    z = np.sin(angle) * np.cos(tilt)
    y = np.cos(angle) * np.cos(node) - np.sin(angle) * np.sin(tilt) * np.sin(node)
    x = np.cos(angle) * np.sin(node) + np.sin(angle) * np.sin(tilt) * np.cos(node)
    return np.asarray((far * np.stack([z, y, x])).T @ turned.T + centre)


def moved_row(row: dict[str, Any], origin: Float64, turned: Float64 | None = None) -> dict[str, Any]:
    """Return a row of the truth table in coordinates about another origin [mm], then turned.

    Parameters
    ----------
    row
        Its points are in ``centre_mm``, ``tip_mm`` and ``contacts_mm``, its directions in ``direction``.
    origin
        What becomes the origin (3) [mm].
    turned
        Rotation (3, 3); None for none.
    """
    matrix = np.eye(3) if turned is None else turned
    points = {name: row[name] for name in ("centre_mm", "tip_mm", "contacts_mm") if name in row}
    moved: dict[str, Any] = {name: ((np.asarray(place) - origin) @ matrix.T).tolist() for name, place in points.items()}
    if "direction" in row:
        moved["direction"] = (matrix @ row["direction"]).tolist()
    return row | moved


def length(points: Float64) -> float:
    """Return the length of a polyline (point, 3)."""
    return float(np.linalg.norm(np.diff(points, axis=0), axis=1).sum())
