"""Metal in heads: fillings and crowns on the teeth, clips and coils at the base of the brain, stimulation leads.

Places are those of the atlas of `phantomsim.phantoms.head.frame` [mm], metres elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np

from phantomsim.phantoms.head.frame import Head
from phantomsim.phantoms.metal import pieces
from phantomsim.phantoms.metal.spec import Clips, Coils, Crowns, Electrodes, Fillings, HeadMetal
from phantomsim.phantoms.ranges import between, integer_between
from phantomsim.phantoms.scene import Part
from phantomsim.physics.errors import RecipeError
from phantomsim.physics.grid import Triple
from phantomsim.physics.rng import Key, normal, permutation
from phantomsim.physics.shapes import Shape, along, box, ellipsoid
from phantomsim.tissues import Tissue, get

NAME: Final = "metal"
Row = dict[str, Any]
ARTERIES: Final[tuple[Triple, ...]] = (
    (-16.0, -24.0, 2.0),
    (-16.0, -10.0, -17.0),
    (-14.0, -14.0, 34.0),
    (-17.0, -12.0, 14.0),
)
"""Where aneurysms sit: anterior communicating, right and left carotid, left middle cerebral artery; grade C."""
TARGET: Final[Triple] = (-4.0, 3.0, 12.0)
"""Subthalamic nucleus of the left side: 4 mm below, 3 behind and 12 beside the middle of the commissures; grade C."""
ENTRY: Final[Triple] = (80.0, -36.0, 44.0)
"""Beyond the burr hole, outside the vault of every head."""
LEAD: Final = 0.635e-3
"""Radius of a lead [m]."""


def head_metal(metal: Sequence[HeadMetal], parts: Sequence[Part], head: Head, key: Key) -> tuple[list[Part], list[Row]]:
    """Return implants in the frame of the atlas, to be put on top of a head, and their rows of the truth table.

    Parameters
    ----------
    metal
        What to put in.
    parts
        The head in the frame of the atlas.
    head
        Its measures.
    key
        Stream to draw from.

    Raises
    ------
    RecipeError
        If a filling fits no tooth that is left, or the same places are asked for twice.
    """
    teeth = _Teeth([part.shape for part in parts if (part.name, part.tissue.name) == ("tooth", "tooth")])
    skull = [part.shape for part in parts if part.name == "skull"]
    places = [head.at(ARTERIES[n]) for n in permutation(key.fold("arteries"), len(ARTERIES)).tolist()]
    placed: list[Part] = []
    rows: list[Row] = []
    for number, item in enumerate(metal):
        stream = key.fold(item.kind, number)
        if isinstance(item, Fillings | Crowns):
            make: Callable[[Any, _Teeth, Key], tuple[list[Part], Row]] = _filling if item.kind == "fillings" else _crown
            made = [make(item, teeth, stream.fold(i)) for i in range(item.count)]
        elif isinstance(item, Electrodes):
            made = [_electrode(item, side, head, skull) for side in (1, -1)[: item.count]]
        else:
            if item.count > len(places):
                raise RecipeError(f"clips and coils together have {len(ARTERIES)} places in a head: ask for fewer")
            own, places = places[: item.count], places[item.count :]
            make_one = _clip if isinstance(item, Clips) else _coil
            made = [make_one(item, place, stream.fold(i)) for i, place in enumerate(own)]  # type: ignore[arg-type]
        for pieces_of, row in made:
            placed += pieces_of
            rows.append({"part": NAME, "kind": item.kind, "alloy": item.alloy, **row})
    return placed, rows


class _Teeth:
    """Crowns of the teeth of a head, right and left of the upper jaw, then of the lower; those without metal yet."""

    def __init__(self, crowns: list[Shape]) -> None:
        self.free = {10 * (1, 2, 4, 3)[n // 8] + n % 8 + 1: crown for n, crown in enumerate(crowns)}

    def take(self, key: Key, fits: Callable[[int, Shape], bool], otherwise: str) -> tuple[int, Shape]:
        """Return the number (ISO 3950) and the crown of a tooth at random, which is taken from then on."""
        numbers = [number for number, crown in self.free.items() if fits(number, crown)]
        if not numbers:
            raise RecipeError(f"{otherwise}: ask for fewer or smaller ones")
        number = numbers[int(permutation(key.fold("tooth"), len(numbers))[0])]
        return number, self.free.pop(number)


def _filling(item: Fillings, teeth: _Teeth, key: Key) -> tuple[list[Part], Row]:
    """Return an ellipsoid under the chewing surface of a premolar or molar."""
    radius = 5e-4 * between(key.fold("diameter"), item.diameter_mm)
    number, crown = teeth.take(
        key,
        lambda number, crown: number % 10 >= 4 and 0.7 * crown.semi_axes[0] > radius,
        f"no premolar or molar is left for a filling of {2e3 * radius:.1f} mm",
    )
    cap, deep = crown.semi_axes[0], min(0.6 * crown.semi_axes[0], radius)
    up = np.asarray(crown.rotation)[:, 0]
    centre = pieces.triple(crown.centre + (crown.param * cap + 0.95 * cap - deep - 0.06 * cap) * up)
    across = min(radius, 0.62 * cap)
    shape = ellipsoid(centre, (deep, radius, across), crown.rotation)
    row = {"tooth": number, "centre_mm": _mm(centre), "diameter_mm": 2e3 * radius, "volume_mm3": 1e9 * shape.volume}
    return [Part(shape, get(item.alloy), NAME)], row


def _crown(item: Crowns, teeth: _Teeth, key: Key) -> tuple[list[Part], Row]:
    """Return a tooth's crown as metal, and within its wall what is left of the tooth."""
    wall = 1e-3 * between(key.fold("wall"), item.wall_mm)
    number, crown = teeth.take(
        key,
        lambda _, crown: min(crown.semi_axes) > wall + 5e-4,
        f"no tooth is left for a crown with a wall of {1e3 * wall:.1f} mm",
    )
    z, y, x = crown.semi_axes
    straight = crown.param * z
    inner = replace(crown, semi_axes=(z - wall, y - wall, x - wall), param=straight / (z - wall))
    row = {
        "tooth": number,
        "centre_mm": _mm(crown.centre),
        "wall_mm": 1e3 * wall,
        "volume_mm3": 1e9 * (crown.volume - inner.volume),
    }
    return [Part(crown, get(item.alloy), NAME), Part(inner, get("tooth"), NAME)], row


