"""Phantoms in motion: exact where a scene stays one, and mass kept where it does not."""

import numpy as np
import pytest

from phantomsim.phantoms.abdomen.ellipsoids import RandomEllipsoids
from phantomsim.phantoms.deformed import DeformedBody
from phantomsim.phantoms.head.head import RandomHead
from phantomsim.phantoms.moving import BulkMotion, ChestMotion, HeadMotion
from phantomsim.phantoms.phantom import Phantom
from phantomsim.phantoms.scene import Part, Scene, compose
from phantomsim.phantoms.thorax.thorax import RandomThorax
from phantomsim.phantoms.water_cylinder import WaterCylinder
from phantomsim.physics.errors import ShapeError
from phantomsim.physics.grid import Grid
from phantomsim.physics.motion.linear import Bulk, Rigid
from phantomsim.physics.motion.motion import Composition
from phantomsim.physics.motion.respiratory import LungExpansion
from phantomsim.physics.motion.signal import Constant
from phantomsim.physics.rng import Key
from phantomsim.physics.shape_images import transformed
from phantomsim.physics.shapes import along, box, ellipsoid
from phantomsim.physics.xray.geometry import Rays
from phantomsim.tissues import get
from tests.scenes import held, random_shape

INHALED = 2.0  # half of a breath of 4 s


def chest(seed: int, **fields) -> Phantom:  # type: ignore[no-untyped-def]
    moving = ChestMotion(breath_s=(4.0, 4.0), diaphragm_mm=(15.0, 15.0), chest_mm=(3.0, 3.0))
    return RandomThorax(kind="thorax", vessel_ends=(8, 8), level_mm=(-70, -70), motion=moving, **fields).generate(
        Key(seed)
    )


def scene(rng: np.random.Generator, n: int = 12, **fields) -> Phantom:  # type: ignore[no-untyped-def]
    tissues = [get(name) for name in ("water", "muscle", "adipose", "cortical_bone")]
    parts = [Part(random_shape(rng), tissues[i % 4], "part") for i in range(n)]
    return compose(get("air"), parts, **fields)


@pytest.mark.parametrize("seed", range(6))
def test_the_image_of_a_shape_holds_the_images_of_its_points(seed):
    rng = np.random.default_rng(seed)
    points, shift = rng.uniform(-0.25, 0.25, (40_000, 3)), rng.normal(size=3) * 0.1
    general = np.eye(3) + 0.3 * rng.normal(size=(3, 3))
    similar = 1.3 * np.asarray(along(tuple(rng.normal(size=3))))
    for shape, matrix in ((ellipsoid((0.05, 0, 0.02), (0.1, 0.2, 0.05)), general), (random_shape(rng), similar)):
        normal = np.asarray(along(tuple(rng.normal(size=3))))[:, 0]
        clipped = shape.clipped(tuple(normal), float(normal @ shape.centre))
        for rest in (shape, clipped):
            now = transformed(rest, matrix, shift)
            assert now is not None
            inside = rest.holds(points)
            assert inside.any()
            np.testing.assert_array_equal(now.holds(points @ matrix.T + shift), inside)


def test_a_sheared_box_is_no_shape():
    shear = np.array([[1.0, 0.2, 0.0], [0, 1, 0], [0, 0, 1]])
    assert transformed(box((0, 0, 0), (1, 1, 1)), shear, np.zeros(3)) is None
    stretched = transformed(box((0, 0, 0), (1, 1, 1)), np.diag([1.2, 1.0, 0.8]), np.zeros(3))
    assert stretched is not None
    np.testing.assert_allclose(stretched.semi_axes, (1.2, 1.0, 0.8))


def test_path_lengths_of_a_rigidly_moved_scene_are_those_of_rays_moved_back():
    rng = np.random.default_rng(4)
    motion = Rigid((0.02, 0.0, 0.1), (Constant(0.01), Constant(-0.02), Constant(0.0)), (Constant(0.3),) * 3)
    phantom = scene(rng, motion=motion)
    start, end = rng.uniform(-0.4, 0.4, (2, 300, 3))
    now = phantom.at(1.0)
    assert now.exact
    assert now.motion is None
    rest = Rays(motion.inverse(start, 1.0), motion.inverse(end, 1.0))
    lengths = phantom.still().path_lengths(rest)
    assert lengths.max() > 0.05
    np.testing.assert_allclose(now.path_lengths(Rays(start, end)), lengths, rtol=0, atol=1e-8)


