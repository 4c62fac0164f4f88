import numpy as np
import pytest
from pydantic import ValidationError

from phantomsim.phantoms.head.cranium import END
from phantomsim.phantoms.head.head import NAMES, RandomHead
from phantomsim.physics.grid import Grid
from phantomsim.physics.rng import Key
from phantomsim.physics.xray import paths
from phantomsim.physics.xray.geometry import ParallelBeam, rays
from tests.scenes import held

UPRIGHT = {"tilt_deg": (0.0, 0.0), "turn_deg": (0.0, 0.0)}
ATLAS = {**UPRIGHT, "level_mm": (0.0, 0.0)}
INSIDE = ("skull", "eye", "tooth", "mandible", "vertebra", "ventricle", "face bone")
"""Parts that must lie under the skin."""


def make(seed: int, **fields):  # type: ignore[no-untyped-def]
    return RandomHead(kind="head", **fields).generate(Key(seed))


def names(phantom):  # type: ignore[no-untyped-def]
    return [tissue.name for tissue in phantom.tissues]


def at(phantom, place):  # type: ignore[no-untyped-def]
    """Return the tissue at a place of the atlas (z, y, x) [mm]."""
    centre = tuple(1e-3 * np.multiply(phantom.truths["anatomy"][0]["stretch"], place))
    return names(phantom)[int(phantom.labels(Grid((1, 1, 1), (2e-4,) * 3, centre))[0, 0, 0])]


def test_the_same_key_makes_the_same_head_and_another_key_another() -> None:
    first, again, other = make(1), make(1), make(2)
    assert first == again
    assert first.truths == again.truths
    assert first.body != other.body


def test_heads_are_whole_and_keep_bones_and_eyes_under_their_skin() -> None:
    around = np.linspace(0, 2 * np.pi, 12, endpoint=False)
    circle = np.vstack(
        [np.roll(np.column_stack([0 * around, np.sin(around), np.cos(around)]), i, axis=1) for i in range(3)]
    )
    used = set()
    for seed in range(8):
        phantom = make(seed, level_mm=(-130.0, 85.0))
        pairs = list(zip(phantom.body.shapes, phantom.body.names, strict=True))
        used |= set(phantom.body.names)
        skin = [shape for shape, name in pairs if name == "skin"]
        edges = []
        for shape in (shape for shape, name in pairs if name in INSIDE):
            straight = shape.param * np.sign(circle) * [1.0, 0.0, 0.0]  # of a capsule, along its axis
            points = np.asarray(shape.centre) + (0.999 * circle + straight) @ shape.matrix.T
            edges.append(points[shape.holds(points)])  # less what is cut off with the neck
        assert held(skin, np.concatenate(edges)).any(axis=0).mean() == 1, seed
    assert used <= set(NAMES)
    assert set(NAMES) <= used | {"lesion", "metal"}


def test_brains_are_as_large_as_those_of_adults() -> None:
    """A guard against gross errors, grade C: bounds of the scale of J. S. Allen, H. Damasio, T. J. Grabowski, Am. J.
    Phys. Anthropol. 118 (2002), doi:10.1002/ajpa.10092 (46 adults; the figures were not read again), and wide ones,
    without a source, for the ratio of grey to white matter and for the fluid in and around the brain.
    """
    grid = Grid((66, 66, 52), (0.003, 0.003, 0.003), (0.0, 0.0, 0.0))
    brains, ratios = [], []
    for seed in range(6):
        phantom = make(seed, **ATLAS)
        volumes = phantom.fractions(grid).values.sum(axis=(1, 2, 3)) * 27e-3
        of = dict(zip(names(phantom), volumes.tolist(), strict=True))
        grey = of["gray_matter"] + of["deep_gray"]
        brains.append(grey + of["white_matter"])
        ratios.append(grey / of["white_matter"])
        assert 150 < of["csf"] < 450
        assert 20 < of["deep_gray"] < 60
    assert min(brains) > 974.9
    assert max(brains) < 1498.5
    assert 1200 < np.mean(brains) < 1400
    assert 1.1 < np.mean(ratios) < 1.7


