from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from phantomsim.physics import elementary
from phantomsim.physics.kernel import loop_nest

Values = npt.NDArray[Any]


@loop_nest
def _log(x: Values, out: Values) -> None:
    for i in range(x.size):
        out[i] = elementary.log(x[i])


@loop_nest
def _exp(x: Values, out: Values) -> None:
    for i in range(x.size):
        out[i] = elementary.exp(x[i])


@loop_nest
def _floor(x: Values, out: Values) -> None:
    for i in range(x.size):
        out[i] = elementary.floor(x[i])


@loop_nest
def _sincos(x: Values, sine: Values, cosine: Values) -> None:
    for i in range(x.size):
        sine[i], cosine[i] = elementary.sincos(x[i])


@loop_nest
def _sincos_turns(x: Values, sine: Values, cosine: Values) -> None:
    for i in range(x.size):
        sine[i], cosine[i] = elementary.sincos_turns(x[i])


@loop_nest
def _log1p64(x: Values, out: Values) -> None:
    for i in range(x.size):
        out[i] = elementary.log1p64(x[i])


@loop_nest
def _exp64(x: Values, out: Values) -> None:
    for i in range(x.size):
        out[i] = elementary.exp64(x[i])


@loop_nest
def _floor64(x: Values, out: Values) -> None:
    for i in range(x.size):
        out[i] = elementary.floor64(x[i])


def relative_error(function: Any, reference: Any, x: Values) -> float:
    """Largest relative error against NumPy in the next wider type."""
    wide = np.float64 if x.dtype == np.float32 else np.longdouble
    out = np.empty_like(x)
    function(x, out)
    exact = reference(x.astype(wide))
    return float(np.max(np.abs((out - exact) / np.where(exact == 0, 1, exact))))


def test_log_is_within_an_ulp_over_all_binades_and_next_to_one() -> None:
    x = np.concatenate([np.geomspace(1.2e-38, 3e38, 200_001), np.linspace(0.5, 2, 200_001)]).astype(np.float32)
    assert relative_error(_log, np.log, x) < 1.3e-7


def test_exp_is_within_an_ulp_over_its_range() -> None:
    x = np.linspace(-87.3, 88.7, 400_001).astype(np.float32)
    assert relative_error(_exp, np.exp, x) < 1.2e-7


def test_exp_vanishes_or_overflows_outside_its_range_and_keeps_nan() -> None:
    x = np.array([-np.inf, -1e30, -90, 89, np.inf, np.nan], np.float32)
    out = np.empty_like(x)
    _exp(x, out)
    assert np.all(out[:3] < 1e-38)
    assert np.all(np.isposinf(out[3:5]))
    assert np.isnan(out[5])


@pytest.mark.parametrize("largest", [3.2, 100.0, 8191.0])
def test_sincos_is_within_an_ulp_of_one(largest: float) -> None:
    x = np.linspace(-largest, largest, 400_001).astype(np.float32)
    sine, cosine = np.empty_like(x), np.empty_like(x)
    _sincos(x, sine, cosine)
    assert np.abs(sine - np.sin(x.astype(np.float64))).max() < 1.2e-7
    assert np.abs(cosine - np.cos(x.astype(np.float64))).max() < 1.2e-7


def test_sincos_of_turns_is_within_an_ulp_of_one() -> None:
    x = np.linspace(0, 1, 400_001, endpoint=False).astype(np.float32)
    sine, cosine = np.empty_like(x), np.empty_like(x)
    _sincos_turns(x, sine, cosine)
    assert np.abs(sine - np.sin(2 * np.pi * x.astype(np.float64))).max() < 1.2e-7
    assert np.abs(cosine - np.cos(2 * np.pi * x.astype(np.float64))).max() < 1.2e-7


def test_float64_log1p_keeps_its_precision_near_zero() -> None:
    x = np.concatenate(
        [np.linspace(-0.29, 0.41, 100_001), np.geomspace(1e-300, 0.1, 1001), -np.geomspace(1e-300, 0.1, 9)]
    )
    assert relative_error(_log1p64, np.log1p, x) < 2 * 2.0**-53


def test_float64_log1p_elsewhere_errs_by_the_rounding_of_its_sum() -> None:
    x = np.concatenate([np.geomspace(0.4, 1e300, 100_001), np.geomspace(1e-12, 0.7, 10_001) - 1])
    out = np.empty_like(x)
    _log1p64(x, out)
    exact = np.log(1 + x)  # of the same rounded sum
    assert np.max(np.abs(out - exact) / np.abs(exact)) < 4 * 2.0**-53


def test_float64_exp_is_within_two_ulp() -> None:
    assert relative_error(_exp64, np.exp, np.linspace(-700, 709, 400_001)) < 2 * 2.0**-52


@pytest.mark.parametrize(
    ("function", "dtype", "largest"), [(_floor, np.float32, 2.0**22), (_floor64, np.float64, 2.0**51)]
)
def test_floor_equals_numpys(function: Any, dtype: type, largest: float) -> None:
    size = np.geomspace(1e-30, largest * 0.999, 10_001)
    x = np.concatenate([size, -size, np.arange(-20, 20, 0.5), [-0.0]]).astype(dtype)
    out = np.empty_like(x)
    function(x, out)
    np.testing.assert_array_equal(out, np.floor(x))
