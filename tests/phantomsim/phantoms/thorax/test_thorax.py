import numpy as np
import pytest
from pydantic import ValidationError

from phantomsim.phantoms.phantom import Phantom
from phantomsim.phantoms.thorax.frame import TOP
from phantomsim.phantoms.thorax.thorax import NAMES, RandomThorax
from phantomsim.physics.grid import Grid
from phantomsim.physics.rng import Key
from phantomsim.physics.shapes import CODES
from phantomsim.physics.xray.geometry import ParallelBeam, rays

NODULES = {"count": 3, "diameter_mm": (4.0, 14.0)}
GLASS = {"count": 2, "diameter_mm": (8.0, 20.0), "tissue": "lung_deflated"}
WHOLE = Grid((66, 60, 80), (0.005, 0.006, 0.006), (-0.06, 0.0, 0.0))


def make(seed: int, **fields) -> Phantom:  # type: ignore[no-untyped-def]
    return RandomThorax(kind="thorax", **fields).generate(Key(seed))


def litres(phantom: Phantom, name: str) -> float:
    values = phantom.fractions(WHOLE).values
    picked = [v.sum() for t, v in zip(phantom.tissues, values, strict=True) if t.name.startswith(name)]
    return float(sum(picked)) * float(np.prod(WHOLE.spacing)) * 1e3


def named(phantom: Phantom, *names: str) -> list:  # type: ignore[type-arg]
    return [s for s, name in zip(phantom.body.shapes, phantom.body.names, strict=True) if name in names]


def test_the_same_key_makes_the_same_phantom_and_another_key_another() -> None:
    first, again, other = make(1), make(1), make(2)
    assert first == again
    assert first.truths == again.truths
    assert first.body != other.body


def test_lungs_hold_four_to_six_litres_on_average() -> None:
    """Total lung capacity of adults is 4 to 6 L on average (The Physics Factbook); a person ± 25 %."""
    volumes = [litres(make(seed, level_mm=(0, 0), vessel_ends=(4, 4)), "lung_inflated") for seed in range(6)]
    assert 4.2 < np.mean(volumes) < 6.0
    assert min(volumes) > 3.1
    assert max(volumes) < 7.5


def test_the_heart_fills_the_volume_that_was_drawn() -> None:
    """The pericardial sac is an ellipsoid; ventricles and atria scale with it, and the walls are those of an adult.

    Myocardium: left ventricular mass 53 ± 9 g/m² in men, 42 ± 7 g/m² in women, over 1.6 to 2.1 m²
    (S. E. Petersen et al., J. Cardiovasc. Magn. Reson. 19:18 (2017), doi:10.1186/s12968-017-0327-9),
    with a third to a half of that again in the thin walls of the right ventricle and the atria.
    """
    for seed in range(3):
        phantom = make(seed, level_mm=(-70, -70), vessel_ends=(8, 8))
        (sac,) = named(phantom, "pericardial fat")
        assert sac.volume == pytest.approx(1e-6 * phantom.truths["anatomy"][0]["heart_ml"], rel=0.01)
        assert 0.11 < litres(phantom, "myocardium") < 0.24


def test_chests_stay_under_their_skin_and_hold_their_nodules() -> None:
    y, x = np.meshgrid(np.linspace(-0.3, 0.3, 41), np.linspace(-0.3, 0.3, 41), indexing="ij")
    plane = np.column_stack([0 * x.ravel(), y.ravel(), x.ravel()])
    circle = np.linspace(0, 2 * np.pi, 24)
    ring = np.column_stack([0 * circle, np.sin(circle), np.cos(circle)])
    for seed in range(10):
        phantom = make(
            seed, vessel_ends=(4, 6), arms_down=0.3, lesions=NODULES, ground_glass=GLASS, level_mm=(-120.0, 60.0)
        )
        outside = plane[~np.any([s.holds(plane) for s in named(phantom, "skin")], axis=0)]
        for shape, name in zip(phantom.body.shapes, phantom.body.names, strict=True):
            if name in ("muscle", "scapula", "clavicle", "rib", "costal cartilage", "lung", "fat", "vertebra"):
                assert not shape.holds(outside).any(), (seed, name)
        lungs = named(phantom, "lung")
        rows = phantom.truths["lesions"]
        assert len(rows) == 5
        for row in rows:
            edge = 1e-3 * np.asarray(row["centre_mm"]) + 5e-4 * row["diameter_mm"] * ring
            assert any(lung.holds(edge).all() for lung in lungs), (seed, row)


def test_shoulders_and_neck_hold_all_that_runs_through_them() -> None:
    sphere = np.random.default_rng(0).normal(size=(80, 3))
    sphere *= 0.99 / np.linalg.norm(sphere, axis=1, keepdims=True)
    for seed in range(4):
        phantom = make(
            seed, vessel_ends=(4, 6), breasts=seed % 2, couch=False, arms_down=seed % 3 / 2, level_mm=(0.0, 0.0)
        )
        points = []
        for shape, name in zip(phantom.body.shapes, phantom.body.names, strict=True):
            surface = np.asarray(shape.centre) + sphere @ shape.matrix.T
            points.append(surface[shape.holds(surface)] if name != "skin" else np.empty((0, 3)))
        held = np.any([s.holds(np.concatenate(points)) for s in named(phantom, "skin")], axis=0)
        assert held.all(), seed


