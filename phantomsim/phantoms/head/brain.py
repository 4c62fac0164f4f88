"""The inside of the brain: central white matter, deep grey nuclei, ventricles, cisterns, brain stem and cerebellum.

Places and sizes are those of the atlas of `phantomsim.phantoms.head.frame` [mm].
"""

from __future__ import annotations

from math import pi

import numpy as np

from phantomsim.phantoms.head.frame import SIDES, Head, Oval, fill, frame
from phantomsim.phantoms.placement import between
from phantomsim.phantoms.scene import Part
from phantomsim.physics.grid import Triple
from phantomsim.physics.rng import Key
from phantomsim.physics.shapes import Rotation, Shape, capsule, turn


def hemispheres(head: Head, key: Key) -> list[Part]:
    """Return corpus callosum and central white matter, insulae, nuclei, ventricles and calcified plexus and pineal."""
    centre: Oval = ((6.0, -1.0, 0.0), (22.0, 43.0, 33.0))
    parts = fill([head.oval(centre)], "white_matter", "white matter")
    wide = 0.85 + 0.6 * head.atrophy
    for side in SIDES:
        stream = key.fold(side)
        parts += _insula(head, side)
        inward, outward = turn("z", 0.30 * side), turn("z", -0.30 * side)
        grey: list[tuple[str, Triple, Triple, Rotation]] = [
            ("caudate", (9.0, -21.0, side * 14.5), (12.0, 13.0, 6.0), inward),
            ("caudate", (20.0, 0.0, side * 17.0), (4.0, 22.0, 3.0), outward),
            ("putamen", (3.0, -3.0, side * 26.5), (12.0, 18.0, 5.0), outward),
            ("pallidum", (0.0, 0.0, side * 19.8), (8.0, 11.0, 3.2), outward),
            ("thalamus", (6.0, 13.0, side * 9.5), (11.0, 15.0, 8.0), turn("z", -0.45 * side)),
        ]
        size = between(stream.fold("nuclei"), (0.95, 1.05))
        for name, place, semi_axes, rotation in grey:
            z, y, x = (size * a for a in semi_axes)
            parts += fill([head.oval((place, (z, y, x)), 0.0, rotation)], "deep_gray", name)
        swell = wide * between(stream.fold("ventricle"), (0.93, 1.07))
        horns: list[tuple[Triple, Triple, Rotation]] = [
            ((9.0, -24.0, side * 8.0), (11.0, 14.0, 3.6), inward),
            ((20.0, 4.0, side * 9.5), (6.0, 28.0, 6.0), turn("z", -0.18 * side)),
            ((10.0, 34.0, side * 22.0), (11.0, 12.0, 6.0), turn("z", -0.5 * side)),
            ((5.0, 50.0, side * 26.0), (5.0, 15.0, 3.6), turn("z", 0.1 * side)),
            ((-18.0, 8.0, side * 33.0), (3.0, 19.0, 2.6), turn("z", -0.2 * side)),
        ]
        for place, (z, y, x), rotation in horns:
            parts += fill([head.oval((place, (z * swell**0.5, y, x * swell)), 0.0, rotation)], "csf", "ventricle")
        if between(stream.fold("plexus"), (0.0, 1.0)) < 0.6:
            plexus: Oval = ((9.0, 38.0, side * 23.0), (2.0, 3.0, 1.6))
            parts += fill([head.oval(plexus)], "calcification_ha", "calcification")
    parts += fill([head.oval(((1.0, 2.0, 0.0), (11.0, 14.0, 1.6 * wide)))], "csf", "ventricle")
    parts += fill([head.oval(((13.0, -20.0, 0.0), (9.0, 16.0, 0.8)))], "white_matter", "white matter")  # septum
    parts += fill([head.oval(((0.0, 31.0, 0.0), (9.0, 7.0, 9.0)))], "csf", "cistern")
    pineal: Oval = ((1.0, 28.0, 0.0), (3.0, 3.5, 3.0))
    parts += fill([head.oval(pineal)], "soft_tissue", "pineal")
    if between(key.fold("pineal"), (0.0, 1.0)) < 0.6:
        parts += fill([head.oval(((1.0, 28.0, 0.0), (1.6, 1.8, 1.5)))], "calcification_ha", "calcification")
    return parts


