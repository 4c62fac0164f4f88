"""Random hips, one or both of them replaced: pelvis, femora and what an artificial joint is made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
from pydantic import Field, model_validator

from phantomsim.phantoms.metal.pieces import straight, triple
from phantomsim.phantoms.metal.spec import HipImplant
from phantomsim.phantoms.phantom import Phantom
from phantomsim.phantoms.placement import Lesions, PositiveRange, Range, between, place_lesions
from phantomsim.phantoms.scene import Part, compose
from phantomsim.phantoms.spec import PhantomSpec
from phantomsim.physics.grid import Triple
from phantomsim.physics.rng import Key
from phantomsim.physics.shapes import Shape, along, capsule, cone, cylinder, ellipsoid, turn
from phantomsim.tissues import Tissue, get

NAMES: Final = (
    *("bladder", "cartilage", "fat", "femur", "lesion", "metal", "muscle", "pelvis", "rectum", "sacrum", "skin"),
    "vessel",
)
LIMITS: Final = {
    "width_mm": (350.0, 440.0),
    "aspect": (0.58, 0.75),
    "fat_mm": (8.0, 24.0),
    "head_mm": (44.0, 52.0),
    "level_mm": (-150.0, 60.0),
}
"""What each range may span and the hips still lie under their skin."""
SIDES: Final = {"right": -1, "left": 1}


@dataclass(frozen=True)
class Joint:
    """One hip: its side as the sign of x, and the measures that femur and socket follow from [m].

    Parameters
    ----------
    side
        −1 right, 1 left.
    centre
        Middle of the femoral head.
    head
        Radius of the femoral head.
    """

    side: int
    centre: Triple
    head: float

    def at(self, z: float, y: float, out: float) -> Triple:
        """Return a point given from the middle of the head, `out` away from the midline."""
        return (self.centre[0] + z, self.centre[1] + y, self.centre[2] + self.side * out)

    @property
    def opening(self) -> Triple:
        """Direction that the socket opens to: 45° down and outwards, 15° to the front; grade C."""
        return (-0.683, -0.259, self.side * 0.683)

    @property
    def shaft(self) -> tuple[Triple, Triple]:
        """Ends of the axis of the femur's shaft."""
        return self.at(-0.034, 0.004, 0.038), self.at(-0.270, 0.010, 0.026)

    def cup(self, radius: float, beyond: float = 0.0) -> Shape:
        """Return a ball around the head's middle, cut open towards `opening`, `beyond` the middle."""
        offset = float(np.dot(self.opening, self.centre) / np.linalg.norm(self.opening))
        return ellipsoid(self.centre, (radius,) * 3).clipped(self.opening, offset + beyond)


