"""The algebra of linear operators, on matrices."""

from __future__ import annotations

import numpy as np
import pytest

from phantomsim.physics.array import Array
from phantomsim.physics.errors import ShapeError
from phantomsim.physics.operator import LinearOperator, Space


class Matrix(LinearOperator):
    def __init__(self, matrix: Array) -> None:
        self.matrix = matrix
        self.domain = Space((matrix.shape[1],), ("x",), "float64")
        self.range = Space((matrix.shape[0],), ("y",), "float64")

    def forward(self, x: Array) -> Array:
        self.domain.check(x)
        return self.matrix @ x

    def adjoint(self, y: Array) -> Array:
        self.range.check(y)
        return self.matrix.T @ y


rng = np.random.default_rng(3)
A, B, C = rng.normal(size=(5, 4)), rng.normal(size=(4, 7)), rng.normal(size=(5, 4))
X, Y, Z = rng.normal(size=4), rng.normal(size=5), rng.normal(size=7)


def test_a_call_is_forward() -> None:
    np.testing.assert_array_equal(Matrix(A)(X), A @ X)


def test_h_is_the_adjoint_and_its_own_inverse() -> None:
    a = Matrix(A)
    np.testing.assert_array_equal(a.H(Y), A.T @ Y)
    np.testing.assert_array_equal(a.H.adjoint(X), A @ X)
    assert a.H.H is a
    assert (a.H.domain, a.H.range) == (a.range, a.domain)


def test_a_product_of_operators_is_the_product_of_matrices() -> None:
    product = Matrix(A) @ Matrix(B)
    np.testing.assert_allclose(product(Z), A @ B @ Z, rtol=1e-14)
    np.testing.assert_allclose(product.H(Y), B.T @ A.T @ Y, rtol=1e-14)


def test_a_sum_of_operators_is_the_sum_of_matrices() -> None:
    total = Matrix(A) + Matrix(C)
    np.testing.assert_allclose(total(X), (A + C) @ X, rtol=1e-14)
    np.testing.assert_allclose(total.H(Y), (A + C).T @ Y, rtol=1e-14)


def test_the_norm_is_the_largest_singular_value() -> None:
    assert Matrix(A).norm(200) == pytest.approx(np.linalg.svd(A, compute_uv=False)[0], rel=1e-10)


def test_the_norm_of_nothing_is_zero() -> None:
    assert Matrix(np.zeros((5, 4))).norm() == 0


@pytest.mark.parametrize("combine", [lambda a, b: a @ b, lambda a, b: a + b])
def test_operators_that_do_not_fit_are_refused(combine) -> None:
    with pytest.raises(ShapeError, match="cannot"):
        combine(Matrix(A), Matrix(B).H)