def _insula(head: Head, side: int) -> list[Part]:
    """Return the cortex of an insula, the fluid beside it, and the Sylvian fissure from there to the surface."""
    rotation, gap = turn("z", -0.12 * side), 0.8 + 1.2 * head.atrophy
    place: Triple = (3.0, -4.0, side * 40.0)
    grey, fluid = (
        head.oval((place, (17.0, 23.0, gap + 3.2)), 0.0, rotation),
        head.oval((place, (14.0, 20.0, gap)), 0.0, rotation),
    )
    z, y, x = head.at((0.0, -12.0, side * 50.0))
    run = np.array([0.25, 1.0, 0.12 * side])

    def stem(length: float, thick: float) -> Shape:
        return capsule((z, y, x), (1e-3 * length, 0.011, 1e-3 * thick), frame(run, np.array([1.0, -0.2, 0.25 * side])))

    linings = [grey, stem(24.0, gap + head.cortex)]
    return fill(linings, "gray_matter", "cortex") + fill([fluid, stem(20.0, gap)], "csf", "sulcus")


def hindbrain(head: Head, key: Key) -> list[Part]:
    """Return the tentorium, cerebellum with folia, cisterns, brain stem, fourth ventricle and basilar artery."""
    lobes: list[Oval] = [((-39.5, 45.0, side * 23.0), (21.5, 28.0, 27.0)) for side in SIDES]
    lobes += [((-53.0, 40.0, side * 12.0), (11.0, 15.0, 12.0)) for side in SIDES]  # tonsils
    lobes.append(((-34.0, 44.0, 0.0), (19.0, 23.0, 10.0)))
    parts = fill([head.oval(oval, 2.0) for oval in lobes], "soft_tissue", "tentorium")
    parts += fill([head.oval(oval, 1.3) for oval in lobes], "csf", "cistern")
    parts += fill([head.oval(oval) for oval in lobes], "gray_matter", "cerebellum")
    for side in SIDES:
        core: Oval = ((-39.0, 35.0, side * 20.0), (11.0, 16.0, 14.0))
        parts += fill([head.oval(core)], "white_matter", "cerebellum")
        parts += fill(_folia(head, side, key.fold(side)), "csf", "folium")
    cisterns: list[Oval] = [((-17.0, -6.0, 0.0), (7.0, 13.0, 12.0)), ((-14.0, 17.0, 0.0), (10.0, 16.0, 19.0))]
    cisterns += [((-33.0, 13.0, 0.0), (16.0, 16.0, 22.0)), ((-61.0, 42.0, 0.0), (9.0, 14.0, 9.0))]
    parts += fill([head.oval(oval) for oval in cisterns], "csf", "cistern")
    parts += fill([head.oval(((-32.0, 14.0, 0.0), (13.0, 12.5, 16.0)))], "white_matter", "brain stem")
    for side in SIDES:
        peduncle: Oval = ((-14.0, 11.0, side * 8.0), (10.0, 8.0, 5.5))
        middle = head.rod((-34.0, 17.0, side * 12.0), (-37.0, 30.0, side * 20.0), 6.0)
        parts += fill([head.oval(peduncle, 0.0, turn("z", -0.6 * side)), middle], "white_matter", "brain stem")
    parts += fill([head.oval(((-13.0, 18.0, 0.0), (10.0, 8.0, 12.0)))], "white_matter", "brain stem")
    parts += fill([head.rod((-42.0, 18.0, 0.0), (-62.0, 24.0, 0.0), 6.5, flat=1.2)], "white_matter", "brain stem")
    parts += fill([head.oval(((-35.0, 28.5, 0.0), (11.0, 4.5, 6.5)))], "csf", "ventricle")
    parts += fill([head.rod((-4.0, 21.0, 0.0), (-25.0, 25.0, 0.0), 0.9)], "csf", "ventricle")
    parts += fill([head.rod((-20.0, 1.5, 0.0), (-46.0, 7.5, 0.0), 1.7)], "blood", "vessel")
    return parts


def _folia(head: Head, side: int, key: Key) -> list[Shape]:
    """Return fissures between the folia of a hemisphere of the cerebellum: nested arcs, as short flat capsules."""
    found = []
    for i in range(9):
        stream = key.fold(i)
        angle = -0.2 + 2.2 * i / 8 + between(stream.fold("angle"), (-0.08, 0.08))
        out = between(stream.fold("out"), (0.78, 0.92))
        place = (-38.0, 45.0 + 26.5 * out * np.cos(angle - pi / 6), side * (22.5 + 25.0 * out * np.sin(angle - pi / 6)))
        z, y, x = head.at(place)
        tangent = np.array([0.0, -np.sin(angle - 0.9), side * np.cos(angle - 0.9)])
        rotation = frame(np.array([1.0, 0.0, 0.0]), np.array([0.0, tangent[2] * side, -tangent[1] * side]))
        found.append(capsule((z, y, x), (0.014, 0.0045, 0.00035), rotation))
    return found
