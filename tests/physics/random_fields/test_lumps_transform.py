"""The Fourier transform of Gaussian lumps."""

import numpy as np

from phantomsim.physics.grid import Grid
from phantomsim.physics.random_fields.lumps import add_lumps, transform


def test_the_closed_form_is_the_sum_over_fine_voxels():
    # a Gaussian is band-limited to rounding at 8 voxels a deviation, so that its sum is its integral
    centres = np.array([[0.1e-3, -1e-3, 2e-3], [0.0, 3e-3, -1e-3]])
    turn = np.linalg.qr(np.random.default_rng(1).normal(size=(3, 3)))[0]
    covariances = np.stack([np.diag([1e-6, 2e-6, 1.5e-6]), turn @ np.diag([2e-6, 1e-6, 1e-6]) @ turn.T])
    amplitudes = np.array([1.0, -0.4])
    grid = Grid((64, 64, 80), (0.3e-3, 0.3e-3, 0.3e-3))
    field = np.zeros(grid.shape, np.float32)
    add_lumps(field, grid, centres, covariances, amplitudes)
    k = np.array([[0.0, 0.0, 0.0], [50.0, -80.0, 20.0], [0.0, 120.0, 60.0]])
    z, y, x = (grid.coordinates(axis) for axis in range(3))
    waves = [np.exp(-2j * np.pi * (q[0] * z[:, None, None] + q[1] * y[:, None] + q[2] * x)) for q in k]
    found = [(wave * field).sum() * 0.3e-3**3 for wave in waves]
    np.testing.assert_allclose(transform(centres, covariances, amplitudes, k), found, atol=3e-6 * abs(found[0]))
