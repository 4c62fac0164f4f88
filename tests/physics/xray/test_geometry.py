"""Planar scans: named directions, closed forms of rays, and the field of view."""

from __future__ import annotations

from dataclasses import replace
from math import pi

import numpy as np
import pytest

from phantomsim.physics.errors import ShapeError, UnitError
from phantomsim.physics.xray.geometry import FanBeam, ParallelBeam, PlanarScan, Rays, rays

PARALLEL = ParallelBeam(8, 11, 2e-3)
ARC = FanBeam(8, 11, 20e-3)
FLAT = FanBeam(8, 11, 20e-3, detector="flat")
ANTERIOR_TO_POSTERIOR, LEFT_TO_RIGHT = (0, 1, 0), (0, 0, -1)


def directions(beams: Rays) -> np.ndarray:
    along = beams.end - beams.start
    return along / np.linalg.norm(along, axis=-1, keepdims=True)


def distance_to_axis(beams: Rays) -> np.ndarray:
    """Return the signed distance of each ray's line from the z axis, positive where columns increase [m]."""
    _, dy, dx = np.moveaxis(directions(beams), -1, 0)
    return beams.start[..., 2] * dy - beams.start[..., 1] * dx


@pytest.mark.parametrize("scan", [PARALLEL, ARC, FLAT], ids=["parallel", "arc", "flat"])
@pytest.mark.parametrize(
    ("angle", "beam", "towards"),
    [(0, ANTERIOR_TO_POSTERIOR, (0, 0, 1)), (pi / 2, LEFT_TO_RIGHT, (0, 1, 0))],
    ids=["view 0", "view 90 degrees"],
)
def test_beam_and_columns_point_where_the_convention_says(scan: PlanarScan, angle, beam, towards) -> None:
    beams = rays(replace(scan, first_angle=angle), np.zeros(1))
    middle = scan.n_columns // 2
    np.testing.assert_allclose(directions(beams)[0, 0, middle], beam, atol=1e-15)
    across = beams.end[0, 0, -1] - beams.end[0, 0, 0]
    np.testing.assert_allclose(np.cross(across, towards), 0, atol=1e-15)
    assert across @ np.array(towards) > 0


def test_parallel_rays_lie_at_their_columns_and_reach_past_the_field_of_view() -> None:
    beams = rays(PARALLEL, np.array([0.1, 0.2]))
    np.testing.assert_allclose(distance_to_axis(beams), np.broadcast_to(PARALLEL.columns, (8, 2, 11)), atol=1e-15)
    for end in (beams.start, beams.end):
        assert np.linalg.norm(end[..., 1:], axis=-1).min() > PARALLEL.field_of_view
        np.testing.assert_array_equal(end[..., 0], np.broadcast_to([[0.1], [0.2]], (8, 2, 11)))


@pytest.mark.parametrize("scan", [ARC, FLAT], ids=["arc", "flat"])
def test_fan_rays_start_at_the_source_and_end_on_the_detector(scan: FanBeam) -> None:
    beams = rays(scan, np.zeros(1))
    np.testing.assert_allclose(np.linalg.norm(beams.start, axis=-1), scan.source_to_axis, rtol=1e-14)
    lengths = np.linalg.norm(beams.end - beams.start, axis=-1)
    between = np.linalg.norm(np.diff(beams.end, axis=2), axis=-1)
    if scan.detector == "arc":
        np.testing.assert_allclose(lengths, scan.source_to_detector, rtol=1e-14)
        chord = 2 * scan.source_to_detector * np.sin(scan.pitch / scan.source_to_detector / 2)
        np.testing.assert_allclose(between, chord, rtol=1e-12)
    else:
        along = (beams.end - beams.start) @ directions(beams)[0, 0, 5]
        np.testing.assert_allclose(along[0], scan.source_to_detector, rtol=1e-14)
        np.testing.assert_allclose(between, scan.pitch, rtol=1e-12)


