from math import pi, sqrt

import numpy as np
import pytest
from scipy.special import sph_harm_y

from phantomsim.physics.errors import ShapeError
from phantomsim.physics.grid import Grid
from phantomsim.physics.shapes import turn
from phantomsim.physics.surfaces.star import Star, directions, real_harmonics_sum

RADIUS = 0.03
GRID = Grid((40, 44, 42), (0.002, 0.0018, 0.0021), (0.0003, 0.0001, 0.0002))


def rough(seed: int = 0) -> Star:
    coefficients = np.random.default_rng(seed).normal(size=81) * 0.0012
    coefficients[0] = RADIUS * sqrt(4 * pi)
    return Star((0.001, 0.002, 0.0), coefficients)


def volume(star: Star, grid: Grid, n_cells: int) -> float:
    return float(star.occupancy(grid, n_cells).sum(dtype=np.float64)) * float(np.prod(grid.spacing))


def test_sums_of_harmonics_are_those_of_scipy() -> None:
    coefficients = np.random.default_rng(0).normal(size=100)
    points = directions(16)
    polar, azimuth = np.arccos(points[:, 0]), np.arctan2(points[:, 1], points[:, 2])
    expected = np.zeros(len(points))
    for n in range(10):
        for m in range(-n, n + 1):
            complex_one = sph_harm_y(n, abs(m), polar, azimuth) * (-1) ** m  # without Condon and Shortley's phase
            part = complex_one.real if m >= 0 else complex_one.imag
            expected += coefficients[n * n + n + m] * part * (sqrt(2) if m else 1)
    assert real_harmonics_sum(coefficients, points) == pytest.approx(expected, abs=1e-12)


def test_volume_of_a_ball_and_of_a_rough_star_converge() -> None:
    """Ball: 4πR³/3; star: a quadrature exact for r³. Voxels are 1/15 of a radius, single precision 6e-8 of a sum."""
    ball = Star((0.001, 0.002, 0.0), np.array([RADIUS * sqrt(4 * pi)]))
    assert ball.volume == pytest.approx(4 / 3 * pi * RADIUS**3, rel=1e-12)
    for star in (ball, rough()):
        coarse, fine = (abs(volume(star, GRID, n) / star.volume - 1) for n in (2, 4))
        assert coarse < 2e-5
        assert fine < max(coarse / 3, 3e-7)


def test_volume_by_quadrature_is_that_of_an_ellipsoid() -> None:
    """A nearly round ellipsoid by its harmonics: those of even degree up to 16, found by quadrature here."""
    axes = np.array([0.9, 1.0, 1.1]) * RADIUS
    nodes, weights = np.polynomial.legendre.leggauss(40)
    azimuth = 2 * pi * np.arange(80) / 80
    width = np.sqrt(1 - nodes**2)[:, None]
    points = np.stack(
        [np.broadcast_to(nodes[:, None], (40, 80)), width * np.sin(azimuth), width * np.cos(azimuth)], axis=-1
    ).reshape(-1, 3)
    radius = 1 / np.linalg.norm(points / axes, axis=1)
    area = np.repeat(weights * 2 * pi / 80, 80)
    coefficients = np.array([real_harmonics_sum(unit, points) @ (radius * area) for unit in np.eye(17**2)])
    star = Star((0.0, 0.0, 0.0), coefficients)
    assert star.volume == pytest.approx(4 / 3 * pi * np.prod(axes), rel=1e-8)
    assert volume(star, GRID, 2) == pytest.approx(star.volume, rel=2e-5)


def test_the_bound_never_exceeds_the_distance_to_the_surface() -> None:
    star = rough()
    surface = directions(200)
    surface = surface * real_harmonics_sum(star.coefficients, surface)[:, None] + star.centre
    points = np.random.default_rng(1).uniform(-0.05, 0.05, (300, 3))
    nearest = np.array([np.linalg.norm(surface - p, axis=1).min() for p in points])
    assert (np.abs(star.distance(points)) <= nearest + 1e-12).all()


def test_a_turned_star_holds_the_turned_points() -> None:
    star, rotation = rough(), turn("y", 0.7)
    turned = Star((0.0, 0.0, 0.0), star.coefficients, rotation)
    points = np.random.default_rng(2).uniform(-0.04, 0.04, (500, 3))
    assert np.array_equal(
        turned.holds(points @ np.asarray(rotation).T), Star((0.0, 0.0, 0.0), star.coefficients).holds(points)
    )


def test_adaptive_filling_is_that_of_every_voxel_sampled() -> None:
    """Against 8³ points in each voxel: in a cut voxel they miss by half a point's layer, 1/16."""
    star = rough()
    grid = Grid((12, 12, 12), (0.007, 0.007, 0.007))
    offsets = (np.arange(96) + 0.5) / 96 * 12 * 0.007 - 6 * 0.007
    held = star.holds(np.stack(np.meshgrid(offsets, offsets, offsets, indexing="ij"), axis=-1))
    expected = held.reshape(12, 8, 12, 8, 12, 8).mean(axis=(1, 3, 5))
    found = star.occupancy(grid, 4)
    assert np.abs(found - expected).max() < 1 / 16
    assert found.mean() == pytest.approx(expected.mean(), rel=2e-3)


def test_what_is_no_star_is_refused() -> None:
    with pytest.raises(ShapeError, match=r"\(L \+ 1\)² coefficients"):
        Star((0.0, 0.0, 0.0), np.ones(5))
    with pytest.raises(ShapeError, match="radii of a star surface must be positive"):
        Star((0.0, 0.0, 0.0), np.array([0.1, 0.0, 0.0, 0.2]))
