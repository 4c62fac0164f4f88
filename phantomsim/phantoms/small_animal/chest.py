"""Inside of a small animal's chest: lungs, heart with four chambers, great vessels, airway, thymus, diaphragm [mm]."""

from __future__ import annotations

from typing import Final

from phantomsim.phantoms.scene import Part
from phantomsim.phantoms.small_animal.frame import SIDES, chain, fill, oval, rod, spine
from phantomsim.physics.grid import Triple
from phantomsim.physics.shapes import Rotation, along, turn
from phantomsim.tissues import get

HEART: Final[Triple] = (4.8, -2.9, 0.4)
"""Middle of the heart."""
APEX: Final[Triple] = (-0.72, -0.38, 0.52)
"""Direction from the base of the heart to its apex."""
DOME: Final[tuple[Triple, Triple]] = ((-7.2, -1.6, 0.0), (9.2, 6.5, 8.1))
"""Middle and semi-axes of the diaphragm."""


def lungs(density: float) -> list[Part]:
    """Return both lungs of a density [kg/m³], with the mediastinum between them."""
    tissue = get("lung_inflated").diluted(density)
    tilted = turn("x", 0.10)
    shapes = [
        oval((-0.5, -1.7, -3.6), (12.0, 4.9, 3.35), tilted),
        oval((-0.5, -1.6, 3.5), (11.7, 4.8, 3.2), tilted),
        oval((2.0, -0.2, -0.9), (4.5, 2.2, 2.2)),  # the accessory lobe, behind the heart
    ]
    septum = oval((6.0, -2.8, 0.1), (7.5, 4.0, 1.0))
    return [*(Part(shape, tissue, "lung") for shape in shapes), Part(septum, get("adipose"), "mediastinum")]


def lung_vessels() -> list[Part]:
    """Return the largest vessels and bronchi of the lungs, which end at the trachea's fork and the heart."""
    vessels, bronchi = [], []
    for side in SIDES:
        hilum: Triple = (7.2, -1.1, side * 2.0)
        for end in ((10.0, -1.0, 3.9), (5.0, 0.9, 4.9), (0.5, 0.2, 5.2), (3.5, -4.0, 5.2), (-4.0, 1.2, 4.9)):
            z, y, x = end
            middle: Triple = ((hilum[0] + z) / 2 + 0.5, (hilum[1] + y) / 2, side * (2.0 + x) / 2)
            vessels += chain([hilum, middle, (z, y, side * x)], [0.36, 0.24])
            shifted: Triple = (z + 0.4, y + 0.9, side * (x - 0.3))
            bronchi.append(rod((hilum[0] + 0.3, hilum[1] + 0.8, hilum[2]), shifted, 0.26))
    return fill(vessels, "blood_venous", "lung vessel") + fill(bronchi, "air", "bronchus")


def diaphragm() -> list[Part]:
    """Return the dome of the diaphragm, and the fat of the belly in it."""
    parts = fill([oval(*DOME)], "muscle", "diaphragm")
    return parts + fill([oval(*DOME, grow=-0.35)], "adipose", "belly fat")


def heart() -> list[Part]:
    """Return walls and chambers of the heart."""
    turned: Rotation = along(APEX)
    walls = [
        ((5.1, -3.3, -0.9), (3.3, 2.45, 2.35)),
        ((7.9, -1.5, 1.2), (1.5, 1.3, 1.5)),
        ((7.8, -1.9, -1.9), (1.6, 1.6, 1.6)),
    ]
    parts = []
    for (centre, semi_axes), blood, name in zip(
        walls,
        ("blood_venous", "blood", "blood_venous"),
        ("right ventricle", "left atrium", "right atrium"),
        strict=True,
    ):
        rotation = turned if name == "right ventricle" else turn("z", 0.0)
        parts += fill([oval(centre, semi_axes, rotation)], "myocardium", "myocardium")
        parts += fill([oval(centre, semi_axes, rotation, grow=-0.38)], blood, name)
    left: Triple = (4.6, -2.8, 0.9)
    parts += fill([oval(left, (3.9, 2.5, 2.5), turned)], "myocardium", "myocardium")
    return parts + fill([oval(left, (2.6, 1.3, 1.3), turned)], "blood", "left ventricle")


def great_vessels() -> list[Part]:
    """Return the aorta from the heart to its fork, carotids, upper and lower venae cavae, and iliac vessels."""
    arch: list[Triple] = [
        (6.0, -2.0, 0.4),
        (8.9, -2.0, -0.2),
        (10.1, -1.4, 0.5),
        (9.6, -0.7, 1.3),
        (8.0, spine(8.0) - 2.0, 1.3),
    ]
    parts = fill(chain(arch, [0.70, 0.70, 0.68, 0.62]), "blood", "aorta")
    levels = (8.0, 2.0, -6.0, -14.0, -22.0, -28.5)
    down: list[Triple] = [(z, spine(z) - 1.95, 1.3 - 0.9 * (8.0 - z) / 36.5) for z in levels]
    parts += fill(chain(down, [0.60, 0.58, 0.54, 0.48, 0.42]), "blood", "aorta")
    cava: list[Triple] = [(7.4, -2.2, -1.7), (2.0, -0.6, -1.2), (-5.0, 1.0, -1.4)]
    cava += [(z, spine(z) - 2.1, -0.9) for z in (-12.0, -20.0, -28.5)]
    parts += fill(chain(cava, [0.65, 0.65, 0.7, 0.62, 0.55]), "blood_venous", "vena cava")
    for side in SIDES:
        upper: list[Triple] = [(8.4, -1.9, side * 1.7), (13.0, -2.9, side * 2.1), (20.5, -5.4, side * 2.7)]
        parts += fill(chain(upper, [0.52, 0.40]), "blood_venous", "vena cava")
        parts += fill(chain([(10.0, -1.4, side * 0.5), (20.5, -4.5, side * 1.6)], [0.32]), "blood", "carotid")
        for tissue, x, radius, name in (("blood", 0.4, 0.30, "aorta"), ("blood_venous", -0.7, 0.38, "vena cava")):
            iliac: list[Triple] = [(-28.5, spine(-28.5) - 2.0, x), (-35.0, 0.2, side * 3.0), (-34.0, -2.4, side * 6.2)]
            parts += fill(chain(iliac, [radius, 0.8 * radius]), tissue, name)
    return parts


def airway() -> list[Part]:
    """Return oesophagus, trachea and main bronchi, and the thymus before them."""
    pipe: list[Triple] = [(20.5, -5.9, 0.0), (15.0, -3.6, 0.0), (8.8, -1.2, 0.0)]
    forks = [chain([pipe[-1], (6.8, -0.6, side * 2.2)], [0.5])[0] for side in SIDES]
    gullet: list[Triple] = [(20.5, -4.7, 0.6), (10.0, -0.3, 0.8), (0.0, 1.0, 0.8), (-7.0, 0.8, 2.5)]
    parts = fill(chain(gullet, [0.55, 0.55, 0.55]), "gi_tract", "oesophagus")
    parts += fill([oval((10.8, -4.2, side * 0.9), (2.2, 1.0, 1.0)) for side in SIDES], "lymph_node", "thymus")
    parts += fill(chain(pipe, [0.95, 0.95]), "cartilage", "trachea")
    return parts + fill(chain(pipe, [0.68, 0.68]), "air", "trachea") + fill(forks, "air", "bronchus")
