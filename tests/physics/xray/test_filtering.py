from __future__ import annotations

from math import pi

import numpy as np
import pytest

from phantomsim.physics.errors import RecipeError, ShapeError
from phantomsim.physics.kernel import threads
from phantomsim.physics.xray.filtering import filter_projections, ramp_kernel, window
from phantomsim.physics.xray.geometry import FanBeam, ParallelBeam, PlanarScan

PARALLEL = ParallelBeam(n_views=3, n_columns=61, pitch=1.5e-3)
FLAT = FanBeam(n_views=3, n_columns=61, pitch=4e-3, detector="flat")
ARC = FanBeam(n_views=3, n_columns=61, pitch=4e-3, detector="arc")
WINDOWS = ["ram-lak", "shepp-logan", "cosine", "hamming", "hann"]


def test_kernel_is_the_band_limited_ramp_of_kak_and_slaney() -> None:
    # eq. 61: 1/(4τ²), 0, −1/(n²π²τ²), here times the sampling distance τ
    step = PARALLEL.pitch
    expected = np.array([1 / 4, -1 / pi**2, 0, -1 / (9 * pi**2), 0]) / step
    np.testing.assert_allclose(ramp_kernel(PARALLEL)[:5], expected, rtol=1e-14, atol=0)


def test_spectrum_of_the_long_kernel_is_the_ramp() -> None:
    # the sum over all n is |f|; what the tail beyond N holds is below 2 / (π² N τ)
    scan = ParallelBeam(n_views=1, n_columns=4001, pitch=1.0)
    frequency = np.linspace(0, 0.5, 11)
    n = np.arange(1, scan.n_columns)
    kernel = ramp_kernel(scan)
    spectrum = kernel[0] + 2 * np.cos(2 * pi * frequency[:, None] * n) @ kernel[1:]
    np.testing.assert_allclose(spectrum, frequency, rtol=0, atol=2 / (pi**2 * scan.n_columns))


@pytest.mark.parametrize("scan", [PARALLEL, FLAT, ARC])
def test_filtering_is_the_linear_convolution_with_the_kernel(scan: PlanarScan) -> None:
    projections = np.random.default_rng(1).normal(size=(3, 2, 61))
    kernel = ramp_kernel(scan)
    both_sides = np.concatenate([kernel[:0:-1], kernel])
    expected = np.apply_along_axis(np.convolve, 2, projections, both_sides)[:, :, 60:121]
    np.testing.assert_allclose(
        filter_projections(projections, scan), expected, rtol=0, atol=1e-13 * np.abs(expected).max()
    )


def test_arc_kernel_holds_the_square_of_angle_over_sine() -> None:
    angle = ARC.pitch / ARC.source_to_detector * 7
    ratio = ramp_kernel(ARC)[7] / ramp_kernel(FLAT)[7]
    assert ratio == pytest.approx((angle / np.sin(angle)) ** 2, rel=1e-13)


@pytest.mark.parametrize("name", WINDOWS)
def test_windows_leave_the_mean_and_pass_nothing_beyond_the_cutoff(name: str) -> None:
    factor = window(name, np.array([0.0, 0.5, 1.0, 1.01, 3.0]))  # type: ignore[arg-type]
    at_half = {"ram-lak": 1, "shepp-logan": np.sinc(0.25), "cosine": np.sqrt(0.5), "hamming": 0.54, "hann": 0.5}
    at_one = {"ram-lak": 1, "shepp-logan": 2 / pi, "cosine": 0, "hamming": 0.08, "hann": 0}
    np.testing.assert_allclose(factor, [1, at_half[name], at_one[name], 0, 0], rtol=0, atol=1e-12)


def test_a_tone_above_the_cutoff_is_removed_and_one_below_is_multiplied_by_the_ramp() -> None:
    # away from the ends, where the line is long against the kernel's weight: 1 % of the response at half Nyquist
    scan = ParallelBeam(n_views=1, n_columns=2000, pitch=1.0)
    n, middle = np.arange(2000), slice(900, 1100)
    low, high = np.cos(2 * pi * 0.1 * n), np.cos(2 * pi * 0.4 * n)
    filtered = filter_projections((low + high)[None, None], scan, "ram-lak", 0.5)[0, 0]
    np.testing.assert_allclose(filtered[middle], (0.1 * low)[middle], rtol=0, atol=1e-3)


@pytest.mark.parametrize("n_rows", [1, 300])
def test_threads_do_not_change_a_bit(n_rows: int) -> None:
    projections = np.random.default_rng(2).normal(size=(3, n_rows, 61)).astype(np.float32)
    results = []
    for n in (1, 2, 3):
        with threads(n):
            results.append(filter_projections(projections, ARC, "hann", 0.8))
    assert results[0].dtype == np.float32
    np.testing.assert_array_equal(results[0], results[1])
    np.testing.assert_array_equal(results[0], results[2])


def test_wrong_arguments_are_named() -> None:
    projections = np.zeros((3, 1, 61), np.float32)
    with pytest.raises(RecipeError, match=r"filter must be one of ram-lak, .*, got 'butterworth'"):
        filter_projections(projections, ARC, "butterworth")  # type: ignore[arg-type]
    for cutoff in (0.0, 1.1, float("nan")):
        with pytest.raises(RecipeError, match=r"cutoff must be in \(0, 1\]"):
            filter_projections(projections, ARC, "hann", cutoff)
    with pytest.raises(ShapeError, match=r"view 3, row, column 61"):
        filter_projections(projections[:2], ARC)
