"""Metal in chests: pedicle screws with rods, wires around the breast bone, a pacemaker with its lead."""

from __future__ import annotations

from collections.abc import Sequence
from math import pi
from typing import Any, Final

import numpy as np

from phantomsim.phantoms.metal import pieces
from phantomsim.phantoms.metal.spec import Pacemaker, Screws, ThoraxMetal, Wires
from phantomsim.phantoms.scene import Part
from phantomsim.phantoms.thorax import heart
from phantomsim.phantoms.thorax.frame import SIDES, Thorax
from phantomsim.physics.shapes import Shape, along, cylinder
from phantomsim.tissues import get

NAME: Final = "metal"
Row = dict[str, Any]
PEDICLE: Final = 0.0117
"""Middle of a pedicle beside the middle of the canal [m]."""
TOE_IN: Final = 0.14
"""Lean of a pedicle screw towards the middle [rad]."""
CHORDS: Final = 64
"""Straight pieces of a loop of wire."""


def thorax_metal(
    metal: Sequence[ThoraxMetal], thorax: Thorax, skeleton: Sequence[Part], volume: float
) -> tuple[list[Part], list[Row]]:
    """Return implants, to be put on top of a chest in its own frame, and their rows of the truth table.

    Parameters
    ----------
    metal
        What to put in.
    thorax
        Frame of the chest.
    skeleton
        Its bones, with the discs.
    volume
        Of the pericardial sac [m³].
    """
    placed: list[Part] = []
    rows: list[Row] = []
    for item in metal:
        if isinstance(item, Screws):
            parts, made = _screws(item, [part.shape for part in skeleton if part.name == "disc"], thorax)
        elif isinstance(item, Wires):
            parts, made = _wires(item, [part.shape for part in skeleton if part.name == "sternum"])
        else:
            parts, made = _pacemaker(item, thorax, volume)
        placed += parts
        rows += [{"part": NAME, "kind": item.kind, "alloy": item.alloy, **row} for row in made]
    return placed, rows


def _screws(item: Screws, discs: Sequence[Shape], thorax: Thorax) -> tuple[list[Part], list[Row]]:
    """Return screws from behind through both pedicles into the bodies of vertebrae, and rods over their heads."""
    outer, depth, pitch, rod = (
        f * v
        for f, v in zip(
            (5e-4, 1e-3, 1e-3, 5e-4), (item.diameter_mm, item.depth_mm, item.pitch_mm, item.rod_mm), strict=True
        )
    )
    length, alloy = 1e-3 * item.length_mm, get(item.alloy)
    shapes: list[Shape] = []
    rows: list[Row] = []
    for side in SIDES:
        heads = []
        for n in range(item.first, item.first + item.count):
            disc = discs[n]  # the first disc is that under the last vertebra of the neck
            canal = thorax.spine + disc.semi_axes[1] + 0.0075
            way = np.array([0.0, -np.cos(TOE_IN), -side * np.sin(TOE_IN)])
            pedicle = np.array([disc.centre[0], canal, side * PEDICLE])
            entry = pedicle - 0.008 * way
            shapes += pieces.screw(pieces.triple(entry), way, length, outer, depth, pitch)
            heads.append(entry - 0.006 * way)
            shapes.append(pieces.straight(entry, entry - 0.012 * way, 0.0055))
            rows.append(
                {
                    "vertebra": f"T{n}",
                    "side": "left" if side > 0 else "right",
                    "centre_mm": (1e3 * (entry + length / 2 * way)).tolist(),
                    "tip_mm": (1e3 * (entry + length * way)).tolist(),
                    "diameter_mm": item.diameter_mm,
                    "length_mm": item.length_mm,
                    "pitch_mm": item.pitch_mm,
                    "threads": pieces.threads(length, pitch),
                    "volume_mm3": 1e9 * pieces.screw_volume(length, outer, depth, pitch),
                }
            )
        over = [heads[0] + [0.008, 0.0, 0.0], *heads, heads[-1] - [0.008, 0.0, 0.0]]
        shapes += pieces.wire(np.array(over), rod)
    return [Part(shape, alloy, NAME) for shape in shapes], rows


