"""Joseph's projector against its definition, closed forms of line integrals, and named directions."""

from __future__ import annotations

from dataclasses import replace
from math import pi, sqrt

import numpy as np
import pytest

from phantomsim.physics.errors import UnitError
from phantomsim.physics.grid import Grid
from phantomsim.physics.xray.geometry import FanBeam, ParallelBeam, PlanarScan, rays
from phantomsim.physics.xray.projector import JosephProjector

MM = 1e-3

SHEPP_LOGAN = np.array(
    [  # value, semi-axes x and y, centre x and y, turn [degree]: P. Toft, PhD thesis, DTU 1996, table B.3
        (1.0, 0.69, 0.92, 0.0, 0.0, 0),
        (-0.8, 0.6624, 0.874, 0.0, -0.0184, 0),
        (-0.2, 0.11, 0.31, 0.22, 0.0, -18),
        (-0.2, 0.16, 0.41, -0.22, 0.0, 18),
        (0.1, 0.21, 0.25, 0.0, 0.35, 0),
        (0.1, 0.046, 0.046, 0.0, 0.1, 0),
        (0.1, 0.046, 0.046, 0.0, -0.1, 0),
        (0.1, 0.046, 0.023, -0.08, -0.605, 0),
        (0.1, 0.023, 0.023, 0.0, -0.606, 0),
        (0.1, 0.023, 0.046, 0.06, -0.605, 0),
    ]
)


