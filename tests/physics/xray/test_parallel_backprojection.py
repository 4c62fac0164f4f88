from __future__ import annotations

from math import pi

import numpy as np
import pytest

from phantomsim.physics.grid import Grid
from phantomsim.physics.kernel import threads
from phantomsim.physics.xray.geometry import ParallelBeam
from phantomsim.physics.xray.parallel_backprojection import backproject_parallel

SCAN = ParallelBeam(n_views=41, n_columns=51, pitch=1e-3, first_angle=0.2, column_offset=0.25)
TALL = Grid((2, 300, 23), (1e-3, 0.2e-3, 0.9e-3), (0.0, 4e-3, -2e-3))  # more rows than a tile, off centre
COARSE = Grid((2, 9, 11), (1e-3, 3.5e-3, 3e-3), (0.0, 1e-3, 0.0))  # pixels larger than columns, corners outside


@pytest.mark.parametrize("grid", [TALL, COARSE])
@pytest.mark.parametrize("angular_range", [pi, 2 * pi])
def test_pixels_sum_the_interpolated_columns_of_their_rays(grid: Grid, angular_range: float) -> None:
    scan = ParallelBeam(41, 51, 1e-3, 0.2, 0.25, angular_range)
    projections = np.random.default_rng(1).normal(size=(41, 2, 51)).cumsum(axis=2)
    y, x = grid.coordinates(1)[:, None], grid.coordinates(2)
    expected = np.zeros(grid.shape)
    for view, angle in enumerate(scan.angles):
        place = (y * np.sin(angle) + x * np.cos(angle) - scan.columns[0]) / scan.pitch
        for row in range(2):
            padded = np.concatenate([[0], projections[view, row], [0]])
            expected[row] += np.interp(place, np.arange(-1, 52), padded)
    image = backproject_parallel(projections, scan, grid)
    # interpolating between phases rounds the kinks of white noise a little: at most 1/32 of a step at each
    error = np.sqrt(np.mean((image - expected) ** 2) / np.mean(expected**2))
    assert image.shape == grid.shape
    assert error < 0.005


def test_linear_projections_are_interpolated_without_error() -> None:
    # away from the detector's ends neither interpolation errs: float64 shows the places to be exact
    grid = Grid((1, 30, 20), (1e-3, 0.7e-3, 0.8e-3), (0.0, 2e-3, -1e-3))
    slopes = np.linspace(-1, 2, 41)
    projections = slopes[:, None, None] * SCAN.columns
    y, x = grid.coordinates(1)[:, None], grid.coordinates(2)
    expected = sum(s * (y * np.sin(a) + x * np.cos(a)) for s, a in zip(slopes, SCAN.angles, strict=True))
    np.testing.assert_allclose(backproject_parallel(projections, SCAN, grid)[0], expected, rtol=0, atol=1e-14)
    single = backproject_parallel(projections.astype(np.float32), SCAN, grid)
    assert single.dtype == np.float32
    np.testing.assert_allclose(single[0], expected, rtol=0, atol=1e-5 * np.abs(expected).max())


def test_rows_do_not_mix() -> None:
    projections = np.random.default_rng(2).normal(size=(41, 3, 51)).astype(np.float32)
    grid = Grid((3, 30, 20), (1e-3, 0.7e-3, 0.8e-3))
    together = backproject_parallel(projections, SCAN, grid)
    for row in range(3):
        alone = backproject_parallel(projections[:, row : row + 1], SCAN, grid)
        np.testing.assert_array_equal(together[row : row + 1], alone)


def test_threads_do_not_change_a_bit() -> None:
    projections = np.random.default_rng(3).normal(size=(41, 2, 51)).astype(np.float32)
    results = []
    for n in (1, 2, 3):
        with threads(n):
            results.append(backproject_parallel(projections, SCAN, TALL))
    np.testing.assert_array_equal(results[0], results[1])
    np.testing.assert_array_equal(results[0], results[2])
