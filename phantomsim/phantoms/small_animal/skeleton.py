"""Bones of a small animal behind its head: spine, ribs, sternum, girdles and limbs.

A vertebra is a shell of compact bone with spongy bone in it, an arch around the cord, and processes; the ribs run on a
cage whose width, front and back are given along z. All lengths are those of the atlas [mm].
"""

from __future__ import annotations

from itertools import pairwise
from math import cos, sin
from typing import Final

import numpy as np

from phantomsim.phantoms.scene import Part
from phantomsim.phantoms.small_animal.frame import SIDES, chain, fill, oval, rod, spine
from phantomsim.phantoms.small_animal.outline import ANKLE, ELBOW, FINGERS, HIP, KNEE, SHOULDER, TOES, WRIST, at, tail
from phantomsim.physics.grid import Triple
from phantomsim.physics.shapes import Shape, along, cylinder, turn

CERVICAL: Final = tuple(np.linspace(21.0, 15.0, 7).tolist())
THORACIC: Final = tuple(np.linspace(13.8, -5.2, 13).tolist())
LUMBAR: Final = tuple(np.linspace(-7.9, -25.5, 6).tolist())
SACRAL: Final = tuple(np.linspace(-29.0, -39.5, 4).tolist())
CAGE: Final = (-8.0, -6.0, 0.0, 5.0, 10.0, 15.0)
WIDTH: Final = (8.7, 8.6, 8.0, 7.2, 5.9, 3.2)
FRONT: Final = (-8.4, -8.3, -7.8, -7.0, -6.1, -5.2)


def rim(angle: float, z: float, margin: float = 0.0) -> Triple:
    """Return a place on the rib cage, grown by a margin, at an angle from −π/2 in front to π/2 at the back."""
    width, front, back = float(np.interp(z, CAGE, WIDTH)), float(np.interp(z, CAGE, FRONT)), spine(z)
    middle, depth = (front + back) / 2, (back - front) / 2
    return (z, middle + (depth + margin) * sin(angle), (width + margin) * cos(angle))


def _slope(z: float) -> Triple:
    """Return the direction of the spine at a height."""
    return (1.0, (spine(z + 1.5) - spine(z - 1.5)) / 3.0, 0.0)


def _disc(z: float, dorsal: float, half: float, radius: float, wide: float = 1.0) -> Shape:
    """Return an elliptic cylinder along the spine, its middle behind that of the vertebral bodies."""
    centre = (1e-3 * z, 1e-3 * (spine(z) + dorsal), 0.0)
    return cylinder(centre, (1e-3 * half, 1e-3 * radius, 1e-3 * radius * wide), along(_slope(z)))


def column() -> list[Part]:
    """Return vertebrae from the neck to the sacrum, discs, and the cord in its canal."""
    discs, shells, cores, canals, cords = [], [], [], [], []
    levels = (*CERVICAL, *THORACIC, *LUMBAR, *SACRAL)
    gaps = np.abs(np.gradient(levels))
    for i, (z, gap) in enumerate(zip(levels, gaps.tolist(), strict=True)):
        lumbar, cervical = z in LUMBAR, z in CERVICAL
        radius = 1.25 if lumbar else 1.0
        discs.append(_disc(z, 0.0, 0.52 * gap, 0.85 * radius, 1.15))
        shells += [_disc(z, 0.0, 0.41 * gap, radius, 1.2), _disc(z, radius + 0.6, 0.36 * gap, 1.3, 1.2)]
        cores.append(_disc(z, 0.0, 0.41 * gap - 0.12, radius - 0.22, 1.25))
        spinous = 0.6 if cervical else 1.5 if i == 8 else 0.85  # the second thoracic spine stands out
        shells.append(oval((z - 0.15 * gap, spine(z) + radius + 1.6, 0.0), (0.30 * gap, spinous, 0.25)))
        for side in SIDES if lumbar or z in SACRAL or cervical else ():
            reach = 2.6 if lumbar else 2.2
            process = (z + 0.25 * gap, spine(z) - 0.4, side * reach)
            shells.append(rod((z, spine(z), side * 0.9), process, 0.32))
        canals.append(_disc(z, radius + 0.5, 0.52 * gap, 0.95, 1.15))
        cords.append(_disc(z, radius + 0.5, 0.52 * gap, 0.7, 1.15))
    parts = fill(discs, "cartilage", "disc") + fill(shells, "cortical_bone", "vertebra")
    parts += fill(cores, "trabecular_bone", "vertebra") + fill(canals, "csf", "canal")
    return parts + fill([c for c, z in zip(cords, levels, strict=True) if z > LUMBAR[4]], "spinal_cord", "cord")


def tail_bones(length: float) -> list[Part]:
    """Return the vertebrae of a tail, thinner and shorter towards its tip."""
    places = tail(length)
    parts = []
    for i, (a, b) in enumerate(pairwise(places)):
        radius = 0.85 - 0.60 * (i / len(places)) ** 0.5
        first, last = np.asarray(a), np.asarray(b)
        ends = [0.88 * first + 0.12 * last, 0.16 * first + 0.84 * last]
        (z0, y0, x0), (z1, y1, x1) = (end.tolist() for end in ends)
        parts += fill([rod((z0, y0, x0), (z1, y1, x1), radius)], "vertebra", "tail vertebra")
    return parts