@pytest.mark.parametrize("scan", [ARC, FLAT], ids=["arc", "flat"])
def test_a_fan_ray_is_the_parallel_ray_of_its_rebinned_view(scan: FanBeam) -> None:
    """A ray γ off the centre of view β is at distance D·sin γ in parallel view β − γ (Kak and Slaney, eq. 3.71)."""
    beams = rays(scan, np.zeros(1))
    theta = (scan.angles[:, None] - scan.fan_angles)[:, None]
    expected = np.stack([np.zeros_like(theta), np.cos(theta), -np.sin(theta)], axis=-1)
    np.testing.assert_allclose(directions(beams), expected, atol=1e-14)
    offset = scan.source_to_axis * np.sin(scan.fan_angles)
    np.testing.assert_allclose(distance_to_axis(beams), np.broadcast_to(offset, (8, 1, 11)), atol=1e-15)


@pytest.mark.parametrize("scan", [PARALLEL, ARC, FLAT], ids=["parallel", "arc", "flat"])
def test_a_column_offset_shifts_the_columns_by_parts_of_the_pitch(scan: PlanarScan) -> None:
    shifted = replace(scan, column_offset=0.25)
    np.testing.assert_allclose(shifted.columns - scan.columns, scan.pitch / 4, rtol=1e-12)
    assert scan.columns.sum() == pytest.approx(0, abs=1e-15)


@pytest.mark.parametrize("scan", [PARALLEL, ARC, FLAT], ids=["parallel", "arc", "flat"])
def test_subcolumns_divide_each_column_into_equal_parts(scan: PlanarScan) -> None:
    whole, parts = rays(scan, np.zeros(1)), rays(scan, np.zeros(1), n_subcolumns=4)
    assert parts.end.shape == (8, 1, 44, 3)
    finer = replace(scan, n_columns=44, pitch=scan.pitch / 4)
    np.testing.assert_allclose(parts.end, rays(finer, np.zeros(1)).end, atol=0.4)
    np.testing.assert_allclose(distance_to_axis(parts), distance_to_axis(rays(finer, np.zeros(1))), atol=1e-15)
    np.testing.assert_allclose(
        distance_to_axis(parts).reshape(8, 1, 11, 4).mean(-1), distance_to_axis(whole), atol=1e-5
    )


@pytest.mark.parametrize("scan", [PARALLEL, ARC, FLAT], ids=["parallel", "arc", "flat"])
@pytest.mark.parametrize("offset", [0.0, 1.5])
def test_the_field_of_view_is_the_circle_that_every_view_sees_whole(scan: PlanarScan, offset: float) -> None:
    scan = replace(scan, column_offset=offset)
    edges = replace(scan, n_columns=scan.n_columns + 2)  # the outermost columns now lie one beyond the edge's half
    beyond = np.abs(distance_to_axis(rays(edges, np.zeros(1)))[..., [0, -1]]).min()
    within = np.abs(distance_to_axis(rays(scan, np.zeros(1)))[..., [0, -1]]).min()
    assert within < scan.field_of_view / 2 < beyond


@pytest.mark.parametrize(("scan", "full"), [(PARALLEL, pi), (ARC, 2 * pi)], ids=["parallel", "fan"])
def test_views_divide_the_range_evenly_and_leave_out_its_end(scan: PlanarScan, full: float) -> None:
    np.testing.assert_allclose(np.diff(scan.angles), full / 8, rtol=1e-14)
    assert scan.angles[0] == 0


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: ParallelBeam(0, 5, 1e-3), ShapeError, "one view"),
        (lambda: ParallelBeam(5, 5, 0.0), UnitError, "pitch_mm"),
        (lambda: ParallelBeam(5, 5, float("nan")), UnitError, "pitch"),
        (lambda: FanBeam(5, 5, 1e-3, source_to_axis=1.0), UnitError, "source_to_axis"),
        (lambda: FanBeam(5, 4000, 1e-3), UnitError, "half a turn"),
    ],
)
def test_impossible_scans_are_refused(make, error, words) -> None:
    with pytest.raises(error, match=words):
        make()
