import numpy as np
import pytest
from pydantic import ValidationError

from phantomsim.phantoms.surfaces.harmonic import THINNEST, HarmonicOrgan, deviations
from phantomsim.physics.errors import ShapeError
from phantomsim.physics.grid import Grid
from phantomsim.physics.rng import Key
from phantomsim.physics.surfaces.star import directions, real_harmonics_sum
from phantomsim.physics.xray.geometry import Rays

GRID = Grid((48, 48, 48), (0.003, 0.003, 0.003))


def organ(**fields):  # type: ignore[no-untyped-def]
    return HarmonicOrgan(**({"kind": "harmonic"} | fields))


def test_the_organ_has_the_volume_of_its_harmonics_and_fractions_sum_to_one() -> None:
    phantom = organ(core="tumor").generate(Key(1))
    values = phantom.fractions(GRID).values
    assert values.dtype == np.float32
    assert np.abs(values.sum(axis=0) - 1).max() < 1e-6
    found = 1e9 * values[1:].sum(dtype=np.float64) * np.prod(GRID.spacing)
    assert found == pytest.approx(phantom.truths["anatomy"][0]["volume_mm3"], rel=1e-4)
    assert not phantom.exact
    with pytest.raises(ShapeError, match="project its fractions"):
        phantom.path_lengths(Rays(np.zeros((1, 3)), np.ones((1, 3))))


def test_radii_have_the_roughness_that_is_told_and_never_fall_below_the_thinnest() -> None:
    points = directions(64)
    weights = np.sqrt(1 - points[:, 0] ** 2)
    for seed in range(100):
        form = deviations(8, 2.5, 0.3, Key(seed))
        radius = real_harmonics_sum(form, points)
        spread = np.sqrt(np.average((radius - 1) ** 2, weights=weights))
        assert radius.min() > THINNEST - 0.01
        assert spread == pytest.approx(np.sqrt((form[1:] ** 2).sum() / (4 * np.pi)), rel=0.01)
        assert spread < 0.301


def test_two_resolutions_agree_after_averaging() -> None:
    phantom = organ(core="tumor").generate(Key(2))
    fine = phantom.fractions(Grid((64, 64, 64), (0.002, 0.002, 0.002))).values
    coarse = phantom.fractions(Grid((32, 32, 32), (0.004, 0.004, 0.004))).values
    mean = fine.reshape(3, 32, 2, 32, 2, 32, 2).mean(axis=(2, 4, 6))
    assert np.abs(mean - coarse).max() < 0.05
    assert mean.sum(axis=(1, 2, 3)) == pytest.approx(coarse.sum(axis=(1, 2, 3)), rel=2e-3)


def test_lesions_lie_in_the_organ_outside_its_core_and_can_be_left_out() -> None:
    spec = organ(core="tumor", lesions={"count": 3, "diameter_mm": (3, 8), "tissue": "blood", "depth_mm": 40})
    for seed in range(2):
        phantom = spec.generate(Key(seed))
        bare = phantom.without(("lesion",))
        assert bare.truths["lesions"] == ()
        assert len(phantom.truths["lesions"]) == 3
        for row in phantom.truths["lesions"]:
            centre = 1e-3 * np.asarray(row["centre_mm"])
            ball = np.random.default_rng(0).normal(size=(200, 3))
            ball *= 0.5e-3 * row["diameter_mm"] / np.linalg.norm(ball, axis=1, keepdims=True)
            assert (bare.materials(centre + ball) == 1).all()
            assert phantom.tissues[int(phantom.materials(centre[None])[0])].name == "blood"


def test_the_same_seed_gives_the_same_organ_and_lesions_do_not_change_it() -> None:
    first, second = (organ(lesions={"count": n, "diameter_mm": (3, 4)}).generate(Key(5)) for n in (0, 2))
    assert first.truths["anatomy"] == second.truths["anatomy"]
    assert "lesion" in first.parts


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"roughness": (0.2, 0.1)}, "roughness must be"),
        ({"roughness": (0.1, 0.9)}, r"within 0 to 0\.35"),
        ({"core": "liver"}, "must differ"),
        ({"tissue": "livre"}, "did you mean 'liver'"),
    ],
)
def test_ranges_that_cannot_give_an_organ_are_refused(fields, says) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValidationError, match=says):
        organ(**fields)


def test_lesions_too_large_for_the_organ_are_refused() -> None:
    with pytest.raises(ValueError, match="no region of liver holds a lesion of 200 mm"):
        organ(lesions={"count": 1, "diameter_mm": (200, 200)}).generate(Key(0))


def test_no_seed_gives_an_invalid_organ() -> None:
    spec = organ(roughness=(0.3, 0.35), degree=10, exponent=0.5, core="tumor")
    for seed in range(40):
        row = spec.generate(Key(seed)).truths["anatomy"][0]
        assert row["volume_mm3"] > 4 / 3 * np.pi * (THINNEST * row["radius_mm"]) ** 3
