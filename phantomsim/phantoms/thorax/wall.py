"""Wall of a thorax: skin, fat, muscles, breasts, arms, and the couch beneath."""

from __future__ import annotations

import numpy as np

from phantomsim.phantoms.scene import Part
from phantomsim.phantoms.thorax.bones import humerus
from phantomsim.phantoms.thorax.frame import SHOULDERS, SIDES, TOP, Cavity, Thorax, fitted, tube
from phantomsim.physics.shapes import Shape, box, cylinder, ellipsoid, turn
from phantomsim.tissues import get


def skin(thorax: Thorax) -> list[Part]:
    """Return the skin of the trunk."""
    return [Part(shape, get("skin"), "skin") for shape in thorax.trunk(0.0)]


def fat(thorax: Thorax) -> list[Part]:
    """Return the fat under the skin."""
    return [Part(shape, get("adipose"), "fat") for shape in thorax.trunk(0.002)]


def _against(
    thorax: Thorax, cavity: Cavity, angle: float, z: float, out: float, semi_axes: tuple[float, float, float]
) -> Shape:
    """Return an ellipsoid that lies flat on the wall of a cavity, its middle at a distance `out` from the pleura."""
    place = cavity.rim(angle, z, out)
    return fitted(thorax, ellipsoid(place, semi_axes, turn("z", cavity.tangent(angle))))


def muscles(thorax: Thorax) -> list[Part]:
    """Return the muscles between and on the ribs, of breast and back, and the fat before the spine."""
    muscle, flesh = get("muscle"), thorax.muscle
    parts = []
    for cavity in thorax.cavities:
        side = cavity.side
        thin = 0.0065 * flesh
        minor = _against(thorax, cavity, -0.80, 0.045, 0.018, (0.045, 1.6 * thin, 0.046))
        parts.append(Part(minor, muscle, "muscle"))
        parts += [
            Part(
                _against(thorax, cavity, -0.95, 0.000, 0.011 + thin, (0.085, thin, 0.047)), muscle, "muscle"
            ),  # pectorals
            Part(
                _against(thorax, cavity, 0.25, -0.080, 0.009 + 0.7 * thin, (0.100, 0.8 * thin, 0.048)), muscle, "muscle"
            ),
            Part(
                _against(thorax, cavity, 0.75, -0.100, 0.010 + 0.7 * thin, (0.100, 0.9 * thin, 0.046)), muscle, "muscle"
            ),
        ]
        behind = (0.0, thorax.back + 0.009 + 0.004 * flesh, side * 0.033)
        size = (0.010 + 0.007 * flesh, 0.030)
        low, high = -thorax.half_length, SHOULDERS - 0.012
        column = cylinder(((low + high) / 2, *behind[1:]), ((high - low) / 2, *size), turn("z", side * 0.15))
        top = ellipsoid((high, *behind[1:]), (0.030, *size), turn("z", side * 0.15))
        nape = tube((0.045, thorax.back + 0.008, side * 0.030), (TOP + 0.02, thorax.spine + 0.028, side * 0.022), 0.012)
        parts += [Part(shape, muscle, "muscle") for shape in (column, top, nape)]
    between = (0.0, thorax.spine + 0.018, 0.0)
    parts.append(Part(cylinder(between, (thorax.half_length, 0.026, 0.030)), muscle, "muscle"))
    parts += [Part(cavity.shape(0.0125), muscle, "muscle") for cavity in thorax.cavities]
    root = (0.092, (thorax.front + thorax.back) / 2 + 0.008, 0.0)
    parts.append(Part(ellipsoid(root, (0.036, 0.056, 0.062)), muscle, "muscle"))
    return parts + [Part(shape, muscle, "muscle") for shape in thorax.neck(0.009)]


