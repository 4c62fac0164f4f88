"""Rods of titanium and iron in water, with and without bones beside them."""

from functools import cache

import numpy as np
import pytest

from phantomsim.physics.errors import RecipeError
from phantomsim.physics.grid import Grid
from phantomsim.recon.mar import LinearMAR, NormalisedMAR
from tests.ct_scans import GRID, KEY, cylinder, image_of, plain, scanner, take, true_hu

BONES = {"tissue": "cortical_bone", "diameter_mm": 24.0, "radius_mm": 70.0, "count": 3, "angle_deg": 20.0}
TITANIUM = {"tissue": "titanium", "diameter_mm": 14.0, "radius_mm": 40.0, "count": 2}
IRON = {"tissue": "iron", "diameter_mm": 12.0, "radius_mm": 30.0, "angle_deg": 40.0}
CASES = {"titanium": ((), TITANIUM), "titanium and bones": ((BONES,), TITANIUM), "iron and bones": ((BONES,), IRON)}
LINEAR, NORMALISED = LinearMAR(filter="hann", unit="hu"), NormalisedMAR(filter="hann", unit="hu", passes=2)


@cache
def images(case):
    """Return the noisy data, its image, that of the twin without metal, and where there is water."""
    machine, (bones, metal) = scanner(), CASES[case]
    data = take(machine, cylinder(*bones, metal, diameter_mm=220.0), KEY.fold("noise"))
    clean = plain(take(machine, cylinder(*bones, diameter_mm=220.0), KEY.fold("noise")))
    truth = true_hu(machine, cylinder(*bones, metal, diameter_mm=220.0))
    return data, plain(data), clean, np.abs(truth) < 5  # water


def error(image, case):
    _, _, clean, water = images(case)
    return np.sqrt(np.mean((image - clean)[water] ** 2))


def test_alone_in_water_metal_leaves_a_quarter_of_its_artefacts_at_most():
    data, before, _, _ = images("titanium")
    assert error(image_of(LINEAR, data=data), "titanium") < error(before, "titanium") / 5
    assert error(image_of(NORMALISED, data=data), "titanium") < error(before, "titanium") / 4


@pytest.mark.parametrize("case", ["titanium and bones", "iron and bones"])
def test_beside_bones_normalising_halves_the_error_and_more_and_is_better_than_straight_lines(case):
    data, before, _, _ = images(case)
    straight, normalised = error(image_of(LINEAR, data=data), case), error(image_of(NORMALISED, data=data), case)
    assert normalised < error(before, case) / 2
    assert normalised < straight / 2


def test_metal_stays_in_the_image_and_the_rest_changes_only_outside_of_it():
    data, before, _, _ = images("titanium")
    after = image_of(LINEAR, data=data)
    metal = after > 6000
    assert metal.any()
    np.testing.assert_array_equal(after[metal], before[metal])


@pytest.mark.parametrize("method", [LINEAR, NORMALISED])
def test_without_metal_the_image_is_that_of_fbp(method):
    data = take(scanner(), cylinder(BONES))
    np.testing.assert_allclose(image_of(method, data=data), plain(data), atol=1e-3)


def test_metal_outside_of_the_grid_is_found_too():
    data, _, clean, water = images("titanium")
    small = Grid((1, 20, 20), GRID.spacing, (0.0, 0.0, 0.0))
    part = image_of(LINEAR, small, data=data)
    assert np.sqrt(np.mean((part - clean[55:75, 55:75]) ** 2)) < 20


def test_data_without_calibration_is_refused():
    data, *_ = images("titanium")
    bare = data.drop_attrs().assign_attrs(geometry=data.attrs["geometry"])
    with pytest.raises(RecipeError, match="mu_water_per_m"):
        LINEAR.reconstruct({"data": bare}, GRID)
