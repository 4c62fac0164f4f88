"""TV by the primal-dual method: closed forms of steps, and duality gaps that close."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest

from phantomsim.physics.errors import RecipeError, ShapeError
from phantomsim.physics.operator import Space
from phantomsim.physics.solvers.fidelities import Fidelity, KullbackLeibler, WeightedLeastSquares
from phantomsim.physics.solvers.finite_differences import GradientOperator
from phantomsim.physics.solvers.primal_dual import SAFETY, Term, primal_dual
from phantomsim.physics.solvers.total_variation import magnitude, minimise_total_variation, total_variation
from tests.dense import Dense

RNG = np.random.default_rng(7)
LINE = {"spacing": (1.0,), "tolerance": 1e-9}


def step(low: complex, high: complex, n_low: int = 8, n_high: int = 12) -> np.ndarray:
    return np.repeat([low, high], [n_low, n_high])


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e4])
def test_a_step_loses_the_strength_over_its_length_at_each_side(scale: float) -> None:
    # ½ Σ (x − b)² + α |jump|: the n samples of a side move together, and n · shift = α
    found = minimise_total_variation(
        Dense(np.eye(20)),
        WeightedLeastSquares(scale * step(1, 2)),
        np.zeros(20),
        3000,
        strength=0.6 * scale,
        **LINE,
    )
    np.testing.assert_allclose(found / scale, step(1 + 0.6 / 8, 2 - 0.6 / 12), atol=1e-5)


def test_a_step_below_the_strength_becomes_the_weighted_mean() -> None:
    weights = np.linspace(0.5, 2, 20)
    found = minimise_total_variation(
        Dense(np.eye(20)), WeightedLeastSquares(step(1, 1.1), weights), np.zeros(20), 3000, strength=5.0, **LINE
    )
    np.testing.assert_allclose(found, np.average(step(1, 1.1), weights=weights), atol=1e-6)


def test_a_complex_step_shrinks_along_the_line_between_its_values() -> None:
    low, high = 1 + 1j, 2 - 1j
    along = (high - low) / abs(high - low)
    unitary = np.linalg.qr(RNG.standard_normal((20, 20)) + 1j * RNG.standard_normal((20, 20)))[0]
    found = minimise_total_variation(
        Dense(unitary),
        WeightedLeastSquares(unitary @ step(low, high)),
        np.zeros(20, complex),
        3000,
        strength=0.6,
        non_negative=False,
        **LINE,
    )
    np.testing.assert_allclose(found, step(low + along * 0.6 / 8, high - along * 0.6 / 12), atol=1e-5)


def test_counts_of_a_step_keep_their_sum_under_the_poisson_likelihood() -> None:
    # Σ x − y log x + α |jump|: n (1 − y / x) = ±α, so x = y / (1 − α / n) below and y / (1 + α / n) above
    found = minimise_total_variation(
        Dense(np.eye(20)), KullbackLeibler(step(10, 30)), np.ones(20), 5000, strength=2.0, **LINE
    )
    np.testing.assert_allclose(found, step(10 / (1 - 2 / 8), 30 / (1 + 2 / 12)), rtol=1e-5)


def conjugate(fidelity: Fidelity, p: np.ndarray) -> float:
    if isinstance(fidelity, WeightedLeastSquares):
        return float(np.sum(p * fidelity.data + p * p / (2 * fidelity.weights)))
    assert isinstance(fidelity, KullbackLeibler)
    if (p >= 1).any():
        return np.inf
    return float(np.sum(-fidelity.counts * np.log1p(-p) - fidelity.background * p))


@pytest.mark.parametrize("isotropic", [True, False], ids=["isotropic", "anisotropic"])
@pytest.mark.parametrize("shape", [(5, 6), (3, 4, 3)], ids=["plane", "block"])
@pytest.mark.parametrize("kind", ["least squares", "counts"])
def test_the_duality_gap_closes(kind: str, shape: tuple[int, ...], isotropic: bool) -> None:
    # min F(A x) + α TV(x) = max −F*(p) over |q| ≤ α with Aᵀp + ∇ᵀq = 0, which an invertible A solves for p
    n = int(np.prod(shape))
    operator = Dense(np.eye(n) + 0.5 * np.eye(n, k=1) + 0.02 * RNG.random((n, n)), shape)
    gradient = GradientOperator(operator.domain, (1.0,) * len(shape))
    data = operator(RNG.random(shape) * 3 + 1)
    fidelity: Fidelity = (
        WeightedLeastSquares(data, RNG.random(n) + 0.5)
        if kind == "least squares"
        else KullbackLeibler(RNG.poisson(10 * data) / 10.0, 0.5)
    )
    alpha = 0.3

    def shrink(v: np.ndarray, sigma: float) -> np.ndarray:
        return v / np.maximum(magnitude(v, isotropic) / alpha, 1)

    terms = (
        Term(operator, SAFETY * operator.norm(), fidelity.proximal_conjugate),
        Term(gradient, gradient.norm(), shrink),
    )
    gaps = []
    for saddle in islice(primal_dual(terms, lambda x: x, np.ones(shape)), 0, 2001, 100):
        q = saddle.duals[1]
        p = -np.linalg.solve(operator.matrix.T, gradient.adjoint(q).ravel())
        primal = fidelity.value(operator(saddle.x)) + alpha * total_variation(gradient(saddle.x), isotropic)
        gaps.append(primal + conjugate(fidelity, p))
    gaps = np.array(gaps)[np.isfinite(gaps)]
    assert (gaps >= -1e-9).all()
    assert gaps[-1] < 1e-6
    found = minimise_total_variation(
        operator,
        fidelity,
        np.ones(shape),
        2000,
        strength=alpha,
        spacing=(1.0,) * len(shape),
        isotropic=isotropic,
        non_negative=False,
    )
    assert fidelity.value(operator(found)) + alpha * total_variation(gradient(found), isotropic) < primal + 1e-6


def test_the_objective_comes_near_its_minimum_whatever_the_units() -> None:
    # lengths in m make A small, attenuation in 1/m large: the steps follow
    matrix = np.maximum(RNG.random((40, 25)) - 0.5, 0)
    truth = np.repeat([1.0, 3.0], [10, 15])
    images = []
    for unit in (1e-3, 1.0, 1e3):
        data = (matrix @ truth).astype(np.float32)
        images.append(
            minimise_total_variation(
                Dense((matrix * unit).astype(np.float32)),
                WeightedLeastSquares(data),
                np.zeros(25, np.float32),
                300,
                strength=0.05 * unit,
                spacing=(1.0,),
            )
            * unit
        )
    for image in images:
        np.testing.assert_allclose(image, images[0], rtol=1e-3)
        assert np.abs(image - truth).max() < 0.1


def test_the_gradients_norm_is_that_of_its_matrix_and_power_iteration_of_a_positive_operator_finds_its_own() -> None:
    gradient = GradientOperator(Space((3, 4, 5), ("z", "y", "x"), "float64"), (2.0, 1.0, 0.7))
    columns = [gradient(row.reshape(3, 4, 5)).ravel() for row in np.eye(60)]
    assert gradient.norm() == pytest.approx(np.linalg.norm(np.stack(columns), 2), rel=1e-12)
    matrix = RNG.random((30, 20))
    assert Dense(matrix).norm() == pytest.approx(np.linalg.norm(matrix, 2), rel=1e-9)


def test_a_gradient_is_the_slope_of_a_ramp_and_its_divergence_the_laplacian() -> None:
    grid = np.add.outer(2 * np.arange(4.0), 3 * np.arange(5.0))
    gradient = GradientOperator(Space((4, 5), ("y", "x"), "float64"), (0.5, 1.0))
    slopes = gradient(grid)
    assert (slopes[0, :-1] == 4).all()
    assert (slopes[1, :, :-1] == 3).all()
    assert (slopes[0, -1] == 0).all()
    assert (slopes[1, :, -1] == 0).all()
    assert (gradient.adjoint(slopes)[1:-1, 1:-1] == 0).all()


def test_nonsense_is_refused() -> None:
    fidelity = WeightedLeastSquares(step(1, 2))
    with pytest.raises(RecipeError, match="strength must be positive"):
        minimise_total_variation(Dense(np.eye(20)), fidelity, np.zeros(20), 1, strength=0, spacing=(1.0,))
    with pytest.raises(RecipeError, match="maps the first image's space to zero"):
        minimise_total_variation(Dense(np.zeros((20, 20))), fidelity, np.zeros(20), 1, strength=1, spacing=(1.0,))
    with pytest.raises(ShapeError, match="needs a spacing to each axis"):
        minimise_total_variation(Dense(np.eye(20)), fidelity, np.zeros(20), 1, strength=1, spacing=(1.0, 1.0))
    with pytest.raises(ShapeError, match="expected"):
        minimise_total_variation(Dense(np.eye(20)), fidelity, np.zeros(19), 1, strength=1, spacing=(1.0,))
    with pytest.raises(RecipeError, match="weights must not be negative"):
        WeightedLeastSquares(np.zeros(3), -1.0)
    with pytest.raises(RecipeError, match="counts and background"):
        KullbackLeibler(np.array([-1.0]))
    with pytest.raises(ShapeError, match="no gradient"):
        GradientOperator(Space((1, 1), ("y", "x")), (1.0, 1.0))
    with pytest.raises(RecipeError, match="spacing must be positive"):
        GradientOperator(Space((3,), ("x",)), (0.0,))
