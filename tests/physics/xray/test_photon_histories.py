import numpy as np
import pytest
import xraylib

from phantomsim import tissues
from phantomsim.physics.constants import ELECTRON_REST_ENERGY_KEV
from phantomsim.physics.photons.interactions import mass_attenuation
from phantomsim.physics.xray.photon_histories import N_STEPS, Sensor, deposits

N = 1 << 14


def sensor(name, thickness, **options):
    tissue = tissues.get(name)
    return Sensor((tissue.density, tissue.mass_fractions), thickness, **options)


def test_depths_of_first_interactions_follow_beer_and_lambert():
    slab, energy = sensor("cdte", 2e-3), np.array([60.0, 100.0])
    depth = deposits(slab, energy, N).position[0, 0]
    mu = slab.interaction(energy)[:, None]
    for part in (0.2, 0.5, 0.8):
        below = np.expm1(-mu[:, 0] * part * 2e-3) / np.expm1(-mu[:, 0] * 2e-3)
        np.testing.assert_allclose((depth < part * 2e-3).mean(axis=1), below, atol=2 / N)


def test_energy_is_left_once_or_leaves():
    left = deposits(sensor("czt", 2e-3), np.array([30.0, 90.0]), N).energy.sum(axis=0)
    assert np.all(left <= np.array([[30.0], [90.0]]) * (1 + 1e-12))
    assert np.all(left > 0)


def test_without_fluorescence_a_photoelectric_photon_stays_whole():
    slab = sensor("cdte", 2e-3, fluorescence=False)
    first = deposits(slab, np.array([40.0]), N).energy[0, 0]
    density, fractions = slab.material
    compton = density * mass_attenuation(fractions, np.array([40.0]), "compton") / slab.interaction(np.array([40.0]))
    assert (first == 40.0).mean() == pytest.approx(1 - float(compton[0]), abs=1e-3)


def test_yield_of_k_photons_is_that_of_the_shells():
    """Two elements at 60 keV: (share of the element) × (1 − 1/jump) × (fluorescence yield), line by line."""
    slab, energy = sensor("cdte", 2e-3), np.array([60.0])
    density, fractions = slab.material
    first = deposits(slab, energy, N).energy[0, 0]
    for symbol in fractions:
        z = xraylib.SymbolToAtomicNumber(symbol)
        photoelectric = density * fractions[symbol] * mass_attenuation({symbol: 1.0}, energy, "photoelectric")[0]
        share = photoelectric / slab.interaction(energy)[0]
        share *= (1 - 1 / xraylib.JumpFactor(z, 0)) * xraylib.FluorYield(z, 0)
        alpha = share * xraylib.RadRate(z, xraylib.KL3_LINE)
        alpha /= sum(xraylib.RadRate(z, n) for n in (xraylib.KL2_LINE, xraylib.KL3_LINE, xraylib.KB_LINE))
        here = np.isclose(first, 60.0 - xraylib.LineEnergy(z, xraylib.KL3_LINE))
        assert here.mean() == pytest.approx(alpha, abs=4 * np.sqrt(alpha / N) / 4)  # a Sobol sequence does better


def test_escape_through_the_face_is_that_of_a_half_space():
    """Isotropic K photons born at depth z leave with ½ E₂(μ z); over exp(−μ₀ z): ½ [1 − (μ/μ₀) ln(1 + μ₀/μ)]."""
    tellurium = Sensor((6000.0, {"Te": 1.0}), 0.05)  # so thick that nothing leaves by the back
    energy = np.array([40.0])
    done = deposits(tellurium, energy, 1 << 16)
    line = xraylib.LineEnergy(52, xraylib.KL3_LINE)
    emitted = np.isclose(done.energy[0, 0], 40.0 - line)
    escaped = emitted & (done.energy[1, 0] == 0)
    mu0, mu = tellurium.interaction(energy)[0], tellurium.interaction(np.array([line]))[0]
    expected = 0.5 * (1 - mu / mu0 * np.log1p(mu0 / mu))
    n = emitted.sum()
    assert escaped.sum() / n == pytest.approx(expected, abs=4 * np.sqrt(expected / n))


def test_compton_recoil_is_that_of_klein_and_nishina():
    slab, energy = sensor("silicon", 30e-3, fluorescence=False), np.array([80.0])
    first = deposits(slab, energy, 1 << 15).energy[0, 0]
    recoil = first[first < 79.0]
    cosine = np.linspace(-1, 1, 20001)
    ratio = 1 / (1 + 80.0 / ELECTRON_REST_ENERGY_KEV * (1 - cosine))
    density = ratio**2 * (ratio + 1 / ratio - 1 + cosine**2)
    for power in (1, 2):
        mean = np.trapezoid(density * (80.0 * (1 - ratio)) ** power, cosine) / np.trapezoid(density, cosine)
        assert (recoil**power).mean() == pytest.approx(mean, rel=5e-3)


def test_photons_that_go_on_land_around_and_within():
    done = deposits(sensor("cdte", 2e-3), np.array([60.0]), N)
    again = done.energy[1, 0] > 0
    for axis in (1, 2):
        place = done.position[axis, 1, 0, again]
        assert abs(place.mean()) < 4 * place.std() / np.sqrt(again.sum())
    depth = done.position[0, :, 0][done.energy[:, 0] > 0]
    assert depth.min() >= 0
    assert depth.max() <= 2e-3
    assert len(done.energy) == N_STEPS
