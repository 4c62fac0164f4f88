"""Stenoses and aneurysms in a tree of vessels, put where there is room."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from phantomsim.phantoms.ranges import Range, between
from phantomsim.phantoms.vessels.frames import frames
from phantomsim.phantoms.vessels.growth import TIGHTEST, Vessel, gauge
from phantomsim.physics.errors import RecipeError
from phantomsim.physics.flow.network import Eddy
from phantomsim.physics.flow.tube import Bump, Tube
from phantomsim.physics.grid import Triple
from phantomsim.physics.rng import Key, permutation, uniform
from phantomsim.physics.shapes import Shape

Float64 = npt.NDArray[np.float64]

PLACES: Final = np.linspace(0, 1, 25)
LATEST: Final = 0.95
"""Where the last place for a lesion of a vessel ends, in its curve's parameter."""
NECK: Final = 0.45
"""Height of a sac's centre above the vessel's surface, over its radius."""
DIRECTIONS: Final = 8
SIZES: Final = (1.0, 0.8, 0.6, 0.45)
"""Parts of the drawn size that are tried where an aneurysm finds no room."""
SWIRL: Final = 0.6
"""Speed scale of the swirl in a sac over the mean speed of its vessel: a choice, slow beside the vessel's flow."""


@dataclass(frozen=True)
class Sac:
    """A saccular aneurysm: a ball on the side of a vessel."""

    vessel: int
    centre: Triple
    radius: float
    eddy: Eddy


@dataclass(frozen=True)
class Disease:
    """A tree with what is wrong with it.

    Parameters
    ----------
    vessels
        The tree; stenoses and fusiform aneurysms are bumps of its tubes.
    sacs
        Saccular aneurysms.
    rows
        A row of the truth table for each lesion.
    """

    vessels: tuple[Vessel, ...]
    sacs: tuple[Sac, ...] = ()
    rows: dict[str, tuple[dict[str, Any], ...]] = field(default_factory=dict, hash=False)


@dataclass(frozen=True)
class Plan:
    """How many lesions of each kind, and their sizes: degree [%], lengths over the diameter, diameters over it."""

    stenoses: int
    degree: Range
    length: Range
    fusiform: int
    widening: Range
    saccular: int
    sac_size: Range


def afflict(
    vessels: Sequence[Vessel], flows: Sequence[float], host: Shape, wall: float, gap: float, plan: Plan, key: Key
) -> Disease:
    """Put stenoses and aneurysms into a tree, one in a vessel at most.

    Parameters
    ----------
    vessels, flows
        A healthy tree, and the mean flow of each vessel [m³/s].
    host
        What holds the tree.
    wall, gap
        Thickness of the wall over the radius, and the least distance of walls [m].
    plan
        What to put in.
    key
        Stream to draw from; each lesion has its own.

    Raises
    ------
    RecipeError
        If a lesion finds no place.
    """
    grown, sacs, used = list(vessels), [], set[int]()
    rows: dict[str, tuple[dict[str, Any], ...]] = {"stenoses": (), "aneurysms": ()}
    crowd = _Clear(vessels, host, wall, gap)
    for number in range(plan.saccular):
        stream = key.fold("saccular", number)
        sac, row = _sac(crowd, flows, used, between(stream.fold("size"), plan.sac_size), stream)
        used.add(sac.vessel)
        sacs.append(sac)
        rows["aneurysms"] += (row,)
    for number in range(plan.fusiform):
        stream = key.fold("fusiform", number)
        height = between(stream.fold("widening"), plan.widening) - 1
        row = _widen(crowd, grown, used, height, between(stream.fold("length"), plan.length), stream)
        rows["aneurysms"] += (row,)
    for number in range(plan.stenoses):
        stream = key.fold("stenosis", number)
        degree = between(stream.fold("degree"), plan.degree)
        row = _narrow(crowd, grown, used, degree, between(stream.fold("length"), plan.length), stream)
        rows["stenoses"] += (row,)
    return Disease(tuple(grown), tuple(sacs), rows)


