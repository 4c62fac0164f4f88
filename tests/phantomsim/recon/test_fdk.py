"""FDK of exact projections: chords of balls and cylinders, and path lengths through objects."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from math import pi, radians
from typing import Any

import numpy as np
import pytest
import xarray as xr

from phantomsim.geometry import to_json
from phantomsim.phantoms.objects.defrise import Defrise
from phantomsim.phantoms.water_cylinder import WaterCylinder
from phantomsim.physics.errors import RecipeError, ShapeError
from phantomsim.physics.grid import Grid
from phantomsim.physics.kernel import threads
from phantomsim.physics.rng import Key
from phantomsim.physics.xray.cone import ConeBeam
from phantomsim.physics.xray.filtering import ramp_kernel
from phantomsim.physics.xray.redundancy import view_weights
from phantomsim.recon.fbp import fbp
from phantomsim.recon.fdk import FDK, central_fan, fdk
from phantomsim.scanners.ct import CT
from phantomsim.scanners.ct_spec import CTTake
from tests.chords import ball_chords, cylinder_chords

WATER = 20.0  # 1/m, near 70 keV
FLAT = ConeBeam(240, 41, 161, 2e-3, 2e-3, source_to_axis=0.5, source_to_detector=1.0)
SHORT = replace(FLAT, angular_range=radians(230), surface="cylinder")
SCANS = {
    "flat": FLAT,
    "cylinder, quarter offset": replace(FLAT, surface="cylinder", column_offset=0.25),
    "short": SHORT,
    "flat, short": replace(SHORT, surface="flat"),
    "half fan": replace(FLAT, column_offset=50.25, n_views=360),
    "cylinder, half fan the other way": replace(FLAT, column_offset=-50.0, n_views=360, surface="cylinder"),
}
GRID = Grid((21, 40, 40), (2e-3, 2e-3, 2e-3), (0.0, 0.02, -0.01))


def distance_from(centre: Any, grid: Grid) -> Any:
    steps = (grid.coordinates(n) - c for n, c in enumerate(centre))
    return np.sqrt(sum(square**2 for square in np.meshgrid(*steps, indexing="ij")))


@pytest.mark.parametrize("name", SCANS)
def test_a_ball_on_the_plane_of_the_source_is_uniform_and_in_its_place(name: str) -> None:
    scan, centre = replace(SCANS[name], first_angle=-0.8), (0.0007, 0.0213, -0.0152)
    scan = replace(scan, n_rows=29)
    image = fdk((WATER * ball_chords(scan, centre, 0.008)).astype(np.float32), scan, GRID, filter="hann")
    radius = distance_from(centre, GRID)
    near = image * (radius < 0.014)
    found = [(near * p).sum() / near.sum() for p in np.meshgrid(*map(GRID.coordinates, range(3)), indexing="ij")]
    voxels = np.abs((np.array(found) - centre) / GRID.spacing)
    assert image.dtype == np.float32
    assert voxels[0] < 0.01
    # where a line is weighed differently from both of its ends, a window that blurs them differently moves the ball
    assert voxels[1:].max() < (0.01 if len(view_weights(central_fan(scan))[0]) == 1 else 0.05)
    assert image[radius < 0.004].mean() == pytest.approx(WATER, rel=5e-3)


@pytest.mark.parametrize("name", SCANS)
def test_a_large_ball_has_its_attenuation_in_the_mid_plane_and_nothing_around_it(name: str) -> None:
    scan, centre = SCANS[name], (0.0, 0.01, -0.005)
    grid = Grid((1, 80, 80), (2e-3, 2e-3, 2e-3))
    tall = replace(scan, n_rows=61)
    image = fdk((WATER * ball_chords(tall, centre, 0.05, 2)).astype(np.float32), tall, grid, filter="hann")
    radius = distance_from(centre, grid)
    seen = distance_from((0, 0, 0), grid) < 0.07
    assert image[radius < 0.045].mean() == pytest.approx(WATER, rel=1e-3)
    assert image[radius < 0.045].std() < 5e-3 * WATER
    assert image[(radius > 0.055) & seen].mean() == pytest.approx(0, abs=2e-3 * WATER)


@pytest.mark.parametrize("name", SCANS)
def test_the_plane_of_the_source_is_filtered_backprojection_of_a_fan(name: str) -> None:
    scan = SCANS[name]
    line_integrals = WATER * ball_chords(scan, (0.0, 0.02, 0.01), 0.03, 1)
    image = fdk(line_integrals, scan, GRID, filter="shepp-logan")[10]
    plane = replace(GRID, shape=(1, 40, 40))
    expected = fbp(line_integrals, central_fan(scan), scan.rows, plane, filter="shepp-logan")[0]
    np.testing.assert_allclose(image, expected, rtol=0, atol=1e-4 * np.abs(expected).max())


@pytest.mark.parametrize("name", SCANS)
def test_what_does_not_change_along_z_is_the_same_in_every_plane(name: str) -> None:
    scan = replace(SCANS[name], n_rows=121)  # 7 degrees up and down
    grid = Grid((7, 40, 40), (12e-3, 2e-3, 2e-3))
    image = fdk(WATER * cylinder_chords(scan, (0.01, -0.005), 0.03), scan, grid, filter="hann")
    inside = distance_from((0, 0.01, -0.005), replace(grid, shape=(1, 40, 40)))[0] < 0.026
    # a flat detector's rows are no longer at one cone angle along the ramp's line: its value falls a little
    assert image[:, inside].mean(axis=1) == pytest.approx(np.full(7, WATER), rel=1e-3)


def test_a_short_scan_and_a_half_fan_give_the_image_of_a_full_scan() -> None:
    centre, scans = (0.004, -0.01, 0.012), [FLAT, replace(SCANS["flat, short"], n_views=300), SCANS["half fan"]]
    grid = replace(GRID, centre=(0.0, 0.0, 0.0))
    images = [fdk(WATER * ball_chords(scan, centre, 0.012, 2), scan, grid, filter="hann") for scan in scans]
    radius = distance_from(centre, grid)
    for image in images[1:]:
        assert np.abs(image - images[0])[radius < 0.007].max() < 1e-3 * WATER
        # around it each has streaks of its own, as fine as its views are dense
        assert np.sqrt(np.mean((image - images[0])[radius > 0.017] ** 2)) < 5e-3 * WATER


@cache
def defrise() -> Any:
    """Return the reconstruction of seven disks on the axis of a steep cone (z), and their distance [m]."""
    phantom = Defrise(kind="defrise", diameter_mm=100, thickness_mm=8, gap_mm=8, count=7, disk="pmma", between="air")
    scan = ConeBeam(72, 120, 72, 3.2e-3, 3.2e-3, source_to_axis=0.25, source_to_detector=0.5)
    views = scan.views()
    lengths = phantom.generate(Key(0)).path_lengths(views.rays())[..., 1:].sum(axis=-1)
    grid = Grid((113, 24, 24), (1e-3, 2e-3, 2e-3))
    return fdk(lengths.astype(np.float32), scan, grid, filter="hann"), grid.coordinates(0)


def contrast(profile: Any, z: Any, disk: int) -> float:
    """Return the step from a disk to the gaps around it."""
    middle = 16e-3 * disk
    inside = np.abs(z - middle) < 2.5e-3
    gap = (np.abs(np.abs(z - middle) - 8e-3) < 2.5e-3) & (np.abs(z) < 56e-3 - 4e-3)
    return float(profile[inside].mean() - profile[gap].mean())


def test_cone_artefacts_take_contrast_from_the_outer_disks_and_not_from_the_middle_one() -> None:
    image, z = defrise()
    off_axis = image[:, 2:6, 2:6].mean(axis=(1, 2))
    contrasts = [contrast(off_axis, z, disk) for disk in range(4)]
    assert contrasts[0] == pytest.approx(1, abs=0.05)  # five rows to a disk
    assert contrasts[0] > contrasts[1] > contrasts[2]
    assert contrasts[2] < 0.8


def test_variance_of_white_noise_is_what_filter_and_weights_say() -> None:
    # a voxel adds (1/L²) Σ_n [(1−a) h(c−n) + a h(c+1−n)] W_n p_n a view, a its place between the columns c and c + 1
    scan = replace(FLAT, n_views=90, n_rows=241, row_pitch=1e-4)
    grid = Grid((60, 20, 20), (2e-4, 1.7e-3, 1.7e-3), (0.0, 0.02, 0.011))  # each plane reads four rows of its own
    rng = np.random.default_rng(9)
    noise = [rng.normal(size=(90, 241, 161)).astype(np.float32) for _ in range(3)]
    measured = np.mean([fdk(each, scan, grid).astype(np.float64) ** 2 for each in noise], axis=(0, 1)).mean()
    fan, z = central_fan(scan), grid.coordinates(0)[:, None, None]
    kernel = ramp_kernel(fan)
    line = np.concatenate([kernel[:0:-1], kernel])
    weight = pi / 90 * scan.source_to_axis * np.cos(fan.fan_angles)
    y, x = grid.coordinates(1)[:, None], grid.coordinates(2)
    expected = np.zeros((20, 20))
    for angle in scan.angles:
        along = scan.source_to_axis + y * np.cos(angle) - x * np.sin(angle)
        place = (y * np.sin(angle) + x * np.cos(angle)) / along * scan.source_to_detector
        column, row = (place - scan.columns[0]) / scan.column_pitch, z / along * scan.source_to_detector
        c, b = column.astype(int), (row - scan.rows[0]) / scan.row_pitch % 1
        a = (column - c)[..., None]
        n = c[..., None] - np.arange(161) + 160
        filtered = (weight * ((1 - a) * line[n] + a * line[n + 1])) ** 2
        expected += filtered.sum(axis=-1) / along**4 * ((1 - b) ** 2 + b**2).mean(axis=0)
    assert measured == pytest.approx(expected.mean(), rel=0.02)  # 72,000 voxels: the sample is known to 0.5 %


def test_fdk_is_linear_and_threads_do_not_change_a_bit() -> None:
    scan = replace(FLAT, n_views=50, n_rows=12, n_columns=40, column_pitch=6e-3)
    a, b = np.random.default_rng(4).normal(size=(2, 50, 12, 40))
    results = []
    for n in (1, 3):
        with threads(n):
            results.append(fdk(2 * a - 3 * b, scan, GRID))
    np.testing.assert_array_equal(results[0], results[1])
    apart = 2 * fdk(a, scan, GRID) - 3 * fdk(b, scan, GRID)
    np.testing.assert_allclose(results[0], apart, rtol=0, atol=1e-12 * np.abs(apart).max())


def test_water_in_a_cone_beam_scanner_is_0_hounsfield_units() -> None:
    distances = {"source_to_axis_mm": 541, "source_to_detector_mm": 949}
    counts = {"n_views": 180, "n_rows": 5, "n_columns": 320, "row_pitch_mm": 3, "column_pitch_mm": 1.5}
    scanner = CT.model_validate(
        {
            "kind": "ct",
            "geometry": {"kind": "cone-flat", **counts, **distances},
            "tube": {"kvp": 120, "rotation_mas": 200, "filter_al_mm": 6},
            "detector": {"kind": "energy-integrating"},
        }
    )
    phantom = WaterCylinder(kind="water-cylinder").generate(Key(1))
    data = scanner.detect(scanner.simulate(phantom, Key(1)), CTTake(), None)
    grid = Grid((3, 80, 80), (2e-3, 3e-3, 3e-3))
    image = FDK(filter="hann", unit="hu").reconstruct({"data": data}, grid)
    radius = distance_from((0, 0, 0), replace(grid, shape=(1, 80, 80)))[0]
    assert image.values[:, radius < 0.09].mean() == pytest.approx(0, abs=1)
    assert image.values[:, (radius > 0.11) & (radius < 0.118)].mean() == pytest.approx(-1000, abs=2)
    assert image.attrs["units"] == "HU"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"surface": "sphere"}, "surface = 'sphere'"),
        ({"feed": 0.02}, "feed = 20 mm a turn makes a helix"),
        ({"tilt": 0.1}, "a tilt"),
        ({"spots": ((0.0, 0.0), (1e-3, 0.0))}, "a flying focal spot"),
        ({"n_columns": 160, "tile_columns": 40, "tile_gap": 1e-3}, "tile_gap = 1 mm"),
        ({"angular_range": pi}, "angular_range must be"),
        ({"angular_range": radians(240), "column_offset": 50.0}, "half fan, which needs whole turns"),
        ({"column_offset": 81.0}, "off the axis"),
    ],
)
def test_a_scan_that_fdk_does_not_take_is_refused_by_name(change: dict[str, Any], message: str) -> None:
    scan = replace(FLAT, **change)
    with pytest.raises(RecipeError, match=message):
        fdk(np.zeros((scan.n_views, scan.n_rows, scan.n_columns), np.float32), scan, GRID)


def test_other_data_and_grids_beyond_the_source_are_refused() -> None:
    with pytest.raises(ShapeError, match=r"\(240, 41, 161\), got \(240, 41, 160\)"):
        fdk(np.zeros((240, 41, 160), np.float32), FLAT, GRID)
    with pytest.raises(RecipeError, match="to where the source turns"):
        fdk(np.zeros((240, 41, 161), np.float32), FLAT, replace(GRID, spacing=(1e-3, 0.02, 0.02)))
    dims = ("view", "row", "column")
    fan = xr.Dataset(
        {"line_integral": (dims, np.zeros((240, 1, 161), np.float32))},
        attrs={"geometry": to_json(central_fan(FLAT), [0.0])},
    )
    with pytest.raises(RecipeError, match="take fbp for parallel and fan"):
        FDK().reconstruct({"data": fan}, GRID)
