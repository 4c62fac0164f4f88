"""Weighted FBP of exact helical projections: chords of balls and endless cylinders."""

from __future__ import annotations

from dataclasses import replace
from math import pi
from typing import Any

import numpy as np
import pytest
import xarray as xr

from phantomsim.geometry import to_json
from phantomsim.physics.errors import RecipeError, ShapeError
from phantomsim.physics.grid import Grid
from phantomsim.physics.kernel import threads
from phantomsim.physics.xray.cone import ConeBeam
from phantomsim.physics.xray.filtering import ramp_kernel
from phantomsim.physics.xray.rebinning import Wedge
from phantomsim.recon.wfbp import WFBP, wfbp
from tests.chords import ball_chords, cylinder_chords

WATER = 20.0  # 1/m, near 70 keV
SCAN = ConeBeam(
    720, 16, 121, 2e-3, 3e-3, 0.57, 1.04, "cylinder", first_angle=0.4, angular_range=6 * pi, column_offset=0.25
)
GRID = Grid((16, 40, 40), (5e-4, 2e-3, 2e-3), (0.0, 0.02, -0.01))
PITCHES = [0.6, 1.0, -1.2]


def helix(pitch_factor: float, **changes: Any) -> ConeBeam:
    return replace(SCAN, feed=pitch_factor * SCAN.collimation, **changes)


def distance_from(centre: Any, grid: Grid) -> Any:
    steps = (grid.coordinates(n) - c for n, c in enumerate(centre))
    return np.sqrt(sum(square**2 for square in np.meshgrid(*steps, indexing="ij")))


@pytest.mark.parametrize("pitch_factor", PITCHES)
def test_a_long_cylinder_is_uniform_and_the_same_in_every_plane(pitch_factor: float) -> None:
    scan, centre, grid = helix(pitch_factor), (0.02, -0.015), replace(GRID, shape=(16, 60, 60))
    image = wfbp((WATER * cylinder_chords(scan, centre, 0.04)).astype(np.float32), scan, grid, filter="hann")
    radius = distance_from((0, *centre), replace(grid, shape=(1, 60, 60)))[0]
    assert image.dtype == np.float32
    assert image[:, radius < 0.035].mean() == pytest.approx(WATER, rel=1e-3)
    assert image[:, radius < 0.035].std() < 2e-3 * WATER
    assert np.abs(image[:, (radius > 0.047) & (radius < 0.055)].mean()) < 1e-3 * WATER
    # windmills: what turns with the plane; with perfect interpolation such an object has none
    assert image.std(axis=0)[radius < 0.035].max() < 1.5e-3 * WATER


@pytest.mark.parametrize("pitch_factor", PITCHES)
def test_a_ball_is_found_at_its_place_to_a_fiftieth_of_a_voxel(pitch_factor: float) -> None:
    scan, centre = helix(pitch_factor), (0.0003, 0.0213, -0.0152)
    grid = replace(GRID, shape=(36, 40, 40), spacing=(1e-3, 2e-3, 2e-3))
    scan = replace(scan, angular_range=12 * pi, n_views=1440) if abs(pitch_factor) < 1 else scan
    scan = replace(scan, angular_range=8 * pi, n_views=960) if abs(pitch_factor) >= 1 else scan
    image = wfbp((WATER * ball_chords(scan, centre, 0.008, 2)).astype(np.float32), scan, grid, filter="hann")
    radius = distance_from(centre, grid)
    near = image * (radius < 0.014)
    found = [(near * p).sum() / near.sum() for p in np.meshgrid(*map(grid.coordinates, range(3)), indexing="ij")]
    assert np.abs((np.array(found) - centre) / grid.spacing).max() < 0.02
    assert image[radius < 0.004].mean() == pytest.approx(WATER, rel=0.01)


def test_all_that_is_said_to_be_measured_has_its_value() -> None:
    # in a cylinder as wide as the field of view a direction that is not seen would be missing
    for pitch_factor in (0.5, 1.0):
        scan = helix(pitch_factor)
        grid = Grid((1, 24, 24), (1e-3, 6e-3, 6e-3))
        line_integrals = WATER * cylinder_chords(scan, (0.0, 0.0), 0.075)
        with pytest.raises(RecipeError, match="the helix measures only") as error:
            wfbp(line_integrals, scan, replace(grid, centre=(0.5, 0.0, 0.0)))
        low, high = (
            1e-3 * float(number) for number in str(error.value).split("only ")[1].split(" mm whole")[0].split(" to ")
        )
        inside = distance_from((0, 0, 0), grid)[0] < 0.068
        for z in (low + 2e-5, high - 2e-5):
            image = wfbp(line_integrals, scan, replace(grid, centre=(z, 0.0, 0.0)), filter="hann")[0]
            np.testing.assert_allclose(image[inside], WATER, rtol=0.02)
        assert high - low > 0


