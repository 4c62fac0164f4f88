"""What CT rays run through: cone beams, bodies without closed forms, and bodies that move during the scan."""

from typing import Any

import numpy as np
import pytest

from phantomsim.phantoms.water_cylinder import WaterCylinder
from phantomsim.physics.grid import Grid
from phantomsim.physics.rng import Key
from phantomsim.scanners.ct import CT

TUBE = {"kvp": 100, "rotation_mas": 200, "filter_al_mm": 6}
DETECTOR = {"kind": "energy-integrating"}
FAN = {
    "kind": "fan-flat",
    "n_views": 12,
    "n_columns": 80,
    "pitch_mm": 4.0,
    "source_to_axis_mm": 540,
    "source_to_detector_mm": 950,
}
CONE = {
    "kind": "cone-flat",
    "n_views": 12,
    "n_rows": 5,
    "n_columns": 80,
    "row_pitch_mm": 4.0,
    "column_pitch_mm": 4.0,
    "source_to_axis_mm": 540,
    "source_to_detector_mm": 950,
}
MOTION = {"shift_mm": (8.0, 8.0), "begin_s": (0.0, 0.0), "duration_s": (1.0, 1.0)}
BODY = {"kind": "water-cylinder", "diameter_mm": 100, "length_mm": 80, "tissue": "liver"}


def scanner(geometry: dict[str, Any], **fields: Any) -> CT:
    return CT(kind="ct", geometry=geometry, tube=TUBE, detector=DETECTOR, **fields)


def lengths(geometry: dict[str, Any], body: dict[str, Any], **fields: Any) -> np.ndarray:
    signal = scanner(geometry, **fields).simulate(WaterCylinder(**body).phantom(Key(1)), Key(2))
    return signal["path_length"].sum("material").values


def test_the_middle_row_of_a_cone_is_the_fan() -> None:
    np.testing.assert_allclose(lengths(CONE, BODY)[:, 2], lengths(FAN, BODY)[:, 0], atol=1e-7)


def test_rays_of_a_cone_are_longer_off_the_middle_by_their_slope() -> None:
    found = lengths(CONE, BODY)
    slope = np.hypot(1, 2 * 4.0 / 950)
    np.testing.assert_allclose(found[:, 4, 39:41], slope * found[:, 2, 39:41], rtol=1e-4)


@pytest.mark.parametrize("geometry", [FAN, CONE])
def test_a_body_with_texture_is_projected_from_voxels(geometry: dict[str, Any]) -> None:
    textured = BODY | {"textures": [{"tissue": "liver"}]}
    exact, found = lengths(geometry, BODY), lengths(geometry, textured)
    middle = exact > 0.05  # nearer the rim a ray runs along voxels that are partly full
    np.testing.assert_allclose(found[middle], exact[middle], atol=7e-4)  # a third of a voxel


def test_a_moving_body_is_seen_where_it_is() -> None:
    moving = BODY | {"motion": MOTION}
    phantom = WaterCylinder(**moving).phantom(Key(1))
    ct = scanner(FAN, motion_frames=4, scan_s=1.0)
    found = ct.simulate(phantom, Key(2))["path_length"].sum("material").values
    for frame in range(4):
        frozen = ct.simulate(phantom.at((frame + 0.5) / 4), Key(2))["path_length"].sum("material").values
        np.testing.assert_allclose(found[3 * frame : 3 * frame + 3], frozen[3 * frame : 3 * frame + 3], atol=1e-7)
    still = ct.simulate(phantom.still(), Key(2))["path_length"].sum("material").values
    assert np.abs(found - still).max() > 1e-3


def test_a_moving_body_is_seen_by_a_cone_beam() -> None:
    phantom = WaterCylinder(**BODY, motion=MOTION).phantom(Key(1))
    ct = scanner(CONE, motion_frames=3)
    found = ct.simulate(phantom, Key(2))["path_length"].sum("material").values
    frozen = ct.simulate(phantom.at(0.25), Key(2))["path_length"].sum("material").values
    np.testing.assert_allclose(found[4:8], frozen[4:8], atol=1e-7)


def test_truth_is_of_the_middle_of_the_scan_and_tells_the_displacement() -> None:
    phantom = WaterCylinder(**BODY, motion=MOTION).phantom(Key(1))
    ct, grid = scanner(FAN, scan_s=1.0), Grid((1, 32, 32), (1e-3, 4e-3, 4e-3))
    density, moved = (ct.truth(phantom, ct.truth_spec(map=name), grid) for name in ("density", "displacement"))
    np.testing.assert_array_equal(density, phantom.at(0.5).map("density", grid))
    np.testing.assert_array_equal(moved, phantom.displacement(grid, 0.5))
    assert moved.dims == ("axis", "z", "y", "x")
    late = ct.truth(phantom, ct.truth_spec(map="displacement", time_s=1.0), grid)
    assert np.abs(late).max() > np.abs(moved).max()


def test_contrast_agent_is_that_of_the_middle_of_the_scan() -> None:
    phantom = WaterCylinder(**BODY, injection={"agent": "iodine", "dose_mmol_kg": 1.3}).phantom(Key(1))
    early, late = (scanner(FAN, start_s=start).simulate(phantom, Key(2)).attrs["tissues"][1] for start in (0.0, 70.0))
    assert late.mass_fractions["I"] > 10 * early.mass_fractions.get("I", 0.0)


def test_the_rows_of_a_cone_beam_belong_into_its_geometry() -> None:
    with pytest.raises(ValueError, match="belongs into its geometry"):
        scanner(CONE, n_rows=3)
