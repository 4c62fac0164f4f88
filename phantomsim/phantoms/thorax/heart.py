"""Heart, great vessels, airway and diaphragm of a thorax.

Places relative to the carina, the spine and the breast bone are rounded from sectional anatomy; lengths of the heart
scale with the cube root of its volume.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from phantomsim.phantoms.scene import Part
from phantomsim.phantoms.thorax.frame import TOP, Thorax, chain, tube
from phantomsim.physics.grid import Triple
from phantomsim.physics.shapes import Rotation, Shape, along, capsule, ellipsoid
from phantomsim.tissues import Tissue, get

APEX: Final = (-0.42, -0.55, 0.72)
"""Direction from the base of the heart to its apex (z, y, x)."""
SAC: Final = 7.35e-4
"""Volume of the pericardial sac of a heart of scale 1 [m³]: that of its ellipsoid below."""


@dataclass(frozen=True)
class Blood:
    """Blood of aorta and left heart, of right heart and upper vena cava, and of the other veins of the body."""

    left: Tissue
    right: Tissue
    veins: Tissue


def blood(iodine: float, ratio: float) -> Blood:
    """Return blood with iodine [mg/ml] in aorta and left heart, `ratio` times that in the right heart and its veins."""

    def with_iodine(name: str, concentration: float) -> Tissue:
        amount = round(concentration, 3)
        return get(name).with_element("I", amount) if amount else get(name)

    return Blood(
        with_iodine("blood", iodine),
        with_iodine("blood_venous", ratio * iodine),
        with_iodine("blood_venous", 0.3 * iodine),
    )


def heart_place(thorax: Thorax, scale: float) -> Triple:
    """Return the middle of the heart: behind the breast bone, left of the middle."""
    return (-0.078, max(thorax.front + 0.051 * scale + 0.004, thorax.trachea - 0.034), 0.020)


def heart(thorax: Thorax, volume: float, filled: Blood) -> list[Part]:
    """Return a heart of four chambers in its fat, whose pericardial sac has the given volume [m³]."""
    scale = (volume / SAC) ** (1 / 3)
    middle = np.asarray(heart_place(thorax, scale))
    axis = along(APEX)

    def at(z: float, y: float, x: float) -> Triple:
        a, b, c = (float(v) for v in middle + scale * np.array([z, y, x]))
        return (a, b, c)

    def chamber(centre: Triple, semi_axes: Triple, wall: float, matter: Tissue, rotation: Rotation) -> list[Part]:
        z, y, x = (scale * a for a in semi_axes)
        inner = ellipsoid(centre, (z - wall, y - wall, x - wall), rotation)
        outer = ellipsoid(centre, (z, y, x), rotation)
        return [Part(outer, get("myocardium"), "heart"), Part(inner, matter, "heart chamber")]

    sac = ellipsoid(at(0.0, 0.0, 0.0), (scale * 0.0680, scale * 0.0510, scale * 0.0506), axis)
    upright = along((1.0, -0.2, 0.0))
    return [
        Part(sac, get("adipose"), "pericardial fat"),
        *chamber(at(0.006, 0.014, -0.031), (0.036, 0.027, 0.025), 0.0025, filled.right, upright),  # right atrium
        *chamber(at(0.014, 0.027, -0.002), (0.024, 0.019, 0.033), 0.0025, filled.left, along((1.0, 0.0, 0.1))),
        *chamber(at(-0.012, -0.019, 0.000), (0.045, 0.026, 0.036), 0.0040, filled.right, axis),  # right ventricle
        *chamber(at(-0.011, 0.001, 0.024), (0.044, 0.033, 0.032), 0.0100, filled.left, axis),  # left ventricle
    ]


def vessels(thorax: Thorax, volume: float, calibre: float, filled: Blood) -> list[Part]:
    """Return aorta, venae cavae, azygos, pulmonary trunk with both arteries, and the four pulmonary veins.

    Parameters
    ----------
    thorax
        Frame to lie in.
    volume
        Of the pericardial sac [m³].
    calibre
        Factor on the radii of an average adult [1].
    filled
        Blood of each side.
    """
    s, t = thorax.spine, thorax.trachea
    scale = (volume / SAC) ** (1 / 3)
    _, heart_y, heart_x = heart_place(thorax, scale)
    outlet = (-0.062, heart_y + 0.006, heart_x - 0.010)
    arch = [outlet, (-0.030, t - 0.036, -0.016), (0.008, t - 0.034, -0.018), (0.026, t - 0.020, -0.008)]
    arch += [(0.031, t - 0.002, 0.010), (0.026, t + 0.016, 0.020), (0.008, s - 0.012, 0.025)]
    down = [arch[-1], (-0.090, s - 0.015, 0.025), (-0.200, s - 0.026, 0.010)]
    top, end = 0.130, TOP + 0.005
    arteries = chain(arch, [calibre * r for r in [0.0145, 0.0150, 0.0148, 0.0138, 0.0128, 0.0124]])
    arteries += chain(down, [calibre * r for r in [0.0118, 0.0112]])
    arteries += chain([arch[3], (0.060, t - 0.018, -0.014), (top, t - 0.004, -0.030)], [0.0062 * calibre] * 2)
    arteries += chain([(top, t - 0.004, -0.030), (end, t, -0.030)], [0.0038 * calibre])
    arteries += chain(
        [arch[4], (0.060, t - 0.012, 0.014), (top, t - 0.010, 0.026), (end, t, 0.030)], [0.0038 * calibre] * 3
    )
    arteries += chain([arch[5], (0.065, t + 0.008, 0.024), (top, t + 0.004, 0.036)], [0.0048 * calibre] * 2)
    atrium = (-0.065, heart_y + 0.014, heart_x - 0.033)
    cava = [atrium, (-0.020, t - 0.020, -0.027), (0.045, t - 0.024, -0.026)]
    upper = chain(cava, [calibre * r for r in [0.0105, 0.0098]])
    upper += chain(
        [cava[-1], (0.078, t - 0.014, -0.034), (top, t - 0.010, -0.040), (end, t, -0.040)], [0.0068 * calibre] * 3
    )
    upper += chain(
        [cava[-1], (0.058, t - 0.038, 0.010), (0.075, t - 0.030, 0.036), (top, t - 0.012, 0.040), (end, t, 0.040)],
        [0.0066 * calibre] * 4,
    )
    lower = chain([(-0.085, atrium[1] + 0.004, atrium[2] + 0.002), (-0.220, s - 0.046, -0.024)], [0.0125 * calibre])
    azygos = chain([(0.012, s - 0.014, -0.010), (-0.200, s - 0.017, -0.008)], [0.0038 * calibre])
    azygos += chain([(0.012, s - 0.014, -0.010), (0.014, t + 0.004, -0.024), cava[-1]], [0.0042 * calibre] * 2)
    fork = (-0.017, t - 0.034, 0.022)
    trunk = chain(
        [(-0.060, heart_y - 0.014, heart_x + 0.002), (-0.036, t - 0.046, 0.018), fork], [0.0140 * calibre] * 2
    )
    trunk += chain([fork, (-0.010, t - 0.010, 0.036), left_hilum(thorax)], [calibre * r for r in [0.0118, 0.0100]])
    trunk += chain([fork, (-0.022, t - 0.016, -0.010), right_hilum(thorax)], [calibre * r for r in [0.0112, 0.0098]])
    veins = []
    for side, hilum in ((-1, right_hilum(thorax)), (1, left_hilum(thorax))):
        wall = (-0.062, heart_y + 0.030, heart_x - 0.002 + side * 0.024)
        drops = [(hilum[0] - 0.012 - d, hilum[1] - 0.004 + 0.4 * d, hilum[2]) for d in (-0.006, 0.026)]
        veins += [tube(wall, end, 0.0062 * calibre) for end in drops]
    groups = [("vena cava", filled.right, upper), ("vena cava", filled.veins, [*lower, *azygos])]
    groups += [
        ("pulmonary vein", filled.left, veins),
        ("pulmonary artery", filled.right, trunk),
        ("aorta", filled.left, arteries),
    ]
    parts = []
    for name, tissue, shapes in groups:
        if name in ("pulmonary artery", "aorta"):
            parts += [Part(_thicker(shape, 0.0013), get("muscle"), name) for shape in shapes]
        parts += [Part(shape, tissue, name) for shape in shapes]
    return parts


def _thicker(piece: Shape, wall: float) -> Shape:
    """Return a round capsule with a wall around it [m]."""
    radius = piece.semi_axes[0]
    half = radius * (1 + piece.param) + wall
    return capsule(piece.centre, (half, radius + wall, radius + wall), piece.rotation)


def right_hilum(thorax: Thorax) -> Triple:
    """Return where artery and bronchus enter the right lung."""
    return (-0.024, thorax.trachea - 0.004, -0.043)


def left_hilum(thorax: Thorax) -> Triple:
    """Return where artery and bronchus enter the left lung."""
    return (-0.018, thorax.trachea + 0.004, 0.048)


def airway(thorax: Thorax, radius: float) -> tuple[list[Part], tuple[float, float]]:
    """Return trachea and main bronchi with their walls, and the radii of the right and left bronchus [m].

    The right lung takes 0.55 of the air, and Murray's law parts the trachea's radius: r0³ = r1³ + r2³.
    """
    right, left = radius * 0.55 ** (1 / 3), radius * 0.45 ** (1 / 3)
    t, carina = thorax.trachea, (0.0, thorax.trachea, -0.002)
    pieces: list[tuple[Triple, Triple, float]] = [
        ((TOP + 0.020, t - 0.002, 0.0), carina, radius),
        (carina, (-0.028, t + 0.006, -0.040), right),
        (carina, (-0.034, t + 0.010, 0.046), left),
    ]
    walls = [Part(tube(a, b, r + 0.0014), get("cartilage"), "airway") for a, b, r in pieces]
    lumens = [Part(tube(a, b, r), get("air"), "airway") for a, b, r in pieces]
    return walls + lumens, (right, left)


def oesophagus(thorax: Thorax, gas: float) -> list[Part]:
    """Return the oesophagus, collapsed or with a little gas of a given radius [m]."""
    s = thorax.spine
    way = [
        (TOP + 0.010, s - 0.024, 0.004),
        (0.0, s - 0.024, 0.007),
        (-0.090, s - 0.027, 0.007),
        (-0.200, s - 0.042, 0.018),
    ]
    parts = [Part(shape, get("gi_tract"), "oesophagus") for shape in chain(way, [0.0075, 0.0070, 0.0075])]
    if gas:
        parts += [Part(shape, get("air"), "gas") for shape in chain(way[:3], [gas, gas])]
    return parts


def diaphragm(thorax: Thorax) -> list[Part]:
    """Return what rises under the domes of the diaphragm: liver, stomach with gas, spleen, and fat below the lungs."""
    right, left = thorax.cavities
    z, y, x = right.semi_axes
    parts = []
    for cavity, top, name in ((right, thorax.dome, "liver"), (left, thorax.dome - 0.010, "fat")):
        deep = 0.115
        centre = (top - deep, cavity.centre[1] - 0.006, cavity.centre[2] * 0.99)
        rotation = cavity.shape().rotation
        for margin, tissue, part in (
            (0.0025, "muscle", "diaphragm"),
            (0.0, "liver" if name == "liver" else "adipose", name),
        ):
            shape = Shape("ellipsoid", centre, (deep + margin, 0.95 * y + margin, 0.97 * x + margin), rotation)
            parts.append(Part(shape, get(tissue), part))
    low = thorax.dome - 0.010
    stomach = (low - 0.060, left.centre[1] - 0.020, left.centre[2] - 0.006)
    parts.append(
        Part(
            ellipsoid((low - 0.070, left.centre[1] + 0.045, left.centre[2] + 0.012), (0.055, 0.030, 0.034)),
            get("spleen"),
            "spleen",
        )
    )
    parts.append(Part(ellipsoid(stomach, (0.050, 0.040, 0.042)), get("muscle"), "stomach"))
    parts.append(Part(ellipsoid(stomach, (0.047, 0.037, 0.039)), get("water"), "stomach"))
    parts.append(
        Part(ellipsoid((stomach[0], stomach[1] - 0.014, stomach[2]), (0.038, 0.022, 0.034)), get("air"), "gas")
    )
    lobe = (thorax.dome - 0.075, thorax.front + 0.052, -0.010)
    parts.append(Part(ellipsoid(lobe, (0.060, 0.042, 0.060)), get("liver"), "liver"))
    return parts
