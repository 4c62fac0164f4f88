import numpy as np
import pytest

from phantomsim import tissues
from phantomsim.physics.errors import ShapeError, UnitError
from phantomsim.physics.xray.attenuation import linear_attenuation
from phantomsim.physics.xray.correction import WATER
from phantomsim.physics.xray.decomposition import cramer_rao_bound, decompose, fractions
from phantomsim.physics.xray.spectrum import ALUMINIUM, tube_spectrum
from phantomsim.physics.xray.transmission import EnergySum

TISSUE = tissues.get("cortical_bone")
BONE = (TISSUE.density, TISSUE.mass_fractions)
IODINE = (1.0, {"I": 1.0})
HARD = tube_spectrum(120, 0.2, [(ALUMINIUM, 6e-3)])


def bins(edges, photons=2e6, basis=(WATER, BONE)):
    """Return an ideal photon-counting detector with thresholds [keV] in one beam."""
    inside = (HARD.energy[:, None] >= edges[:-1]) & (HARD.energy[:, None] < edges[1:])
    fluence = HARD.fluence / HARD.fluence.sum() * photons
    return EnergySum(linear_attenuation(list(basis), HARD.energy), fluence[:, None] * inside)


def two_spectra(photons=2e6):
    low, high = tube_spectrum(80, 0.2, [(ALUMINIUM, 6e-3)]), tube_spectrum(140, 0.2, [(ALUMINIUM, 20e-3)])
    weights = np.zeros((len(high.energy), 2))
    weights[: len(low.energy), 0] = low.fluence
    weights[:, 1] = high.fluence
    return EnergySum(linear_attenuation([WATER, BONE], high.energy), photons * weights / weights.sum(axis=0))


SYSTEMS = {
    "two spectra": two_spectra(),
    "two bins": bins(np.array([15.0, 65.0, 121.0])),
    "four bins": bins(np.array([15.0, 50.0, 65.0, 80.0, 121.0])),
}


def expected(lengths, energies):
    return np.exp(-lengths @ energies.mu) @ energies.weights


@pytest.mark.parametrize("name", SYSTEMS)
def test_without_noise_the_lengths_are_found(name):
    rng = np.random.default_rng(1)
    lengths = rng.uniform(0, [0.4, 0.06], (4000, 2))
    found = decompose(expected(lengths, SYSTEMS[name]), SYSTEMS[name])
    np.testing.assert_allclose(found, lengths, rtol=1e-6, atol=1e-9)


def test_three_materials_in_four_bins_are_found():
    energies = bins(np.array([15.0, 33.2, 50.0, 70.0, 121.0]), basis=(WATER, BONE, IODINE))
    lengths = np.random.default_rng(2).uniform(0, [0.3, 0.04, 0.2], (1000, 3))  # up to 20 cm of 1 mg/ml
    np.testing.assert_allclose(decompose(expected(lengths, energies), energies), lengths, rtol=1e-5, atol=1e-6)


def test_strength_does_not_matter_with_as_many_bins_as_materials():
    lengths = np.array([[0.2, 0.03], [0.35, 0.0]])
    weak = EnergySum(SYSTEMS["two spectra"].mu, SYSTEMS["two spectra"].weights / 2e6)
    signals = expected(lengths, weak).astype(np.float32)  # such as exp(−line integral)
    found = decompose(signals, weak)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, lengths, atol=1e-5)


@pytest.mark.parametrize("name", SYSTEMS)
def test_noise_leaves_no_bias_and_reaches_the_cramer_rao_bound(name):
    energies, lengths, n = SYSTEMS[name], np.array([0.2, 0.02]), 40_000
    counts = np.random.default_rng(5).poisson(expected(lengths, energies), (n, energies.weights.shape[1]))
    found = decompose(counts.astype(np.float64), energies)
    bound = cramer_rao_bound(lengths, energies)
    error = found.mean(axis=0) - lengths
    assert np.all(np.abs(error) < 4.5 * np.sqrt(np.diag(bound) / n))
    covariance = np.cov(found.T)
    # a variance of 40 000 draws is known to 0.7 %: 3 % is four of these, and covariance alike
    np.testing.assert_allclose(covariance, bound, rtol=0.03)


def test_more_bins_never_raise_the_bound():
    lengths = np.array([[0.1, 0.01], [0.3, 0.04]])
    two, four = (cramer_rao_bound(lengths, SYSTEMS[name]) for name in ("two bins", "four bins"))
    assert np.all(np.linalg.eigvalsh(two - four) > -1e-15)


def test_bound_of_one_energy_each_is_the_closed_form():
    # with one energy a bin the counts' logs are linear in the lengths: Cov = M⁻¹ diag(1/λ) M⁻ᵀ
    mu = linear_attenuation([WATER, BONE], np.array([50.0, 90.0]))
    energies, lengths = EnergySum(mu, np.diag([1e5, 2e5])), np.array([0.15, 0.01])
    inverse = np.linalg.inv(mu.T)
    exact = inverse @ np.diag(1 / expected(lengths, energies)) @ inverse.T
    np.testing.assert_allclose(cramer_rao_bound(lengths, energies), exact, rtol=1e-9)


def test_starved_rays_are_numbers_and_nan_is_refused():
    counts = np.array([[0.0, 0.0], [0.0, 1e5], [1e5, 0.0], [1e9, 1e-9]])
    assert np.all(np.isfinite(decompose(counts, SYSTEMS["two bins"])))
    assert np.all(np.isfinite(decompose(np.zeros((3, 4)), SYSTEMS["four bins"])))
    with pytest.raises(UnitError, match="finite"):
        decompose(np.array([[np.nan, 1.0]]), SYSTEMS["two bins"])
    with pytest.raises(ShapeError, match="as many bins"):
        decompose(np.ones((3, 4)), SYSTEMS["two bins"])
    with pytest.raises(ShapeError, match="as many bins"):
        decompose(np.ones((3, 1)), bins(np.array([15.0, 121.0])))


def test_images_are_split_linearly():
    basis = linear_attenuation([WATER, BONE], np.array([55.0, 85.0])).T
    amounts = np.random.default_rng(4).uniform(0, 1, (2, 5, 6))
    np.testing.assert_allclose(fractions(np.einsum("im,m...->i...", basis, amounts), basis), amounts, atol=1e-12)


def test_two_images_give_three_tissues_that_fill_the_voxel():
    fat = tissues.get("adipose")
    three = [(fat.density, fat.mass_fractions), WATER, BONE]
    basis = linear_attenuation(three, np.array([45.0, 95.0])).T
    amounts = np.random.default_rng(4).dirichlet(np.ones(3), (4, 5)).transpose(2, 0, 1)
    images = np.einsum("im,m...->i...", basis, amounts)
    np.testing.assert_allclose(fractions(images, basis, conserve=True), amounts, atol=1e-9)
    with pytest.raises(ShapeError, match="volume is conserved"):
        fractions(images, basis)


def test_materials_that_look_alike_are_refused():
    with pytest.raises(UnitError, match="apart"):
        fractions(np.zeros((2, 3)), np.array([[20.0, 40.0], [10.0, 20.0]]))
