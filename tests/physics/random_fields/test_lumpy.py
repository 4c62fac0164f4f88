from dataclasses import replace

import numpy as np
import pytest
from scipy.integrate import quad

from phantomsim.physics.errors import UnitError
from phantomsim.physics.grid import Grid
from phantomsim.physics.kernel import threads
from phantomsim.physics.random_fields.lumps import REACH, add_lumps, cells
from phantomsim.physics.random_fields.lumpy import ClusteredLumpy, Lumpy
from phantomsim.physics.rng import Key

FLAT = Lumpy(density=2000.0, amplitude=0.7, width=6e-3, base=1.0, dimensions=2)
SOLID = Lumpy(density=1e5, amplitude=0.7, width=6e-3, base=1.0)
CLUSTERED = ClusteredLumpy(density=600.0, lumps=5.0, spread=8e-3, length=6e-3, width=2e-3, amplitude=0.4, base=1.0)
FIELDS = pytest.mark.parametrize("field", [FLAT, SOLID, CLUSTERED], ids=["flat", "solid", "clustered"])


def test_a_lump_is_the_gaussian_of_its_covariance():
    rng = np.random.default_rng(0)
    root = rng.normal(size=(3, 3)) * 2e-3
    covariance, centre = root @ root.T + 1e-6 * np.eye(3), np.array([0.001, -0.002, 0.0005])
    grid = Grid((20, 24, 28), (1e-3, 0.8e-3, 0.7e-3), (0.0, -0.002, 0.001))
    field = np.zeros(grid.shape, np.float32)
    add_lumps(field, grid, centre[None], covariance[None], np.array([2.0]))
    away = np.stack(np.meshgrid(*(grid.coordinates(a) for a in range(3)), indexing="ij"), -1) - centre
    expected = 2 * np.exp(-0.5 * np.einsum("...i,ij,...j", away, np.linalg.inv(covariance), away))
    assert np.abs(field - expected).max() < 1e-5


def test_points_are_a_poisson_process_that_knows_no_region():
    lower, upper = np.array([-3.0, -2.0]), np.array([4.0, 5.0])
    points = np.concatenate([p for _, p in cells(Key(1), 300.0, lower, upper)])
    wider = np.concatenate([p for _, p in cells(Key(1), 300.0, lower - 3, upper + 3)])
    here, there = (p[((p >= lower) & (p < upper)).all(axis=1)] for p in (points, wider))
    assert np.array_equal(np.sort(here, axis=0), np.sort(there, axis=0))
    counts = np.histogram2d(*here.T, bins=(70, 70), range=list(zip(lower, upper, strict=True)))[0].ravel()
    assert counts.mean() == pytest.approx(3.0, abs=4 * np.sqrt(3.0 / counts.size))
    assert counts.var() == pytest.approx(3.0, abs=4 * 3.0 * np.sqrt((2 + 1 / 3) / counts.size))


@FIELDS
def test_mean_and_covariance_over_many_draws_are_the_closed_forms(field):
    shape = (4, 6, 6) if field is SOLID else (1, 8, 8)
    grid = Grid(shape, (4e-3, 4e-3, 4e-3), (0.01, 0.02, -0.03))
    draws = np.stack([field.draw(Key(5).fold(i), grid) for i in range(400)]).astype(np.float64)
    means = draws.mean(axis=(1, 2, 3))
    assert abs(means.mean() - field.mean) < 4 * means.std() / 20
    away = draws - field.mean
    for lag in ((0, 0, 0), (0, 0, 1), (0, 2, 0), (0, 2, 2), (0, 0, 4), (0, 5, 3), (1, 0, 0), (2, 1, 1)):
        if lag[0] >= shape[0]:
            continue
        z, y, x = lag
        products = away[:, z:, y:, x:] * away[:, : shape[0] - z, : shape[1] - y, : shape[2] - x]
        found = products.mean(axis=(1, 2, 3))  # one number for each independent draw
        expected = field.covariance(np.multiply(lag, grid.spacing))
        assert abs(found.mean() - expected) < 4 * found.std() / 20, lag


@FIELDS
def test_the_same_seed_at_two_resolutions_is_the_same_field(field):
    coarse = Grid((1 if field is not SOLID else 9, 15, 15), (2e-3, 2e-3, 2e-3), (0.01, 0.02, -0.03))
    fine = Grid((3 * coarse.shape[0], 45, 45), (2e-3 / 3,) * 3, coarse.centre)  # every third voxel has a coarse centre
    a, b = field.draw(Key(7), coarse), field.draw(Key(7), fine)
    assert np.abs(a - b[1::3, 1::3, 1::3]).max() < 3e-5 * a.std()
    part = Grid((coarse.shape[0], 5, 5), coarse.spacing, (0.01, 0.02 - 0.01, -0.03 + 0.01))
    assert np.abs(a[:, :5, 10:] - field.draw(Key(7), part)).max() < 3e-5 * a.std()


@FIELDS
def test_field_does_not_depend_on_threads(field):
    grid = Grid((2, 20, 20), (2e-3, 2e-3, 2e-3))
    with threads(1):
        one = field.draw(Key(3), grid)
    with threads(3):
        assert field.draw(Key(3), grid).tobytes() == one.tobytes()


def test_clustered_covariance_is_the_average_of_turned_gaussians():
    field, lag = CLUSTERED, np.array([0.0, 3e-3, -5e-3])

    def at(angle, extra):
        axis = np.array([np.sin(angle), np.cos(angle)])
        spread = (2 * field.width**2 + extra) * np.eye(2)
        spread += 2 * (field.length**2 - field.width**2) * np.outer(axis, axis)
        return np.exp(-0.5 * lag[1:] @ np.linalg.solve(spread, lag[1:])) / (2 * np.pi * np.sqrt(np.linalg.det(spread)))

    own, other = (quad(at, 0, np.pi, (e,), epsabs=0)[0] / np.pi for e in (0.0, 2 * field.spread**2))
    weight = field.amplitude * 2 * np.pi * field.length * field.width
    expected = field.density * weight**2 * (field.lumps * own + field.lumps**2 * other)
    assert field.covariance(lag) == pytest.approx(expected, rel=1e-10)


def test_single_lumps_in_clusters_of_one_poisson_number_tend_to_the_plain_background():
    round_lumps = replace(CLUSTERED, lumps=1e-6, density=1e9, width=6e-3)
    plain = Lumpy(1e3, CLUSTERED.amplitude, 6e-3, CLUSTERED.base, 2)
    lag = np.array([[0.0, 0.0, 0.0], [0.0, 5e-3, 3e-3]])
    assert round_lumps.mean == pytest.approx(plain.mean)
    assert round_lumps.covariance(lag) == pytest.approx(plain.covariance(lag), rel=2e-6)


def test_a_world_with_hardly_a_lump_is_its_base():
    assert (replace(FLAT, density=1e-9).draw(Key(1), Grid((1, 5, 5), (1e-3, 1e-3, 1e-3))) == FLAT.base).all()


def test_reach_leaves_out_less_than_single_precision():
    assert np.exp(-0.5 * REACH**2) < 2**-24


@pytest.mark.parametrize("wrong", [{"density": 0.0}, {"width": -1.0}, {"width": np.nan}])
def test_values_that_make_no_field_are_errors(wrong):
    with pytest.raises(UnitError, match=next(iter(wrong))):
        replace(FLAT, **wrong)
    with pytest.raises(UnitError, match=next(iter(wrong))):
        replace(CLUSTERED, **wrong)
    with pytest.raises(UnitError, match="must not exceed its length"):
        replace(CLUSTERED, width=7e-3)
