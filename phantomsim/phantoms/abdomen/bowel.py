"""Stomach and bowel: tubes with a wall, fluid or stool in them, and gas at the front of a body on its back."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.ndimage import distance_transform_edt
from scipy.spatial.distance import cdist

from phantomsim.phantoms.abdomen.contrast import Contrast
from phantomsim.phantoms.abdomen.frame import Abdomen, settled
from phantomsim.phantoms.placement import between
from phantomsim.phantoms.scene import Part
from phantomsim.phantoms.thorax.frame import tube
from phantomsim.physics.grid import Triple
from phantomsim.physics.rng import Key, uniform
from phantomsim.physics.shapes import Shape, along, ellipsoid
from phantomsim.tissues import Tissue, get

Points = npt.NDArray[np.float64]

WIDEST: Final = 0.0135
"""Largest radius of small bowel [m]."""
STARTS: Final = 700
"""Places tried for the beginnings of its loops."""
STEP: Final = 0.004
"""Step of the lattice that knows how far it is to the nearest organ [m]."""
GAP: Final = 4e-4
"""Between loops [m]."""


@dataclass(frozen=True)
class Gut:
    """A piece of bowel.

    Parameters
    ----------
    shapes
        Outer faces of its walls, from one end to the other.
    wall
        Thickness of the wall [m].
    """

    shapes: list[Shape]
    wall: float

    @property
    def lumen(self) -> list[Shape]:
        """What the walls enclose."""
        return [_shrunk(shape, self.wall) for shape in self.shapes]

    def parts(self, tissue: Tissue, content: Tissue, name: str, gas: float) -> list[Part]:
        """Return walls, content, and gas in the front part `gas` (0 to 1) of the lumen's depth."""
        lumen = self.lumen
        parts = [Part(shape, tissue, name) for shape in self.shapes]
        parts += [Part(shape, content, f"{name} content") for shape in lumen]
        if gas > 0:
            front = min(shape.centre[1] - shape.half_extent[1] for shape in lumen)
            back = max(shape.centre[1] + shape.half_extent[1] for shape in lumen)
            parts += level_gas(lumen, front + gas * (back - front))
        return parts


def level_gas(lumen: Sequence[Shape], level: float) -> list[Part]:
    """Return gas before the plane y = `level` [m] in a lumen: it rises to the front of a body on its back."""
    return [
        Part(shape.clipped((0.0, 1.0, 0.0), level), get("air"), "gas")
        for shape in lumen
        if shape.centre[1] - shape.half_extent[1] < level
    ]


def _shrunk(shape: Shape, margin: float) -> Shape:
    """Return an ellipsoid or capsule within a distance from its surface [m]."""
    z, y, x = (a - margin for a in shape.semi_axes)
    # a capsule keeps the length of its straight part
    return Shape(shape.kind, shape.centre, (z, y, x), shape.rotation, shape.param * shape.semi_axes[0] / z)


def _tubes(points: Sequence[Triple], radii: Sequence[float]) -> list[Shape]:
    """Return capsules between neighbouring points and balls at the points, so that a tube widens in steps."""
    joints = [ellipsoid(point, (radius,) * 3) for point, radius in zip(points, radii, strict=True)]
    pieces = [
        tube(a, b, 0.5 * (r + s)) for a, b, r, s in zip(points[:-1], points[1:], radii[:-1], radii[1:], strict=True)
    ]
    return [shape for pair in zip(joints, pieces, strict=False) for shape in pair] + [joints[-1]]


