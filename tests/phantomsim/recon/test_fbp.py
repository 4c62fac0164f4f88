"""FBP of exact projections: chords of disks, averaged over each column as a detector does."""

from __future__ import annotations

from dataclasses import replace
from math import pi, radians
from typing import Any

import numpy as np
import pytest
import xarray as xr
from pydantic import ValidationError

from phantomsim.geometry import to_json
from phantomsim.physics.errors import RecipeError, ShapeError
from phantomsim.physics.grid import Grid
from phantomsim.physics.kernel import threads
from phantomsim.physics.xray.filtering import ramp_kernel
from phantomsim.physics.xray.geometry import FanBeam, ParallelBeam, PlanarScan, rays
from phantomsim.recon.fbp import FBP, fbp

WATER = 20.0  # 1/m, near 70 keV
PARALLEL = ParallelBeam(n_views=300, n_columns=256, pitch=1e-3)
FLAT = FanBeam(n_views=400, n_columns=300, pitch=1.8e-3, detector="flat")
ARC = FanBeam(n_views=400, n_columns=300, pitch=1.8e-3, detector="arc")
SHORT = replace(ARC, angular_range=radians(250), n_views=360)
SCANS = {
    "parallel": PARALLEL,
    "parallel, full turn": replace(PARALLEL, angular_range=2 * pi, n_views=400),
    "flat": FLAT,
    "flat, two turns": replace(FLAT, angular_range=4 * pi, n_views=720),
    "arc": ARC,
    "arc, short scan": SHORT,
    "flat, short scan": replace(SHORT, detector="flat"),
    "arc, half fan": replace(ARC, n_columns=180, column_offset=60.25, n_views=600),
    "flat, half fan": replace(FLAT, n_columns=180, column_offset=-60, n_views=600),
}
GRID = Grid((1, 128, 128), (1e-3, 1.6e-3, 1.6e-3))
SHIFTED = Grid((1, 60, 70), (2e-3, 1.5e-3, 1.2e-3), (0.0, 0.02, -0.03))


def chords(scan: PlanarScan, centre: tuple[float, float], radius: float, z: Any = (0.0,)) -> Any:
    """Return the mean chord of a disk at `centre` (y, x) over each column (view, row, column) [m]."""
    n = 8
    beams = rays(scan, np.asarray(z), n_subcolumns=n)
    start, along = beams.start[..., 1:], (beams.end - beams.start)[..., 1:]
    along /= np.linalg.norm(along, axis=-1, keepdims=True)
    to = np.asarray(centre) - start
    distance = to[..., 0] * along[..., 1] - to[..., 1] * along[..., 0]
    chord = 2 * np.sqrt(np.maximum(radius**2 - distance**2, 0))
    return chord.reshape(*chord.shape[:2], scan.n_columns, n).mean(axis=-1)


def distance_from(centre: tuple[float, float], grid: Grid) -> Any:
    return np.hypot(grid.coordinates(1)[:, None] - centre[0], grid.coordinates(2) - centre[1])


@pytest.mark.parametrize("grid", [GRID, SHIFTED])
@pytest.mark.parametrize("name", SCANS)
def test_a_disk_has_its_attenuation_inside_and_none_outside(name: str, grid: Grid) -> None:
    scan, centre = replace(SCANS[name], first_angle=0.7), (0.025, -0.03)
    if not scan.column_offset:
        scan = replace(scan, column_offset=0.25)
    line_integrals = (WATER * chords(scan, centre, 0.03)).astype(np.float32)
    image = fbp(line_integrals, scan, [0.0], grid)[0]
    radius = distance_from(centre, grid)
    inside, around = image[radius < 0.025], image[(radius > 0.035) & (radius < 0.045)]
    assert image.dtype == np.float32
    assert inside.mean() == pytest.approx(WATER, rel=1e-3)  # a ramp without its mean is off by per cents
    assert around.mean() == pytest.approx(0, abs=2e-3 * WATER)
    assert inside.std() < 0.005 * WATER


