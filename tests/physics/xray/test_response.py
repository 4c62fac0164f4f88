import json

import numpy as np
import pytest

from phantomsim.physics.errors import IntegrityError, UnitError
from phantomsim.physics.xray.attenuation import linear_attenuation
from phantomsim.physics.xray.correction import WATER, water_correction
from phantomsim.physics.xray.response import Response, energy_integrating
from phantomsim.physics.xray.spectrum import AIR, ALUMINIUM, tube_spectrum

SURROUNDING = (1.205, AIR)
SPECTRUM = tube_spectrum(120, 0.2, [(ALUMINIUM, 6e-3)])
RESPONSE = energy_integrating(SPECTRUM.energy, SPECTRUM.fluence, 70.0, SURROUNDING)


def test_water_correction_is_undone():
    water = np.linspace(0, 0.45, 300)
    measured = -np.log(np.exp(-water[:, None] * RESPONSE.attenuation(WATER)) @ RESPONSE.share)
    corrected = water_correction(SPECTRUM.energy, SPECTRUM.fluence, 70.0, background=SURROUNDING)(measured)
    # the map is a polynomial fitted within 1e-5
    np.testing.assert_allclose(RESPONSE.polychromatic(corrected), measured, rtol=1e-5, atol=1e-12)
    assert RESPONSE.polychromatic(corrected.astype(np.float32)).dtype == np.float32


def test_attenuation_is_over_that_of_what_fills_the_air_scan():
    water, air = linear_attenuation([WATER, SURROUNDING], SPECTRUM.energy)
    np.testing.assert_allclose(RESPONSE.attenuation(WATER), water - air)
    assert RESPONSE.at_reference(SURROUNDING) == 0


def test_json_keeps_every_bit():
    again = Response.from_json(RESPONSE.to_json())
    assert again.share.tobytes() == RESPONSE.share.tobytes()
    assert again.energy.tobytes() == RESPONSE.energy.tobytes()
    assert again.background == RESPONSE.background
    assert again.to_json() == RESPONSE.to_json()
    assert Response.from_json(energy_integrating(SPECTRUM.energy, SPECTRUM.fluence, 60.0).to_json()).background is None


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", json.dumps({"energy_kev": [1], "share": [2], "background": None}), "null"]
)
def test_other_text_is_refused(text):
    with pytest.raises(IntegrityError, match="not the response"):
        Response.from_json(text)


def test_impossible_responses_are_refused():
    with pytest.raises(UnitError, match="add up to 1"):
        Response(np.array([20.0, 30.0]), np.array([0.5, 0.6]), None, 70.0)
    with pytest.raises(UnitError, match="rise"):
        Response(np.array([30.0, 20.0]), np.array([0.5, 0.5]), None, 70.0)