def test_a_head_measures_as_much_around_as_adults_do() -> None:
    """From 52 to 58 cm, the span of adults in hat sizes (grade C): the outline of the skin."""
    angles = 2 * np.pi * np.arange(120) / 120
    for seed in range(3):
        phantom = make(seed, **ATLAS)
        skin = [s for s, n in zip(phantom.body.shapes, phantom.body.names, strict=True) if n == "skin" and not s.clips]
        around = []
        for z in (0.0, 0.01, 0.02):
            radii = np.linspace(0.06, 0.12, 121)
            rays = radii[:, None, None] * np.column_stack([0 * angles, np.sin(angles), np.cos(angles)])
            inside = held(skin, rays + [z, 0.0, 0.0]).any(axis=0)
            radius = radii[inside.sum(axis=0) - 1]
            outline = radius[:, None] * np.column_stack([np.sin(angles), np.cos(angles)])
            around.append(float(np.linalg.norm(outline - np.roll(outline, 1, axis=0), axis=1).sum()))
        assert 0.52 < max(around) < 0.58, seed


def test_a_neck_ends_flat_below_the_chin() -> None:
    """All matter ends at one plane below the chin, and the whole of the neck is there just above it."""
    for seed in range(3):
        phantom = make(seed, **ATLAS)
        end = 1e-3 * END * phantom.truths["anatomy"][0]["stretch"][0]
        above, below = (
            phantom.fractions(Grid((1, 90, 90), (1e-5, 2e-3, 2e-3), (z, 0.03, 0.0))) for z in (end + 1e-3, end - 1e-3)
        )
        assert 0.008 < 4e-6 * (1 - above.values[0]).sum() < 0.018
        assert below.values[0].min() == 1
        jaw = [s for s, n in zip(phantom.body.shapes, phantom.body.names, strict=True) if n == "mandible"]
        chin = min(s.centre[0] - s.half_extent[0] for s in jaw)
        assert 0.055 < chin - end < 0.09


@pytest.mark.parametrize(
    ("place", "tissue"),
    [
        ((20.0, 0.0, 9.5), "csf"),  # body of the left lateral ventricle
        ((1.0, 2.0, 0.0), "csf"),  # third ventricle
        ((6.0, 12.0, -10.0), "deep_gray"),  # right thalamus
        ((3.0, -3.0, 27.0), "deep_gray"),  # left putamen
        ((24.0, -20.0, 22.0), "white_matter"),
        ((-32.0, 12.0, 4.0), "white_matter"),  # pons
        ((-40.0, 62.0, 25.0), "gray_matter"),  # cerebellum
        ((-29.0, -66.0, 32.5), "vitreous"),
        ((-29.0, -77.3, 32.5), "eye_lens"),
        ((-29.0, -50.0, 22.0), "adipose"),  # between optic nerve and medial muscle
        ((-57.0, -58.0, -27.0), "air"),  # maxillary sinus
        ((-35.0, -21.0, 6.0), "air"),  # sphenoid sinus
        ((-100.0, 30.5, 0.0), "spinal_cord"),
        ((-90.0, -13.0, 0.0), "air"),  # throat
        ((-94.0, -48.0, 3.0), "muscle"),  # tongue
    ],
)
def test_tissues_are_where_the_atlas_puts_them(place, tissue) -> None:  # type: ignore[no-untyped-def]
    for seed in range(3):
        assert at(make(seed, **ATLAS), place) == tissue, seed


def test_a_ray_through_the_temples_measures_breadth_and_skull() -> None:
    phantom = make(3, **ATLAS)
    row = phantom.truths["anatomy"][0]
    z, y, _ = 1e-3 * np.multiply(row["stretch"], (14.0, 4.0, 0.0))  # the equator of the vault, square to its layers
    ends = np.array([[[z, y, -0.2]], [[z, y, 0.2]]])
    table = phantom.body.table("cpu")
    lengths = paths.path_lengths(table, ends[0], ends[1], len(phantom.tissues), np.float64)[0] * 1e3
    of = dict(zip(names(phantom), lengths.tolist(), strict=True))
    assert lengths.sum() == pytest.approx(row["breadth_mm"], abs=1e-9)
    assert of["cortical_bone"] + of["trabecular_bone"] == pytest.approx(2 * row["skull_mm"], abs=1e-9)
    assert of["skin"] == pytest.approx(4.0, abs=1e-9)


