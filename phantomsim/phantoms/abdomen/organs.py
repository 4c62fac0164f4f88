"""Solid organs of an abdomen: liver with gallbladder, spleen, pancreas and adrenals.

Each is a union of ellipsoids or capsules in three dimensions. Volumes of unions are measured once in the reference
frame, so that the lengths which give a wanted volume follow from their cube root.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from phantomsim.phantoms.abdomen.contrast import Contrast
from phantomsim.phantoms.abdomen.frame import Abdomen, settled, sized
from phantomsim.phantoms.placement import between
from phantomsim.phantoms.scene import Part
from phantomsim.phantoms.thorax.frame import SIDES, tube
from phantomsim.phantoms.thorax.trees import ends, grow
from phantomsim.physics.grid import Triple
from phantomsim.physics.rng import Key
from phantomsim.physics.shapes import Rotation, Shape, along, ellipsoid, turn
from phantomsim.tissues import get

COVERED: Final = {"liver": 1.08, "spleen": 1.12, "pancreas": 1.10}
"""Volumes of the shapes laid out below over what other organs leave of them [1]."""

PORTA: Final = (14.0, -46.0, -32.0)
"""Where the portal vein enters the liver (z, y, x) in the reference frame [mm]."""
HILUM: Final = (42.0, -10.0, 76.0)
"""Hilum of the spleen (z, y, x) in the reference frame [mm]."""


@dataclass(frozen=True)
class Liver:
    """A liver: its lobes, the first of which is the right dome, and all parts in the order they are painted."""

    lobes: list[Shape]
    parts: list[Part]


def _middle(abdomen: Abdomen) -> tuple[float, float]:
    return (abdomen.at(0.0, -46.0, 0.0)[1], 0.0)


def _tilted(*turns: Rotation) -> Rotation:
    """Return the product of rotations, the last applied first."""
    matrix = np.eye(3)
    for rotation in turns:
        matrix = matrix @ np.asarray(rotation)
    rows = [(float(a), float(b), float(c)) for a, b, c in matrix]
    return (rows[0], rows[1], rows[2])


def liver(abdomen: Abdomen, volume: float, contrast: Contrast, key: Key) -> Liver:
    """Return a liver of a volume [ml]: two lobes, caudate lobe, fissure, porta, and trees of its two kinds of veins.

    The lobes are cut by planes from ellipsoids that fill the cavity under the diaphragm, so that they follow its wall;
    rounder ones close the angles between them.
    """
    left = between(key.fold("left"), (-8.0, 10.0))
    tip = between(key.fold("tip"), (0.8, 1.25))

    def lobes(size: float) -> list[Shape]:
        return _lobes(abdomen, size, left, tip)

    shapes = sized(lobes, 1e-6 * COVERED["liver"] * volume, (0.5, 2.2))
    tissue, fat = contrast.tissue("liver"), get("adipose")
    parts = [Part(lobe, tissue, "liver") for lobe in shapes]
    parts.append(Part(abdomen.oval((30, -94, -2), (30, 17, 2.0), rotation=turn("z", 0.35)), fat, "fat"))
    parts.append(Part(abdomen.oval((34, -46, -10), (14, 17, 1.8), rotation=turn("z", -0.9)), fat, "fat"))
    parts.append(Part(abdomen.oval((6, -50, -30), (18, 15, 15)), fat, "fat"))
    return Liver(shapes, parts + _trees(abdomen, shapes, contrast, key.fold("trees")))


def _lobes(abdomen: Abdomen, size: float, left: float, tip: float) -> list[Shape]:
    """Return the lobes of a liver: right dome, left lobe, posterior, front and lower parts, caudate lobe."""
    grown, wide, middle = size**0.5, abdomen.stretch, _middle(abdomen)
    high = (grown, *wide[1:])
    dome = settled(abdomen.oval((46, -44, -29), (82, 68, 94), high, turn("y", 0.06)), abdomen.cavity, middle)
    z, y, x = abdomen.at(30.0, -44.0, -26.0 + 26 * (grown - 1))
    right = dome.clipped((-0.25, 0.35, 1.0), -0.25 * z + 0.35 * y + x)
    z = 1e-3 * abdomen.height * (-6.0 - 60.0 * (grown - 1))
    right = right.clipped((-1.0, 0.30, 0.55), -z + 0.30 * y + 0.55 * x)
    z, y, x = abdomen.at(62.0 - 40 * (grown - 1), -68.0 + 26 * (grown - 1), 8.0 + left)
    front = settled(abdomen.oval((44, -46, 0), (78, 68, 106), high), abdomen.cavity, middle)
    lobe = front.clipped((-0.30, 1.0, 0.42), -0.30 * z + y + 0.42 * x)
    z, y, x = abdomen.at(36.0 - 40 * (grown - 1), -60.0, 0.0)
    lobe = lobe.clipped((-1.0, 0.30, 0.45), -z + 0.30 * y + 0.45 * x)
    rounded: list[tuple[Triple, Triple, Rotation]] = [
        ((30, -14, -70), (56, 38, 46), turn("z", 0.2)),
        ((46, -62, -34), (52, 38, 42), turn("z", -0.3)),
        ((0, -42, -86), (52 * tip, 42, 27), turn("y", 0.12)),
        ((48, -27, -13), (27, 12, 13), turn("z", 0.3)),
    ]
    scale = (grown, grown, grown)
    ovals = [settled(abdomen.oval(at, axes, scale, turned), abdomen.cavity, middle) for at, axes, turned in rounded]
    return [right, lobe, *ovals]


def _trees(abdomen: Abdomen, lobes: list[Shape], contrast: Contrast, key: Key) -> list[Part]:
    """Return portal veins from the porta, and hepatic veins that gather at the vena cava under the diaphragm."""
    hosts = []
    for lobe in lobes[:5]:
        z, y, x = (a - 0.009 for a in lobe.semi_axes)
        hosts.append(replace(lobe, semi_axes=(z, y, x)))
    parts = []
    portal, cava = abdomen.at(*PORTA), abdomen.at(96.0, -34.0, -24.0)
    hilum = [abdomen.oval((8, -50, -30), (25, 22, 22))]
    right, left = (abdomen.at(26.0, -44.0, x) for x in (-56.0, 2.0))
    for name, root, n, radius in (("hepatic vein", cava, 16, 0.0062), ("portal vein", portal, 22, 0.0056)):
        tissue = contrast.tissue("hepatic vein" if name == "hepatic vein" else "portal vein")
        targets = ends(n, hosts, hilum, key.fold(name))
        groups = [(root, targets)]
        if name == "portal vein":
            leftward = targets[:, 2] > abdomen.at(0.0, 0.0, -22.0)[2]
            groups = [(right, targets[~leftward]), (left, targets[leftward])]
            parts += [Part(tube(root, fork, radius), tissue, "liver vessel") for fork in (right, left)]
        for number, (start, points) in enumerate(groups):
            share = (len(points) / n) ** (1 / 3)
            for branch in grow(start, points, radius * share, key.fold(name, number)):
                shape = tube(branch.start, branch.end, max(branch.radius, 0.0011))
                parts.append(Part(shape, tissue, "liver vessel"))
    return parts


def gallbladder(abdomen: Abdomen, contrast: Contrast, key: Key) -> list[Part]:
    """Return a gallbladder under the liver: wall, and bile of 1010 to 1030 kg/m³."""
    radius = 1e-3 * between(key.fold("radius"), (10.0, 16.0))
    bile = get("water").diluted(round(between(key.fold("bile"), (1008.0, 1026.0))))
    neck, fundus = abdomen.at(10.0, -56.0, -34.0), abdomen.at(-26.0, -84.0, -54.0)
    z, y, x = (float(c) for c in 0.45 * np.add(neck, fundus) + 0.05 * np.multiply(fundus, 2.0))
    span = [float(c) for c in np.subtract(fundus, neck)]
    turned = along((span[0], span[1], span[2]))
    half = 0.5 * float(np.linalg.norm(span)) + 0.003
    parts = []
    for margin, tissue in ((0.0018, contrast.tissue("bowel wall")), (0.0, bile)):
        parts.append(
            Part(ellipsoid((z, y, x), (half + margin, radius + margin, radius + margin), turned), tissue, "gallbladder")
        )
    for margin, tissue in ((0.0010, contrast.tissue("bowel wall")), (0.0, bile)):
        duct = [neck, abdomen.at(8.0, -50.0, -28.0), abdomen.at(-8.0, -46.0, -30.0), abdomen.at(-24.0, -41.0, -36.0)]
        parts += [Part(tube(a, b, 0.0022 + margin), tissue, "bile duct") for a, b in itertools.pairwise(duct)]
    return parts


def spleen(abdomen: Abdomen, volume: float, contrast: Contrast, key: Key) -> list[Part]:
    """Return a spleen of a volume [ml]: cut by a plane from ellipsoids that follow the wall."""
    low = between(key.fold("low"), (-8.0, 8.0))
    long = between(key.fold("long"), (50.0, 60.0))
    facing = between(key.fold("facing"), (0.20, 0.40))
    middle = _middle(abdomen)
    body = settled(
        abdomen.oval((60 + low, -24, 44), (long, 60, 78), (1.0, *abdomen.stretch[1:]), turn("x", -0.12)),
        abdomen.cavity,
        middle,
    )
    back = settled(
        abdomen.oval((62 + low, 2, 84), (0.8 * long, 27, 19), rotation=turn("z", -0.75)), abdomen.cavity, middle
    )

    def pieces(size: float) -> list[Shape]:
        _, y, x = abdomen.at(0.0, 18.0 - 30 * size, 112.0 - 30 * size)
        return [s.clipped((0.0, -facing, -1.0), -facing * y - x) for s in (body, back)]

    shapes = sized(pieces, 1e-6 * COVERED["spleen"] * volume, (0.2, 2.6))
    return [Part(shape, contrast.tissue("spleen"), "spleen") for shape in shapes]


def pancreas(abdomen: Abdomen, volume: float, contrast: Contrast, key: Key) -> list[Part]:
    """Return a pancreas of a volume [ml]: lobules along a curve from the duodenum over the spine to the spleen."""
    rise = between(key.fold("rise"), (-6.0, 10.0))
    curve = [
        (-26.0, -42.0, -28.0, 13.0),
        (-12.0, -48.0, -29.0, 15.0),
        (-2.0, -60.0, -15.0, 10.0),
        (6.0 + 0.2 * rise, -64.0, 2.0, 8.5),
        (16.0 + 0.4 * rise, -58.0, 20.0, 10.0),
        (24.0 + 0.7 * rise, -42.0, 40.0, 10.5),
        (32.0 + rise, -20.0, 58.0, 10.0),
        (38.0 + rise, -6.0, 70.0, 8.0),
    ]
    tissue, fat = contrast.tissue("pancreas"), get("adipose")
    places = [abdomen.at(z, y, x) for z, y, x, _ in curve]

    def body(size: float) -> list[Shape]:
        radii = [1e-3 * size * r for _, _, _, r in curve]
        pieces = zip(places[:-1], places[1:], radii[:-1], radii[1:], strict=True)
        return [tube(a, b, 0.5 * (r + s)) for a, b, r, s in pieces]

    shapes = sized(body, 1e-6 * COVERED["pancreas"] * volume, (0.5, 2.0))
    parts = [Part(shape, tissue, "pancreas") for shape in shapes]
    for i, (a, b, shape) in enumerate(zip(places[:-1], places[1:], shapes, strict=True)):
        radius = shape.semi_axes[1]
        for j in range(4):  # clefts of fat and lobules that bulge between them
            stream = key.fold("lobule", i, j)
            at = np.asarray(a) + (j + 0.5) / 4 * np.subtract(b, a)
            angle = between(stream.fold("angle"), (0.0, 2 * np.pi))
            axis = np.asarray(along((b[0] - a[0], b[1] - a[1], b[2] - a[2])))
            out = axis @ np.array([0.0, np.sin(angle), np.cos(angle)])
            z, y, x = (float(c) for c in at + 0.75 * radius * out)
            bulge = between(stream.fold("bulge"), (0.32, 0.48)) * radius
            parts.append(Part(ellipsoid((z, y, x), (bulge, bulge, bulge)), tissue, "pancreas"))
            z, y, x = (float(c) for c in at - 1.02 * radius * out)
            cleft = _tilted(along((float(out[0]), float(out[1]), float(out[2]))))
            parts.append(Part(ellipsoid((z, y, x), (0.42 * radius, 0.0011, 0.6 * radius), cleft), fat, "fat"))
    return parts


def adrenals(abdomen: Abdomen, contrast: Contrast) -> list[Part]:
    """Return the adrenals, each a body with two limbs, above the kidneys and beside the crura."""
    tissue, parts = contrast.tissue("adrenal"), []
    for side in SIDES:
        apex = (40.0, -20.0, side * 27.0) if side < 0 else (33.0, -26.0, 32.0)
        limbs = [(30.0, -1.0, side * 27.0), (28.0, -4.0, side * 38.0)]
        for limb in limbs:
            parts.append(Part(tube(abdomen.at(*apex), abdomen.at(*limb), 0.0022), tissue, "adrenal"))
            lower = (limb[0] - 12.0, limb[1] - 1.0, limb[2])
            begin = (apex[0] - 12.0, apex[1], apex[2])
            parts.append(Part(tube(abdomen.at(*begin), abdomen.at(*lower), 0.0022), tissue, "adrenal"))
    return parts
