import numpy as np
import pytest

from phantomsim.physics import shapes as s
from phantomsim.physics.errors import ShapeError
from phantomsim.physics.inside import materials
from tests.scenes import held, random_shape


@pytest.mark.parametrize("seed", range(4))
def test_the_topmost_shape_that_holds_a_point_gives_its_material(seed):
    rng = np.random.default_rng(seed)
    shapes, codes = [random_shape(rng) for _ in range(40)], rng.integers(0, 5, 40)
    points = rng.uniform(-0.25, 0.25, (30, 50, 3))
    inside = held(shapes, points)
    topmost = 39 - np.argmax(inside[::-1], axis=0)
    expected = np.where(inside.any(axis=0), codes[topmost], 0)
    found = materials(s.layered(shapes, [int(c) for c in codes]), points)
    assert found.dtype == np.int32
    np.testing.assert_array_equal(found, expected)


def test_codes_of_an_additive_scene_add_up():
    rng = np.random.default_rng(9)
    shapes = [random_shape(rng) for _ in range(12)]
    points = rng.uniform(-0.2, 0.2, (4000, 3))
    table = s.additive(shapes, [1] * 12, {n: n for n in range(13)})
    np.testing.assert_array_equal(materials(table, points), held(shapes, points).sum(axis=0))


def test_a_sum_that_is_not_listed_is_an_error():
    ball = s.ellipsoid((0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
    with pytest.raises(ShapeError, match="list that sum"):
        materials(s.additive([ball, ball], [1, 1], {1: 1}), np.zeros((1, 3)))


@pytest.mark.parametrize("axes", [(0,), (1, 2), (0, 1, 2), ()])
def test_points_on_a_plane_a_line_or_one_place_find_their_shapes(axes):
    """Extents of 0 make cells without a size."""
    rng = np.random.default_rng(5)
    points = rng.uniform(-1, 1, (2000, 3))
    points[:, [a for a in range(3) if a not in axes]] = 0.3
    ball = s.ellipsoid((0.3, 0.3, 0.3), (0.5, 0.5, 0.5))
    np.testing.assert_array_equal(materials(s.layered([ball], [1]), points), ball.holds(points))


def test_a_point_does_not_depend_on_its_company():
    rng = np.random.default_rng(6)
    table = s.layered([random_shape(rng) for _ in range(30)], list(range(30)))
    points = rng.uniform(-0.2, 0.2, (5000, 3))
    np.testing.assert_array_equal(materials(table, points)[:50], materials(table, points[:50]))


def test_no_points_and_no_shapes_give_no_trouble():
    assert materials(s.layered([], []), np.zeros((4, 3))).tolist() == [0, 0, 0, 0]
    assert materials(s.layered([], []), np.zeros((0, 3))).shape == (0,)
    with pytest.raises(ShapeError, match="coordinates"):
        materials(s.layered([], []), np.zeros((4, 2)))


def test_points_know_the_clips_of_shapes():
    rng = np.random.default_rng(7)
    found = [random_shape(rng).clipped(tuple(rng.normal(size=3)), rng.uniform(-0.05, 0.05)) for _ in range(6)]
    points = rng.uniform(-0.2, 0.2, (4000, 3))
    expected = np.zeros(len(points), int)
    for material, shape in enumerate(found, 1):
        expected[shape.holds(points)] = material
    np.testing.assert_array_equal(materials(s.layered(found, range(1, 7)), points), expected)
