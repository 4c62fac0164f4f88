import numpy as np
import pytest

from phantomsim import tissues
from phantomsim.physics.errors import UnitError
from phantomsim.physics.xray.bone_hardening import bone_correction
from phantomsim.physics.xray.correction import WATER, water_correction
from phantomsim.physics.xray.response import energy_integrating
from phantomsim.physics.xray.spectrum import ALUMINIUM, tube_spectrum

TISSUE = tissues.get("cortical_bone")
BONE = (TISSUE.density, TISSUE.mass_fractions)


def scan(kvp, water, bone):
    """Return the response, water-corrected line integrals and those at the reference energy, of water behind bone."""
    spectrum = tube_spectrum(kvp, 0.2, [(ALUMINIUM, 6e-3)])
    response = energy_integrating(spectrum.energy, spectrum.fluence, 70.0)
    mu = np.stack([response.attenuation(WATER), response.attenuation(BONE)])
    measured = -np.log(np.exp(-np.stack([water, bone], axis=-1) @ mu) @ response.share)
    corrected = water_correction(spectrum.energy, spectrum.fluence, 70.0)(measured)
    return response, corrected, response.at_reference(WATER) * water + response.at_reference(BONE) * bone


@pytest.mark.parametrize("kvp", [80, 120, 140])
def test_line_integrals_behind_bone_become_those_of_one_energy(kvp):
    rng = np.random.default_rng(3)
    water, bone = rng.uniform(0, 0.28, 4000), rng.uniform(0, 0.06, 4000)
    response, measured, expected = scan(kvp, water, bone)
    corrected = bone_correction(response, BONE)(measured, bone)
    np.testing.assert_allclose(corrected, expected, atol=2e-3)
    assert np.abs(corrected - expected).std() < 0.005 * np.abs(measured - expected).std()


def test_without_bone_nothing_changes():
    response, measured, _ = scan(120, np.linspace(0, 0.6, 100), np.zeros(100))
    correction = bone_correction(response, BONE)
    np.testing.assert_array_equal(correction(measured, np.zeros(100)), measured)
    assert correction(measured.astype(np.float32), np.ones(100)).dtype == np.float32


def test_beyond_what_was_fitted_the_correction_stays_bounded():
    response, _, _ = scan(120, np.zeros(1), np.zeros(1))
    correction = bone_correction(response, BONE)
    p, b = np.meshgrid(np.linspace(-1, 40, 50), np.linspace(0, 0.4, 40))
    added = correction(p, b) - p
    assert np.all(np.isfinite(added))
    assert np.abs(added / np.maximum(b, 1e-9)).max() < response.at_reference(BONE)


def test_impossible_depths_are_refused():
    response, _, _ = scan(120, np.zeros(1), np.zeros(1))
    with pytest.raises(UnitError, match="depth of bone"):
        bone_correction(response, BONE, bone_depth=0.0)
