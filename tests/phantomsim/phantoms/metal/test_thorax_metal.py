"""Metal in chests: screws in bone, wires on it, a pacemaker under the skin, and none of it in the twin."""

import numpy as np
import pytest
from pydantic import ValidationError

from phantomsim.phantoms.metal.pieces import screw_volume
from phantomsim.phantoms.metal.thorax import CHORDS
from phantomsim.phantoms.thorax.thorax import RandomThorax
from phantomsim.physics.errors import RecipeError
from phantomsim.physics.rng import Key
from tests.scenes import held

FEW = {"vessel_ends": (4, 4)}
ALL = [{"kind": "screws"}, {"kind": "wires"}, {"kind": "pacemaker"}]


def make(seed: int, **fields):  # type: ignore[no-untyped-def]
    return RandomThorax(kind="thorax", **FEW, **fields).generate(Key(seed))


def named(phantom, *names: str):  # type: ignore[no-untyped-def]
    return [s for s, name in zip(phantom.body.shapes, phantom.body.names, strict=True) if name in names]


def test_the_twin_without_metal_is_the_chest_that_never_had_any() -> None:
    metal, clean = make(5, metal=ALL), make(5)
    twin = metal.without(["metal"])
    assert twin.body.shapes == clean.body.shapes
    assert twin.body.names == clean.body.names
    assert twin.truths["metal"] == ()
    assert "metal" not in clean.truths


def test_screws_hold_in_arch_and_body_of_vertebrae_and_leave_the_canal_alone() -> None:
    """From 3 mm within the arch for 6 mm, and the last 10 mm, over the thread; between them the chest has no bone."""
    circle = np.linspace(0, 2 * np.pi, 24)
    for seed in range(3):
        phantom = make(seed, metal=[{"kind": "screws", "first": 1, "count": 12}])
        bones, canal = named(phantom, "vertebra"), named(phantom, "canal")
        rows = phantom.truths["metal"]
        assert [row["vertebra"] for row in rows[:12]] == [f"T{n}" for n in range(1, 13)]
        for row in rows:
            tip, centre = (np.asarray(row[name]) / 1e3 for name in ("tip_mm", "centre_mm"))
            way = (tip - centre) / np.linalg.norm(tip - centre)
            aside = np.cross(way, [1.0, 0.0, 0.0])
            ring = np.cos(circle)[:, None] * aside + np.sin(circle)[:, None] * np.cross(way, aside)
            far = np.concatenate([np.linspace(0.003, 0.009, 10), row["length_mm"] / 1e3 - np.linspace(0, 0.010, 10)])
            entry = tip - row["length_mm"] / 1e3 * way
            points = entry + far[:, None, None] * way + 5e-4 * row["diameter_mm"] * ring
            assert held(bones, points).any(axis=0).all(), (seed, row)
            everywhere = entry + np.linspace(0, row["length_mm"] / 1e3, 40)[:, None, None] * way
            assert not held(canal, everywhere + 5e-4 * row["diameter_mm"] * ring).any(), (seed, row)


def test_screws_have_the_threads_and_volume_of_the_truth_table() -> None:
    screws = {
        "kind": "screws",
        "first": 7,
        "count": 1,
        "diameter_mm": 5.0,
        "length_mm": 36.0,
        "pitch_mm": 3.0,
        "depth_mm": 0.8,
    }
    phantom = make(0, metal=[screws])
    cones = [shape for shape in named(phantom, "metal") if shape.kind == "cone"]
    right, left = phantom.truths["metal"]
    assert (right["side"], left["side"]) == ("right", "left")
    assert right["threads"] == 12
    assert len(cones) == 2 * 2 * 12
    crests = np.array([shape.centre for shape in cones[0:24:2]])
    assert np.linalg.norm(np.diff(crests, axis=0), axis=1) == pytest.approx(np.full(11, 0.003))
    assert {shape.semi_axes[1] for shape in cones} == {0.0025}
    assert right["volume_mm3"] == pytest.approx(1e9 * screw_volume(0.036, 0.0025, 0.0008, 0.003))


def test_wires_lie_on_the_breast_bone_and_around_it() -> None:
    for seed in range(3):
        phantom = make(seed, metal=[{"kind": "wires", "count": 8}])
        bones, skin = named(phantom, "sternum"), named(phantom, "skin")
        points = np.array([shape.centre for shape in named(phantom, "metal")])
        assert held(skin, points).any(axis=0).all()
        loops = points.reshape(8, CHORDS + 2, 3)[:, :CHORDS]
        assert held(bones, loops).any(axis=(0, 2)).sum() == 0
        inward = loops + 0.25 * (loops.mean(axis=1, keepdims=True) - loops)
        assert held(bones, inward).any(axis=0).mean() > 0.9
        assert len(phantom.truths["metal"]) == 8


def test_a_pacemaker_lies_under_the_skin_and_its_tip_in_the_right_ventricle() -> None:
    angle = np.linspace(0, 2 * np.pi, 48)
    for seed in range(6):
        phantom = make(seed, metal=[{"kind": "pacemaker"}], fat_mm=(4.0, 20.0))
        (row,) = phantom.truths["metal"]
        can, skin, lungs = named(phantom, "metal")[0], named(phantom, "skin"), named(phantom, "lung")
        rim = np.column_stack([0 * angle, np.sin(angle), np.cos(angle)])
        points = np.vstack([rim + [1, 0, 0], rim - [1, 0, 0]]) @ can.matrix.T + can.centre
        assert held(skin, points).any(axis=0).all(), seed
        assert not held(lungs, points).any(), seed
        assert can.volume == pytest.approx(np.pi / 4 * 0.042**2 * 0.007)
        names, shapes = np.array(phantom.body.names), phantom.body.shapes
        tip = np.asarray(row["tip_mm"]) / 1e3
        inside = [i for i in np.flatnonzero(names == "heart chamber") if shapes[i].holds(tip)]
        assert inside == [np.flatnonzero(names == "heart chamber")[2]]
        assert not any(shapes[i].holds(tip) for i in np.flatnonzero(names == "heart")[3:])


@pytest.mark.parametrize(
    ("metal", "says"),
    [
        ([{"kind": "screws", "alloy": "titanum"}], "did you mean 'titanium'"),
        ([{"kind": "screws", "first": 10, "count": 6}], "reach vertebra T15"),
        ([{"kind": "screws", "diameter_mm": 7.0}], "pedicles are 5.6 mm wide"),
        ([{"kind": "screws", "depth_mm": 1.2, "pitch_mm": 2.0}], "less than half of pitch_mm"),
        ([{"kind": "wires", "count": 20}], "less than or equal to 8"),
        ([{"kind": "wires"}, {"kind": "wires"}], "one table of each kind"),
    ],
)
def test_metal_that_cannot_be_is_refused_before_a_chest_is_made(metal, says) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises((ValidationError, RecipeError), match=says):
        RandomThorax(kind="thorax", metal=metal)
