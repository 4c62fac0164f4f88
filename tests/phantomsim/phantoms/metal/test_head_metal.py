"""Metal in heads: where it belongs, of the sizes in the truth table, and gone in the twin."""

import numpy as np
import pytest
from pydantic import ValidationError

from phantomsim.phantoms.head.head import RandomHead
from phantomsim.physics.errors import RecipeError
from phantomsim.physics.grid import Grid
from phantomsim.physics.rng import Key
from tests.scenes import held

ALL = [
    {"kind": "fillings", "count": 8},
    {"kind": "crowns", "count": 4},
    {"kind": "clips", "count": 2},
    {"kind": "coils"},
    {"kind": "electrodes"},
]


def make(seed: int, **fields):  # type: ignore[no-untyped-def]
    return RandomHead(kind="head", **fields).generate(Key(seed))


def shapes_of(phantom, tissue: str, name: str = "metal"):  # type: ignore[no-untyped-def]
    index = [t.name for t in phantom.tissues].index(tissue)
    rows = zip(phantom.body.shapes, phantom.body.names, phantom.body.codes, strict=True)
    return [shape for shape, part, code in rows if part == name and code == index]


def shapes_called(phantom, name: str):  # type: ignore[no-untyped-def]
    return [shape for shape, part in zip(phantom.body.shapes, phantom.body.names, strict=True) if part == name]