def ribs(drop: float) -> list[Part]:
    """Return thirteen ribs a side that sink by a factor `drop` of 4.5 mm, and the cartilage of the first ten."""
    bones, cartilages = [], []
    for side in SIDES:
        for i, start in enumerate(THORACIC):
            last = (-0.75, -0.2)[i > 9]
            angles = np.linspace(1.25, last, 6)
            way = (1.25 - angles) / 2.0
            heights = start - drop * (1.2 + 3.3 * min(i, 6) / 6) * way
            places = [(start, spine(start) + 0.3, side * 1.1)]
            places += [at(rim(a, z), side) for a, z in zip(angles.tolist(), heights.tolist(), strict=True)]
            bones += chain(places, [0.30] * 6)
            if i < 10:
                target = 13.0 - 1.75 * min(i, 7)
                middle = at(rim(-1.15, (places[-1][0] + target) / 2), side)
                end = (target, float(np.interp(target, CAGE, FRONT)), side * 0.7)
                cartilages += chain([places[-1], middle, end], [0.28, 0.28])
    return fill(cartilages, "cartilage", "costal cartilage") + fill(bones, "rib", "rib")


def sternum() -> list[Part]:
    """Return the pieces of the breast bone and the cartilage that ends it."""
    pieces = [
        rod(
            (z + 0.85, float(np.interp(z + 0.85, CAGE, FRONT)), 0.0),
            (z - 0.85, float(np.interp(z, CAGE, FRONT)), 0.0),
            0.5,
        )
        for z in np.linspace(14.0, 0.0, 6).tolist()
    ]
    xiphoid = oval((-3.0, -8.3, 0.0), (2.0, 0.3, 1.3))
    return fill([xiphoid], "cartilage", "costal cartilage") + fill(pieces, "rib", "sternum")


def _long(start: Triple, end: Triple, radius: float, name: str) -> list[Part]:
    """Return a long bone: a shaft with marrow in it, and thicker spongy ends."""
    length = float(np.linalg.norm(np.subtract(end, start)))
    knobs = [oval(place, (1.45 * radius, 1.35 * radius, 1.35 * radius)) for place in (start, end)]
    cores = [oval(place, (1.45 * radius, 1.35 * radius, 1.35 * radius), grow=-0.22) for place in (start, end)]
    first, last = np.asarray(start), np.asarray(end)
    (z0, y0, x0), (z1, y1, x1) = ((first + t * (last - first)).tolist() for t in (radius / length, 1 - radius / length))
    shaft, marrow = (rod((z0, y0, x0), (z1, y1, x1), r) for r in (radius, 0.58 * radius))
    parts = fill(knobs, "cortical_bone", name) + fill(cores, "trabecular_bone", name)
    return parts + fill([shaft], "cortical_bone", name) + fill([marrow], "red_marrow", name)


def limb_bones() -> list[Part]:
    """Return scapulae, clavicles, pelvis, and the bones of arms and legs."""
    parts = []
    for side in SIDES:
        shoulder, elbow, wrist, fingers = (at(place, side) for place in (SHOULDER, ELBOW, WRIST, FINGERS))
        hip, knee, ankle, toes = (at(place, side) for place in (HIP, KNEE, ANKLE, TOES))
        blade = oval((14.5, 0.6, side * 6.3), (4.2, 3.0, 0.28), turn("z", side * 0.45))
        ridge = oval((15.5, 0.4, side * 6.8), (3.4, 0.3, 0.7), turn("z", side * 0.45))
        parts += fill([blade, ridge], "cortical_bone", "scapula")
        collar = rod((18.2, -4.0, side * 4.9), (15.0, -5.6, side * 0.9), 0.28)
        parts += fill([collar], "cortical_bone", "clavicle")
        parts += _long(shoulder, elbow, 0.65, "humerus")
        for offset in (-0.45, 0.45):
            lower = (wrist[0], wrist[1] + 0.1, wrist[2] + 0.6 * offset)
            parts += fill([rod((elbow[0], elbow[1], elbow[2] + offset), lower, 0.32)], "cortical_bone", "forearm")
        for offset in (-0.5, 0.0, 0.5):
            end = (fingers[0], fingers[1], fingers[2] + offset)
            parts += fill([rod(wrist, end, 0.17)], "cortical_bone", "paw")
        wing = rod((-28.5, 4.2, side * 2.5), (hip[0], hip[1] + 0.2, side * 4.0), 0.6, flat=0.6)
        seat = [(hip[0], hip[1], side * 4.0), (-41.5, -0.6, side * 3.6), (-41.8, -3.0, side * 2.4)]
        pubis = [(hip[0], hip[1], side * 4.0), (-38.6, -3.3, side * 1.6), (-41.5, -3.6, side * 0.7)]
        girdle = [wing, *chain(seat, [0.55, 0.4]), *chain(pubis, [0.42, 0.42])]
        parts += fill(girdle, "cortical_bone", "pelvis")
        parts += _long(hip, knee, 0.85, "femur")
        parts += fill([oval((knee[0] + 1.1, knee[1] - 0.4, knee[2]), (0.7, 0.5, 0.6))], "cortical_bone", "patella")
        parts += _long((knee[0] - 0.7, knee[1] - 0.9, knee[2]), ankle, 0.62, "tibia")
        fibula = [(knee[0] - 1.2, knee[1] - 0.9, knee[2] + side * 1.0), (-34.0, ankle[1] + 0.3, ankle[2] + side * 0.6)]
        parts += fill(chain(fibula, [0.25]), "cortical_bone", "fibula")
        parts += fill([rod(ankle, (ankle[0] - 0.9, ankle[1] + 0.3, ankle[2]), 0.5)], "cortical_bone", "paw")
        for offset in (-0.6, 0.0, 0.6):
            end = (toes[0], toes[1], toes[2] + offset)
            parts += fill([rod(ankle, end, 0.22)], "cortical_bone", "paw")
    return parts
