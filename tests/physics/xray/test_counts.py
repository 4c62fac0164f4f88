from dataclasses import replace

import numpy as np
import pytest

from phantomsim import tissues
from phantomsim.physics.errors import ShapeError, UnitError
from phantomsim.physics.kernel import threads
from phantomsim.physics.rng import Key
from phantomsim.physics.xray.attenuation import linear_attenuation
from phantomsim.physics.xray.correction import WATER
from phantomsim.physics.xray.counts import CountCovariance, draw_counts, expected_counts
from phantomsim.physics.xray.noise import Beam
from phantomsim.physics.xray.photon_counting import PhotonCountingDetector
from phantomsim.physics.xray.pulse_pile_up import DeadTime
from phantomsim.physics.xray.spectrum import ALUMINIUM, monoenergetic, tube_spectrum

CDTE = (tissues.get("cdte").density, tissues.get("cdte").mass_fractions)
DETECTOR = PhotonCountingDetector(
    CDTE, 2e-3, (0.3e-3, 0.3e-3), (25.0, 50.0, 75.0), electronic_noise=2.0, cloud=15e-6, bias=1000.0
)
INNER = (slice(None), slice(None), slice(1, -1), slice(1, -1))


def beam(kind="120 kVp", n_quanta=1000.0):
    spectrum = monoenergetic(60.0, 1.0) if kind == "mono" else tube_spectrum(120, 0.14, [(ALUMINIUM, 6e-3)])
    quanta = spectrum.fluence * n_quanta / spectrum.fluence.sum()
    return Beam(spectrum.energy, quanta, linear_attenuation([WATER], spectrum.energy))


def cylinder(n_views, n_rows, n_columns):
    """Return chords of parallel rays through a water cylinder, 20 cm wide."""
    place = np.linspace(-0.12, 0.12, n_columns)
    chord = 2 * np.sqrt(np.maximum(0, 0.1**2 - place**2))
    return np.ascontiguousarray(np.broadcast_to(chord[:, None], (n_views, n_rows, n_columns, 1)), np.float32)


@pytest.mark.parametrize("kind", ["mono", "120 kVp"])
def test_water_cylinder_has_the_counts_of_theory(kind):
    source, lengths = beam(kind), cylinder(1, 3, 61)
    response = DETECTOR.classes(source.energy).response
    behind = source.quanta * np.exp(-lengths[0, 0].astype(np.float64) * source.mu[0])  # (column, energy)
    photons = np.einsum("xe,enb->nbx", behind, response)
    theory = np.zeros(photons.shape[1:])
    for n in range(9):
        theory += np.roll(photons[n], n % 3 - 1, axis=-1)
    expected = expected_counts(lengths, source, DETECTOR)
    np.testing.assert_allclose(expected[:, 0, 1, 1:-1], theory[:, 1:-1], rtol=1e-4)

    n_views = 400
    drawn = draw_counts(Key(1), np.repeat(lengths, n_views, axis=0), source, DETECTOR)
    error = np.sqrt(expected / n_views)
    deviations = (drawn.mean(axis=1) - expected[:, 0])[..., 1:-1]
    assert (np.abs(deviations) <= 4.7 * error[:, 0, :, 1:-1]).all()  # 550 of them; bins beyond the spectrum stay empty
    assert drawn[INNER].sum() == pytest.approx(n_views * expected[INNER].sum(), rel=1e-3)
    variance = (drawn[INNER].astype(np.float64) - expected[INNER]).__pow__(2).mean()
    assert variance == pytest.approx(expected[INNER].mean(), rel=4 * np.sqrt(2 / drawn[INNER].size) * 3)


def test_bins_add_up_to_what_one_threshold_counts():
    lengths, source = cylinder(1, 2, 20), beam()
    one = expected_counts(lengths, source, replace(DETECTOR, thresholds=DETECTOR.thresholds[:1]))
    np.testing.assert_allclose(expected_counts(lengths, source, DETECTOR).sum(axis=0), one[0], rtol=2e-5)


def test_drawn_counts_have_the_stated_covariance():
    """Columns of the operator against sample covariances of bins and neighbours, and the classes' own sum."""
    n, shape = 20_000, (1, 3, 3)
    source = beam(n_quanta=200.0)
    lengths = np.full((*shape, 1), 0.05, np.float32)
    covariance = CountCovariance(lengths, source, DETECTOR)
    drawn = draw_counts(Key(2), np.repeat(lengths, n, axis=0), source, DETECTOR).astype(np.float64)
    drawn = drawn - drawn.mean(axis=1, keepdims=True)  # (bin, draw, row, column)
    variance = covariance.variance()[:, 0]
    for b in range(3):
        unit = np.zeros((3, *shape))
        unit[b, 0, 1, 1] = 1
        stated = covariance(unit)[:, 0]
        seen = (drawn * drawn[b, :, 1, 1][None, :, None, None]).mean(axis=1)
        error = np.sqrt((variance * variance[b, 1, 1] + stated**2) / n)
        assert np.abs((seen - stated) / error).max() < 4
        assert stated[b, 1, 1] == pytest.approx(variance[b, 1, 1], rel=1e-6)
        assert stated.sum() > 1.01 * stated[b, 1, 1]  # photons that count twice