def test_an_affine_motion_that_keeps_volumes_moves_ellipsoids_exactly_and_deforms_other_shapes():
    shear = ((0.0, 0.2, 0.0), (0.0, 0.0, 0.0), (0.0, 0.0, 0.0))
    motion = Bulk((0.0, 0.0, 0.0), shear, (0.0, 0.0, 0.0), Constant(1.0))
    ball = compose(get("air"), [Part(ellipsoid((0, 0, 0), (0.1,) * 3), get("water"), "a")], motion=motion)
    cube = compose(get("air"), [Part(box((0, 0, 0), (0.1,) * 3), get("water"), "a")], motion=motion)
    assert isinstance(ball.at(0.0).body, Scene)
    assert isinstance(cube.at(0.0).body, DeformedBody)


def test_a_deformed_body_and_the_moved_scene_agree():
    """Fractions by 64 points of a voxel against exact lines: their mean error is that of the points."""
    rng = np.random.default_rng(7)
    motion = Rigid((0.0, 0.0, 0.0), (Constant(0.013),) * 3, (Constant(0.4), Constant(-0.2), Constant(0.1)))
    phantom = scene(rng, 20, motion=motion)
    grid = Grid((12, 20, 24), (0.02, 0.015, 0.0125))
    exact = phantom.at(0.0).fractions(grid).values
    found = DeformedBody(phantom.body, motion, 0.0, 0).fractions(grid, len(phantom.tissues), "cpu")
    np.testing.assert_allclose(found.sum(axis=0), 1, atol=1e-5)
    assert np.abs(found - exact).mean() < 2e-3
    np.testing.assert_allclose(found.sum(axis=(1, 2, 3)), exact.sum(axis=(1, 2, 3)), rtol=5e-3)
    points = rng.uniform(-0.15, 0.15, (3000, 3))
    moved = points + motion.displacement(points, 0.0)
    np.testing.assert_array_equal(phantom.at(0.0).materials(moved), phantom.materials(points))


def mass(phantom: Phantom, grid: Grid) -> float:
    """Return the mass of all tissues but air [kg]."""
    values = phantom.fractions(grid).values.astype(np.float64)
    densities = [0.0 if tissue.name == "air" else tissue.density for tissue in phantom.tissues]
    return float(np.tensordot(densities, values, 1).sum() * np.prod(grid.spacing))


def test_a_lung_that_air_flows_into_keeps_its_mass():
    lung, heart = ellipsoid((0.0, 0.0, 0.0), (0.12, 0.08, 0.06)), ellipsoid((-0.06, 0, 0.03), (0.05, 0.04, 0.04))
    parts = [Part(lung, get("lung_inflated"), "lung"), Part(heart, get("muscle"), "heart")]
    motion = LungExpansion(0, lung, (heart,), 0.2, Constant(1.0))
    phantom = compose(get("air"), parts, motion=motion)
    grid = Grid((64, 40, 30), (0.005, 0.005, 0.005))
    rest, now = mass(phantom.still(), grid), mass(phantom.at(0.0), grid)
    assert now == pytest.approx(rest, rel=1e-3)
    values = phantom.at(0.0).fractions(grid).values
    heart_volume = values[2].sum() * np.prod(grid.spacing)
    assert heart_volume == pytest.approx(heart.volume, rel=2e-3)
    middle = np.unravel_index(np.argmin(np.abs(values[1] - 1 / 1.2)), grid.shape)
    assert values[1][middle] == pytest.approx(1 / 1.2, abs=1e-6)
    assert values[0][middle] == pytest.approx(1 - 1 / 1.2, abs=1e-6)


def test_a_breath_keeps_the_mass_of_the_chest():
    """By 300,000 points, one at random in each cell, whose sums err by 1e-3 of the 26 kg; a million differ by 4e-4.

    Without the heart's beat: blood that a heart throws out leaves the picture.
    """
    phantom = chest(3, length_mm=400.0, couch=False)
    breath = Composition(phantom.motion.motions[1:])
    n, lower, size = (108, 54, 52), np.array([-0.36, -0.24, -0.22]), np.array([0.68, 0.48, 0.44])
    rng = np.random.default_rng(0)
    cells = np.stack(np.meshgrid(*(np.arange(k) for k in n), indexing="ij"), axis=-1).reshape(-1, 3)
    points = lower + (cells + rng.random(cells.shape)) / n * size
    density = np.array([0.0 if tissue.name == "air" else tissue.density for tissue in phantom.tissues])
    body = DeformedBody(phantom.body, breath, INHALED, 0)
    origin = body.origin(points)
    now = (density[body.resting(origin)] * origin[:, 3]).sum()
    assert origin[:, 3].min() < 0.95
    assert now == pytest.approx(density[phantom.materials(points)].sum(), rel=2e-3)


