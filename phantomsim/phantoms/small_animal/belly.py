"""Inside of a small animal's belly: liver, stomach, spleen, pancreas, kidneys, bowel, bladder, fat pads, testes [mm].

The small bowel is a run of tubes through bends that fill the belly, of the length of a mouse's, some 30 cm; what covers
it later, caecum, kidneys and bladder, pushes nothing aside but hides it.
"""

from __future__ import annotations

from itertools import pairwise
from math import dist
from typing import Final

import numpy as np

from phantomsim.phantoms.ranges import between
from phantomsim.phantoms.scene import Part
from phantomsim.phantoms.small_animal.frame import SIDES, chain, fill, oval, rod
from phantomsim.physics.grid import Triple
from phantomsim.physics.rng import Key, uniform
from phantomsim.physics.shapes import turn

LIVER: Final[Triple] = (1.0, -1.9, 0.0)
"""Top of the liver, under the diaphragm, from where it grows."""
KIDNEYS: Final[tuple[Triple, Triple]] = ((-14.0, 2.4, -5.5), (-18.5, 2.4, 5.5))
SPLEEN: Final[Triple] = (-15.5, 0.8, 8.6)
BOWEL: Final[tuple[Triple, Triple]] = ((-22.5, -2.6, 0.0), (12.0, 5.7, 8.8))
"""Middle and semi-axes of the room for the small bowel."""
APART: Final = 2.25
LONGEST: Final = 6.0
"""Distance between the bends of the small bowel, and the longest piece between two of them."""
CAVITY: Final[tuple[Triple, Triple]] = ((-19.0, -2.2, 0.0), (18.0, 6.6, 9.8))


def cavity() -> list[Part]:
    """Return the fat that fills the belly wherever no organ lies."""
    return fill([oval(*CAVITY)], "adipose", "belly fat")


def liver() -> list[Part]:
    """Return the lobes of the liver, its largest veins and the gall bladder."""
    lobes = [
        oval((-4.4, -2.0, 0.0), (5.5, 5.1, 6.9)),
        oval((-9.0, -3.6, 4.6), (5.4, 4.3, 4.3), turn("y", 0.25)),
        oval((-8.2, -1.0, -4.6), (5.6, 4.9, 3.9), turn("y", -0.2)),
        oval((-11.6, 1.4, -2.4), (3.0, 2.0, 2.4)),
        oval((-11.6, -4.8, -3.6), (4.0, 2.9, 3.8)),
    ]
    portal = [(-11.5, 0.2, 0.2), (-8.5, -1.4, 0.0), (-7.6, -3.2, 3.8)]
    right = [(-8.5, -1.4, 0.0), (-7.6, -1.8, -4.2)]
    drain = [(-2.4, -0.5, -1.3), (-4.6, -3.0, 2.4)]
    veins = [*chain(portal, [0.5, 0.38]), *chain(right, [0.4]), *chain(drain, [0.42])]
    gall = oval((-9.0, -6.2, -0.7), (1.5, 0.9, 1.0))
    return (
        fill(lobes, "liver", "liver")
        + fill(veins, "blood_venous", "liver vein")
        + fill([gall], "water", "gall bladder")
    )


def stomach(fullness: float, gas: float) -> list[Part]:
    """Return the stomach, filled to a fraction, with a bubble of gas at its back of a radius [mm]."""
    tilted = turn("z", 0.4)
    semi_axes: Triple = (2.6 + 1.2 * fullness, 3.3 + 1.0 * fullness, 2.9 + 1.0 * fullness)
    middle: Triple = (-11.2, 0.4, 5.6)
    parts = fill(
        [oval(middle, semi_axes, tilted), rod((-12.0, -0.5, 4.0), (-13.2, -0.8, -0.4), 1.3)], "gi_tract", "stomach"
    )
    parts += fill([oval(middle, semi_axes, tilted, grow=-0.55)], "soft_tissue", "stomach content")
    if gas > 0:
        bubble: Triple = (middle[0], middle[1] + semi_axes[1] - 0.75 - 0.7 * gas, middle[2] - 0.5)
        parts += fill([oval(bubble, (1.1 * gas, 0.6 * gas, gas))], "air", "gas")
    return parts


def spleen() -> list[Part]:
    """Return the spleen along the left side, and the pancreas that reaches to it."""
    tongue = oval((-14.4, 0.6, 2.6), (1.7, 1.2, 3.6), turn("y", -0.3))
    parts = fill([tongue, oval((-15.5, -0.6, -1.8), (1.5, 1.1, 2.2))], "pancreas", "pancreas")
    return parts + fill([oval(SPLEEN, (6.0, 2.1, 1.25), turn("x", 0.45))], "spleen", "spleen")


def kidney(side: int) -> list[Part]:
    """Return one kidney: cortex, medulla, and the pelvis towards the middle."""
    middle = KIDNEYS[0] if side < 0 else KIDNEYS[1]
    z, y, x = middle
    turned = turn("y", -0.15 * side)
    parts = fill([oval(middle, (5.1, 2.9, 3.1), turned)], "kidney_cortex", "kidney cortex")
    parts += fill([oval((z, y - 0.1, x - 0.35 * side), (3.5, 1.7, 1.9), turned)], "kidney_medulla", "kidney medulla")
    pelvis = oval((z, y - 0.2, x - 1.9 * side), (1.2, 0.55, 0.9))
    gland = oval((z + 5.4, y + 0.3, 0.62 * x), (1.0, 0.7, 0.8))
    return parts + fill([pelvis], "urine", "kidney pelvis") + fill([gland], "soft_tissue", "adrenal gland")


