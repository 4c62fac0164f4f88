import numpy as np
import pytest

from phantomsim.physics.errors import ShapeError
from phantomsim.physics.kernel import threads
from phantomsim.physics.xray.transmission import EnergySum, transmit


def example(n_rays, n_materials, n_energies, n_moments, seed=1):
    rng = np.random.default_rng(seed)
    lengths = rng.random((n_rays, n_materials)).astype(np.float32) * (rng.random((n_rays, n_materials)) < 0.6)
    return lengths.astype(np.float32), EnergySum(
        5 * rng.random((n_materials, n_energies)), rng.random((n_energies, n_moments))
    )


@pytest.mark.parametrize(("n_rays", "n_materials"), [(1, 1), (255, 3), (256, 3), (1000, 14)])
def test_sum_over_energies_equals_numpy_s(n_rays, n_materials):
    lengths, energies = example(n_rays, n_materials, 40, 3)
    expected = np.exp(-lengths.astype(np.float64) @ energies.mu) @ energies.weights
    # float32: exponents up to 40 carry 40 · 2⁻²⁴, sums of 40 terms as much again
    np.testing.assert_allclose(transmit(lengths, energies), expected, rtol=5e-6)


def test_axes_of_the_rays_stay():
    lengths, energies = example(60, 2, 5, 3)
    out = transmit(lengths.reshape(3, 4, 5, 2), energies)
    assert out.shape == (3, 4, 5, 3)
    assert np.array_equal(out.reshape(-1, 3), transmit(lengths, energies))


def test_air_transmits_everything_and_lead_nothing():
    energies = EnergySum(np.array([[1.0, 2.0]]), np.array([[3.0], [4.0]]))
    out = transmit(np.array([[0.0], [1e4]], np.float32), energies)
    assert out[0, 0] == 7.0
    assert out[1, 0] < 1e-37


def test_threads_and_neighbours_do_not_change_a_bit():
    lengths, energies = example(5000, 4, 20, 3)
    with threads(1):
        one = transmit(lengths, energies)
    with threads(3):
        three = transmit(lengths, energies)
    assert one.tobytes() == three.tobytes()
    assert np.array_equal(transmit(lengths[:300], energies), one[:300])


def test_materials_must_match():
    lengths, energies = example(10, 3, 5, 1)
    with pytest.raises(ShapeError, match="3 materials"):
        transmit(lengths[:, :2], energies)
    with pytest.raises(ShapeError, match="same energies"):
        EnergySum(np.ones((2, 5)), np.ones((4, 1)))
    with pytest.raises(ShapeError, match="needs a material"):
        EnergySum(np.ones((0, 5)), np.ones((5, 1)))