def stomach(abdomen: Abdomen, fill: float, gas: float, contrast: Contrast, key: Key) -> tuple[Gut, list[Part]]:
    """Return a stomach from the oesophagus to the pylorus, `fill` times as wide as an average one, gas in front."""
    curve = [(86, -28, 56, 32), (68, -42, 62, 32), (44, -64, 64, 30), (22, -78, 56, 27), (4, -87, 41, 23)]
    curve += [(-8, -88, 22, 21), (-8, -86, 2, 19), (-3, -78, -14, 15), (0, -68, -26, 10)]
    sag = between(key.fold("sag"), (-12.0, 6.0))
    middle = (abdomen.at(0.0, -46.0, 0.0)[1], 0.0)
    room = min(1.0, *abdomen.stretch[1:])
    points: list[Triple] = []
    radii = []
    for i, (z, y, x, r) in enumerate(curve):
        radius = 1e-3 * r * room * (fill if i < 7 else 0.5 * (1 + fill))
        low = z + sag * min(i, 5) / 5 if i < 7 else z
        ball = settled(ellipsoid(abdomen.at(low, y, x), (radius,) * 3), abdomen.cavity, middle)
        points.append(ball.centre)
        radii.append(min(ball.semi_axes))
    gut = Gut(_tubes(points, radii), 0.0040)
    content = get("water").diluted(round(between(key.fold("content"), (1005.0, 1035.0))))
    parts = gut.parts(contrast.tissue("bowel wall"), content, "stomach", gas)
    tube_in = [abdomen.at(130.0, -34.0, 12.0), abdomen.at(104.0, -34.0, 16.0), abdomen.at(92.0, -34.0, 30.0)]
    gullet = [
        Part(tube(a, b, 0.0075), contrast.tissue("bowel wall"), "oesophagus") for a, b in itertools.pairwise(tube_in)
    ]
    return gut, gullet + parts


def duodenum(abdomen: Abdomen, contrast: Contrast, key: Key) -> tuple[Gut, list[Part]]:
    """Return a duodenum around the head of the pancreas."""
    width = between(key.fold("width"), (0.9, 1.15))
    curve = [(0, -66, -30, 12), (-4, -56, -44, 13), (-18, -44, -51, 12), (-40, -38, -52, 12), (-60, -40, -44, 12)]
    curve += [(-68, -46, -24, 11), (-67, -55, 0, 10), (-60, -54, 22, 11), (-38, -50, 32, 11), (-24, -56, 36, 11)]
    points = [abdomen.at(float(z), float(y), float(x)) for z, y, x, _ in curve]
    gut = Gut(_tubes(points, [1e-3 * width * r for *_, r in curve]), 0.0024)
    content = get("water").diluted(1020.0)
    return gut, gut.parts(contrast.tissue("bowel wall"), content, "duodenum", between(key.fold("gas"), (-0.2, 0.25)))


def colon(abdomen: Abdomen, contrast: Contrast, key: Key) -> tuple[list[Gut], list[Part]]:
    """Return the ascending, transverse and descending colon as haustra, each with stool, bubbles, and gas in front."""
    sag = between(key.fold("sag"), (-26.0, 8.0))
    frames: dict[str, tuple[Sequence[Sequence[float]], tuple[float, float]]] = {
        "ascending": ([(-160, -40, -82), (-125, -34, -90), (-90, -22, -94), (-66, -28, -90)], (22.0, 27.0)),
        "transverse": (
            [(-58, -54, -88), (-52 + 0.3 * sag, -84, -72), (-52 + sag, -94, -40), (-54 + 1.1 * sag, -95, 0)]
            + [(-46 + sag, -93, 40), (-20 + 0.3 * sag, -80, 74), (2, -62, 94)],
            (17.0, 22.0),
        ),
        "descending": ([(4, -44, 100), (-20, -18, 102), (-50, -6, 99), (-95, -16, 97), (-170, -36, 84)], (13.0, 18.0)),
    }
    guts, parts = [], []
    middle = (abdomen.at(0.0, -46.0, 0.0)[1], 0.0)
    for name, (line, limits) in frames.items():
        stream = key.fold(name)
        radius = 1e-3 * between(stream.fold("radius"), limits)
        path = np.asarray([abdomen.at(float(z), float(y), float(x)) for z, y, x in line])
        lengths = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(path, axis=0), axis=1))])
        count = max(round(float(lengths[-1]) / (1.15 * radius)), 3)
        shapes = []
        for i in range(count + 1):
            where = lengths[-1] * i / count
            at = [float(np.interp(where, lengths, path[:, axis])) for axis in range(3)]
            ahead = [float(np.interp(min(where + 0.01, lengths[-1]), lengths, path[:, axis])) for axis in range(3)]
            back = [float(np.interp(max(where - 0.01, 0.0), lengths, path[:, axis])) for axis in range(3)]
            span = [float(c) for c in np.subtract(ahead, back)]
            grown = radius * between(stream.fold("haustrum", i), (0.90, 1.10))
            shape = ellipsoid((at[0], at[1], at[2]), (0.80 * radius, grown, grown), along((span[0], span[1], span[2])))
            shapes.append(settled(shape, abdomen.cavity, middle))
        gut = Gut(shapes, 0.0020)
        guts.append(gut)
        gas = between(stream.fold("gas"), {"transverse": (0.25, 0.85), "ascending": (-0.1, 0.5)}.get(name, (-0.4, 0.4)))
        density = round(between(stream.fold("stool"), (960.0, 1040.0)))
        parts += _filled(
            gut, contrast.tissue("bowel wall"), get("gi_tract").diluted(density), gas, stream.fold("stool")
        )
    return guts, parts


