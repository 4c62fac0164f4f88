"""What holds for every test object, whatever it is."""

import json

import numpy as np
import pytest

from phantomsim.phantoms.objects.inserts import Pose
from phantomsim.phantoms.phantom import Phantom
from phantomsim.phantoms.volume import LabelBody
from phantomsim.physics.errors import ShapeError
from phantomsim.physics.grid import Grid
from phantomsim.physics.rng import Key
from phantomsim.physics.xray.geometry import ParallelBeam, rays
from phantomsim.registry import PHANTOMS
from phantomsim.tissues import get

KINDS = [
    *("ctp404", "ctp515", "ctp528", "acr-ct", "nema-iq", "nema-nu4"),
    *(
        "jaszczak",
        "derenzo",
        "defrise",
        "siemens-star",
        "contrast-detail",
        "edge-wire",
        "forbild-head",
        "forbild-thorax",
        "nist-system",
    ),
]


def build(kind: str, **fields: object) -> Phantom:
    return PHANTOMS.get(kind)(kind=kind, **fields).generate(Key(0))  # type: ignore[attr-defined, no-any-return]


def tissue_at(phantom: Phantom, point_mm: list[float]) -> str:
    z, y, x = (1e-3 * c for c in point_mm)
    return phantom.tissues[int(phantom.labels(Grid((1, 1, 1), (1e-5,) * 3, (z, y, x)))[0, 0, 0])].name


@pytest.mark.parametrize("kind", KINDS)
def test_inserts_hold_their_tissue_at_their_centres_in_any_pose(kind: str) -> None:
    for pose in ({}, {"roll_deg": 17.0, "shift_mm": [4.0, -3.0, 7.0]}):
        phantom = build(kind, pose=pose)
        rows = phantom.truths["inserts"]
        assert rows
        for row in rows:
            centre = row["centre_mm"]
            if row.get("bars", 1) % 2 == 0:  # the middle of an even number of bars is a gap
                assert tissue_at(phantom, centre) != row["tissue"]
            else:
                assert tissue_at(phantom, centre) == row["tissue"], row
            assert row["part"] in phantom.parts


@pytest.mark.parametrize("kind", KINDS)
def test_fractions_sum_to_one_and_lengths_are_those_of_the_body(kind: str) -> None:
    phantom = build(kind)
    lower, upper = phantom.body.table("cpu").lower, phantom.body.table("cpu").upper  # type: ignore[attr-defined]
    middle = (lower.min(axis=0) + upper.max(axis=0)) / 2
    reach = float((upper.max(axis=0) - lower.min(axis=0)).max())
    grid = Grid((3, 40, 40), (reach / 9, reach / 40, reach / 40), tuple(float(c) for c in middle))
    values = phantom.fractions(grid).values
    assert np.abs(values.sum(axis=0) - 1).max() < 1e-5
    scan = ParallelBeam(n_views=9, n_columns=64, pitch=2 * reach / 64)
    lengths = phantom.path_lengths(rays(scan, np.array([0.0, 1e-3])))
    assert np.isfinite(lengths).all()
    assert lengths.min() >= 0
    assert 0 < lengths.sum(axis=-1).max() <= 2 * reach


@pytest.mark.parametrize("kind", KINDS)
def test_without_its_inserts_the_body_is_left(kind: str) -> None:
    phantom = build(kind)
    parts = {row["part"] for row in phantom.truths["inserts"]}
    bare = phantom.without(parts)
    assert bare.truths["inserts"] == ()
    assert len(bare.body.shapes) < len(phantom.body.shapes)  # type: ignore[attr-defined]
    line = ParallelBeam(n_views=1, n_columns=11, pitch=2e-3)
    assert np.isfinite(bare.path_lengths(rays(line, np.array([0.0])))).all()


def test_a_pose_turns_from_left_to_back_and_then_shifts() -> None:
    still, moved = build("ctp404"), build("ctp404", pose={"roll_deg": 90.0, "shift_mm": [1.0, 2.0, 3.0]})
    for before, after in zip(still.truths["inserts"], moved.truths["inserts"], strict=True):
        z, y, x = before["centre_mm"]
        assert after["centre_mm"] == pytest.approx([z + 1, x + 2, -y + 3])


@pytest.mark.parametrize("kind", KINDS)
def test_truths_are_plain_and_recipes_list_the_kind(kind: str) -> None:
    truths = build(kind, pose={"roll_deg": 5.0}).truths
    assert json.loads(json.dumps(truths)) == {name: [dict(row) for row in rows] for name, rows in truths.items()}
    assert truths["anatomy"][0]["part"] == "body"
    assert len(PHANTOMS.summary(kind)) > 20


def test_a_pose_of_what_has_no_shapes_is_refused() -> None:
    body = LabelBody(np.zeros((1, 2, 2), np.uint8), Grid((1, 2, 2), (1e-3,) * 3))
    with pytest.raises(ShapeError, match="LabelBody"):
        Pose().place(Phantom((get("air"),), body))
