"""CGLS against numpy's direct least squares."""

from __future__ import annotations

import numpy as np
import pytest

from phantomsim.physics.errors import RecipeError, ShapeError
from phantomsim.physics.solvers.cgls import cgls
from tests.dense import Dense, positive_system

RNG = np.random.default_rng(2)
MATRIX = RNG.standard_normal((30, 9))
DATA = RNG.standard_normal(30)


def test_it_ends_after_as_many_steps_as_there_are_unknowns() -> None:
    expected = np.linalg.lstsq(MATRIX, DATA, rcond=None)[0]
    found = cgls(Dense(MATRIX), DATA, RNG.standard_normal(9), 9)
    np.testing.assert_allclose(found, expected, atol=1e-10)


def test_it_ends_after_as_many_steps_as_there_are_distinct_singular_values() -> None:
    left, _ = np.linalg.qr(RNG.standard_normal((30, 9)))
    right, _ = np.linalg.qr(RNG.standard_normal((9, 9)))
    matrix = left * np.array([3.0] * 4 + [1.0] * 3 + [0.2] * 2) @ right
    found = cgls(Dense(matrix), DATA, np.zeros(9), 3)
    np.testing.assert_allclose(found, np.linalg.lstsq(matrix, DATA, rcond=None)[0], atol=1e-10)


def test_an_operator_with_fewer_equations_gives_the_solution_of_least_norm() -> None:
    matrix = MATRIX.T
    found = cgls(Dense(matrix), DATA[:9], np.zeros(30), 9)
    np.testing.assert_allclose(found, np.linalg.pinv(matrix) @ DATA[:9], atol=1e-10)


def test_complex_operators() -> None:
    matrix = MATRIX + 1j * RNG.standard_normal((30, 9))
    data = DATA + 1j
    found = cgls(Dense(matrix), data, np.zeros(9, complex), 9)
    np.testing.assert_allclose(found, np.linalg.lstsq(matrix, data, rcond=None)[0], atol=1e-10)


def test_damping_is_tikhonovs() -> None:
    expected = np.linalg.solve(MATRIX.T @ MATRIX + 4 * np.eye(9), MATRIX.T @ DATA)
    np.testing.assert_allclose(cgls(Dense(MATRIX), DATA, np.zeros(9), 9, damping=2.0), expected, atol=1e-10)


def test_the_residual_never_rises() -> None:
    operator, _, data = positive_system(60, 40)
    found: list[float] = []
    cgls(operator, data, np.zeros(40), 30, callback=lambda _, x: found.append(np.linalg.norm(data - operator(x))))
    assert (np.diff(found) <= 1e-12).all()


def test_it_stops_where_the_gradient_is_small_enough_and_not_before() -> None:
    operator = Dense(MATRIX)
    seen: list[int] = []
    found = cgls(operator, DATA, np.zeros(9), 100, tolerance=1e-6, callback=lambda n, _: seen.append(n))
    assert len(seen) <= 9
    ratio = np.linalg.norm(MATRIX.T @ (DATA - MATRIX @ found)) / np.linalg.norm(MATRIX.T @ DATA)
    assert ratio <= 1e-6
    assert (cgls(operator, MATRIX @ found, found, 5) == found).all()  # nothing left to do: no 0 / 0


def test_nonsense_is_refused() -> None:
    with pytest.raises(RecipeError, match="damping and tolerance"):
        cgls(Dense(MATRIX), DATA, np.zeros(9), 1, damping=-1)
    with pytest.raises(ShapeError, match="expected"):
        cgls(Dense(MATRIX), DATA[1:], np.zeros(9), 1)
