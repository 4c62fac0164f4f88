"""MLTR: its likelihood, and its optimum against one found another way."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize

from phantomsim.physics.errors import RecipeError
from phantomsim.physics.solvers.mltr import log_likelihood, mltr
from tests.dense import Dense, positive_system

OPERATOR, TRUTH, _ = positive_system(60, 10)
RNG = np.random.default_rng(6)
ZERO = np.zeros(10)


def counts(blank: float, background: float = 0.0) -> np.ndarray:
    return RNG.poisson(blank * np.exp(-OPERATOR(TRUTH)) + background).astype(float)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("background", [0.0, 3.0])
@pytest.mark.parametrize("blank", [5.0, 1e4])
def test_the_likelihood_never_falls(blank: float, background: float, dtype: str) -> None:
    y = counts(blank, background).astype(dtype)
    operator, first = Dense(OPERATOR.matrix.astype(dtype)), np.full(10, 2.0, dtype)
    found = [log_likelihood(y, blank, operator(first), background)]
    image = mltr(
        operator,
        y,
        blank,
        first,
        80,
        background=background,
        callback=lambda _, x: found.append(log_likelihood(y, blank, operator(x), background)),
    )
    assert image.dtype == dtype
    slack = {"float32": 1e-7, "float64": 1e-14}[dtype] * abs(found[-1])
    assert (np.diff(found) >= -slack).all()
    assert found[-1] > found[0]


@pytest.mark.parametrize("background", [0.0, 20.0])
def test_it_ends_where_a_quasi_newton_method_ends(background: float) -> None:
    y = counts(300.0, background)

    def loss(x: np.ndarray) -> float:
        return -log_likelihood(y, 300.0, OPERATOR(x), background)

    expected = minimize(loss, TRUTH, method="L-BFGS-B", bounds=[(0, None)] * 10, tol=1e-14).x
    found = mltr(OPERATOR, y, 300.0, ZERO, 4000, background=background)
    np.testing.assert_allclose(found, expected, atol=3e-4)  # what L-BFGS leaves with differences for derivatives
    assert loss(found) <= loss(expected) + 1e-6


def test_exact_counts_give_the_image_back_in_any_unit() -> None:
    for gain in (1.0, 1e-6):
        found = mltr(OPERATOR, gain * np.exp(-OPERATOR(TRUTH)), gain, ZERO, 4000)
        np.testing.assert_allclose(found, TRUTH, atol=1e-4)


def test_rays_without_a_photon_and_readings_below_zero_do_no_harm() -> None:
    y = 100 * np.exp(-OPERATOR(TRUTH))
    y[:5] = 0
    y[5] = -3
    assert np.isfinite(mltr(OPERATOR, y, 100.0, ZERO, 50)).all()
    dark = mltr(Dense(np.ones((2, 1), np.float32)), np.zeros(2, np.float32), 1e3, np.full(1, 200, np.float32), 3)
    assert np.isfinite(dark).all()  # exp(−200) is 0 in float32


def test_nonsense_is_refused() -> None:
    y = counts(100.0)
    for values in ({"blank": 0.0}, {"background": -1.0}, {"x0": ZERO - 1}):
        given = {"blank": 100.0, "x0": ZERO, "n_iterations": 1} | values
        with pytest.raises(RecipeError, match="mltr needs positive blank counts"):
            mltr(OPERATOR, y, **given)
