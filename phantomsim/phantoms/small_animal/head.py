"""Head of a small animal: skull and jaws, brain, eyes with their glands, incisors and molars, ears and airway [mm]."""

from __future__ import annotations

from math import cos, sin
from typing import Final

from phantomsim.phantoms.scene import Part
from phantomsim.phantoms.small_animal.frame import SIDES, chain, fill, oval, rod
from phantomsim.phantoms.small_animal.outline import at
from phantomsim.physics.grid import Triple
from phantomsim.physics.shapes import UPRIGHT, Rotation, Shape, turn

BRAIN: Final[Triple] = (27.8, 1.2, 0.0)
"""Middle of the brain."""
VAULT: Final = 0.35
"""Thickness of the skull's vault."""

Lump = tuple[Triple, Triple, Rotation]


def _lumps() -> tuple[list[Lump], list[Lump], list[Lump], list[Lump]]:
    """Return hemispheres, cerebellum, olfactory bulbs, and brain stem."""
    halves = [((29.4, 1.5, side * 2.05), (4.9, 3.0, 2.95), turn("y", side * 0.10)) for side in SIDES]
    cerebellum = [((22.9, 1.9, 0.0), (2.0, 2.2, 2.5), UPRIGHT)]
    cerebellum += [((22.9, 1.6, side * 2.6), (1.6, 1.7, 1.6), UPRIGHT) for side in SIDES]
    bulbs = [((35.0, 1.2, side * 0.85), (2.1, 1.1, 0.9), UPRIGHT) for side in SIDES]
    stem = [((26.0, -0.7, 0.0), (6.0, 1.5, 2.6), UPRIGHT)]
    return halves, cerebellum, bulbs, stem


def brain() -> list[Part]:
    """Return the vault of the skull and the brain in it: cortex, white matter, deep nuclei, ventricles, cerebellum."""
    halves, cerebellum, bulbs, stem = _lumps()
    every = [*halves, *cerebellum, *bulbs, *stem]
    parts = fill([_oval(lump, VAULT + 0.12) for lump in every], "cortical_bone", "skull")
    parts += fill([_oval(lump, 0.12) for lump in every], "csf", "csf")
    parts += fill([_oval(lump) for lump in stem], "white_matter", "brain stem")
    parts += fill([_oval(lump) for lump in bulbs], "gray_matter", "olfactory bulb")
    parts += fill([_oval(lump, -0.45) for lump in bulbs], "white_matter", "olfactory bulb")
    parts += fill([_oval(lump) for lump in cerebellum], "gray_matter", "cerebellum")
    parts += fill([_oval(cerebellum[0], -1.15)], "white_matter", "cerebellum")
    parts += fill([_oval(lump) for lump in halves], "gray_matter", "cortex")
    parts += fill([_oval(lump, -1.0) for lump in halves], "white_matter", "white matter")
    parts += fill([_oval(lump, -1.25) for lump in halves], "deep_gray", "deep brain")
    for side in SIDES:
        parts += fill([oval((28.0, 0.2, side * 0.9), (2.8, 1.5, 1.0))], "deep_gray", "deep brain")
        lateral = oval((29.5, 1.9, side * 1.3), (2.0, 0.65, 0.22), turn("z", side * 0.6))
        parts += fill([lateral], "csf", "ventricle")
    parts += fill(
        [oval((28.2, 0.4, 0.0), (1.9, 1.3, 0.14)), oval((23.4, -0.3, 0.0), (1.2, 0.3, 0.8))], "csf", "ventricle"
    )
    return parts


def _oval(lump: Lump, grow: float = 0.0) -> Shape:
    centre, semi_axes, rotation = lump
    return oval(centre, semi_axes, rotation, grow=grow)


def face() -> list[Part]:
    """Return snout with its turbinates, cheek bones, jaws, teeth, bullae, eyes and the glands behind them."""
    snout = [oval((37.6, -0.4, 0.0), (6.2, 2.1, 1.75)), oval((34.5, -0.6, 0.0), (4.0, 2.3, 2.2))]
    nose = [oval((37.8, -0.2, 0.0), (5.8, 1.6, 1.35)), oval((34.8, -0.6, 0.0), (3.4, 1.8, 1.8))]
    parts = fill(snout, "cortical_bone", "skull") + fill(nose, "air", "nose")
    scrolls = [oval((36.5, -0.3, side * 0.75), (4.4, 1.1, 0.3)) for side in SIDES]
    parts += fill([*scrolls, oval((37.0, -0.2, 0.0), (5.4, 1.6, 0.14))], "soft_tissue", "turbinate")
    parts += fill([oval((28.5, -2.0, 0.0), (6.5, 0.35, 1.8))], "cortical_bone", "skull")
    parts += fill(chain([(33.0, -3.0, 0.0), (26.0, -3.2, 0.0), (20.5, -3.0, 0.0)], [0.7, 0.75]), "air", "throat")
    parts += fill([oval((33.0, -4.0, 0.0), (5.0, 0.9, 1.3))], "muscle", "tongue")
    for side in SIDES:
        parts += _side(side)
    return parts


def _side(side: int) -> list[Part]:
    """Return one side of the face."""
    arch = [at(place, side) for place in ((36.0, -1.7, 2.2), (33.0, -1.9, 4.6), (28.5, -1.6, 5.6), (25.2, -0.6, 4.6))]
    parts = fill(chain(arch, [0.42, 0.36, 0.42]), "cortical_bone", "cheek bone")
    parts += fill([oval((33.6, -1.9, side * 1.7), (2.6, 1.0, 0.7))], "cortical_bone", "maxilla")
    jaw = [at(place, side) for place in ((26.0, -1.9, 4.6), (28.5, -4.0, 3.6), (33.0, -4.6, 1.9), (39.0, -4.1, 0.55))]
    parts += fill(chain(jaw, [0.50, 0.62, 0.62]), "cortical_bone", "mandible")
    parts += fill([oval((26.8, -3.2, side * 3.9), (2.1, 1.1, 0.30))], "cortical_bone", "mandible")
    for z in (32.0, 33.5, 34.7):
        molars = [
            rod((z, -2.5, side * 1.6), (z, -3.1, side * 1.6), 0.5),
            rod((z, -3.8, side * 1.6), (z, -3.5, side * 1.6), 0.5),
        ]
        parts += fill(molars, "tooth", "molar")
    parts += fill([oval((23.6, -2.0, side * 3.3), (1.7, 1.4, 1.5))], "cortical_bone", "bulla")
    parts += fill([oval((23.6, -2.0, side * 3.3), (1.7, 1.4, 1.5), grow=-0.3)], "air", "bulla")
    parts += fill([oval((31.2, 0.0, side * 3.6), (1.8, 1.6, 1.2))], "thyroid", "harderian gland")
    parts += fill([oval((32.4, 0.6, side * 4.7), (1.6, 1.6, 1.6))], "vitreous", "eye")
    parts += fill([oval((32.5, 0.7, side * 5.2), (0.95, 0.95, 0.85))], "eye_lens", "lens")
    for middle, radius, first, last in (((39.0, -3.4), 3.3, 2.2, 0.15), ((36.0, 2.2), 6.7, -2.1, -1.02)):
        places: list[Triple] = []
        for i in range(6):
            angle = first + (last - first) * i / 5
            places.append((middle[0] + radius * cos(angle), middle[1] + radius * sin(angle), side * 0.55))
        parts += fill(chain(places, [0.42] * 5), "tooth", "incisor")
    return parts
