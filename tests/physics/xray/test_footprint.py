"""Siddon's, the distance-driven and the footprint projector against exact paths and closed forms of shared areas."""

from __future__ import annotations

from dataclasses import replace
from math import pi

import numpy as np
import pytest

from phantomsim.physics import shapes
from phantomsim.physics.errors import UnitError
from phantomsim.physics.grid import Grid
from phantomsim.physics.operator import LinearOperator
from phantomsim.physics.xray.geometry import FanBeam, ParallelBeam, PlanarScan, rays
from phantomsim.physics.xray.paths import path_lengths
from phantomsim.physics.xray.projector import DistanceDrivenProjector, FootprintProjector, SiddonProjector
from tests.physics.xray.test_joseph import SCANS, exact_integrals, volume_averaged

MM = 1e-3
PROJECTORS = [SiddonProjector, DistanceDrivenProjector, FootprintProjector]
FAN = {"source_to_axis": 60 * MM, "source_to_detector": 100 * MM}
SMALL_SCANS: dict[str, PlanarScan] = {
    "parallel": ParallelBeam(11, 23, 1.3 * MM, first_angle=0.1, column_offset=0.25),
    "arc": FanBeam(11, 25, 2 * MM, first_angle=0.1, **FAN),
    "flat": FanBeam(11, 25, 2 * MM, first_angle=0.1, detector="flat", **FAN),
}
MOVED = Grid((1, 11, 8), (MM, 0.9 * MM, 1.1 * MM), (0, -5 * MM, 3 * MM))


@pytest.mark.parametrize("scan", SMALL_SCANS.values(), ids=SMALL_SCANS.keys())
def test_siddon_is_the_exact_path_in_every_voxel(scan: PlanarScan) -> None:
    """Each lane of a stack holds one voxel; the path through it is that through a box of its size."""
    half = (MOVED.spacing[0] / 2, MOVED.spacing[1] / 2, MOVED.spacing[2] / 2)
    voxels = [(y, x) for y in range(11) for x in range(8)]
    volume = np.zeros((len(voxels), 11, 8))
    beams = rays(scan, np.zeros(1))
    exact = []
    for number, (y, x) in enumerate(voxels):
        volume[number, y, x] = 1
        centre = (0.0, float(MOVED.coordinates(1)[y]), float(MOVED.coordinates(2)[x]))
        table = shapes.layered([shapes.box(centre, half)], [1])
        exact.append(path_lengths(table, beams.start, beams.end, 2, np.float64)[:, 0, :, 1])
    stack = replace(MOVED, shape=volume.shape)
    found = SiddonProjector(scan, stack, "float64")(volume)
    np.testing.assert_allclose(found, np.stack(exact, axis=1), rtol=1e-6, atol=1e-9 * MM)


@pytest.mark.parametrize("kind", [DistanceDrivenProjector, FootprintProjector])
@pytest.mark.parametrize("pitch", [0.3 * MM, 1.1 * MM, 7 * MM])
def test_a_view_holds_the_whole_area_of_a_pixel(kind: type[LinearOperator], pitch: float) -> None:
    scan = ParallelBeam(16, round(50 * MM / pitch), pitch)
    volume = np.zeros(MOVED.shape)
    volume[0, 2, 5] = 1
    seen = kind(scan, MOVED, "float64")(volume).sum(axis=(1, 2))  # type: ignore[call-arg]
    np.testing.assert_allclose(seen, MOVED.spacing[1] * MOVED.spacing[2] / pitch, rtol=1e-7)


def shadow_left_of(u: np.ndarray, width: float, second: float) -> np.ndarray:
    """Return the area of two folded boxes left of u, by the double integral of their four steps."""
    corners = [(1, -width - second), (-1, second - width), (-1, width - second), (1, width + second)]
    return sum(sign * np.maximum(u + at / 2, 0) ** 2 / 2 for sign, at in corners) / (width * second)


@pytest.mark.parametrize("pitch", [0.3 * MM, 1.1 * MM, 7 * MM])
def test_footprint_of_a_pixel_is_the_area_it_shares_with_each_strip(pitch: float) -> None:
    scan = ParallelBeam(13, round(60 * MM / pitch), pitch, first_angle=0.02, angular_range=2 * pi)
    y, x = 2, 5
    volume = np.zeros(MOVED.shape)
    volume[0, y, x] = 1
    found = FootprintProjector(scan, MOVED, "float64")(volume)[:, 0]
    edges = np.append(scan.columns - pitch / 2, scan.columns[-1] + pitch / 2)
    for view, angle in enumerate(scan.angles):
        at = MOVED.coordinates(1)[y] * np.sin(angle) + MOVED.coordinates(2)[x] * np.cos(angle)
        boxes = abs(np.cos(angle)) * MOVED.spacing[2], abs(np.sin(angle)) * MOVED.spacing[1]
        shared = MOVED.spacing[1] * MOVED.spacing[2] * np.diff(shadow_left_of(edges - at, *boxes))
        np.testing.assert_allclose(found[view], shared / pitch, rtol=0, atol=1e-7 * MM)