@pytest.mark.parametrize("grid", [GRID, SHIFTED])
@pytest.mark.parametrize("offset", [0.0, 0.25])
@pytest.mark.parametrize("name", SCANS)
def test_a_small_disk_is_found_at_its_place_to_a_twentieth_of_a_pixel(name: str, offset: float, grid: Grid) -> None:
    scan, centre = replace(SCANS[name], first_angle=-1.1), (0.0311, -0.0173)
    scan = replace(scan, column_offset=scan.column_offset + offset)
    line_integrals = (WATER * chords(scan, centre, 4e-3)).astype(np.float32)
    image = fbp(line_integrals, scan, [0.0], grid, filter="hann")[0]
    near = image * (distance_from(centre, grid) < 8e-3)
    found = [(near * p).sum() / near.sum() for p in (grid.coordinates(1)[:, None], grid.coordinates(2))]
    pixels = (np.array(found) - centre) / grid.spacing[1:]
    assert np.abs(pixels).max() < 0.05


def test_flat_and_arc_detectors_agree_with_parallel_rays() -> None:
    # the edge aside, where the columns' size shows; each image has streaks of its own of 0.1 % off it
    centre = (-0.02, 0.035)
    images = [fbp(WATER * chords(scan, centre, 0.03), scan, [0.0], GRID, filter="hann")[0] for scan in SCANS.values()]
    off_edge = (np.abs(distance_from(centre, GRID) - 0.03) > 6e-3) & (distance_from((0, 0), GRID) < 0.09)
    for image in images[1:]:
        difference = (image - images[0])[off_edge]
        assert np.sqrt(np.mean(difference**2)) < 2e-3 * WATER


@pytest.mark.parametrize("scan", [PARALLEL, FLAT, ARC])
def test_fbp_is_linear(scan: PlanarScan) -> None:
    rng = np.random.default_rng(4)
    a, b = rng.normal(size=(2, scan.n_views, 1, scan.n_columns))
    together = fbp(2 * a - 3 * b, scan, [0.0], SHIFTED)
    apart = 2 * fbp(a, scan, [0.0], SHIFTED) - 3 * fbp(b, scan, [0.0], SHIFTED)
    np.testing.assert_allclose(together, apart, rtol=0, atol=1e-12 * np.abs(together).max())


def test_variance_of_white_noise_is_what_the_filter_says() -> None:
    # parallel rays: var = (π / n_views)² σ² Σ_views Σ_n [(1−a) h(n) + a h(n−1)]², a the pixel's place between columns
    scan, n_rows = replace(PARALLEL, n_views=180), 24
    grid = Grid((n_rows, 40, 40), (1e-3, 1.3e-3, 1.3e-3), (0.0, 0.011, 0.007))
    noise = np.random.default_rng(5).normal(size=(180, n_rows, 256)).astype(np.float32)
    image = fbp(noise, scan, grid.coordinates(0), grid)
    kernel = ramp_kernel(scan)
    line = np.concatenate([kernel[:0:-1], kernel])
    same, next_one = (line**2).sum(), (line[1:] * line[:-1]).sum()
    expected = np.zeros((40, 40))
    for angle in scan.angles:
        place = grid.coordinates(1)[:, None] * np.sin(angle) + grid.coordinates(2) * np.cos(angle)
        a = (place - scan.columns[0]) / scan.pitch % 1
        expected += ((1 - a) ** 2 + a**2) * same + 2 * a * (1 - a) * next_one
    expected *= (pi / scan.n_views) ** 2
    # 24 · 1600 pixels, neighbours anticorrelated: the sample variance is known to 1 %; 1 to 2 % is the phases' blur
    assert image.var() == pytest.approx(expected.mean(), rel=0.03)


