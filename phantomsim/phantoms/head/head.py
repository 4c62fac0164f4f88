"""Random adult heads in three dimensions, made of about a thousand ellipsoids and capsules."""

from __future__ import annotations

from math import inf, pi
from typing import Final, Literal

import numpy as np
from pydantic import Field, model_validator

from phantomsim.phantoms.head import brain, cortex, cranium, face
from phantomsim.phantoms.head.frame import SIDES, Head, posed
from phantomsim.phantoms.metal.head import ARTERIES, head_metal
from phantomsim.phantoms.metal.pieces import moved_row
from phantomsim.phantoms.metal.spec import PREMOLARS_AND_MOLARS, TEETH, HeadMetal
from phantomsim.phantoms.moving import HeadMotion
from phantomsim.phantoms.phantom import Phantom
from phantomsim.phantoms.placement import Lesions, PositiveRange, Range, between, place_lesions
from phantomsim.phantoms.scene import Part, compose, ended
from phantomsim.phantoms.spec import PhantomSpec
from phantomsim.physics.rng import Key
from phantomsim.physics.shapes import Rotation, turn
from phantomsim.tissues import get

HOST: Final = "white matter"
NECK: Final = (-62.0, 22.0, 0.0)
"""Where the head turns on the spine, in the atlas [mm]; grade C."""
NAMES: Final = (
    *("air cell", "brain stem", "calcification", "canal", "caudate", "cerebellum", "cistern", "cord", "cortex", "csf"),
    *(
        "ear",
        "ear canal",
        "eye",
        "face bone",
        "falx",
        "fat",
        "folium",
        "gullet",
        "larynx",
        "lens",
        "lesion",
        "mandible",
    ),
    *(
        "metal",
        "muscle",
        "nose",
        "optic nerve",
        "orbit",
        "pallidum",
        "pineal",
        "pituitary",
        "putamen",
        "sinus",
        "skin",
        "skull",
    ),
    "skull base",
    *("sulcus", "tentorium", "thalamus", "throat", "thyroid", "tongue", "tooth", "ventricle", "vertebra", "vessel"),
    *("windpipe", HOST),
)
LIMITS: Final = {
    "length_mm": (170.0, 215.0),
    "breadth_mm": (135.0, 170.0),
    "skull_mm": (4.0, 10.0),
    "scalp_mm": (3.5, 9.0),
    "cortex_mm": (2.0, 4.5),
    "atrophy": (0.0, 1.0),
    "level_mm": (-130.0, 85.0),
    "tilt_deg": (-30.0, 30.0),
    "turn_deg": (-20.0, 20.0),
}
"""What each range may span and the head still hold together."""


