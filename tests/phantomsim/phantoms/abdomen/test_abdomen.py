import numpy as np
import pytest
from pydantic import ValidationError

from phantomsim.phantoms.abdomen.abdomen import HOSTS, NAMES, RandomAbdomen
from phantomsim.phantoms.abdomen.contrast import PHASES
from phantomsim.phantoms.phantom import Phantom
from phantomsim.physics.grid import Grid
from phantomsim.physics.rng import Key
from phantomsim.physics.xray.geometry import ParallelBeam, rays

WHOLE = Grid((66, 52, 72), (0.005, 0.006, 0.006), (0.0, 0.0, 0.0))
LESIONS = {"count": 3, "diameter_mm": (5.0, 12.0)}


def make(seed: int, **fields) -> Phantom:  # type: ignore[no-untyped-def]
    return RandomAbdomen(kind="abdomen", **fields).generate(Key(seed))


def named(phantom: Phantom, *names: str) -> list:  # type: ignore[type-arg]
    return [s for s, name in zip(phantom.body.shapes, phantom.body.names, strict=True) if name in names]


def millilitres(phantom: Phantom, *tissues: str) -> float:
    values = phantom.fractions(WHOLE).values
    picked = [v.sum() for t, v in zip(phantom.tissues, values, strict=True) if t.name.split("+")[0] in tissues]
    return float(sum(picked)) * float(np.prod(WHOLE.spacing)) * 1e6


def middle(phantom: Phantom, *names: str) -> np.ndarray:  # type: ignore[type-arg]
    shapes = named(phantom, *names)
    return np.average([s.centre for s in shapes], axis=0, weights=[s.uncut.volume for s in shapes])


def iodine(phantom: Phantom, compartment: str) -> float:
    return float(phantom.truths["anatomy"][0].get(f"iodine {compartment} mg/ml", 0.0))


def test_the_same_key_makes_the_same_phantom_and_another_key_another() -> None:
    first, again, other = (make(seed, bowel_loops=(9, 9)) for seed in (1, 1, 2))
    assert first == again
    assert first.truths == again.truths
    assert first.body != other.body


def test_organs_hold_the_volumes_that_were_drawn_for_their_sex() -> None:
    """Women and men: liver 1411 and 1710 ml, spleen 180 and 238, kidney 157 and 193, pancreas 64 and 87 on average.

    E. M. Geraghty et al., "Normal organ volume assessment from abdominal CT", Abdom. Imaging 29 (2004) 482-490. Organs
    of one body press on each other, by up to a third of the smallest; their means over bodies stay within 10 %.
    """
    ratios = []
    for seed in range(4):
        phantom = make(seed, male=float(seed % 2), level_mm=(20, 20), phase="native", bowel_loops=(0, 0))
        drawn = phantom.truths["anatomy"][0]
        ratios.append(
            [
                millilitres(phantom, "liver") / drawn["liver_ml"],
                millilitres(phantom, "spleen") / drawn["spleen_ml"],
                millilitres(phantom, "kidney_cortex", "kidney_medulla") / (2 * drawn["kidney_ml"]),
                millilitres(phantom, "pancreas") / drawn["pancreas_ml"],
            ]
        )
    assert np.abs(np.mean(ratios, axis=0) - 1).max() < 0.10, ratios
    assert np.abs(np.asarray(ratios) - 1).max() < 0.30, ratios


def test_a_mans_organs_are_larger_on_average() -> None:
    drawn = [make(1, male=m, organ_size=(1, 1), bowel_loops=(0, 0)).truths["anatomy"][0] for m in (0.0, 1.0)]
    assert [row["liver_ml"] for row in drawn] == [1411.0, 1710.0]
    assert [row["pancreas_ml"] for row in drawn] == [64.4, 87.4]


def test_organs_lie_where_a_body_has_them() -> None:
    """Patient coordinates: x grows to the left, y to the back, z to the head."""
    for seed in range(4):
        phantom = make(seed, level_mm=(0, 0), bowel_loops=(0, 0))
        liver, spleen, stomach, spine = (middle(phantom, n) for n in ("liver", "spleen", "stomach", "vertebra"))
        assert liver[2] < -0.01 < 0.025 < spleen[2]
        assert stomach[2] > 0.0
        assert spleen[1] > stomach[1]
        assert middle(phantom, "vena cava")[2] < middle(phantom, "aorta")[2]
        assert abs(spine[2]) < 1e-3
        assert middle(phantom, "gallbladder")[2] < -0.02
        kidneys = named(phantom, "kidney")
        assert len(kidneys) == 2
        right, left = sorted(kidneys, key=lambda s: s.centre[2])
        assert right.centre[2] < 0 < left.centre[2]
        assert right.centre[0] < left.centre[0] + 0.005  # the right one stands lower
        for kidney in kidneys:  # behind the peritoneum, beside the spine
            assert kidney.centre[1] > liver[1]
            assert abs(kidney.centre[2]) > 0.04


