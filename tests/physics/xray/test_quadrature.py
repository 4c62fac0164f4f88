from itertools import product

import numpy as np
import pytest

from phantomsim import tissues
from phantomsim.physics.xray import quadrature
from phantomsim.physics.xray.attenuation import linear_attenuation
from phantomsim.physics.xray.noise import Beam
from phantomsim.physics.xray.quadrature import few_energies
from phantomsim.physics.xray.spectrum import ALUMINIUM, tube_spectrum
from phantomsim.physics.xray.transmission import EnergySum, transmit
from phantomsim.scanners.ct_spec import EnergyIntegrating, Tube, material_of

BLOOD = tissues.get("blood")
MATERIALS = {
    "water": [tissues.get("water")],
    "water, bone, iodine": [tissues.get("water"), tissues.get("cortical_bone"), BLOOD.with_element("I", 20.0)],
    "three K edges": [
        BLOOD.with_element("Gd", 50.0),
        BLOOD.with_element("I", 50.0),
        *map(tissues.get, ["gold", "water"]),
    ],
    "thorax with metal": [
        *map(tissues.get, ["adipose", "muscle", "blood", "lung_inflated", "cortical_bone", "red_marrow", "liver"]),
        *map(tissues.get, ["skin", "titanium", "cocrmo"]),
    ],
}


def all_energies(materials, kvp):
    spectrum = tube_spectrum(kvp, np.radians(8.0), [(ALUMINIUM, 6e-3)])
    mu = linear_attenuation([(tissue.density, tissue.mass_fractions) for tissue in materials], spectrum.energy)
    quanta = 1e-7 * spectrum.fluence
    return EnergySum(mu, np.stack([quanta * spectrum.energy**k for k in (1, 2, 3)], axis=1))


def exact(lengths, energies):
    return np.exp(-lengths @ energies.mu) @ energies.weights


@pytest.mark.parametrize(("name", "kvp"), list(product(MATERIALS, (80, 120, 140))))
def test_few_energies_equal_the_1_kev_sum_on_random_paths(name, kvp):
    energies = all_energies(MATERIALS[name], kvp)
    few = few_energies(energies)
    assert few.mu.shape[1] <= 40
    assert np.all(few.weights >= 0)
    rng = np.random.default_rng(7)
    lengths = rng.dirichlet(np.full(len(few.mu), 0.3), 4000) / energies.mu.mean(axis=1) * 30 * rng.random((4000, 1))
    lengths = lengths[exact(lengths, energies)[:, 0] > np.exp(-16) * energies.weights[:, 0].sum()]
    assert len(lengths) > 1000
    np.testing.assert_allclose(exact(lengths, few), exact(lengths, energies), rtol=1e-4)


def test_few_energies_equal_the_1_kev_sum_behind_a_patient():
    energies = all_energies(MATERIALS["water, bone, iodine"], 120)
    water, bone, vessel = np.linspace(0, 0.5, 26), np.linspace(0, 0.05, 6), np.linspace(0, 0.04, 5)
    lengths = np.array(list(product(water, bone, vessel)), np.float32)
    expected = exact(lengths.astype(np.float64), energies)
    np.testing.assert_allclose(transmit(lengths, few_energies(energies)), expected, rtol=1e-4)


def test_strength_of_the_beam_only_scales_the_weights():
    energies = all_energies(MATERIALS["water"], 120)
    few, brighter = few_energies(energies), few_energies(EnergySum(energies.mu, 3e4 * energies.weights))
    np.testing.assert_array_equal(few.mu, brighter.mu)
    np.testing.assert_allclose(brighter.weights, 3e4 * few.weights, rtol=1e-6)


def test_materials_as_thin_as_the_air_scan_do_no_harm():
    energies = all_energies(MATERIALS["water, bone, iodine"], 120)
    thin = np.stack([energies.mu[0], 0 * energies.mu[0], -1e-5 * energies.mu[0]])
    few = few_energies(EnergySum(thin, energies.weights))
    lengths = np.array([[0.3, 0.0, 0.0], [0.3, 0.2, 0.1], [0.0, 0.5, 0.5]])
    np.testing.assert_allclose(exact(lengths, few), exact(lengths, EnergySum(thin, energies.weights)), rtol=1e-4)


def test_one_energy_stays_one():
    one = EnergySum(np.array([[20.0]]), np.array([[1e5, 6e6, 3.6e8]]))
    few = few_energies(one)
    np.testing.assert_allclose(few.mu, one.mu)
    np.testing.assert_allclose(few.weights, one.weights)


@pytest.mark.parametrize(
    ("filter_mm", "lesion", "angle"), [(2.5, "muscle", 10), (4.0, "tumor", 10), (7.0, "muscle", 12)]
)
def test_tissues_nearly_alike_do_not_stall_the_fit(filter_mm, lesion, angle):
    # scipy's nnls goes round in a circle on each of these after a dozen terms, and gives up
    spectrum = Tube(kvp=120, rotation_mas=200, filter_al_mm=filter_mm, anode_angle_deg=angle).spectrum()
    quanta = EnergyIntegrating(kind="energy-integrating").at(1.0).quanta(spectrum, 50.0, 1.0, 2.5e-5)
    *mu, air = linear_attenuation([material_of(tissues.get(t)) for t in ("water", lesion, "air")], spectrum.energy)
    beam = Beam(spectrum.energy, quanta, np.stack(mu) - air)
    assert beam.nodes.mu.shape[1] <= 20
    lengths = np.array(list(product(np.linspace(0, 0.4, 21), np.linspace(0, 0.1, 11))))
    np.testing.assert_allclose(exact(lengths, beam.nodes), exact(lengths, beam.bins), rtol=1e-4)


def test_all_energies_stay_where_no_fit_is_found(monkeypatch):
    def no_fit(*_):
        raise RuntimeError("Maximum number of iterations reached.")

    monkeypatch.setattr(quadrature, "nnls", no_fit)
    energies = all_energies(MATERIALS["water"], 100)
    assert few_energies(energies, tolerance=1.1e-4) is energies  # a tolerance of its own: fits are cached
