"""The chain from quanta to calibrated energy: impulse responses in closed form, noise by its covariance."""

from dataclasses import replace

import numpy as np
import pytest

from phantomsim import tissues
from phantomsim.physics.errors import ResourceError, ShapeError, UnitError
from phantomsim.physics.rng import Key
from phantomsim.physics.xray.attenuation import linear_attenuation
from phantomsim.physics.xray.correction import WATER
from phantomsim.physics.xray.detector import EnergyIntegratingDetector
from phantomsim.physics.xray.noise import Beam, draw_readings
from phantomsim.physics.xray.readout import (
    Readout,
    calibrated_energy,
    covariance_of_read_out,
    draw_pattern,
    expected_read_out,
    fill_dead,
    read_out,
)
from phantomsim.physics.xray.spreading import Crosstalk, Decay, Lag

GOS = (tissues.get("gos").density, tissues.get("gos").mass_fractions)
ENERGY = np.array([40.0, 60.0, 90.0])
BEAM = Beam(ENERGY, np.array([300.0, 500.0, 200.0]), linear_attenuation([WATER], ENERGY))
DETECTOR = EnergyIntegratingDetector(GOS, 1.4e-3, gain=4.0, electronic_noise=60.0, offset=2000.0)
SHAPE = (4, 3, 5)
LENGTHS = np.full((*SHAPE, 1), 0.02, np.float32)
FULL = Readout((0.01, 0.02), (0.03, 0.01), (Decay(0.05, 2e-3),), 1e-3, gain_spread=0.03)


def impulse(shape, at):
    x = np.zeros(shape, np.float64)
    x[at] = 1
    return x


def test_crosstalk_gives_its_share_to_each_neighbour_and_keeps_the_rest():
    seen = Crosstalk((1, 5, 7), 0.02, 0.05, "float64")(impulse((1, 5, 7), (0, 2, 3)))[0]
    assert seen.sum() == pytest.approx(1)
    assert seen[2, 3] == pytest.approx(0.96 * 0.9)
    assert seen[1, 3] == seen[3, 3] == pytest.approx(0.02 * 0.9)
    assert seen[2, 2] == seen[2, 4] == pytest.approx(0.96 * 0.05)


def test_afterglow_is_the_stated_sum_of_exponentials():
    decays, time = (Decay(0.1, 2e-3), Decay(0.02, 30e-3)), 0.5e-3
    seen = Lag((400, 1, 1), decays, time, "float64")(impulse((400, 1, 1), 0))[:, 0, 0]
    expected = np.zeros(400)
    expected[0] = 0.88
    for decay in decays:
        kept = np.exp(-time / decay.seconds)
        expected += decay.share * (1 - kept) * kept ** np.arange(400)
    np.testing.assert_allclose(seen, expected, rtol=1e-12)
    assert seen.sum() == pytest.approx(1, abs=0.02 * np.exp(-400 * time / 30e-3) + 1e-9)


@pytest.mark.parametrize(
    "operator",
    [
        Crosstalk((3, 4, 5), 0.1, 0.2, "float64"),
        Lag((6, 2, 3), (Decay(0.3, 1e-3),), 1e-3, "float64"),
        FULL.spread((4, 3, 5), "float64"),
    ],
)
def test_spreading_has_its_exact_adjoint(operator):
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((2, *operator.domain.shape))
    image = operator(x)
    error = abs(np.vdot(y, image) - np.vdot(operator.adjoint(y), x))
    assert error <= 1e-12 * np.linalg.norm(image) * np.linalg.norm(y)


def test_a_detector_without_effects_reads_as_the_plain_one_does():
    plain = Readout()
    pattern = draw_pattern(Key(0), plain, SHAPE[1:], LENGTHS)
    n = 3000
    lengths = np.repeat(LENGTHS[:1], n, axis=0)
    ours = read_out(Key(1), lengths, BEAM, DETECTOR, plain, pattern).astype(np.float64)
    theirs = draw_readings(Key(2), lengths, BEAM, DETECTOR).astype(np.float64)
    error = np.sqrt(theirs.var() / ours.size)
    assert ours.mean() == pytest.approx(theirs.mean(), abs=4 * np.sqrt(2) * error)
    assert ours.var() == pytest.approx(theirs.var(), rel=4 * np.sqrt(4 / ours.size))