def bowel(key: Key, gas: float) -> list[Part]:
    """Return small bowel, caecum and colon; `gas` is the share of the bowel that holds gas."""
    places = _tour(key.fold("loops"))
    steps = [(a, b) for a, b in pairwise(places) if dist(a, b) < LONGEST]
    draws = uniform(key.fold("bowel"), (len(steps), 2), dtype=np.float64).tolist()
    radii = [1.1 + 0.35 * draw for draw, _ in draws]
    parts = fill([rod(a, b, r) for (a, b), r in zip(steps, radii, strict=True)], "gi_tract", "small bowel")
    for (a, b), r, (_, filled) in zip(steps, radii, draws, strict=True):
        parts += fill([rod(a, b, 0.58 * r)], *(("air", "gas") if filled < 0.4 * gas else ("water", "bowel content")))
    side = 1 if between(key.fold("side"), (0.0, 1.0)) < 0.7 else -1
    z, y, x = -22.5, -5.0, 3.4 * side
    for centre, semi_axes in (((z, y, x), (4.3, 2.9, 4.6)), ((z + 3.6, y + 0.3, 0.2 * x), (2.9, 2.4, 3.4))):
        parts += fill([oval(centre, semi_axes)], "gi_tract", "caecum")
    for centre, semi_axes in (((z, y, x), (4.3, 2.9, 4.6)), ((z + 3.6, y + 0.3, 0.2 * x), (2.9, 2.4, 3.4))):
        parts += fill([oval(centre, semi_axes, grow=-0.35)], "soft_tissue", "bowel content")
    if gas > 0:
        size = 0.9 + 1.6 * gas
        parts += fill([oval((z, y + 2.4 - 0.5 * size, x), (size, 0.5 * size, 1.1 * size))], "air", "gas")
    return parts + _colon(key.fold("colon"), gas)


def _tour(key: Key) -> list[Triple]:
    """Return places all over the belly, none near another, in the order of a walk to the nearest one left."""
    points = uniform(key, (3000, 3), dtype=np.float64) * 2 - 1
    points = np.asarray(BOWEL[0]) + points[(points**2).sum(axis=1) < 1] * BOWEL[1]
    chosen: list[Triple] = []
    while len(points):
        z, y, x = points[0].tolist()
        chosen.append((z, y, x))
        points = points[((points - points[0]) ** 2).sum(axis=1) > APART**2]
    walk = [max(chosen)]
    chosen.remove(walk[0])
    while chosen:
        walk.append(min(chosen, key=lambda place: dist(place, walk[-1])))
        chosen.remove(walk[-1])
    return walk


def _colon(key: Key, gas: float) -> list[Part]:
    """Return the colon from the caecum to the anus, with pellets in its last part."""
    places: list[Triple] = [(-20.0, -3.6, -3.0), (-16.0, -1.6, -4.4), (-14.5, -2.4, 0.5), (-17.0, 0.9, 3.0)]
    places += [(-22.0, 2.0, 1.6), (-30.0, 1.9, 0.5), (-37.0, 0.4, 0.0), (-43.2, -0.8, 0.0)]
    parts = fill(chain(places, [1.35, 1.35, 1.3, 1.25, 1.2, 1.15, 0.95]), "gi_tract", "colon")
    draws = uniform(key, 7, dtype=np.float64).tolist()
    for a, b, draw in list(zip(places[:-1], places[1:], draws, strict=True))[:-1]:
        matter = ("air", "gas") if draw < gas else ("soft_tissue", "bowel content")
        first, last = np.asarray(a), np.asarray(b)
        n = max(1, round(float(np.linalg.norm(last - first)) / 3.4))
        for i in range(n):  # pellets: pieces of content with the wall between them
            ends = (first + (i + s) / n * (last - first) for s in (0.28, 0.72))
            (z0, y0, x0), (z1, y1, x1) = (end.tolist() for end in ends)
            parts += fill([rod((z0, y0, x0), (z1, y1, x1), 0.82)], *matter)
    return parts


def pelvis(bladder: float, male: bool) -> list[Part]:
    """Return the bladder of a radius [mm], the fat pads around it, and testes or the horns of the womb."""
    parts = []
    for side in SIDES:
        pad = oval((-29.0, -3.8, side * 5.6), (5.0, 2.6, 2.3), turn("y", side * 0.25))
        flank = oval((-30.5, -5.6, side * 5.6), (3.4, 1.4, 3.0))
        parts += fill([pad, flank], "adipose", "fat pad")
        if male:
            parts += fill([oval((-36.8, -4.6, side * 2.7), (3.3, 2.0, 2.0))], "soft_tissue", "testis")
        else:
            horn: list[Triple] = [(-35.0, -2.6, 0.0), (-28.0, -1.0, side * 3.6), (-20.5, 1.6, side * 5.4)]
            parts += fill(chain(horn, [0.8, 0.7]), "soft_tissue", "womb")
    middle: Triple = (-33.0, -4.6, 0.0)
    wall = (bladder + 0.3,) * 3
    parts += fill([oval(middle, (wall[0], wall[1], wall[2]))], "muscle", "bladder")
    return parts + fill([oval(middle, (bladder, bladder, bladder))], "urine", "bladder")
