"""Forms of lesions: convex shapes composed inside a ball, with what is known of the whole."""

from __future__ import annotations

from dataclasses import dataclass
from math import pi
from typing import Any

import numpy as np
import numpy.typing as npt

from phantomsim.phantoms.lesions.spec import Lesions
from phantomsim.phantoms.lesions.specks import packed, poisson_count, speck
from phantomsim.phantoms.ranges import between, integer_between
from phantomsim.phantoms.scene import Part
from phantomsim.physics import voxels
from phantomsim.physics.grid import Grid, Triple
from phantomsim.physics.rng import Key, normal, uniform
from phantomsim.physics.shapes import Rotation, Shape, along, cone, ellipsoid, layered
from phantomsim.tissues import Tissue, get

Float64 = npt.NDArray[np.float64]
VOXELS = 32
"""Voxels across a lesion, and an eighth of the lines through it, by which the volume of overlapping shapes is found."""
OFF_CENTRE = 0.35
"""Largest shift of a cavity over its mean wall."""


@dataclass(frozen=True)
class Lesion:
    """Parts of one lesion, from the lowest to the topmost, and its columns of the truth table."""

    parts: list[Part]
    row: dict[str, Any]


def build(lesions: Lesions, centre: Triple, radius: float, key: Key) -> Lesion:
    """Return a lesion of the form that was asked for, all of it inside a ball.

    Parameters
    ----------
    lesions
        Form and matter.
    centre, radius
        The ball [m].
    key
        Stream to draw from.
    """
    ball = ellipsoid(centre, (radius,) * 3)
    matter, lime = lesions.matter, get(lesions.calcification)
    if lesions.shape == "smooth":
        return _lesion(lesions, matter, [ball], ball.volume)
    if lesions.shape == "lobulated":
        shapes = _lobes(ball, integer_between(key.fold("lobes"), lesions.lobes), key)
        return _lesion(lesions, matter, shapes, _united(shapes, ball), lobes=len(shapes) - 1)
    if lesions.shape == "spiculated":
        core, spicules = _spicules(ball, integer_between(key.fold("spicules"), lesions.spicules), key)
        shapes = [*spicules, *core]
        return _lesion(lesions, matter, shapes, _united(shapes, ball), spicules=len(spicules))
    if lesions.shape == "cavity":
        hole = _hole(ball, between(key.fold("wall"), lesions.wall), key)
        return _lesion(lesions, matter, [ball], ball.volume, get(lesions.content), [hole])
    if lesions.shape == "calcified":
        limes, filled = _limes(ball, lesions, key)
        inner = sum(shape.volume for shape in limes) - sum(shape.volume for shape in filled)
        return _lesion(
            lesions, matter, [ball], ball.volume, lime, limes, filled, inside_volume=inner, calcifications=len(limes)
        )
    lengths = [1e-3 * size for size in lesions.speck_mm]
    specks = packed(poisson_count(lesions.specks, key), ball, (lengths[0], lengths[1]), key, speck)
    volume = sum(shape.volume for shape in specks)
    return _lesion(lesions, lime, specks, volume, calcifications=len(specks))


def _lesion(
    lesions: Lesions,
    tissue: Tissue,
    shapes: list[Shape],
    volume: float,
    inner: Tissue | None = None,
    inside: list[Shape] | None = None,
    filled: list[Shape] | None = None,
    *,
    inside_volume: float | None = None,
    **counts: int,
) -> Lesion:
    """Return shapes of the lesion's tissue, those of another inside them, and on top those of its tissue again."""
    parts = [Part(shape, tissue, "lesion") for shape in shapes]
    if inner is not None:
        parts += [Part(shape, inner, "lesion") for shape in inside or ()]
        parts += [Part(shape, tissue, "lesion") for shape in filled or ()]
    if inside_volume is None:
        inside_volume = sum(shape.volume for shape in inside or ())
    enhanced = tissue.name == lesions.matter.name
    row = {
        "tissue": tissue.name,
        "shape": lesions.shape,
        "volume_mm3": 1e9 * volume,
        "equivalent_diameter_mm": 1e3 * (6 * volume / pi) ** (1 / 3),
        "suv": tissue.pet.fdg_suv if tissue.pet else None,
        "iodine_mg_ml": lesions.iodine_mg_ml if enhanced else 0.0,
        "gadolinium_mg_ml": lesions.gadolinium_mg_ml if enhanced else 0.0,
        "inside": inner.name if inner else None,
        "inside_volume_mm3": 1e9 * inside_volume,
        "lobes": 0,
        "spicules": 0,
        "calcifications": 0,
        **counts,
    }
    return Lesion(parts, row)


def _lobes(ball: Shape, n: int, key: Key) -> list[Shape]:
    """Return a core, and lobes around it of which each reaches the ball's surface or nearly so."""
    radius, draws = ball.inner_radius, uniform(key.fold("sizes"), (n, 4), dtype=np.float64)
    shapes = [ellipsoid(ball.centre, (0.62 * radius,) * 3)]
    crowd = min(1.0, (9 / n) ** 0.4)  # many lobes are small ones
    for direction, (wide, y, x, far) in zip(_spread(n, key), draws, strict=True):
        longest = radius * (0.34 + 0.14 * wide) * crowd
        at = (radius - longest) * (0.85 + 0.15 * far) * direction
        semi_axes = (longest, longest * (0.7 + 0.3 * y), longest * (0.7 + 0.3 * x))
        shapes.append(ellipsoid(_at(ball, at), semi_axes, along(_triple(direction))))
    return shapes


