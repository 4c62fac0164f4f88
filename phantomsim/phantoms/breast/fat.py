"""Adipose compartments and the ligaments between them."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np

from phantomsim.phantoms.breast.frame import Points
from phantomsim.phantoms.scene import Part
from phantomsim.physics.grid import Triple
from phantomsim.physics.rng import Key, normal, uniform
from phantomsim.physics.shapes import Rotation, Shape, ellipsoid
from phantomsim.tissues import get

CANDIDATES: Final = 4000
"""Points tried for the centres of compartments."""


def scattered(key: Key, semi_axes: Triple, within: float, apart: float, behind: float) -> Points:
    """Return points (n, 3) [m] of a half ellipsoid, as many as keep a distance from each other.

    Parameters
    ----------
    key
        Stream to draw from.
    semi_axes
        Of the ellipsoid (z, y, x) [m].
    within
        Canonical radius up to which points lie [1].
    apart
        Least distance between two [m].
    behind
        Largest y of a point [m], before the chest wall.
    """
    unit = within * (2 * uniform(key, (CANDIDATES, 3), dtype=np.float64) - 1)
    unit[:, 1] = -np.abs(unit[:, 1])
    points = unit * np.asarray(semi_axes)
    points = points[(np.linalg.norm(unit, axis=1) < within) & (points[:, 1] < behind)]
    free = np.ones(len(points), np.bool_)
    chosen = []
    for i, point in enumerate(points):
        if free[i]:
            chosen.append(i)
            free &= ((points - point) ** 2).sum(axis=1) > apart**2
    return np.asarray(points[chosen], np.float64)


def turned(directions: Points, lean: Points) -> list[Rotation]:
    """Return rotations whose local z lies along unit directions (n, 3), turned about them as `lean` (n, 3) says."""
    aside = np.cross(directions, lean)
    aside /= np.linalg.norm(aside, axis=1, keepdims=True)
    frames = np.stack([directions, aside, np.cross(directions, aside)], axis=-1)
    return [((a[0], a[1], a[2]), (b[0], b[1], b[2]), (c[0], c[1], c[2])) for a, b, c in frames.tolist()]


def compartments(
    key: Key, semi_axes: Triple, size: float, septum: float, *, within: float, margin: float, apart: float | None = None
) -> list[Part]:
    """Return lobules of fat, each in a shell of ligament.

    Each lobule is an ellipsoid that overlaps its neighbours; painted one after another, the later ones part the earlier
    ones with thin curved sheets, the ligaments of Cooper, so that together they fill the breast without a gap. Near
    the surface they lie flat beneath the skin, and the sheets end at it.

    Parameters
    ----------
    key
        Stream to draw from.
    semi_axes
        Of the ellipsoid that is filled (z, y, x) [m].
    size
        Distance between neighbours, about the diameter of a lobule [m].
    septum
        Mean thickness of a shell [m]; each lobule draws 0.3 to 1.7 of it.
    within
        Canonical radius up to which there are lobules [1].
    margin
        Distance from the ellipsoid's surface that they keep [m].
    apart
        Least distance between centres [m]; None: 0.68 of `size`, so that they overlap.
    """
    centres = scattered(key.fold("centres"), semi_axes, within, apart or 0.68 * size, 0.0)
    # the distance to an ellipsoid's surface is at least (1 − ρ) times its least semi-axis
    depth = (1 - np.linalg.norm(centres / np.asarray(semi_axes), axis=1)) * min(semi_axes) - margin
    centres, depth = centres[depth > 0.12 * size], depth[depth > 0.12 * size]
    n = len(centres)
    outward = centres / np.asarray(semi_axes) ** 2
    outward /= np.linalg.norm(outward, axis=1, keepdims=True)
    wild = normal(key.fold("direction"), (n, 3), dtype=np.float64)
    direction = outward + 0.6 * np.clip((depth / size)[:, None], 0, 1) ** 2 * wild
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    rotations = turned(direction, normal(key.fold("lean"), (n, 3), dtype=np.float64))
    lengths = size * (0.38 + 0.46 * uniform(key.fold("lengths"), (n, 3), dtype=np.float64))
    lengths[:, 0] = np.minimum(lengths[:, 0], 0.95 * depth)
    # at least as curved as the surface that they lie beneath
    least = min(semi_axes) ** 2 / max(semi_axes)
    lengths[:, 1:] = np.minimum(lengths[:, 1:], np.sqrt(0.8 * depth * least)[:, None])
    shells = septum * (0.3 + 1.4 * uniform(key.fold("shells"), n, dtype=np.float64))
    ligament, fat = get("breast_gland"), get("breast_adipose")
    parts = []
    for i in range(n):
        z, y, x = centres[i].tolist()
        shape = ellipsoid((z, y, x), tuple(lengths[i].tolist()), rotations[i])
        parts += [Part(shape, ligament, "ligament"), Part(thinner(shape, shells[i]), fat, "fat")]
    return parts


def thinner(shape: Shape, shell: float) -> Shape:
    """Return an ellipsoid within another, a shell apart [m]."""
    z, y, x = (max(a - shell, 0.5 * a) for a in shape.semi_axes)
    return replace(shape, semi_axes=(z, y, x))