def test_bodies_stay_under_their_skin_and_hold_their_lesions() -> None:
    y, x = np.meshgrid(np.linspace(-0.3, 0.3, 61), np.linspace(-0.3, 0.3, 61), indexing="ij")
    plane = np.column_stack([0 * x.ravel(), y.ravel(), x.ravel()])
    circle = np.linspace(0, 2 * np.pi, 24)
    ring = np.column_stack([0 * circle, np.sin(circle), np.cos(circle)])
    for seed in range(6):
        phantom = make(seed, bowel_loops=(0, 6), lesions=LESIONS, level_mm=(-20.0, 60.0))
        outside = plane[~np.any([s.holds(plane) for s in named(phantom, "skin")], axis=0)]
        for shape, name in zip(phantom.body.shapes, phantom.body.names, strict=True):
            if name not in ("skin", "couch") and abs(shape.centre[0]) < shape.half_extent[0]:
                assert not shape.holds(outside).any(), (seed, name)
        hosts = named(phantom, *HOSTS)
        assert len(phantom.truths["lesions"]) == 3
        for row in phantom.truths["lesions"]:
            edge = 1e-3 * np.asarray(row["centre_mm"]) + 5e-4 * row["diameter_mm"] * ring
            assert any(host.holds(edge).all() for host in hosts), (seed, row)


def test_organs_stay_within_the_wall() -> None:
    """Organs may press into the muscles, as `SLACK` allows, but never through them to the fat under the skin."""
    y, x = np.meshgrid(np.linspace(-0.2, 0.2, 81), np.linspace(-0.2, 0.2, 81), indexing="ij")
    for seed in range(4):
        phantom = make(seed, level_mm=(20, 20))
        wall = named(phantom, "muscle")[:4]  # the outer face of the flat muscles
        for z in (-0.1, -0.05, 0.0, 0.05):
            plane = np.column_stack([np.full(x.size, z), y.ravel(), x.ravel()])
            outside = plane[~np.any([s.holds(plane) for s in wall], axis=0)]
            for name in ("liver", "spleen", "kidney", "pancreas", "stomach", "colon", "small bowel", "duodenum"):
                assert not any(shape.holds(outside).any() for shape in named(phantom, name)), (seed, z, name)


def test_the_trunk_has_a_waist_and_all_in_it_ends_at_two_planes() -> None:
    """Across hips and chest it is wider than at the waist, which has the width that was drawn."""
    for seed in range(2):
        phantom = make(seed, couch=False, bowel_loops=(0, 0), level_mm=(0.0, 0.0))
        across = {}
        for z in (-0.16, 0.0, 0.13):
            line = Grid((1, 100, 640), (1e-5, 4e-3, 1e-3), (z, 0.0, 0.0))
            across[z] = 1.0 * (phantom.fractions(line).values[0, 0] < 0.5).any(axis=0).sum()
        drawn = phantom.truths["anatomy"][0]["width_mm"]
        assert across[0.0] == pytest.approx(drawn, abs=3)
        assert across[-0.16] > 1.07 * drawn > 1.05 * drawn > across[0.13] > 1.02 * drawn
        for end in (-0.22, 0.22):
            beyond = Grid((1, 80, 80), (1e-5, 5e-3, 5e-3), (end + np.sign(end) * 1e-4, 0.0, 0.0))
            assert phantom.fractions(beyond).values[0].min() == 1


def test_all_of_a_body_lies_under_its_skin() -> None:
    sphere = np.random.default_rng(0).normal(size=(80, 3))
    sphere *= 0.99 / np.linalg.norm(sphere, axis=1, keepdims=True)
    for seed in range(4):
        phantom = make(seed, couch=False, level_mm=(0.0, 0.0))
        points = []
        for shape, name in zip(phantom.body.shapes, phantom.body.names, strict=True):
            surface = np.asarray(shape.centre) + sphere @ shape.matrix.T
            points.append(surface[shape.holds(surface)] if name != "skin" else np.empty((0, 3)))
        assert np.any([s.holds(np.concatenate(points)) for s in named(phantom, "skin")], axis=0).all(), seed


def test_gas_lies_before_the_fluid_of_a_body_on_its_back() -> None:
    for seed in range(4):
        phantom = make(seed, level_mm=(20, 20), bowel_loops=(0, 0))
        content = named(phantom, "stomach content")
        gas = [s for s in named(phantom, "gas") if any(s.uncut == c for c in content)]
        assert gas
        levels = {round(float(s.planes[0, 3]), 9) for s in gas}
        assert len(levels) == 1  # one fluid level
        (level,) = levels
        points = np.asarray([s.centre for s in content]) + np.linspace(-0.03, 0.03, 61)[:, None, None] * [0, 1, 0]
        points = points.reshape(-1, 3)
        held = np.any([s.holds(points) for s in content], axis=0)
        filled = np.any([s.holds(points) for s in gas], axis=0)
        assert (filled == (held & (points[:, 1] <= level))).all()


