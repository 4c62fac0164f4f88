"""What lies at the surface of a breast: skin, nipple, areola and the veins beneath; and the chest wall behind it."""

from __future__ import annotations

from dataclasses import replace
from math import cos, pi, sin
from typing import Final

import numpy as np

from phantomsim.phantoms.breast.frame import Outline
from phantomsim.phantoms.scene import Part
from phantomsim.phantoms.thorax.frame import chain, tube
from phantomsim.physics.grid import Triple
from phantomsim.physics.rng import Key, normal, uniform
from phantomsim.physics.shapes import box, cylinder, ellipsoid
from phantomsim.tissues import get

FAR: Final = 0.5
"""Half lengths of the boxes of air that cut a phantom off [m]."""
TRUNK: Final = (0.115, 0.175)
"""Semi-axes (y, x) of the trunk at the breast [m]."""
BACK: Final = 0.048
"""Where the chest wall is cut off behind the breast's base [m]."""
LEDGE: Final = 0.018
"""How far the chest wall reaches beyond the breast [m]."""


def skin(outline: Outline, areola: float, raised: float) -> list[Part]:
    """Return the skin, all of it: what is painted within leaves a layer. The areola is raised above it [m]."""
    tissue = get("skin")
    depth = areola**2 / outline.bend
    bump = ellipsoid((0.0, depth - raised - outline.front, 0.0), (areola, depth, areola))
    return [*(Part(shape, tissue, "skin") for shape in outline.shapes), Part(bump, tissue, "areola")]


def nipple(outline: Outline, radius: float, height: float) -> Part:
    """Return the nipple, which stands out by a height [m]."""
    start, end = outline.front - 1.5 * radius, outline.front + height - radius
    return Part(tube((0, -start, 0), (0, -end, 0), radius), get("skin"), "nipple")


def veins(key: Key, n_veins: int, semi_axes: Triple, within: float) -> list[Part]:
    """Return veins that wind from the base towards the areola, at a canonical radius of the breast."""
    tissue = get("blood_venous")
    angles = 2 * pi * (np.arange(n_veins) + 0.8 * uniform(key.fold("angles"), n_veins, dtype=np.float64)) / n_veins
    wander = normal(key.fold("wander"), (n_veins, 12), dtype=np.float64)
    widths = 0.0008 + 0.0008 * uniform(key.fold("widths"), n_veins, dtype=np.float64)
    parts = []
    for angle, steps, width in zip(angles.tolist(), wander, widths.tolist(), strict=True):
        around = angle + 0.09 * np.cumsum(steps)
        polar = np.linspace(1.55, 0.45 + 0.1 * steps[0], len(steps))
        unit = [(sin(p) * sin(a), -cos(p), sin(p) * cos(a)) for p, a in zip(polar, around, strict=True)]
        points = within * np.asarray(unit) * np.asarray(semi_axes)
        radii = width * np.linspace(1.0, 0.45, len(steps) - 1)
        parts += [Part(shape, tissue, "vein") for shape in chain(points.tolist(), radii.tolist())]
    return parts


def trunk(outline: Outline, width: float, thickness: float, fat: float) -> tuple[list[Part], list[Part], list[Part]]:
    """Return the chest wall: its skin, its fat, and what lies on top of the breast's base, with the cuts through it.

    Layers are elliptic cylinders along z: skin, fat, greater pectoral muscle, a thin sheet of fat, ribs with the
    muscles between them, and lung. The wall is a block of the trunk that ends a little beyond the breast.

    Parameters
    ----------
    outline
        Of the breast.
    width
        Half of the breast's extent along x [m].
    thickness, fat
        Of the skin, and of the fat over the muscle beside the breast [m].
    """
    half = outline.half_height + LEDGE

    def layer(front: float, tissue: str, name: str) -> Part:
        depth, wide = TRUNK
        return Part(cylinder((0, depth, 0), (half, depth - front, wide - front)), get(tissue), name)

    beneath = thickness + fat - 0.004
    over = [
        layer(beneath, "muscle", "muscle"),
        layer(beneath + 0.010, "adipose", "fat"),
        layer(beneath + 0.011, "muscle", "muscle"),
        layer(beneath + 0.024, "lung_inflated", "lung"),
    ]
    depth, wide = TRUNK
    inset = beneath + 0.0175
    angles = np.linspace(-0.75, 0.75, 9)
    for height in np.arange(-half - 0.03, half + 0.03, 0.031):
        points = [
            (height + 0.012 * a, depth - (depth - inset) * cos(a), (wide - inset) * sin(a)) for a in angles.tolist()
        ]
        over += [
            Part(replace(shape, semi_axes=(0.0055, 0.0055, 0.0055)), get("rib"), "rib")
            for shape in chain(points, [0.0055] * (len(points) - 1))
        ]
    side = width + LEDGE
    over += [cut((0.0, BACK + FAR, 0.0)), *(cut((0.0, 0.0, sign * (side + FAR))) for sign in (-1, 1))]
    over += [cut((sign * (half + FAR), 0.0, 0.0)) for sign in (-1, 1)]
    return [layer(-0.004, "skin", "skin")], [layer(thickness - 0.004, "adipose", "fat")], over


def cut(centre: Triple) -> Part:
    """Return a box of air that cuts the phantom off."""
    return Part(box(centre, (FAR, FAR, FAR)), get("air"), "outside")