class RandomHip(PhantomSpec):
    """Random hips with pelvis, femora, muscles, bladder and rectum; one or both replaced by stem, head, liner and cup.

    Each pair is a range that one number is drawn from. Sizes are round figures of adults, from memory, grade C. The
    middle of the femoral heads is at ``level_mm`` 0; lower levels cut the shafts with the stems in them.
    """

    kind: Literal["hip"]
    width_mm: PositiveRange = Field(default=(365.0, 400.0), description="left to right over the skin")
    aspect: PositiveRange = Field(default=(0.6, 0.68), description="front to back over left to right")
    fat_mm: PositiveRange = Field(default=(10.0, 18.0), description="fat under the skin")
    head_mm: PositiveRange = Field(default=(45.0, 50.0), description="diameter of the bony femoral heads")
    level_mm: Range = Field(default=(-10.0, 10.0), description="height over the femoral heads that lies at z = 0")
    replaced: Literal["none", "right", "left", "both"] = Field(default="left", description="which hip is artificial")
    metal: HipImplant = Field(default=HipImplant(), description="the artificial joint")
    lesions: Lesions = Field(default=Lesions(), description="in muscle")

    @model_validator(mode="after")
    def _check(self) -> RandomHip:
        for name, (least, most) in LIMITS.items():
            low, high = getattr(self, name)
            if not least <= low <= high <= most:
                raise ValueError(
                    f"{name} must be [smallest, largest] within {least:g} to {most:g}, got [{low:g}, {high:g}]"
                )
        if self.metal.cup_mm[1] > self.head_mm[0] + 14:
            raise ValueError(
                f"metal.cup_mm up to {self.metal.cup_mm[1]:g} does not fit sockets of femoral heads of head_mm = "
                f"{self.head_mm[0]:g}: at most 14 mm more"
            )
        return self

    def generate(self, key: Key) -> Phantom:
        """Make one phantom: measures, implants and lesions are drawn from streams of their own."""
        drawn = {name: between(key.fold(name), getattr(self, name)) for name in LIMITS}
        level, width = 1e-3 * drawn["level_mm"], 5e-4 * drawn["width_mm"]
        joints = {
            name: Joint(side, (-level, 0.004, side * 0.088), 5e-4 * drawn["head_mm"]) for name, side in SIDES.items()
        }
        parts = _soft(width, width * drawn["aspect"], 1e-3 * drawn["fat_mm"], -level)
        parts += _pelvis(joints, -level)
        for joint in joints.values():
            parts += _femur(joint)
        rows = []
        for name, joint in joints.items():
            if self.replaced in (name, "both"):
                implant, row = _implant(self.metal, joint, key.fold("implant", name))
                parts += implant
                rows.append({"part": "metal", "kind": "hip", "side": name, **row})
        placed, lesions = place_lesions(self.lesions, parts, ("muscle",), key)
        truths: dict[str, tuple[dict[str, Any], ...]] = {
            "anatomy": ({"part": "hip", **drawn, "replaced": self.replaced},),
            "lesions": lesions,
            "metal": tuple(rows),
        }
        return compose(get("air"), [*parts, *placed], names=NAMES, truths=truths)


def _soft(width: float, depth: float, fat: float, z: float) -> list[Part]:
    """Return skin, fat and muscles of the lower trunk and both thighs, and what lies in the pelvis."""
    layers = (("skin", "skin", 0.0), ("adipose", "fat", 0.002), ("muscle", "muscle", 0.002 + fat))
    parts = []
    for tissue, name, inset in layers:
        trunk = cylinder((z + 0.10, 0.0, 0.0), (0.17, depth - inset, width - inset))
        thighs = [
            ellipsoid((z - 0.06, 0.0, side * (0.5 * width + 0.001)), (0.32, 0.92 * depth - inset, 0.5 * width - inset))
            for side in SIDES.values()
        ]
        parts += [Part(shape, get(tissue), name) for shape in (trunk, *thighs)]
    fatty: list[Shape] = [ellipsoid((z + 0.06, 0.006, 0.0), (0.115, 0.070, 0.060))]
    for side in SIDES.values():
        # fat between the layers of muscle, before and behind the joint
        fatty.append(ellipsoid((z + 0.02, -0.62 * depth, side * 0.062), (0.11, 0.016, 0.022), turn("z", -0.4 * side)))
        fatty.append(ellipsoid((z - 0.01, 0.45 * depth, side * 0.105), (0.09, 0.005, 0.050), turn("z", 0.35 * side)))
        fatty.append(ellipsoid((z + 0.01, -0.20 * depth, side * 0.135), (0.10, 0.030, 0.0035), turn("z", 0.5 * side)))
    parts += [Part(shape, get("adipose"), "fat") for shape in fatty]
    for side in SIDES.values():
        obturator = ellipsoid((z - 0.005, 0.0, side * 0.048), (0.045, 0.040, 0.0075), turn("z", 0.2 * side))
        parts.append(Part(obturator, get("muscle"), "muscle"))
        for tissue, out in (("blood", 0.066), ("blood_venous", 0.054)):
            vessel = capsule((z, -0.62 * depth, side * out), (0.2, 0.0048, 0.0048), turn("x", 0.08))
            parts.append(Part(vessel, get(tissue), "vessel"))
    wall = ellipsoid((z + 0.03, -0.028, 0.0), (0.036, 0.033, 0.042))
    full = ellipsoid((z + 0.03, -0.028, 0.0), (0.0325, 0.0295, 0.0385))
    rectum = capsule((z + 0.03, 0.046, 0.0), (0.085, 0.015, 0.018), turn("x", -0.1))
    gas = ellipsoid((z + 0.035, 0.043, 0.002), (0.035, 0.007, 0.010))
    parts += [Part(wall, get("muscle"), "bladder"), Part(full, get("urine"), "bladder")]
    return [*parts, Part(rectum, get("gi_tract"), "rectum"), Part(gas, get("air"), "rectum")]


