"""Pieces of a torso cut through the upper abdomen, each a list of shapes from the lowest to the topmost.

Lengths are metres; x points to the patient's left, y to the back, z to the head. Sizes of organs are those of adults
in anatomy textbooks, rounded; they set a plausible scene, not a reference anatomy.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import cos, hypot, pi, sin

import numpy as np

from phantomsim.phantoms.placement import between, integer_between
from phantomsim.phantoms.scene import Part
from phantomsim.physics.grid import Triple
from phantomsim.physics.rng import Key, uniform
from phantomsim.physics.shapes import Rotation, Shape, along, capsule, cylinder, ellipsoid, turn
from phantomsim.tissues import Tissue, get


@dataclass(frozen=True)
class Torso:
    """Outer measures of a torso.

    Parameters
    ----------
    width, depth
        Semi-axes of the skin's outline along x and y [m].
    fat
        Thickness of the fat under the skin [m].
    half_length
        Half length along z [m].
    iodine
        Iodine in the aorta [mg/ml], from which all other uptake follows.
    """

    width: float
    depth: float
    fat: float
    half_length: float
    iodine: float

    @property
    def muscle(self) -> tuple[float, float]:
        """Semi-axes (x, y) of the outer face of the muscles [m]."""
        return self.width - self.fat - 0.002, self.depth - 0.8 * self.fat - 0.002

    @property
    def cavity(self) -> Shape:
        """The abdominal cavity; what stands behind it is muscle and spine."""
        x, y = self.muscle
        return cylinder((0.0, -0.1 * y, 0.0), (self.half_length, 0.83 * y, x - 0.013))

    @property
    def size(self) -> float:
        """Size of the organs behind the peritoneum, 1 in a torso of 33 cm."""
        return min(max(self.width / 0.165, 0.82), 1.1)

    @property
    def spine(self) -> float:
        """Position y of the middle of the vertebral body [m]."""
        return 0.93 * self.muscle[1] - 0.062

    def enhanced(self, name: str, uptake: float) -> Tissue:
        """Return a tissue with `uptake` times the aorta's iodine."""
        concentration = round(uptake * self.iodine, 3)
        return get(name).with_element("I", concentration) if concentration else get(name)

    def nested(self, scale: float, angle: float, half_length: float, z: float = 0.0) -> Shape:
        """Return an ellipsoid of `scale` times the cavity that touches its wall inside, at an angle from x to y."""
        _, y, x = self.cavity.semi_axes
        shift = 0.98 * (1 - scale)
        centre = (z, self.cavity.centre[1] + shift * y * sin(angle), shift * x * cos(angle))
        return ellipsoid(centre, (half_length, 0.99 * scale * y, 0.99 * scale * x))


def wall(torso: Torso) -> list[Part]:
    """Return skin, fat under it, muscle, and the cavity filled with fat."""
    parts = []
    x, y = torso.width, torso.depth
    layers = [("skin", "skin", x, y), ("adipose", "fat", x - 0.002, y - 0.002), ("muscle", "muscle", *torso.muscle)]
    for tissue, name, width, depth in layers:
        front = cylinder((0.0, -0.05 * depth, 0.0), (torso.half_length, 0.95 * depth, 0.985 * width))
        back = cylinder((0.0, 0.10 * depth, 0.0), (torso.half_length, 0.84 * depth, width))
        parts += [Part(front, get(tissue), name), Part(back, get(tissue), name)]
    parts.append(Part(torso.cavity, get("adipose"), "fat"))
    for side in (-1, 1):
        back_muscle = (0.0, torso.spine + 0.042, side * 0.036)
        for margin, tissue in ((0.0015, "adipose"), (0.0, "muscle")):
            semi_axes = (torso.half_length, 0.019 + margin, 0.029 + margin)
            parts.append(Part(cylinder(back_muscle, semi_axes, turn("z", side * 0.15)), get(tissue), "muscle"))
        psoas = cylinder((0.0, torso.spine + 0.002, side * 0.040), (torso.half_length, 0.021, 0.015))
        parts.append(Part(psoas, get("muscle"), "psoas"))
    return parts


