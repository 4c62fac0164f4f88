from __future__ import annotations

from math import pi
from typing import Any, Literal

import numpy as np
import pytest

from phantomsim.physics.errors import RecipeError
from phantomsim.physics.grid import Grid
from phantomsim.physics.kernel import threads
from phantomsim.physics.xray.fan_backprojection import backproject_fan
from phantomsim.physics.xray.geometry import FanBeam

Detector = Literal["flat", "arc"]
CENTRED = Grid((1, 70, 70), (1e-3, 3e-3, 3e-3))  # 90° apart, views see it alike; more columns than a tile
SHIFTED = Grid((1, 21, 30), (1e-3, 6e-3, 7e-3), (0.0, 0.02, -0.05))


def scan_of(detector: Detector, angular_range: float = 2 * pi, **start: float) -> FanBeam:
    return FanBeam(40, 61, 8e-3, angular_range=angular_range, source_to_axis=0.5, detector=detector, **start)


def reference(projections: Any, scan: FanBeam, grid: Grid) -> Any:
    """Backproject with numpy in float64: positions by arctan, columns by np.interp."""
    y, x = grid.coordinates(1)[:, None], grid.coordinates(2)
    image = np.zeros((projections.shape[1], *grid.shape[1:]))
    for view, angle in enumerate(scan.angles):
        along = scan.source_to_axis + y * np.cos(angle) - x * np.sin(angle)
        across = y * np.sin(angle) + x * np.cos(angle)
        if scan.detector == "arc":
            u, weight = np.arctan2(across, along) * scan.source_to_detector, 1 / (along**2 + across**2)
        else:
            u, weight = across / along * scan.source_to_detector, 1 / along**2
        place = (u - scan.columns[0]) / scan.pitch
        for row in range(projections.shape[1]):
            padded = np.concatenate([[0], projections[view, row], [0]])
            image[row] += weight * np.interp(place, np.arange(-1, scan.n_columns + 1), padded)
    return image


@pytest.mark.parametrize("grid", [CENTRED, SHIFTED])
@pytest.mark.parametrize(
    "start",  # with the detector in the middle the scan has all symmetries of the square, or its turns alone
    [{}, {"first_angle": pi / 40}, {"first_angle": 0.3}, {"first_angle": 0.3, "column_offset": 0.25}],
)
@pytest.mark.parametrize("angular_range", [2 * pi, pi])
@pytest.mark.parametrize("detector", ["flat", "arc"])
@pytest.mark.parametrize("n_rows", [1, 3, 11])
def test_pixels_sum_the_weighted_columns_of_their_rays(
    grid: Grid, start: dict[str, float], angular_range: float, detector: Detector, n_rows: int
) -> None:
    scan = scan_of(detector, angular_range, **start)
    projections = np.random.default_rng(1).normal(size=(40, n_rows, 61))
    image = backproject_fan(projections, scan, grid)
    expected = reference(projections, scan, grid)
    # the polynomial arctan of an arc is made for float32: 4e-8 of the detector's radius, 113 columns
    tolerance = 1e-13 if detector == "flat" else 1e-5
    np.testing.assert_allclose(image, expected, rtol=0, atol=tolerance * np.abs(expected).max())


@pytest.mark.parametrize("detector", ["flat", "arc"])
def test_float32_stays_float32_and_places_rays_to_a_thousandth_of_a_column(detector: Detector) -> None:
    scan = scan_of(detector)
    ramps = np.broadcast_to(np.arange(61.0), (40, 1, 61))
    image = backproject_fan(ramps.astype(np.float32), scan, SHIFTED)
    expected = reference(ramps, scan, SHIFTED)
    one_column = reference(np.ones((40, 1, 61)), scan, SHIFTED)
    assert image.dtype == np.float32
    assert np.abs((image - expected) / one_column).max() < 1e-3


@pytest.mark.parametrize("grid", [CENTRED, SHIFTED])
def test_threads_do_not_change_a_bit(grid: Grid) -> None:
    projections = np.random.default_rng(3).normal(size=(40, 9, 61)).astype(np.float32)
    results = []
    for n in (1, 2, 3):
        with threads(n):
            results.append(backproject_fan(projections, scan_of("arc"), grid))
    np.testing.assert_array_equal(results[0], results[1])
    np.testing.assert_array_equal(results[0], results[2])


def test_a_grid_that_reaches_the_source_is_refused() -> None:
    grid = Grid((1, 70, 70), (1e-3, 3e-3, 12e-3))
    with pytest.raises(RecipeError, match=r"the grid reaches 426\.\d mm from the axis.*source_to_axis_mm = 400"):
        backproject_fan(np.zeros((8, 1, 5), np.float32), FanBeam(8, 5, 8e-3, source_to_axis=0.4), grid)
