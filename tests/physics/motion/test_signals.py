"""Signals: statistics of their cycles, continuity, and the same value however time is sampled."""

import numpy as np
import pytest

from phantomsim.physics.errors import UnitError
from phantomsim.physics.motion.cycles import BreathHold, Breathing, Heartbeat, IrregularBreathing
from phantomsim.physics.motion.signal import Constant, Step, Total, drift, nod, tremor
from phantomsim.physics.rng import Key

SIGNALS = {
    "constant": Constant(0.3),
    "step": Step(2.0, 0.5, 3.0),
    "drift": drift(Key(1), 2.0),
    "tremor": tremor(Key(1), 0.3),
    "nod": nod(Key(2), 0.1, 10.0),
    "breathing": Breathing(4.0, 3),
    "irregular": IrregularBreathing(Key(5)),
    "hold": BreathHold(),
    "heart": Heartbeat(Key(6), ectopic=0.1),
}
SIGNALS["total"] = Total((SIGNALS["step"], SIGNALS["drift"], SIGNALS["irregular"]))


@pytest.fixture(params=SIGNALS)
def signal(request):
    return SIGNALS[request.param]


def test_a_time_has_one_value_however_it_is_asked(signal):
    times = np.linspace(0, 500, 1001)
    together = signal(times)
    assert together.shape == times.shape
    assert [float(signal(t)) for t in times[::50]] == together[::50].tolist()
    np.testing.assert_array_equal(signal(times[::-1])[::-1], together)


def test_the_rate_is_the_derivative(signal):
    times = np.random.default_rng(0).uniform(0.01, 60, 4000)
    h = 1e-6
    error = (signal(times + h) - signal(times - h)) / (2 * h) - signal.rate(times)
    assert np.abs(error).max() < 1e-3 * max(1, np.abs(signal.rate(times)).max())  # a second derivative may jump
    assert np.quantile(np.abs(error), 0.99) < 1e-7


def test_bodies_begin_as_they_were_drawn():
    for name in ("step", "drift", "tremor", "breathing", "irregular", "heart"):
        assert abs(float(SIGNALS[name](0.0))) < 1e-15, name


def test_breathing_rests_at_exhalation_and_is_full_half_a_period_later():
    """sin^2n averages to (2n − 1)!! / (2n)!!: 5/16 for n = 3."""
    signal = Breathing(5.0, 3)
    assert float(signal(2.5)) == pytest.approx(1)
    assert signal(np.arange(1000) * 5.0 / 1000).mean() == pytest.approx(5 / 16, abs=1e-12)


def test_breaths_have_the_mean_and_the_spread_that_were_asked_for():
    """4,000 breaths: the mean's standard error is spread / √4000 = 0.24 % of it, the spread's 1.1 %; five of them."""
    signal = IrregularBreathing(Key(11), period=4.0, period_spread=0.15, depth_spread=0.2)
    times = np.arange(0, 16000, 0.02)
    value = signal(times)
    inner = value[1:-1]
    peaks = np.flatnonzero((inner > value[:-2]) & (inner >= value[2:])) + 1
    assert len(peaks) == pytest.approx(4000, rel=0.013)
    assert value[peaks].mean() == pytest.approx(1, abs=0.016)
    assert value[peaks].std() == pytest.approx(0.2, rel=0.07)
    troughs = np.flatnonzero((inner < value[:-2]) & (inner <= value[2:])) + 1
    periods = np.diff(times[troughs])
    assert periods.std() / periods.mean() == pytest.approx(0.15, rel=0.07)


def test_beats_vary_as_asked_and_early_beats_are_made_up_for():
    regular = np.diff(Heartbeat(Key(2), 0.8, 0.05).onsets(4000.0))
    assert regular.mean() == pytest.approx(0.8, rel=0.005)
    assert regular.std() / regular.mean() == pytest.approx(0.05, rel=0.06)
    ectopic = np.diff(Heartbeat(Key(2), 0.8, 0.05, ectopic=0.1).onsets(4000.0))
    early = (ectopic < 0.8 * 0.82).mean()
    assert early == pytest.approx(0.1, abs=0.02)  # 5,000 draws: a standard error of 0.004
    assert ectopic.mean() == pytest.approx(0.8, rel=0.01)
    assert ectopic.std() > 2 * regular.std()


def test_each_beat_contracts_fully_and_relaxes_before_the_next():
    signal = Heartbeat(Key(8), 0.7, 0.1, ectopic=0.2)
    begins = signal.onsets(100.0)[:-1]
    assert np.abs(signal(begins)).max() < 1e-12
    systole = 0.3 * np.sqrt(np.diff(signal.onsets(100.0)))
    np.testing.assert_allclose(signal(begins + systole), 1, atol=1e-12)


def test_a_held_breath_drifts_back_at_its_rate():
    signal = BreathHold(0.8, 0.01)
    assert float(signal(0.0)) == 0.8
    assert float(signal.rate(0.0)) == pytest.approx(-0.01)
    assert (np.diff(signal(np.arange(0, 30.0))) < 0).all()


def test_wandering_stays_within_its_size_and_tremor_is_fast():
    times = np.arange(0, 200, 0.01)
    for seed in range(20):
        assert np.abs(drift(Key(seed), 2.0)(times)).max() <= 2.0
        shiver = tremor(Key(seed), 0.5)
        assert np.abs(shiver(times)).max() <= 0.5
        assert all(4 <= f <= 6 for f in shiver.frequencies)


def test_another_key_breathes_otherwise_and_the_same_key_the_same():
    times = np.linspace(0, 100, 500)
    first, again, other = (IrregularBreathing(Key(seed))(times) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 0.1


def test_wrong_measures_are_refused():
    with pytest.raises(UnitError, match="0 s"):
        IrregularBreathing(Key(1))(-1.0)
    with pytest.raises(UnitError, match="positive"):
        Breathing(0.0)
    with pytest.raises(UnitError, match="spreads"):
        IrregularBreathing(Key(1), period_spread=0.9)
    with pytest.raises(UnitError, match="probability"):
        Heartbeat(Key(1), ectopic=1.5)
    with pytest.raises(UnitError, match="held"):
        BreathHold(0.0)
    with pytest.raises(UnitError, match="step"):
        Step(0.0, 0.0)
