from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from phantomsim.report.agreement import Agreement, agreement_figure, pair_agreement, strongest_parameter


def shifted(sample, bias):
    target = sample.arrays["image/full"]
    given = target.copy(data=target.values + bias)
    return replace(sample, arrays={"image/low": given, "image/full": target})


def test_a_constant_shift_is_all_bias_and_no_deviation(samples, pairs):
    (one,) = pair_agreement([shifted(samples[0], 3.0)], pairs[0]).each
    assert one.bias == pytest.approx(3.0, abs=1e-4)
    assert one.deviation == pytest.approx(0.0, abs=1e-4)
    assert one.rmse == pytest.approx(3.0, abs=1e-4)


def test_psnr_is_twenty_decibel_for_an_error_of_a_tenth_of_the_range():
    assert Agreement(bias=0.0, deviation=10.0, peak=100.0).psnr == pytest.approx(20.0)
    assert Agreement(bias=0.0, deviation=0.0, peak=100.0).psnr == np.inf


def test_rmse_is_the_root_mean_square_of_the_stored_difference(samples, pairs):
    found = pair_agreement(samples, pairs[0])
    difference = samples[1].arrays["image/low"].values - samples[1].arrays["image/full"].values
    assert found.each[1].rmse == pytest.approx(float(np.sqrt(np.mean(difference.astype(np.float64) ** 2))), rel=1e-5)
    assert found.unit == "HU"


def test_arrays_of_another_unit_or_shape_are_not_compared(samples, pairs):
    for target in ("take.low.line_integral", "image.gone"):
        assert pair_agreement(samples, SimpleNamespace(input="image.low", target=target)) is None
    assert pair_agreement([], pairs[0]) is None


def test_the_parameter_that_the_noise_follows_is_found():
    exposure = np.array([0.02, 0.03, 0.05, 0.07, 0.1])
    parameters = [{"phantom.size": abs(i - 2.2), "take.low.exposure": e, "kind": "a"} for i, e in enumerate(exposure)]
    assert strongest_parameter(parameters, list(exposure**-0.5)) == "take.low.exposure"
    assert strongest_parameter([{"kind": "a"}] * 5, [1.0, 2.0, 3.0, 4.0, 5.0]) is None


def test_a_figure_is_drawn_for_one_sample_and_for_equal_arrays(samples, pairs):
    assert len(agreement_figure(pair_agreement(samples[:1], pairs[0]), [{}]).axes) == 1
    same = [shifted(sample, 0.0) for sample in samples]
    assert agreement_figure(pair_agreement(same, pairs[0]), [{}] * 3).axes
