"""Cone-beam geometry: every convention tested by where a ray goes."""

from dataclasses import replace
from math import pi

import numpy as np
import pytest

from phantomsim.physics.errors import ShapeError, UnitError
from phantomsim.physics.xray.cone import ConeBeam, Views
from phantomsim.physics.xray.geometry import FanBeam, rays

BEAM = ConeBeam(
    n_views=8, n_rows=5, n_columns=7, row_pitch=1e-3, column_pitch=2e-3, source_to_axis=0.5, source_to_detector=0.9
)


@pytest.mark.parametrize(("surface", "detector"), [("flat", "flat"), ("cylinder", "arc")])
def test_the_central_row_is_the_fan_beam(surface, detector):
    cone = replace(BEAM, surface=surface, column_offset=0.25).views().rays()
    fan = FanBeam(8, 7, 2e-3, column_offset=0.25, source_to_axis=0.5, source_to_detector=0.9, detector=detector)
    expected = rays(fan, np.zeros(1))
    np.testing.assert_allclose(cone.start[:, 2:3], expected.start, atol=1e-15)
    np.testing.assert_allclose(cone.end[:, 2:3], expected.end, atol=1e-15)


def test_rows_increase_with_z_and_columns_with_x_in_the_first_view():
    end = BEAM.views().rays().end
    assert (np.diff(end[0, :, 3, 0]) > 0).all()
    assert (np.diff(end[0, 2, :, 2]) > 0).all()
    assert end[0, 2, 3, 1] == pytest.approx(0.4)  # the beam travels towards the back


@pytest.mark.parametrize("surface", ["cylinder", "sphere"])
def test_a_bent_detector_is_as_far_from_the_source_everywhere(surface):
    beam = replace(BEAM, surface=surface, row_pitch=0.02, column_pitch=0.05)
    seen = beam.views().rays()
    apart = seen.end - seen.start
    if surface == "cylinder":
        apart = apart[..., 1:]  # a cylinder only across its axis
    np.testing.assert_allclose(np.linalg.norm(apart, axis=-1), 0.9, rtol=1e-12)


def test_a_helix_climbs_its_feed_a_turn():
    beam = replace(BEAM, n_views=16, angular_range=4 * pi, feed=0.004)
    z = beam.views().source[:, 0]
    np.testing.assert_allclose(z[8:] - z[:8], 0.004)
    assert z.mean() == pytest.approx(0, abs=1e-15)
    assert beam.pitch_factor == pytest.approx(0.004 / (5e-3 * 5 / 9))


def test_a_tilted_gantry_turns_in_a_tilted_plane():
    tilt = 0.3
    source = replace(BEAM, tilt=tilt).views().source
    normal = np.array([np.cos(tilt), -np.sin(tilt), 0])  # the plane's back goes up
    np.testing.assert_allclose(source @ normal, 0, atol=1e-15)
    assert source[4, 0] > 0.1  # at half a turn the source is behind the patient
    np.testing.assert_allclose(np.linalg.norm(source, axis=1), 0.5)


def test_a_flying_spot_moves_the_source_and_not_the_detector():
    flying = replace(BEAM, spots=((1e-3, 0.0), (-1e-3, 5e-4))).views()
    still = BEAM.views()
    np.testing.assert_array_equal(flying.centre, still.centre)
    moved = flying.source - still.source
    np.testing.assert_allclose(np.einsum("vi,vi->v", moved, still.column_axis), [1e-3, -1e-3] * 4)
    np.testing.assert_allclose(moved[:, 0], [0, 5e-4] * 4)


def test_tiles_stand_apart():
    columns = replace(BEAM, n_columns=6, tile_columns=3, tile_gap=1e-3).columns
    np.testing.assert_allclose(np.diff(columns), [2e-3, 2e-3, 3e-3, 2e-3, 2e-3])
    assert columns.mean() == pytest.approx(0)


def test_rays_across_a_pixel_average_to_its_centre():
    views = replace(BEAM, surface="flat").views()
    fine = views.rays(n_subrows=2, n_subcolumns=3).end.reshape(8, 5, 2, 7, 3, 3)
    np.testing.assert_allclose(fine.mean(axis=(2, 4)), views.rays().end, atol=1e-15)


def test_a_part_is_those_views():
    views = BEAM.views()
    np.testing.assert_array_equal(views.part(slice(2, 5)).rays().end, views.rays().end[2:5])


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"n_views": 0}, ShapeError, "at least one view"),
        ({"row_pitch": 0.0}, UnitError, "row_pitch"),
        ({"source_to_axis": 1.0}, UnitError, "below source_to_detector"),
        ({"feed": 0.01}, UnitError, "leaves gaps"),
        ({"tile_columns": 2}, ShapeError, "do not divide"),
        ({"surface": "bowl"}, ShapeError, "surface must be"),
    ],
)
def test_impossible_scans_are_refused_by_name(change, error, words):
    with pytest.raises(error, match=words):
        replace(BEAM, **change)


def test_impossible_views_are_refused_by_name():
    views = BEAM.views()
    with pytest.raises(ShapeError, match="orthonormal"):
        replace(views, row_axis=2 * views.row_axis)
    with pytest.raises(UnitError, match="plane of its detector"):
        replace(views, source=views.centre)
    with pytest.raises(UnitError, match="rising"):
        replace(views, rows=views.rows[::-1])
    with pytest.raises(UnitError, match="bent with radius"):
        replace(views, surface="cylinder", radius=0.001)
    assert isinstance(views, Views)