def _spicules(ball: Shape, n: int, key: Key) -> tuple[list[Shape], list[Shape]]:
    """Return an uneven core, and cones that run out from it and become thin."""
    radius, draws = ball.inner_radius, uniform(key.fold("sizes"), (n, 3), dtype=np.float64)
    body = 0.4 + 0.15 * float(uniform(key.fold("body"), 1, dtype=np.float64)[0])
    small = ellipsoid(ball.centre, (body * radius,) * 3)
    core = _lobes(small, 6, key.fold("core"))
    cones = []
    leans = 0.25 * body * radius * np.clip(normal(key.fold("lean"), (n, 3), dtype=np.float64), -1.5, 1.5) / 1.5
    for direction, lean, (far, thick, tip) in zip(_spread(n, key), leans, draws, strict=True):
        bottom = (0.05 + 0.06 * thick) * radius
        ratio = 0.12 + 0.2 * tip
        start = 0.3 * body * radius * direction + lean
        end = (radius - ratio * bottom) * (0.68 + 0.32 * far**0.5) * direction
        axis = end - start
        semi_axes = (float(np.linalg.norm(axis)) / 2, bottom, bottom)
        cones.append(cone(_at(ball, (start + end) / 2), semi_axes, ratio, along(_triple(axis))))
    return core, cones


def _hole(ball: Shape, wall: float, key: Key) -> Shape:
    """Return a cavity a little off the middle, with a mean wall of a share of the radius."""
    radius = ball.inner_radius
    uneven = 1 + 0.3 * wall * (uniform(key.fold("uneven"), 3, dtype=np.float64) - 0.5)
    shift = OFF_CENTRE * wall * radius * _spread(1, key)[0]
    z, y, x = (float(a) for a in (1 - wall) * radius * uneven)
    return ellipsoid(_at(ball, shift), (z, y, x), _turned(key.fold("turn")))


def _limes(ball: Shape, lesions: Lesions, key: Key) -> tuple[list[Shape], list[Shape]]:
    """Return calcified shapes inside a ball, and what of the lesion's own tissue lies inside them."""
    radius, share = ball.inner_radius, between(key.fold("share"), lesions.calcified)
    if lesions.pattern == "rim":
        inner = ellipsoid(ball.centre, (radius * (1 - share / 4),) * 3)
        return [ball], [inner]
    if lesions.pattern == "core":
        z, y, x = (float(a) for a in share * radius * (0.75 + 0.25 * uniform(key.fold("axes"), 3, dtype=np.float64)))
        shift = 0.5 * (1 - share) * radius * float(uniform(key.fold("shift"), 1, dtype=np.float64)[0])
        return [ellipsoid(_at(ball, shift * _spread(1, key)[0]), (z, y, x), _turned(key.fold("turn")))], []
    n = integer_between(key.fold("clumps"), (4, 8))
    middle = ellipsoid(ball.centre, (min(1.4 * share, 0.9) * radius,) * 3)
    sizes = (0.35 * middle.inner_radius, 0.75 * middle.inner_radius)
    return packed(n, middle, sizes, key, _clump), []


def _clump(centre: Triple, length: float, key: Key) -> Shape:
    z, y, x = (float(a) for a in length / 2 * (0.7 + 0.3 * uniform(key.fold("axes"), 3, dtype=np.float64)))
    return ellipsoid(centre, (z, y, x), _turned(key.fold("turn")))


def _united(shapes: list[Shape], ball: Shape) -> float:
    """Return the volume of shapes that overlap, all inside a ball [m³]."""
    spacing = 2 * ball.inner_radius / VOXELS
    grid = Grid((VOXELS,) * 3, (spacing,) * 3, ball.centre)
    fractions = voxels.fractions(layered(shapes, [1] * len(shapes)), grid, 2)
    return float(fractions[1].sum(dtype=np.float64)) * spacing**3


def _spread(n: int, key: Key) -> Float64:
    """Return n unit vectors (n, 3) spread over all directions, turned and shaken at random."""
    z = 1 - (2 * np.arange(n) + 1) / n
    angle = pi * (1 + 5**0.5) * np.arange(n)  # golden spiral
    width = np.sqrt(1 - z**2)
    even = np.column_stack([z, width * np.sin(angle), width * np.cos(angle)])
    shaken = even + 0.6 / n**0.5 * normal(key.fold("shake"), (n, 3), dtype=np.float64)
    shaken = shaken @ np.asarray(_turned(key.fold("spread")))
    return np.asarray(shaken / np.linalg.norm(shaken, axis=1, keepdims=True))


def _turned(key: Key) -> Rotation:
    """Return a random rotation, even over all of them: that of a random unit quaternion."""
    a, b, c, d = normal(key, 4, dtype=np.float64)
    s = 2 / (a * a + b * b + c * c + d * d)
    rows = (
        (1 - s * (c * c + d * d), s * (b * c - a * d), s * (b * d + a * c)),
        (s * (b * c + a * d), 1 - s * (b * b + d * d), s * (c * d - a * b)),
        (s * (b * d - a * c), s * (c * d + a * b), 1 - s * (b * b + c * c)),
    )
    z, y, x = ((float(p), float(q), float(r)) for p, q, r in rows)
    return (z, y, x)


def _at(ball: Shape, offset: Float64) -> Triple:
    return _triple(np.asarray(ball.centre) + offset)


def _triple(point: Float64) -> Triple:
    z, y, x = (float(c) for c in point)
    return (z, y, x)
