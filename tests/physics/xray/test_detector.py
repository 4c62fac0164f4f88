import numpy as np
import pytest

from phantomsim import tissues
from phantomsim.physics.errors import UnitError
from phantomsim.physics.xray.detector import EnergyIntegratingDetector
from phantomsim.physics.xray.spectrum import monoenergetic

GOS = (tissues.get("gos").density, tissues.get("gos").mass_fractions)
DETECTOR = EnergyIntegratingDetector(GOS, thickness=1.4e-3, gain=0.1, offset=200.0)


def test_absorption_follows_the_attenuation_of_the_scintillator():
    # Gd2O2S, 7.34 g/cm3, 0.2 mm; μ/ρ at 100 keV of Gd, O and S by NIST SRD 126 [cm²/g]
    mass_attenuation = 0.83078 * 3.109 + 0.08450 * 0.1551 + 0.08472 * 0.2020
    thin = EnergyIntegratingDetector((7340.0, GOS[1]), thickness=0.2e-3, gain=1.0)
    assert thin.absorption(np.array([100.0]))[0] == pytest.approx(1 - np.exp(-mass_attenuation * 7.34 * 0.02), rel=2e-3)


def test_absorption_jumps_at_the_k_edge_of_gadolinium():
    below, above = DETECTOR.absorption(np.array([50.2, 50.3]))
    assert above > below


def test_quanta_scale_with_exposure_area_and_the_inverse_square_of_the_distance():
    beam = monoenergetic(60.0, 1e12)
    one = DETECTOR.quanta(beam, exposure=0.2, distance=1.0, area=1e-6)
    assert one[0] == pytest.approx(1e12 * 0.2 * 1e-6 * DETECTOR.absorption(np.array([60.0]))[0])
    far = DETECTOR.quanta(beam, exposure=0.4, distance=2.0, area=3e-6)
    assert far[0] == pytest.approx(one[0] * 2 * 3 / 4)


def test_absorbed_energy_inverts_gain_and_offset():
    assert DETECTOR.absorbed_energy(np.array([200, 300], np.uint32)).tolist() == pytest.approx([0.0, 1000.0])


def test_readings_are_held_by_the_smallest_integer():
    assert EnergyIntegratingDetector(GOS, 1e-3, gain=1.0, bits=16).dtype == np.uint16
    assert EnergyIntegratingDetector(GOS, 1e-3, gain=1.0, bits=17).dtype == np.uint32


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"thickness": 0.0}, "thickness"),
        ({"gain": -1.0}, "gain"),
        ({"fill_factor": 1.5}, "fill_factor"),
        ({"swank": 1.2}, "swank"),
        ({"electronic_noise": -1.0}, "electronic_noise"),
        ({"bits": 32}, "bits"),
        ({"offset": 1e9}, "offset"),
    ],
)
def test_impossible_detectors_are_refused(change, message):
    with pytest.raises(UnitError, match=message):
        EnergyIntegratingDetector(**({"material": GOS, "thickness": 1e-3, "gain": 1.0} | change))


def test_impossible_exposures_are_refused():
    with pytest.raises(UnitError, match="distance"):
        DETECTOR.quanta(monoenergetic(60.0, 1.0), exposure=1.0, distance=0.0, area=1.0)