def _bone(shape: Shape, cortex: float, inside: Tissue, name: str) -> list[Part]:
    """Return a bone with a cortex of the given thickness."""
    z, y, x = shape.semi_axes
    inner = Shape(shape.kind, shape.centre, (z, y - cortex, x - cortex), shape.rotation)
    return [Part(shape, get("cortical_bone"), name), Part(inner, inside, name)]


def spine(torso: Torso, key: Key) -> list[Part]:
    """Return a vertebra with its arch, processes and canal."""
    width, middle, size = between(key.fold("width"), (0.021, 0.026)), torso.spine, torso.half_length
    depth = 0.72 * width
    spongy = get("trabecular_bone").diluted(round(between(key.fold("density"), (1060.0, 1150.0))))
    canal = middle + depth + 0.008
    parts = []
    for side in (-1, 1):
        process = ellipsoid((0.0, canal + 0.001, side * 0.026), (0.012, 0.0045, 0.017), turn("z", side * 0.3))
        parts += _bone(process, 0.0013, spongy, "vertebra")
    spinous = ellipsoid((0.0, canal + 0.022, 0.0), (0.022, 0.017, 0.0045))
    parts += _bone(spinous, 0.0013, spongy, "vertebra")
    parts += _bone(cylinder((0.0, canal + 0.001, 0.0), (size, 0.0125, 0.0165)), 0.0015, spongy, "vertebra")
    parts += _bone(cylinder((0.0, middle, 0.0), (size, depth, width)), 0.0013, spongy, "vertebra")
    parts.append(Part(cylinder((0.0, canal, 0.0), (size, 0.0085, 0.0105)), get("adipose"), "canal"))
    parts.append(Part(cylinder((0.0, canal, 0.0), (size, 0.0068, 0.0080)), get("csf"), "canal"))
    parts.append(Part(cylinder((0.0, canal, 0.0), (size, 0.0040, 0.0055)), get("spinal_cord"), "canal"))
    return parts


def ribs(torso: Torso, key: Key) -> list[Part]:
    """Return two to four ribs on each side, cut obliquely where they cross the slice."""
    parts = []
    (x, y), cavity = torso.muscle, torso.cavity
    for side in (-1, 1):
        n = integer_between(key.fold("count", side), (2, 4))
        for i in range(n):
            stream = key.fold("rib", side, i)
            # from the flank to the back, between the outer face of the muscles and the cavity
            angle = (i + between(stream.fold("angle"), (0.2, 0.8))) / n * 1.15 - 0.45
            outer = (0.10 * y + 0.84 * y * sin(angle), x * cos(angle))
            inner = (cavity.centre[1] + cavity.semi_axes[1] * sin(angle), cavity.semi_axes[2] * cos(angle))
            inward = np.subtract(inner, outer)
            place = np.add(outer, 0.008 * inward / hypot(*inward))
            tangent = float(np.arctan2(y * cos(angle), -x * sin(angle)))
            rotation = turn("z", side * tangent)
            length = between(stream.fold("length"), (0.008, 0.017))
            z = between(stream.fold("z"), (-0.004, 0.004))
            rib = ellipsoid((z, float(place[0]), side * float(place[1])), (0.012, 0.0045, length), rotation)
            parts += _bone(rib, 0.0012, get("red_marrow"), "rib")
    return parts


def vessels(torso: Torso, key: Key) -> list[Part]:
    """Return aorta with plaques, vena cava, and the mesenteric vessels before them."""
    front = torso.spine - 0.018
    radius = between(key.fold("aorta"), (0.0085, 0.0125))
    centre = (0.0, front - radius - 0.002, between(key.fold("aorta", "x"), (0.004, 0.014)))
    aorta = cylinder(centre, (torso.half_length, radius, radius))
    cava = cylinder((0.0, front - 0.010, -0.020), (torso.half_length, 0.0085, 0.0125))
    artery, vein = torso.enhanced("blood", 1.0), torso.enhanced("blood_venous", 0.8)
    parts = [
        Part(cylinder(centre, (torso.half_length, radius + 0.0013, radius + 0.0013)), get("muscle"), "aorta"),
        Part(aorta, artery, "aorta"),
        Part(cava, vein, "vessel"),
    ]
    for i in range(integer_between(key.fold("plaques"), (0, 3))):
        angle = between(key.fold("plaque", i), (0.0, 2 * pi))
        place = (0.0, centre[1] + (radius - 0.0005) * sin(angle), centre[2] + (radius - 0.0005) * cos(angle))
        plaque = ellipsoid(place, (0.004, 0.0008, between(key.fold("plaque", i, "size"), (0.0015, 0.0035))))
        turned = Shape("ellipsoid", plaque.centre, plaque.semi_axes, turn("z", angle + pi / 2))
        parts.append(Part(turned, get("calcification_ha"), "calcification"))
    before = centre[1] - radius
    parts.append(Part(cylinder((0.0, before - 0.010, centre[2] - 0.002), (0.05, 0.0035, 0.0035)), artery, "vessel"))
    parts.append(Part(cylinder((0.0, before - 0.010, centre[2] - 0.017), (0.05, 0.0055, 0.0055)), vein, "vessel"))
    return parts


