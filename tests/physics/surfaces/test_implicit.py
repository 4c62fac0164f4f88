from math import pi

import numpy as np
import pytest

from phantomsim.physics.errors import ShapeError, UnitError
from phantomsim.physics.grid import Grid
from phantomsim.physics.surfaces.implicit import Implicit, SampledDistance

RADIUS = 0.03
GRID = Grid((40, 44, 42), (0.002, 0.0018, 0.0021), (0.0003, 0.0001, 0.0002))
BOX = ((-0.031,) * 3, (0.031,) * 3)


def ball(points: np.ndarray) -> np.ndarray:
    return np.linalg.norm(points, axis=1) - RADIUS


def sampled(n: int) -> SampledDistance:
    on = Grid((n, n, n), (0.08 / n,) * 3)
    points = np.stack(np.meshgrid(*[on.coordinates(axis) for axis in range(3)], indexing="ij"), axis=-1)
    return SampledDistance(ball(points.reshape(-1, 3)).reshape(on.shape), on)


def test_a_function_of_known_slope_fills_the_volume_it_encloses() -> None:
    for surface in (Implicit(ball, BOX), Implicit(lambda p: 3 * ball(p), BOX, steepest=3.0)):
        found = surface.occupancy(GRID).sum(dtype=np.float64) * np.prod(GRID.spacing)
        assert found == pytest.approx(4 / 3 * pi * RADIUS**3, rel=1e-5)
    assert Implicit(ball, BOX).holds(np.array([[0.0, 0.0, 0.029], [0.0, 0.0, 0.031]])).tolist() == [True, False]


@pytest.mark.parametrize("normal", [(1, 0, 0), (0, 1, 0), (0, 1, 1), (1, 2, 3), (1, 1e-3, 1e-6), (-3, 1, 0)])
def test_a_plane_is_filled_exactly(normal: tuple[float, float, float]) -> None:
    """Against 20³ points a voxel, which miss by a layer of half a point where a plane is square to an axis."""
    unit = np.asarray(normal) / np.linalg.norm(normal)
    grid = Grid((4, 5, 6), (0.002, 0.0018, 0.0021))
    half = Implicit(lambda points: points @ unit - 0.0003, ((-0.1,) * 3, (0.1,) * 3))
    places = [(np.arange(20 * n) + 0.5) / 20 * s - n * s / 2 for n, s in zip(grid.shape, grid.spacing, strict=True)]
    held = half.holds(np.stack(np.meshgrid(*places, indexing="ij"), axis=-1))
    expected = held.reshape(4, 20, 5, 20, 6, 20).mean(axis=(1, 3, 5))
    assert np.abs(half.occupancy(grid) - expected).max() <= 0.5 / 20 + 1e-3


def test_samples_of_a_distance_converge_with_the_square_of_their_spacing() -> None:
    """Linear interpolation of a ball's distance is high by h²/8 times its curvature 2/R: a shell as thick is lost."""
    expected = 4 / 3 * pi * RADIUS**3
    errors = []
    for n in (16, 32, 64):
        found = sampled(n).occupancy(GRID).sum(dtype=np.float64) * np.prod(GRID.spacing)
        errors.append(abs(found / expected - 1))
    assert errors[0] < 3 * (0.08 / 16) ** 2 / 4 / RADIUS**2
    assert errors[1] < errors[0] / 3
    assert errors[2] < errors[1] / 3


def test_what_is_no_distance_is_refused() -> None:
    with pytest.raises(UnitError, match="positive slope"):
        Implicit(ball, BOX, steepest=0.0)
    with pytest.raises(ShapeError, match="do not fit"):
        SampledDistance(np.ones((2, 2, 2)), Grid((2, 2, 3), (1.0, 1.0, 1.0)))
    with pytest.raises(ShapeError, match="widen the grid"):
        SampledDistance(-np.ones((3, 3, 3)), Grid((3, 3, 3), (1.0, 1.0, 1.0)))
    with pytest.raises(UnitError, match="finite"):
        SampledDistance(np.full((3, 3, 3), np.nan), Grid((3, 3, 3), (1.0, 1.0, 1.0)))
