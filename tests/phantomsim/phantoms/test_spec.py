"""What every generator shares: texture and injections, whatever the body."""

import numpy as np
import pytest

from phantomsim.phantoms.water_cylinder import WaterCylinder
from phantomsim.physics.grid import Grid
from phantomsim.physics.rng import Key

GRID = Grid((1, 64, 64), (1e-3, 2e-3, 2e-3))
LIVER = {"kind": "water-cylinder", "diameter_mm": 100, "tissue": "liver"}


def test_texture_is_in_the_recipe_and_the_body_stays():
    plain = WaterCylinder(**LIVER).phantom(Key(1))
    textured = WaterCylinder(**LIVER, textures=[{"tissue": "liver", "density": 0.05}]).phantom(Key(1))
    inside = plain.fractions(GRID).values[1] > 0.999
    assert plain.map("density", GRID)[inside].std() < 1e-3
    assert textured.map("density", GRID)[inside].std() / 1060 == pytest.approx(0.05, rel=0.3)
    np.testing.assert_array_equal(plain.fractions(GRID).values[0], textured.fractions(GRID).values[0])


def test_an_injection_shows_as_time_goes_on():
    spec = WaterCylinder(**LIVER, injection={"agent": "iodine", "dose_mmol_kg": 1.3, "injection_s": 25})
    phantom = spec.phantom(Key(1))
    before, after = (phantom.at(time) for time in (0.0, 70.0))
    assert before.tissues == phantom.tissues
    assert after.tissues[1].mass_fractions["I"] > 0
    assert after.exact
    assert phantom.still().at(70.0).tissues == phantom.tissues


def test_texture_and_injection_agree():
    both = WaterCylinder(
        **LIVER, textures=[{"tissue": "liver"}], injection={"agent": "gadolinium", "dose_mmol_kg": 0.1}
    ).phantom(Key(2))
    light, dense = both.at(60.0).tissues[1:]
    assert light.mr.relaxation[0].t1 < both.tissues[1].mr.relaxation[0].t1
    assert dense.density > light.density
