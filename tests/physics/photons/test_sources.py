import numpy as np
import pytest

from phantomsim.physics.errors import UnitError
from phantomsim.physics.photons.sources import rectangle_source
from phantomsim.physics.rng import Key

N = 100_000
SOURCE, CENTRE = np.array([0.0, -0.4, 0.1]), np.array([0.05, 0.2, 0.0])
HALF_ROW, HALF_COLUMN = np.array([0.3, 0.0, 0.0]), np.array([0.0, 0.0, 0.2])


def test_photons_are_even_over_the_solid_angle_of_the_rectangle():
    photons = rectangle_source(SOURCE, CENTRE, HALF_ROW, HALF_COLUMN, N, Key(1), energy=60.0)
    directions = photons.state[3:6].astype(float)
    z, _, x = SOURCE[:, None] + directions * 0.6 / directions[1]
    edges = np.linspace(-1, 1, 7)
    counts, _, _ = np.histogram2d((z - 0.05) / 0.3, x / 0.2, bins=[edges, edges])
    assert counts.sum() >= N - 5  # float32 may put a photon on the border just outside
    # solid angle of each of 36 parts: cos θ / r² over fine points
    fine = (np.arange(600) + 0.5) / 300 - 1
    density = ((0.05 + 0.3 * fine[:, None]) ** 2 + 0.36 + (0.2 * fine[None] - 0.1) ** 2) ** -1.5
    expected = N * density.reshape(6, 100, 6, 100).sum(axis=(1, 3)) / density.sum()
    assert ((counts - expected) ** 2 / expected).sum() < 35 + 5 * np.sqrt(70)  # chi-square, 5 standard deviations


def test_lines_of_a_spectrum_come_by_their_weights():
    lines, weights = np.array([20.0, 60.0, 80.0]), np.array([1.0, 0.0, 3.0])
    photons = rectangle_source(SOURCE, CENTRE, HALF_ROW, HALF_COLUMN, N, Key(1), energy=lines, weights=weights)
    assert (photons.energy == 20).mean() == pytest.approx(0.25, abs=4 * np.sqrt(0.19 / N))
    assert not (photons.energy == 60).any()


def test_a_source_in_the_plane_of_its_rectangle_is_refused():
    with pytest.raises(UnitError, match="plane"):
        rectangle_source(np.zeros(3), np.zeros(3), HALF_ROW, HALF_COLUMN, 5, Key(1), energy=60.0)
