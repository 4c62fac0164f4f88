import numpy as np
import pytest

from phantomsim.physics.errors import UnitError
from phantomsim.physics.xray.attenuation import linear_attenuation
from phantomsim.physics.xray.correction import WATER, line_integrals, water_correction
from phantomsim.physics.xray.spectrum import AIR, ALUMINIUM, tube_spectrum


def beam(kvp):
    spectrum = tube_spectrum(kvp, np.radians(8.0), [(ALUMINIUM, 6e-3)])
    return spectrum.energy, spectrum.fluence


def polychromatic(energy, quanta, thickness):
    (mu,) = linear_attenuation([WATER], energy)
    share = energy * quanta / (energy @ quanta)
    return -np.log(np.exp(-thickness[:, None] * mu) @ share)


@pytest.mark.parametrize("kvp", [80, 100, 120, 140])
def test_corrected_water_is_linear_in_its_thickness(kvp):
    thickness = np.linspace(1e-4, 0.5, 3000)
    correction = water_correction(*beam(kvp))
    corrected = correction(polychromatic(*beam(kvp), thickness))
    np.testing.assert_allclose(corrected, correction.mu_water * thickness, rtol=1e-5, atol=0)
    assert np.all(np.diff(corrected) > 0)


def test_float32_line_integrals_stay_float32():
    correction = water_correction(*beam(120))
    p = np.linspace(-0.1, 9, 1000)
    single = correction(p.astype(np.float32))
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, correction(p), atol=5e-6)


def test_correction_goes_on_beyond_its_range_and_through_zero():
    correction = water_correction(*beam(120))
    p = np.linspace(-0.5, 3 * correction.limit, 2000)
    assert np.all(np.diff(correction(p)) > 0)
    assert correction(np.zeros(1))[0] == 0


def test_reference_energy_sets_the_scale():
    by_default = water_correction(*beam(120))
    energy, quanta = beam(120)
    assert by_default.reference_energy == pytest.approx((energy**2 @ quanta) / (energy @ quanta))
    at_70 = water_correction(energy, quanta, reference_energy=70.0)
    assert at_70.mu_water == pytest.approx(19.29, rel=2e-3)  # NIST SRD 126, interpolated; 1/m


def test_correction_is_relative_to_what_fills_the_air_scan():
    air = (1.205, AIR)
    energy, quanta = beam(120)
    correction = water_correction(energy, quanta, reference_energy=70.0, background=air)
    water, surrounding = linear_attenuation([WATER, air], energy)
    share = energy * quanta / (energy @ quanta)
    thickness = np.linspace(1e-4, 0.5, 300)
    measured = -np.log(np.exp(-thickness[:, None] * (water - surrounding)) @ share)
    at_70 = linear_attenuation([WATER, air], np.array([70.0]))[:, 0]
    assert correction.mu_water == pytest.approx(at_70[0] - at_70[1], rel=1e-12)
    np.testing.assert_allclose(correction(measured), correction.mu_water * thickness, rtol=1e-5)


def test_one_energy_needs_no_correction():
    correction = water_correction(np.array([60.0]), np.array([1.0]))
    p = np.linspace(0.1, 9, 50)
    np.testing.assert_allclose(correction(p), p, rtol=1e-12)


def test_line_integral_inverts_the_exponential_and_is_clamped_at_the_floor():
    p = np.array([0.0, 1.0, 5.0, 20.0], np.float32)
    energy = 1e6 * np.exp(-p)
    np.testing.assert_allclose(line_integrals(energy, 1e6, 1.0)[:3], p[:3], atol=1e-6)
    assert line_integrals(energy, 1e6, 1.0)[3] == pytest.approx(np.log(1e6), rel=1e-6)
    assert np.isfinite(line_integrals(np.array([-100.0], np.float32), 1e6, 30.0)).all()


def test_air_may_differ_by_column():
    air = np.array([1e5, 2e5], np.float32)
    energy = np.broadcast_to(air, (3, 2)) * np.float32(np.exp(-2))
    np.testing.assert_allclose(line_integrals(energy, air, 1.0), 2.0, rtol=1e-6)


def test_impossible_corrections_are_refused():
    with pytest.raises(UnitError, match="floor"):
        line_integrals(np.ones(1, np.float32), 1.0, 0.0)
    with pytest.raises(UnitError, match="depth"):
        water_correction(*beam(120), depth=0.0)