def into_unit_circle(ellipse: np.ndarray, y: np.ndarray, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    _, a, b, x0, y0, degrees = ellipse
    cos, sin = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
    return (-(x - x0) * sin + (y - y0) * cos) / b, ((x - x0) * cos + (y - y0) * sin) / a


def volume_averaged(n: int, parts: int) -> np.ndarray:
    """Return the phantom on n × n pixels over [−1, 1]², each the mean of parts × parts points."""
    centres = (2 * np.arange(n) + 1) / n - 1
    image = np.zeros((n, n))
    for sub_y in (2 * np.arange(parts) + 1) / parts - 1:
        for sub_x in (2 * np.arange(parts) + 1) / parts - 1:
            for ellipse in SHEPP_LOGAN:
                near_y = np.abs(centres - ellipse[4]) <= max(ellipse[1:3]) + 2 / n
                near_x = np.abs(centres - ellipse[3]) <= max(ellipse[1:3]) + 2 / n
                v, u = into_unit_circle(ellipse, centres[near_y, None] + sub_y / n, centres[near_x] + sub_x / n)
                image[np.ix_(near_y, near_x)] += ellipse[0] * (v**2 + u**2 <= 1)
    return image / parts**2


def exact_integrals(scan: PlanarScan, parts: int) -> np.ndarray:
    """Return the phantom's line integrals (view, column), each the mean over equally spaced parts of the column."""
    u = (scan.columns[:, None] + ((np.arange(parts) + 0.5) / parts - 0.5) * scan.pitch).ravel()
    result = np.zeros((scan.n_views, scan.n_columns))
    for view, angle in enumerate(scan.angles):
        if isinstance(scan, ParallelBeam):
            theta, s = np.full_like(u, angle), u
        else:
            gamma = u / scan.source_to_detector
            gamma = np.arctan(gamma) if scan.detector == "flat" else gamma
            theta, s = angle - gamma, scan.source_to_axis * np.sin(gamma)
        cos, sin = np.cos(theta), np.sin(theta)
        for ellipse in SHEPP_LOGAN:
            _, a, b, x0, y0, degrees = ellipse
            turned = theta - np.deg2rad(degrees)
            radius = (a * np.cos(turned)) ** 2 + (b * np.sin(turned)) ** 2  # half the shadow's width, squared
            inside = np.maximum(radius - (s - x0 * cos - y0 * sin) ** 2, 0)
            result[view] += ellipse[0] * (2 * a * b * np.sqrt(inside) / radius).reshape(-1, parts).mean(axis=1)
    return result


@pytest.fixture(scope="module")
def phantom() -> np.ndarray:
    return volume_averaged(512, 8)[None].astype(np.float32)


SCANS = {  # 736 columns just see the corners of the image, which is 2 m wide: its pixels are 1/256 m
    "parallel": ParallelBeam(720, 736, 1 / 256),
    "arc": FanBeam(720, 736, 1.79 / 256, source_to_axis=4, source_to_detector=7),
    "flat": FanBeam(720, 736, 1.87 / 256, source_to_axis=4, source_to_detector=7, detector="flat"),
}


@pytest.mark.parametrize("scan", SCANS.values(), ids=SCANS.keys())
def test_integrals_of_a_volume_averaged_phantom_are_the_exact_bin_averages(scan: PlanarScan, phantom) -> None:
    """The residue, a third of a per cent, is what pixels and one ray a bin do to the sharp edges."""
    assert np.abs(scan.field_of_view / 2 - sqrt(2)) < 0.03
    projector = JosephProjector(scan, Grid((1, 512, 512), (1 / 256,) * 3))
    exact = exact_integrals(scan, 16)
    assert np.linalg.norm(projector(phantom)[:, 0] - exact) < 0.0035 * np.linalg.norm(exact)


def by_definition(volume: np.ndarray, scan: PlanarScan, grid: Grid) -> np.ndarray:
    """Sum linear interpolations at the crossings with rows, or columns where the ray is closer to a row."""
    beams = rays(scan, np.zeros(1))
    result = np.zeros((scan.n_views, grid.shape[0], scan.n_columns))
    for view, column in np.ndindex(scan.n_views, scan.n_columns):
        start, along = beams.start[view, 0, column, 1:], (beams.end - beams.start)[view, 0, column, 1:]
        per_pixel = along / np.array(grid.spacing[1:])
        planes, (row, pixel) = (
            (volume, (0, 1)) if abs(per_pixel[0]) > abs(per_pixel[1]) - 1e-9 else (volume.transpose(0, 2, 1), (1, 0))
        )
        rows, pixels = grid.coordinates(1 + row), grid.coordinates(1 + pixel)
        at = start[pixel] + (rows - start[row]) * along[pixel] / along[row]
        weights = np.maximum(1 - np.abs(at[:, None] - pixels) / grid.spacing[1 + pixel], 0)
        step = grid.spacing[1 + row] * np.linalg.norm(along) / abs(along[row])
        result[view, :, column] = step * np.einsum("rp,zrp->z", weights, planes)
    return result


FAN = {"source_to_axis": 60 * MM, "source_to_detector": 100 * MM}
SMALL_SCANS = {
    "parallel": ParallelBeam(8, 21, 1.3 * MM),
    "parallel, full turn, offset": ParallelBeam(7, 20, 1.3 * MM, angular_range=2 * pi, column_offset=0.25),
    "arc": FanBeam(8, 25, 2 * MM, **FAN),
    "arc, wide, quarter offset": FanBeam(8, 61, 4 * MM, column_offset=0.25, **FAN),
    "flat": FanBeam(12, 26, 2 * MM, detector="flat", **FAN),
    "flat, short": FanBeam(5, 26, 2 * MM, detector="flat", first_angle=0.3, angular_range=4, **FAN),
}
SMALL_GRIDS = {
    "centred": Grid((1, 17, 17), (MM, MM, MM)),
    "stack": Grid((9, 16, 16), (MM, MM, MM)),
    "oblong": Grid((2, 12, 21), (MM, 1.3 * MM, 0.8 * MM)),
    "moved along y": Grid((1, 16, 16), (MM, MM, MM), (0, 4 * MM, 0)),
    "moved": Grid((1, 19, 13), (MM, 0.9 * MM, 1.1 * MM), (0, -7 * MM, 3 * MM)),
    "one pixel": Grid((1, 1, 1), (MM, MM, MM)),
}


@pytest.mark.parametrize("scan", SMALL_SCANS.values(), ids=SMALL_SCANS.keys())
@pytest.mark.parametrize("grid", SMALL_GRIDS.values(), ids=SMALL_GRIDS.keys())
def test_projection_is_what_the_method_defines(scan: PlanarScan, grid: Grid) -> None:
    volume = np.random.default_rng(8).random(grid.shape)
    expected = by_definition(volume, scan, grid)
    tolerance = 1e-12 * np.abs(expected).max()
    np.testing.assert_allclose(JosephProjector(scan, grid, "float64")(volume), expected, rtol=0, atol=tolerance)


@pytest.mark.parametrize("scan", SMALL_SCANS.values(), ids=SMALL_SCANS.keys())
def test_float32_is_float64_within_its_rounding(scan: PlanarScan) -> None:
    grid = SMALL_GRIDS["moved"]
    volume = np.random.default_rng(9).random(grid.shape)
    single = JosephProjector(scan, grid)(volume.astype(np.float32))
    double = JosephProjector(scan, grid, "float64")(volume)
    np.testing.assert_allclose(single, double, rtol=0, atol=2e-6 * double.max())


@pytest.mark.parametrize(
    "grid", [Grid((1, 150, 150), (MM,) * 3), Grid((1, 110, 190), (MM, 1.4 * MM, 0.8 * MM), (0, 6 * MM, 9 * MM))]
)
@pytest.mark.parametrize("detector", ["parallel", "arc", "flat"])
def test_integral_of_a_gaussian_is_a_gaussian(detector: str, grid: Grid) -> None:
    """Linear interpolation widens a variance σ² by at most a quarter of a squared pixel: 0.3 % at σ = 8 pixels."""
    scan: PlanarScan = ParallelBeam(9, 130, 1.1 * MM)
    if detector != "parallel":
        scan = FanBeam(9, 130, 1.9 * MM, detector=detector, source_to_axis=0.3, source_to_detector=0.5)
    sigma, y0, x0 = 8 * MM, 11 * MM, 20 * MM
    y, x = grid.coordinates(1)[:, None], grid.coordinates(2)
    volume = np.exp(-((y - y0) ** 2 + (x - x0) ** 2) / (2 * sigma**2))[None]
    beams = rays(scan, np.zeros(1))
    along = (beams.end - beams.start)[:, 0, :, 1:]
    to_ray = beams.start[:, 0, :, 1:] - np.array([y0, x0])
    distance = (to_ray[..., 0] * along[..., 1] - to_ray[..., 1] * along[..., 0]) / np.linalg.norm(along, axis=-1)
    expected = sqrt(2 * pi) * sigma * np.exp(-(distance**2) / (2 * sigma**2))
    projected = JosephProjector(scan, grid, "float64")(volume)[:, 0]
    np.testing.assert_allclose(projected, expected, rtol=0, atol=0.003 * expected.max())


def centroid(line: np.ndarray) -> float:
    return float(line @ np.arange(line.size) / line.sum())


@pytest.mark.parametrize("offset", [0.0, 0.25], ids=["no offset", "quarter offset"])
@pytest.mark.parametrize("detector", ["parallel", "arc", "flat"])
def test_a_point_is_projected_where_the_convention_says(detector: str, offset: float) -> None:
    """At view 0 columns run to the patient's left, +x, and the beam along +y; at 90° to +y and along −x."""
    grid = Grid((1, 101, 101), (MM, MM, MM))
    y, x = 20.3 * MM, 30 * MM
    distance = np.hypot(grid.coordinates(1)[:, None] - y, grid.coordinates(2) - x)
    volume = np.exp(-((distance / (2 * MM)) ** 2) / 2)[None]
    if detector == "parallel":
        scan: PlanarScan = ParallelBeam(2, 201, 0.6 * MM, column_offset=offset)
        expected = [x, y]
    else:
        scan = FanBeam(4, 201, MM, column_offset=offset, detector=detector, source_to_axis=0.3, source_to_detector=0.5)
        tangent = np.array([x / (0.3 + y), y / (0.3 - x)])
        expected = list(0.5 * (tangent if detector == "flat" else np.arctan(tangent)))
    projected = JosephProjector(scan, grid, "float64")(volume)[:2, 0]
    for line, u in zip(projected, expected, strict=True):
        column = 100 + u / scan.pitch - offset
        assert centroid(line) == pytest.approx(column, abs=0.02)


def test_each_row_is_the_plane_of_its_slice() -> None:
    grid, scan = Grid((3, 16, 16), (MM, MM, MM)), SMALL_SCANS["arc"]
    volume = np.zeros(grid.shape, np.float32)
    volume[2, 4, 5] = 1
    line_integrals = JosephProjector(scan, grid)(volume)
    assert not line_integrals[:, :2].any()
    assert line_integrals[:, 2].any()


def test_a_slice_projects_alike_alone_and_in_a_stack() -> None:
    scan = SMALL_SCANS["flat"]
    volume = np.random.default_rng(12).random((9, 16, 16)).astype(np.float32)
    stack = JosephProjector(scan, Grid((9, 16, 16), (MM,) * 3))(volume)
    alone = JosephProjector(scan, Grid((1, 16, 16), (MM,) * 3))(volume[4:5])
    np.testing.assert_allclose(stack[:, 4:5], alone, rtol=0, atol=2e-6 * alone.max())


def test_a_grid_that_reaches_the_source_is_refused() -> None:
    with pytest.raises(UnitError, match="circle of the source"):
        JosephProjector(SMALL_SCANS["arc"], Grid((1, 90, 90), (MM, MM, MM)))


def test_a_scan_that_shares_all_symmetries_keeps_an_eighth_of_the_rays() -> None:
    from phantomsim.physics.xray.joseph_lines import trace_lines

    lines = trace_lines(FanBeam(16, 40, 2 * MM, **FAN), SMALL_GRIDS["centred"], symmetric=True)
    assert len(lines.symmetries) == 8
    assert lines.n_rays < 16 * 40 / 8 * 1.3  # views along an axis or a diagonal are their own mirror images
    assert not lines.is_transposed


@pytest.mark.parametrize(
    ("scan", "grid", "n_symmetries"),
    [
        (ParallelBeam(8, 20, MM), "centred", 8),
        (ParallelBeam(8, 20, MM, column_offset=0.25), "centred", 1),
        (ParallelBeam(9, 20, MM), "centred", 4),
        (FanBeam(8, 20, MM, **FAN), "centred", 8),
        (FanBeam(8, 20, MM, first_angle=0.1, **FAN), "centred", 4),
        (FanBeam(8, 20, MM, column_offset=0.25, **FAN), "centred", 4),
        (FanBeam(9, 20, MM, **FAN), "centred", 2),
        (FanBeam(8, 20, MM, **FAN), "oblong", 4),
        (FanBeam(8, 20, MM, **FAN), "moved along y", 2),
        (FanBeam(8, 20, MM, **FAN), "moved", 1),
        (replace(FanBeam(8, 20, MM, **FAN), angular_range=4 * pi), "centred", 1),
    ],
)
def test_shared_symmetries_are_found(scan: PlanarScan, grid: str, n_symmetries: int) -> None:
    from phantomsim.physics.xray.symmetry import shared_symmetries

    assert len(shared_symmetries(scan, SMALL_GRIDS[grid])) == n_symmetries
