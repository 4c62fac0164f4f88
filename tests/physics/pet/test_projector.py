"""Projection along lines: closed forms, time of flight, order and threads."""

from math import pi, sqrt

import numpy as np
import pytest
from scipy.special import erf

from phantomsim.physics.errors import ShapeError, UnitError
from phantomsim.physics.grid import Grid
from phantomsim.physics.kernel import threads
from phantomsim.physics.pet.projector import LineProjector
from phantomsim.physics.pet.time_of_flight import TimeOfFlight

MM = 1e-3
PS = 1e-12
BLOB, SIGMA = np.array([3.0, -11.0, 7.0]) * MM, 12 * MM
FLIGHT = TimeOfFlight(300 * PS, 100 * PS, 25)


def lines(n: int, seed: int = 0, radius: float = 150 * MM) -> np.ndarray:
    """Return lines between random points of a sphere: they run along every axis."""
    ends = np.random.default_rng(seed).standard_normal((n, 2, 3))
    return radius * ends / np.linalg.norm(ends, axis=2, keepdims=True)


def blob(grid: Grid) -> np.ndarray:
    z, y, x = (np.exp(-((grid.coordinates(a) - BLOB[a]) ** 2) / (2 * SIGMA**2)) for a in range(3))
    return z[:, None, None] * y[:, None] * x


def blob_integrals(ends: np.ndarray) -> np.ndarray:
    """Return the integral of the blob along infinite lines: a Gaussian of the distance times √2π σ."""
    way = ends[:, 1] - ends[:, 0]
    way /= np.linalg.norm(way, axis=1, keepdims=True)
    offset = BLOB - ends[:, 0]
    distance = np.linalg.norm(offset - (offset * way).sum(axis=1)[:, None] * way, axis=1)
    return sqrt(2 * pi) * SIGMA * np.exp(-(distance**2) / (2 * SIGMA**2))


def cube(n: int) -> Grid:
    return Grid((n, n, n), (200 * MM / n,) * 3, (MM, -2 * MM, 3 * MM))


def test_lines_through_a_gaussian_converge_to_its_integral() -> None:
    """Linear interpolation is wrong by h² f″ / 8 at most between two samples, so halved voxels leave a quarter."""
    ends = lines(400)
    exact = blob_integrals(ends)
    errors = [
        np.abs(LineProjector(ends, cube(n), dtype="float64").forward(blob(cube(n)))[:, 0] - exact).max() / exact.max()
        for n in (40, 80)
    ]
    assert errors[1] < (2.5 * MM / SIGMA) ** 2 / 4  # two axes, each up to h² / 8 of f″ = f(0) / σ²
    assert errors[0] / errors[1] == pytest.approx(4, rel=0.15)


def test_a_line_sees_only_what_lies_between_its_ends() -> None:
    grid = cube(40)
    inside = np.array([[[MM, -60 * MM, 3 * MM], [MM, 40 * MM, 3 * MM]]])
    assert LineProjector(inside, grid, dtype="float64").forward(np.ones(grid.shape)) == pytest.approx(
        100 * MM, abs=5 * MM
    )


def test_time_bins_add_up_to_the_line() -> None:
    """They end 4.5 standard deviations behind their edges, where 3e-6 of a Gaussian is left on one side."""
    ends, grid = lines(300), Grid((30, 30, 30), (4 * MM,) * 3)
    volume = np.random.default_rng(1).random(grid.shape)
    plain = LineProjector(ends, grid, dtype="float64").forward(volume)[:, 0]
    timed = LineProjector(ends, grid, FLIGHT, dtype="float64").forward(volume)
    np.testing.assert_allclose(timed.sum(axis=1), plain, atol=2e-5 * plain.max())


def test_a_point_is_spread_over_time_bins_as_a_gaussian_is_over_its_bins() -> None:
    """A decay 30 mm from the middle towards the first end: chances by the error function, to the step of the table."""
    grid = Grid((1, 1, 1), (2 * MM,) * 3, (0.0, -30 * MM, 0.0))
    ends = np.array([[[0, -200 * MM, 0], [0, 200 * MM, 0]]])
    got = LineProjector(ends, grid, FLIGHT, dtype="float64").forward(np.ones(grid.shape))[0] / (2 * MM)
    sigma = 300 * PS / 2.354820045 * 299_792_458 / 2
    edges = (np.arange(26) - 12.5) * 100 * PS * 299_792_458 / 2 + 30 * MM
    np.testing.assert_allclose(got, np.diff(erf(edges / (sqrt(2) * sigma))) / 2, atol=4e-6)


def test_events_read_their_own_bin_of_the_sinogram() -> None:
    ends, grid = lines(200), Grid((20, 24, 28), (5 * MM,) * 3)
    volume = np.random.default_rng(2).random(grid.shape).astype(np.float32)
    bins = np.random.default_rng(3).integers(0, FLIGHT.n_bins, 200)
    events = LineProjector(ends, grid, FLIGHT, bins).forward(volume)[:, 0]
    all_bins = LineProjector(ends, grid, FLIGHT).forward(volume)
    np.testing.assert_array_equal(events, all_bins[np.arange(200), bins])


def test_neither_order_nor_threads_change_a_bit() -> None:
    ends, grid = lines(1500), Grid((40, 41, 42), (4 * MM,) * 3)
    rng = np.random.default_rng(4)
    volume, mixed = rng.random(grid.shape).astype(np.float32), rng.permutation(1500)
    values = LineProjector(ends, grid, FLIGHT).forward(volume)
    np.testing.assert_array_equal(LineProjector(ends[mixed], grid, FLIGHT).forward(volume), values[mixed])
    back = []
    for n in (1, 3):
        with threads(n):
            operator = LineProjector(ends, grid, FLIGHT)
            np.testing.assert_array_equal(operator.forward(volume), values)
            back.append(operator.adjoint(values))
    np.testing.assert_array_equal(*back)


@pytest.mark.parametrize(
    ("ends", "flight", "bins", "error", "text"),
    [
        (np.zeros((0, 2, 3)), None, None, ShapeError, "a line at least"),
        (lines(3)[:, 0], None, None, ShapeError, r"\(line, 2, 3\)"),
        (np.full((2, 2, 3), np.nan), None, None, UnitError, "line 0 is not"),
        (np.zeros((2, 2, 3)), None, None, UnitError, "line 0 coincide"),
        (lines(3), None, np.zeros(3, int), ShapeError, "need a time of flight"),
        (lines(3), FLIGHT, np.zeros(2, int), ShapeError, "each of 3 lines"),
        (lines(3), FLIGHT, np.array([0, 25, 0]), UnitError, "line 1 has time bin 25; there are bins 0 to 24"),
    ],
)
def test_bad_lines_are_refused_by_name(ends, flight, bins, error, text) -> None:
    with pytest.raises(error, match=text):
        LineProjector(ends, Grid((4, 4, 4), (MM,) * 3), flight, bins)


def test_bad_times_are_refused_by_name() -> None:
    with pytest.raises(UnitError, match="resolution of time of flight must be positive, got 0"):
        TimeOfFlight(0.0, 100 * PS, 15)
