"""Outside and bones of a head: skin, fat, muscles, the vault with its diploe, the base with its air cells, the neck.

Places and sizes are those of the atlas of `phantomsim.phantoms.head.frame` [mm].
"""

from __future__ import annotations

from itertools import pairwise
from math import cos, sin
from typing import Final

from phantomsim.phantoms.head.frame import (
    FRONTAL,
    PARIETAL,
    POSTERIOR_FOSSA,
    SIDES,
    Head,
    Oval,
    bone,
    chain,
    fill,
    middle_fossa,
)
from phantomsim.phantoms.placement import between
from phantomsim.phantoms.scene import Part
from phantomsim.physics.grid import Triple
from phantomsim.physics.rng import Key
from phantomsim.physics.shapes import Shape, ellipsoid, turn
from phantomsim.tissues import get

SKIN: Final = 2.0
"""Thickness of the skin [mm]."""

CRANIUM: Final[tuple[tuple[Oval, float], ...]] = (
    (PARIETAL, 1.0),
    (FRONTAL, 1.0),
    (middle_fossa(-1), 0.6),
    (middle_fossa(1), 0.6),
    (POSTERIOR_FOSSA, 0.8),
)
"""Ovals of the cranial cavity, and the thickness of the bone around each over that of the vault."""

FACE: Final[tuple[Oval, ...]] = (
    ((-60.0, -40.0, 0.0), (75.0, 57.0, 65.0)),
    ((-98.0, -42.0, 0.0), (44.0, 52.0, 53.0)),
    ((-16.0, -66.0, 0.0), (17.0, 24.0, 37.0)),  # brow
    *(((-30.0, -59.0, side * 30.0), (20.0, 30.0, 23.0)) for side in SIDES),  # lids
    *(((-92.0, -22.0, side * 34.0), (36.0, 32.0, 27.5)) for side in SIDES),  # angles of the jaw
    *(((-52.0, 28.0, side * 46.0), (26.0, 20.0, 23.5)) for side in SIDES),  # behind the ears
    *(((-50.0, -24.0, side * 45.0), (26.0, 46.0, 24.0)) for side in SIDES),  # cheeks
    ((-120.0, -68.0, 0.0), (20.0, 25.0, 30.0)),  # chin
)
NOSE: Final[Oval] = ((-56.0, -92.0, 0.0), (21.0, 19.0, 13.0))
NECK: Final = ((-60.0, 20.0, 0.0), (-260.0, 25.0, 0.0), 58.0)
END: Final = -206.0
"""Where the neck is cut off, under the seventh cervical vertebra and some 65 mm below the chin."""
MUSCLES: Final = 9.0
"""Depth of the muscles of the face under the skin [mm]."""


def temple(side: int) -> Oval:
    """Return the temporal muscle."""
    return ((-10.0, -30.0, side * 53.0), (36.0, 30.0, 13.5))


def outside(head: Head) -> list[Part]:
    """Return skin, the fat under it, the muscles of face, neck and temples, and the ears."""
    start, end, radius = NECK

    def layer(depth: float, face: float) -> list[Shape]:
        wall = [head.oval(oval, head.bone * share + head.scalp - depth) for oval, share in CRANIUM]
        temples = [head.oval(temple(side), head.scalp - 1.0 - depth) for side in SIDES]
        front = [head.oval(oval, -face) for oval in FACE]
        return [*wall, *temples, *front, head.rod(start, end, radius - depth, flat=0.95)]

    ears = []
    for side in SIDES:
        z, y, x = head.at((-36.0, 22.0, 69.0))
        rotation = turn("z", -0.3 * side)
        ears += [
            Part(ellipsoid((z, y, side * x), (0.031, 0.015, 0.0035), rotation), get("skin"), "ear"),
            Part(ellipsoid((z, y, side * x), (0.028, 0.0125, 0.0016), rotation), get("cartilage"), "ear"),
        ]
    skin = [*layer(0.0, 0.0), head.oval(NOSE, 0.0, turn("x", 0.35))]
    muscle = [head.oval(oval, -MUSCLES) for oval in FACE[:2]] + [head.rod(start, end, radius - 7.0, flat=0.95)]
    muscle += [head.oval(temple(side)) for side in SIDES]
    shoulders: Oval = ((-232.0, 40.0, 0.0), (62.0, 52.0, 96.0))  # where the trapezius begins to slope outwards
    skin.append(head.oval(shoulders))
    muscle.append(head.oval(shoulders, -9.0))
    return [
        *ears,
        *fill(skin, "skin", "skin"),
        *fill(
            [*layer(SKIN, SKIN), head.oval(NOSE, -SKIN, turn("x", 0.35)), head.oval(shoulders, -SKIN)], "adipose", "fat"
        ),
        *fill(muscle, "muscle", "muscle"),
    ]


