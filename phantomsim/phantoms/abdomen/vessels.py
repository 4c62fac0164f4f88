"""Great vessels of an abdomen, and the branches to its organs; places are rounded from sectional anatomy (grade C)."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from math import cos, pi, sin

import numpy as np

from phantomsim.phantoms.abdomen.contrast import Contrast
from phantomsim.phantoms.abdomen.frame import Abdomen
from phantomsim.phantoms.abdomen.organs import HILUM, PORTA
from phantomsim.phantoms.placement import between, integer_between
from phantomsim.phantoms.scene import Part
from phantomsim.phantoms.thorax.frame import SIDES, tube
from phantomsim.phantoms.thorax.trees import ends, grow
from phantomsim.physics.grid import Triple
from phantomsim.physics.rng import Key
from phantomsim.physics.shapes import Shape, capsule, ellipsoid, turn
from phantomsim.tissues import Tissue, get


def _line(points: Sequence[Triple], radius: float, tissue: Tissue, name: str) -> list[Part]:
    """Return a vessel through points [m]."""
    return [Part(tube(a, b, radius), tissue, name) for a, b in itertools.pairwise(points)]


def aorta(abdomen: Abdomen, radius: float, plaques: int, contrast: Contrast, key: Key) -> list[Part]:
    """Return the aorta with its wall and plaques, and both common iliac arteries."""
    blood, parts = contrast.tissue("artery"), []
    levels = ((210, 10), (120, 8), (60, 6), (0, 5), (-50, 5), (-92, 2))
    trunk = [abdomen.before(z, 21.0 + 1e3 * radius, x) for z, x in levels]
    taper = np.linspace(1.05, 0.82, len(trunk) - 1)
    fork = trunk[-1]
    iliac = {
        side: [fork, abdomen.before(-125.0, 30.0, side * 20.0), abdomen.before(-175.0, 22.0, side * 42.0)]
        for side in SIDES
    }
    for margin, tissue in ((0.0012, get("muscle")), (0.0, blood)):
        for share, a, b in zip(taper, trunk[:-1], trunk[1:], strict=True):
            parts.append(Part(tube(a, b, share * radius + margin), tissue, "aorta"))
        for points in iliac.values():
            parts += _line(points, 0.56 * radius + margin, tissue, "aorta")
    for number in range(plaques):
        stream = key.fold("plaque", number)
        angle = between(stream.fold("angle"), (0.0, 2 * pi))
        share = between(stream.fold("z"), (0.0, 1.0))
        z = (1 - share) * -85.0 + share * 40.0
        y, x = (
            np.interp(1e-3 * abdomen.height * z, [p[0] for p in trunk[::-1]], [p[1] for p in trunk[::-1]]),
            np.interp(1e-3 * abdomen.height * z, [p[0] for p in trunk[::-1]], [p[2] for p in trunk[::-1]]),
        )
        wall = 0.9 * radius
        place = (1e-3 * abdomen.height * z, float(y) + wall * sin(angle), float(x) + wall * cos(angle))
        axes = (between(stream.fold("length"), (0.002, 0.006)), 0.0009, between(stream.fold("size"), (0.0015, 0.0035)))
        parts.append(Part(ellipsoid(place, axes, turn("z", angle + pi / 2)), get("calcification_ha"), "calcification"))
    return parts


def cava(abdomen: Abdomen, radius: float, contrast: Contrast) -> list[Part]:
    """Return the vena cava, flatter below the renal veins, and both common iliac veins."""
    below, above = contrast.tissue("lower cava"), contrast.tissue("cava")
    parts = []
    fork = abdomen.before(-100.0, 27.0, -15.0)
    for side in SIDES:
        points = [fork, abdomen.before(-128.0, 24.0, side * 22.0), abdomen.before(-178.0, 14.0, side * 44.0)]
        parts += _line(points, 0.0062, below, "vena cava")
    lower = [fork, abdomen.before(-60.0, 29.0, -20.0), abdomen.before(-10.0, 30.0, -21.0)]
    parts += [Part(_wide(tube(a, b, radius)), below, "vena cava") for a, b in itertools.pairwise(lower)]
    upper = [lower[-1], abdomen.at(30.0, -31.0, -23.0), abdomen.at(70.0, -31.0, -25.0), abdomen.at(105.0, -36.0, -25.0)]
    upper.append(abdomen.at(150.0, -48.0, -22.0))
    return parts + _line(upper, 1.08 * radius, above, "vena cava")


def _wide(shape: Shape) -> Shape:
    """Return an upright round vessel made 1.3 times as wide from side to side as it is deep."""
    half = shape.semi_axes[0] * (1 + shape.param)
    radius = shape.semi_axes[1]
    sideways = abs(shape.rotation[2][2]) > abs(shape.rotation[2][1])
    y, x = (0.87 * radius, 1.13 * radius) if sideways else (1.13 * radius, 0.87 * radius)
    return capsule(shape.centre, (half, y, x), shape.rotation)


def branches(abdomen: Abdomen, hila: dict[int, Triple], contrast: Contrast) -> list[Part]:
    """Return arteries to liver, spleen, kidneys and bowel, renal veins, and the portal vein with its two roots."""
    artery, vein, portal = (contrast.tissue(name) for name in ("artery", "cava", "portal vein"))
    at, before = abdomen.at, abdomen.before
    axis = before(27.0, 30.0, 6.0)
    fork = (axis[0] + 0.002, axis[1] - 0.018, axis[2] - 0.001)
    parts = _line([axis, fork], 0.0036, artery, "artery")
    common = [fork, at(22.0, -56.0, -12.0), at(14.0, -56.0, -24.0), at(20.0, -50.0, -30.0)]
    parts += _line(common, 0.0024, artery, "artery")
    splenic = [fork, at(34.0, -52.0, 18.0), at(28.0, -44.0, 34.0), at(40.0, -30.0, 52.0), at(*HILUM)]
    parts += _line(splenic, 0.0026, artery, "artery")
    root = before(7.0, 30.0, 5.0)
    down = [root, (root[0] - 0.012, root[1] - 0.018, root[2]), at(-50.0, -62.0, 4.0), at(-105.0, -64.0, -12.0)]
    parts += _line(down, 0.0033, artery, "artery")
    confluence, hilum = at(2.0, -51.0, -10.0), at(*HILUM)
    mesenteric = [confluence, at(-30.0, -62.0, -11.0), at(-60.0, -66.0, -10.0), at(-105.0, -66.0, -22.0)]
    parts += _line(mesenteric, 0.0048, portal, "portal vein")
    roots = [confluence, at(10.0, -52.0, 8.0), at(16.0, -46.0, 26.0), at(27.0, -31.0, 46.0), hilum]
    parts += _line(roots, 0.0040, portal, "portal vein")
    parts += _line([confluence, at(8.0, -47.0, -22.0), at(*PORTA)], 0.0062, portal, "portal vein")
    for side, entry in hila.items():
        z = 1e3 * entry[0] / abdomen.height
        start = before(-4.0, 29.0, 5.0)
        past = before(0.5 * (z - 4.0), 14.0 if side < 0 else 20.0, side * 30.0)
        parts += _line([start, past, entry], 0.0026, artery, "artery")
        low = 0.6 * z - 4.0
        leave = before(low, 20.0 if side < 0 else 22.0, side * 38.0)
        path = [entry, leave]
        if side > 0:  # the left vein crosses between the aorta and the artery of the bowel
            path += [before(-10.0, 44.0, 20.0), before(-11.0, 45.0, 2.0)]
        path.append(before(-12.0, 33.0, -19.0))
        parts += _line(path, 0.0043, vein, "renal vein")
    return parts


def mesentery(abdomen: Abdomen, contrast: Contrast, key: Key) -> list[Part]:
    """Return vessels that fan out through the fat between the loops of the small bowel."""
    region = [abdomen.oval((-85.0, -66.0, 0.0), (66, 26, 74), (1.0, *abdomen.stretch[1:]))]
    count = integer_between(key.fold("count"), (20, 30))
    parts = []
    for name, x in (("artery", 3.0), ("portal vein", -12.0)):
        targets = ends(count, region, (), key.fold(name))
        tissue = contrast.tissue("artery" if name == "artery" else "portal vein")
        radius = 0.0026 if name == "artery" else 0.0034
        for branch in grow(abdomen.at(-48.0, -62.0, x), targets, radius, key.fold(name, "tree")):
            shape = tube(branch.start, branch.end, max(branch.radius, 0.0008))
            parts.append(Part(shape, tissue, "mesenteric vessel"))
    return parts