def _wires(item: Wires, sternum: Sequence[Shape]) -> tuple[list[Part], list[Row]]:
    """Return loops that lie on the breast bone's surface at even heights, each with its twisted ends before it."""
    radius = 5e-4 * item.wire_mm
    manubrium, body = sternum[0], sternum[2]
    top = manubrium.centre[0] + 0.6 * manubrium.half_extent[0]
    bottom = body.centre[0] - 0.75 * body.half_extent[0]
    shapes: list[Shape] = []
    rows = []
    for z in np.linspace(top, bottom, item.count) if item.count > 1 else [(top + bottom) / 2]:
        loop = _around([manubrium, body], float(z), radius)
        shapes += pieces.wire(loop, radius)
        front = loop[np.argmin(loop[:, 1])]
        shapes += pieces.wire(
            np.array([front, front + [0.0, -1.5 * radius, 0.0], front + [-0.008, -0.002, 0.0]]), 1.6 * radius
        )
        rows.append(
            {
                "centre_mm": (1e3 * loop[:-1].mean(axis=0)).tolist(),
                "wire_mm": item.wire_mm,
                "length_mm": 1e3 * pieces.length(loop),
            }
        )
    return [Part(shape, get(item.alloy), NAME) for shape in shapes], rows


def _around(bones: Sequence[Shape], z: float, gap: float) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return a closed loop at a height around the section of bones, a gap outside their surface (point, 3)."""
    angle = 2 * pi / CHORDS * np.arange(CHORDS)
    middle = np.mean([bone.centre[1] for bone in bones if abs(z - bone.centre[0]) < bone.half_extent[0]])
    far = np.arange(0.0, 0.05, 1e-4)
    ways = np.column_stack([0 * angle, 0.3 * np.sin(angle), np.cos(angle)])  # closest where the flat bone bends most
    ways /= np.linalg.norm(ways, axis=1, keepdims=True)
    points = np.array([z, middle, 0.0]) + far[:, None, None] * ways
    inside = np.any([bone.holds(points) for bone in bones], axis=0)
    last = np.array([far[np.flatnonzero(column).max(initial=0)] for column in inside.T])
    last = np.max([np.roll(last, step) for step in (-1, 0, 1)], axis=0)  # a stiff wire spans hollows and corners
    loop = [z, middle, 0.0] + (last + 1e-4 + gap)[:, None] * ways
    return np.vstack([loop, loop[:1]])


def _pacemaker(item: Pacemaker, thorax: Thorax, volume: float) -> tuple[list[Part], list[Row]]:
    """Return the can on the muscle of the left breast, and the lead by the left veins and the upper vena cava."""
    radius, half = 5e-4 * item.diameter_mm, 5e-4 * item.thickness_mm
    x = 0.5 * thorax.width
    wide, deep = 0.975 * thorax.width, 0.95 * thorax.depth
    skin = -0.05 * thorax.depth - deep * float(np.sqrt(1 - (x / wide) ** 2))
    outward = np.array([0.0, (skin + 0.05 * thorax.depth) / deep**2, x / wide**2])
    outward /= np.linalg.norm(outward)
    surface = np.array([0.045, skin, x])
    sag = radius**2 / 2 * deep / wide**2 * 1.6  # the skin bends away from the can's flat face
    centre = surface - (0.004 + sag + half) * outward
    can = cylinder(pieces.triple(centre), (half, radius, radius), along(pieces.triple(outward)))
    scale = (volume / heart.SAC) ** (1 / 3)
    middle, t = np.asarray(heart.heart_place(thorax, scale)), thorax.trachea
    atrium = middle + scale * np.array([0.012, 0.010, -0.030])
    ventricle = middle + scale * np.array([-0.012, -0.019, 0.0])
    tip = ventricle + 0.026 * scale * np.asarray(heart.APEX)
    veins = [
        (0.075, t - 0.030, 0.036),
        (0.058, t - 0.038, 0.010),
        (0.045, t - 0.024, -0.026),
        (-0.020, t - 0.020, -0.027),
    ]
    pocket = centre + np.array([0.9 * radius, 0.0, 0.0])
    under_clavicle = np.array([0.086, thorax.front + 0.018, 0.080])
    way = np.array([pocket, under_clavicle, *veins, atrium, ventricle, tip])
    along_tip = (tip - ventricle) / np.linalg.norm(tip - ventricle)
    parts = [Part(can, get(item.alloy), NAME)]
    parts += [Part(shape, get("silicone"), NAME) for shape in pieces.wire(way, 1.0e-3)]
    parts += [Part(shape, get("steel316l"), NAME) for shape in pieces.wire(way, 0.5e-3)]
    for back in (0.0, 0.012):  # tip and ring
        end = tip - back * along_tip
        parts.append(Part(pieces.straight(end - 0.002 * along_tip, end, 1.1e-3), get("platinum"), NAME))
    row = {
        "centre_mm": (1e3 * centre).tolist(),
        "tip_mm": (1e3 * tip).tolist(),
        "diameter_mm": item.diameter_mm,
        "thickness_mm": item.thickness_mm,
        "length_mm": 1e3 * pieces.length(way),
        "volume_mm3": 1e9 * can.volume,
    }
    return parts, [row]
