"""Bones of an abdomen: lumbar and lower thoracic spine, lower ribs with their cartilage, sacrum and iliac bones."""

from __future__ import annotations

import itertools
from math import cos, pi, sin
from typing import Final

import numpy as np

from phantomsim.phantoms.abdomen.frame import Abdomen, bone, settled
from phantomsim.phantoms.placement import between
from phantomsim.phantoms.scene import Part
from phantomsim.phantoms.thorax.frame import SIDES, strip
from phantomsim.physics.grid import Triple
from phantomsim.physics.rng import Key
from phantomsim.physics.shapes import Shape, cylinder, ellipsoid, turn
from phantomsim.tissues import get

VERTEBRAE: Final = {
    "T8": 153.0,
    "T9": 127.0,
    "T10": 101.0,
    "T11": 74.0,
    "T12": 44.0,
    "L1": 12.0,
    "L2": -23.0,
    "L3": -59.0,
    "L4": -95.0,
    "L5": -130.0,
    "S1": -164.0,
}
"""Height of the middle of each vertebra's body above the transpyloric plane [mm]."""


def spine(abdomen: Abdomen, key: Key) -> list[Part]:
    """Return the vertebrae with discs, arches, facets and processes, and the canal that runs through them."""
    width = 1e-3 * between(key.fold("width"), (22.5, 25.5)) * abdomen.height
    spongy = get("trabecular_bone").diluted(round(between(key.fold("density"), (1020.0, 1080.0))))
    heights = list(VERTEBRAE.values())
    parts: list[Part] = []
    canals: list[Part] = []
    for i, (name, z) in enumerate(VERTEBRAE.items()):
        lumbar = name[0] in "LS"
        pitch = 1e-3 * abdomen.height * (heights[max(i - 1, 0)] - heights[i] if i else 26.0)
        grown = width * (1 + 0.035 * (i - 5))  # vertebrae widen downwards
        depth = 0.70 * grown
        middle = abdomen.before(z, 0.0, 0.0)
        height, y, _ = middle
        canal = y + depth + 0.0085
        parts.append(
            Part(cylinder((height + pitch / 2, y, 0.0), (pitch / 2, 0.98 * depth, grown)), get("cartilage"), "disc")
        )
        reach = 0.026 if lumbar else 0.022
        for side in SIDES:
            place = (height + 0.002, canal - 0.002 if lumbar else canal + 0.008, side * reach)
            lean = 0.12 if lumbar else 0.5
            process = ellipsoid(place, (0.0055, 0.0042, 0.019), turn("z", side * lean))
            parts += bone(process, 0.0013, spongy, "vertebra")
            facet = ellipsoid(
                (height - pitch / 2, canal + 0.007, side * 0.0165), (0.013, 0.0065, 0.0055), turn("z", -side * 0.5)
            )
            parts += bone(facet, 0.0014, spongy, "vertebra")
        drop = 0.006 if lumbar else 0.016
        spinous = ellipsoid(
            (height - drop, canal + 0.022, 0.0), (0.0105, 0.018, 0.0038), turn("x", -0.1 if lumbar else -0.5)
        )
        parts += bone(spinous, 0.0012, spongy, "vertebra")
        arch = cylinder((height - 0.002, canal + 0.001, 0.0), (0.42 * pitch, 0.0118, 0.0155))
        parts += bone(arch, 0.0016, spongy, "vertebra")
        body = cylinder(middle, (pitch / 2 - 0.0042 * abdomen.height, depth, grown))
        parts += bone(body, 0.0012, spongy, "vertebra")
        for margin, tissue in ((0.0, "adipose"), (0.0017, "csf")):
            shape = cylinder((height, canal, 0.0), (0.52 * pitch, 0.0080 - margin, 0.0105 - margin))
            canals.append(Part(shape, get(tissue), "canal"))
        if z > 0:  # the cord ends at the first lumbar vertebra
            cord = cylinder((height, canal, 0.0), (0.52 * pitch, 0.0036, 0.0048))
            canals.append(Part(cord, get("spinal_cord"), "canal"))
        else:
            for number in range(8):
                angle = pi * (0.06 + 0.88 * number / 7)
                root = cylinder(
                    (height, canal + 0.0045 * sin(angle), 0.0066 * cos(angle)), (0.52 * pitch, 0.0007, 0.0007)
                )
                canals.append(Part(root, get("spinal_cord"), "canal"))
    return parts + canals


def _rim(abdomen: Abdomen, angle: float, out: float) -> tuple[float, float, float]:
    """Return the place (y, x) on the chest wall, and the angle of its tangent, `out` beyond the muscles' inner face.

    Angles run from −π/2 in front over 0 at the left flank to π/2 behind.
    """
    x, front, back = abdomen.outer
    side, before = x - abdomen.wall + out, front + abdomen.rectus - out
    middle = 0.5 * (before + abdomen.spine + 0.030)
    depth = middle - before
    behind = min(abdomen.spine + 0.040, back - 0.014) + out - middle
    reach = depth if angle < 0 else behind
    power = 0.86  # squarer than an ellipse, as the trunk is
    c, s = max(cos(angle), 0.0), sin(angle)
    y = middle + reach * np.sign(s) * abs(s) ** power
    across = side * c**power
    tangent = float(
        np.arctan2(
            reach * power * abs(s) ** (power - 1 if s else 0) * c, -side * power * max(c, 1e-3) ** (power - 1) * s
        )
    )
    return float(y), float(across), tangent