def test_contrast_agent_runs_through_the_body_in_order() -> None:
    """Arteries first, then the portal vein and the organs, then the kidneys' medulla, at last the urine."""
    for seed in range(1):
        arterial, portal, nephrographic, delayed = (
            make(seed, phase=phase, bowel_loops=(0, 0)) for phase in ("arterial", "portal", "nephrographic", "delayed")
        )
        assert iodine(arterial, "artery") > 2 * iodine(arterial, "portal vein") > 0
        assert iodine(arterial, "cortex") > 2 * iodine(arterial, "medulla")
        assert iodine(portal, "liver") > iodine(arterial, "liver")
        assert iodine(portal, "hepatic vein") > iodine(arterial, "hepatic vein")
        assert iodine(portal, "artery") < iodine(arterial, "artery")
        assert iodine(nephrographic, "medulla") > 0.75 * iodine(nephrographic, "cortex")
        assert iodine(delayed, "pelvis") > 10 > iodine(nephrographic, "pelvis")


def test_a_native_body_holds_no_iodine_and_the_dose_scales_it() -> None:
    native, once, twice = (
        make(3, bowel_loops=(0, 0), phase=phase, dose=(dose, dose))
        for phase, dose in (("native", 1.0), ("portal", 1.0), ("portal", 2.0))
    )
    assert not any("I" in tissue.mass_fractions for tissue in native.tissues)
    for name in PHASES["portal"]:
        assert iodine(twice, name) == pytest.approx(2 * iodine(once, name), abs=2e-3)
    assert native.body.shapes == once.body.shapes == twice.body.shapes


def test_the_level_moves_the_body_and_changes_nothing_else() -> None:
    low, high = (make(3, bowel_loops=(5, 5), level_mm=(level, level)) for level in (-60.0, 20.0))
    assert low.body.names == high.body.names
    for a, b in zip(low.body.shapes, high.body.shapes, strict=True):
        assert a.centre[0] - b.centre[0] == pytest.approx(0.08, abs=1e-12)
        assert a.centre[1:] == b.centre[1:]


def test_changing_the_lesions_leaves_the_anatomy() -> None:
    none, many = make(7, bowel_loops=(5, 5)), make(7, bowel_loops=(5, 5), lesions=LESIONS)
    assert none.body.shapes == many.without(["lesion"]).body.shapes


def test_two_resolutions_of_a_seed_agree_after_averaging() -> None:
    """Fine voxels average to coarse ones exactly but for the lines across a voxel: 1 % of the body's tissues."""
    phantom = make(4, level_mm=(0, 0))
    coarse = phantom.fractions(Grid((1, 160, 220), (0.002, 0.002, 0.002))).values
    fine = phantom.fractions(Grid((2, 320, 440), (0.001, 0.001, 0.001))).values
    mean = fine.reshape(len(fine), 1, 2, 160, 2, 220, 2).mean(axis=(2, 4, 6))
    assert np.abs(mean - coarse).sum() < 0.01 * coarse[1:].sum()


def test_lengths_along_rays_agree_with_the_areas_of_the_section() -> None:
    """Parallel rays ½ mm apart integrate each tissue's chords to its area; small ones to 3 %."""
    phantom = make(5, couch=False, level_mm=(10, 10))  # rays along its faces would sample them badly
    scan = ParallelBeam(n_views=1, n_columns=1000, pitch=0.0005)
    lengths = phantom.path_lengths(rays(scan, np.zeros(1)))[0, 0]
    areas = phantom.fractions(Grid((1, 400, 500), (1e-6, 0.001, 0.001))).values.sum(axis=(1, 2, 3)) * 1e-6
    for chord, area in zip(lengths.sum(axis=0)[1:] * 0.0005, areas[1:], strict=True):
        assert chord == pytest.approx(area, rel=0.03, abs=4e-6)


def test_every_part_has_a_name_that_a_recipe_may_use() -> None:
    used = {name for seed in range(4) for name in make(seed, lesions=LESIONS, level_mm=(20, 20)).body.names}
    assert used == set(NAMES)


def test_bodies_of_every_size_within_the_limits_can_be_drawn() -> None:
    for seed in range(8):
        fields = {} if seed % 2 else {"width_mm": (300.0, 480.0), "aspect": (0.68, 0.9), "fat_mm": (4.0, 27.0)}
        phantom = make(seed, bowel_loops=(0, 2), muscle=(0.5, 1.5), organ_size=(0.6, 1.4), **fields)
        assert len(phantom.body.shapes) > 600


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"width_mm": (350.0, 320.0)}, "smallest, largest"),
        ({"width_mm": (200.0, 310.0)}, "300 to 480"),
        ({"width_mm": (320.0, 330.0), "fat_mm": (10.0, 50.0)}, "for the organs"),
        ({"level_mm": (-300.0, 0.0)}, "transpyloric"),
        ({"dose": (-1.0, 2.0)}, "iodine per kg"),
        ({"phase": "venous"}, "portal"),
        ({"male": 2.0}, "less than or equal to 1"),
        ({"lesions": {"count": 1, "tissue": "tumour"}}, "tumor"),
    ],
)
def test_ranges_that_make_no_sense_are_refused(fields, says) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValidationError, match=says):
        RandomAbdomen(kind="abdomen", **fields)
