"""Draws of single events against the differential cross sections that they stand for."""

import numba
import numpy as np
import pytest
import xraylib
from scipy import integrate, stats

from phantomsim.physics.constants import ELECTRON_REST_ENERGY_KEV
from phantomsim.physics.photons.collisions import turned
from phantomsim.physics.photons.tables import WAVELENGTH, coherent, incoherent, tabulate
from phantomsim.physics.photons.transport_kernel import scattered

WATER = {"H": 0.111898, "O": 0.888102}
N_DRAWS = 200_000
COMPTON, RAYLEIGH = True, False


@numba.njit
def _draw(compton, energy, momentum, out):
    zero = np.uint64(0)
    for i in range(out.shape[0]):
        word = np.uint64(i)
        out[i, 0], out[i, 1], _, _ = scattered(compton, energy, momentum, word, zero, word, zero, zero, zero)


def draws(compton, energy, momentum):
    """Return energies after an event and 1 − cos θ."""
    out = np.empty((N_DRAWS, 2))
    _draw(compton, np.float32(energy), momentum, out)
    return out.T


def klein_nishina(turn, energy):
    ratio = 1 / (1 + energy / ELECTRON_REST_ENERGY_KEV * turn)
    return ratio**2 * (ratio + 1 / ratio - turn * (2 - turn))


def assert_distributed(turns, density):
    """Pearson's test in 50 bins of equal expectation: fails once in 1e5."""
    fine = np.concatenate([[0], np.geomspace(1e-9, 2, 40_001)])
    cumulative = integrate.cumulative_simpson(density(fine), x=fine, initial=0)
    edges = np.interp(np.linspace(0, 1, 51)[1:-1], cumulative / cumulative[-1], fine)
    counts = np.bincount(np.searchsorted(edges, turns), minlength=50)
    assert stats.chisquare(counts).pvalue > 1e-5


@pytest.mark.parametrize("energy", [20.0, 60.0, 511.0, 900.0])
def test_free_electrons_scatter_by_klein_nishina(energy):
    momentum = np.ones_like(tabulate([(1000.0, WATER)]).momentum[1]) * np.float32(1.0)
    high = energy if energy > 100 else None
    _, turns = draws(COMPTON, energy, momentum)
    # the table's first row falls to 0 with x²; beyond x = 2⁻⁹ Å⁻¹ it is 1
    least = 2 * (2.0**-9 * WAVELENGTH / energy) ** 2
    assert high is None or least < 1e-4
    assert_distributed(turns[turns > least], lambda t: np.where(t > least, klein_nishina(t, energy), 0.0))


@pytest.mark.parametrize("energy", [60.0, 511.0])
def test_compton_energy_follows_from_the_angle(energy):
    after, turns = draws(COMPTON, energy, tabulate([(1000.0, WATER)]).momentum[1])
    expected = energy / (1 + energy / ELECTRON_REST_ENERGY_KEV * turns)
    np.testing.assert_allclose(after, expected, rtol=2e-6)
    assert after.min() >= energy / (1 + 2 * energy / ELECTRON_REST_ENERGY_KEV) * (1 - 1e-6)  # 340.7 keV lost at 511


@pytest.mark.parametrize("energy", [15.0, 60.0, 511.0])
def test_electrons_of_water_scatter_by_the_incoherent_function(energy):
    _, turns = draws(COMPTON, energy, tabulate([(1000.0, WATER)]).momentum[1])

    def density(turn):
        x = energy / WAVELENGTH * np.sqrt(np.maximum(turn, 1e-5) / 2)
        return klein_nishina(turn, energy) * incoherent(WATER, np.maximum(x, 1e-3))

    assert_distributed(turns, density)


@pytest.mark.parametrize("energy", [15.0, 60.0, 140.0, 511.0])
def test_rayleigh_angles_follow_the_form_factor(energy):
    after, turns = draws(RAYLEIGH, energy, tabulate([(1000.0, WATER)]).momentum[1])

    def density(turn):
        x = np.maximum(energy / WAVELENGTH * np.sqrt(turn / 2), 1e-3)
        return coherent(WATER, x) * (1 + (1 - turn) ** 2)

    assert_distributed(turns, density)
    assert (after == np.float32(energy)).all()


def test_incoherent_distribution_is_that_of_xraylib():
    angles = np.array([0.2, 1.0, 2.0, 3.0])
    expected = np.array([xraylib.DCS_Compt(8, 60.0, a) for a in angles.tolist()])
    turn = 1 - np.cos(angles)
    ours = klein_nishina(turn, 60.0) * incoherent({"O": 1.0}, 60.0 / WAVELENGTH * np.sin(angles / 2))
    np.testing.assert_allclose(ours / ours[0], expected / expected[0], rtol=1e-4)


@pytest.mark.parametrize("direction", [(1, 0, 0), (-1, 0, 0), (0, 1, 0), (0.6, -0.48, 0.64), (-0.9999995, 0.001, 0)])
def test_turning_keeps_length_and_angle(direction):
    old = np.array(direction, np.float32)
    old /= np.linalg.norm(old)
    for turn, around in [(0.0, 0.3), (0.1, 0.0), (1.0, 0.25), (1.7, 0.8), (2.0, 0.5)]:
        new = np.array(turned(*old, np.float32(turn), np.float32(around)))
        assert np.linalg.norm(new) == pytest.approx(1, abs=3e-7)
        assert new @ old == pytest.approx(1 - turn, abs=1e-6)


def test_turns_are_even_around_the_direction():
    old = np.float32([0.6, -0.48, 0.64])
    around = (np.arange(64, dtype=np.float32) + np.float32(0.5)) / 64
    mean = np.mean([turned(*old, np.float32(0.7), a) for a in around], axis=0)
    np.testing.assert_allclose(mean, np.float32(0.3) * old, atol=1e-6)