@pytest.mark.parametrize("kind", [DistanceDrivenProjector, FootprintProjector])
def test_along_an_axis_both_are_the_area_shared_by_strip_and_pixel(kind: type[LinearOperator]) -> None:
    scan = ParallelBeam(4, 31, 0.7 * MM, angular_range=2 * pi)
    volume = np.random.default_rng(3).random(MOVED.shape)
    found = kind(scan, MOVED, "float64")(volume)[:, 0]  # type: ignore[call-arg]
    bins = np.stack([scan.columns - scan.pitch / 2, scan.columns + scan.pitch / 2])
    for view, (axis, sign) in enumerate([(2, 1), (1, 1), (2, -1), (1, -1)]):
        centre, half = sign * MOVED.coordinates(axis), MOVED.spacing[axis] / 2
        overlap = np.minimum(bins[1, :, None], centre + half) - np.maximum(bins[0, :, None], centre - half)
        profile = volume[0].sum(axis=2 - axis) * MOVED.spacing[3 - axis]
        np.testing.assert_allclose(found[view], np.maximum(overlap, 0) @ profile / scan.pitch, rtol=0, atol=1e-8 * MM)


@pytest.mark.parametrize("scan", SMALL_SCANS.values(), ids=SMALL_SCANS.keys())
@pytest.mark.parametrize(("kind", "tolerance"), [(FootprintProjector, 0.003), (DistanceDrivenProjector, 0.03)])
def test_a_bin_is_the_mean_of_the_exact_rays_across_it(
    scan: PlanarScan, kind: type[LinearOperator], tolerance: float
) -> None:
    """A fan's footprint is off by a pixel over its distance to the source, 1/55; the distance-driven one is coarser."""
    parts = 200
    centred = replace(scan, column_offset=0.0)
    fine = replace(centred, n_columns=scan.n_columns * parts, pitch=scan.pitch / parts)
    volume = np.random.default_rng(4).random(MOVED.shape)
    strips = SiddonProjector(fine, MOVED, "float64")(volume).reshape(scan.n_views, scan.n_columns, parts).mean(axis=2)
    found = kind(centred, MOVED, "float64")(volume)[:, 0]  # type: ignore[call-arg]
    assert np.abs(found - strips).max() < tolerance * strips.max()


def test_a_ray_along_an_edge_of_pixels_is_shared_by_both() -> None:
    scan, grid = ParallelBeam(2, 3, MM), Grid((1, 4, 4), (MM, MM, MM))
    volume = np.random.default_rng(5).random(grid.shape)
    found = SiddonProjector(scan, grid, "float64")(volume)[:, 0, 1]
    np.testing.assert_allclose(found, [volume[0, :, 1:3].sum() * MM / 2, volume[0, 1:3].sum() * MM / 2], rtol=1e-9)


@pytest.fixture(scope="module")
def phantom() -> np.ndarray:
    return volume_averaged(512, 8)[None].astype(np.float32)


@pytest.mark.parametrize(
    ("kind", "tolerance"), [(SiddonProjector, 0.0045), (DistanceDrivenProjector, 0.0036), (FootprintProjector, 0.0038)]
)
@pytest.mark.parametrize("scan", SCANS.values(), ids=SCANS.keys())
def test_integrals_of_a_volume_averaged_phantom_are_the_exact_bin_averages(
    scan: PlanarScan, kind: type[LinearOperator], tolerance: float, phantom: np.ndarray
) -> None:
    """The footprint's residue is the pixels' alone: it is the exact mean over the bin of what the pixels hold."""
    views = replace(scan, n_views=90)
    exact = exact_integrals(views, 16)
    found = kind(views, Grid((1, 512, 512), (1 / 256,) * 3))(phantom)[:, 0]  # type: ignore[call-arg]
    assert np.linalg.norm(found - exact) < tolerance * np.linalg.norm(exact)


@pytest.mark.parametrize("kind", PROJECTORS)
@pytest.mark.parametrize("scan", SMALL_SCANS.values(), ids=SMALL_SCANS.keys())
def test_float32_is_float64_within_its_rounding(kind: type[LinearOperator], scan: PlanarScan) -> None:
    volume = np.random.default_rng(9).random(MOVED.shape)
    single = kind(scan, MOVED)(volume.astype(np.float32))  # type: ignore[call-arg]
    double = kind(scan, MOVED, "float64")(volume)  # type: ignore[call-arg]
    np.testing.assert_allclose(single, double, rtol=0, atol=1e-5 * double.max())


@pytest.mark.parametrize("kind", PROJECTORS)
def test_a_grid_that_reaches_the_source_is_refused(kind: type[LinearOperator]) -> None:
    with pytest.raises(UnitError, match="circle of the source"):
        kind(SMALL_SCANS["arc"], Grid((1, 90, 90), (MM, MM, MM)))  # type: ignore[call-arg]
