"""Random chests: sections or volumes from the apex of the lungs to the diaphragm, made of several hundred shapes."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, Final, Literal

import numpy as np
from pydantic import Field, model_validator

from phantomsim.phantoms.metal.pieces import moved_row
from phantomsim.phantoms.metal.spec import ThoraxMetal
from phantomsim.phantoms.metal.thorax import thorax_metal
from phantomsim.phantoms.moving import ChestMotion
from phantomsim.phantoms.phantom import Phantom
from phantomsim.phantoms.placement import GAP, Lesions, PositiveRange, Range, between, integer_between, place_lesions
from phantomsim.phantoms.scene import Part, compose
from phantomsim.phantoms.spec import PhantomSpec
from phantomsim.phantoms.thorax import bones, heart, wall
from phantomsim.phantoms.thorax.frame import Cavity, Thorax, moved, tube
from phantomsim.phantoms.thorax.trees import ends, grow
from phantomsim.physics.rng import Key
from phantomsim.physics.shapes import Shape, ellipsoid
from phantomsim.tissues import get

Probability = Annotated[float, Field(ge=0, le=1)]
NAMES: Final = (
    *("airway", "aorta", "breast", "bronchus", "canal", "clavicle", "costal cartilage", "couch", "diaphragm", "disc"),
    *("fat", "gas", "heart", "heart chamber", "humerus", "lesion", "liver", "lung", "lung vessel", "metal", "muscle"),
    *("oesophagus", "pericardial fat", "pulmonary artery", "pulmonary vein", "rib", "scapula", "skin", "spleen"),
    *("sternum", "stomach", "vena cava", "vertebra"),
)
LIMITS: Final[dict[str, tuple[float, float, str]]] = {
    "width_mm": (280, 440, "or the organs do not fit"),
    "aspect": (0.66, 0.9, "or the organs do not fit"),
    "fat_mm": (3, 45, "which adult chests have"),
    "muscle": (0.5, 1.6, "of an average wall"),
    "heart_ml": (450, 1000, "or the heart does not fit"),
    "lung_density": (120, 500, "in kg/m3: inspired to expired lung"),
    "ground_glass_density": (350, 900, "in kg/m3: denser than lung, less dense than solid tissue"),
    "iodine_mg_ml": (0, 30, "in mg/ml"),
    "vessel_ends": (4, 400, "ends of each of the four vessel trees"),
    "level_mm": (-130, 70, "mm from the carina: from the diaphragm to the apex of the lungs"),
}


class RandomThorax(PhantomSpec):
    """A random adult chest: lungs with vessel and bronchial trees, heart, great vessels, ribs, spine and nodules.

    Each pair is a range that one number is drawn from. Sizes are round figures of adults in full inspiration that set a
    plausible scene, not a fit to one survey; the lungs hold 4 to 6 L on average, as in The Physics Factbook.
    """

    kind: Literal["thorax"]
    level_mm: tuple[float, float] = Field(
        default=(-70.0, 30.0), description="what lies at z = 0: distance from the carina to the head"
    )
    width_mm: PositiveRange = Field(default=(318.0, 350.0), description="left to right over the skin, without the arms")
    aspect: PositiveRange = Field(default=(0.71, 0.77), description="front to back over left to right")
    fat_mm: PositiveRange = Field(default=(7.0, 17.0), description="fat under the skin")
    muscle: PositiveRange = Field(default=(0.75, 1.3), description="thickness of the outer muscles over an average one")
    heart_ml: PositiveRange = Field(default=(600.0, 850.0), description="pericardial sac with all that is in it")
    lung_density: PositiveRange = Field(default=(160.0, 260.0), description="lung without its vessels [kg/m3]")
    vessel_ends: tuple[int, int] = Field(default=(70, 110), description="ends of each tree of arteries or veins")
    iodine_mg_ml: Range = Field(default=(0.0, 12.0), description="contrast agent in aorta and left heart")
    breasts: Probability = Field(default=0.5, description="probability of breasts")
    arms_down: Probability = Field(default=0.0, description="probability that the arms lie beside the trunk")
    couch: bool = Field(default=True, description="a table top of carbon fibre and foam under the back")
    length_mm: Annotated[float, Field(gt=0, le=2000)] = Field(
        default=500.0, description="of the trunk: half of it below the carina, and as much above, or to the neck"
    )
    lesions: Lesions = Field(default=Lesions(), description="solid nodules in the lungs")
    ground_glass: Lesions = Field(
        default=Lesions(tissue="lung_deflated"), description="ground-glass nodules: their tissue, thinned with air"
    )
    ground_glass_density: PositiveRange = Field(default=(450.0, 700.0), description="of ground glass [kg/m3]")
    metal: tuple[ThoraxMetal, ...] = Field(default=(), description="pedicle screws, sternal wires, a pacemaker")
    motion: ChestMotion | None = Field(
        default=None, description="breath and heart beat, from the end of an exhalation; none: at rest"
    )

    @model_validator(mode="after")
    def _check(self) -> RandomThorax:
        for name, (least, most, why) in LIMITS.items():
            low, high = getattr(self, name)
            if not low <= high:
                raise ValueError(f"{name} must be [smallest, largest], got [{low:g}, {high:g}]")
            if low < least or high > most:
                raise ValueError(f"{name} must lie in {least:g} to {most:g} {why}, got [{low:g}, {high:g}]")
        if self.fat_mm[1] > 20 + 0.3 * (self.width_mm[0] - 280):
            raise ValueError(f"fat_mm up to {self.fat_mm[1]:g} leaves no room in a width_mm of {self.width_mm[0]:g}")
        kinds = [item.kind for item in self.metal]
        if len(set(kinds)) < len(kinds):
            raise ValueError(f"metal may have one table of each kind, got {', '.join(kinds)}")
        return self

    def generate(self, key: Key) -> Phantom:
        """Make one phantom: the streams of measures, bones, trees and lesions are apart from each other."""
        drawn = self._draw(key.fold("measures"))
        thorax = Thorax(
            width=5e-4 * drawn["width_mm"],
            depth=5e-4 * drawn["width_mm"] * drawn["aspect"],
            fat=1e-3 * drawn["fat_mm"],
            muscle=drawn["muscle"],
            lung_height=1e-3 * drawn["lung_height_mm"],
            dome=1e-3 * drawn["diaphragm_mm"],
            half_length=5e-4 * self.length_mm,
        )
        filled = heart.blood(drawn["iodine_mg_ml"], drawn["right_to_left_iodine"])
        volume = 1e-6 * drawn["heart_ml"]
        airway, bronchi = heart.airway(thorax, 5e-4 * drawn["trachea_mm"])
        around = [*wall.fat(thorax), *wall.muscles(thorax), *bones.shoulders(thorax)]
        if drawn["breasts"]:
            skin, breasts = wall.breasts(thorax, 1e-6 * drawn["breast_ml"], drawn["gland"])
            around = [*skin, *wall.skin(thorax), *breasts, *around]
        else:
            around = [*wall.skin(thorax), *around]
        if drawn["arms_down"]:
            around = [*wall.arms(thorax), *around]
        around += wall.between_lungs(thorax)
        tissue = get("lung_inflated").diluted(drawn["lung_density"])
        fronts = [Part(thorax.recess(cavity.side), tissue, "lung") for cavity in thorax.cavities]
        lungs = [Part(cavity.shape(), tissue, "lung") for cavity in thorax.cavities]
        middle = [
            *wall.mediastinum(thorax),
            *heart.diaphragm(thorax),
            *heart.heart(thorax, volume, filled),
            *heart.vessels(thorax, volume, drawn["calibre"], filled),
            *heart.oesophagus(thorax, 5e-4 * drawn["oesophagus_gas_mm"]),
            *airway,
        ]
        skeleton = [
            *bones.sternum(thorax),
            *bones.ribs(thorax, key.fold("ribs")),
            *bones.spine(thorax, key.fold("spine")),
        ]
        metal, implants = thorax_metal(self.metal, thorax, skeleton, volume)
        obstacles = [part.shape for part in middle if part.name in ("fat", "diaphragm", "pericardial fat")]
        trees = self._trees(thorax, obstacles, filled, bronchi, drawn, key.fold("trees"))
        level = 1e-3 * drawn["level_mm"]

        around, fronts, lungs, trees, rest = (
            [Part(moved(part.shape, -level), part.tissue, part.name) for part in parts]
            for parts in map(thorax.ended, (around, fronts, lungs, trees, [*middle, *skeleton, *metal]))
        )
        if self.couch:
            around = [*(Part(moved(p.shape, -level), p.tissue, p.name) for p in wall.couch(thorax)), *around]
        hosts = [*lungs, *(part for part in rest if self._reachable(part.shape))]
        solid, rows = place_lesions(self.lesions, hosts, ("lung",), key.fold("solid"))
        glass, more = place_lesions(self.ground_glass, [*hosts, *solid], ("lung",), key.fold("ground glass"))
        thick = self.ground_glass.matter
        thinned = thick.diluted(drawn["ground_glass_density"])
        glass = [replace(part, tissue=thinned) if part.tissue.name == thick.name else part for part in glass]
        more = tuple({**row, "tissue": thinned.name} if row["tissue"] == thick.name else row for row in more)
        motion, truths = None, {"anatomy": ({"part": "thorax", **drawn},), "lesions": (*rows, *more)}
        if implants:
            truths["metal"] = tuple(moved_row(implant, np.array([1e3 * level, 0.0, 0.0])) for implant in implants)
        if self.motion is not None:
            domes = [part.shape for part in rest if part.name in ("diaphragm", "liver")]
            sac = next(part.shape for part in rest if part.name == "pericardial fat")
            cavities = [part.shape for part in lungs]
            motion, moves = self.motion.motion(cavities, domes, sac, 0.94 * thorax.depth, key.fold("motion"))
            truths["motion"] = (moves,)
        shown = [*around, *fronts, *lungs, *glass, *trees, *rest, *solid]
        return compose(get("air"), shown, names=NAMES, truths=truths, motion=motion)

    def _reachable(self, shape: Shape) -> bool:
        """Return whether a lesion can touch a shape: the others need not be asked."""
        reach = max(lesions.depth_mm + lesions.diameter_mm[1] for lesions in (self.lesions, self.ground_glass))
        return abs(shape.centre[0]) - shape.half_extent[0] < 5e-4 * reach + GAP

    def _draw(self, key: Key) -> dict[str, Any]:
        """Return every drawn measure by its name in the truth table."""
        drawn: dict[str, Any] = {
            name: between(key.fold(name), getattr(self, name)) for name in LIMITS if name != "vessel_ends"
        }
        drawn["vessel_ends"] = integer_between(key.fold("vessel_ends"), self.vessel_ends)
        ranges = {
            "lung_height_mm": (160.0, 176.0),
            "diaphragm_mm": (-128.0, -112.0),
            "trachea_mm": (15.0, 20.0),
            "calibre": (0.9, 1.12),
            "right_to_left_iodine": (0.7, 1.4),
            "oesophagus_gas_mm": (0.0, 6.0),
            "breast_ml": (200.0, 600.0),
            "gland": (0.1, 0.4),
        }
        drawn |= {name: between(key.fold(name), limits) for name, limits in ranges.items()}
        drawn["breasts"] = between(key.fold("breasts"), (0.0, 1.0)) < self.breasts
        drawn["arms_down"] = between(key.fold("arms_down"), (0.0, 1.0)) < self.arms_down
        return drawn

    def _trees(
        self,
        thorax: Thorax,
        obstacles: list[Shape],
        filled: heart.Blood,
        bronchi: tuple[float, float],
        drawn: dict[str, Any],
        key: Key,
    ) -> list[Part]:
        """Return arteries, veins and bronchi of both lungs; the mediastinum, put on later, hides their roots."""
        veins, walls, lumens = [], [], []
        hila = (heart.right_hilum(thorax), heart.left_hilum(thorax))
        for cavity, hilum, bronchus in zip(thorax.cavities, hila, bronchi, strict=True):
            host, stream, n = cavity.shape(-0.006), key.fold(cavity.side), drawn["vessel_ends"]
            z, y, x = hilum
            for name, matter, root, radius in (
                ("vein", filled.left, (z - 0.022, y - 0.008, x), 0.0055),
                ("artery", filled.right, hilum, 0.0060),
            ):
                targets = ends(n, [host, thorax.recess(cavity.side)], obstacles, stream.fold(name))
                tree = grow(root, targets, radius * drawn["calibre"], stream.fold(name, "tree"))
                veins += [Part(tube(b.start, b.end, b.radius), matter, "lung vessel") for b in tree]
            core = _core(cavity, hilum)
            root = (z - 0.006, y + 0.010, x)
            for branch in grow(root, ends(14, [core], obstacles, stream.fold("bronchi")), 0.75 * bronchus, stream):
                wall = tube(branch.start, branch.end, 1.2 * branch.radius + 0.0003)
                walls.append(Part(wall, get("cartilage"), "bronchus"))
                lumens.append(Part(tube(branch.start, branch.end, branch.radius), get("air"), "bronchus"))
        return veins + walls + lumens


def _core(cavity: Cavity, hilum: tuple[float, float, float]) -> Shape:
    """Return the part of a lung around its hilum in which the walls of bronchi can be seen."""
    shape = cavity.shape()
    z, y, x = (0.55 * h + 0.45 * c for h, c in zip(hilum, shape.centre, strict=True))
    return ellipsoid((z, y, x), (0.075, 0.055, 0.045), shape.rotation)
