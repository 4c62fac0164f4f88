"""Wall of an abdomen: skin, fat, muscles, the diaphragm with the lungs above it, and the couch beneath."""

from __future__ import annotations

from dataclasses import replace

from phantomsim.phantoms.abdomen.contrast import Contrast
from phantomsim.phantoms.abdomen.frame import Abdomen, settled
from phantomsim.phantoms.scene import Part
from phantomsim.phantoms.thorax.frame import SIDES, tube
from phantomsim.physics.shapes import Shape, box, cylinder, ellipsoid, turn
from phantomsim.tissues import get


def layers(abdomen: Abdomen, contrast: Contrast) -> list[Part]:
    """Return skin, fat, the three flat muscles with fat between them, the straight muscles, and the cavity of fat."""
    muscle, fat = contrast.tissue("muscle"), get("adipose")
    parts = [Part(shape, get("skin"), "skin") for shape in abdomen.trunk(0.0)]
    parts += [Part(shape, fat, "fat") for shape in abdomen.trunk(0.002)]
    line = 0.0009 / abdomen.wall
    for depth in (0.0, 0.34, 0.70):
        if depth:
            parts += [Part(shape, fat, "fat") for shape in abdomen.girdle(depth - line)]
        parts += [Part(shape, muscle, "muscle") for shape in abdomen.girdle(depth)]
    return parts + [Part(shape, fat, "fat") for shape in abdomen.cavity] + _front(abdomen, contrast)


def _front(abdomen: Abdomen, contrast: Contrast) -> list[Part]:
    """Return the straight muscles in their sheath, and the fat beside and between them."""
    y, thick = abdomen.outer[1] + abdomen.rectus / 2, 0.5 * abdomen.rectus
    parts = []
    for side in SIDES:
        shape = cylinder(
            (0.0, y + 0.0018, side * 0.25 * abdomen.outer[0]),
            (abdomen.half_length, thick, 0.030),
            turn("z", side * 0.10),
        )
        parts.append(Part(shape, contrast.tissue("muscle"), "muscle"))
        x = side * 0.50 * abdomen.outer[0]
        edge = cylinder((0.0, y + 0.0075, x), (abdomen.half_length, 1.6 * thick, 0.0028), turn("z", side * 0.7))
        parts.append(Part(edge, get("adipose"), "fat"))
    gap = cylinder((0.0, y - 0.001, 0.0), (abdomen.half_length, 1.6 * thick, 0.0035))
    return [*parts, Part(gap, get("adipose"), "fat")]


def back(abdomen: Abdomen, contrast: Contrast) -> list[Part]:
    """Return erectors of the spine, square and psoas muscles, and the crura of the diaphragm."""
    muscle, fat, size = contrast.tissue("muscle"), get("adipose"), abdomen.muscle**0.5
    parts = []
    for side in SIDES:
        place = (0.0, abdomen.spine + 0.042, side * 0.036)
        for margin, tissue, name in ((0.0016, fat, "fat"), (0.0, muscle, "muscle")):
            semi_axes = (abdomen.half_length, 0.0175 * size + margin, 0.031 * size + margin)
            parts.append(Part(cylinder(place, semi_axes, turn("z", side * 0.12)), tissue, name))
        square = ellipsoid(
            abdomen.before(-35.0, -21.0, side * 60.0), (0.085, 0.0085 * size, 0.021), turn("z", -side * 0.15)
        )
        parts.append(Part(square, muscle, "muscle"))
        psoas = [
            (30, 2, 30, 6),
            (-10, 2, 37, 12),
            (-50, 4, 43, 16),
            (-95, 8, 50, 19),
            (-150, 22, 62, 21),
            (-230, 40, 78, 21),
        ]
        places = [abdomen.before(z, gap, side * x) for z, gap, x, _ in psoas]
        for a, b, wide in zip(places[:-1], places[1:], [p[3] for p in psoas[1:]], strict=True):
            parts.append(Part(tube(a, b, 1e-3 * wide * size), muscle, "psoas"))
        crus = [
            abdomen.before(z, gap, side * x) for z, gap, x in ((110, 26, 20), (60, 24, 18), (0, 21, 16), (-45, 18, 14))
        ]
        for a, b, radius in zip(crus[:-1], crus[1:], (0.0065, 0.0055, 0.0035), strict=True):
            parts.append(Part(tube(a, b, radius), muscle, "diaphragm"))
    return parts


def chest(abdomen: Abdomen, right: Shape, contrast: Contrast) -> list[Part]:
    """Return the lungs' bases and the heart's above the diaphragm, which arches over the liver's right dome.

    The recess of the lungs ends at a plane, low behind and high in front.
    """
    muscle, fat = contrast.tissue("muscle"), get("adipose")
    slope = (-1.0, -0.42, 0.0)
    z, y, _ = abdomen.at(101.0, -117.0, 0.0)
    recess = -z - 0.42 * y
    parts = [
        Part(shape.clipped(slope, recess), get("lung_inflated").diluted(280.0), "lung") for shape in abdomen.cavity
    ]
    middle = (abdomen.at(0.0, -46.0, 0.0)[1], 0.0)
    stretch = (1.0, *abdomen.stretch[1:])
    left = settled(abdomen.oval((40, -38, 38), (84, 68, 84), stretch), abdomen.cavity, middle)
    ovals = [((20.0, -46.0, 0.0), (88.0, 71.0, 126.0)), ((50.0, -46.0, 0.0), (77.0, 71.0, 126.0))]
    common = [settled(abdomen.oval(place, axes, stretch), abdomen.cavity, middle) for place, axes in ovals]
    backs = [
        settled(abdomen.oval((20, -8, side * 70), (70, 40, 44), stretch), abdomen.cavity, middle) for side in SIDES
    ]
    heart = settled(abdomen.oval((134, -74, 20), (52, 46, 70)), abdomen.cavity, middle)
    parts += [Part(_grown(heart, 0.005), fat, "fat"), Part(heart, contrast.tissue("myocardium"), "heart")]
    arches = (right.uncut, left, *common, *backs)
    parts += [Part(_grown(arch, 0.0026).clipped(slope, recess), muscle, "diaphragm") for arch in arches]
    return parts + [Part(arch.clipped(slope, recess), fat, "fat") for arch in arches]


def _grown(shape: Shape, margin: float) -> Shape:
    """Return an ellipsoid grown by a margin [m]."""
    z, y, x = (a + margin for a in shape.semi_axes)
    return replace(shape, semi_axes=(z, y, x))


def couch(abdomen: Abdomen) -> list[Part]:
    """Return a table top of carbon fibre around foam, under the back.

    Carbon-fibre laminate is nine tenths carbon by mass, as polystyrene is, at 1550 kg/m³; the foam has 60 kg/m³.
    """
    laminate, foam = get("polystyrene").diluted(1550.0), get("polystyrene").diluted(60.0)
    y = 0.94 * abdomen.depth + 0.001
    size = (abdomen.half_length + 0.05, 0.014, 0.215)
    centre = (0.0, y + size[1], 0.0)
    return [
        Part(box(centre, size), laminate, "couch"),
        Part(box(centre, (size[0], size[1] - 0.0012, size[2] - 0.0012)), foam, "couch"),
    ]
