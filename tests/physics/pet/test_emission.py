"""Decays: their places, the positrons' flight, and the angles of photon pairs, by their statistics."""

from math import pi, radians, sqrt

import numpy as np
import pytest
from scipy.stats import chi2, kstest

from phantomsim.physics.errors import ShapeError, UnitError
from phantomsim.physics.grid import Grid
from phantomsim.physics.kernel import threads
from phantomsim.physics.pet.emission import emit, source_of
from phantomsim.physics.pet.isotopes import isotope
from phantomsim.physics.rng import Key

MM = 1e-3
GRID = Grid((8, 10, 12), (3 * MM, 2 * MM, 2.5 * MM), (5 * MM, -3 * MM, 0.0))
ACTIVITY = np.random.default_rng(0).random(GRID.shape) ** 3
ACTIVITY[2:4] = 0
WATER = np.full(GRID.shape, 1000.0)
N = 200_000


def test_decays_are_where_the_activity_is() -> None:
    """χ² of the counts in the voxels, and even places within them."""
    places, _ = emit(source_of(ACTIVITY, GRID), N, Key(1), density=WATER)
    edges = [GRID.lower[a] + GRID.spacing[a] * np.arange(GRID.shape[a] + 1) for a in range(3)]
    counts, _ = np.histogramdd(places.T.astype(np.float64), edges)
    expected = N * ACTIVITY / ACTIVITY.sum()
    assert counts[ACTIVITY == 0].sum() == 0
    usual = expected > 5
    statistic = ((counts - expected)[usual] ** 2 / expected[usual]).sum()
    assert chi2.sf(statistic, usual.sum()) > 1e-4
    within = (places.T - GRID.lower) / GRID.spacing % 1
    for axis in range(3):
        assert kstest(within[:20000, axis], "uniform").pvalue > 1e-4


def test_photons_leave_evenly_and_nearly_back_to_back() -> None:
    """Directions are even on the sphere; angles to π are Gaussian in two directions at right angles."""
    spread = radians(0.4)
    _, photons = emit(source_of(ACTIVITY, GRID), N, Key(2), density=WATER, acollinearity=spread)
    one, other = photons.state[3:6, :N].astype(np.float64), photons.state[3:6, N:].astype(np.float64)
    np.testing.assert_allclose(np.linalg.norm([one, other], axis=1), 1, atol=1e-6)
    assert np.abs(one.mean(axis=1)).max() < 4 / sqrt(3 * N)
    np.testing.assert_allclose(one @ one.T / N, np.eye(3) / 3, atol=4 * sqrt(4 / 45 / N))
    sine = np.linalg.norm(np.cross(one.T, other.T), axis=1)
    assert np.mean(sine**2) == pytest.approx(2 * spread**2, rel=4 / sqrt(N) + 1e-4)
    rayleigh = 1 - np.exp(-((sine[:20000] / spread) ** 2) / 2)  # of two Gaussians: a polar Gaussian would fail
    assert kstest(rayleigh, "uniform").pvalue > 1e-4
    assert (photons.energy == np.float32(510.99895)).all()


@pytest.mark.parametrize("density", [1000.0, 260.0])
def test_positrons_go_as_far_as_their_isotope_and_further_in_lung(density: float) -> None:
    """The mean distance of a Gaussian cloud, √(8/π) σ, averaged over energies, in inverse proportion to density."""
    grid = Grid((41, 41, 41), (2 * MM,) * 3)
    activity = np.zeros(grid.shape)
    activity[20, 20, 20] = 1.0
    name = isotope("C-11")
    places, photons = emit(
        source_of(activity, grid), 50_000, Key(3), density=np.full(grid.shape, density), isotope=name
    )
    distance = np.linalg.norm(photons.state[:3, :50_000] - places, axis=0)
    spreads = name.spreads()
    expected = sqrt(8 / pi) * np.mean((spreads[1:] + spreads[:-1]) / 2) * 1000 / density
    assert distance.mean() == pytest.approx(expected, rel=0.01)


def test_positrons_stop_in_dense_matter_beside_thin() -> None:
    """From air into water: what flies towards the water ends near its surface."""
    grid = Grid((1, 1, 40), (400 * MM, 400 * MM, MM))
    activity, density = np.zeros(grid.shape), np.full(grid.shape, 1.2)
    activity[..., 18], density[..., 20:] = 1.0, 1000.0
    _, photons = emit(source_of(activity, grid), 4000, Key(4), density=density, isotope=isotope("F-18"))
    x = photons.state[2, :4000]
    assert ((x > 0) & (x < 2.5 * MM)).sum() > 1000
    assert not ((x > 5 * MM) & (x < 19.9 * MM)).any()
    assert ((x > -17 * MM) & (x < -2.1 * MM)).mean() < 0.2  # air hardly stops any


def test_neither_threads_nor_parts_change_a_pair() -> None:
    source = source_of(ACTIVITY, GRID)
    with threads(1):
        places, photons = emit(source, 3000, Key(5), density=WATER, isotope=isotope("F-18"))
    part, some = emit(source, 1000, Key(5), density=WATER, isotope=isotope("F-18"), first=2000)
    np.testing.assert_array_equal(part, places[:, 2000:])
    np.testing.assert_array_equal(some.state[:, 1000:], photons.state[:, 5000:])


@pytest.mark.parametrize(
    ("activity", "error", "text"),
    [
        (-ACTIVITY, UnitError, "not negative"),
        (np.full(GRID.shape, np.nan), UnitError, "finite"),
        (0 * ACTIVITY, UnitError, "no activity"),
        (ACTIVITY[1:], ShapeError, "of the grid"),
    ],
)
def test_impossible_activity_is_refused(activity, error, text) -> None:
    with pytest.raises(error, match=text):
        source_of(activity, GRID)


def test_density_of_another_grid_is_refused() -> None:
    with pytest.raises(ShapeError, match="density must be of the grid"):
        emit(source_of(ACTIVITY, GRID), 1, Key(0), density=WATER[1:])
