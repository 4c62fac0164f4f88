import numpy as np
import pytest
import xraylib

from phantomsim.physics.errors import UnitError
from phantomsim.physics.photons.collisions import at_momentum, blend, energy_row
from phantomsim.physics.photons.interactions import mass_attenuation
from phantomsim.physics.photons.tables import coherent, incoherent, tabulate

WATER = {"H": 0.111898, "O": 0.888102}
ENERGY = [5.1, 17.3, 33.0, 60.0, 88.7, 140.5, 364.5, 511.0, 999.0]
IN_XRAYLIB = {"compton": xraylib.CS_Compt_CP, "rayleigh": xraylib.CS_Rayl_CP, "photoelectric": xraylib.CS_Photo_CP}


@pytest.mark.parametrize(("column", "effect"), list(enumerate(IN_XRAYLIB)))
def test_coefficients_of_water_equal_xraylib(column, effect):
    table = np.diff(tabulate([(1000.0, WATER)]).coefficients[1], axis=1, prepend=0)[:, column]
    for energy in [e for e in ENERGY if e < 800]:  # where xraylib's tables of scattering end
        row, place = energy_row(np.float32(energy))
        # linear between rows of 1/128 octave: E⁻³ is off by 1e-4; the rest is float32 of cumulated sums
        expected = 100 * IN_XRAYLIB[effect]("H2O", energy)
        assert float(blend(table, row, place)) == pytest.approx(expected, rel=1e-3, abs=1e-4)


def test_total_is_the_total_of_the_interactions_up_to_1000_kev():
    table = tabulate([(1920.0, {"Ca": 0.4, "O": 0.4, "P": 0.2})]).coefficients[1, :, 2]
    for energy in ENERGY:
        row, place = energy_row(np.float32(energy))
        expected = 1920 * mass_attenuation({"Ca": 0.4, "O": 0.4, "P": 0.2}, np.array(energy))
        assert float(blend(table, row, place)) == pytest.approx(float(expected), rel=3e-4)


def test_empty_space_has_no_interactions():
    assert not tabulate([(1000.0, WATER)]).coefficients[0].any()


def test_scattering_functions_of_an_element_are_xraylibs():
    x = np.array([0.005, 0.1, 1.0, 20.0])
    np.testing.assert_allclose(incoherent({"O": 1.0}, x), [xraylib.SF_Compt(8, q) / 8 for q in x.tolist()])
    np.testing.assert_allclose(coherent({"O": 1.0}, x), [(xraylib.FF_Rayl(8, q) / 8) ** 2 for q in x.tolist()])


def test_incoherent_function_between_rows_is_xraylibs():
    column = tabulate([(1000.0, WATER)]).momentum[1, :, 0]
    for x in (0.003, 0.011, 0.07, 0.31, 1.3, 9.0, 70.0):
        # linear over 1/32 octave of x²: within 1e-3
        assert float(at_momentum(column, np.float32(x * x))) == pytest.approx(
            float(incoherent(WATER, np.array(x))), rel=2e-3
        )


def test_negative_density_is_refused():
    with pytest.raises(UnitError, match="density"):
        tabulate([(-1.0, WATER)])
