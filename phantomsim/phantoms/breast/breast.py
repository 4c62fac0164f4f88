"""Random breasts, hanging or compressed: skin, fat between ligaments, lobes with ducts, veins and the chest wall."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import cbrt, ceil, floor, pi
from typing import Any, Final, Literal

import numpy as np
from pydantic import Field, model_validator

from phantomsim.phantoms.breast import gland, surface
from phantomsim.phantoms.breast.fat import compartments
from phantomsim.phantoms.breast.frame import Outline, Points, Squeeze, pendant
from phantomsim.phantoms.breast.lattice import Lattice, Mask, over
from phantomsim.phantoms.phantom import Phantom
from phantomsim.phantoms.placement import Lesions, PositiveRange, Range, between, integer_between, place_lesions
from phantomsim.phantoms.scene import Part, compose
from phantomsim.phantoms.spec import PhantomSpec
from phantomsim.phantoms.thorax.frame import tube
from phantomsim.physics.grid import Triple
from phantomsim.physics.rng import Key, uniform
from phantomsim.physics.shapes import Shape, cylinder, ellipsoid
from phantomsim.tissues import get

Density = Literal["a", "b", "c", "d"]
NAMES: Final = (
    *("areola", "duct", "fat", "gland", "lesion", "ligament", "lobule", "lung", "muscle", "nipple", "outside", "rib"),
    *("skin", "vein"),
)
FRACTIONS: Final[dict[Density, Range]] = {"a": (0.04, 0.08), "b": (0.08, 0.18), "c": (0.18, 0.32), "d": (0.32, 0.48)}
"""Dense tissue over all that is beneath the skin, by BI-RADS class of density."""
SHARES: Final[dict[Density, float]] = {"a": 0.1, "b": 0.4, "c": 0.4, "d": 0.1}
"""How often a class is drawn."""
REACH: Final[dict[Density, float]] = {"a": 0.60, "b": 0.66, "c": 0.74, "d": 0.85}
"""Canonical radius to which ducts branch: dense breasts have gland almost up to the fat under the skin."""
INNER_FAT: Final[dict[Density, float]] = {"a": 0.9, "b": 0.9, "c": 0.8, "d": 1.0}
"""Distance between lobules of fat within the gland over that of the others."""
POINTS: Final = 30_000
"""Of the lattice on which volumes are counted."""
LIMITS: Final[dict[str, tuple[float, float, str]]] = {
    "volume_ml": (80, 2500, "as adult breasts have"),
    "projection": (0.6, 1.4, "times the radius of the base"),
    "skin_mm": (0.5, 4, "or it is no normal skin"),
    "compartment_mm": (8, 40, "or there are too many lobules, or too few"),
    "septum_mm": (0.02, 1, "or ligaments alone are denser than a fatty breast"),
    "nipple_mm": (0, 15, "of an adult nipple"),
    "level": (-0.8, 0.8, "of the half height, or the slice misses the breast"),
    "lobes": (3, 24, "which are drained by ducts of their own"),
    "duct_ends": (24, 400, "of all lobes together"),
    "veins": (0, 16, "under the skin"),
}


class RandomBreast(PhantomSpec):
    """A random breast, hanging or compressed: fat between Cooper's ligaments, lobes with ducts, veins, chest wall.

    Each pair is a range that one number is drawn from. The nipple points to −y, the patient's front, and the breast's
    middle is the origin. A compressed breast lies between paddles across z, as in a cranio-caudal view, and ends at the
    chest wall, where a hanging one has a block of the trunk behind it; it has the volumes of the hanging breast, and
    its tissue flows sideways without elasticity (see `Squeeze`). Lesions are placed, as balls, in what is scanned.
    Ligaments count as dense tissue, as in an image.

    Fractions of dense tissue follow M. J. Yaffe et al., Med. Phys. 36 (2009), PMC2787062: skin included, 14 % to 26 %
    on average in four groups of women, less than 27 % in 80 % and less than 45 % in 95 % of them; the borders between
    the classes split that distribution into 10, 40, 40 and 10 %, the shares of women as remembered, not looked up
    (grade C). Skin of 1.44 ± 0.25 mm (0.87 to 2.34 mm): doi:10.1118/1.4793257. All else is a plausible round figure.
    """

    kind: Literal["breast"]
    density: Density | None = Field(default=None, description="BI-RADS class a to d; drawn if not given")
    side: Literal["left", "right"] | None = Field(default=None, description="of the patient; drawn if not given")
    volume_ml: PositiveRange = Field(default=(300.0, 1000.0), description="before the chest wall, skin included")
    projection: PositiveRange = Field(default=(0.85, 1.15), description="from base to nipple over radius of the base")
    compressed_mm: PositiveRange | None = Field(default=None, description="distance of the paddles; none: hanging")
    skin_mm: PositiveRange = Field(default=(1.0, 2.0), description="thickness of the skin")
    compartment_mm: PositiveRange = Field(default=(13.0, 19.0), description="between neighbouring lobules of fat")
    septum_mm: PositiveRange = Field(default=(0.12, 0.3), description="thickness of Cooper's ligaments")
    nipple_mm: Range = Field(default=(4.0, 9.0), description="height of the nipple")
    lobes: tuple[int, int] = Field(default=(8, 14), description="trees of ducts")
    duct_ends: tuple[int, int] = Field(default=(120, 190), description="ends of all ducts")
    veins: tuple[int, int] = Field(default=(4, 8), description="veins under the skin")
    level: Range = Field(
        default=(-0.25, 0.25), description="what lies at z = 0: height over the half height; 0: nipple"
    )
    lesions: Lesions = Field(default=Lesions(tissue="tumor_breast"), description="masses in the gland")

    @model_validator(mode="after")
    def _check(self) -> RandomBreast:
        for name, (least, most, why) in LIMITS.items():
            low, high = getattr(self, name)
            if not low <= high:
                raise ValueError(f"{name} must be [smallest, largest], got [{low:g}, {high:g}]")
            if low < least or high > most:
                raise ValueError(f"{name} must lie in {least:g} to {most:g} {why}, got [{low:g}, {high:g}]")
        if self.compressed_mm:
            low, high = self.compressed_mm
            thinnest = ceil(1e3 * max(_paddles(1e-6 * self.volume_ml[1], p)[0] for p in self.projection))
            thickest = floor(1e3 * min(_paddles(1e-6 * self.volume_ml[0], p)[1] for p in self.projection))
            if not low <= high:
                raise ValueError(f"compressed_mm must be [smallest, largest], got [{low:g}, {high:g}]")
            if low < thinnest or high > thickest:
                raise ValueError(
                    f"compressed_mm must lie in {thinnest} to {thickest} mm, which flattens a breast of "
                    f"{self.volume_ml[0]:g} ml and does not crush one of {self.volume_ml[1]:g} ml; "
                    f"got [{low:g}, {high:g}]"
                )
        return self

    def generate(self, key: Key) -> Phantom:
        """Make one phantom; the streams of measures, fat, lobes, veins and lesions are apart from each other."""
        drawn = self._draw(key.fold("measures"))
        side = 1 if drawn["side"] == "left" else -1
        skin = 1e-3 * drawn["skin_mm"]
        semi_axes, hanging, lattice, inside = self._hang(drawn, side, skin)
        squeeze = Squeeze(semi_axes, 1e-3 * drawn["compressed_mm"]) if self.compressed_mm else None
        outline = squeeze.outline(1e-6 * drawn["volume_ml"]) if squeeze else hanging

        contents, ducts = self._contents(drawn, semi_axes, skin, squeeze, lattice, inside, key)
        inner = outline.within(skin)
        if squeeze:
            images = squeeze.shapes([part.shape for part in contents])
            contents = [replace(part, shape=shape) for part, shape in zip(contents, images, strict=True)]
            ducts = squeeze.points(np.asarray(ducts))
            contents = fitted(contents, outline.within(skin + 0.0003))
        nipple = surface.nipple(outline, 1e-3 * drawn["nipple_radius_mm"], 1e-3 * drawn["nipple_mm"])
        tip = np.array([0.0, -outline.front - 0.4e-3 * drawn["nipple_mm"], 0.0])
        for start in np.asarray(ducts):
            end = tip + 0.4 * (start - np.mean(ducts, axis=0)) * (1, 0, 1)
            contents.append(Part(tube(start.tolist(), end.tolist(), 0.0009), get("breast_gland"), "duct"))
        fat = [Part(shape, get("breast_adipose"), "fat") for shape in inner]
        bare = surface.skin(outline, 1e-3 * drawn["areola_mm"], 0.0008)
        if squeeze:
            parts = [*bare, nipple, *fat, *contents, surface.cut((0.0, surface.FAR, 0.0))]
        else:
            width = max(abs(s.centre[2]) + s.semi_axes[2] for s in outline.shapes)
            wall_skin, wall_fat, wall = surface.trunk(outline, width, skin, 1e-3 * drawn["wall_fat_mm"])
            parts = [*wall_skin, *bare, nipple, *wall_fat, *fat, *contents, *wall]

        shift = (-drawn["level"] * outline.half_height, outline.front / 2, 0.0)
        drawn["chest_wall_mm"] = 1e3 * shift[1]
        drawn["nipple_at_mm"] = [1e3 * shift[0], 1e3 * (shift[1] - outline.front), 0.0]
        parts = [replace(part, shape=_moved(part.shape, shift)) for part in parts]
        host = Part(_moved(_host(semi_axes, REACH[drawn["density"]], squeeze), shift), get("breast_gland"), "gland")
        lesions, rows = place_lesions(self.lesions, [host], ("gland",), key.fold("lesions"))
        truths = {"anatomy": ({"part": "breast", **drawn},), "lesions": rows}
        return compose(get("air"), [*parts, *lesions], names=NAMES, truths=truths)

    def _draw(self, key: Key) -> dict[str, Any]:
        """Return every drawn measure by its name in the truth table."""
        drawn: dict[str, Any] = {}
        for name in LIMITS:
            draw = integer_between if name in ("lobes", "duct_ends", "veins") else between
            drawn[name] = draw(key.fold(name), getattr(self, name))
        share = float(uniform(key.fold("density"), 1, dtype=np.float64)[0])
        borders = np.cumsum(list(SHARES.values()))[:-1]
        drawn["density"] = self.density or list(SHARES)[int(np.searchsorted(borders, share))]
        drawn["side"] = self.side or ("left", "right")[integer_between(key.fold("side"), (0, 1))]
        drawn["compressed_mm"] = between(key.fold("compressed"), self.compressed_mm) if self.compressed_mm else None
        ranges: dict[str, Range] = {
            "dense_fraction": FRACTIONS[drawn["density"]],
            "height_over_width": (0.92, 1.08),
            "sag": (0.02, 0.10),
            "tail": (0.22, 0.36),
            "areola_mm": (12.0, 18.0),
            "nipple_radius_mm": (4.0, 6.0),
            "wall_fat_mm": (8.0, 14.0),
        }
        return drawn | {name: between(key.fold(name), limits) for name, limits in ranges.items()}

    @staticmethod
    def _hang(drawn: dict[str, Any], side: int, skin: float) -> tuple[Triple, Outline, Lattice, Mask]:
        """Return the hanging breast's first ellipsoid and outline, of the drawn volume, and a lattice over it."""
        tall = drawn["height_over_width"] ** 0.5
        unit = (tall, drawn["projection"], 1 / tall)
        shape = pendant(unit, side, drawn["sag"], drawn["tail"])
        lattice = over(shape.shapes, POINTS)
        count = int(lattice.union(shape.shapes).sum())
        scale = (1e-6 * drawn["volume_ml"] / (count * lattice.step**3)) ** (1 / 3)
        semi_axes = (scale * unit[0], scale * unit[1], scale * unit[2])
        outline = pendant(semi_axes, side, drawn["sag"], drawn["tail"])
        lattice = over(outline.shapes, POINTS)
        return semi_axes, outline, lattice, lattice.union(outline.within(skin))

    def _contents(
        self,
        drawn: dict[str, Any],
        semi_axes: Triple,
        skin: float,
        squeeze: Squeeze | None,
        lattice: Lattice,
        inside: Mask,
        key: Key,
    ) -> tuple[list[Part], Points]:
        """Return all that lies beneath the skin of the hanging breast, and where ducts begin, behind the nipple."""
        density = drawn["density"]
        flat = squeeze.thickness / 2 / semi_axes[0] if squeeze else 1.0
        margin = skin / max(flat, 0.5) + 0.0006  # what then reaches the skin is fitted after the squeeze
        size, septum = 1e-3 * drawn["compartment_mm"], 1e-3 * drawn["septum_mm"]
        outer = compartments(key.fold("fat"), semi_axes, size, septum, within=0.97, margin=margin)
        behind = (0.0, -0.90 * semi_axes[1], 0.0)
        counts = (drawn["lobes"], drawn["duct_ends"])
        trees = gland.lobes(
            key.fold("lobes"), semi_axes, behind, REACH[density], counts, 1 if drawn["side"] == "left" else -1
        )
        strands = gland.strands(key.fold("strands"), trees, semi_axes, margin + 0.002)
        inner = compartments(
            key.fold("inner fat"),
            semi_axes,
            0.5 * size,
            septum,
            within=REACH[density],
            margin=margin,
            apart=INNER_FAT[density] * size,
        )
        dense, fat = np.zeros(lattice.shape, np.bool_), np.zeros(lattice.shape, np.bool_)
        for number, part in enumerate([*outer, *inner]):
            block, points = lattice.local(part.shape)
            held = part.shape.holds(points)
            dense[block] = np.where(held, part.name == "ligament", dense[block])
            if number >= len(outer):
                fat[block] |= held
        factor, drawn["dense_fraction"] = gland.thickness(lattice, inside, dense, fat, strands, drawn["dense_fraction"])
        tissue = get("breast_gland")
        glands = [Part(strand.grown(factor), tissue, "gland") for strand in strands]
        deep = 1 - (skin + 0.003) / min(*semi_axes, flat * semi_axes[0])
        veins = surface.veins(key.fold("veins"), drawn["veins"], semi_axes, min(deep, 0.9 if squeeze else 1.0))
        lobules = gland.lobules(key.fold("lobules"), trees)
        roots = np.asarray([tree[0].start for tree in trees if tree])
        return [*outer, *veins, *glands, *inner, *gland.ducts(trees), *lobules], roots


