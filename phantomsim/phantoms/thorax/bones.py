"""Bones of a thorax: spine, ribs with their cartilage, sternum, clavicles and scapulae."""

from __future__ import annotations

from math import pi
from typing import Final

import numpy as np

from phantomsim.phantoms.placement import between
from phantomsim.phantoms.scene import Part
from phantomsim.phantoms.thorax.frame import SIDES, Cavity, Thorax, fitted, strip, tube
from phantomsim.physics.grid import Triple
from phantomsim.physics.rng import Key
from phantomsim.physics.shapes import Shape, cylinder, ellipsoid, turn
from phantomsim.tissues import Tissue, get

PITCH: Final = 0.0225
"""Height of a thoracic vertebra with its disc [m]."""
FIRST: Final = 0.090
"""Middle of the first thoracic vertebra above the carina [m], which lies before the fifth."""


def _bone(shape: Shape, cortex: float, inside: Tissue, name: str) -> list[Part]:
    """Return a bone, and what fills it within a cortex of the given thickness."""
    z, y, x = shape.semi_axes
    inner = Shape(shape.kind, shape.centre, (z - cortex, y - cortex, x - cortex), shape.rotation, shape.param)
    return [Part(shape, get("cortical_bone"), name), Part(inner, inside, name)]


def spine(thorax: Thorax, key: Key) -> list[Part]:
    """Return the vertebrae with discs, arches and processes, and the canal that runs through them.

    The first is the last of the neck, then come those of the chest, the upper lumbar ones, and at last three more of
    the neck.
    """
    width = between(key.fold("width"), (0.0145, 0.0175))
    spongy = get("trabecular_bone").diluted(round(between(key.fold("density"), (1080.0, 1180.0))))
    parts, canals = [], []
    for i in (*range(-1, 16), *range(-4, -1)):
        z = FIRST - PITCH * i
        grown = width * (1 + 0.018 * (i - 5))  # vertebrae widen downwards
        depth = 0.86 * grown
        canal = thorax.spine + depth + 0.0075
        parts.append(Part(cylinder((z, thorax.spine, 0.0), (PITCH / 2, depth, grown)), get("cartilage"), "disc"))
        for side in SIDES:
            reach = 0.016 if i >= 0 else 0.011
            process = ellipsoid(
                (z, canal + 0.008, side * (0.008 + reach)), (0.008, 0.0055, reach), turn("z", side * 0.45)
            )
            parts += _bone(process, 0.0013, spongy, "vertebra")
        long = 1.0 if i >= 0 else 0.65
        spinous = ellipsoid(
            (z - 0.012 * long, canal + 0.003 + 0.019 * long, 0.0), (0.007, 0.019 * long, 0.0042), turn("x", -0.5)
        )
        parts += _bone(spinous, 0.0013, spongy, "vertebra")
        arch = cylinder((z, canal + 0.001, 0.0), (0.010, 0.0115, 0.0145))
        parts += _bone(arch, 0.0014, spongy, "vertebra")
        parts += _bone(cylinder((z, thorax.spine, 0.0), (0.0095, depth, grown)), 0.0012, spongy, "vertebra")
        for margin, tissue in ((0.0, "adipose"), (0.0015, "csf"), (0.0042, "spinal_cord")):
            shape = cylinder((z, canal, 0.0), (PITCH / 2, 0.0075 - margin, 0.0088 - margin))
            canals.append(Part(shape, get(tissue), "canal"))
    return parts + canals


def ribs(thorax: Thorax, key: Key) -> list[Part]:
    """Return eleven ribs a side as chains of flat capsules that sink from the spine to the breast bone."""
    drop = between(key.fold("drop"), (0.85, 1.1))
    parts = []
    for cavity in thorax.cavities:
        for i in range(11):
            parts += _rib(thorax, cavity, i, drop)
    return parts