def test_matter_that_has_nowhere_to_go_is_an_error():
    shrunk = tuple(tuple(-0.1 if i == j else 0.0 for j in range(3)) for i in range(3))
    motion = Bulk((0.0, 0.0, 0.0), shrunk, (0.0, 0.0, 0.0), Constant(1.0))
    phantom = scene(np.random.default_rng(0), 4, motion=motion)
    with pytest.raises(ShapeError, match="end of an exhalation"):
        phantom.at(0.0).fractions(Grid((4, 4, 4), (0.05,) * 3))


def test_lungs_gain_air_and_the_diaphragm_descends():
    phantom = chest(1)
    grid = Grid((80, 1, 100), (0.004, 0.01, 0.004), (0.0, 0.0, 0.0))
    moved = phantom.displacement(grid, INHALED)
    assert moved.shape == (3, 80, 1, 100)
    assert moved[0].min() == pytest.approx(-0.015, abs=0.004)  # at the dome; less what the belly's pressure lifts
    rest, now = (phantom.at(time).map("density", grid) for time in (0.0, INHALED))
    assert now.mean() < rest.mean()


def test_generators_at_rest_are_what_they_were_and_motion_draws_nothing_else_anew():
    for spec, moving in (
        (RandomHead(kind="head"), HeadMotion()),
        (RandomThorax(kind="thorax", vessel_ends=(4, 4)), ChestMotion()),
        (RandomEllipsoids(kind="ellipsoids"), BulkMotion()),
        (WaterCylinder(kind="water-cylinder"), BulkMotion()),
    ):
        rest = spec.generate(Key(2))
        assert rest.motion is None
        assert rest.at(3.0) is rest
        phantom = spec.model_copy(update={"motion": moving}).generate(Key(2))
        assert phantom.still().body == rest.body
        assert "motion" in phantom.truths
        assert phantom.motion == spec.model_copy(update={"motion": moving}).generate(Key(2)).motion
        later = phantom.at(12.0)
        assert later.exact is not isinstance(moving, ChestMotion)
        assert phantom.motion != spec.model_copy(update={"motion": moving}).generate(Key(3)).motion


def test_a_lesion_in_the_table_of_truths_moves_with_its_tissue():
    spec = WaterCylinder(kind="water-cylinder", lesions={"count": 3}, motion={"begin_s": (0, 0), "shift_mm": (5, 5)})
    phantom = spec.generate(Key(1))
    before, after = ([row["centre_mm"] for row in p.truths["lesions"]] for p in (phantom, phantom.at(20.0)))
    shapes = [
        s.centre for s, name in zip(phantom.at(20.0).body.shapes, phantom.body.names, strict=True) if name == "lesion"
    ]
    np.testing.assert_allclose(after, 1e3 * np.array(shapes), atol=1e-9)
    assert np.abs(np.subtract(after, before)).max() > 2


def test_ranges_of_motion_are_checked():
    with pytest.raises(ValueError, match="smallest, largest"):
        HeadMotion(drift_mm=(3.0, 1.0))
    with pytest.raises(ValueError, match="diaphragm_mm"):
        ChestMotion(diaphragm_mm=(10.0, 80.0))


def test_points_of_deformed_scenes_agree_with_an_oracle():
    rng = np.random.default_rng(2)
    shapes = [random_shape(rng) for _ in range(5)]
    motion = Bulk((0.0, 0.0, 0.0), ((0.1, 0.3, 0), (0, -0.1, 0), (0, 0.2, 0)), (0.01, 0, 0), Constant(1.0))
    parts = [Part(shape, get("water"), "a") for shape in shapes]
    phantom = compose(get("air"), parts, motion=motion)
    points = rng.uniform(-0.2, 0.2, (2000, 3))
    now = points + motion.displacement(points, 0.0)
    np.testing.assert_array_equal(phantom.at(0.0).materials(now) > 0, held(shapes, points).any(axis=0))
