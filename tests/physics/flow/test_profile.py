import numpy as np
import pytest
from scipy.integrate import cumulative_simpson, quad

from phantomsim.physics.errors import UnitError
from phantomsim.physics.flow.profile import poiseuille, womersley, womersley_number
from phantomsim.physics.flow.waveform import Waveform, pulse

RHO = np.linspace(0, 1, 2001)


def test_poiseuille_is_the_parabola_of_unit_flow_and_rests_on_the_wall() -> None:
    assert poiseuille(np.array([0.0, 1.0])) == pytest.approx([2 / np.pi, 0.0])
    assert quad(lambda x: float(poiseuille(np.array(x))) * 2 * np.pi * x, 0, 1)[0] == pytest.approx(1, rel=1e-12)


@pytest.mark.parametrize("alpha", [0.1, 1.0, 3.5, 12.0, 60.0])
def test_womersley_solves_the_equation_of_motion(alpha: float) -> None:
    """w'' + w' / ρ − i α² w must be the constant of the pressure gradient; differences of step 1/2000 are exact to h².

    Towards the wall the solution decays over 1/α, hence the tolerance (α h)² with a factor for the constant.
    """
    w = womersley(RHO, np.full(RHO.shape, alpha))[0]
    h = RHO[1]
    second = (w[2:] - 2 * w[1:-1] + w[:-2]) / h**2
    first = (w[2:] - w[:-2]) / (2 * h)
    gradient = (second + first / RHO[1:-1] - 1j * alpha**2 * w[1:-1])[20:]
    scale = max(alpha**2, 1) * np.abs(w).max()
    assert np.abs(gradient - gradient.mean()).max() < 1e-3 * scale
    assert abs(w[-1]) < 1e-12 * np.abs(w).max()


@pytest.mark.parametrize("alpha", [0.005, 0.1, 1.0, 3.5, 12.0, 200.0])
def test_womersley_carries_unit_flow(alpha: float) -> None:
    def part(x: float, real: bool) -> float:
        w = complex(womersley(np.array([x]), np.array([alpha]))[0][0]) * 2 * np.pi * x
        return w.real if real else w.imag

    assert quad(part, 0, 1, (True,), limit=400)[0] == pytest.approx(1, rel=1e-8)
    assert quad(part, 0, 1, (False,), limit=400)[0] == pytest.approx(0, abs=1e-8)


def test_womersley_agrees_with_the_power_series_of_its_bessel_functions() -> None:
    """J0(x) = Σ (−x²/4)^k / k!²; at α = 2 thirty terms are exact. Nearest the axis the profile is that at ρ = 1e-4."""
    alpha = 2.0
    square = -1j * alpha**2  # β² of β = i^(3/2) α

    def bessel0(x2):  # type: ignore[no-untyped-def]
        term, total = 1.0 + 0j, 1.0 + 0j
        for k in range(1, 30):
            term = term * (-x2 / 4) / k**2
            total = total + term
        return total

    shape = 1 - bessel0(square * RHO**2) / bessel0(square)
    mean = 2 * cumulative_simpson(shape * RHO, x=RHO)[-1]
    found = womersley(RHO, np.full(RHO.shape, alpha))[0]
    np.testing.assert_allclose(found, shape / mean / np.pi, atol=1e-8)


def test_slow_oscillation_is_poiseuilles_parabola_and_fast_one_is_a_plug() -> None:
    slow = womersley(RHO, np.full(RHO.shape, 0.02))[0]
    np.testing.assert_allclose(slow, poiseuille(RHO), atol=1e-4)
    fast = womersley(RHO[:1600], np.full(1600, 300.0))[0]
    np.testing.assert_allclose(fast.real, 1 / np.pi, rtol=0.01)


@pytest.mark.parametrize("alpha", [0.5, 4.0, 15.0])
def test_the_shift_is_what_the_stream_function_loses_where_the_number_grows(alpha: float) -> None:
    """shift = −(1 / ρ²) ∂ψ/∂ln α, with ψ = ∫ w ρ dρ, by central differences."""
    step = 1e-4
    psi = [
        cumulative_simpson(womersley(RHO, np.full(RHO.shape, alpha * f))[0] * RHO, x=RHO, initial=0)
        for f in (1 - step, 1 + step)
    ]
    expected = -(psi[1] - psi[0])[100:] / (2 * step) / RHO[100:] ** 2
    found = womersley(RHO, np.full(RHO.shape, alpha))[1][100:]
    np.testing.assert_allclose(found, expected, atol=2e-5 * np.abs(found).max())


def test_the_number_of_an_aorta_is_near_its_textbook_value() -> None:
    """r √(ω ρ / μ) of 12 mm, 1 Hz, 1060 kg/m³ and 3.5 mPa s: 16.5, by hand."""
    assert float(womersley_number(0.012, 1.0, 3.5e-3, 1060.0)) == pytest.approx(16.55, rel=1e-3)


def test_a_pulse_keeps_its_mean_and_peaks_where_a_gaussian_does() -> None:
    wave = pulse(1.25, 1.0, width=0.1, peak=0.2)
    times = np.arange(64) / 64 / 1.25
    values = [wave.at(float(t)) for t in times]
    assert np.mean(values) == pytest.approx(1, abs=1e-12)
    assert times[int(np.argmax(values))] * 1.25 == pytest.approx(0.2, abs=0.01)
    assert max(values) == pytest.approx(1 / (0.1 * np.sqrt(2 * np.pi)), rel=0.01)
    assert pulse(1.0, 0.0) == Waveform(1.0)


def test_a_heart_that_stands_still_is_refused() -> None:
    with pytest.raises(UnitError, match="Hz"):
        Waveform(0.0)
