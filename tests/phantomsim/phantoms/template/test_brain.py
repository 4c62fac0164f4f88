import numpy as np
import pytest
from pydantic import ValidationError

from phantomsim.phantoms.template import maps
from phantomsim.phantoms.template.brain import TISSUES, BrainTemplate
from phantomsim.physics.errors import RecipeError, ShapeError
from phantomsim.physics.grid import Grid
from phantomsim.physics.rng import Key
from phantomsim.physics.xray.geometry import Rays

WHOLE = Grid((52, 56, 48), (0.004, 0.004, 0.004), (-0.005, 0.0, 0.0))


def brain(**fields):  # type: ignore[no-untyped-def]
    return BrainTemplate(**({"kind": "brain-template"} | fields))


@pytest.mark.parametrize("seed", [0, 1])
def test_volumes_of_a_brain_are_those_of_healthy_adults(seed: int) -> None:
    """Grey 48.1 ± 4.0 % and white matter 37.2 ± 2.5 % of the cranial volume: 2.5 deviations are let pass.

    Means and deviations of the controls in table 2 of PMC10433731 (doi:10.1177/11795735231195775).
    """
    phantom = brain(level_mm=(0, 0)).generate(Key(seed))
    values = phantom.fractions(WHOLE).values
    volumes = dict(zip(TISSUES, 1e6 * values.sum(axis=(1, 2, 3), dtype=np.float64) * 0.004**3, strict=True))
    inside = volumes["csf"] + volumes["gray_matter"] + volumes["white_matter"]
    assert inside == pytest.approx(phantom.truths["anatomy"][0]["intracranial_ml"], rel=0.03)
    assert abs(100 * volumes["gray_matter"] / inside - 48.05) < 2.5 * 3.96
    assert abs(100 * volumes["white_matter"] / inside - 37.20) < 2.5 * 2.47
    assert np.abs(values.sum(axis=0) - 1).max() < 1e-6
    assert values.min() >= 0
    assert (values[0, [0, -1]] > 0.99).mean() > 0.8


def test_an_average_intracranial_volume_gives_published_masses() -> None:
    """At the mean of 1397 ml of 58 adults (Ahmad et al., J. Biomed. Clin. Sci.: article 232), tissue of 1.04 g/ml.

    Controls in table 2 of PMC10433731: grey 626 ± 75 ml, white 487 ± 73 ml; two deviations, times density.
    """
    phantom = brain(intracranial_ml=(1397, 1397), rim_mm=(1, 1), level_mm=(0, 0)).generate(Key(3))
    values = phantom.fractions(WHOLE).values.sum(axis=(1, 2, 3), dtype=np.float64) * 0.004**3
    grey, white = (1e3 * values[n] * phantom.tissues[n].density for n in (5, 6))  # [g]
    assert 1.04 * (626 - 150) < grey < 1.04 * (626 + 150)
    assert 1.04 * (487 - 146) < white < 1.04 * (487 + 146)


def test_ventricles_are_fluid_between_white_matter_inside_a_skull() -> None:
    phantom = brain(level_mm=(22, 22), warp_mm=(0, 0), tilt_deg=(0, 0), turn_deg=(0, 0)).generate(Key(0))
    labels = phantom.labels(Grid((1, 220, 200), (0.001, 0.001, 0.001)))[0]
    names = np.array(TISSUES)[labels]
    edge = [names[110, 0], *dict.fromkeys(names[110, :100])]
    assert edge[:6] == ["air", "air", "skin", "adipose", "skull", "csf"]
    assert (names[80:130, 85:115] == "csf").any()
    assert np.mean(names[60:70] == names[60:70, ::-1]) > 0.98  # symmetric without a warp


def test_the_warp_is_one_to_one_at_its_largest() -> None:
    points = np.random.default_rng(0).uniform(-0.09, 0.09, (2000, 3))
    for seed in range(30):
        warp = brain(warp_mm=(4, 4), proportion=(1, 1)).generate(Key(seed)).body.warp
        step = 1e-5 * np.eye(3)
        jacobian = np.stack([(warp(points + d) - warp(points - d)) / 2e-5 for d in step], axis=-1)
        moved = warp(points) - (points @ warp.matrix.T + warp.origin)
        determinant = np.linalg.det(jacobian) / np.linalg.det(warp.matrix)
        assert determinant.min() > 0.1
        rms = np.sqrt((np.linalg.solve(warp.matrix, moved.T) ** 2).sum(axis=0).mean())
        assert 0.002 < rms < 0.0065


def test_points_and_voxels_agree() -> None:
    phantom = brain().generate(Key(4))
    grid = Grid((1, 100, 100), (0.001, 0.002, 0.002))
    fractions = phantom.fractions(grid).values[:, 0]
    sure = fractions.max(axis=0) > 0.9
    points = np.stack(np.meshgrid([0.0], grid.coordinates(1), grid.coordinates(2), indexing="ij"), axis=-1)[0]
    assert np.mean((phantom.materials(points) == fractions.argmax(axis=0))[sure]) > 0.995


def test_uptake_is_drawn_for_grey_and_white_matter_alone() -> None:
    phantom = brain(uptake=(0.5, 0.5)).generate(Key(0))
    plain = brain(uptake=(1, 1)).generate(Key(0))
    ratio = [a.pet.fdg_suv / b.pet.fdg_suv for a, b in zip(phantom.tissues[4:], plain.tissues[4:], strict=True)]
    assert ratio == pytest.approx([1, 0.5, 0.5])


def test_two_resolutions_agree_after_averaging() -> None:
    phantom = brain().generate(Key(6))
    fine = phantom.fractions(Grid((2, 96, 96), (0.002, 0.002, 0.002))).values
    coarse = phantom.fractions(Grid((1, 48, 48), (0.004, 0.004, 0.004))).values
    mean = fine.reshape(7, 1, 2, 48, 2, 48, 2).mean(axis=(2, 4, 6))
    assert np.abs(mean - coarse).max() < 1e-6  # the same points
    assert mean.max() <= 1


def test_it_has_no_exact_path_lengths_and_says_so() -> None:
    phantom = brain().generate(Key(0))
    assert not phantom.exact
    assert phantom.without(()).body is phantom.body
    with pytest.raises(ShapeError, match="project its fractions"):
        phantom.path_lengths(Rays(np.zeros((1, 3)), np.ones((1, 3))))


def test_a_missing_package_is_named_with_the_way_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(maps, "PATH", "absent/{}.nii.gz")
    with pytest.raises(RecipeError, match=r"pip install 'phantomsim\[templates\]'"):
        maps.load.__wrapped__()


def test_ranges_that_cannot_give_a_head_are_refused() -> None:
    with pytest.raises(ValidationError, match="intracranial_ml must be"):
        brain(intracranial_ml=(100, 1400))
    with pytest.raises(ValidationError, match="skull_mm must be"):
        brain(skull_mm=(8, 6))


def test_the_same_seed_gives_the_same_head_and_others_differ() -> None:
    rows = [brain().generate(Key(seed)).truths["anatomy"][0] for seed in (1, 1, 2)]
    assert rows[0] == rows[1]
    assert rows[0] != rows[2]
