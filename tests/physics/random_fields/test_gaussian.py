from itertools import pairwise

import numpy as np
import pytest
from scipy.special import j1

from phantomsim.physics.errors import ShapeError, UnitError
from phantomsim.physics.grid import Grid
from phantomsim.physics.random_fields.gaussian import Correlated, PowerLaw, White
from phantomsim.physics.rng import Key

PLANE = Grid((1, 24, 32), (1e-3, 1e-3, 1e-3), (0.0, 0.1, -0.05))
SOLID = Grid((6, 8, 10), (2e-3, 1e-3, 1e-3))
LAW = PowerLaw(exponent=3.0, deviation=2.0, low=20.0, high=400.0, mean=5.0)
LAGS = ((0, 0, 0), (0, 0, 1), (0, 1, 0), (0, 3, 2), (0, 7, 7), (0, 0, 9), (1, 0, 0), (2, 4, 1))


def exponential(lag):
    return 4.0 * np.exp(-np.linalg.norm(lag, axis=-1) / 2e-3)


def gaussian(lag):
    return 4.0 * np.exp(-(lag**2).sum(axis=-1) / (2 * 1.5e-3**2))


def check_statistics(field, grid, covariance, n=600):
    draws = np.stack([field.draw(Key(5).fold(i), grid) for i in range(n)]).astype(np.float64)
    means = draws.mean(axis=(1, 2, 3))
    assert abs(means.mean() - field.mean) < 4 * means.std() / np.sqrt(n)
    away, shape = draws - field.mean, grid.shape
    for z, y, x in LAGS:
        if z < shape[0] and y < shape[1] and x < shape[2]:
            products = away[:, z:, y:, x:] * away[:, : shape[0] - z, : shape[1] - y, : shape[2] - x]
            found = products.mean(axis=(1, 2, 3))  # one number for each independent draw
            expected = covariance(np.multiply((z, y, x), grid.spacing))
            assert abs(found.mean() - expected) < 4 * found.std() / np.sqrt(n), (z, y, x)


@pytest.mark.parametrize("grid", [PLANE, SOLID], ids=["plane", "solid"])
def test_white_noise_has_its_variance_and_nothing_else(grid):
    field = White(2.0, 5.0)
    check_statistics(field, grid, field.covariance, 200)


@pytest.mark.parametrize("grid", [PLANE, SOLID], ids=["plane", "solid"])
@pytest.mark.parametrize("function", [exponential, gaussian])
def test_correlated_field_has_the_given_covariance(function, grid):
    field = Correlated(function, 5.0)
    check_statistics(field, grid, field.covariance, 400)


@pytest.mark.parametrize("grid", [PLANE, SOLID], ids=["plane", "solid"])
def test_power_law_has_the_covariance_of_its_waves(grid):
    law = LAW if grid is PLANE else PowerLaw(2.0, 2.0, 20.0, 200.0, 5.0)
    check_statistics(law, grid, lambda lag: law.covariance(lag, grid))


def test_power_law_covariance_is_isotropic_and_tends_to_the_integral_of_its_spectrum():
    # b = 0: σ² (f₂ J₁(2π f₂ r) − f₁ J₁(2π f₁ r)) / (π r (f₂² − f₁²)), the difference of two discs
    law = PowerLaw(0.0, 3.0, 50.0, 300.0)
    grid = Grid((1, 400, 400), (1e-3, 1e-3, 1e-3))
    r = np.array([0.5, 1.7, 4.0, 9.0]) * 1e-3
    disc = 9 * (300 * j1(600 * np.pi * r) - 50 * j1(100 * np.pi * r)) / (np.pi * r * (300**2 - 50**2))
    for direction in ((0.0, 1.0, 0.0), (0.0, 0.6, -0.8)):
        assert law.covariance(r[:, None] * np.array(direction), grid) == pytest.approx(disc, abs=0.02)
    assert law.covariance(np.zeros(3), grid) == pytest.approx(9.0)


@pytest.mark.parametrize("exponent", [1.0, 2.0, 3.0])
def test_spectrum_falls_with_its_exponent(exponent):
    law = PowerLaw(exponent, 1.0, 10.0, 490.0)
    grid = Grid((1, 256, 256), (1e-3, 1e-3, 1e-3))
    window = np.hanning(256)[:, None] * np.hanning(256)
    power = sum(np.abs(np.fft.rfft2(law.draw(Key(i), grid)[0] * window)) ** 2 for i in range(20))
    f = np.hypot(np.fft.fftfreq(256, 1e-3)[:, None], np.fft.rfftfreq(256, 1e-3))
    bands = np.geomspace(30, 400, 12)
    level = [np.log(power[(f >= a) & (f < b)].mean()) for a, b in pairwise(bands)]
    middle = [np.log(f[(f >= a) & (f < b)].mean()) for a, b in pairwise(bands)]
    assert np.polyfit(middle, level, 1)[0] == pytest.approx(-exponent, abs=0.06)


def test_the_same_seed_at_two_resolutions_is_the_same_power_law_field():
    coarse = LAW.draw(Key(2), PLANE)
    fine = LAW.draw(Key(2), Grid((1, 72, 96), (1e-3, 1e-3 / 3, 1e-3 / 3), PLANE.centre))
    assert np.abs(coarse - fine[:, 1::3, 1::3]).max() < 1e-5 * LAW.deviation
    solid = PowerLaw(2.0, 2.0, 20.0, 200.0)
    finer = Grid((18, 24, 30), (2e-3 / 3, 1e-3 / 3, 1e-3 / 3))
    assert np.abs(solid.draw(Key(2), SOLID) - solid.draw(Key(2), finer)[1::3, 1::3, 1::3]).max() < 2e-5


def test_fields_are_normal():
    draws = np.stack([LAW.draw(Key(9).fold(i), PLANE)[0, 3, 5] for i in range(2000)]).astype(np.float64)
    score = (draws - LAW.mean) / LAW.deviation
    assert abs((score**3).mean()) < 4 * np.sqrt(15 / 2000)
    assert abs((score**4).mean() - 3) < 4 * np.sqrt(96 / 2000)


def test_fields_that_cannot_be_made_are_errors():
    with pytest.raises(UnitError, match="hold waves below 500 cycles/m"):
        PowerLaw(1.0, 1.0, 10.0, 501.0).draw(Key(1), PLANE)
    with pytest.raises(UnitError, match="has no wave"):
        PowerLaw(1.0, 1.0, 1.0, 2.0).draw(Key(1), PLANE)
    with pytest.raises(UnitError, match="0 < low < high"):
        PowerLaw(1.0, 1.0, 10.0, 10.0)
    with pytest.raises(UnitError, match="standard deviation"):
        White(0.0)
    with pytest.raises(ShapeError, match="makes no field"):
        Correlated(lambda lag: (np.abs(lag).max(axis=-1) < 3e-3).astype(float)).draw(Key(1), PLANE)
    with pytest.raises(ShapeError, match="more than one voxel"):
        LAW.draw(Key(1), Grid((1, 1, 1), (1e-3, 1e-3, 1e-3)))