def mediastinum(thorax: Thorax) -> list[Part]:
    """Return the fat that parts the lungs: wide around the vessels, a thin septum behind the breast bone."""
    fat = get("adipose")
    front, back = thorax.trachea - 0.060, thorax.spine
    middle, half = (front + back) / 2, (back - front) / 2
    return [
        Part(cylinder((-0.07, thorax.front + 0.03, 0.003), (0.155, 0.035, 0.0035)), fat, "fat"),
        Part(cylinder((-0.07, middle, 0.0), (0.155, half, 0.028)), fat, "fat"),
        Part(ellipsoid((0.070, thorax.trachea - 0.026, 0.0), (0.056, 0.052, 0.038)), fat, "fat"),
        Part(cylinder((-0.07, thorax.spine, 0.006), (0.155, 0.022, 0.026)), fat, "fat"),
    ]


def between_lungs(thorax: Thorax) -> list[Part]:
    """Return the fat that fills the chest wherever nothing else lies."""
    middle, half = (thorax.front + thorax.spine) / 2, (thorax.spine - thorax.front) / 2
    return [Part(cylinder((-0.07, middle, 0.0), (0.155, half, 0.042)), get("adipose"), "fat")]


def breasts(thorax: Thorax, volume: float, gland: float) -> tuple[list[Part], list[Part]]:
    """Return the skin of two breasts over the chest wall, and what is in it.

    The ellipsoid of each has `volume` [m³], part of it within the trunk; the gland is about `gland` of it.
    """
    scale = (volume / 5.3e-4) ** (1 / 3)
    parts: list[Part] = []
    inner: list[Part] = []
    for side in SIDES:
        x = side * 0.47 * thorax.width
        y = -0.05 * thorax.depth - 0.95 * thorax.depth * float(np.sqrt(1 - (0.47 / 0.975) ** 2))
        centre, turned = (-0.065, y + 0.012, x * 1.06), turn("z", side * 0.42)
        semi_axes = np.array([0.052, 0.042, 0.058]) * scale
        for inset, tissue, name in ((0.0, "skin", "skin"), (0.002, "breast_adipose", "breast")):
            z, h, w = (float(a) - inset for a in semi_axes)
            (parts if inset == 0.0 else inner).append(Part(ellipsoid(centre, (z, h, w), turned), get(tissue), name))
        lump = gland ** (1 / 3) * semi_axes
        place = (centre[0], centre[1] - 0.22 * float(semi_axes[1]), centre[2] + side * 0.12 * float(semi_axes[2]))
        z, h, w = (0.9 * float(a) for a in lump)
        inner.append(Part(ellipsoid(place, (z, h, w), turned), get("breast_gland"), "breast"))
    return parts, inner


def arms(thorax: Thorax) -> list[Part]:
    """Return both upper arms beside the trunk."""
    parts = []
    radius = 0.036 + 0.5 * thorax.fat
    for side in SIDES:
        low, high = -thorax.half_length, min(SHOULDERS - 0.012, thorax.half_length)
        centre, half = ((low + high) / 2, 0.015, side * (thorax.width + radius + 0.004)), (high - low) / 2
        for inset, tissue, name in (
            (0.0, "skin", "skin"),
            (0.002, "adipose", "fat"),
            (0.002 + 0.5 * thorax.fat, "muscle", "muscle"),
        ):
            size = (1.12 * radius - inset, radius - inset)
            cap = ellipsoid((high, *centre[1:]), (0.042 - inset, *size))
            parts += [Part(shape, get(tissue), name) for shape in (cylinder(centre, (half, *size)), cap)]
        parts += humerus(centre, half)
    return parts


def couch(thorax: Thorax) -> list[Part]:
    """Return a table top of carbon fibre around foam, under the back.

    Carbon-fibre laminate is nine tenths carbon by mass, as polystyrene is, at 1550 kg/m³; the foam has 60 kg/m³.
    """
    laminate, foam = get("polystyrene").diluted(1550.0), get("polystyrene").diluted(60.0)
    y = 0.94 * thorax.depth + 0.001
    size = (thorax.half_length + 0.05, 0.014, 0.215)
    centre = (0.0, y + size[1], 0.0)
    return [
        Part(box(centre, size), laminate, "couch"),
        Part(box(centre, (size[0], size[1] - 0.0012, size[2] - 0.0012)), foam, "couch"),
    ]
