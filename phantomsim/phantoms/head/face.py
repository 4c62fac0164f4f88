"""The face: orbits with the eyes, nose and sinuses, jaws with teeth, tongue.

Places and sizes are those of the atlas of `phantomsim.phantoms.head.frame` [mm].
"""

from __future__ import annotations

from math import cos, sin

from phantomsim.phantoms.head.frame import SIDES, Head, Oval, bone, chain, fill
from phantomsim.phantoms.placement import between
from phantomsim.phantoms.scene import Part
from phantomsim.physics.grid import Triple
from phantomsim.physics.rng import Key
from phantomsim.physics.shapes import box, ellipsoid, turn
from phantomsim.tissues import get


def midface(head: Head, key: Key) -> list[Part]:
    """Return the floor of the anterior fossa, brow, cheek bones, nasal cavity, and sinuses with their air."""
    spongy = get("trabecular_bone")
    floor: Oval = ((-66.0, -62.0, 0.0), (46.0, 32.0, 40.0))
    parts = fill([head.oval(floor)], "cortical_bone", "skull base") + fill([head.oval(floor, -1.8)], "muscle", "muscle")
    parts += bone(head, [((-15.0, -78.5, 0.0), (11.0, 7.0, 24.0))], 1.6, spongy, "skull")
    size = between(key.fold("frontal"), (0.6, 1.15))
    for side in SIDES:
        frontal: Oval = ((-10.0, -79.5, side * 10.0), (12.0 * size, 3.4, 9.0 * size))
        parts += fill([head.oval(frontal)], "air", "sinus")
        cheek: list[Triple] = [(-50.0, -74.0, side * 38.0), (-46.0, -58.0, side * 52.0), (-44.0, -34.0, side * 60.0)]
        parts += chain(head, [*cheek, (-43.0, -4.0, side * 60.0)], 3.8, 1.3, "face bone")
        antrum: Oval = ((-57.0, -58.0, side * 27.0), (17.0, 17.0, 13.5))
        parts += fill([head.oval(antrum, 1.5)], "cortical_bone", "face bone")
        lining = between(key.fold("maxillary", side), (0.3, 3.0))
        parts += fill([head.oval(antrum)], "soft_tissue", "sinus") + fill([head.oval(antrum, -lining)], "air", "sinus")
    middle = head.at((-58.0, -57.0, 0.0))
    parts.append(Part(ellipsoid(middle, (0.021, 0.036, 0.0135)), get("soft_tissue"), "nose"))
    parts.append(Part(ellipsoid(middle, (0.019, 0.034, 0.0115)), get("air"), "nose"))
    for side in SIDES:
        for z, width in ((-68.0, 3.6), (-56.0, 3.0)):
            concha: Oval = ((z, -56.0, side * 6.6), (5.0, 22.0, width))
            parts += fill([head.oval(concha)], "soft_tissue", "nose")
    bend = between(key.fold("septum"), (-0.05, 0.05))
    parts += fill([box(middle, (0.021, 0.034, 0.001), turn("z", bend))], "cartilage", "nose")
    return parts


def ethmoid(head: Head, key: Key) -> list[Part]:
    """Return the cells of the ethmoid between the orbits, two rows of air with thin walls."""
    block: Oval = ((-31.0, -56.0, 0.0), (11.0, 24.0, 12.5))
    parts = fill([head.oval(block)], "cortical_bone", "skull base")
    parts += fill([head.oval(block, -0.8)], "soft_tissue", "sinus")
    for side in SIDES:
        for i, y in enumerate((-73.0, -64.5, -55.5, -46.5, -39.0)):
            inner = between(key.fold(side, i), (3.1, 4.0))
            cell: Oval = ((-31.0, y, side * 5.8), (9.0 - 0.4 * abs(i - 2), inner, 3.9))
            parts += fill([head.oval(cell)], "air", "sinus")
    return parts


