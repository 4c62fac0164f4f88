"""Hips: joints that fit their bones, volumes in closed form, and a twin with the bones that were replaced."""

import numpy as np
import pytest
from pydantic import ValidationError

from phantomsim.phantoms.metal.hip import NAMES, RandomHip
from phantomsim.physics.errors import RecipeError
from phantomsim.physics.grid import Grid
from phantomsim.physics.rng import Key
from tests.scenes import held


def make(seed: int, **fields):  # type: ignore[no-untyped-def]
    return RandomHip(kind="hip", **fields).generate(Key(seed))


def named(phantom, *names: str):  # type: ignore[no-untyped-def]
    return [s for s, name in zip(phantom.body.shapes, phantom.body.names, strict=True) if name in names]


def test_the_twin_without_metal_has_both_its_own_hips() -> None:
    metal, clean = make(4, replaced="both"), make(4, replaced="none")
    twin = metal.without(["metal"])
    assert twin.body.shapes == clean.body.shapes
    assert twin.truths["metal"] == ()
    grid = Grid((1, 60, 100), (0.004,) * 3)
    assert (twin.map("density", grid) == clean.map("density", grid)).all()
    assert (metal.map("density", grid) != clean.map("density", grid)).any()


def test_volumes_of_head_and_cup_are_their_closed_forms() -> None:
    """Voxels of 0.8 mm with 64 lines each: to 0.3 %; the neck takes its share of the head, which lies on top."""
    phantom = make(2, replaced="left", level_mm=(0, 0), metal={"alloy": "ti6al4v", "liner": "uhmwpe"})
    (row,) = phantom.truths["metal"]
    index = [tissue.name for tissue in phantom.tissues].index("cocrmo")
    grid = Grid((80, 80, 80), (8e-4,) * 3, tuple(c / 1e3 for c in row["centre_mm"]))
    volume = phantom.fractions(grid).values[index].sum(dtype=float) * 8e-4**3 * 1e9
    assert volume == pytest.approx(row["head_volume_mm3"], rel=3e-3)
    outer, inner = row["cup_diameter_mm"] / 2, row["cup_diameter_mm"] / 2 - 3.5
    assert row["shell_volume_mm3"] == pytest.approx(2 / 3 * np.pi * (outer**3 - inner**3))
    assert row["head_volume_mm3"] == pytest.approx(np.pi / 6 * row["head_diameter_mm"] ** 3)


def test_stems_lie_in_the_femur_and_cups_in_the_pelvis() -> None:
    angle = np.linspace(0, 2 * np.pi, 24)
    for seed in range(30):
        phantom = make(seed, replaced="both", metal={"cement_mm": 2.0, "cup_mm": (52.0, 58.0)})
        femora, pelvis = named(phantom, "femur"), named(phantom, "pelvis")
        metal = named(phantom, "metal")
        for stem in (shape for shape in metal if shape.kind == "cone"):
            z = np.repeat(np.linspace(-1, 1, 15), 24)
            wide = (1 + stem.param) / 2 - (1 - stem.param) / 2 * z
            ring = np.column_stack([z, wide * np.sin(np.tile(angle, 15)), wide * np.cos(np.tile(angle, 15))])
            assert held(femora, ring @ stem.matrix.T + stem.centre).any(axis=0).all(), seed
        for cup in (shape for shape in metal if shape.clips):
            directions = np.random.default_rng(0).normal(size=(400, 3))
            directions /= np.linalg.norm(directions, axis=1, keepdims=True)
            points = np.asarray(cup.centre) + (1 - 1e-9) * cup.semi_axes[0] * directions
            points = points[cup.holds(points)]
            assert np.any([bone.uncut.holds(points) for bone in pelvis], axis=0).all(), seed


def test_hips_are_whole_and_keep_their_bones_under_the_skin() -> None:
    directions = np.random.default_rng(0).normal(size=(40, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    used = set()
    for seed in range(40):
        phantom = make(seed, replaced="both", level_mm=(-150.0, 60.0))
        used |= set(phantom.body.names)
        skin = named(phantom, "skin")
        points = [s.centre + directions @ s.matrix.T for s in named(phantom, "pelvis", "sacrum", "bladder", "rectum")]
        points += [s.centre + directions @ s.matrix.T for s in named(phantom, "femur") if s.kind == "ellipsoid"]
        assert np.any([s.holds(np.concatenate(points)) for s in skin], axis=0).all(), seed
    assert used | {"lesion"} == set(NAMES)


def test_the_side_that_is_named_is_replaced() -> None:
    for side, sign in (("left", 1), ("right", -1)):
        (row,) = make(1, replaced=side).truths["metal"]
        assert row["side"] == side
        assert np.sign(row["centre_mm"][2]) == sign


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"width_mm": (300.0, 380.0)}, "within 350 to 440"),
        ({"head_mm": (50.0, 46.0)}, "smallest, largest"),
        ({"metal": {"alloy": "muscle"}}, "is no metal"),
        ({"metal": {"alloy": "unobtainium"}}, "unknown tissue"),
        ({"metal": {"cup_mm": (40.0, 50.0)}}, "take cups of 44 to 60 mm"),
        ({"metal": {"head_mm": (28.0, 48.0)}}, "two walls of shell_mm"),
        ({"metal": {"stem_mm": (20.0, 100.0)}}, "stem_mm must lie in 80 to 200"),
        ({"metal": {"cup_mm": (50.0, 60.0)}, "head_mm": (44.0, 46.0)}, "at most 14 mm more"),
        ({"replaced": "knee"}, "'none', 'right', 'left' or 'both'"),
    ],
)
def test_hips_that_cannot_be_are_refused(fields, says) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises((ValidationError, RecipeError), match=says):
        RandomHip(kind="hip", **fields)
