import numpy as np
import pytest
from pydantic import ValidationError

from phantomsim.phantoms.abdomen.ellipsoids import NAMES, RandomEllipsoids
from phantomsim.physics.grid import Grid
from phantomsim.physics.rng import Key
from tests.scenes import held

SLICE = Grid((1, 200, 200), (0.001, 0.002, 0.002))
LESIONS = {"count": 4, "diameter_mm": (4.0, 20.0)}


def make(seed: int, **fields):  # type: ignore[no-untyped-def]
    return RandomEllipsoids(kind="ellipsoids", lesions=LESIONS, **fields).generate(Key(seed))


def test_the_same_key_makes_the_same_phantom_and_another_key_another() -> None:
    first, again, other = make(1), make(1), make(2)
    assert first == again
    assert first.truths == again.truths
    assert first.body != other.body
    assert first.fractions(SLICE).values.tobytes() == again.fractions(SLICE).values.tobytes()


@pytest.mark.parametrize("width", [(290.0, 370.0), (290.0, 300.0), (480.0, 500.0)])
def test_phantoms_hold_their_lesions_and_stay_under_their_skin(width: tuple[float, float]) -> None:
    for seed in range(10):
        phantom = make(seed, width_mm=width, fat_mm=(8.0, 20.0))
        body = phantom.body
        skin = [shape for shape, name in zip(body.shapes, body.names, strict=True) if name == "skin"]
        around = np.linspace(0, 2 * np.pi, 90)
        circle = np.column_stack([0 * around, np.sin(around), np.cos(around)])
        for shape, name in zip(body.shapes, body.names, strict=True):
            if name in ("skin", "fat"):
                continue
            edge = np.asarray(shape.centre) * [0, 1, 1] + circle @ shape.matrix.T * [0, 1, 1]
            assert held(skin, edge).any(axis=0).all(), (seed, name)
        assert len(phantom.truths["lesions"]) == 4
        for row in phantom.truths["lesions"]:
            host = [s for s, name in zip(body.shapes, body.names, strict=True) if name == row["host"]]
            centre, radius = np.asarray(row["centre_mm"]) / 1000, row["diameter_mm"] / 2000
            assert held(host, centre + radius * circle).all(axis=1).any(), (seed, row)


def test_lesions_are_seen_in_the_slice_and_gone_without_them() -> None:
    phantom = make(5)
    tumor = [tissue.name for tissue in phantom.tissues].index("tumor")
    clean = phantom.without(["lesion"])
    area = sum(np.pi * row["diameter_mm"] ** 2 / 4 for row in phantom.truths["lesions"])
    assert phantom.fractions(SLICE).values[tumor].sum() * 4 == pytest.approx(area, rel=0.02)
    assert not clean.fractions(SLICE).values[tumor].any()
    assert clean.tissues == phantom.tissues


def test_changing_the_lesions_leaves_the_anatomy() -> None:
    few = RandomEllipsoids(kind="ellipsoids", lesions={"count": 1}).generate(Key(7)).without(["lesion"])
    many = make(7).without(["lesion"])
    assert few.body.shapes == many.body.shapes


def test_every_part_has_a_name_that_a_recipe_may_use() -> None:
    used = {name for seed in range(20) for name in make(seed).body.names}
    assert used <= set(NAMES)
    assert set(NAMES) <= used | {"calcification"}


def test_organs_of_a_section_are_of_plausible_size() -> None:
    """Areas of a slice through the upper abdomen: liver 60 to 220 cm², kidney 10 to 30 cm² (atlas figures, wide)."""
    for seed in range(5):
        phantom = make(seed)
        area = {
            tissue.name.partition("+")[0]: values.sum() * 0.04
            for tissue, values in zip(phantom.tissues, phantom.fractions(SLICE).values, strict=True)
        }
        assert 60 < area["liver"] < 220
        assert 20 < area["kidney_cortex"] + area["kidney_medulla"] < 60
        assert 2 < area["cortical_bone"] < 20


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"width_mm": (370.0, 290.0)}, "smallest, largest"),
        ({"width_mm": (100.0, 110.0)}, "290 to 500"),
        ({"fat_mm": (10.0, 80.0)}, "no room"),
        ({"iodine_mg_ml": (-1.0, 2.0)}, "negative"),
        ({"lesions": {"count": 1, "tissue": "tumour"}}, "tumor"),
        ({"lesions": {"count": 1, "diameter_mm": (9.0, 3.0)}}, "smallest, largest"),
    ],
)
def test_ranges_that_make_no_sense_are_refused(fields, says) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValidationError, match=says):
        RandomEllipsoids(kind="ellipsoids", **fields)