def vault(head: Head) -> list[Part]:
    """Return the skull around the brain, outer table, diploe and inner table, filled with cerebrospinal fluid."""
    layers = (("cortical_bone", 1.0), ("trabecular_bone", 0.72), ("cortical_bone", 0.27), ("csf", 0.0))
    parts = []
    for tissue, depth in layers:
        shapes = [head.oval(oval, depth * share * head.bone) for oval, share in CRANIUM]
        parts += fill(shapes, tissue, "csf" if tissue == "csf" else "skull")
    return parts


def base(head: Head, key: Key) -> list[Part]:
    """Return the middle of the skull's base: sphenoid with its sinus, clivus, petrous and mastoid bones, ear canals."""
    spongy = get("trabecular_bone")
    body: list[Oval] = [((-33.0, -16.0, 0.0), (12.0, 17.0, 15.0)), ((-46.0, -1.0, 0.0), (16.0, 7.0, 13.0))]
    parts = bone(head, body, 1.5, spongy, "skull base")
    sella: Oval = ((-23.0, -9.0, 0.0), (4.5, 5.5, 7.0))
    parts.append(Part(head.oval(sella), get("soft_tissue"), "pituitary"))
    air = between(key.fold("sphenoid"), (0.75, 1.1))
    for side in SIDES:
        sinus: Oval = ((-35.0, -21.0, side * 6.0), (8.0 * air, 10.0 * air, 5.4 * air))
        parts.append(Part(head.oval(sinus), get("air"), "sinus"))
    for side in SIDES:
        petrous: Oval = ((-37.0, 15.0, side * 37.0), (9.0, 9.0, 26.0))
        mastoid: Oval = ((-49.0, 30.0, side * 53.0), (17.0, 14.0, 10.5))
        ridge = head.oval(petrous, 0.0, turn("z", 0.5 * side))
        core = head.oval(petrous, -3.0, turn("z", 0.5 * side))
        parts += fill([ridge], "cortical_bone", "skull base") + fill([core], "trabecular_bone", "skull base")
        parts += bone(head, [mastoid], 1.6, spongy, "skull base")
        parts += _cells(head, side, key.fold("mastoid", side))
        canal = head.rod((-38.0, 13.0, side * 44.0), (-38.0, 12.0, side * 84.0), 3.3)
        parts += fill([canal], "air", "ear canal")
        cochlea = ellipsoid(head.at((-36.0, 8.0, side * 25.0)), (0.003, 0.003, 0.004))
        parts += fill([cochlea], "water", "skull base")
    return parts


def _cells(head: Head, side: int, key: Key) -> list[Part]:
    """Return the air cells of a mastoid on a spiral, larger in the middle (the antrum), with bone between them."""
    cells = []
    for i in range(12):
        stream = key.fold(i)
        turned, out = 2.4 * i, (i / 12) ** 0.5
        place = (
            -46.0 + 12.0 * out * cos(turned) + between(stream.fold("z"), (-1.0, 1.0)),
            28.0 + 9.5 * out * sin(turned),
            side * (52.0 + between(stream.fold("x"), (-4.0, 4.0))),
        )
        radius = 1e-3 * (3.0 - 1.4 * out) * between(stream.fold("radius"), (0.7, 1.1))
        cells.append(ellipsoid(head.at(place), (1.3 * radius, radius, radius)))
    return fill(cells, "air", "air cell")