def _rib(thorax: Thorax, cavity: Cavity, i: int, drop: float) -> list[Part]:
    start = FIRST - PITCH * i + 0.006
    fall = drop * (0.030 + 0.012 * min(i, 5))  # the first rib lies flat, the middle ones sink by 9 cm
    last = -1.42 if i < 7 else -1.1 + 0.22 * (i - 7)
    angles = np.linspace(1.75, last, 12)
    way = (angles[0] - angles) / (1.75 + 1.42)
    heights = start - fall * way ** np.linspace(1.0, 0.9, 12)
    points: list[Triple] = [cavity.rim(float(a), float(z), 0.006) for a, z in zip(angles, heights, strict=True)]
    head = (start, thorax.spine + 0.010, cavity.side * 0.020)
    outer, inner = [], []
    for number, (a, b) in enumerate(zip([head, *points[:-1]], points, strict=True)):
        bony = number <= 8
        shape = _flat(a, b, cavity, 0.0042 if i else 0.0036, 0.0068)
        if bony:
            cortex, marrow = _bone(shape, 0.0012, get("red_marrow"), "rib")
            outer.append(cortex)
            inner.append(marrow)
        else:
            outer.insert(0, Part(shape, get("cartilage"), "costal cartilage"))
    return outer + inner


def _flat(a: Triple, b: Triple, cavity: Cavity, thin: float, high: float) -> Shape:
    """Return a capsule from a to b, thin across the wall of a cavity and high along it."""
    outward = (0.0, (a[1] + b[1]) / 2 - cavity.centre[1], (a[2] + b[2]) / 2 - cavity.centre[2])
    return strip(a, b, outward, thin, high)


def sternum(thorax: Thorax) -> list[Part]:
    """Return manubrium, body and xiphoid behind the skin of the front."""
    front = thorax.front
    spongy = get("red_marrow")
    pieces = [
        ellipsoid((0.030, front - 0.001, 0.0), (0.030, 0.0065, 0.027), turn("x", 0.12)),
        ellipsoid((-0.060, front - 0.004, 0.0), (0.068, 0.0060, 0.018)),
        ellipsoid((-0.130, front - 0.002, 0.0), (0.018, 0.0035, 0.008)),
    ]
    return [part for piece in pieces for part in _bone(piece, 0.0011, spongy, "sternum")]


def shoulders(thorax: Thorax) -> list[Part]:
    """Return clavicles, and scapulae between the muscles that move them."""
    parts = []
    for cavity in thorax.cavities:
        side = cavity.side
        across = tube((0.056, thorax.front + 0.004, side * 0.026), (0.080, thorax.front + 0.034, side * 0.122), 0.0058)
        parts += _bone(across, 0.0017, get("yellow_marrow"), "clavicle")
        angle = 0.87
        z, y, x = cavity.rim(angle, -0.005, 0.0)
        outward = np.subtract(cavity.rim(angle, z, 0.0165), (z, y, x))
        turned = turn("z", cavity.tangent(angle))
        _, dy, dx = (float(c) for c in outward)
        flesh = fitted(thorax, ellipsoid((0.005, y + dy, x + dx), (0.092, 0.0095, 0.046), turned))
        narrow = flesh.semi_axes[2] / 0.046
        plate = ellipsoid((0.0, y + dy, x + dx), (0.078, 0.0026, 0.042 * narrow), turned)
        spine_of = ellipsoid((0.050, y + 1.15 * dy, x + 1.15 * dx), (0.009, 0.0040, 0.040 * narrow), turned)
        parts = [Part(flesh, get("muscle"), "muscle"), *parts]
        for piece in (plate, spine_of):
            parts += _bone(piece, 0.0010, get("red_marrow"), "scapula")
    return parts


def humerus(centre: Triple, half_length: float) -> list[Part]:
    """Return the shaft of a humerus along z, and its head above it."""
    z, y, x = centre
    head = ellipsoid((z + half_length + 0.010, y, x), (0.024, 0.021, 0.021))
    shaft = cylinder(centre, (half_length, 0.0115, 0.0110), turn("z", pi / 6))
    return _bone(head, 0.0012, get("red_marrow"), "humerus") + _bone(shaft, 0.0038, get("yellow_marrow"), "humerus")