def points_on(shape) -> np.ndarray:  # type: ignore[no-untyped-def]
    directions = np.random.default_rng(0).normal(size=(300, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    directions[:, 0] += shape.param * np.sign(directions[:, 0])
    return directions @ shape.matrix.T + shape.centre


def rows(phantom, kind: str):  # type: ignore[no-untyped-def]
    return [row for row in phantom.truths["metal"] if row["kind"] == kind]


def test_the_twin_without_metal_is_the_head_that_never_had_any() -> None:
    lesions = {"count": 1, "diameter_mm": (5.0, 8.0)}
    metal, clean = make(3, metal=ALL, lesions=lesions, level_mm=(20.0, 20.0)), make(3, level_mm=(20.0, 20.0))
    twin = metal.without(["metal", "lesion"])
    assert twin.body.shapes == clean.body.shapes
    assert twin.body.names == clean.body.names
    assert twin.truths["metal"] == ()
    assert "metal" not in clean.truths
    grid = Grid((1, 40, 40), (0.005, 0.005, 0.005))
    assert (twin.map("density", grid) == clean.map("density", grid)).all()


def test_fillings_lie_in_premolars_and_molars_of_their_own() -> None:
    for seed in range(4):
        phantom = make(seed, metal=[{"kind": "fillings", "count": 20, "diameter_mm": (1.0, 4.0)}], turn_deg=(0, 0))
        found, crowns = rows(phantom, "fillings"), shapes_of(phantom, "tooth", "tooth")
        assert len({row["tooth"] for row in found}) == 20
        assert all(row["tooth"] % 10 >= 4 and 1 <= row["tooth"] // 10 <= 4 for row in found)
        for row, shape in zip(found, shapes_of(phantom, "amalgam"), strict=True):
            assert held(crowns, points_on(shape)).all(axis=1).sum() == 1
            assert row["centre_mm"] == pytest.approx([1e3 * c for c in shape.centre])
            assert row["volume_mm3"] == pytest.approx(1e9 * shape.volume)
            assert (row["tooth"] // 10 in (2, 3)) == (row["centre_mm"][2] > 0)


def test_a_crown_is_a_wall_around_what_is_left_of_the_tooth() -> None:
    phantom = make(1, metal=[{"kind": "crowns", "count": 32, "alloy": "zirconia"}])
    shells, stumps = shapes_of(phantom, "zirconia"), shapes_of(phantom, "tooth")
    assert {row["tooth"] for row in rows(phantom, "crowns")} == {10 * q + n for q in range(1, 5) for n in range(1, 9)}
    for row, shell, stump in zip(rows(phantom, "crowns"), shells, stumps, strict=True):
        assert shell.semi_axes[1] - stump.semi_axes[1] == pytest.approx(1e-3 * row["wall_mm"])
        assert shell.param * shell.semi_axes[0] == pytest.approx(stump.param * stump.semi_axes[0])
        assert row["volume_mm3"] == pytest.approx(1e9 * (shell.volume - stump.volume))


def test_a_coil_stays_in_its_aneurysm() -> None:
    for seed in range(4):
        phantom = make(seed, metal=[{"kind": "coils", "count": 4}])
        sacs, wires = shapes_of(phantom, "blood"), shapes_of(phantom, "platinum")
        assert len(sacs) == 4
        for shape in wires[::7]:
            assert held(sacs, points_on(shape) * (1 - 1e-9) + 1e-9 * np.asarray(shape.centre)).all(axis=1).any()
        assert all(0.02 < row["packing"] < 0.4 for row in rows(phantom, "coils"))


def test_electrodes_reach_from_their_target_through_the_vault_and_stay_under_the_skin() -> None:
    for seed in range(4):
        phantom = make(seed, metal=[{"kind": "electrodes"}])
        skin, skull = (shapes_called(phantom, name) for name in ("skin", "skull"))
        contacts = [s for s in shapes_of(phantom, "platinum") if s.kind == "cylinder"]
        assert [2 * s.semi_axes[0] for s in contacts] == pytest.approx([1.5e-3] * 8)
        assert np.linalg.norm(np.diff([s.centre for s in contacts[:4]], axis=0), axis=1) == pytest.approx([2e-3] * 3)
        for row, lead in zip(rows(phantom, "electrodes"), shapes_of(phantom, "silicone"), strict=True):
            assert held(skin, points_on(lead)).any(axis=0).all()
            ends = lead.centre + np.array([[1.0], [-1.0]]) * lead.matrix[:, 0] * (1 + lead.param)
            assert np.linalg.norm(ends - np.asarray(row["tip_mm"]) / 1e3, axis=1).min() < 1e-6
            axis = ends[0] + np.linspace(0, 1, 400)[:, None] * (ends[1] - ends[0])
            assert held(skull, axis).any(axis=0).mean() > 0.9
            first = contacts[0 if row["side"] == "left" else 4]
            assert row["contacts_mm"][0] == pytest.approx([1e3 * c for c in first.centre])


def test_the_spring_and_blades_of_a_clip_are_as_long_as_drawn() -> None:
    phantom = make(2, metal=[{"kind": "clips", "alloy": "cocrmo"}])
    blades = [s for s in shapes_of(phantom, "cocrmo") if s.kind == "box"]
    (row,) = rows(phantom, "clips")
    assert [2e3 * blade.semi_axes[0] for blade in blades] == pytest.approx([row["blade_mm"]] * 2)
    assert np.mean([b.centre for b in blades], axis=0) * 1e3 == pytest.approx(row["centre_mm"])
    assert blades[0].matrix[:, 0] / blades[0].semi_axes[0] == pytest.approx(row["direction"])


@pytest.mark.parametrize(
    ("metal", "says"),
    [
        ([{"kind": "fillings", "alloy": "amalgm"}], "did you mean 'amalgam'"),
        ([{"kind": "fillings", "alloy": "liver"}], "is no metal"),
        ([{"kind": "fillings", "count": 21}], "less than or equal to 20"),
        ([{"kind": "fillings", "count": 12}, {"kind": "fillings", "count": 12}], "20 of them can be filled"),
        ([{"kind": "fillings", "count": 10}, {"kind": "crowns", "count": 25}], "a head has 32 teeth"),
        ([{"kind": "fillings", "diameter_mm": (3.0, 9.0)}], "less than or equal to 5"),
        ([{"kind": "crowns", "wall_mm": (1.0, 0.5)}], "smallest, largest"),
        ([{"kind": "coils", "count": 3}, {"kind": "clips", "count": 2}], "4 clips and coils"),
        ([{"kind": "electrodes"}, {"kind": "electrodes"}], "electrodes once"),
        ([{"kind": "braces"}], "does not match any of the expected tags"),
    ],
)
def test_metal_that_cannot_be_is_refused_before_a_head_is_made(metal, says) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises((ValidationError, RecipeError), match=says):
        RandomHead(kind="head", metal=metal)


def test_a_filling_that_fits_no_tooth_is_an_error() -> None:
    with pytest.raises(RecipeError, match=r"left for a filling of 5\.0 mm"):
        make(0, metal=[{"kind": "fillings", "count": 20, "diameter_mm": (5.0, 5.0)}])