def _clip(item: Clips, place: Triple, key: Key) -> tuple[list[Part], Row]:
    """Return a clip: two blades that almost meet, and the wire of its spring behind them."""
    blade = 1e-3 * between(key.fold("blade"), item.blade_mm)
    axes = np.asarray(along(pieces.triple(normal(key.fold("direction"), 3, dtype=np.float64))))
    rotation = tuple(pieces.triple(row) for row in axes)
    shapes: list[Shape] = []
    for side in (-1, 1):
        centre = pieces.triple(place + side * 0.5e-3 * axes[:, 1])
        shapes.append(box(centre, (blade / 2, 0.3e-3, 0.6e-3), (rotation[0], rotation[1], rotation[2])))
    behind = place - (blade / 2 + 2.0e-3) * axes[:, 0]
    spring = pieces.helix(pieces.triple(behind - 1e-3 * axes[:, 2]), axes[:, 2], 1.8e-3, 0.9e-3, 2.0)
    shapes += pieces.wire(spring, 0.4e-3)
    for side, end in ((-1, spring[0]), (1, spring[-1])):
        shapes += pieces.wire(np.array([end, place - blade / 2 * axes[:, 0] + side * 0.5e-3 * axes[:, 1]]), 0.4e-3)
    row = {"centre_mm": _mm(place), "direction": axes[:, 0].tolist(), "blade_mm": 1e3 * blade}
    return _of(shapes, get(item.alloy)), row


def _coil(item: Coils, place: Triple, key: Key) -> tuple[list[Part], Row]:
    """Return an aneurysm full of blood and of the loops of a wire."""
    radius, thick = 5e-4 * between(key.fold("diameter"), item.diameter_mm), 5e-4 * item.wire_mm
    n = integer_between(key.fold("loops"), item.loops)
    turned = np.linalg.qr(normal(key.fold("turn"), (3, 3), dtype=np.float64))[0]
    points = pieces.tangle(place, radius - thick, n, turned)
    long = pieces.length(points)
    sac = Part(ellipsoid(place, (radius,) * 3), get("blood"), NAME)
    row = {
        "centre_mm": _mm(place),
        "diameter_mm": 2e3 * radius,
        "wire_mm": item.wire_mm,
        "length_mm": 1e3 * long,
        "loops": n,
        "packing": long * np.pi * thick**2 / sac.shape.volume,
    }
    return [sac, *_of(pieces.wire(points, thick), get(item.alloy))], row


def _electrode(item: Electrodes, side: int, head: Head, skull: Sequence[Shape]) -> tuple[list[Part], Row]:
    """Return a lead from under the scalp to its target: insulation, the wire in it, and four contacts at its tip."""
    (z, y, x), (up, front, out) = TARGET, ENTRY
    tip, far = np.asarray(head.at((z, y, side * x))), np.asarray(head.at((up, front, side * out)))
    way = (far - tip) / np.linalg.norm(far - tip)
    steps = tip + np.arange(0.0, 0.15, 2e-4)[:, None] * way
    inside = np.any([shape.holds(steps) for shape in skull], axis=0)
    end = steps[int(np.flatnonzero(inside).max())] + 1e-3 * way  # the lead leaves the burr hole under the scalp
    contact, gap = 1.5e-3, 1e-3 * item.gap_mm
    body = pieces.wire(np.array([tip + LEAD * way, end]), LEAD)
    core = pieces.wire(np.array([tip + 4 * (contact + gap) * way, end]), 0.25e-3)
    starts = [tip + (1.5e-3 + n * (contact + gap)) * way for n in range(4)]
    contacts = [pieces.straight(start, start + contact * way, LEAD) for start in starts]
    row = {
        "side": "left" if side > 0 else "right",
        "tip_mm": _mm(tip),
        "centre_mm": _mm((tip + end) / 2),
        "length_mm": 1e3 * float(np.linalg.norm(end - tip)),
        "contacts_mm": [_mm(start + contact / 2 * way) for start in starts],
        "volume_mm3": 1e9 * sum(shape.volume for shape in contacts),
    }
    return [*_of(body, get("silicone")), *_of([*core, *contacts], get(item.alloy))], row


def _of(shapes: Sequence[Shape], tissue: Tissue) -> list[Part]:
    return [Part(shape, tissue, NAME) for shape in shapes]


def _mm(point: Any) -> list[float]:
    return [1e3 * float(c) for c in point]
