"""Two rods of bone in water: the dark band between them goes."""

import numpy as np
import pytest
from pydantic import ValidationError

from phantomsim.physics.errors import IntegrityError, RecipeError
from phantomsim.physics.grid import Grid
from phantomsim.recon.bone_corrected_fbp import BoneCorrectedFBP
from tests.ct_scans import GRID, cylinder, distance_from, image_of, plain, scanner, take

RODS = {"tissue": "cortical_bone", "diameter_mm": 30.0, "radius_mm": 60.0, "count": 2}
DATA = take(scanner(), cylinder(RODS, diameter_mm=220.0))
Y, X = GRID.coordinates(1)[:, None], GRID.coordinates(2)
BETWEEN = (np.abs(Y) < 0.01) & (np.abs(X) < 0.035)
INSIDE = distance_from(60.0, 0.0) < 9.0
BONE_HU = 1560.8  # at 70 keV, from its composition


def corrected(**fields):
    return BoneCorrectedFBP(filter="hann", unit="hu", **fields)


def test_water_between_bones_is_water_and_bone_is_as_at_the_reference_energy():
    before, after = plain(DATA), image_of(corrected(), data=DATA)
    assert before[BETWEEN].mean() < -15
    assert abs(after[BETWEEN].mean()) < 0.1 * abs(before[BETWEEN].mean())
    assert before[INSIDE].mean() < BONE_HU - 50
    assert after[INSIDE].mean() == pytest.approx(BONE_HU, abs=8)
    twice = image_of(corrected(passes=2), data=DATA)
    assert abs(twice[BETWEEN].mean()) < 1.0
    assert twice[INSIDE].mean() == pytest.approx(BONE_HU, abs=2)


def test_without_bone_the_image_is_that_of_fbp():
    data = take(scanner(), cylinder())
    np.testing.assert_allclose(image_of(corrected(), data=data), plain(data), atol=0.02)


def test_a_small_grid_sees_the_bones_outside_of_it():
    small = Grid((1, 30, 34), GRID.spacing, (0.0, 0.0, 0.0))
    whole, part = image_of(corrected(), data=DATA), image_of(corrected(), small, data=DATA)
    np.testing.assert_allclose(part, whole[50:80, 48:82], atol=0.3)  # the grown grid ends elsewhere


def test_what_cannot_be_corrected_is_refused():
    with pytest.raises(RecipeError, match="'response'"):
        corrected().reconstruct({"data": DATA.drop_attrs().assign_attrs(geometry=DATA.attrs["geometry"])}, GRID)
    with pytest.raises(IntegrityError, match="response"):
        corrected().reconstruct({"data": DATA.assign_attrs(response="{}")}, GRID)
    with pytest.raises(RecipeError, match="nothing would count as bone"):
        corrected(bone="muscle").reconstruct({"data": DATA}, GRID)
    with pytest.raises(ValidationError, match="bone"):
        BoneCorrectedFBP(bone="cortical_bome")
