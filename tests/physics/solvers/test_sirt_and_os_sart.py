"""SIRT and OS-SART against the weighted normal equations."""

from __future__ import annotations

import numpy as np
import pytest

from phantomsim.physics.errors import RecipeError, ShapeError
from phantomsim.physics.solvers.os_sart import os_sart
from phantomsim.physics.solvers.sirt import sirt
from phantomsim.physics.solvers.subsets import Subset, whole
from tests.dense import Dense, interleaved, positive_system

OPERATOR, TRUTH, DATA = positive_system(40, 12)
ZERO = np.zeros(12)


@pytest.mark.parametrize("relaxation", [0.5, 1.0, 1.9])
def test_the_weighted_residual_falls_with_every_iteration(relaxation: float) -> None:
    weights = 1 / OPERATOR.matrix.sum(axis=1)
    found: list[float] = []
    sirt(
        OPERATOR,
        DATA,
        ZERO,
        60,
        relaxation=relaxation,
        callback=lambda _, x: found.append(float(weights @ (DATA - OPERATOR(x)) ** 2)),
    )
    assert (np.diff(found) < 0).all()


def test_sirt_ends_at_the_weighted_least_squares_solution() -> None:
    weights = 1 / OPERATOR.matrix.sum(axis=1)
    expected = np.linalg.lstsq(OPERATOR.matrix * np.sqrt(weights)[:, None], DATA * np.sqrt(weights), rcond=None)[0]
    found = sirt(OPERATOR, DATA, ZERO, 2000, relaxation=1.9)
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_a_step_of_sirt_is_its_formula() -> None:
    a = OPERATOR.matrix
    expected = TRUTH + 0.7 * (a.T @ ((DATA - a @ TRUTH) / a.sum(axis=1))) / a.sum(axis=0)
    np.testing.assert_allclose(sirt(OPERATOR, DATA, TRUTH, 1, relaxation=0.7), expected, rtol=1e-12)


def test_os_sart_with_one_subset_is_sirt() -> None:
    one = os_sart(whole(OPERATOR), DATA, ZERO, 7, relaxation=0.8)
    np.testing.assert_array_equal(one, sirt(OPERATOR, DATA, ZERO, 7, relaxation=0.8))


def test_subsets_of_consistent_data_reach_the_truth_sooner() -> None:
    data = OPERATOR(TRUTH)
    errors = [np.linalg.norm(os_sart(interleaved(OPERATOR.matrix, n), data, ZERO, 300) - TRUTH) for n in (1, 8)]
    assert errors[1] < 1e-4
    assert errors[1] < 0.1 * errors[0]


def test_one_row_to_a_subset_is_kaczmarz_of_a_matrix_of_ones_and_zeros() -> None:
    # on a row of ones and zeros R and C are 1 / number of ones and 1: the orthogonal projection onto its equation
    matrix = (np.random.default_rng(1).random((9, 6)) > 0.5).astype(float)
    data, x = np.arange(9.0), np.zeros(6)
    for row, b in zip(matrix, data, strict=True):
        x = x + row * (b - row @ x) / (row @ row)
    np.testing.assert_allclose(os_sart(interleaved(matrix, 9), data, np.zeros(6), 1), x, atol=1e-12)


def test_rays_beside_the_image_and_voxels_that_no_ray_meets_stay_as_they_are() -> None:
    matrix = np.array([[1.0, 1.0, 0.0], [0.0, 0.0, 0.0]])
    found = sirt(Dense(matrix), np.array([2.0, 5.0]), np.array([0.0, 0.0, 7.0]), 50)
    np.testing.assert_allclose(found, [1.0, 1.0, 7.0])


def test_the_image_is_kept_from_negatives_and_the_first_one_is_left_alone() -> None:
    first = np.full(12, 0.5)
    found = sirt(OPERATOR, -DATA, first, 20, non_negative=True)
    assert (found == 0).all()
    assert (first == 0.5).all()


def test_nonsense_is_refused() -> None:
    with pytest.raises(RecipeError, match="relaxation must lie between 0 and 2"):
        sirt(OPERATOR, DATA, ZERO, 1, relaxation=2.0)
    with pytest.raises(RecipeError, match="n_iterations must be at least 1"):
        sirt(OPERATOR, DATA, ZERO, 0)
    with pytest.raises(RecipeError, match="without negative"):
        sirt(Dense(OPERATOR.matrix - 0.5), DATA, ZERO, 1)
    with pytest.raises(ShapeError, match="expected"):
        sirt(OPERATOR, DATA[1:], ZERO, 1)
    with pytest.raises(ShapeError, match="the subsets hold 20 values, the data 40"):
        os_sart([Subset(Dense(OPERATOR.matrix[::2]), slice(0, None, 2))], DATA, ZERO, 1)
    with pytest.raises(ShapeError, match="at least one subset"):
        os_sart([], DATA, ZERO, 1)