def test_path_lengths_hold_the_areas_of_the_tissues() -> None:
    """Line integrals over all columns are areas; with lines 0.25 mm apart both sides are within 0.5 % for 20 cm²."""
    phantom = make(4, level_mm=(5.0, 5.0))
    scan = ParallelBeam(n_views=2, n_columns=1000, pitch=2.5e-4)
    lengths = phantom.path_lengths(rays(scan, np.array([0.0])))
    thin = Grid((1, 250, 250), (1e-7, 1e-3, 1e-3))
    areas = phantom.fractions(thin).values.sum(axis=(1, 2, 3)) * 1e-6
    for material, area in enumerate(areas):
        if material and area > 20e-4:
            assert lengths[..., material].sum(axis=(1, 2)) * 2.5e-4 == pytest.approx(area, rel=5e-3)


def test_two_resolutions_of_one_head_agree_after_averaging() -> None:
    phantom = make(5, level_mm=(5.0, 5.0))
    coarse = phantom.fractions(Grid((1, 128, 104), (2e-3, 2e-3, 2e-3))).values
    fine = phantom.fractions(Grid((2, 256, 208), (1e-3, 1e-3, 1e-3))).values
    mean = fine.reshape(len(fine), 1, 2, 128, 2, 104, 2).mean(axis=(2, 4, 6))
    assert np.abs(mean - coarse).mean() < 0.01 / len(phantom.tissues)
    assert mean.sum(axis=(1, 2, 3)) == pytest.approx(coarse.sum(axis=(1, 2, 3)), rel=0.01, abs=2.0)


@pytest.mark.parametrize("tissue", ["tumor", "blood"])
def test_lesions_lie_in_white_matter_and_nothing_else(tissue: str) -> None:
    lesions = {"count": 3, "diameter_mm": (4.0, 9.0), "tissue": tissue}
    around = np.linspace(0, 2 * np.pi, 60)
    circle = np.column_stack([0 * around, np.sin(around), np.cos(around)])
    for seed in range(4):
        phantom = make(seed, lesions=lesions, level_mm=(20.0, 40.0))
        clean = phantom.without(["lesion"])
        assert len(phantom.truths["lesions"]) == 3
        assert clean.truths["lesions"] == ()
        shapes, materials = clean.body.shapes, np.array(clean.body.codes)
        for row in phantom.truths["lesions"]:
            points = np.asarray(row["centre_mm"]) / 1e3 + row["diameter_mm"] / 2e3 * np.vstack([circle, 0.5 * circle])
            order = np.arange(len(shapes))[:, None]
            top = np.where(held(shapes, points), order, -1).max(axis=0)
            assert {names(clean)[i] for i in materials[top]} == {"white_matter"}, (seed, row)


def test_lesions_and_level_leave_the_anatomy() -> None:
    clean = make(7, level_mm=(20.0, 20.0))
    ill = make(7, level_mm=(20.0, 20.0), lesions={"count": 1, "diameter_mm": (5.0, 8.0)})
    lower = make(7, **{**UPRIGHT, "level_mm": (0.0, 0.0)})
    upper = make(7, **{**UPRIGHT, "level_mm": (20.0, 20.0)})
    assert ill.without(["lesion"]).body.shapes == clean.body.shapes
    shift = np.subtract([s.centre for s in lower.body.shapes], [s.centre for s in upper.body.shapes])
    assert np.allclose(shift, [0.02, 0, 0], atol=1e-12)


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"length_mm": (200.0, 180.0)}, "smallest, largest"),
        ({"breadth_mm": (100.0, 160.0)}, "135 to 170"),
        ({"atrophy": (0.0, 2.0)}, "within 0 to 1"),
        ({"level_mm": (-300.0, 0.0)}, "level_mm"),
        ({"level_mm": (-90.0, -80.0), "lesions": {"count": 1}}, "white matter"),
        ({"lesions": {"count": 1, "tissue": "tumour"}}, "tumor"),
    ],
)
def test_ranges_that_make_no_sense_are_refused(fields, says) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValidationError, match=says):
        RandomHead(kind="head", **fields)
