"""Random trees of vessels in a block of tissue, with stenoses, aneurysms and the flow through them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Any, Final, Literal

import numpy as np
from pydantic import Field, model_validator

from phantomsim.phantoms.phantom import Phantom
from phantomsim.phantoms.ranges import PositiveRange, Range, between
from phantomsim.phantoms.scene import Part, compose
from phantomsim.phantoms.spec import PhantomSpec
from phantomsim.phantoms.vessels.disease import Disease, Plan, afflict
from phantomsim.phantoms.vessels.frames import frames
from phantomsim.phantoms.vessels.growth import Habit, Vessel, grow
from phantomsim.phantoms.vessels.pieces import chain, cuts
from phantomsim.physics.errors import RecipeError
from phantomsim.physics.flow.network import VesselFlow
from phantomsim.physics.flow.tube import Tube
from phantomsim.physics.flow.waveform import pulse
from phantomsim.physics.rng import Key, uniform
from phantomsim.physics.shapes import Shape, along, box, cylinder, ellipsoid
from phantomsim.tissues import Tissue, get
from phantomsim.tissues.agents import agent

NAMES: Final = ("host", "vessel wall", "blood", "stenosis", "aneurysm", "calcification")
HOSTS: Final[dict[str, Callable[..., Shape]]] = {"ellipsoid": ellipsoid, "cylinder": cylinder, "box": box}
CALCIUM_DENSITY: Final = 1600.0
"""Of a calcified plaque, hydroxyapatite in soft tissue [kg/m³]: a choice between those of its parts."""
GAP: Final = 4e-4
"""Least distance between the walls of two vessels [m]."""
TRIES: Final = 4
"""Trees grown until one holds what was asked for."""
LIMITS: Final[dict[str, tuple[float, float, str]]] = {
    "root_radius_mm": (0.05, 20, "mm: arterioles to the aorta"),
    "murray_exponent": (2.3, 5, "where Murray's is 3: with 2 the vessels of a fork would run on as one"),
    "asymmetry": (0.4, 1, "smaller over larger radius at a fork"),
    "slenderness": (6, 40, "length over radius of a vessel"),
    "wall": (0.03, 0.4, "thickness of the wall over the radius"),
    "iodine_mg_ml": (0, 50, "mg/ml"),
    "gadolinium_mmol_l": (0, 50, "mmol/l"),
    "stenosis_percent": (5, 95, "percent of the diameter"),
    "lesion_length": (0.5, 10, "length of a stenosis or fusiform aneurysm over the vessel's diameter"),
    "fusiform": (1.1, 3, "largest diameter of a fusiform aneurysm over its vessel's"),
    "saccular": (0.4, 3, "diameter of a saccular aneurysm over its vessel's"),
    "velocity_m_s": (0.0001, 2, "m/s: mean velocity in the first vessel"),
    "heart_rate": (20, 800, "beats a minute"),
}


class RandomVessels(PhantomSpec):
    """A random tree of vessels in a block of tissue, with stenoses, aneurysms, calcifications and a flow field.

    Each pair is a range that one number is drawn from. Radii follow Murray's law and angles at forks cost least volume.
    `flow` gives the velocity of the blood for the same key; it belongs to the whole tree, whatever parts a variant
    leaves out. Without "stenosis" and "calcification" the vessel is as wide as it was; without "aneurysm", too. The
    first vessel begins, and the last ones end, with an open flat section inside the block. The wall is taken as average
    soft tissue. Calibres, velocities and heart rate are round figures of a middle-sized artery, not a fit to a survey.
    """

    kind: Literal["vessels"]
    shape: Literal["ellipsoid", "cylinder", "box"] = Field(default="cylinder", description="of the block; axis along z")
    size_mm: tuple[
        Annotated[float, Field(gt=0, le=2000)],
        Annotated[float, Field(gt=0, le=2000)],
        Annotated[float, Field(gt=0, le=2000)],
    ] = Field(default=(100.0, 80.0, 80.0), description="of the block (z, y, x)")
    tissue: str = Field(default="muscle", description="of the block")
    vessels: int = Field(default=95, ge=1, le=2000, description="most vessels of the tree")
    root_radius_mm: PositiveRange = Field(default=(2.0, 3.0), description="of the first vessel")
    smallest_radius_mm: Annotated[float, Field(gt=0, le=10)] = 0.4
    murray_exponent: PositiveRange = Field(default=(3.0, 3.0), description="r0^g = r1^g + r2^g")
    asymmetry: PositiveRange = Field(default=(0.6, 1.0), description="smaller over larger radius, at each fork")
    slenderness: PositiveRange = Field(default=(7.0, 12.0), description="length over radius, of each vessel")
    bend: Annotated[float, Field(ge=0, le=1)] = Field(default=0.4, description="tangent of a vessel's largest bend")
    wall: PositiveRange = Field(default=(0.10, 0.18), description="thickness of the wall over the radius")
    iodine_mg_ml: Range = Field(default=(0.0, 0.0), description="in the blood")
    gadolinium_mmol_l: Range = Field(default=(0.0, 0.0), description="in the blood [mmol/l]")
    stenoses: int = Field(default=1, ge=0, le=20)
    stenosis_percent: PositiveRange = Field(default=(30.0, 80.0), description="of the diameter")
    calcified: Annotated[float, Field(ge=0, le=1)] = Field(default=0.5, description="probability, of each stenosis")
    lesion_length: PositiveRange = Field(default=(1.5, 3.0), description="over the vessel's diameter")
    fusiform_aneurysms: int = Field(default=0, ge=0, le=20)
    fusiform: PositiveRange = Field(default=(1.4, 1.9), description="its largest diameter over its vessel's")
    saccular_aneurysms: int = Field(default=1, ge=0, le=20)
    saccular: PositiveRange = Field(default=(0.8, 1.6), description="its diameter over its vessel's")
    velocity_m_s: PositiveRange = Field(default=(0.15, 0.35), description="mean, in the first vessel [m/s]")
    heart_rate: PositiveRange = Field(default=(55.0, 85.0), description="beats a minute")
    pulsatility: Annotated[float, Field(ge=0, le=1)] = Field(default=0.5, description="0: steady flow")

    @model_validator(mode="after")
    def _check(self) -> RandomVessels:
        get(self.tissue)
        for name, (least, most, why) in LIMITS.items():
            low, high = getattr(self, name)
            if not low <= high:
                raise ValueError(f"{name} must be [smallest, largest], got [{low:g}, {high:g}]")
            if low < least or high > most:
                raise ValueError(f"{name} must lie in {least:g} to {most:g} ({why}), got [{low:g}, {high:g}]")
        if self.smallest_radius_mm > self.root_radius_mm[0]:
            raise ValueError(
                f"smallest_radius_mm {self.smallest_radius_mm:g} is above root_radius_mm {self.root_radius_mm[0]:g}"
            )
        longest = 1.2 * self.root_radius_mm[1] * self.slenderness[1]
        if longest > 0.75 * self.size_mm[0] or 8 * self.root_radius_mm[1] > min(self.size_mm):
            raise ValueError(
                f"a first vessel of radius {self.root_radius_mm[1]:g} mm, up to {longest:.3g} mm long, does not fit "
                f"into size_mm {list(self.size_mm)}: lower root_radius_mm or slenderness, or enlarge size_mm"
            )
        return self

    def generate(self, key: Key) -> Phantom:
        """Make one phantom: the streams of measures, tree and lesions are apart from each other."""
        drawn = self._draw(key.fold("measures"))
        tree = self.tree(key)
        blood = get("blood")
        for name, amount in (("iodine", drawn["iodine_mg_ml"]), ("gadolinium", drawn["gadolinium_mmol_l"])):
            molar = agent(name).molar_mass if name == "iodine" else 1.0
            blood = agent(name).in_tissue(blood, amount / molar) if amount else blood
        hard, rows = self._calcium(tree, key.fold("calcification"))
        host = Part(self._host(), get(self.tissue), "host")
        parts = [host, *_tree(tree, 1 + drawn["wall"], get("soft_tissue"), blood), *hard]
        vessels = tuple({"part": "blood"} | row for row in self._flow(tree, drawn).table())
        anatomy = {"part": "host", "vessels": len(tree.vessels)} | drawn
        truths = {"anatomy": (anatomy,), "vessels": vessels, **tree.rows, "calcifications": rows}
        return compose(get("air"), parts, names=NAMES, truths=truths)

    def tree(self, key: Key) -> Disease:
        """Return the tree of the phantom that the same key makes.

        Raises
        ------
        RecipeError
            If the tree has no room for the lesions that were asked for.
        """
        drawn = self._draw(key.fold("measures"))
        host, radius = self._host(), 1e-3 * drawn["root_radius_mm"]
        habit = Habit(
            exponent=drawn["murray_exponent"],
            asymmetry=self.asymmetry,
            slenderness=self.slenderness,
            bend=self.bend,
            smallest_radius=1e-3 * self.smallest_radius_mm,
            n_vessels=self.vessels,
            wall=drawn["wall"],
            gap=min(GAP, 0.2 * radius),
        )
        plan = Plan(
            self.stenoses,
            self.stenosis_percent,
            self.lesion_length,
            self.fusiform_aneurysms,
            self.fusiform,
            self.saccular_aneurysms,
            self.saccular,
        )
        start = min(host.semi_axes) if self.shape == "ellipsoid" else host.semi_axes[0]
        problem: RecipeError | None = None
        for attempt in range(TRIES):
            stream = key.fold("tree", attempt)
            tilt, turn, height = uniform(stream.fold("root"), 3, dtype=np.float64)
            edge = 1 - 1.1 * (radius * (1 + habit.wall) + habit.gap) / start
            root = np.array([-(edge - 0.04 * height) * host.semi_axes[0], 0.0, 0.0])
            slant = 0.25 * tilt * np.array([0.0, np.cos(2 * np.pi * turn), np.sin(2 * np.pi * turn)])
            vessels = grow(host, root, np.array([1.0, 0.0, 0.0]) + slant, radius, habit, stream)
            if not vessels:
                problem = RecipeError("the first vessel finds no room in the block: lower root_radius_mm")
                continue
            try:
                return afflict(
                    vessels, self._flows(vessels, drawn), host, habit.wall, habit.gap, plan, stream.fold("disease")
                )
            except RecipeError as error:
                problem = error
        raise problem or RecipeError("no tree was grown")

    def flow(self, key: Key) -> VesselFlow:
        """Return the flow of blood through the phantom that the same key makes."""
        return self._flow(self.tree(key), self._draw(key.fold("measures")))

    def _flow(self, tree: Disease, drawn: dict[str, float]) -> VesselFlow:
        return VesselFlow(
            tuple(vessel.tube for vessel in tree.vessels),
            tuple(vessel.parent for vessel in tree.vessels),
            tuple(self._flows(tree.vessels, drawn)),
            pulse(drawn["heart_rate"] / 60, self.pulsatility),
            eddies=tuple(sac.eddy for sac in tree.sacs),
        )

    def _flows(self, vessels: Sequence[Vessel], drawn: dict[str, float]) -> list[float]:
        """Return the mean flow of each vessel [m³/s]: as r^γ, so that forks conserve it."""
        root = vessels[0].tube.radii[1]
        total = drawn["velocity_m_s"] * np.pi * root**2
        return [float(total * (v.tube.radii[1] / root) ** drawn["murray_exponent"]) for v in vessels]

    def _host(self) -> Shape:
        z, y, x = (5e-4 * size for size in self.size_mm)
        return HOSTS[self.shape]((0.0, 0.0, 0.0), (z, y, x))

    def _draw(self, key: Key) -> dict[str, float]:
        names = ("root_radius_mm", "murray_exponent", "wall", "iodine_mg_ml", "gadolinium_mmol_l")
        return {
            name: between(key.fold(name), getattr(self, name)) for name in (*names, "velocity_m_s", "heart_rate")
        } | {"pulsatility": self.pulsatility}

    def _calcium(self, tree: Disease, key: Key) -> tuple[list[Part], tuple[dict[str, Any], ...]]:
        """Return flecks of calcium in the plaque of some stenoses, and a row of the truth table for each."""
        tissue = get("calcification_ha").diluted(CALCIUM_DENSITY)
        parts, rows = [], []
        for number, row in enumerate(tree.rows["stenoses"]):
            stream = key.fold(number)
            if between(stream.fold("calcified"), (0.0, 1.0)) >= self.calcified:
                continue
            tube = tree.vessels[row["vessel"]].tube
            bump = tube.bumps[0]
            for draw in uniform(stream.fold("flecks"), (4, 3), dtype=np.float64):
                u = np.array([bump.centre + (draw[0] - 0.5) * bump.half_width])
                place, first, _ = tube.curve(u)
                wide, narrow = float(tube.healthy(u)[0][0]), float(tube.radius(u)[0][0])
                frame = frames(first)[0]
                normal = np.cos(2 * np.pi * draw[1]) * frame[:, 1] + np.sin(2 * np.pi * draw[1]) * frame[:, 2]
                z, y, x = (float(c) for c in place[0] + (wide + narrow) / 2 * normal)
                thick = 0.4 * (wide - narrow)
                rotation = along((float(normal[0]), float(normal[1]), float(normal[2])))
                size = (thick, thick * (1 + draw[2]), thick * (1 + draw[2]))
                parts.append(Part(ellipsoid((z, y, x), size, rotation), tissue, "calcification"))
                rows.append(
                    {
                        "part": "calcification",
                        "vessel": row["vessel"],
                        "centre_mm": [1e3 * z, 1e3 * y, 1e3 * x],
                        "thickness_mm": 2e3 * size[0],
                        "diameter_mm": 2e3 * size[1],
                    }
                )
        return parts, tuple(rows)


def _tree(tree: Disease, outer: float, wall: Tissue, blood: Tissue) -> list[Part]:
    """Return walls below, blood above, and what is wrong on top, so that no wall closes another's lumen."""
    walls, lumens, bulges, filled, narrow = [], [], [], [], []
    for vessel in tree.vessels:
        tube = vessel.tube
        u = cuts(tube, healthy=True)
        radii = tube.healthy(u)[0]
        walls += _parts(tube, u, outer * radii, wall, "vessel wall")
        lumens += _parts(tube, u, radii, blood, "blood")
        for bump in tube.bumps:
            u = cuts(tube, bump.centre - bump.half_width, bump.centre + bump.half_width)
            if bump.height > 0:
                bulges += _parts(tube, u, outer * tube.radius(u)[0], wall, "aneurysm")
                filled += _parts(tube, u, tube.radius(u)[0], blood, "aneurysm")
            else:
                narrow += _parts(tube, u, tube.healthy(u)[0], wall, "stenosis")
                narrow += _parts(tube, u, tube.radius(u)[0], blood, "stenosis")
    for sac in tree.sacs:
        thick = (outer - 1) * min(sac.radius, tree.vessels[sac.vessel].tube.radii[1])
        bulges.append(Part(ellipsoid(sac.centre, (sac.radius + thick,) * 3), wall, "aneurysm"))
        filled.append(Part(ellipsoid(sac.centre, (sac.radius,) * 3), blood, "aneurysm"))
    return [*walls, *bulges, *lumens, *filled, *narrow]


def _parts(tube: Tube, u: Any, radii: Any, tissue: Tissue, name: str) -> list[Part]:
    return [Part(shape, tissue, name) for shape in chain(tube, u, radii)]