def test_variance_of_white_noise_falls_with_the_dose_that_a_voxel_gets() -> None:
    # a direction that rays see with weights w has the variance Σ w² / (Σ w)², on the axis half a feed apart
    grid = Grid((8, 24, 24), (1.3e-3, 2.3e-3, 2.3e-3))
    variances, expected = [], []
    for pitch_factor in (1.0, 0.5):
        scan = helix(pitch_factor, angular_range=8 * pi, n_views=960)
        noise = np.random.default_rng(2).normal(size=(2, 960, 16, 121)).astype(np.float32)
        variances.append(float(np.mean([wfbp(each, scan, grid).var() for each in noise])))
        phase = np.linspace(0, 1, 200, endpoint=False)[:, None]
        edge = pitch_factor * np.abs(phase + np.arange(-8, 8))  # in half detectors, where half a feed is one pitch
        weights = np.cos(pi / 2 * np.clip((edge - 0.6) / 0.4, 0, 1)) ** 2
        expected.append(float(((weights**2).sum(axis=1) / weights.sum(axis=1) ** 2).mean()))
    # 9,216 voxels whose noise hangs together: a draw's variance has been seen to vary by 3 %
    assert variances[0] / variances[1] == pytest.approx(expected[0] / expected[1], rel=0.08)


def test_wfbp_is_linear_and_threads_do_not_change_a_bit() -> None:
    scan = helix(1.0, n_views=90)
    a, b = np.random.default_rng(4).normal(size=(2, 90, 16, 121))
    results = []
    for n in (1, 3):
        with threads(n):
            results.append(wfbp(2 * a - 3 * b, scan, GRID))
    np.testing.assert_array_equal(results[0], results[1])
    apart = 2 * wfbp(a, scan, GRID) - 3 * wfbp(b, scan, GRID)
    np.testing.assert_allclose(results[0], apart, rtol=0, atol=1e-12 * np.abs(apart).max())


def test_the_reconstructor_takes_a_take_and_gives_hounsfield_units() -> None:
    scan = helix(1.0)
    data = xr.Dataset(
        {"line_integral": (("view", "row", "column"), WATER * cylinder_chords(scan, (0.0, 0.0), 0.06))},
        attrs={"geometry": to_json(scan, scan.rows), "mu_water_per_m": WATER},
    )
    image = WFBP(filter="hann", unit="hu").reconstruct({"data": data}, GRID)
    radius = distance_from((0, 0, 0), replace(GRID, shape=(1, 40, 40)))[0]
    assert image.dims == ("z", "y", "x")
    assert float(image.values[:, radius < 0.05].mean()) == pytest.approx(0, abs=1)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"surface": "flat"}, "bent to a cylinder, got surface = 'flat'"),
        ({"feed": 0.0}, "feed = 0 makes a circle"),
        ({"feed": 1.9 * SCAN.collimation}, "pitch factor 1.9 leaves gaps"),
        ({"column_offset": 30.0}, "a half fan, which wfbp does not take"),
        ({"tilt": 0.1}, "a tilt"),
        ({"angular_range": 0.9 * pi}, "needs half a turn and the fan"),
    ],
)
def test_a_scan_that_wfbp_does_not_take_is_refused_by_name(change: dict[str, Any], message: str) -> None:
    scan = replace(helix(1.0), **change)
    with pytest.raises(RecipeError, match=message):
        wfbp(np.zeros((scan.n_views, 16, 121), np.float32), scan, GRID)


def test_other_data_and_other_grids_are_refused() -> None:
    scan = helix(1.0)
    with pytest.raises(ShapeError, match=r"\(720, 16, 121\), got \(720, 16, 120\)"):
        wfbp(np.zeros((720, 16, 120), np.float32), scan, GRID)
    with pytest.raises(RecipeError, match="to where the source turns"):
        wfbp(np.zeros((720, 16, 121), np.float32), scan, replace(GRID, spacing=(1e-3, 0.03, 0.03)))
    with pytest.raises(RecipeError, match="plateau must be in"):
        wfbp(np.zeros((720, 16, 121), np.float32), scan, GRID, plateau=1.0)


def test_a_wedge_keeps_the_columns_of_the_detector_near_the_central_ray_and_a_ray_its_line() -> None:
    wedge = Wedge(helix(1.0))
    parallel = wedge.parallel
    assert parallel.angles == pytest.approx(wedge.angles)
    middle = np.abs(parallel.columns).argmin()
    assert parallel.columns[middle] == pytest.approx(SCAN.columns[60] * 0.57 / 1.04, rel=1e-9)
    assert ramp_kernel(parallel)[0] == pytest.approx(1 / (4 * 3e-3 * 0.57 / 1.04))
