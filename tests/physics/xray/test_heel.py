import numpy as np
import pytest

from phantomsim.physics.errors import UnitError
from phantomsim.physics.xray.heel import heel_effect
from phantomsim.physics.xray.spectrum import ALUMINIUM, tube_spectrum

CASES = {
    "W": (120, 10.0, (-4.0, 4.0), 6e-3),
    "Mo": (30, 16.0, (-8.0, 4.0), 0.5e-3),
    "Rh": (32, 16.0, (-8.0, 4.0), 0.5e-3),
}


def tube(target):
    kvp, anode, span, filter_al = CASES[target]
    return kvp, np.radians(anode), tuple(np.radians(span)), [(ALUMINIUM, filter_al)]


@pytest.mark.parametrize("target", CASES)
def test_spectrum_in_a_direction_is_that_of_a_tube_tilted_as_far(target):
    kvp, anode, span, filters = tube(target)
    heel = heel_effect(kvp, anode, span, filters, target=target)
    softest = heel.spectrum
    for degrees in (-3.3, 0.7):  # between the directions it was made of
        angle = np.radians(degrees)
        oblique = [(material, thickness / np.cos(angle)) for material, thickness in filters]
        exact, model = tube_spectrum(kvp, anode + angle, oblique, target=target), heel.spectrum_at(angle)
        assert model.air_kerma == pytest.approx(exact.air_kerma, rel=3e-3)
        assert model.half_value_layer == pytest.approx(exact.half_value_layer, rel=5e-3)
        assert (
            abs(model.mean_energy - exact.mean_energy) <= 0.06 * (exact.mean_energy - softest.mean_energy) + 0.01
        )  # [keV]


def test_beam_weakens_and_hardens_towards_the_anode():
    kvp, anode, span, filters = tube("W")
    heel = heel_effect(kvp, anode, span, filters)
    spectra = [heel.spectrum_at(angle) for angle in np.linspace(*span, 9)]
    assert np.all(np.diff([s.air_kerma for s in spectra]) > 0)
    assert np.all(np.diff([s.half_value_layer for s in spectra]) < 0)
    flux, depth = heel.at(np.linspace(*span, 100))
    assert np.all(depth >= 0)
    assert np.all(heel.mu >= 0)
    assert flux[-1] == pytest.approx(1.0)
    assert depth[-1] == pytest.approx(0.0, abs=1e-15)


@pytest.mark.parametrize(
    ("span", "message"),
    [((-0.16, 0.02), "graze"), ((0.1, 0.1), "rise"), ((-1.2, 0.0), "rise")],
)
def test_impossible_spans_are_refused(span, message):
    with pytest.raises(UnitError, match=message):
        heel_effect(120, np.radians(10.0), span)


def test_a_direction_outside_the_span_is_refused():
    kvp, anode, span, filters = tube("W")
    with pytest.raises(UnitError, match="for which this heel effect was made"):
        heel_effect(kvp, anode, span, filters).at(np.array([0.0, 0.2]))
