"""Kidneys: cortex, pyramids of the medulla, fat of the sinus, pelvis with its calyces, and the ureter."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from math import cos, pi, sin
from typing import Final

import numpy as np

from phantomsim.phantoms.abdomen.contrast import Contrast
from phantomsim.phantoms.abdomen.frame import Abdomen, settled
from phantomsim.phantoms.placement import between
from phantomsim.phantoms.scene import Part
from phantomsim.phantoms.thorax.frame import tube
from phantomsim.physics.grid import Triple
from phantomsim.physics.rng import Key
from phantomsim.physics.shapes import Rotation, along, cone, ellipsoid, turn
from phantomsim.tissues import get

KIDNEY: Final = 141.0
"""Volume of the kidney laid out below without the fat and the urine in its sinus [ml]."""


@dataclass(frozen=True)
class Kidney:
    """A kidney's parts, and where its vessels enter (z, y, x) [m]."""

    parts: list[Part]
    hilum: Triple


def kidney(abdomen: Abdomen, side: int, volume: float, contrast: Contrast, key: Key) -> Kidney:
    """Return a kidney of a volume [ml] in its fat behind the peritoneum; `side` is −1 for the right."""
    size = (volume / KIDNEY) ** (1 / 3)
    low = between(key.fold("z"), (-10.0, 6.0))
    place = (low - (20.0 if side < 0 else 4.0), 4.0, side * 62.0)
    facing = -side * between(key.fold("facing"), (0.35, 0.75))  # the hilum looks to the middle and forward
    lean = between(key.fold("lean"), (0.12, 0.28))  # upper poles are nearer to the spine
    matrix = np.asarray(turn("y", -side * lean)) @ np.asarray(turn("x", 0.12)) @ np.asarray(turn("z", facing))
    rows = [(float(a), float(b), float(c)) for a, b, c in matrix]
    turned: Rotation = (rows[0], rows[1], rows[2])
    length, thick, wide = 56.0, between(key.fold("thick"), (24.0, 26.5)), between(key.fold("wide"), (26.0, 28.5))
    whole = settled(
        abdomen.oval(place, (length, thick, wide), (size, size, size), turned),
        abdomen.cavity,
        (abdomen.at(0.0, -20.0, 0.0)[1], abdomen.at(0.0, 0.0, side * 55.0)[2]),
    )
    centre, axes = np.asarray(whole.centre), np.asarray(whole.semi_axes)

    def inside(z: float, y: float, x: float) -> Triple:
        """Return a place given in semi-axes of the kidney, x positive to the hilum."""
        a, b, c = (float(v) for v in centre + matrix @ (axes * [z, y, -side * x]))
        return (a, b, c)

    def nested(shift: float, z: float, y: float, x: float) -> Part:
        a, b, c = (float(f * s) for f, s in zip((z, y, x), axes, strict=True))
        return Part(ellipsoid(inside(0.0, 0.0, shift), (a, b, c), turned), get("adipose"), "kidney sinus")

    parts = [
        Part(whole, contrast.tissue("cortex"), "kidney"),
        *_pyramids(whole.semi_axes, turned, whole.centre, side, contrast),
        nested(0.28, 0.58, 0.42, 0.44),
        nested(0.75, 0.36, 0.30, 0.42),
    ]
    pelvis = contrast.tissue("pelvis")
    root = inside(-0.05, 0.02, 0.62)
    swell = 1e-3 * between(key.fold("pelvis"), (3.0, 5.5))
    parts.append(Part(tube(root, inside(-0.12, 0.05, 1.02), swell), pelvis, "kidney pelvis"))
    cups = [inside(z, y, 0.10) for z in (-0.38, 0.0, 0.38) for y in (-0.20, 0.20)]
    parts += [Part(tube(root, cup, 0.0017), pelvis, "kidney pelvis") for cup in cups]
    ureter = [inside(-0.12, 0.05, 1.02), abdomen.at(place[0] - 48.0, -14.0, side * 40.0)]
    ureter += [abdomen.before(-100.0, 27.0, side * 40.0), abdomen.before(-200.0, 30.0, side * 44.0)]
    parts += [Part(tube(a, b, 0.0020), pelvis, "ureter") for a, b in itertools.pairwise(ureter)]
    return Kidney(parts, inside(0.04, -0.10, 0.92))


def _pyramids(axes: Triple, turned: Rotation, centre: Triple, side: int, contrast: Contrast) -> list[Part]:
    """Return pyramids of the medulla, which point from the cortex to the sinus all around it."""
    parts = []
    matrix, lengths = np.asarray(turned), np.asarray(axes)
    for z, count in ((-0.62, 2), (-0.32, 3), (0.0, 3), (0.32, 3), (0.62, 2)):
        ring = float(np.sqrt(1 - z * z))
        for number in range(count):
            angle = pi * (number / (count - 1) - 0.5) * (0.62 if count == 3 else 0.42)
            base = np.array([0.80 * z + 0.06 * np.sign(z), 0.80 * ring * sin(angle), side * 0.80 * ring * cos(angle)])
            tip = np.array([0.50 * z, 0.28 * sin(angle), -side * (0.10 - 0.10 * cos(angle))])
            foot, head = matrix @ (lengths * base), matrix @ (lengths * tip)
            middle = [float(v) for v in np.asarray(centre) + 0.5 * (foot + head)]
            span = [float(v) for v in head - foot]
            half = 0.5 * float(np.linalg.norm(span))
            wide = 0.38 * float(lengths[1])
            shape = cone(
                (middle[0], middle[1], middle[2]), (half, wide, wide), 0.30, along((span[0], span[1], span[2]))
            )
            parts.append(Part(shape, contrast.tissue("medulla"), "kidney medulla"))
    return parts