class RandomHead(PhantomSpec):
    """A random adult head from the vertex to the neck: scalp, skull, folded brain, eyes, sinuses, teeth and lesions.

    Each pair is a range that one number is drawn from. The head is one three-dimensional scene; `level_mm` says which
    height of it lies at z = 0: about 50 the centrum semiovale, 20 the ventricles' bodies, 5 the basal ganglia, −15 the
    midbrain, −30 the orbits, −60 the maxillary sinuses, −90 the teeth.

    Sizes are round figures of a textbook head, grade C: the survey, atlas and cortex measurements below set their scale
    but were not read again for this table.

    References
    ----------
    C. C. Gordon et al., "2012 Anthropometric Survey of U.S. Army Personnel", Natick/TR-15/007 (2014). B. Fischl, A. M.
    Dale, "Measuring the thickness of the human cerebral cortex from magnetic resonance images", PNAS 97 (2000),
    doi:10.1073/pnas.200033797.
    """

    kind: Literal["head"]
    length_mm: PositiveRange = Field(default=(183.0, 203.0), description="forehead to back, over the skin")
    breadth_mm: PositiveRange = Field(default=(147.0, 162.0), description="left to right, over the skin")
    skull_mm: PositiveRange = Field(default=(5.0, 9.0), description="thickness of the vault, diploe and both tables")
    scalp_mm: PositiveRange = Field(default=(4.0, 7.0), description="skin and fat over the vault")
    cortex_mm: PositiveRange = Field(default=(2.5, 3.5), description="thickness of the grey matter")
    atrophy: Range = Field(default=(0.0, 0.8), description="0: narrow sulci and ventricles, 1: wide ones")
    level_mm: Range = Field(default=(0.0, 30.0), description="height above the commissures that lies at z = 0")
    tilt_deg: Range = Field(default=(-6.0, 6.0), description="nod of the head, positive with the chin up")
    turn_deg: Range = Field(default=(-4.0, 4.0), description="turn of the face, positive to the patient's left")
    lesions: Lesions = Field(default=Lesions(), description="in white matter: a tumor, or blood for a haemorrhage")
    metal: tuple[HeadMetal, ...] = Field(default=(), description="dental work, clips, coils, electrodes")
    motion: HeadMotion | None = Field(default=None, description="drift, tremor and nods; none: at rest")

    @model_validator(mode="after")
    def _check(self) -> RandomHead:
        for name, (least, most) in LIMITS.items():
            low, high = getattr(self, name)
            if not least <= low <= high <= most:
                raise ValueError(
                    f"{name} must be [smallest, largest] within {least:g} to {most:g}, got [{low:g}, {high:g}]"
                )
        reach = self.lesions.depth_mm / 2
        if self.lesions.count and not (self.level_mm[0] + reach >= 10 and self.level_mm[1] - reach <= 45):
            raise ValueError(
                f"lesions lie in white matter, at a level_mm of 10 to 45, and level_mm is {list(self.level_mm)}: "
                "move it there, or let lesions.depth_mm reach there"
            )
        crowned, filled = (sum(m.count for m in self.metal if m.kind == kind) for kind in ("crowns", "fillings"))
        if filled > PREMOLARS_AND_MOLARS or crowned + filled > TEETH:
            raise ValueError(
                f"metal asks for {crowned} crowns and {filled} fillings; a head has {TEETH} teeth, and "
                f"{PREMOLARS_AND_MOLARS} of them can be filled"
            )
        if sum(m.count for m in self.metal if m.kind in ("clips", "coils")) > len(ARTERIES):
            raise ValueError(f"metal may have {len(ARTERIES)} clips and coils together, one to an artery")
        if sum(m.kind == "electrodes" for m in self.metal) > 1:
            raise ValueError("metal may have electrodes once; their count is 1 or 2")
        return self

    def generate(self, key: Key) -> Phantom:
        """Make one phantom: measures, pose, folds, nuclei, bones and lesions are drawn from streams of their own."""
        measures = key.fold("measures")
        names = ("length", "breadth", "skull", "scalp", "cortex")
        length, breadth, skull, scalp, grey = (
            between(measures.fold(name), getattr(self, f"{name}_mm")) for name in names
        )
        height = between(measures.fold("height"), (1.0, 1.05))
        head = Head(length, breadth, height, skull, scalp, grey, between(measures.fold("atrophy"), self.atrophy))
        level = between(measures.fold("level"), self.level_mm)
        tilt, turned = (between(measures.fold(name), getattr(self, f"{name}_deg")) for name in ("tilt", "turn"))
        rotation = _rotation(tilt, turned)
        parts = anatomy(head, key)
        metal, implants = head_metal(self.metal, parts, head, key.fold("metal"))
        parts = posed([*parts, *metal], 1e-3 * level, rotation)
        placed, rows = place_lesions(self.lesions, hosting(parts, self.lesions), (HOST,), key)
        row = {
            "part": "head",
            "length_mm": length,
            "breadth_mm": breadth,
            "skull_mm": skull,
            "scalp_mm": scalp,
            "cortex_mm": grey,
            "height_ratio": height,
            "atrophy": head.atrophy,
            "level_mm": level,
            "tilt_deg": tilt,
            "turn_deg": turned,
            "stretch": list(head.stretch),
        }
        motion, truths = None, {"anatomy": (row,), "lesions": rows}
        if implants:
            origin = np.array([level, 0.0, 0.0])
            truths["metal"] = tuple(moved_row(implant, origin, np.asarray(rotation)) for implant in implants)
        if self.motion is not None:
            z, y, x = (float(c) for c in np.asarray(rotation) @ np.subtract(head.at(NECK), (1e-3 * level, 0.0, 0.0)))
            motion, moves = self.motion.motion((z, y, x), key.fold("motion"))
            truths["motion"] = (moves,)
        return compose(get("air"), [*parts, *placed], names=NAMES, truths=truths, motion=motion)


def anatomy(head: Head, key: Key) -> list[Part]:
    """Return the parts of a head in the frame of the atlas [m], from the lowest to the topmost."""
    parts = [
        *cranium.outside(head),
        *cranium.vault(head),
        *cortex.cerebrum(head),
        *cortex.midline(head),
        *cortex.folds(head, key.fold("folds")),
        *brain.hemispheres(head, key.fold("nuclei")),
        *brain.hindbrain(head, key.fold("hindbrain")),
        *face.midface(head, key.fold("face")),
        *(part for side in SIDES for part in face.orbit(head, side, key.fold("orbit", side))),
        *face.ethmoid(head, key.fold("ethmoid")),
        *face.jaws(head, key.fold("teeth")),
        *cranium.base(head, key.fold("base")),
        *cranium.neck(head),
    ]
    return ended(parts, 1e-3 * head.stretch[0] * cranium.END, inf)


def hosting(parts: list[Part], lesions: Lesions) -> list[Part]:
    """Return the largest white matter, and what lies over it, other than white matter, where lesions may be."""
    white = [i for i, part in enumerate(parts) if part.name == HOST]
    host = max(white, key=lambda i: parts[i].shape.volume)
    reach = 5e-4 * (lesions.depth_mm + lesions.diameter_mm[1]) + 1e-3
    above = [part for part in parts[host + 1 :] if part.name != HOST]
    return [parts[host], *(p for p in above if abs(p.shape.centre[0]) < p.shape.half_extent[0] + reach)]


def _rotation(tilt: float, turned: float) -> Rotation:
    matrix = np.asarray(turn("x", -tilt * pi / 180)) @ np.asarray(turn("z", turned * pi / 180))
    rows = [(float(a), float(b), float(c)) for a, b, c in matrix]
    return (rows[0], rows[1], rows[2])