def fitted(parts: Sequence[Part], shapes: Sequence[Shape]) -> list[Part]:
    """Return the parts that lie in a union of shapes before the chest wall, ellipsoids made smaller until they do."""
    corners = np.array([(z, y, x) for z in (-1, 0, 1) for y in (-1, 0, 1) for x in (-1, 0, 1)], np.float64)
    corners = corners[np.abs(corners).sum(axis=1) > 0]
    corners /= np.linalg.norm(corners, axis=1, keepdims=True)
    kept: list[Part | None] = list(parts)
    waiting = list(range(len(parts)))
    for scale in (1.0, 0.85, 0.7, 0.55, 0.4):
        tried = [_scaled(parts[i].shape, scale) for i in waiting]
        points = np.stack([_surface(shape, corners) for shape in tried])
        held = points[..., 1] > 0
        for shape in shapes:
            held[~held] = shape.holds(points[~held])
        good: list[bool] = np.all(held, axis=1).tolist()
        for i, shape, fine in zip(waiting, tried, good, strict=True):
            kept[i] = replace(parts[i], shape=shape) if fine else None
        waiting = [i for i, fine in zip(waiting, good, strict=True) if not fine]
        if not waiting:
            break
    return [part for part in kept if part is not None]


def _surface(shape: Shape, corners: Points) -> Points:
    """Return points on an ellipsoid or a capsule."""
    local = corners + shape.param * np.sign(corners) * (1, 0, 0)
    return np.asarray(np.asarray(shape.centre) + local @ shape.matrix.T)