def ribs(abdomen: Abdomen, key: Key) -> list[Part]:
    """Return the sixth to twelfth ribs as chains of flat capsules, and the cartilage that joins them in front."""
    drop = between(key.fold("drop"), (0.9, 1.12))
    outer: list[Part] = []
    inner: list[Part] = []
    heads = {6: 205.0, 7: 180.0, 8: 157.0, 9: 131.0, 10: 105.0, 11: 76.0, 12: 46.0}
    ends = {6: -1.05, 7: -1.0, 8: -0.95, 9: -0.85, 10: -0.70, 11: 0.05, 12: 0.75}
    falls = {6: 88.0, 7: 96.0, 8: 100.0, 9: 100.0, 10: 96.0, 11: 68.0, 12: 40.0}
    for number, head in heads.items():
        angles = np.linspace(1.25, ends[number], 4 if number == 12 else 6 if number == 11 else 10)
        way = (1.25 - angles) / (1.25 - ends[number])
        for side in SIDES:
            lift = between(key.fold(number, side), (-3.0, 3.0))
            z = head + lift - drop * falls[number] * way**0.95
            start = abdomen.before(head + lift, -12.0, side * 30.0)
            points = [start]
            for height, angle in zip(z, angles, strict=True):
                y, x, _ = _rim(abdomen, float(angle), 0.0075)
                points.append((1e-3 * abdomen.height * float(height), y, side * x))
            for a, b in itertools.pairwise(points):
                cortex, marrow = bone(_flat(a, b, abdomen), 0.0012, get("red_marrow"), "rib")
                outer.append(cortex)
                inner.append(marrow)
            if number <= 10:
                outer[:0] = _cartilage(abdomen, points[-1], side, number)
    return outer + inner


def _cartilage(abdomen: Abdomen, start: Triple, side: int, number: int) -> list[Part]:
    """Return the cartilage from the end of a rib up to the lower end of the breast bone."""
    angles = np.linspace(-0.85 if number == 10 else -1.05, -1.46, 4)
    rise = np.linspace(0.0, 1.0, 5)[1:] ** 1.3
    top = 1e-3 * abdomen.height * (118.0 - 6.0 * (number - 6))
    points = [start]
    for angle, share in zip(angles, rise, strict=True):
        y, x, _ = _rim(abdomen, float(angle), 0.0060)
        points.append((start[0] + float(share) * (top - start[0]), y, side * x))
    return [Part(_flat(a, b, abdomen), get("cartilage"), "costal cartilage") for a, b in itertools.pairwise(points)]


def _flat(a: Triple, b: Triple, abdomen: Abdomen) -> Shape:
    """Return a capsule from a to b, thin across the wall of the chest and high along it."""
    thin, high = 0.0043, 0.0066
    outward = (0.0, 0.7 * (a[1] + b[1]) - 1.4 * (abdomen.spine - 0.045), (a[2] + b[2]) / 2)
    return strip(a, b, outward, thin, high)


def pelvis(abdomen: Abdomen) -> tuple[list[Part], list[Part]]:
    """Return the muscles on the iliac bones, and the bones of the upper pelvis with the wings of the sacrum."""
    muscles, bones = [], []
    under_skin, towards = abdomen.waist(0.005), (abdomen.spine, 0.0)
    top = 1e-3 * abdomen.height * -96.0
    middle = top - 0.075
    spongy = get("trabecular_bone").diluted(1090.0)
    for side in SIDES:
        x = min(0.118 * abdomen.stretch[2], abdomen.outer[0] - 0.016)
        heading = 0.95
        centre = (middle, abdomen.spine + 0.022, side * 0.80 * x)
        # the plate stands upright, its front turned outwards
        turned = turn("z", -side * heading)
        plate = ellipsoid(centre, (0.077, 0.0085, 0.062), turned)
        crest = ellipsoid((top - 0.012, centre[1] - 0.010, side * 0.85 * x), (0.013, 0.0085, 0.040), turned)
        out = np.asarray(turned) @ np.array([0.0, 1.0, 0.0])
        gluteus = np.asarray(centre) + 0.014 * out * np.sign(out[2]) * side
        z, y, a = (float(c) for c in gluteus)
        flesh = ellipsoid((z - 0.010, y, a), (0.070, 0.017, 0.048), turned)
        muscles.append(Part(settled(flesh, under_skin, towards), get("muscle"), "muscle"))
        bones += bone(settled(plate, under_skin, towards), 0.0020, spongy, "pelvis")
        bones += bone(settled(crest, under_skin, towards), 0.0020, spongy, "pelvis")
        ala = ellipsoid(abdomen.before(-172.0, -12.0, side * 36.0), (0.022, 0.022, 0.026))
        bones += bone(ala, 0.0014, spongy, "pelvis")
    return muscles, bones