@pytest.mark.parametrize("length", [200.0, 500.0])
def test_the_trunk_and_all_in_it_end_at_two_planes(length: float) -> None:
    phantom = make(2, length_mm=length, couch=False, vessel_ends=(4, 6), level_mm=(0.0, 0.0))
    ends = (-5e-4 * length, min(5e-4 * length, TOP))
    for z, there in ((ends[0], 1), (ends[1], -1)):
        within, beyond = (Grid((1, 80, 80), (1e-5, 5e-3, 5e-3), (z + s * there * 2e-4, 0.0, 0.0)) for s in (1, -1))
        assert phantom.fractions(beyond).values[0].min() == 1
        assert phantom.fractions(within).values[1:].sum() * 25e-6 > 0.01


def test_nodules_are_seen_whole_in_the_slice() -> None:
    cut = Grid((1, 700, 900), (1e-5, 0.0005, 0.0005))
    for seed in range(2):
        phantom = make(seed, lesions=NODULES, ground_glass=GLASS)
        index = [tissue.name for tissue in phantom.tissues].index("tumor")
        rows = [row for row in phantom.truths["lesions"] if row["tissue"] == "tumor"]
        area = sum(np.pi * row["diameter_mm"] ** 2 / 4 for row in rows)
        assert phantom.fractions(cut).values[index].sum() * 0.25 == pytest.approx(area, rel=0.02)
        assert not phantom.without(["lesion"]).fractions(cut).values[index].any()


def test_changing_the_nodules_leaves_the_anatomy() -> None:
    none, many = make(7), make(7, lesions=NODULES, ground_glass=GLASS)
    assert none.body.shapes == many.without(["lesion"]).body.shapes


def test_the_level_moves_the_body_and_changes_nothing_else() -> None:
    low, high = (make(3, level_mm=(level, level)) for level in (-60.0, 20.0))
    assert low.body.names == high.body.names
    for a, b in zip(low.body.shapes, high.body.shapes, strict=True):
        assert a.centre[0] - b.centre[0] == pytest.approx(0.08, abs=1e-12)
        assert a.centre[1:] == b.centre[1:]


def test_two_resolutions_of_a_seed_agree_after_averaging() -> None:
    """Fine voxels average to coarse ones exactly but for the lines across a voxel: 1 % of the body's tissues."""
    phantom = make(4)
    coarse = phantom.fractions(Grid((1, 200, 240), (0.002, 0.002, 0.002))).values
    fine = phantom.fractions(Grid((2, 400, 480), (0.001, 0.001, 0.001))).values
    mean = fine.reshape(len(fine), 1, 2, 200, 2, 240, 2).mean(axis=(2, 4, 6))
    assert np.abs(mean - coarse).sum() < 0.01 * coarse[1:].sum()


def test_lengths_along_rays_agree_with_the_areas_of_the_section() -> None:
    """Parallel rays ½ mm apart integrate each tissue's chords to its area; small ones to 3 %."""
    phantom = make(5, couch=False)  # rays along its faces would sample them badly
    scan = ParallelBeam(n_views=1, n_columns=1200, pitch=0.0005)
    lengths = phantom.path_lengths(rays(scan, np.zeros(1)))[0, 0]
    areas = phantom.fractions(Grid((1, 600, 600), (1e-6, 0.001, 0.001))).values.sum(axis=(1, 2, 3)) * 1e-6
    for chord, area in zip(lengths.sum(axis=0)[1:] * 0.0005, areas[1:], strict=True):
        assert chord == pytest.approx(area, rel=0.03, abs=3e-6)


def test_every_part_has_a_name_that_a_recipe_may_use() -> None:
    used = {
        name
        for seed in range(3)
        for name in make(seed, breasts=1.0, arms_down=1.0, lesions=NODULES, vessel_ends=(4, 4)).body.names
    }
    assert used | {"metal"} == set(NAMES)
    assert set(CODES) >= {shape.kind for shape in make(0).body.shapes}


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"width_mm": (350.0, 320.0)}, "smallest, largest"),
        ({"width_mm": (200.0, 210.0)}, "280 to 440"),
        ({"width_mm": (290.0, 300.0), "fat_mm": (10.0, 40.0)}, "no room"),
        ({"level_mm": (-300.0, 0.0)}, "carina"),
        ({"heart_ml": (100.0, 700.0)}, "heart does not fit"),
        ({"ground_glass_density": (100.0, 700.0)}, "denser than lung"),
        ({"iodine_mg_ml": (-1.0, 2.0)}, "mg/ml"),
        ({"breasts": 2.0}, "less than or equal to 1"),
        ({"lesions": {"count": 1, "tissue": "tumour"}}, "tumor"),
    ],
)
def test_ranges_that_make_no_sense_are_refused(fields, says) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValidationError, match=says):
        RandomThorax(kind="thorax", **fields)