def _scaled(shape: Shape, scale: float) -> Shape:
    """Return a shape made smaller about its centre; a capsule stays, for it joins others."""
    if scale == 1.0 or shape.kind == "capsule":
        return shape
    z, y, x = (scale * a for a in shape.semi_axes)
    return replace(shape, semi_axes=(z, y, x))


def _host(semi_axes: Triple, reach: float, squeeze: Squeeze | None) -> Shape:
    """Return where masses may lie: an ellipsoid, or between paddles a cylinder, about the region of the ducts."""
    front, back = max(reach, 0.72), 0.08
    middle, half = (front + back) / 2, (front - back) / 2
    across = (front * half) ** 0.5  # curved at its front as the region is
    z, y, x = semi_axes
    if squeeze is None:
        return ellipsoid((0.0, -middle * y, 0.0), (across * z, half * y, across * x))
    ends = squeeze.points(np.array([[0.0, -front * y, 0.0], [0.0, -back * y, 0.0], [0.0, 0.0, across * x]]))
    first, last, side = float(ends[0, 1]), float(ends[1, 1]), float(ends[2, 2])
    return cylinder((0.0, (first + last) / 2, 0.0), (0.31 * squeeze.thickness, (last - first) / 2, 0.9 * side))


def _moved(shape: Shape, shift: Triple) -> Shape:
    z, y, x = (float(c + s) for c, s in zip(shape.centre, shift, strict=True))
    return replace(shape, centre=(z, y, x))


def _paddles(volume: float, projection: float) -> tuple[float, float]:
    """Return the least and largest thickness that a compressed breast of a volume [m³] can be given [m].

    A base of radius r, taken 8 % smaller than that of the half ellipsoid, becomes r √(2 / 3c) at a thickness 2 c r;
    the slab must reach 1.15 times half its thickness to have a flat part. Below a fifth of the base tissue would have
    to be five times as wide.
    """
    radius = 0.92 * cbrt(3 * volume / (2 * pi * projection))
    return 0.4 * radius, 2 * radius * cbrt(0.6 * projection) ** 2