def test_mean_and_covariance_of_readings_are_those_of_the_operator():
    pattern = draw_pattern(Key(0), FULL, SHAPE[1:], LENGTHS)
    n = 6000
    draws = np.stack(
        [read_out(Key(5).fold(i), LENGTHS, BEAM, DETECTOR, FULL, pattern).astype(np.float64) for i in range(n)]
    )
    covariance = covariance_of_read_out(LENGTHS, BEAM, DETECTOR, FULL, pattern)
    variance = draws.var(axis=0)
    mean = expected_read_out(LENGTHS, BEAM, DETECTOR, FULL, pattern)
    assert np.abs((draws.mean(axis=0) - mean) / np.sqrt(variance / n)).max() < 4.5
    draws -= draws.mean(axis=0)
    for at in ((0, 1, 2), (3, 0, 0)):
        stated = covariance(impulse(SHAPE, at).astype(np.float32))
        seen = (draws * draws[:, *at][:, None, None, None]).mean(axis=0)
        error = np.sqrt((variance * variance[at] + stated**2) / n)
        assert np.abs((seen - stated) / error).max() < 4.5
    assert stated[3, 0, 1] > 0.01 * stated[3, 0, 0]  # neighbours are correlated


def test_calibration_undoes_the_gains_it_knows_and_leaves_what_it_does_not():
    known = Readout(gain_spread=0.05)
    wrong = replace(known, gain_error=0.01)
    for readout, least, most in ((known, 0.0, 1e-5), (wrong, 3e-3, 3e-2)):
        pattern = draw_pattern(Key(3), readout, (3, 50), LENGTHS)
        lengths = np.full((1, 3, 50, 1), 0.02, np.float32)
        reading = expected_read_out(lengths, BEAM, DETECTOR, readout, pattern)
        energy = calibrated_energy(reading, DETECTOR, pattern)
        spread = energy.std() / energy.mean()
        assert least <= spread <= most


def test_the_pattern_belongs_to_the_detector():
    one, again, other = (draw_pattern(Key(k), FULL, (3, 5), LENGTHS) for k in (1, 1, 2))
    np.testing.assert_array_equal(one.gain, again.gain)
    assert (one.gain != other.gain).any()


def test_drift_grows_with_the_views():
    readout = Readout(gain_drift=0.01, offset_drift=5.0)
    pattern = draw_pattern(Key(4), readout, (2, 3), LENGTHS)
    gains = pattern.gains(8)
    np.testing.assert_allclose(gains[0], pattern.gain)
    np.testing.assert_allclose(np.diff(gains, axis=0), np.diff(gains, axis=0)[:1].repeat(7, axis=0), atol=1e-6)


def test_dead_pixels_are_filled_in_along_their_row():
    values = np.arange(12, dtype=np.float32).reshape(1, 2, 6) ** 1.0
    dead = np.zeros((2, 6), bool)
    dead[0, [0, 2, 3]] = dead[1, 5] = True
    filled = fill_dead(np.where(dead, -99, values), dead)
    np.testing.assert_allclose(filled[0, 0], [1, 1, 2, 3, 4, 5])
    np.testing.assert_allclose(filled[0, 1], [6, 7, 8, 9, 10, 10])


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: Readout(gain_spread=0.5), UnitError, "gain_spread"),
        (lambda: Readout(optical_crosstalk=(0.6, 0.0)), UnitError, "row_share"),
        (lambda: Readout(decays=(Decay(0.1, 1e-3),)), UnitError, "view_time"),
        (lambda: Decay(1.5, 1.0), UnitError, "share of 0 to 1"),
        (lambda: draw_pattern(Key(0), Readout(dead_fraction=0.5), (200, 2), LENGTHS), ResourceError, "dead_fraction"),
        (
            lambda: calibrated_energy(
                np.zeros((1, 2, 2), np.float32), DETECTOR, draw_pattern(Key(0), Readout(), (3, 5), LENGTHS)
            ),
            ShapeError,
            "pattern",
        ),
    ],
)
def test_impossible_values_are_refused_by_name(make, error, words):
    with pytest.raises(error, match=words):
        make()