def orbit(head: Head, side: int, key: Key) -> list[Part]:
    """Return an orbit: its wall, fat, muscles and optic nerve, and the eye with lens and vitreous body."""
    toward = turn("z", 0.36 * side)  # the axis of the orbit runs backwards and inwards
    wall: Oval = ((-29.0, -56.0, side * 29.0), (18.5, 27.0, 19.0))
    space: Oval = ((-29.0, -59.0, side * 30.0), (16.5, 26.0, 16.8))
    parts = fill([head.oval(wall, 0.0, toward)], "cortical_bone", "orbit")
    parts += fill([head.oval(space, 0.0, toward)], "adipose", "orbit")
    z, y, x = -29.0, -69.0, side * 32.5
    apex: Triple = (-29.0, -36.0, side * 18.0)
    for up, out in ((0.0, -11.0), (0.0, 11.0), (11.0, 0.0), (-11.0, 0.0)):
        belly: Triple = (z + 0.7 * up, -56.0, x - 3.0 * side + 0.85 * out * side)
        parts += fill(
            [head.rod(apex, belly, 1.9), head.rod(belly, (z + up, y + 4.0, x + out * side), 1.4)], "muscle", "orbit"
        )
    nerve: Triple = (z, y + 11.0, x - 2.0 * side)
    parts += fill([head.rod(apex, nerve, 2.6)], "csf", "orbit") + fill(
        [head.rod(apex, nerve, 1.7)], "white_matter", "optic nerve"
    )
    radius = 1e-3 * between(key.fold("eye"), (11.7, 12.4))  # axial length 23.5 to 24.8 mm
    eye = head.at((z, y, x))
    lens = (eye[0], eye[1] - 0.7 * radius, eye[2])
    parts += fill([ellipsoid(eye, (radius,) * 3)], "soft_tissue", "eye")
    parts += fill([ellipsoid(eye, (radius - 0.001,) * 3)], "vitreous", "eye")
    parts += fill([ellipsoid(lens, (0.0046, 0.002, 0.0046))], "eye_lens", "lens")
    return parts


def jaws(head: Head, key: Key) -> list[Part]:
    """Return palate, upper and lower jaw, tongue and the teeth, sixteen to an arch."""
    parts = []
    masseter = [head.oval(((-88.0, -26.0, side * 50.0), (28.0, 16.0, 8.0))) for side in SIDES]
    parts += fill(masseter, "muscle", "muscle")
    parts += bone(head, [((-80.0, -58.0, 0.0), (4.0, 27.0, 26.0))], 1.0, get("trabecular_bone"), "face bone")
    for side in SIDES:
        ramus: list[Triple] = [(-44.0, 0.0, side * 51.0), (-72.0, -12.0, side * 49.0), (-108.0, -22.0, side * 46.0)]
        body: list[Triple] = [*ramus, (-116.0, -48.0, side * 35.0), (-122.0, -72.0, side * 20.0), (-123.0, -80.0, 0.0)]
        parts += chain(head, body, 6.2, 1.8, "mandible")
        crest: list[Triple] = [(-107.0, -34.0, side * 31.0), (-108.0, -58.0, side * 26.0), (-109.0, -75.0, side * 14.0)]
        parts += chain(head, [*crest, (-109.0, -79.0, 0.0)], 5.6, 1.2, "mandible")
        arch: list[Triple] = [(-80.0, -36.0, side * 28.0), (-81.0, -58.0, side * 25.5), (-81.0, -76.0, side * 14.0)]
        parts += chain(head, [*arch, (-81.0, -80.0, 0.0)], 5.2, 0.9, "face bone")
    parts += fill([head.oval(((-94.0, -48.0, 0.0), (17.0, 27.0, 20.0)))], "muscle", "tongue")
    for jaw, neck in (("upper", -86.5), ("lower", -103.5)):
        sign = 1 if jaw == "upper" else -1
        for side in SIDES:
            for i in range(8):
                angle = (0.06, 0.20, 0.35, 0.50, 0.66, 0.84, 1.07, 1.30)[i]
                wide = (3.9, 3.2, 3.7, 3.5, 3.5, 4.9, 4.8, 4.5)[i] * (1.0 if jaw == "upper" or i > 1 else 0.72)
                z = neck + 0.4 * between(key.fold(jaw, side, i), (-1.0, 1.0))
                y, x = -34.0 - 46.0 * cos(angle), side * 29.5 * sin(angle) ** 0.8
                root = head.rod((z + sign * 10.0, y + 1.0, 0.97 * x), (z, y, x), 0.62 * wide)
                crown = head.rod((z - sign * 1.0, y, x), (z - sign * 3.5, y, x), 0.92 * wide)
                parts += fill([root], "cortical_bone", "tooth") + fill([crown], "tooth", "tooth")
    return parts