def _bones(shapes: list[Shape], cortex: float, name: str) -> list[Part]:
    """Return bones that run into each other: spongy bone within a compact shell around them all."""
    inner = []
    for shape in shapes:
        z, y, x = (a - cortex for a in shape.semi_axes)
        inner.append(Shape(shape.kind, shape.centre, (z, y, x), shape.rotation, shape.param))
    shells = [Part(shape, get("cortical_bone"), name) for shape in shapes]
    return shells + [Part(shape, get("trabecular_bone"), name) for shape in inner]


def _rod(start: Triple, end: Triple, radius: float) -> Shape:
    run = np.subtract(end, start)
    half = float(np.linalg.norm(run)) / 2 + radius
    return capsule(triple(np.add(start, end) / 2), (half, radius, radius), along(triple(run)))


def _pelvis(joints: dict[str, Joint], z: float) -> list[Part]:
    """Return hip bones with their sockets, the sacrum, and cartilage in symphysis and joints."""
    shapes: list[Shape] = []
    for joint in joints.values():
        side = joint.side
        shapes += [
            ellipsoid(joint.at(0.075, 0.018, 0.012), (0.065, 0.042, 0.0085), turn("z", 0.5 * side)),
            ellipsoid(joint.at(0.028, 0.006, -0.004), (0.032, 0.027, 0.016), turn("z", 0.3 * side)),
            ellipsoid(joint.at(-0.040, 0.030, -0.024), (0.030, 0.017, 0.013)),
            ellipsoid(joint.at(-0.008, 0.030, -0.018), (0.034, 0.012, 0.011)),
            _rod(joint.at(0.002, -0.022, -0.022), (z - 0.020, -0.056, side * 0.010), 0.0085),
            _rod((z - 0.030, -0.053, side * 0.010), joint.at(-0.056, 0.014, -0.036), 0.0065),
        ]
    sockets = [joint.cup(joint.head + 0.010, 0.004) for joint in joints.values()]
    spongy = [joint.cup(joint.head + 0.0082, 0.0025) for joint in joints.values()]
    plates = [joint.cup(joint.head + 0.0055, 0.004) for joint in joints.values()]
    symphysis = ellipsoid((z - 0.024, -0.056, 0.0), (0.018, 0.009, 0.0032))
    sacrum = [
        ellipsoid((z + 0.090, 0.064, 0.0), (0.050, 0.017, 0.046), turn("x", 0.5)),
        ellipsoid((z + 0.042, 0.074, 0.0), (0.026, 0.0085, 0.020), turn("x", -0.2)),
        ellipsoid((z + 0.012, 0.070, 0.0), (0.016, 0.0055, 0.0085), turn("x", -0.6)),
    ]
    return [
        *_bones(sacrum, 0.0014, "sacrum"),
        *(Part(shape, get("cortical_bone"), "pelvis") for shape in sockets),
        *_bones(shapes, 0.0018, "pelvis"),
        *(Part(shape, get("trabecular_bone"), "pelvis") for shape in spongy),
        *(Part(shape, get("cortical_bone"), "pelvis") for shape in plates),
        Part(symphysis, get("cartilage"), "cartilage"),
        *(Part(joint.cup(joint.head + 0.0035, 0.004), get("cartilage"), "cartilage") for joint in joints.values()),
    ]


