"""OSEM: its likelihood, its counts, and its optimum against one found another way."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize

from phantomsim.physics.errors import RecipeError, ShapeError
from phantomsim.physics.solvers.osem import log_likelihood, osem
from phantomsim.physics.solvers.subsets import Subset, whole
from tests.dense import Dense, positive_system

OPERATOR, TRUTH, _ = positive_system(60, 10)
RNG = np.random.default_rng(8)
FACTORS = RNG.uniform(0.2, 1.0, 60)
ONES = np.ones(10)


def counts(gain: float, background: float = 0.0) -> np.ndarray:
    return RNG.poisson(gain * FACTORS * OPERATOR(TRUTH) + background).astype(float)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("background", [0.0, 3.0])
def test_the_likelihood_never_falls_and_without_background_counts_are_kept(background: float, dtype: str) -> None:
    y = counts(30.0, background).astype(dtype)
    factors = FACTORS.astype(dtype)
    operator = Dense(OPERATOR.matrix.astype(dtype))
    found, totals = [], []

    def see(_: int, x: np.ndarray) -> None:
        expected = factors * operator(x) + np.float32(background)
        found.append(log_likelihood(y, expected))
        totals.append(float(expected.sum()))

    image = osem(whole(operator), y, np.ones(10, dtype), 60, factors=factors, background=background, callback=see)
    assert image.dtype == dtype
    assert (np.diff(found) >= -{"float32": 1e-6, "float64": 1e-13}[dtype] * abs(found[-1])).all()
    if background == 0:
        np.testing.assert_allclose(totals, y.sum(), rtol={"float32": 1e-5, "float64": 1e-12}[dtype])


def test_it_ends_where_a_quasi_newton_method_ends() -> None:
    y = counts(50.0, 20.0)

    def loss(x: np.ndarray) -> float:
        return -log_likelihood(y, FACTORS * OPERATOR(x) + 20.0)

    expected = minimize(loss, 50 * TRUTH, method="L-BFGS-B", bounds=[(0, None)] * 10, tol=1e-14).x
    found = osem(whole(OPERATOR), y, ONES, 60000, factors=FACTORS, background=20.0)
    assert loss(found) <= loss(expected) + 1e-5
    np.testing.assert_allclose(found, expected, atol=2e-3 * expected.max())


def test_subsets_are_faster_and_exact_data_give_the_image_back() -> None:
    y = FACTORS * OPERATOR(TRUTH)
    subsets = [Subset(Dense(OPERATOR.matrix[n::4]), np.s_[n::4]) for n in range(4)]
    error = {
        n: np.abs(osem(s, y, ONES, n, factors=FACTORS) - TRUTH).max()
        for n, s in ((400, subsets), (401, whole(OPERATOR)))
    }
    assert error[400] < error[401] / 2
    assert np.abs(osem(subsets, y, ONES, 20000, factors=FACTORS) - TRUTH).max() < 1e-3


def test_counts_without_a_source_are_no_division_by_zero() -> None:
    y = np.ones(60)
    image = osem(whole(OPERATOR), y, np.zeros(10), 2, factors=FACTORS)
    np.testing.assert_array_equal(image, 0)
    assert log_likelihood(y, np.zeros(60)) == -np.inf


@pytest.mark.parametrize("field", ["factors", "background"])
def test_negative_models_are_refused(field: str) -> None:
    with pytest.raises(RecipeError, match="not negative"):
        osem(whole(OPERATOR), np.ones(60), ONES, 1, **{field: -FACTORS})


def test_impossible_requests_are_refused() -> None:
    with pytest.raises(RecipeError, match="n_iterations must be at least 1"):
        osem(whole(OPERATOR), np.ones(60), ONES, 0)
    with pytest.raises(ShapeError):
        osem(whole(OPERATOR), np.ones(59), ONES, 1)
