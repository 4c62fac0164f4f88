"""Kinetics against closed forms and an ODE solver."""

import numpy as np
import pytest
from scipy.integrate import quad, solve_ivp

from phantomsim.physics.errors import UnitError
from phantomsim.physics.kinetics import Curve, Response, exchange, feng, parker, two_tissue

TIMES = np.concatenate([np.arange(0, 120, 0.25), np.arange(120, 3601, 5.0)])


def test_a_curve_convolved_with_an_exponential_is_its_integral():
    curve = Curve(np.array([0.0, 1.0, 4.0, 10.0, 30.0]), np.array([0.0, 3.0, 1.0, 2.0, 0.5]))
    answer = curve.answered(Response((0.7, 0.2), (0.3, 0.0)))
    for time in (1.0, 4.0, 30.0):
        exact, _ = quad(
            lambda u, t=time: curve(u) * (0.7 * np.exp(-0.3 * (t - u)) + 0.2), 0, time, points=[1, 4, 10], epsabs=1e-12
        )
        assert answer(time) == pytest.approx(exact, rel=1e-10)


@pytest.mark.parametrize(
    ("flow", "permeability", "plasma", "interstitium"), [(0.01, 0.003, 0.04, 0.2), (0.05, 0.02, 0.2, 0.1)]
)
def test_exchange_is_the_solution_of_its_equations(flow, permeability, plasma, interstitium):
    # Sourbron & Buckley 2012, eqs. 10-11: vp dcp/dt = F (ca - cp) + PS (ce - cp), ve dce/dt = PS (cp - ce)
    curve = parker(TIMES)
    answer = curve.answered(exchange(flow, permeability, plasma, interstitium))

    def change(time, amounts):
        inside, outside = amounts[0] / plasma, amounts[1] / interstitium
        crossing = permeability * (inside - outside)
        return [flow * (curve(time) - inside) - crossing, crossing]

    at = [10, 30, 100, 600]
    solved = solve_ivp(change, (0, 600), [0, 0], rtol=1e-9, atol=1e-12, max_step=0.25, t_eval=at)
    np.testing.assert_allclose(answer(at), solved.y.sum(axis=0), rtol=1e-6)


def test_without_permeability_only_the_plasma_is_filled():
    response = exchange(0.02, 0.0, 0.05, 0.3)
    constant = Curve(np.linspace(0, 1000, 2001), np.ones(2001))
    assert constant.answered(response)(1000.0) == pytest.approx(0.05, rel=1e-9)


def test_with_permeability_plasma_and_interstitium_fill_in_the_end():
    constant = Curve(np.linspace(0, 5000, 5001), np.ones(5001))
    assert constant.answered(exchange(0.02, 0.01, 0.05, 0.3))(5000.0) == pytest.approx(0.35, rel=1e-9)


def test_two_tissue_is_the_solution_of_its_equations():
    rates = (0.1 / 60, 0.13 / 60, 0.06 / 60, 0.0068 / 60)  # grey matter, Phelps 1979
    curve = feng(TIMES)
    answer = curve.answered(two_tissue(*rates))
    k1, k2, k3, k4 = rates

    def change(time, c):
        return [k1 * curve(time) - (k2 + k3) * c[0] + k4 * c[1], k3 * c[0] - k4 * c[1]]

    solved = solve_ivp(change, (0, 3600), [0, 0], rtol=1e-9, atol=1e-12, max_step=5, t_eval=[60, 600, 3600])
    np.testing.assert_allclose(answer([60, 600, 3600]), solved.y.sum(axis=0), rtol=1e-5)


def test_a_longer_injection_keeps_the_area_and_lowers_the_peak():
    short = parker(np.arange(0, 7200, 0.5))
    long = short.lengthened(30.0)
    assert np.trapezoid(long.values, long.times) == pytest.approx(np.trapezoid(short.values, short.times), rel=1e-4)
    assert long.values.max() < 0.7 * short.values.max()


def test_parker_peaks_as_published():
    # Parker et al. 2006, fig. 4: first pass of about 6 mmol/L at 0.17 min
    curve = parker(np.arange(0, 300, 0.1))
    assert curve.values.max() == pytest.approx(6.0, abs=0.15)
    assert curve.times[curve.values.argmax()] == pytest.approx(0.17 * 60, abs=0.5)


@pytest.mark.parametrize(
    "make",
    [
        lambda: exchange(0, 0.1, 0.1, 0.1),
        lambda: exchange(0.1, -0.1, 0.1, 0.1),
        lambda: two_tissue(0.1, -0.1, 0, 0),
        lambda: Curve(np.array([0.0, 0.0]), np.array([1.0, 1.0])),
    ],
)
def test_impossible_values_are_refused(make):
    with pytest.raises(UnitError):
        make()