def test_rows_are_found_by_their_plane_and_threads_do_not_change_a_bit() -> None:
    z = np.array([3e-3, 1e-3, -1e-3, -3e-3])  # against the grid's order, and one more than it has
    line_integrals = np.concatenate([chords(ARC, (0.0, 0.01 * k), 0.02) for k in range(4)], axis=1).astype(np.float32)
    grid = replace(SHIFTED, shape=(3, 60, 70), centre=(1e-3, 0.02, -0.03))
    results = []
    for n in (1, 3):
        with threads(n):
            results.append(fbp(line_integrals, ARC, z, grid))
    np.testing.assert_array_equal(results[0], results[1])
    for plane, row in enumerate([2, 1, 0]):
        alone = fbp(
            line_integrals[:, [row]], ARC, z[[row]], replace(grid, shape=(1, 60, 70), centre=(z[row], 0.02, -0.03))
        )
        np.testing.assert_array_equal(results[0][plane], alone[0])


def test_a_plane_that_was_not_measured_is_named() -> None:
    line_integrals = np.zeros((400, 2, 300), np.float32)
    grid = replace(GRID, shape=(2, 8, 8), centre=(0.5e-3, 0.0, 0.0))
    with pytest.raises(ShapeError, match=r"plane z = 1 mm was not measured; the nearest row is at 0\.9 mm"):
        fbp(line_integrals, ARC, [0.0, 0.9e-3], grid)
    with pytest.raises(ShapeError, match="2 rows of line integrals but 3 row positions"):
        fbp(line_integrals, ARC, [0.0, 1e-3, 2e-3], grid)


def take(**attributes: Any) -> xr.Dataset:
    """Return a take of a water disk, 12 cm in diameter."""
    line_integral = (WATER * chords(ARC, (0.0, 0.0), 0.06)).astype(np.float32)
    return xr.Dataset(
        {"line_integral": (("view", "row", "column"), line_integral)},
        attrs={"geometry": to_json(ARC, [0.0])} | attributes,
    )


@pytest.mark.parametrize("stored_as", ["attribute", "coordinate"])
def test_water_is_0_hounsfield_units_and_air_minus_1000(stored_as: str) -> None:
    data = take(mu_water_per_m=WATER) if stored_as == "attribute" else take().assign_coords(mu_water_per_m=WATER)
    image = FBP(filter="hann", unit="hu").reconstruct({"data": data}, GRID)
    radius = distance_from((0, 0), GRID)
    assert float(image.values[0][radius < 0.055].mean()) == pytest.approx(0, abs=1)
    assert float(image.values[0][(radius > 0.066) & (radius < 0.09)].mean()) == pytest.approx(-1000, abs=1)
    assert image.attrs == {"units": "HU", "long_name": "CT number"}


def test_an_image_carries_positions_units_and_names() -> None:
    image = FBP().reconstruct({"data": take().transpose("column", ...)}, SHIFTED)
    assert image.dims == ("z", "y", "x")
    assert image.dtype == np.float32
    assert image.attrs == {"units": "1/m", "long_name": "linear attenuation coefficient"}
    for number, axis in enumerate("zyx"):
        np.testing.assert_array_equal(image[axis], SHIFTED.coordinates(number))
        assert image[axis].attrs["units"] == "m"
        assert image[axis].attrs["long_name"]


@pytest.mark.parametrize(
    ("method", "products", "message"),
    [
        (FBP(), {"prior": take()}, r"role 'data', got the roles \['prior'\]"),
        (FBP(), {"data": take().drop_vars("line_integral")}, "needs 'line_integral' in its data, which holds none"),
        (FBP(), {"data": take().drop_attrs()}, "needs 'geometry' in its data"),
        (FBP(unit="hu"), {"data": take()}, "need 'mu_water_per_m' in the data"),
        (FBP(unit="hu"), {"data": take(mu_water_per_m=0.0)}, "must be positive"),
        (
            FBP(),
            {"data": take().rename(row="slice")},
            r"line_integral .*\(view, row, column\), got \(view, slice, column\)",
        ),
    ],
)
def test_what_is_missing_is_named(method: FBP, products: Any, message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        method.reconstruct(products, GRID)


@pytest.mark.parametrize("fields", [{"cutoff": 0.0}, {"cutoff": 1.5}, {"filter": "ramp"}, {"unit": "cm"}, {"windw": 1}])
def test_a_spec_refuses_what_is_not_a_method(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match=next(iter(fields))):
        FBP(**fields)
