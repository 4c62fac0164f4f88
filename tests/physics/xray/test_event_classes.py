from dataclasses import replace

import numpy as np
import pytest
from scipy.special import ndtr

from phantomsim import tissues
from phantomsim.physics.xray.event_classes import classify, pulse_heights
from phantomsim.physics.xray.photon_counting import PhotonCountingDetector
from phantomsim.physics.xray.photon_histories import deposits

CENTRE, RIGHT, CORNER = 4, 5, 8
CDTE = (tissues.get("cdte").density, tissues.get("cdte").mass_fractions)
PLAIN = {"material": CDTE, "thickness": 2e-3, "pitch": (0.3e-3, 0.3e-3), "thresholds": (20.0, 35.0, 50.0)}


def detector(**fields):
    return PhotonCountingDetector(**(PLAIN | {"fluorescence": False, "charge_sharing": False} | fields))


def counted(energy, detector, n=1 << 14):
    """Return counts (neighbour, bin) of a photon that leaves all its energy where it is absorbed first."""
    histories = deposits(detector.sensor, np.array([energy]), n)
    left = np.zeros_like(histories.energy)
    left[0] = energy
    heights = pulse_heights(
        replace(histories, energy=left),
        pitch=detector.pitch,
        spread=detector.spread(histories.position[0]),
        electronic_noise=detector.electronic_noise,
    )
    return classify(np.array([energy]), heights, np.ones(1), detector.thresholds).response[0]


def test_an_ideal_detector_counts_each_stopped_photon_once_in_its_bin():
    energy = np.array([15.0, 30.0, 45.0])  # Compton at these is 1.5 % at most, and mostly below the threshold
    ideal = detector()
    response = ideal.classes(energy).response
    stopped = ideal.sensor.efficiency(energy)
    assert response[0].sum() == 0
    for n in (1, 2):
        assert response[n, CENTRE, n - 1] == pytest.approx(stopped[n], rel=0.03)
        assert response[n].sum() <= stopped[n] * (1 + 1e-12)


@pytest.mark.parametrize("cloud", [10e-6, 30e-6])
def test_charge_that_crosses_a_border_is_that_of_a_normal_cloud(cloud):
    """At 40 keV and a threshold of 30 keV, ¾ of the charge must stay within: |place| + 0.674 cloud < half a pitch."""
    sharing = detector(thresholds=(30.0,), charge_sharing=True, cloud=cloud)
    pitch, place = 0.3e-3, np.linspace(-0.5, 0.5, 2001)[:-1] + 1 / 4000
    inside = ndtr((0.5 - place) * pitch / cloud) - ndtr((-0.5 - place) * pitch / cloud)
    expected = (inside[:, None] * inside > 0.75).mean()
    assert counted(40.0, sharing).sum() == pytest.approx(expected, abs=1e-3)


def test_counts_of_one_photon_in_two_pixels_follow_from_the_cloud():
    """Threshold at a tenth: a photon within 1.28 σ of a border counts on both sides of it, far from corners."""
    cloud, pitch = 12e-6, 0.3e-3
    sharing = detector(thresholds=(4.0,), charge_sharing=True, cloud=cloud, pitch=(pitch, 1.0))
    response = counted(40.0, sharing)
    up = response[1].sum() + response[7].sum()
    expected = 2 * 1.2815515655 * cloud / pitch
    assert up == pytest.approx(expected, abs=1e-3)


def test_response_is_as_symmetric_as_the_pixels():
    response = detector(fluorescence=True, charge_sharing=True, cloud=15e-6).classes(np.arange(60.0, 76.0)).response
    pixels = response.sum(axis=(0, 2)).reshape(3, 3)
    np.testing.assert_allclose(pixels, pixels.T, rtol=0.1)
    np.testing.assert_allclose(pixels, pixels[::-1, ::-1], rtol=0.1)
    assert pixels[1, 1] > pixels[1, 2] > pixels[2, 2] > 0


def test_fluorescence_counts_in_neighbours_at_its_own_energy():
    response = detector(fluorescence=True, thresholds=(20.0, 33.0)).classes(np.array([60.0])).response[0]
    assert response[RIGHT, 0] > 0.02
    assert response[RIGHT, 1] < 0.02 * response[RIGHT, 0] + 3e-3
    assert response[CORNER, 0] < response[RIGHT, 0]


def test_electronic_noise_blurs_a_threshold():
    """The share of 45 keV pulses above thresholds at 43, 45 and 47 keV with 2 keV of noise: Φ(1), ½, Φ(−1)."""
    noisy = detector(thresholds=(20.0, 43.0, 45.0, 47.0), electronic_noise=2.0)
    above = counted(45.0, noisy)[CENTRE, ::-1].cumsum()[::-1]
    np.testing.assert_allclose(above, [1, ndtr(1), 0.5, ndtr(-1)], atol=1e-3)


def test_charge_diffuses_the_wider_the_longer_it_drifts():
    """σ² = 2 (kT/q) d L / U for 2 mm at 600 V, from the face down to the pixels."""
    spread = detector(charge_sharing=True, bias=600.0).spread(np.array([0.0, 1e-3, 2e-3]))
    np.testing.assert_allclose(spread**2, 2 * 0.02585 * np.array([2e-3, 1e-3, 0.0]) * 2e-3 / 600.0, rtol=1e-12)


def test_rare_classes_keep_their_counts():
    classes = detector(fluorescence=True, charge_sharing=True, cloud=15e-6, electronic_noise=1.0).classes(
        np.arange(25.0, 120.0, 5.0)
    )
    assert classes.hits.sum(axis=(1, 2)).min() == 1
    low = classes.response[:, :, :-1].sum(axis=(1, 2))
    np.testing.assert_allclose(classes.pulses.sum(axis=1), low, rtol=1e-12)


def test_materials_stop_what_they_should():
    energy = np.array([60.0])
    stopped = {}
    for name in ("cdte", "czt", "silicon"):
        material = (tissues.get(name).density, tissues.get(name).mass_fractions)
        stopped[name] = detector(material=material).sensor.efficiency(energy)[0]
    assert stopped["cdte"] > stopped["czt"] > 0.98
    assert stopped["silicon"] < 0.15