def liver(torso: Torso, key: Key) -> list[Part]:
    """Return a liver of two lobes with its vessels and the gallbladder."""
    tissue, vein = torso.enhanced("liver", 0.42), torso.enhanced("blood_venous", 0.85)
    z = between(key.fold("z"), (-0.02, 0.02))
    right = torso.nested(between(key.fold("right"), (0.54, 0.62)), between(key.fold("angle"), (-3.3, -3.0)), 0.085, z)
    left = torso.nested(between(key.fold("left"), (0.32, 0.44)), between(key.fold("turn"), (-2.2, -1.9)), 0.06, z)
    parts = [Part(right, tissue, "liver"), Part(left, tissue, "liver")]
    centre, semi_axes = np.asarray(right.centre), np.asarray(right.semi_axes)
    for i in range(integer_between(key.fold("vessels"), (4, 7))):
        stream = key.fold("vessel", i)
        offset = [between(stream.fold("at", axis), (-0.5, 0.5)) for axis in range(3)]
        z, y, x = (float(c) for c in centre + semi_axes * offset * np.array([0.3, 1.0, 1.0]))
        slant = between(stream.fold("slant"), (-0.9, 0.9))
        heading = between(stream.fold("heading"), (0.0, 2 * pi))
        radius = between(stream.fold("radius"), (0.0012, 0.0035))
        direction = along((sin(slant), cos(slant) * sin(heading), cos(slant) * cos(heading)))
        parts.append(Part(capsule((z, y, x), (0.022, radius, radius), direction), vein, "liver vessel"))
    hilum = (0.0, float(centre[1]) - 0.01, float(right.centre[2] + 0.75 * semi_axes[2]))
    bladder = between(key.fold("gallbladder"), (0.007, 0.014))
    for margin, content in ((0.0015, "muscle"), (0.0, "water")):
        shape = ellipsoid(hilum, (0.03, 1.5 * bladder + margin, bladder + margin), turn("z", -0.5))
        parts.append(Part(shape, get(content), "gallbladder"))
    return parts


def _kidney(torso: Torso, side: int, key: Key) -> list[Part]:
    width = torso.size * between(key.fold("width"), (0.022, 0.027))
    depth = torso.size * between(key.fold("depth"), (0.026, 0.031))
    aside = torso.size * side * between(key.fold("x"), (0.070, 0.080))
    centre = (between(key.fold("z"), (-0.02, 0.02)), torso.spine - 0.012, aside)
    rotation = turn("z", -side * between(key.fold("turn"), (0.2, 0.7)))
    towards_spine = np.asarray(rotation) @ np.array([0.0, 0.0, -side])
    sinus: Triple = tuple(float(c) for c in np.add(centre, 0.55 * width * towards_spine))  # type: ignore[assignment]

    def layer(scale: float, margin: float) -> Shape:
        axes = (0.055 * scale + margin, depth * scale + margin, width * scale + margin)
        return ellipsoid(centre, axes, rotation)

    return [
        Part(layer(1.0, 0.005), get("adipose"), "fat"),
        Part(layer(1.0, 0.0), torso.enhanced("kidney_cortex", 0.75), "kidney"),
        Part(layer(0.66, 0.0), torso.enhanced("kidney_medulla", 0.55), "kidney"),
        Part(ellipsoid(sinus, (0.02, 0.011, 0.013), rotation), get("adipose"), "kidney sinus"),
        Part(ellipsoid(sinus, (0.02, 0.004, 0.007), rotation), get("urine"), "kidney sinus"),
    ]