class _Clear:
    """Where a tree leaves room."""

    def __init__(self, vessels: Sequence[Vessel], host: Shape, wall: float, gap: float) -> None:
        self.vessels, self.host, self.wall, self.gap = vessels, host, wall, gap
        self.centres = np.stack([vessel.tube.curve(PLACES)[0] for vessel in vessels])
        self.radii = np.stack([vessel.tube.healthy(PLACES)[0] for vessel in vessels])

    def candidates(self, used: set[int], key: Key) -> Iterator[tuple[int, float, float]]:
        """Yield vessels and where they run alone, the widest third of the tree first, each part in random order."""
        order = sorted(range(len(self.vessels)), key=lambda i: -self.vessels[i].tube.radii[1])
        cut = max(len(order) // 3, 1)
        for part in (order[:cut], order[cut:]):
            for place in permutation(key.fold("vessel", part is order), len(part)):
                index = part[int(place)]
                begin = self.free_from(index)
                if index not in used and LATEST - begin > 0.15:
                    yield index, begin, LATEST

    def free_from(self, index: int) -> float:
        """Return from which parameter on a vessel has its own radius and is clear of its sibling."""
        vessel = self.vessels[index]
        begin = vessel.tube.taper[1] if vessel.parent >= 0 else 0.05
        for other, sibling in enumerate(self.vessels):
            if other != index and sibling.parent == vessel.parent:
                apart = np.linalg.norm(self.centres[index][:, None] - self.centres[other], axis=2)
                touch = apart < (self.radii[index][:, None] + self.radii[other]) * (1 + self.wall) + self.gap
                begin = max(begin, float(PLACES[touch.any(axis=1)].max(initial=0.0)) + 0.02)
        return begin

    def room(self, points: Float64, besides: set[int]) -> Float64:
        """Return how far points (point, 3) are from every other vessel's wall and the host's surface (point) [m]."""
        room = self.host.inner_radius * (1 - gauge(self.host, points))
        others = [i for i in range(len(self.vessels)) if i not in besides]
        if not others:
            return room
        apart = np.linalg.norm(points[:, None] - self.centres[others].reshape(-1, 3), axis=2)
        return np.asarray(np.minimum(room, (apart - self.radii[others].ravel() * (1 + self.wall)).min(axis=1)))

    def around(self, index: int) -> set[int]:
        """Return a vessel, its parent and its children: those it meets at its ends."""
        children = {i for i, vessel in enumerate(self.vessels) if vessel.parent == index}
        return {index, self.vessels[index].parent} | children


def _interval(tube: Tube, begin: float, end: float, length: float, share: float) -> tuple[float, float]:
    """Return parameters between which a tube runs for a length [m], inside (begin, end), or all of it if shorter."""
    u = np.linspace(0, 1, 101)
    along_tube = tube.lengths(u)
    first, last = np.interp((begin, end), u, along_tube)
    length = min(length, float(last - first))
    start = first + share * (last - first - length)
    low, high = np.interp((start, start + length), along_tube, u)
    return float(low), float(high)


def _bump(
    crowd: _Clear, grown: list[Vessel], used: set[int], height: float, length: float, key: Key
) -> tuple[int, Bump]:
    """Put a bump, `length` diameters long, into the first vessel with room for it, lower if need be."""
    drawn = between(key.fold("place"), (0.0, 1.0))
    for size in SIZES if height > 0 else SIZES[:1]:
        for index, begin, end in crowd.candidates(used, key):
            tube = grown[index].tube
            for share in (drawn, 0.5, 1.0):
                low, high = _interval(tube, begin, end, 2 * tube.radii[1] * length, share)
                bump = Bump((low + high) / 2, (high - low) / 2, height * size)
                found = replace(tube, bumps=(bump,))
                if height < 0 or _bulge_fits(crowd, index, found, bump):
                    used.add(index)
                    grown[index] = replace(grown[index], tube=found)
                    return index, bump
    raise RecipeError("no vessel has room for another stenosis or aneurysm: ask for fewer, or for a larger tree")


def _bulge_fits(crowd: _Clear, index: int, tube: Tube, bump: Bump) -> bool:
    u = np.linspace(bump.centre - bump.half_width, bump.centre + bump.half_width, 13)
    reach = tube.radius(u)[0] * (1 + crowd.wall)
    return tube.tightest < TIGHTEST and bool((crowd.room(tube.curve(u)[0], crowd.around(index)) > reach).all())


def _narrow(
    crowd: _Clear, grown: list[Vessel], used: set[int], degree: float, length: float, key: Key
) -> dict[str, Any]:
    index, bump = _bump(crowd, grown, used, -degree / 100, length, key)
    healthy = 2e3 * grown[index].tube.radii[1]
    return _row("stenosis", index, grown[index].tube, bump) | {
        "degree_percent": degree,
        "diameter_mm": healthy,
        "smallest_diameter_mm": healthy * (1 - degree / 100),
    }


def _widen(
    crowd: _Clear, grown: list[Vessel], used: set[int], height: float, length: float, key: Key
) -> dict[str, Any]:
    index, bump = _bump(crowd, grown, used, height, length, key)
    healthy = 2e3 * grown[index].tube.radii[1]
    return _row("aneurysm", index, grown[index].tube, bump) | {
        "kind": "fusiform",
        "diameter_mm": healthy * (1 + bump.height),
        "vessel_diameter_mm": healthy,
    }


def _row(part: str, index: int, tube: Tube, bump: Bump) -> dict[str, Any]:
    begin, end = bump.centre - bump.half_width, bump.centre + bump.half_width
    low, high = tube.lengths(np.array([begin, end]))
    centre = tube.curve(np.array([bump.centre]))[0][0]
    return {
        "part": part,
        "vessel": index,
        "centre_mm": [float(1e3 * c) for c in centre],
        "length_mm": float(1e3 * (high - low)),
    }


def _sac(crowd: _Clear, flows: Sequence[float], used: set[int], size: float, key: Key) -> tuple[Sac, dict[str, Any]]:
    """Put a ball of `size` vessel diameters on the first vessel with room for it, smaller if need be."""
    share, turn = uniform(key.fold("place"), 2, dtype=np.float64)
    for shrink in SIZES:
        for index, begin, end in crowd.candidates(used, key):
            tube = crowd.vessels[index].tube
            u = np.array([begin + (0.25 + 0.5 * share) * (end - begin)])
            centre, first, _ = tube.curve(u)
            r, radius = float(tube.radii[1]), size * shrink * tube.radii[1]
            frame = frames(first)[0]
            for step in range(DIRECTIONS):
                angle = 2 * np.pi * (turn + step / DIRECTIONS)
                normal = np.cos(angle) * frame[:, 1] + np.sin(angle) * frame[:, 2]
                middle = centre[0] + (r + NECK * radius) * normal
                if crowd.room(middle[None], {index})[0] > radius * (1 + crowd.wall) + crowd.gap:
                    speed = SWIRL * flows[index] / (np.pi * r**2)
                    # turns so that its near side runs with the vessel; the axes (z, y, x) are left-handed
                    spin = -np.cross(frame[:, 0], normal) * speed / radius
                    z, y, x = (float(c) for c in middle)
                    eddy = Eddy((z, y, x), radius, (float(spin[0]), float(spin[1]), float(spin[2])))
                    row = {
                        "part": "aneurysm",
                        "vessel": index,
                        "centre_mm": [1e3 * z, 1e3 * y, 1e3 * x],
                        "kind": "saccular",
                        "diameter_mm": 2e3 * radius,
                        "vessel_diameter_mm": 2e3 * r,
                        "neck_mm": 2e3 * radius * float(np.sqrt(1 - NECK**2)),
                    }
                    return Sac(index, eddy.centre, radius, eddy), row
    raise RecipeError("no vessel has room for another saccular aneurysm: ask for fewer, or for a larger tree")
