import numpy as np
import pytest

from phantomsim.physics.errors import UnitError
from phantomsim.physics.rng import Key, poisson
from phantomsim.physics.xray.pulse_pile_up import DeadTime, PileUp

THRESHOLDS = (20.0, 40.0, 60.0)
TAU, DURATION = 1e-7, 1e-4
MODES = [False, True]


def spectrum():
    """Return pulses by height (lattice): a slope from 20 to 100 keV in cells of 1 keV."""
    height = np.arange(20, 100)
    return height, (120.0 - height) / (120.0 - height).sum()


def simulate(rng, load, paralysable, n_readings):
    """Count pulse by pulse, from arrival times and heights: (reading, bin)."""
    height, probability = spectrum()
    counts = np.zeros((n_readings, 3))
    for reading in range(n_readings):
        # the counter is at work before the reading starts
        n = rng.poisson(load / TAU * (DURATION + 20 * TAU))
        time = np.sort(rng.uniform(-20 * TAU, DURATION, n))
        energy = rng.choice(height, n, p=probability) + rng.random(n)
        if paralysable:
            triggers = np.flatnonzero(np.diff(time, prepend=-np.inf) > TAU)
        else:
            triggers, ready = [], -np.inf
            for i, t in enumerate(time):
                if t > ready:
                    triggers.append(i)
                    ready = t + TAU
        ends = np.searchsorted(time, time[triggers] + TAU)
        total = np.concatenate([[0.0], np.cumsum(energy)])
        recorded = (total[ends] - total[triggers])[time[triggers] >= 0]
        counts[reading] = np.histogram(recorded, [*THRESHOLDS, np.inf])[0]
    return counts


def truth(load):
    """Return expected true counts (bin, 1) and pulses by height (1, lattice)."""
    height, probability = spectrum()
    total = load * DURATION / TAU
    pulses = np.zeros(60)
    pulses[height[height < 60]] = probability[height < 60]
    counts = [pulses[20:40].sum(), pulses[40:60].sum(), 1 - pulses.sum()]
    return total * np.array(counts)[:, None], pulses[None]


def pile_up(paralysable):
    return PileUp(DeadTime(TAU, paralysable), DURATION, THRESHOLDS)


@pytest.mark.parametrize("load", [1e-3, 0.1, 0.5, 1.0, 2.0])
def test_count_rates_follow_the_dead_time_formulas(load):
    counts, pulses = truth(load)
    n = load / TAU
    recorded = pile_up(True).expected(counts, pulses).sum() / DURATION
    assert recorded == pytest.approx(n * np.exp(-n * TAU), rel=1e-12)
    assert DeadTime(TAU, True).recorded_rate(np.array(n)) == pytest.approx(n * np.exp(-n * TAU), rel=1e-12)
    recorded = pile_up(False).expected(counts, pulses).sum() / DURATION
    assert recorded == pytest.approx(n / (1 + n * TAU), rel=1e-12)
    assert DeadTime(TAU, False).recorded_rate(np.array(n)) == pytest.approx(n / (1 + n * TAU), rel=1e-12)


@pytest.mark.parametrize("paralysable", MODES)
@pytest.mark.parametrize("load", [0.2, 1.0])
def test_spectrum_and_its_scatter_are_those_of_pulses_one_by_one(paralysable, load):
    n = 3000
    seen = simulate(np.random.default_rng(5), load, paralysable, n)
    counts, pulses = truth(load)
    expected = pile_up(paralysable).expected(counts, pulses)[:, 0]
    # half a cell of 1 keV between sums and thresholds adds to the statistical error
    error = 4 * seen.std(axis=0) / np.sqrt(n) + 2e-3 * expected
    np.testing.assert_array_less(np.abs(seen.mean(axis=0) - expected), error)

    true = poisson(Key(3), np.broadcast_to(counts, (3, n))).astype(np.float64)
    drawn = pile_up(paralysable).draw(
        Key(4), true, np.broadcast_to(counts, (3, n)), np.broadcast_to(pulses, (n, pulses.shape[1]))
    )
    error = 4 * drawn.std(axis=1) / np.sqrt(n) + 3e-3 * expected  # the mean of a bent function
    np.testing.assert_array_less(np.abs(drawn.mean(axis=1) - expected), error)
    assert drawn.sum(axis=0).var() == pytest.approx(seen.sum(axis=1).var(), rel=4 * 2 / np.sqrt(n))
    # a standard error of a covariance is √((σ₁²σ₂² + c²) / n)
    first, second = np.cov(drawn), np.cov(seen.T)
    error = 4 * np.sqrt(2 * (np.outer(np.diag(second), np.diag(second)) + second**2) / n)
    np.testing.assert_array_less(np.abs(first - second), error)


@pytest.mark.parametrize("paralysable", MODES)
@pytest.mark.parametrize("load", [0.1, 1.0])
def test_slope_is_the_derivative_of_the_record(paralysable, load):
    counts, pulses = truth(load)
    model = pile_up(paralysable)
    shapes = model._shapes(pulses)
    _, slope = model._record(counts, shapes)
    for b in range(3):
        step = np.zeros((3, 1))
        step[b] = 1e-3
        change = (model._record(counts + step, shapes)[0] - model._record(counts - step, shapes)[0]) / 2e-3
        np.testing.assert_allclose(slope[:, b], change, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("paralysable", MODES)
def test_slow_pulses_are_counted_as_they_are(paralysable):
    counts, pulses = truth(1e-9)
    np.testing.assert_allclose(pile_up(paralysable).expected(counts, pulses), counts, rtol=1e-8)


def test_impossible_counters_are_refused():
    with pytest.raises(UnitError, match="dead time"):
        DeadTime(0.0, True)
    with pytest.raises(UnitError, match="ten dead times"):
        PileUp(DeadTime(TAU, True), 5 * TAU, THRESHOLDS)
    with pytest.raises(UnitError, match="keV apart"):
        PileUp(DeadTime(TAU, True), DURATION, (20.0, 20.2))