def _throat(head: Head) -> list[Part]:
    """Return the throat, larynx and windpipe with their cartilage, the gullet and the thyroid gland."""
    throat = head.rod((-66.0, -12.0, 0.0), (-150.0, -14.0, 0.0), 8.0, flat=1.9)
    parts = fill([head.rod((-160.0, 0.0, 0.0), (-260.0, 4.0, 0.0), 6.0, flat=1.6)], "gi_tract", "gullet")
    lobes = [head.oval(((-186.0, -12.0, side * 15.0), (22.0, 9.0, 8.0))) for side in SIDES]
    isthmus = head.oval(((-192.0, -23.0, 0.0), (8.0, 3.5, 13.0)))
    parts += fill([*lobes, isthmus], "thyroid", "thyroid")
    for side in SIDES:
        shield = head.oval(((-154.0, -17.0, side * 9.0), (14.0, 2.2, 12.0)), 0.0, turn("z", 0.95 * side))
        parts += fill([shield], "cartilage", "larynx")
    parts += fill([head.rod((-168.0, -14.0, 0.0), (-260.0, -10.0, 0.0), 10.0)], "cartilage", "windpipe")
    parts += fill([head.rod((-150.0, -14.0, 0.0), (-172.0, -14.0, 0.0), 5.0, flat=0.55)], "air", "throat")
    return parts + fill([throat, head.rod((-168.0, -14.0, 0.0), (-260.0, -10.0, 0.0), 8.4)], "air", "throat")


def _strands(head: Head) -> list[Part]:
    """Return the muscles of the neck that fat sets apart: before them the sternomastoids, behind the extensors."""
    sheaths, bellies = [], []
    for side in SIDES:
        for start, end, radius, flat in (
            ((-66.0, 30.0, side * 49.0), (-260.0, -20.0, side * 16.0), 8.0, 1.6),
            ((-90.0, 52.0, side * 16.0), (-260.0, 54.0, side * 22.0), 13.0, 1.3),
            ((-110.0, 36.0, side * 36.0), (-260.0, 40.0, side * 44.0), 9.0, 0.6),
        ):
            sheaths.append(head.rod(start, end, radius + 0.8, flat=flat))
            bellies.append(head.rod(start, end, radius, flat=flat))
    return fill(sheaths, "adipose", "fat") + fill(bellies, "muscle", "muscle")


def neck(head: Head) -> list[Part]:
    """Return the cervical spine, its canal with the spinal cord, the throat, muscles and the great vessels."""
    parts: list[Part] = _strands(head)
    for side in SIDES:
        parts += bone(head, [((-77.0, 22.0, side * 21.0), (9.0, 9.0, 10.0))], 1.5, get("trabecular_bone"), "vertebra")
        ring: list[Triple] = [(-78.0, 26.0, side * 22.0), (-78.0, 43.0, side * 14.0), (-78.0, 50.0, 0.0)]
        parts += chain(head, ring, 4.0, 1.3, "vertebra")
        arch: list[Triple] = [(-77.0, 16.0, side * 18.0), (-77.0, 7.0, side * 7.0), (-77.0, 5.5, 0.0)]
        parts += chain(head, arch, 3.3, 1.2, "vertebra")
    parts += bone(head, [((-84.0, 14.5, 0.0), (17.0, 5.0, 5.2))], 1.2, get("trabecular_bone"), "vertebra")
    for level in range(7):  # the third to the seventh of the neck, and the first two of the chest
        z = -101.0 - 18.0 * level
        for side in SIDES:
            pillar: Oval = ((z, 21.0, side * 21.0), (8.0, 8.0, 6.0))
            parts += bone(head, [pillar], 1.3, get("trabecular_bone"), "vertebra")
            lamina: list[Triple] = [(z, 26.0, side * 19.0), (z - 3.0, 46.0, side * 2.0)]
            parts += chain(head, lamina, 3.4, 1.2, "vertebra")
        parts += chain(head, [(z - 3.0, 45.0, 0.0), (z - 6.0, 58.0, 0.0)], 3.6, 1.2, "vertebra")
        parts += bone(head, [((z, 12.0, 0.0), (10.5, 9.5, 14.0))], 1.2, get("trabecular_bone"), "vertebra")
    way: list[Triple] = [(-58.0, 23.0, 0.0), (-76.0, 29.0, 0.0), (-260.0, 33.0, 0.0)]
    for tissue, radius, name in (("csf", 8.6, "canal"), ("spinal_cord", 5.2, "cord")):
        flat = 1.25 if tissue == "csf" else 1.4
        parts += fill([head.rod(a, b, radius, flat=flat) for a, b in pairwise(way)], tissue, name)
    parts += _throat(head)
    for side in SIDES:
        for tissue, place, radius in (("blood", (2.0, 29.0), 2.8), ("blood_venous", (9.0, 35.0), 5.0)):
            y, x = place
            start, end = (-62.0, y, side * x), (-260.0, y - 4.0, side * (x - 2.0))
            parts += fill([head.rod(start, end, radius)], tissue, "vessel")
    return parts