def _filled(gut: Gut, wall: Tissue, stool: Tissue, gas: float, key: Key) -> list[Part]:
    """Return a piece of colon: all walls, stool with small bubbles, and gas in front."""
    lumen = gut.lumen
    parts = [Part(shape, wall, "colon") for shape in gut.shapes]
    parts += [Part(shape, stool, "colon content") for shape in lumen]
    draws = uniform(key, (len(lumen), 10, 5), dtype=np.float64)
    for shape, rows in zip(lumen, draws, strict=True):
        for a, b, c, size, kind in rows:
            direction = np.array([2 * a - 1, 2 * b - 1, 2 * c - 1])
            place = np.asarray(shape.centre) + 0.70 * shape.matrix @ direction / max(
                float(np.linalg.norm(direction)), 1.0
            )
            radius = (0.0008 + 0.0026 * size**2) if kind < 0.6 else 0.0025 + 0.003 * size
            tissue = get("air") if kind < 0.6 else get("gi_tract")
            z, y, x = (float(v) for v in place)
            parts.append(Part(ellipsoid((z, y, x), (radius, radius, radius)), tissue, "colon content"))
    first = min(lumen, key=lambda shape: shape.centre[1] - shape.half_extent[1])
    level = first.centre[1] + (2 * gas - 1) * first.half_extent[1]
    return parts + (level_gas(lumen, level) if gas > 0 else [])


def small_bowel(abdomen: Abdomen, obstacles: Sequence[Shape], loops: int, contrast: Contrast, key: Key) -> list[Part]:
    """Return loops of small bowel that wind through the free part of the cavity.

    Each loop is a walk of short steps that turns gradually; a step is taken if it keeps clear of the walls of the
    cavity, of other organs and of all loops so far.
    """
    room = _Room(abdomen, obstacles)
    starts = room.low + uniform(key.fold("starts"), (STARTS, 3), dtype=np.float64) * (room.high - room.low)
    starts = starts[room.clear(starts, WIDEST)]
    around = np.full(len(starts), np.inf)  # from each start to the nearest loop so far
    wall = contrast.tissue("bowel wall")
    parts: list[Part] = []
    for number in range(loops):
        stream = key.fold("loop", number)
        radius = between(stream.fold("radius"), (0.0095, WIDEST))
        free = np.flatnonzero(around > radius + GAP)
        walk = _walk(room, starts[free[0]], radius, stream) if len(free) else []
        if len(walk) < 3:
            continue
        around = np.minimum(around, cdist(starts, np.asarray(walk)).min(axis=1) - radius)
        room.take(np.asarray(walk), radius)
        points: list[Triple] = [(float(z), float(y), float(x)) for z, y, x in walk]
        shapes = [tube(a, b, radius) for a, b in itertools.pairwise(points)]
        gut = Gut(shapes, between(stream.fold("wall"), (0.0018, 0.0026)))
        kind = between(stream.fold("kind"), (0.0, 1.0))
        density = round(between(stream.fold("content"), (1005.0, 1040.0)), -1)
        gas = between(stream.fold("gas"), (0.15, 0.5)) if kind < 0.22 else 0.0
        parts += gut.parts(wall, get("water").diluted(density), "small bowel", gas)
    return parts