def organs(torso: Torso, key: Key) -> list[Part]:
    """Return spleen, stomach with gas, pancreas and kidneys."""
    spleen = torso.nested(
        between(key.fold("spleen"), (0.22, 0.32)), between(key.fold("spleen", "at"), (0.1, 0.35)), 0.05
    )
    at, size = between(key.fold("stomach", "at"), (-0.95, -0.65)), between(key.fold("stomach"), (0.24, 0.38))
    outer = torso.nested(size, at, 0.06)
    z, y, x = outer.semi_axes
    lumen = ellipsoid(outer.centre, (z, y - 0.004, x - 0.004))
    fill = between(key.fold("gas"), (0.35, 0.6))  # gas rises to the front of a patient who lies on the back
    gas_centre = (0.0, outer.centre[1] - (1 - fill) * (y - 0.004), outer.centre[2])
    long = 0.042 * torso.size
    pancreas = ellipsoid((0.0, torso.spine - 0.058, 0.018), (0.018, 0.0095, long), turn("z", -0.35))
    return [
        Part(pancreas, torso.enhanced("pancreas", 0.4), "pancreas"),
        Part(outer, get("muscle"), "stomach"),
        Part(lumen, get("water"), "stomach"),
        Part(ellipsoid(gas_centre, (0.04, 0.97 * fill * (y - 0.004), 0.8 * (x - 0.004))), get("air"), "gas"),
        Part(spleen, torso.enhanced("spleen", 0.5), "spleen"),
        *_kidney(torso, -1, key.fold("kidney", "right")),
        *_kidney(torso, 1, key.fold("kidney", "left")),
    ]


def bowel(torso: Torso, parts: Sequence[Part], n: int, key: Key) -> list[Part]:
    """Return up to `n` loops of bowel with gas, fluid or both, where the cavity is still free."""
    cavity = torso.cavity
    solid = [part.shape for part in parts if part.name not in ("skin", "fat", "muscle")]
    draws = uniform(key.fold("loops"), (1000, 6), dtype=np.float64)
    place = np.asarray(cavity.centre) + (2 * draws[:, :3] - 1) * cavity.semi_axes * [0, 1, 1]
    small, ratio = 0.007 + 0.007 * draws[:, 3], 1 + 0.8 * draws[:, 4]
    reach = small * ratio + 0.001
    angle = np.linspace(0, 2 * pi, 24, endpoint=False)
    circle = np.column_stack([0 * angle, np.sin(angle), np.cos(angle)])
    free = np.arange(len(draws))
    for disc in (np.zeros((1, 3)), np.vstack([circle, circle / 2])):  # few middles are free, so ask for them first
        points = place[free, None, :] + reach[free, None, None] * disc
        free = free[cavity.holds(points).all(axis=1) & ~np.any([s.holds(points).any(axis=1) for s in solid], axis=0)]
    loops: list[Part] = []
    taken: list[int] = []
    for i in free.tolist():
        if all(np.linalg.norm(place[i] - place[j]) > 0.8 * (reach[i] + reach[j]) for j in taken):
            taken.append(i)
            stream = key.fold("loop", len(taken))
            centre = (0.0, float(place[i, 1]), float(place[i, 2]))
            rotation = turn("z", between(stream.fold("turn"), (0.0, pi)))
            outer = ellipsoid(centre, (0.03, float(small[i]), float(small[i] * ratio[i])), rotation)
            loops += _loop(outer, rotation, float(draws[i, 5]))
            if len(taken) == n:
                break
    return loops


def _loop(outer: Shape, rotation: Rotation, content: float) -> list[Part]:
    z, y, x = outer.semi_axes
    inner = ellipsoid(outer.centre, (z, y - 0.0022, x - 0.0022), rotation)
    filling = get("air") if content < 0.3 else get("water") if content < 0.6 else get("gi_tract")
    parts = [Part(outer, get("muscle"), "bowel"), Part(inner, filling, "gas" if content < 0.3 else "bowel")]
    if content >= 0.7:
        bubble = (outer.centre[0], outer.centre[1] - 0.35 * y, outer.centre[2])
        parts.append(Part(ellipsoid(bubble, (z, 0.3 * y, 0.45 * x)), get("air"), "gas"))
    return parts
