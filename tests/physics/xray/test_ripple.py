import numpy as np
import pytest

from phantomsim.physics.errors import UnitError
from phantomsim.physics.xray import ripple as module
from phantomsim.physics.xray.ripple import rippled_spectrum
from phantomsim.physics.xray.spectrum import ALUMINIUM, tube_spectrum

ANGLE = np.radians(10.0)
FILTER = [(ALUMINIUM, 3e-3)]


def test_without_ripple_a_spectrum_is_the_same_bits():
    plain = tube_spectrum(100, ANGLE, FILTER)
    assert rippled_spectrum(100, ANGLE, FILTER, ripple=0.0).fluence.tobytes() == plain.fluence.tobytes()


def test_ripple_weakens_and_softens_and_keeps_the_peak():
    spectra = [rippled_spectrum(100, ANGLE, FILTER, ripple=r) for r in (0.0, 0.05, 0.25)]
    assert np.all(np.diff([s.mean_energy for s in spectra]) < 0)
    assert np.all(np.diff([s.air_kerma for s in spectra]) < 0)
    assert all(s.energy[-1] == 99.5 for s in spectra)


def test_ripple_is_the_mean_over_a_period(monkeypatch):
    few = rippled_spectrum(100, ANGLE, FILTER, ripple=0.25)
    # kerma per mAs goes nearly as the square of the potential: <(1 − r(1 − cos φ)/2)²> = (1 − r/2)² + r²/8
    low, high = (tube_spectrum(kvp, ANGLE, FILTER).air_kerma for kvp in (75, 100))
    power = np.log(high / low) / np.log(100 / 75)
    phase = np.linspace(0, np.pi, 2001)
    mean = np.mean((1 - 0.125 * (1 - np.cos(phase))) ** power)
    assert few.air_kerma == pytest.approx(high * mean, rel=5e-3)  # a power law is within 0.5 % of SpekPy's tube
    monkeypatch.setattr(module, "N_POTENTIALS", 9)
    many = rippled_spectrum(100, ANGLE, FILTER, ripple=0.25)
    assert few.mean_energy == pytest.approx(many.mean_energy, rel=1e-3)
    assert few.air_kerma == pytest.approx(many.air_kerma, rel=1e-3)


def test_bins_keep_photons_and_their_energy():
    peak, other = tube_spectrum(80, ANGLE, FILTER), tube_spectrum(77.3, ANGLE, FILTER)
    binned = module._in_bins_of(peak, other)
    assert binned.sum() == pytest.approx(other.fluence.sum(), rel=1e-12)
    assert binned @ peak.energy == pytest.approx(other.fluence @ other.energy, rel=1e-12)


@pytest.mark.parametrize(("ripple", "message"), [(1.0, "ripple"), (-0.1, "ripple"), (0.95, "tube potential")])
def test_impossible_ripple_is_refused(ripple, message):
    with pytest.raises(UnitError, match=message):
        rippled_spectrum(100, ANGLE, ripple=ripple)