class _Room:
    """Where small bowel may lie: a part of the cavity, less obstacles and the loops so far.

    How far each node of a lattice is from the walls and obstacles is found once, by a distance transform, so that
    asking for a place is a look-up; it is right to half a step of the lattice.
    """

    def __init__(self, abdomen: Abdomen, obstacles: Sequence[Shape]) -> None:
        self.low = np.asarray(abdomen.at(-165.0, -112.0, -112.0))
        self.high = np.asarray(abdomen.at(18.0, -26.0, 108.0))
        axes = [np.arange(a, b, STEP) for a, b in zip(self.low - WIDEST, self.high + WIDEST, strict=True)]
        nodes = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
        flat = nodes[:1].copy()
        flat[..., 0] = 0.0  # the prisms may end, the trunk goes on
        region = np.any([shape.holds(flat) for shape in abdomen.cavity[:3]], axis=0)
        free = np.broadcast_to(region, nodes.shape[:3]).copy()
        for shape in obstacles:
            middle, half = np.asarray(shape.centre), np.asarray(shape.half_extent)
            box = tuple(
                slice(*np.searchsorted(axis, (m - h, m + h))) for axis, m, h in zip(axes, middle, half, strict=True)
            )
            free[box] &= ~shape.holds(nodes[box])
        self.origin = np.asarray([axis[0] for axis in axes])
        self.distance = distance_transform_edt(free, sampling=STEP) - STEP / 2
        self.taken: Points = np.empty((0, 3))
        self.widths = np.empty(0)

    def clear(self, points: Points, radius: float) -> npt.NDArray[np.bool_]:
        """Return which balls of a radius around points lie in the region, clear of obstacles (point)."""
        inside = ((points > self.low) & (points < self.high)).all(axis=-1)
        index = np.rint((points - self.origin) / STEP).astype(np.int64)
        index = np.clip(index, 0, np.subtract(self.distance.shape, 1))
        return np.asarray(inside & (self.distance[tuple(index.T)] > radius))

    def apart(self, points: Points, radius: float) -> npt.NDArray[np.bool_]:
        """Return which balls keep clear of the loops so far (point)."""
        return np.asarray((cdist(points, self.taken) > radius + self.widths + GAP).all(axis=1))

    def take(self, walk: Points, radius: float) -> None:
        """Note the nodes of a loop."""
        self.taken = np.vstack([self.taken, walk])
        self.widths = np.concatenate([self.widths, np.full(len(walk), radius)])


def _walk(room: _Room, start: Points, radius: float, key: Key) -> list[Points]:
    """Return the nodes of one loop from a place that is free."""
    walk = [start]
    heading = uniform(key.fold("heading"), 3, dtype=np.float64) - 0.5
    heading /= np.linalg.norm(heading)
    turns = uniform(key.fold("turns"), (11, 10, 3), dtype=np.float64) - 0.5
    for step in turns:
        headings = heading + 1.5 * step
        headings /= np.linalg.norm(headings, axis=1, keepdims=True)
        aims = walk[-1] + 1.05 * radius * headings
        free = room.clear(aims, radius) & room.apart(aims, radius)
        if len(walk) > 2:
            free &= (cdist(aims, np.asarray(walk[:-2])) > 2 * radius + GAP).all(axis=1)
        if not free.any():
            break
        heading = headings[int(np.argmax(free))]
        walk.append(aims[int(np.argmax(free))])
    return walk
