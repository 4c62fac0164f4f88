from math import pi

import numpy as np
import pytest

from phantomsim.physics import shapes as s
from phantomsim.physics.errors import ShapeError
from phantomsim.physics.grid import Grid
from phantomsim.physics.kernel import threads
from phantomsim.physics.voxels import fractions
from tests.scenes import held, random_shape

GRID = Grid((64, 64, 64), (0.004, 0.004, 0.004))


def test_fractions_of_an_overlapping_scene_sum_to_one() -> None:
    rng = np.random.default_rng(0)
    table = s.layered([random_shape(rng) for _ in range(30)], rng.integers(0, 6, 30).tolist())
    found = fractions(table, GRID, 6)
    assert np.abs(found.sum(axis=0, dtype=np.float64) - 1).max() < 1e-6
    assert found.min() >= 0


@pytest.mark.parametrize("seed", range(5))
def test_volume_of_a_turned_ellipsoid_is_right_at_64_cubed(seed: int) -> None:
    rng = np.random.default_rng(seed)
    shape = s.ellipsoid(
        tuple(rng.uniform(-0.01, 0.01, 3)), tuple(rng.uniform(0.03, 0.1, 3)), s.along(tuple(rng.normal(size=3)))
    )
    found = fractions(s.layered([shape], [1]), GRID, 2)[1].sum(dtype=np.float64) * 0.004**3
    assert found == pytest.approx(shape.volume, rel=1e-3)


def test_fractions_are_those_of_many_random_points() -> None:
    rng = np.random.default_rng(3)
    shapes = [random_shape(rng) for _ in range(6)]
    grid = Grid((4, 5, 6), (0.02, 0.025, 0.03), (0.01, 0.0, -0.02))
    found = fractions(s.layered(shapes, [1, 2, 3, 1, 2, 3]), grid, 4, n_lines=(32, 32))
    counts = np.zeros((4, *grid.shape))
    n = 2000
    for index in np.ndindex(grid.shape):
        points = np.asarray(grid.lower) + (np.asarray(index) + rng.random((n, 3))) * grid.spacing
        material = np.zeros(n, dtype=int)
        for shape, m in zip(shapes, [1, 2, 3, 1, 2, 3], strict=True):
            material[held([shape], points)[0]] = m
        counts[(slice(None), *index)] = np.bincount(material, minlength=4) / n
    assert np.abs(found - counts).max() < 5 * 0.5 / np.sqrt(n)  # five standard errors of a fraction of one half


def test_a_thin_slice_of_a_cylinder_has_the_area_of_its_circle() -> None:
    grid = Grid((1, 128, 128), (0.001, 0.002, 0.002))
    found = fractions(s.layered([s.cylinder((0, 0, 0), (1.0, 0.1, 0.1))], [1]), grid, 2)
    assert found[1].sum(dtype=np.float64) * 0.002**2 == pytest.approx(pi * 0.1**2, rel=1e-4)


def test_shapes_smaller_than_a_voxel_are_not_lost() -> None:
    grid = Grid((1, 4, 4), (0.01, 0.01, 0.01))
    found = fractions(
        s.layered([s.ellipsoid((0, 0.001, 0.002), (0.002, 0.002, 0.002))], [1]), grid, 2, n_lines=(64, 64)
    )
    assert found[1].sum(dtype=np.float64) * 0.01**3 == pytest.approx(4 / 3 * pi * 0.002**3, rel=1e-2)


def test_half_a_ball_and_half_a_cylinder_have_half_the_volume() -> None:
    for shape in (s.ellipsoid((0, 0, 0), (0.1, 0.1, 0.1)), s.cylinder((0, 0, 0), (0.08, 0.1, 0.1), s.along((1, 1, 2)))):
        cut = shape.clipped((-0.4, 0.2, 1.0), 0.0)  # through the centre
        found = fractions(s.layered([cut], [1]), GRID, 2)[1].sum(dtype=np.float64) * 0.004**3
        assert found == pytest.approx(shape.volume / 2, rel=3e-4)


def test_halves_and_quarters_of_a_box_are_exact() -> None:
    found = fractions(s.layered([s.box((0, 0, 0), (0.5, 0.75, 1.0))], [1]), Grid((1, 2, 4), (2.0, 1.0, 1.0)), 2)
    assert found[1, 0].tolist() == [[0.0, 0.375, 0.375, 0.0]] * 2


def test_fractions_do_not_depend_on_the_number_of_threads() -> None:
    rng = np.random.default_rng(4)
    table = s.layered([random_shape(rng) for _ in range(12)], list(range(1, 13)))
    results = []
    for n in (1, 2, 3):
        with threads(n):
            results.append(fractions(table, Grid((5, 32, 32), (0.02, 0.01, 0.01)), 13).tobytes())
    assert len(set(results)) == 1


def test_a_sum_without_a_material_is_an_error() -> None:
    ball = s.ellipsoid((0, 0, 0), (0.1, 0.1, 0.1))
    with pytest.raises(ShapeError, match="sum of their codes"):
        fractions(s.additive([ball, ball], [1, 1], {1: 1}), GRID, 2)