def femur_shapes(joint: Joint) -> list[Shape]:
    """Return the outer shapes of a femur: head, neck, both trochanters, and the shaft."""
    top, bottom = joint.shaft
    return [
        ellipsoid(joint.centre, (joint.head,) * 3),
        _rod(joint.centre, joint.at(-0.030, 0.004, 0.042), 0.0165),
        ellipsoid(joint.at(-0.020, 0.010, 0.050), (0.026, 0.019, 0.014), turn("y", 0.3 * joint.side)),
        ellipsoid(joint.at(-0.058, 0.016, 0.026), (0.014, 0.011, 0.010)),
        _rod(top, bottom, 0.0165),
    ]


def _femur(joint: Joint) -> list[Part]:
    """Return a femur: spongy above, a marrow canal in a thick cortex below."""
    shapes = femur_shapes(joint)
    top, bottom = (np.asarray(end) for end in joint.shaft)
    low = triple(top + 0.16 * (bottom - top))
    parts = _bones(shapes[:4], 0.0016, "femur")
    shaft = Part(shapes[4], get("cortical_bone"), "femur")
    spongy = Part(_rod(triple(top), low, 0.0135), get("trabecular_bone"), "femur")
    canal = Part(_rod(low, triple(bottom), 0.0095), get("yellow_marrow"), "femur")
    return [shaft, *parts, spongy, canal]


def _implant(item: HipImplant, joint: Joint, key: Key) -> tuple[list[Part], dict[str, Any]]:
    """Return an artificial joint in place of head and neck, and its row of the truth table."""
    head, cup = (5e-4 * between(key.fold(name), getattr(item, f"{name}_mm")) for name in ("head", "cup"))
    long, wall, mantle = 1e-3 * between(key.fold("stem"), item.stem_mm), 1e-3 * item.shell_mm, 1e-3 * item.cement_mm
    top, bottom = (np.asarray(end) for end in joint.shaft)
    way = (bottom - top) / np.linalg.norm(bottom - top)
    begin = top - 0.004 * way
    rotation = along(triple(way))

    def taper(margin: float) -> Shape:
        centre = triple(begin + (long + margin) / 2 * way)
        wide = 0.0080 + margin
        return cone(centre, ((long + margin) / 2, wide, wide), (0.0045 + margin) / wide, rotation)

    shell, liner = joint.cup(cup), joint.cup(cup - wall)
    ball, stem = ellipsoid(joint.centre, (head,) * 3), taper(0.0)
    neck = straight(begin, joint.centre, 0.0065)
    joint_space = [
        ellipsoid(joint.centre, (joint.head + 0.0036,) * 3),
        _rod(joint.centre, joint.at(-0.017, 0.002, 0.024), 0.0172),
    ]
    layers: list[tuple[Shape, Tissue]] = [(shape, get("soft_tissue")) for shape in joint_space]
    layers += [(shell, get(item.alloy)), (liner, get(item.liner))]
    layers += [(taper(mantle), get("bone_cement"))] if mantle else []
    layers += [(neck, get(item.alloy)), (stem, get(item.alloy)), (ball, get(item.head_alloy))]
    row = {
        "alloy": item.alloy,
        "head_alloy": item.head_alloy,
        "centre_mm": [1e3 * c for c in joint.centre],
        "tip_mm": (1e3 * (begin + long * way)).tolist(),
        "head_diameter_mm": 2e3 * head,
        "cup_diameter_mm": 2e3 * cup,
        "stem_mm": 1e3 * long,
        "cement_mm": item.cement_mm,
        "head_volume_mm3": 1e9 * ball.volume,
        "shell_volume_mm3": 1e9 * (shell.volume - liner.volume),
        "stem_volume_mm3": 1e9 * stem.volume,
    }
    return [Part(shape, tissue, "metal") for shape, tissue in layers], row