def test_covariance_between_neighbours_is_the_rate_of_photons_that_both_count():
    """One energy far above the threshold: double counts are photons within 1.28 σ of a border, threshold at a tenth."""
    cloud, pitch = 12e-6, 0.3e-3
    detector = PhotonCountingDetector(CDTE, 2e-3, (pitch, 1.0), (8.0,), cloud=cloud, fluorescence=False)
    source = beam("mono", 1000.0)
    source = Beam(np.array([80.0]), source.quanta, linear_attenuation([WATER], np.array([80.0])))
    n = 20_000
    lengths = np.zeros((n, 3, 1, 1), np.float32)
    drawn = draw_counts(Key(5), lengths, source, detector)[0, :, :, 0].astype(np.float64)
    absorbed = 1000.0 * detector.sensor.efficiency(source.energy)[0]
    both = absorbed * 2 * 1.2815515655 * cloud / pitch
    seen = np.cov(drawn.T)
    error = 4 * np.sqrt((seen[0, 0] * seen[1, 1] + both**2) / n)
    compton = 0.06 * absorbed * 0.1  # scattered photons that count elsewhere, a bound
    assert abs(seen[0, 1] - both) < error + compton
    assert abs(seen[0, 2]) < error + compton


def test_covariance_operator_is_symmetric_and_not_negative():
    lengths = cylinder(2, 4, 9)
    covariance = CountCovariance(lengths, beam(), DETECTOR, np.linspace(0.5, 1, 9, dtype=np.float32))
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((2, *covariance.domain.shape))
    assert np.vdot(y, covariance(x)) == pytest.approx(np.vdot(covariance.adjoint(y), x), rel=1e-10)
    assert np.vdot(x, covariance(x)) > 0


@pytest.mark.parametrize("paralysable", [False, True])
def test_a_reading_under_load_follows_the_dead_time_formula(paralysable):
    tau, duration = 2e-8, 1e-4
    source, lengths = beam(n_quanta=3000.0), np.zeros((300, 3, 5, 1), np.float32)
    true = float(expected_counts(lengths[:1], source, DETECTOR).sum(axis=0)[0, 1, 2])
    detector = replace(DETECTOR, dead_time=DeadTime(tau, paralysable))
    load = true * tau / duration
    formula = true * np.exp(-load) if paralysable else true / (1 + load)
    recorded = expected_counts(lengths[:1], source, detector, duration=duration)
    assert recorded.sum(axis=0)[0, 1, 2] == pytest.approx(formula, rel=1e-5)
    drawn = draw_counts(Key(3), lengths, source, detector, duration=duration)[INNER].astype(np.float64)
    n = drawn[0].size
    factor = 1 - 2 * load * np.exp(-load) if paralysable else 1 / (1 + load) ** 2
    total = drawn.sum(axis=0)
    assert total.mean() == pytest.approx(formula, abs=4 * np.sqrt(formula * factor / n) + 1e-3 * formula)
    # neighbours that count the same photons scatter together: fewer independent readings than drawn
    assert total.var() == pytest.approx(formula * factor, rel=4 * np.sqrt(2 / n) * 1.2)
    assert drawn[-1].mean() / total.mean() > 1.02 * expected_counts(lengths[:1], source, DETECTOR)[2, 0, 1, 2] / true


def test_views_and_threads_do_not_change_a_bit():
    lengths, source = cylinder(4, 2, 300), beam(n_quanta=50.0)
    with threads(1):
        one = draw_counts(Key(7), lengths, source, DETECTOR)
    with threads(3):
        three = draw_counts(Key(7), lengths, source, DETECTOR)
    assert one.dtype == np.uint32
    assert one.tobytes() == three.tobytes()
    assert np.array_equal(draw_counts(Key(7), lengths[:2], source, DETECTOR), one[:, :2])


def test_no_photons_give_no_counts():
    counts = draw_counts(Key(1), np.full((1, 2, 3, 1), 100.0, np.float32), beam(), DETECTOR)
    assert not counts.any()
    loaded = replace(DETECTOR, dead_time=DeadTime(1e-8, True))
    lengths = np.full((1, 2, 3, 1), 100.0, np.float32)
    assert not draw_counts(Key(1), lengths, beam(), loaded, duration=1e-3).any()


def test_impossible_detectors_and_scans_are_refused():
    with pytest.raises(UnitError, match="ascend"):
        replace(DETECTOR, thresholds=(50.0, 25.0))
    with pytest.raises(UnitError, match="noise alone counts"):
        replace(DETECTOR, electronic_noise=6.0)
    with pytest.raises(UnitError, match="thickness"):
        replace(DETECTOR, thickness=0.0)
    with pytest.raises(UnitError, match="bias"):
        replace(DETECTOR, bias=-1.0)
    with pytest.raises(UnitError, match="cloud"):
        replace(DETECTOR, cloud=np.nan)
    with pytest.raises(UnitError, match="fill_factor"):
        replace(DETECTOR, fill_factor=1.1)
    lengths = cylinder(1, 1, 5)
    loaded = replace(DETECTOR, dead_time=DeadTime(1e-8, True))
    with pytest.raises(UnitError, match="duration"):
        draw_counts(Key(1), lengths, beam(), loaded)
    with pytest.raises(UnitError, match="pile-up"):
        CountCovariance(lengths, beam(), loaded)
    with pytest.raises(UnitError, match="exposure"):
        draw_counts(Key(1), lengths, beam(), DETECTOR, -1.0)
    with pytest.raises(ShapeError, match="trailing axes"):
        draw_counts(Key(1), lengths, beam(), DETECTOR, np.ones(3, np.float32))
    with pytest.raises(ShapeError, match="view, row, column"):
        draw_counts(Key(1), lengths[0], beam(), DETECTOR)
